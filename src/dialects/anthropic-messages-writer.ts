// Events → the content blocks of a Messages answer, as the steps of a stream. A whole answer is put together from the same
// steps. Blocks never interleave: what belongs to a later block waits until the one before it is closed.
// https://platform.claude.com/docs/en/build-with-claude/streaming
import type { ChatEvent, DialectName, SpokenEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { toolUseId } from "./anthropic-messages-blocks";
import { mediaUrl } from "./openai-chat-message";
import { type JsonObject, objectOf, textOf } from "./provider-json";
import { type Seal, sealOf } from "./sealed-envelope";
import { customArguments } from "./tool-names";

export type BlockStep =
  | { type: "content_block_start"; index: number; content_block: JsonObject }
  | { type: "content_block_delta"; index: number; delta: JsonObject }
  | { type: "content_block_stop"; index: number };

type Of<T extends ChatEvent["type"]> = Extract<ChatEvent, { type: T }>;
type CallEvent = Of<"tool-call">;

type Open =
  | { kind: "text" }
  | { kind: "thinking"; block: number; from: DialectName; id: string | undefined; sealed: boolean }
  | { kind: "call"; call: number; json: JsonEnd };

interface Waiting {
  event: CallEvent;
  text: string;
}

const FROM = "anthropic-messages" as const;

export class BlockWriter {
  #index = -1;
  #open: Open | undefined;
  /** Calls that were begun while another was open, in order; and those of free text, which is known only at the end. */
  readonly #waiting = new Map<number, Waiting>();
  /** A seal of what was said just now, without a text of its own: sources of the same text may follow it. */
  #seal: Of<"reasoning"> | undefined;
  /** Sources that were told before the text that they are for. */
  readonly #sources: unknown[] = [];
  #calls = 0;
  #refused = false;

  /** The answer holds a tool call. */
  get called(): boolean {
    return this.#calls > 0;
  }

  get refused(): boolean {
    return this.#refused;
  }

  /** Steps of the first choice; other choices cannot be asked for. */
  push(event: Exclude<SpokenEvent, { type: "start" | "usage" | "finish" }>): BlockStep[] {
    const steps: BlockStep[] = [];
    if (event.choice !== 0) return steps;
    switch (event.type) {
      case "text":
        this.#text(event.text, steps);
        break;
      case "refusal":
        this.#refused = true;
        this.#text(event.text, steps);
        break;
      case "reasoning":
        this.#reason(event, steps);
        break;
      case "redacted-reasoning":
        this.#redacted(event, steps);
        break;
      case "tool-call":
        this.#call(event, steps);
        break;
      case "tool-arguments":
        this.#arguments(event, steps);
        break;
      case "annotations":
        this.#cite(event.annotations, steps);
        break;
      case "audio":
        // Speech cannot be asked for at this door; what it says can be read.
        this.#text(textOf(event.audio["transcript"]) ?? "", steps);
        break;
      case "image":
        // Messages has no block for an image that the model made.
        this.#text(`![image](${mediaUrl(event.media)})`, steps);
        break;
    }
    return steps;
  }

  /** The answer is over: what is open is closed, and what waited is written. */
  end(): BlockStep[] {
    const steps: BlockStep[] = [];
    this.#settle(steps);
    return steps;
  }

  #text(text: string, steps: BlockStep[]): void {
    if (text === "") return;
    if (this.#open?.kind !== "text" || this.#seal) {
      this.#settle(steps);
      this.#start({ kind: "text" }, { type: "text", text: "" }, steps);
    }
    this.#delta({ type: "text_delta", text }, steps);
    if (this.#sources.length > 0) this.#cite(this.#sources.splice(0), steps);
  }

  #reason(event: Of<"reasoning">, steps: BlockStep[]): void {
    if (event.text === "" && event.signature === undefined && event.id === undefined) return;
    const open = this.#open;
    if (event.text === "" && open?.kind === "text" && !this.#seal) {
      this.#seal = event;
      return;
    }
    const goesOn = open?.kind === "thinking" && !open.sealed && open.block === event.block && open.from === event.from;
    if (!goesOn || this.#seal) {
      this.#settle(steps);
      this.#think(event, steps);
    }
    this.#thought(event, steps);
  }

  #think({ block, from, id }: { block: number; from: DialectName; id?: string | undefined }, steps: BlockStep[]): void {
    const start = { type: "thinking", thinking: "", signature: "" };
    this.#start({ kind: "thinking", block, from, id, sealed: false }, start, steps);
  }

  #thought({ text, signature, from, id }: Of<"reasoning">, steps: BlockStep[]): void {
    if (this.#open?.kind !== "thinking") return;
    this.#open.id ??= id;
    if (text !== "") this.#delta({ type: "thinking_delta", thinking: text }, steps);
    if (signature === undefined) return;
    if (from === FROM) this.#sign(signature, steps);
    else this.#sign(sealOf({ from, signature, id: this.#open.id }), steps);
  }

  #sign(signature: string, steps: BlockStep[]): void {
    if (this.#open?.kind === "thinking") this.#open.sealed = true;
    this.#delta({ type: "signature_delta", signature }, steps);
  }

  #redacted({ data, from, id }: Of<"redacted-reasoning">, steps: BlockStep[]): void {
    this.#settle(steps);
    const sealed = from === FROM ? data : sealOf({ from, data, id });
    steps.push(
      { type: "content_block_start", index: ++this.#index, content_block: { type: "redacted_thinking", data: sealed } },
      { type: "content_block_stop", index: this.#index },
    );
  }

  #call(event: CallEvent, steps: BlockStep[]): void {
    this.#calls++;
    const open = this.#open;
    const busy = open?.kind === "call" && !open.json.reached;
    if (event.custom || busy || this.#waiting.size > 0) this.#waiting.set(event.index, { event, text: "" });
    else this.#openCall(event, steps);
  }

  /**
   * The seal of a call (Gemini's) goes in front of it, in the envelope of a thinking block: clients send those back as they came,
   * and ids must stay short.
   */
  #openCall(event: CallEvent, steps: BlockStep[]): void {
    const { signature } = event;
    const id = toolUseId(event.id);
    if (signature !== undefined) {
      const open = this.#seal ? undefined : this.#open;
      if (open?.kind !== "thinking" || open.sealed || open.from !== "gemini") {
        this.#close(steps);
        this.#think({ block: -1, from: "gemini" }, steps);
      }
      this.#sign(sealOf({ from: "gemini", signature, call: event.id }), steps);
    }
    this.#close(steps);
    const start = { type: "tool_use", id, name: event.name, input: {} };
    this.#start({ kind: "call", call: event.index, json: new JsonEnd() }, start, steps);
  }

  #arguments({ index, text }: Of<"tool-arguments">, steps: BlockStep[]): void {
    const waiting = this.#waiting.get(index);
    const open = this.#open;
    if (waiting) waiting.text += text;
    else if (open?.kind === "call" && open.call === index) this.#argue(open.json, text, steps);
    else throw new Failure("upstream_error", "The provider went on with a tool call that it had left");
    if (open?.kind === "call" && open.json.reached) this.#next(steps);
  }

  #argue(json: JsonEnd, text: string, steps: BlockStep[]): void {
    if (text === "") return;
    json.read(text);
    this.#delta({ type: "input_json_delta", partial_json: text }, steps);
  }

  /** Opens the calls that waited, up to the first whose arguments are not whole yet. */
  #next(steps: BlockStep[]): void {
    for (const [index, { event, text }] of this.#waiting) {
      if (event.custom || (this.#open?.kind === "call" && !this.#open.json.reached)) return;
      this.#waiting.delete(index);
      this.#openCall(event, steps);
      if (this.#open?.kind === "call") this.#argue(this.#open.json, text, steps);
    }
  }

  /** Something else comes: nothing waits any longer. */
  #settle(steps: BlockStep[]): void {
    for (const [, { event, text }] of this.#waiting) {
      this.#openCall(event, steps);
      if (this.#open?.kind === "call") this.#argue(this.#open.json, event.custom ? customArguments(text) : text, steps);
    }
    this.#waiting.clear();
    this.#close(steps);
  }

  #start(open: Open, block: JsonObject, steps: BlockStep[]): void {
    this.#open = open;
    steps.push({ type: "content_block_start", index: ++this.#index, content_block: block });
  }

  #delta(delta: JsonObject, steps: BlockStep[]): void {
    steps.push({ type: "content_block_delta", index: this.#index, delta });
  }

  /** A thought without Anthropic's seal says in its place whose it is: clients send back only thoughts that have one. */
  #close(steps: BlockStep[]): void {
    const open = this.#open;
    if (open) {
      if (open.kind === "thinking" && !open.sealed) this.#sign(sealOf(unsealed(open)), steps);
      steps.push({ type: "content_block_stop", index: this.#index });
      this.#open = undefined;
    }
    const seal = this.#seal;
    if (!seal) return;
    this.#seal = undefined;
    this.#think(seal, steps);
    this.#thought(seal, steps);
    this.#close(steps);
  }

  #cite(annotations: readonly unknown[], steps: BlockStep[]): void {
    // A citation stands in a block of text: one that is told before any text waits for it, and after the last there is no place.
    if (this.#open?.kind !== "text") {
      this.#sources.push(...annotations);
      return;
    }
    for (const annotation of annotations) {
      const citation = citationOf(annotation);
      if (citation) this.#delta({ type: "citations_delta", citation }, steps);
    }
  }
}

const unsealed = ({ from, id }: { from: DialectName; id: string | undefined }): Seal => ({ from, id });

/** Anthropic's own, or an address as a search of Anthropic's would cite it. Other forms are none that a client could read. */
function citationOf(annotation: unknown): JsonObject | undefined {
  const said = objectOf(annotation);
  if ((textOf(said?.["type"]) ?? "").endsWith("_location")) return said;
  const cited = objectOf(said?.["url_citation"]);
  const url = textOf(cited?.["url"]);
  if (url === undefined) return undefined;
  const title = textOf(cited?.["title"]) ?? null;
  return { type: "web_search_result_location", cited_text: "", encrypted_index: "", title, url };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Tells when the pieces of a JSON object are whole, so that the next call need not wait for the end of the answer. */
class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #reached = false;

  get reached(): boolean {
    return this.#reached;
  }

  read(text: string): void {
    for (let i = 0; i < text.length && !this.#reached; i++) {
      const code = text.charCodeAt(i);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) this.#inString = false;
      } else if (code === QUOTE) this.#inString = true;
      else if (code === 0x7b || code === 0x5b) this.#depth++;
      else if (code === 0x7d || code === 0x5d) this.#reached = --this.#depth <= 0;
    }
  }
}
