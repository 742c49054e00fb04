// One part of a Gemini answer → events: https://ai.google.dev/api/caching#Part
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

const FROM = "gemini" as const;

/** One candidate's state. */
export interface Choice {
  readonly index: number;
  /** Number of the thinking block that the next thought belongs to. */
  block: number;
  /** The last part was a thought of that block. */
  thinking: boolean;
  tools: number;
  /** The candidate's text so far, for the places of citations: they come last and count bytes from the start. */
  readonly text: string[];
  hasContent: boolean;
  raw: string | undefined;
  grounding: JsonObject | undefined;
  readonly citations: Map<string, unknown>;
}

/** `responseId` names calls that the provider left without an id. */
export function readPart(part: JsonObject, choice: Choice, responseId: string | undefined): ChatEvent[] {
  const signature = textOf(part["thoughtSignature"]) || undefined;
  const text = textOf(part["text"]);
  if (part["thought"] === true) return thoughtEvents(choice, text ?? "", signature);
  if (choice.thinking) endBlock(choice);
  const call = objectOf(part["functionCall"]);
  if (call) return callEvents(call, choice, signature, responseId);
  const events = contentEvents(part, text, choice);
  if (events.length > 0) choice.hasContent = true;
  if (signature !== undefined) {
    // A signature on visible content is kept as a block of its own: thinking that is not shown.
    events.push({ type: "reasoning", choice: choice.index, block: choice.block, text: "", signature, from: FROM });
    endBlock(choice);
  }
  return events;
}

function thoughtEvents(choice: Choice, text: string, signature: string | undefined): ChatEvent[] {
  if (text === "" && signature === undefined) return [];
  choice.hasContent = true;
  choice.thinking = true;
  const sealed = signature === undefined ? {} : { signature };
  const event: ChatEvent = { type: "reasoning", choice: choice.index, block: choice.block, text, ...sealed, from: FROM };
  if (signature !== undefined) endBlock(choice);
  return [event];
}

function endBlock(choice: Choice): void {
  choice.block++;
  choice.thinking = false;
}

/** Arguments come whole. An id is rare before Gemini 3: one is made of the answer's id and the call's place, the same in every replay. */
function callEvents(call: JsonObject, choice: Choice, signature: string | undefined, responseId: string | undefined): ChatEvent[] {
  const name = textOf(call["name"]);
  if (name === undefined) throw new Failure("upstream_error", "The provider's function call has no name");
  const index = choice.tools++;
  choice.hasContent = true;
  const id = textOf(call["id"]) || `call_${responseId ?? "gemini"}_${choice.index}_${index}`;
  const sealed = signature === undefined ? {} : { signature };
  return [
    { type: "tool-call", choice: choice.index, index, id, name, ...sealed },
    { type: "tool-arguments", choice: choice.index, index, text: JSON.stringify(call["args"] ?? {}) },
  ];
}

function contentEvents(part: JsonObject, text: string | undefined, choice: Choice): ChatEvent[] {
  if (text) return textEvents(choice, text);
  const inline = objectOf(part["inlineData"]);
  if (inline) return [mediaEvent(inline, choice)];
  const file = objectOf(part["fileData"]);
  const url = textOf(file?.["fileUri"]);
  if (url !== undefined) return [{ type: "image", choice: choice.index, media: { kind: "url", url } }];
  // The model's own code and what it printed are part of what it says (the text after them refers to them): shown as text, fenced.
  const code = objectOf(part["executableCode"]);
  if (code) return textEvents(choice, `\n\`\`\`${(textOf(code["language"]) ?? "").toLowerCase()}\n${textOf(code["code"]) ?? ""}\n\`\`\`\n`);
  const printed = objectOf(part["codeExecutionResult"]);
  if (printed) return textEvents(choice, `\n\`\`\`\n${textOf(printed["output"]) ?? ""}\n\`\`\`\n`);
  // Calls of hosted tools (`toolCall`, `toolResponse`) have no place in a chat answer.
  return [];
}

function textEvents(choice: Choice, text: string): ChatEvent[] {
  choice.text.push(text);
  return [{ type: "text", choice: choice.index, text }];
}

function mediaEvent(inline: JsonObject, choice: Choice): ChatEvent {
  const mediaType = textOf(inline["mimeType"]) ?? "";
  // Speech comes as raw PCM without a container, which no caller of a chat door can play.
  if (!mediaType.startsWith("image/"))
    throw new Failure("upstream_error", "The provider answered with media that a chat answer cannot hold");
  return { type: "image", choice: choice.index, media: { kind: "base64", mediaType, data: textOf(inline["data"]) ?? "" } };
}

/** https://ai.google.dev/api/generate-content#LogprobsResult as OpenAI's entries. */
export function logprobsOf(result: unknown): unknown[] {
  const tops = itemsOf(objectOf(result)?.["topCandidates"]);
  return itemsOf(objectOf(result)?.["chosenCandidates"]).map((chosen, i) => ({
    ...entryOf(chosen),
    top_logprobs: itemsOf(objectOf(tops[i])?.["candidates"]).map(entryOf),
  }));
}

function entryOf(candidate: unknown): { token: string; logprob: unknown; bytes: null } {
  const said = objectOf(candidate);
  return { token: textOf(said?.["token"]) ?? "", logprob: said?.["logProbability"] ?? 0, bytes: null };
}
