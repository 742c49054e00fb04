// The kinds of output items that an answer is made of. Each tells its steps as they come and is whole at the end, so what was told
// and what the finished item holds cannot differ. https://platform.openai.com/docs/api-reference/responses-streaming
import type { ChatEvent, Media } from "../core/chat";
import { objectOf, parseJson, textOf } from "./provider-json";
import { sealOf } from "./sealed-envelope";

export type Json = Record<string, unknown>;
/** Told a stream's event: its type, and its fields but for the number that all events have. */
export type Emit = (type: string, fields: Json) => void;
export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** Where an item stands in the answer. */
export interface Place {
  id: string;
  index: number;
  emit: Emit;
}

export interface OutputItem {
  /** The item as it stands. */
  build(status: ItemStatus): Json;
  /** Tells what is told last about its content. `cut`: the answer ended in the middle of it. */
  close(cut: boolean): void;
  /** Nothing that belongs to it can follow, now that another item begins. */
  readonly isWhole: boolean;
}

interface Part {
  type: "text" | "refusal";
  /** Length of the answer's text before this part. */
  from: number;
  text: string[];
  length: number;
  logprobs: unknown[];
  annotations: Json[];
  citations: unknown[];
}

/** What the model says: parts of text and refusal. The last part is open. */
export class MessageItem implements OutputItem {
  readonly isWhole = true;
  readonly #place: Place;
  readonly #parts: Part[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  /** `from`: length of the answer's text before this piece. */
  say(type: Part["type"], text: string, logprobs: readonly unknown[], from: number): void {
    const part = this.#open(type, from);
    part.text.push(text);
    part.length += text.length;
    const entries = logprobs.map(logprobOf);
    part.logprobs.push(...entries);
    if (type === "text") this.#tell("response.output_text.delta", { delta: text, logprobs: entries });
    else this.#tell("response.refusal.delta", { delta: text });
  }

  /** Sources of the text. Those without an address have no kind here: they stand beside as the provider wrote them. */
  cite(annotations: readonly unknown[], from: number): void {
    const part = this.#open("text", from);
    for (const each of annotations) {
      const annotation = annotationOf(objectOf(each), part);
      if (!annotation) part.citations.push(each);
      else {
        this.#tell("response.output_text.annotation.added", { annotation_index: part.annotations.length, annotation });
        part.annotations.push(annotation);
      }
    }
  }

  build(status: ItemStatus): Json {
    return { type: "message", id: this.#place.id, status, role: "assistant", content: this.#parts.map(partOf) };
  }

  close(): void {
    const part = this.#parts.at(-1);
    if (!part) return;
    if (part.type === "text") this.#tell("response.output_text.done", { text: part.text.join(""), logprobs: part.logprobs });
    else this.#tell("response.refusal.done", { refusal: part.text.join("") });
    this.#tell("response.content_part.done", { part: partOf(part) });
  }

  #open(type: Part["type"], from: number): Part {
    const last = this.#parts.at(-1);
    if (last?.type === type) return last;
    this.close();
    const part: Part = { type, from, text: [], length: 0, logprobs: [], annotations: [], citations: [] };
    this.#parts.push(part);
    this.#tell("response.content_part.added", { part: partOf(part) });
    return part;
  }

  #tell(type: string, fields: Json): void {
    const { id, index, emit } = this.#place;
    emit(type, { item_id: id, output_index: index, content_index: this.#parts.length - 1, ...fields });
  }
}

function partOf(part: Part): Json {
  const text = part.text.join("");
  if (part.type === "refusal") return { type: "refusal", refusal: text };
  const { annotations, logprobs, citations } = part;
  return {
    type: "output_text",
    text,
    annotations: [...annotations],
    logprobs: [...logprobs],
    ...(citations.length > 0 ? { citations } : {}),
  };
}

/** The kinds of OpenAI's own that are flat already. */
const FLAT: ReadonlySet<unknown> = new Set(["file_citation", "container_file_citation", "file_path"]);

/**
 * Chat Completions nests a citation and counts its place from the start of all text; here it is flat and counts from its part's.
 * One of an earlier part is told at this one's beginning, one without a place stands for the whole part.
 */
function annotationOf(said: Json | undefined, part: Part): Json | undefined {
  if (FLAT.has(said?.["type"])) return said;
  const citation = objectOf(said?.["url_citation"]) ?? said;
  const url = textOf(citation?.["url"]);
  if (said?.["type"] !== "url_citation" || url === undefined) return undefined;
  const placeOf = (value: unknown, unsaid: number): number => (typeof value === "number" ? Math.max(0, value - part.from) : unsaid);
  return {
    // What providers tell beside it (the words quoted, a date, a score) goes along.
    ...citation,
    type: "url_citation",
    url,
    title: textOf(citation?.["title"]) ?? url,
    start_index: placeOf(citation?.["start_index"], 0),
    end_index: placeOf(citation?.["end_index"], part.length),
  };
}

/** Some providers give the token's text only; here its bytes are always there. */
function logprobOf(entry: unknown): unknown {
  const said = objectOf(entry);
  if (!said) return entry;
  const bytesOf = (token: Json): unknown => token["bytes"] ?? [...new TextEncoder().encode(textOf(token["token"]) ?? "")];
  const tops = Array.isArray(said["top_logprobs"]) ? said["top_logprobs"].map(logprobOf) : undefined;
  return { ...said, bytes: bytesOf(said), ...(tops ? { top_logprobs: tops } : {}) };
}

type ThoughtEvent = Extract<ChatEvent, { type: "reasoning" | "redacted-reasoning" }>;

/** One block of thinking. Another dialect's carries what that dialect wants back in `encrypted_content`, signed or not. */
export class ReasoningItem implements OutputItem {
  readonly isWhole = true;
  readonly #place: Place;
  readonly #first: ThoughtEvent;
  readonly #text: string[] = [];
  #signature: string | undefined;

