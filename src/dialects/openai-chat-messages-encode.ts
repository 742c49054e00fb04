// The neutral conversation → Chat Completions messages. A tool's result is a message of its own, of text only: pictures and files
// in it follow in a user's message, as soon as one may stand there.
import type { Message, Part } from "../core/chat";
import type { EncodeContext } from "./dialect";
import { textOfFile } from "./file-text";
import { callIdFor } from "./openai-chat-call-ids";
import { encodeCall, mediaUrl } from "./openai-chat-message";
import { encodeReasoning } from "./openai-chat-reasoning";
import { itemsOf, objectOf } from "./provider-json";
import type { Refuse } from "./refusal";
import { customArguments, wireToolName } from "./tool-names";

type Json = Record<string, unknown>;
type Call = Extract<Part, { type: "tool-call" }>;
type Result = Extract<Part, { type: "tool-result" }>;

/** What an assistant says between a tool's result and a user who goes on, for providers that want one to. */
export const BETWEEN_TURNS: Readonly<Json> = { role: "assistant", content: "OK" };

const MEDIA: ReadonlySet<Part["type"]> = new Set(["image", "file", "audio"]);

/** One request's messages. `left` collects the names of what is left out. */
export class MessageWriter {
  readonly #context: EncodeContext;
  readonly #left: Set<string>;
  readonly #refuse: Refuse;
  /** What may not stand in a message and follows it, by the message. */
  readonly #behind = new Map<Json, Json[]>();

  constructor(context: EncodeContext, left: Set<string>, refuse: Refuse) {
    this.#context = context;
    this.#left = left;
    this.#refuse = refuse;
  }

