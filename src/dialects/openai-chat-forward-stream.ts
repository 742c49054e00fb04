// A Chat Completions stream goes through frame by frame. Once every choice has its finish reason, one data frame is held back
// until the usage is known (or the terminator comes), so that it can carry usage, cost and our object.
import type { ChatEvent } from "../core/chat";
import { mergeUsage, type Usage } from "../core/usage";
import type { Frame } from "../wire/frame";
import { dataSpan } from "../wire/sse";
import { rewritten, spliceFrame } from "../wire/sse-splice";
import type { AnswerContext, Deviations, FailureBody, StreamForwarder } from "./dialect";
import type { Conformer } from "./openai-chat-conform";
import { chunkHead, encodeOpenaiChatFailure, stampFields } from "./openai-chat-encode";
import { conformerOf, memberOf, stampEdits } from "./openai-chat-forward";
import { OpenaiChatStream, TERMINATOR } from "./openai-chat-stream";
import { itemsOf, type JsonObject, objectOf } from "./provider-json";

interface Held {
  frame: Frame;
  chunk: JsonObject;
}

interface Passed {
  bytes: readonly Uint8Array[];
  events: readonly ChatEvent[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NOTHING: Passed = { bytes: [], events: [] };

export class OpenaiChatForwarder implements StreamForwarder {
  readonly #context: AnswerContext;
  readonly #stream: OpenaiChatStream;
  readonly #model: ModelSplice;
  /** undefined: the provider keeps to the types, and nothing is looked at. */
  readonly #conformer: Conformer | undefined;
  #held: Held | undefined;
  /** The stamp is written: it is asked for once. */
  #stamped = false;
  #usage: Usage | undefined;
  /** The provider's usage object as it came, where its own chunk does not go out. */
  #usageText: string | undefined;
  #start: Extract<ChatEvent, { type: "start" }> = { type: "start" };

  constructor(context: AnswerContext, deviations: Deviations) {
    this.#context = context;
    this.#stream = new OpenaiChatStream(deviations);
    this.#model = new ModelSplice(context.model);
    this.#conformer = conformerOf("chat.completion.chunk", context, deviations);
  }

  get done(): boolean {
    return this.#stream.done;
  }

  push(frame: Frame): Passed {
    if (this.#stream.done) return NOTHING;
    const chunk = this.#stream.chunkOf(frame);
    if (this.#stream.done) return { bytes: [...this.#closing(), frame.raw], events: [] };
    // Comments keep a connection alive: they never wait.
    if (!chunk) return { bytes: [frame.raw], events: [] };
    const events = this.#stream.read(chunk);
    for (const event of events) this.#see(event);
    const text = this.#conformer?.apply(chunk, frame.data ?? "");
    return { bytes: text === undefined ? this.#route(frame, chunk) : this.#route(rewritten(frame, text), chunk), events };
  }

  end(): Passed {
    if (this.#stream.done) return NOTHING;
    const events = this.#stream.end();
    // The provider ends with its connection; the caller's dialect has a terminator.
    return { bytes: [...this.#closing(), encoder.encode(`data: ${TERMINATOR}\n\n`)], events };
  }

  fail(failure: FailureBody): string {
    this.#held = undefined;
    return `data: ${encodeOpenaiChatFailure(failure, this.#context.extensionName)}\n\n`;
  }

  #see(event: ChatEvent): void {
    if (event.type === "usage") this.#usage = mergeUsage(this.#usage, event.usage);
    else if (event.type === "start") this.#start = event;
  }

  #route(frame: Frame, chunk: JsonObject): Uint8Array[] {
    const { finished } = this.#stream;
    const tellsUsage = objectOf(chunk["usage"]) !== undefined;
    if (tellsUsage && itemsOf(chunk["choices"]).length === 0 && !this.#context.includeUsage) {
      this.#usageText = usageTextOf(frame);
      return finished ? this.#stampHeld() : [];
    }
    // The usage chunk goes last. OpenAI sends moderation results after it, and its own SDK, which believes the last chunk, would
    // lose the usage: they pass ahead. Of two frames with usage the later is the one that is stamped.
    if (!tellsUsage && objectOf(this.#held?.chunk["usage"])) return [this.#model.apply(frame)];
    const before = this.#releaseHeld();
    if (!finished || this.#stamped) return [...before, this.#model.apply(frame)];
    this.#held = { frame, chunk };
    return before;
  }

  /** The held frame as an ordinary one: it was not the last. */
  #releaseHeld(): Uint8Array[] {
    if (!this.#held) return [];
    const { frame } = this.#held;
    this.#held = undefined;
    return [this.#model.apply(frame)];
  }

  /** The held frame with the stamp: its usage is known now. */
  #stampHeld(): Uint8Array[] {
    if (!this.#held) return [];
    const { frame, chunk } = this.#held;
    this.#held = undefined;
    this.#stamped = true;
    const edits = stampEdits(chunk, this.#usage, this.#context, this.#usageText);
    if (chunk["model"] !== undefined && chunk["model"] !== this.#context.model) {
      edits.push({ op: "set", name: "model", value: JSON.stringify(this.#context.model) });
    }
    return [spliceFrame(frame, edits)];
  }

  /** What stands before the terminator. Where the caller asked for a usage chunk and the provider sent none, it is written here. */
  #closing(): Uint8Array[] {
    if (this.#stamped || !this.#held) return [];
    if (!this.#context.includeUsage || objectOf(this.#held.chunk["usage"])) return this.#stampHeld();
    const before = this.#releaseHeld();
    this.#stamped = true;
    const stamp = stampFields(this.#context.stamp(this.#usage), this.#usage, this.#context.extensionName);
    const tail = JSON.stringify({ choices: [], ...stamp }).slice(1);
    return [...before, encoder.encode(`data: ${chunkHead(this.#start, this.#context)},${tail}\n\n`)];
  }
}

function usageTextOf(frame: Frame): string | undefined {
  const bytes = encoder.encode(frame.data ?? "");
  const member = memberOf(bytes, "usage");
  return member && decoder.decode(bytes.subarray(member.valueStart, member.valueEnd));
}

/** Replaces `model` in chunk after chunk. Chunks of one stream begin alike, so the place found in one is tried in the next. */
class ModelSplice {
  readonly #model: string;
  readonly #value: Uint8Array;
  /** The bytes of the last spliced frame up to the end of `model`, and what they became. */
  #from: Uint8Array = new Uint8Array(0);
  #to: Uint8Array = new Uint8Array(0);

  constructor(model: string) {
    this.#model = JSON.stringify(model);
    this.#value = encoder.encode(this.#model);
  }

  apply(frame: Frame): Uint8Array {
    const { raw } = frame;
    // Equal bytes up to there are read alike, so the value stands at the same place.
    if (this.#from.length > 0 && startsWith(raw, this.#from)) return joined([this.#to, raw.subarray(this.#from.length)]);
    const span = dataSpan(raw);
    const json = span ? raw.subarray(span.start, span.end) : encoder.encode(frame.data ?? "");
    const member = memberOf(json, "model");
    if (!member || equal(json.subarray(member.valueStart, member.valueEnd), this.#value)) return raw;
    if (!span) return spliceFrame(frame, [{ op: "set", name: "model", value: this.#model }]);
    const start = span.start + member.valueStart;
    this.#from = raw.slice(0, span.start + member.valueEnd);
    this.#to = joined([raw.subarray(0, start), this.#value]);
    return joined([this.#to, raw.subarray(this.#from.length)]);
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  if (bytes.length < start.length) return false;
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && startsWith(a, b);

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
