// The conversation → Ollama's messages: https://docs.ollama.com/api/chat
// A message is one text with pictures beside it; calls have arguments as objects and, in older versions, no ids.
import type { Message, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { textOfFile } from "./file-text";
import { type JsonObject, objectOf, parseJsonExactly } from "./provider-json";
import type { Refuse } from "./refusal";
import { CUSTOM_INPUT, wireToolName } from "./tool-names";

type Call = Extract<Part, { type: "tool-call" }>;
type Result = Extract<Part, { type: "tool-result" }>;

export function ollamaMessagesOf(messages: readonly Message[], refuse: Refuse): JsonObject[] {
  const turns = new Turns(refuse);
  messages.forEach((message, i) => {
    turns.add(message, `messages[${i}]`);
  });
  return turns.whole();
}

class Turns {
  readonly #refuse: Refuse;
  readonly #messages: JsonObject[] = [];
  /** Names and places of the calls so far, by id. */
  readonly #calls = new Map<string, { name: string; place: number }>();
  /** The results of one turn: older versions match them to the calls by their order alone. */
  #results: { place: number; message: JsonObject }[] = [];

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  add(message: Message, param: string): void {
    if (message.role === "assistant") {
      this.#closeResults();
      this.#assistant(message.parts, param);
      return;
    }
    const said: Part[] = [];
    for (const part of message.parts) {
      if (part.type === "tool-result") this.#results.push(this.#result(part, param));
      else said.push(part);
    }
    if (said.length === 0) return;
    this.#closeResults();
    const { content, images } = this.#contentOf(said, `${param}.content`);
    if (content === "" && images.length === 0) return;
    // Templates know no other role for what "developer" says.
    const role = message.role === "developer" ? "system" : message.role;
    this.#messages.push({ role, content, ...(images.length > 0 ? { images } : {}) });
  }

  whole(): JsonObject[] {
    this.#closeResults();
    return this.#messages;
  }

  #closeResults(): void {
    this.#messages.push(...this.#results.toSorted((a, b) => a.place - b.place).map(({ message }) => message));
    this.#results = [];
  }

  #assistant(parts: readonly Part[], param: string): void {
    const { content, images } = this.#contentOf(parts, `${param}.content`);
    const calls = parts.filter((part): part is Call => part.type === "tool-call");
    const thinking = parts.map((part) => (isOwnThought(part) ? part.text : "")).join("");
    if (content === "" && images.length === 0 && calls.length === 0 && thinking === "") return;
    this.#messages.push({
      role: "assistant",
      content,
      ...(thinking === "" ? {} : { thinking }),
      ...(images.length > 0 ? { images } : {}),
      ...(calls.length > 0 ? { tool_calls: calls.map((call, index) => this.#call(call, index, `${param}.tool_calls`)) } : {}),
    });
  }

  #call(call: Call, index: number, param: string): JsonObject {
    const name = wireToolName(call);
    this.#calls.set(call.id, { name, place: this.#calls.size });
    return { id: call.id, type: "function", function: { index, name, arguments: argumentsOf(call, param) } };
  }

  #result(part: Result, param: string): { place: number; message: JsonObject } {
    const call = this.#calls.get(part.callId);
    const name = call?.name ?? part.name;
    if (name === undefined)
      throw new Failure("invalid_value", "This tool result answers no tool call of the conversation", { param: `${param}.tool_call_id` });
    const { content, images } = this.#contentOf(part.content, `${param}.content`);
    const message = {
      role: "tool",
      content: part.isError ? JSON.stringify({ error: content }) : content,
      tool_name: name,
      tool_call_id: part.callId,
      ...(images.length > 0 ? { images } : {}),
    };
    return { place: call?.place ?? this.#calls.size, message };
  }

  #contentOf(parts: readonly Part[], param: string): { content: string; images: string[] } {
    const texts: string[] = [];
    const images: string[] = [];
    parts.forEach((part, at) => {
      const place = `${param}[${at}]`;
      switch (part.type) {
        case "text":
        case "refusal":
          if (part.text !== "") texts.push(part.text);
          return;
        case "image":
          if (part.media.kind === "base64") images.push(part.media.data);
          else this.#refuse(`${place}.image_url`, "This provider does not read addresses: send the data itself");
          return;
        case "file": {
          const text = textOfFile(part, place);
          if (text === undefined) this.#refuse(`${place}.file`, "This provider takes only files of text");
          else texts.push(part.name === undefined ? text : `${part.name}:\n${text}`);
          return;
        }
        case "audio":
          this.#refuse(`${place}.input_audio`, "This provider takes no audio");
          return;
        case "reasoning":
        case "redacted-reasoning":
        case "tool-call":
        case "tool-result":
        // Thoughts and calls are written by `#assistant`, results by `#result`; sealed thoughts are never Ollama's.
      }
    });
    return { content: texts.join("\n"), images };
  }
}

/** A thought that another provider sealed is of no use here. A caller's dialect may not say whose an unsealed one is. */
const isOwnThought = (part: Part): part is Extract<Part, { type: "reasoning" }> =>
  part.type === "reasoning" && part.signature === undefined && (part.from === undefined || part.from === "ollama");

/** An object whose numbers keep their digits; the free text of a custom call becomes one. */
function argumentsOf(call: Call, param: string): JsonObject {
  if (call.custom) return { [CUSTOM_INPUT]: call.arguments };
  if (call.arguments.trim() === "") return {};
  const args = objectOf(parseJsonExactly(call.arguments));
  if (!args) throw new Failure("invalid_value", "The arguments of a tool call must be a JSON object", { param });
  return args;
}