  /** The messages one for one, but for results of tools, which are messages of their own whatever message they came in. */
  write(messages: readonly Message[]): Json[] {
    return messages.flatMap((message, index) => this.#message(message, `messages[${index}]`));
  }

  /** The messages in the order in which the provider takes them. Called when whatever has a path among them is in its place. */
  arrange(messages: readonly Json[]): Json[] {
    const arranged: Json[] = [];
    let waiting: Json[] = [];
    const add = (message: Json): void => {
      const before = arranged.at(-1);
      if (this.#context.deviations.noUserAfterTool && message["role"] === "user" && before?.["role"] === "tool")
        arranged.push(BETWEEN_TURNS);
      arranged.push(message);
    };
    const release = (): void => {
      if (waiting.length > 0) add({ role: "user", content: waiting });
      waiting = [];
    };
    for (const message of resultsBehindCalls(messages)) {
      if (message["role"] !== "tool") release();
      if (!isEmptyTurn(message)) add(message);
      waiting.push(...(this.#behind.get(message) ?? []));
    }
    release();
    return arranged;
  }

  #message(message: Message, at: string): Json[] {
    const results = message.parts.filter((part): part is Result => part.type === "tool-result");
    const others = message.parts.filter((part) => part.type !== "tool-result");
    const encoded = results.map((result) => this.#result(result, at));
    if (others.length === 0 && results.length > 0) return encoded;
    const name = message.name === undefined ? {} : this.#named(message.name);
    const role = message.role === "developer" ? (this.#context.deviations.developerRole ?? message.role) : message.role;
    if (role === "assistant") encoded.push(this.#assistant(others, name, at));
    else encoded.push({ role, ...name, content: this.#content(others, `${at}.content`) ?? "" });
    return encoded;
  }

  #named(name: string): Json {
    if (!this.#context.deviations.strictMessages) return { name };
    this.#left.add("messages.name");
    return {};
  }

  #result(result: Result, at: string): Json {
    if (result.isError) this.#left.add("is_error");
    const id = callIdFor(result.callId, this.#context.deviations);
    const media = result.content.filter(({ type }) => MEDIA.has(type));
    const said = result.content.filter(({ type }) => !MEDIA.has(type));
    const behind = this.#parts(media, `${at}.content`);
    const content = this.#content(said, `${at}.content`) ?? (behind.length > 0 ? `See the attachments of ${id}.` : "");
    const message: Json = { role: "tool", tool_call_id: id, content };
    if (behind.length > 0) this.#behind.set(message, [{ type: "text", text: `Attachments of ${id}:` }, ...behind]);
    return message;
  }

  #assistant(parts: readonly Part[], name: Json, at: string): Json {
    const { deviations } = this.#context;
    const said = parts.filter((part) => part.type === "text");
    const message: Json = { role: "assistant", ...name, content: this.#content(said, `${at}.content`) ?? null };
    const refusal = parts.flatMap((part) => (part.type === "refusal" ? [part.text] : []));
    if (refusal.length > 0 && !deviations.strictMessages) message["refusal"] = refusal.join("");
    else if (refusal.length > 0) message["content"] = [...(said.length > 0 ? said.map((part) => part.text) : []), ...refusal].join("\n");
    Object.assign(message, this.#reasoning(parts));
    const heard = parts.find((part) => part.type === "audio" && part.media.kind === "id");
    if (heard?.type === "audio" && heard.media.kind === "id") message["audio"] = { id: heard.media.id };
    const calls = parts.filter((part): part is Call => part.type === "tool-call");
    if (calls.length > 0) message["tool_calls"] = calls.map((call) => this.#call(call));
    const behind = this.#parts(
      parts.filter((part) => MEDIA.has(part.type) && part !== heard),
      `${at}.content`,
    );
    if (behind.length > 0) this.#behind.set(message, [{ type: "text", text: "Attachments of the assistant's message:" }, ...behind]);
    return message;
  }

  #reasoning(parts: readonly Part[]): Json {
    const { takesReasoning, reasoningDetails, reasoningField = "reasoning_content" } = this.#context.deviations;
    const { reasoning_details: details, ...text } = encodeReasoning(parts, reasoningField);
    if (!takesReasoning && reasoningField in text) this.#left.add("reasoning_content");
    if (!(takesReasoning && reasoningDetails) && details !== undefined) this.#left.add("reasoning_details");
    if (!takesReasoning) return {};
    return reasoningDetails && details !== undefined ? { ...text, reasoning_details: details } : text;
  }

  #call(call: Call): Json {
    const { deviations } = this.#context;
    const asFunction = call.custom === true && deviations.functionToolsOnly === true;
    const written = {
      ...call,
      id: callIdFor(call.id, deviations),
      name: wireToolName(call),
      custom: asFunction ? undefined : call.custom,
      signature: deviations.takesReasoning && deviations.reasoningDetails ? call.signature : undefined,
    };
    return encodeCall(written, [asFunction ? customArguments(call.arguments) : call.arguments]);
  }

  /** One text is a string; anything more is a list. undefined: nothing is said. */
  #content(parts: readonly Part[], at: string): string | Json[] | undefined {
    const encoded = this.#parts(parts, at);
    const [first] = encoded;
    if (!first) return undefined;
    return encoded.length === 1 && first["type"] === "text" && Object.keys(first).length === 2 ? (first["text"] as string) : encoded;
  }

  #parts(parts: readonly Part[], at: string): Json[] {
    return parts.flatMap((part, index): Json[] => {
      const encoded = this.#part(part, `${at}[${index}]`);
      return encoded ? [encoded] : [];
    });
  }

  #part(part: Part, at: string): Json | undefined {
    switch (part.type) {
      case "text":
        return { type: "text", text: part.text, ...this.#mark(part) };
      case "refusal":
        return { type: "refusal", refusal: part.text };
      case "image":
        if (part.media.kind === "id") return this.#refuse(at, "The provider of this model does not take an image by file id");
        return {
          type: "image_url",
          image_url: { url: mediaUrl(part.media), ...(part.detail === undefined ? {} : { detail: part.detail }) },
          ...this.#mark(part),
        };
      case "audio":
        if (part.media.kind !== "base64") return this.#refuse(at, "The provider of this model does not take audio by address");
        return {
          type: "input_audio",
          input_audio: { data: part.media.data, format: part.format ?? part.media.mediaType.replace(/^audio\//, "") },
        };
      case "file":
        return this.#file(part, at);
      case "reasoning":
      case "redacted-reasoning":
      case "tool-call":
      case "tool-result":
        return this.#refuse(at, `The provider of this model does not take a ${part.type} in this message`);
    }
  }

  /** Files are PDFs here: a file of text is text. */
  #file(part: Extract<Part, { type: "file" }>, at: string): Json | undefined {
    const name = part.name === undefined ? {} : { filename: part.name };
    if (part.media.kind === "id") return { type: "file", file: { ...name, file_id: part.media.id } };
    const text = textOfFile(part, at);
    if (text !== undefined) return { type: "text", text: part.name === undefined ? text : `${part.name}:\n${text}`, ...this.#mark(part) };
    if (part.media.kind === "url") return this.#refuse(`${at}.file`, "The provider of this model takes no file by its address");
    return { type: "file", file: { ...name, file_data: mediaUrl(part.media) }, ...this.#mark(part) };
  }

  #mark({ cache }: { cache?: "5m" | "1h" | undefined }): Json {
    return cache === undefined || !this.#context.deviations.takesCacheMarks ? {} : { cache_control: cacheMark(cache) };
  }
}

/** Results stand right behind the turn that called for them: callers of Responses may say something in between. */
function resultsBehindCalls(messages: readonly Json[]): readonly Json[] {
  const moved = new Set<Json>();
  const ordered = messages.flatMap((message, index): Json[] => {
    if (moved.has(message)) return [];
    const ids = new Set(itemsOf(message["tool_calls"]).map((call) => objectOf(call)?.["id"]));
    if (ids.size === 0) return [message];
    const results = messages.slice(index + 1).filter((other) => other["role"] === "tool" && ids.delete(other["tool_call_id"]));
    for (const result of results) moved.add(result);
    return [message, ...results];
  });
  return ordered;
}

/** An assistant's turn of nothing but thoughts that the provider does not read: refused everywhere. */
const isEmptyTurn = (message: Json): boolean =>
  message["role"] === "assistant" && message["content"] === null && Object.keys(message).length === 2;

export const cacheMark = (cache: "5m" | "1h"): Json => (cache === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" });
