// The conversation → Cohere's messages and documents: https://docs.cohere.com/reference/chat
import type { Media, Message, Part } from "../core/chat";
import { textOfFile } from "./file-text";
import { type JsonObject, objectOf, parseJsonExactly } from "./provider-json";
import type { Refuse } from "./refusal";
import { customArguments, wireToolName } from "./tool-names";

type Call = Extract<Part, { type: "tool-call" }>;
type Result = Extract<Part, { type: "tool-result" }>;

export interface CohereTurns {
  messages: readonly JsonObject[];
  /** Files of the conversation that are text. The model reads and cites them as a list of its own. */
  documents: readonly JsonObject[];
}

/** `thinks`: the model has a place for its earlier thoughts. */
export function cohereTurnsOf(messages: readonly Message[], thinks: boolean, refuse: Refuse): CohereTurns {
  const turns = new Turns(thinks, refuse);
  messages.forEach((message, i) => {
    turns.add(message, `messages[${i}]`);
  });
  return turns.whole();
}

class Turns {
  readonly #thinks: boolean;
  readonly #refuse: Refuse;
  readonly #system: JsonObject[] = [];
  readonly #messages: JsonObject[] = [];
  readonly #documents: JsonObject[] = [];
  /** Pictures that came with tool results: a tool's message holds none, so they follow the last of them as the user's. */
  #pictures: JsonObject[] = [];

  constructor(thinks: boolean, refuse: Refuse) {
    this.#thinks = thinks;
    this.#refuse = refuse;
  }

  add(message: Message, param: string): void {
    if (message.role !== "tool") this.#showPictures();
    switch (message.role) {
      case "system":
      case "developer":
        this.#system.push(...message.parts.flatMap((part, at) => this.#systemText(part, `${param}.content[${at}]`)));
        return;
      case "assistant":
        this.#assistant(message.parts, param);
        return;
      case "user":
      case "tool":
        this.#user(message.parts, param);
    }
  }

  /** "system turn must be the first in the list": all of it goes to the top, wherever it stood. */
  whole(): CohereTurns {
    this.#showPictures();
    const system = this.#system.length > 0 ? [{ role: "system", content: this.#system }] : [];
    return { messages: [...system, ...this.#messages], documents: this.#documents };
  }

  /** Results of tools may stand among a user's other parts; each is a message of its own. */
  #user(parts: readonly Part[], param: string): void {
    const content: JsonObject[] = [];
    parts.forEach((part, at) => {
      if (part.type === "tool-result") this.#messages.push(this.#result(part, param));
      else content.push(...this.#content(part, `${param}.content[${at}]`));
    });
    if (content.length === 0) return;
    this.#showPictures();
    this.#messages.push({ role: "user", content });
  }

  #assistant(parts: readonly Part[], param: string): void {
    const calls = parts.filter((part): part is Call => part.type === "tool-call");
    const own = parts.filter(isOwnThought).map(({ text }) => text);
    const thoughts = this.#thinks ? own.map((thinking) => ({ type: "thinking", thinking })) : [];
    // Models that do not think write down a plan before they call tools, and are shown it again.
    const plan = this.#thinks || calls.length === 0 ? "" : own.join("\n");
    const said = parts.flatMap((part, at) => this.#content(part, `${param}.content[${at}]`));
    const content = [...thoughts, ...said];
    if (content.length === 0 && calls.length === 0) return;
    this.#messages.push({
      role: "assistant",
      ...(content.length > 0 ? { content } : {}),
      ...(plan === "" ? {} : { tool_plan: plan }),
      ...(calls.length > 0 ? { tool_calls: calls.map(callOf) } : {}),
    });
  }

  #result(part: Result, param: string): JsonObject {
    const content = part.content.flatMap((piece, at): JsonObject[] => {
      if (piece.type === "text") return piece.text === "" ? [] : [outputOf(piece.text, part.isError)];
      const shown = this.#content(piece, `${param}.content[${at}]`);
      this.#pictures.push(...shown.filter(({ type }) => type === "image_url"));
      return shown.filter(({ type }) => type !== "image_url");
    });
    return { role: "tool", tool_call_id: part.callId, content: content.length > 0 ? content : "" };
  }

  #showPictures(): void {
    if (this.#pictures.length > 0) this.#messages.push({ role: "user", content: this.#pictures });
    this.#pictures = [];
  }

  #systemText(part: Part, place: string): JsonObject[] {
    if (part.type !== "text") return this.#refuse(place, "This provider takes only text in system messages") ?? [];
    return part.text === "" ? [] : [{ type: "text", text: part.text }];
  }

  #content(part: Part, place: string): JsonObject[] {
    switch (part.type) {
      case "text":
      case "refusal":
        return part.text === "" ? [] : [{ type: "text", text: part.text }];
      case "image":
        return this.#image(part.media, part.detail, place);
      case "file": {
        const text = textOfFile(part, place);
        if (text === undefined) return this.#refuse(`${place}.file`, "This provider takes only files of text") ?? [];
        const title = part.name === undefined ? {} : { title: part.name };
        this.#documents.push({ id: `doc:${this.#documents.length}`, data: { ...title, text } });
        return [];
      }
      case "audio":
        return this.#refuse(`${place}.input_audio`, "This provider takes no audio") ?? [];
      case "reasoning":
      case "redacted-reasoning":
      case "tool-call":
      case "tool-result":
        // Thoughts and calls are written by `#assistant`, results by `#user`; sealed thoughts are never Cohere's.
        return [];
    }
  }

  #image(media: Media, detail: string | undefined, place: string): JsonObject[] {
    if (media.kind === "id") return this.#refuse(`${place}.image_url`, "This provider holds no file of this id") ?? [];
    const url = media.kind === "url" ? media.url : `data:${media.mediaType};base64,${media.data}`;
    return [{ type: "image_url", image_url: { url, ...(detail === undefined ? {} : { detail }) } }];
  }
}

/** A thought that another provider sealed is of no use here. A caller's dialect may not say whose an unsealed one is. */
const isOwnThought = (part: Part): part is Extract<Part, { type: "reasoning" }> =>
  part.type === "reasoning" && part.text !== "" && part.signature === undefined && (part.from === undefined || part.from === "cohere");

const callOf = (call: Call): JsonObject => ({
  id: call.id,
  type: "function",
  function: {
    name: wireToolName(call),
    arguments: call.custom ? customArguments(call.arguments) : call.arguments.trim() === "" ? "{}" : call.arguments,
  },
});

/** A JSON object is a document with fields, which the model can cite one by one; its numbers keep their digits. */
function outputOf(text: string, isError: boolean | undefined): JsonObject {
  if (isError) return { type: "document", document: { data: { error: text } } };
  const data = text.trimStart().startsWith("{") ? objectOf(parseJsonExactly(text)) : undefined;
  // A document without fields is refused.
  return data && Object.keys(data).length > 0 ? { type: "document", document: { data } } : { type: "text", text };
}