  constructor(place: Place, first: ThoughtEvent) {
    this.#place = place;
    this.#first = first;
  }

  /** Whether the event is of this block. A seal closes it. */
  goesOnWith(event: ThoughtEvent): boolean {
    const { type, block, from } = this.#first;
    return type === "reasoning" && this.#signature === undefined && event.type === type && event.block === block && event.from === from;
  }

  add(event: ThoughtEvent): void {
    if (event.type === "redacted-reasoning") return;
    if (event.text !== "") {
      if (this.#text.length === 0) this.#tell("response.reasoning_summary_part.added", { part: { type: "summary_text", text: "" } });
      this.#text.push(event.text);
      this.#tell("response.reasoning_summary_text.delta", { delta: event.text });
    }
    this.#signature = event.signature ?? this.#signature;
  }

  build(status: ItemStatus): Json {
    const summary = this.#text.length > 0 ? [{ type: "summary_text", text: this.#text.join("") }] : [];
    const sealed = status === "in_progress" ? undefined : this.#sealed();
    return { type: "reasoning", id: this.#place.id, summary, ...(sealed === undefined ? {} : { encrypted_content: sealed }) };
  }

  close(): void {
    if (this.#text.length === 0) return;
    const text = this.#text.join("");
    this.#tell("response.reasoning_summary_text.done", { text });
    this.#tell("response.reasoning_summary_part.done", { part: { type: "summary_text", text } });
  }

  #sealed(): string | undefined {
    const { from, id } = this.#first;
    const data = this.#first.type === "redacted-reasoning" ? this.#first.data : undefined;
    if (from === "openai-responses") return data ?? this.#signature;
    return sealOf({ from, signature: this.#signature, data, id });
  }

  #tell(type: string, fields: Json): void {
    const { id, index, emit } = this.#place;
    emit(type, { item_id: id, output_index: index, summary_index: 0, ...fields });
  }
}

/** The seal of the tool call that follows, which has no place for it: clients send thoughts back as they came. */
export class CallSealItem implements OutputItem {
  readonly isWhole = true;
  readonly #id: string;
  readonly #sealed: string;

  constructor(place: Place, call: string, signature: string) {
    this.#id = place.id;
    this.#sealed = sealOf({ from: "gemini", signature, call });
  }

  build(status: ItemStatus): Json {
    return { type: "reasoning", id: this.#id, summary: [], ...(status === "in_progress" ? {} : { encrypted_content: this.#sealed }) };
  }

  close(): void {}
}

type CallEvent = Extract<ChatEvent, { type: "tool-call" }>;

/** A call of the caller's tool. Pieces of several calls may come by turns, so one is whole only when its arguments are. */
export class CallItem implements OutputItem {
  readonly #place: Place;
  readonly #call: CallEvent;
  readonly #text: string[] = [];

  constructor(place: Place, call: CallEvent) {
    this.#place = place;
    this.#call = call;
  }

  get isWhole(): boolean {
    return !this.#call.custom && objectOf(parseJson(this.#text.join(""))) !== undefined;
  }

  say(text: string): void {
    this.#text.push(text);
    this.#tell(this.#call.custom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta", { delta: text });
  }

  build(status: ItemStatus): Json {
    const { id: callId, name, namespace, custom } = this.#call;
    const text = this.#text.join("");
    return {
      type: custom ? "custom_tool_call" : "function_call",
      id: this.#place.id,
      status,
      call_id: callId,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(custom ? { input: text } : { arguments: text }),
    };
  }

  close(cut: boolean): void {
    const { custom, name } = this.#call;
    // Some providers write nothing for a tool without parameters, and callers parse the arguments as JSON.
    if (!custom && !cut && this.#text.join("") === "") this.say("{}");
    const text = this.#text.join("");
    if (custom) this.#tell("response.custom_tool_call_input.done", { input: text });
    else this.#tell("response.function_call_arguments.done", { name, arguments: text });
  }

  #tell(type: string, fields: Json): void {
    const { id, index, emit } = this.#place;
    emit(type, { item_id: id, output_index: index, ...fields });
  }
}

/** An image that the model made. One by address has no place for its data. */
export class ImageItem implements OutputItem {
  readonly isWhole = true;
  readonly #place: Place;
  readonly #media: Media;

  constructor(place: Place, media: Media) {
    this.#place = place;
    this.#media = media;
  }

  build(status: ItemStatus): Json {
    const { id } = this.#place;
    if (status === "in_progress") return { type: "image_generation_call", id, status, result: null };
    return { type: "image_generation_call", id, status: "completed", ...this.#image() };
  }

  close(): void {
    const { id, index, emit } = this.#place;
    emit("response.image_generation_call.completed", { output_index: index, item_id: id });
  }

  #image(): Json {
    switch (this.#media.kind) {
      case "base64":
        return { result: this.#media.data, output_format: this.#media.mediaType.replace(/^image\//, "") };
      case "url":
        return { result: null, url: this.#media.url };
      case "id":
        return { result: null, file_id: this.#media.id };
    }
  }
}
