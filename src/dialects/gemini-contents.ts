// The conversation → Gemini's `systemInstruction` and `contents`: https://ai.google.dev/api/caching#Content
import type { Media, Message, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { isGeneration3 } from "./gemini-model";
import { type JsonObject, objectOf, parseJsonExactly, textOf } from "./provider-json";
import type { Refuse } from "./refusal";
import { CUSTOM_INPUT, wireToolName } from "./tool-names";

export type GeminiPart = Readonly<Record<string, unknown>>;

export interface Content {
  role: "user" | "model";
  parts: GeminiPart[];
}

/**
 * What Google documents for calls that no Gemini signed (history of another model, or a client that lost the signature):
 * https://ai.google.dev/gemini-api/docs/thought-signatures. Without it Gemini 3 answers 400 "missing a thought_signature".
 */
const UNSIGNED = "skip_thought_signature_validator";

/** Addresses that Google itself reads. Any other would have to be fetched by the gateway, which never does that. */
const READABLE = /^https:\/\/(?:generativelanguage\.googleapis\.com\/v1(?:beta)?\/files\/|www\.youtube\.com\/watch\?|youtu\.be\/)/;
const FILES = "https://generativelanguage.googleapis.com/v1beta/";

export interface Contents {
  systemInstruction: { parts: GeminiPart[] } | undefined;
  contents: readonly Content[];
}

export function contentsOf(messages: readonly Message[], model: string, refuse: Refuse): Contents {
  const system: GeminiPart[] = [];
  const contents: Content[] = [];
  const calls = new CallNames();
  messages.forEach((message, i) => {
    const param = `messages[${i}]`;
    switch (message.role) {
      case "system":
      case "developer":
        system.push(...systemParts(message, param, refuse));
        return;
      case "assistant":
        append(contents, { role: "model", parts: modelParts(message, param, model, calls, refuse) });
        return;
      case "tool":
        appendResults(contents, message, param, calls, refuse);
        return;
      case "user":
        append(contents, { role: "user", parts: contentParts(message.parts, `${param}.content`, refuse) });
    }
  });
  return { systemInstruction: system.length > 0 ? { parts: system } : undefined, contents: inCallOrder(contents) };
}

/** The names of calls by id: Gemini matches a result to its call by name and place. */
class CallNames {
  readonly #names = new Map<string, string>();

  add(id: string, name: string): void {
    this.#names.set(id, name);
  }

  of(part: Extract<Part, { type: "tool-result" }>, param: string): string {
    const name = this.#names.get(part.callId) ?? part.name;
    if (name === undefined)
      throw new Failure("invalid_value", "This tool result answers no tool call of the conversation", { param: `${param}.tool_call_id` });
    return name;
  }
}

/** A function call must directly follow a user turn, so assistant messages in a row are one content. */
function append(contents: Content[], next: Content): void {
  if (next.parts.length === 0) return;
  const last = contents.at(-1);
  if (next.role === "model" && last?.role === "model") last.parts.push(...next.parts);
  else contents.push(next);
}

const isResult = (part: GeminiPart): boolean => part["functionResponse"] !== undefined;

/** All results of one turn stand in one content, which holds nothing else; pictures and files that came with them follow. */
function appendResults(contents: Content[], message: Message, param: string, calls: CallNames, refuse: Refuse): void {
  const results: GeminiPart[] = [];
  const media: GeminiPart[] = [];
  for (const part of message.parts) {
    if (part.type !== "tool-result") continue;
    results.push({ functionResponse: { id: part.callId, name: calls.of(part, param), response: responseOf(part) } });
    const notText = part.content.map((piece): Part => (piece.type === "text" ? { type: "text", text: "" } : piece));
    media.push(...contentParts(notText, `${param}.content`, refuse));
  }
  const index = contents.findLastIndex(({ parts }) => parts.some(isResult));
  const earlier = contents[index];
  const open = earlier !== undefined && contents.slice(index).every(({ role }) => role === "user");
  if (open) earlier.parts.push(...results);
  else append(contents, { role: "user", parts: results });
  append(contents, { role: "user", parts: media });
}

/** A JSON object is the response itself; any other text goes under the key that Google reads as the output, or as the error. */
function responseOf(part: Extract<Part, { type: "tool-result" }>): JsonObject {
  const text = part.content.flatMap((piece) => (piece.type === "text" ? [piece.text] : [])).join("\n");
  if (part.isError) return { error: text };
  return (text.trimStart().startsWith("{") ? objectOf(parseJsonExactly(text)) : undefined) ?? { output: text };
}

/** Results in the order of the calls: calls of one name are told apart by their place. */
function inCallOrder(contents: readonly Content[]): Content[] {
  return contents.map((content, i) => {
    if (!content.parts.every(isResult)) return content;
    const order: unknown[] = (contents[i - 1]?.parts ?? []).flatMap((part) => textOf(objectOf(part["functionCall"])?.["id"]) ?? []);
    const placeOf = (part: GeminiPart): number => order.indexOf(objectOf(part["functionResponse"])?.["id"]);
    return { role: content.role, parts: content.parts.toSorted((a, b) => placeOf(a) - placeOf(b)) };
  });
}

function systemParts(message: Message, param: string, refuse: Refuse): GeminiPart[] {
  return message.parts.flatMap((part, at) => {
    if (part.type !== "text") return refuse(`${param}.content[${at}]`, "This provider takes only text in system messages") ?? [];
    return part.text === "" ? [] : [{ text: part.text }];
  });
}

function modelParts(message: Message, param: string, model: string, calls: CallNames, refuse: Refuse): GeminiPart[] {
  let called = false;
  return message.parts.flatMap((part, at): GeminiPart[] => {
    if (part.type === "reasoning") return thoughtPart(part);
    if (part.type !== "tool-call") return contentPart(part, `${param}.content[${at}]`, refuse);
    const name = wireToolName(part);
    calls.add(part.id, name);
    // Only the first of parallel calls is signed; the others rightly have nothing.
    const signature = part.signature ?? (called || !isGeneration3(model) ? undefined : UNSIGNED);
    called = true;
    const functionCall = { id: part.id, name, args: argsOf(part, `${param}.tool_calls`) };
    return [{ functionCall, ...(signature === undefined ? {} : { thoughtSignature: signature }) }];
  });
}

/** Thoughts without a signature are of no use to the model, those of another provider neither. */
function thoughtPart(part: Extract<Part, { type: "reasoning" }>): GeminiPart[] {
  if (part.from !== "gemini" || part.signature === undefined) return [];
  // Without text it is the signature of something visible, which must not be marked as a thought.
  return [
    part.text === ""
      ? { text: "", thoughtSignature: part.signature }
      : { text: part.text, thought: true, thoughtSignature: part.signature },
  ];
}

/** `args` must be an object. Its numbers keep their digits; the free text of a custom call becomes one. */
function argsOf(call: Extract<Part, { type: "tool-call" }>, param: string): JsonObject {
  if (call.custom) return { [CUSTOM_INPUT]: call.arguments };
  if (call.arguments.trim() === "") return {};
  const args = objectOf(parseJsonExactly(call.arguments));
  if (!args) throw new Failure("invalid_value", "The arguments of a tool call must be a JSON object", { param });
  return args;
}

/** `param` is the message's content; each part's place is counted from there. */
const contentParts = (parts: readonly Part[], param: string, refuse: Refuse): GeminiPart[] =>
  parts.flatMap((part, at) => contentPart(part, `${param}[${at}]`, refuse));

function contentPart(part: Part, place: string, refuse: Refuse): GeminiPart[] {
  switch (part.type) {
    case "text":
    case "refusal":
      return part.text === "" ? [] : [{ text: part.text }];
    case "image":
      return mediaPart(part.media, `${place}.image_url`, refuse);
    case "audio":
      return mediaPart(part.media, `${place}.input_audio`, refuse);
    case "file":
      return mediaPart(part.media, `${place}.file`, refuse);
    case "reasoning":
    case "redacted-reasoning":
    case "tool-call":
    case "tool-result":
      // Thoughts and calls are written by `modelParts`, results by `appendResults`; sealed thoughts are never Gemini's.
      return [];
  }
}

function mediaPart(media: Media, param: string, refuse: Refuse): GeminiPart[] {
  switch (media.kind) {
    case "base64":
      return [{ inlineData: { mimeType: media.mediaType, data: media.data } }];
    case "url":
      if (READABLE.test(media.url)) return [{ fileData: { fileUri: media.url } }];
      return refuse(param, "This provider does not read addresses: send the data itself") ?? [];
    case "id":
      if (/^files\/[a-z0-9-]+$/.test(media.id)) return [{ fileData: { fileUri: `${FILES}${media.id}` } }];
      return refuse(param, "This provider holds no file of this id") ?? [];
  }
}
