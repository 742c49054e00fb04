// The neutral conversation → input items of the Responses API, in the order in which things were said.
// https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
import type { Media, Message, Part } from "../core/chat";
import type { EncodeContext } from "./dialect";
import { mediaUrl } from "./openai-chat-message";
import type { Refuse } from "./refusal";
import { customArguments, wireToolName } from "./tool-names";

type Json = Record<string, unknown>;
type Call = Extract<Part, { type: "tool-call" }>;
type Result = Extract<Part, { type: "tool-result" }>;

/** The API takes ids of calls up to here; some providers' are longer. */
const CALL_ID_LENGTH_MAX = 64;

export class InputWriter {
  readonly #context: EncodeContext;
  readonly #refuse: Refuse;
  readonly #left: Set<string>;
  /** Short ids that stand for long ones: a call and its result have the same. */
  readonly #shortIds = new Map<string, string>();
  readonly #customCalls = new Set<string>();
  #items: Json[] = [];

  /** `left` gets the names of hints that have no place. */
  constructor(context: EncodeContext, refuse: Refuse, left: Set<string>) {
    this.#context = context;
    this.#refuse = refuse;
    this.#left = left;
  }

  write(messages: readonly Message[]): Json[] {
    this.#items = [];
    for (const [index, message] of messages.entries()) {
      if (message.name !== undefined) this.#left.add("messages.name");
      if (message.role === "assistant") this.#assistant(message.parts, `messages[${index}]`);
      else this.#other(message, `messages[${index}]`);
    }
    return this.#items;
  }

  /** Results are items of their own, whatever message they came in; they come first, as the answer to the turn before. */
  #other({ role, parts }: Message, at: string): void {
    for (const part of parts) if (part.type === "tool-result") this.#result(part, at);
    const content = parts.flatMap((part, index) => (part.type === "tool-result" ? [] : this.#content(part, `${at}.content[${index}]`)));
    if (content.length === 0) return;
    const said = role === "developer" ? (this.#context.deviations.developerRole ?? role) : role === "tool" ? "user" : role;
    this.#items.push({ role: said, content: textAlone(content, "input_text") ?? content });
  }

  #assistant(parts: readonly Part[], at: string): void {
    let content: Json[] = [];
    const flush = (): void => {
      if (content.length > 0) this.#items.push({ role: "assistant", content: textAlone(content, "output_text") ?? content });
      content = [];
    };
    for (const [index, part] of parts.entries()) {
      if (part.type === "text" || part.type === "refusal") {
        if (part.text !== "") content.push(part.type === "text" ? { type: "output_text", text: part.text } : refusalOf(part.text));
        continue;
      }
      flush();
      if (part.type === "tool-call") this.#items.push(this.#call(part));
      else if (part.type === "reasoning" || part.type === "redacted-reasoning") this.#thought(part);
      else if (part.type === "tool-result") this.#result(part, at);
      else this.#refuse(`${at}.content[${index}]`, `This provider does not take a part of type "${part.type}" in the model's turns`);
    }
    flush();
    // "reasoning was provided without its required following item": what was thought, and led to nothing, cannot go back.
    while (this.#items.at(-1)?.["type"] === "reasoning") {
      this.#items.pop();
      this.#left.add("reasoning_content");
    }
  }

  /** Only thoughts with their seal go back: the answer that they were part of is stored nowhere. */
  #thought(part: Extract<Part, { type: "reasoning" | "redacted-reasoning" }>): void {
    const seal = part.type === "reasoning" ? part.signature : part.data;
    if (part.from !== "openai-responses" || seal === undefined) {
      this.#left.add("reasoning_content");
      return;
    }
    const text = part.type === "reasoning" ? part.text : "";
    const summary = text === "" ? [] : [{ type: "summary_text", text }];
    this.#items.push({ type: "reasoning", ...(part.id === undefined ? {} : { id: part.id }), summary, encrypted_content: seal });
  }

  #call(call: Call): Json {
    const call_id = this.#idOf(call.id);
    if (this.#context.deviations.functionToolsOnly === true) {
      const text = call.custom ? customArguments(call.arguments) : call.arguments;
      return { type: "function_call", call_id, name: wireToolName(call), arguments: text };
    }
    const named = { call_id, name: call.name, ...(call.namespace === undefined ? {} : { namespace: call.namespace }) };
    if (!call.custom) return { type: "function_call", ...named, arguments: call.arguments };
    this.#customCalls.add(call.id);
    return { type: "custom_tool_call", ...named, input: call.arguments };
  }

  #result(result: Result, at: string): void {
    if (result.isError === true) this.#left.add("is_error");
    const content = result.content.flatMap((part, index) => this.#content(part, `${at}.content[${index}]`));
    const type = this.#customCalls.has(result.callId) ? "custom_tool_call_output" : "function_call_output";
    const output = content.length === 0 ? "" : (textAlone(content, "input_text") ?? content);
    this.#items.push({ type, call_id: this.#idOf(result.callId), output });
  }

  #content(part: Part, at: string): Json[] {
    switch (part.type) {
      case "text":
        return part.text === "" ? [] : [{ type: "input_text", text: part.text }];
      case "refusal":
        return part.text === "" ? [] : [{ type: "input_text", text: part.text }];
      case "image":
        return [{ type: "input_image", ...placeOf(part.media, "image_url", "image_url"), detail: part.detail ?? "auto" }];
      case "file": {
        const name = part.name === undefined ? {} : { filename: part.name };
        return [{ type: "input_file", ...placeOf(part.media, "file_url", "file_data"), ...name }];
      }
      case "audio":
      case "reasoning":
      case "redacted-reasoning":
      case "tool-call":
      case "tool-result":
        return this.#refuse(at, `This provider does not take a part of type "${part.type}" here`) ?? [];
    }
  }

  #idOf(id: string): string {
    if (id.length <= CALL_ID_LENGTH_MAX) return id;
    const short = this.#shortIds.get(id) ?? `call_short_${this.#shortIds.size}`;
    this.#shortIds.set(id, short);
    return short;
  }
}

const refusalOf = (refusal: string): Json => ({ type: "refusal", refusal });

/** The text of a content that is one text. */
const textAlone = ([first, ...others]: readonly Json[], type: string): unknown =>
  others.length === 0 && first?.["type"] === type ? first["text"] : undefined;

/** `byAddress` and `byValue` are the members for an address and for the data itself. */
function placeOf(media: Media, byAddress: string, byValue: string): Json {
  if (media.kind === "id") return { file_id: media.id };
  return { [media.kind === "url" ? byAddress : byValue]: mediaUrl(media) };
}
