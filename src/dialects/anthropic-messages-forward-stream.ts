// A Messages stream goes through frame by frame. The model is spliced in `message_start`; the `message_delta` that ends the
// answer is held back until what follows it comes, so that it carries the last usage, the cost and our object.
import type { ChatEvent } from "../core/chat";
import { mergeUsage, type Usage } from "../core/usage";
import type { Frame } from "../wire/frame";
import { spliceFrame } from "../wire/sse-splice";
import { anthropicFrame, encodeAnthropicFailure } from "./anthropic-messages-answer";
import { openAnthropicStream } from "./anthropic-messages-decode";
import { stampEdits } from "./anthropic-messages-forward";
import type { AnswerContext, Deviations, FailureBody, StreamDecoder, StreamForwarder } from "./dialect";
import { type JsonObject, objectOf, parseJson } from "./provider-json";

interface Passed {
  bytes: readonly Uint8Array[];
  events: readonly ChatEvent[];
}

const NOTHING: Passed = { bytes: [], events: [] };

export class AnthropicForwarder implements StreamForwarder {
  readonly #context: AnswerContext;
  readonly #stream: StreamDecoder;
  #held: { frame: Frame; event: JsonObject } | undefined;
  #finished = false;
  #usage: Usage | undefined;

  constructor(context: AnswerContext, deviations: Deviations) {
    this.#context = context;
    this.#stream = openAnthropicStream(deviations);
  }

  get done(): boolean {
    return this.#stream.done;
  }

  push(frame: Frame): Passed {
    if (this.#stream.done) return NOTHING;
    const events = this.#stream.push(frame);
    for (const event of events) {
      if (event.type === "usage") this.#usage = mergeUsage(this.#usage, event.usage);
      else if (event.type === "finish") this.#finished = true;
    }
    if (this.#stream.done) return { bytes: [...this.#stampHeld(), frame.raw], events };
    return { bytes: this.#route(frame), events };
  }

  end(): Passed {
    if (this.#stream.done) return NOTHING;
    const events = this.#stream.end();
    // The provider ends with its connection; the caller's dialect has a last event.
    const last = new TextEncoder().encode(anthropicFrame("message_stop", '{"type":"message_stop"}'));
    return { bytes: [...this.#stampHeld(), last], events };
  }

  fail(failure: FailureBody): string {
    this.#held = undefined;
    return anthropicFrame("error", encodeAnthropicFailure(failure, this.#context.extensionName));
  }

  #route(frame: Frame): Uint8Array[] {
    const event = markedEvent(frame);
    if (event?.["type"] === "message_start") {
      const model = JSON.stringify(this.#context.model);
      return [spliceFrame(frame, [{ op: "within", name: "message", edits: [{ op: "set", name: "model", value: model }] }])];
    }
    if (event?.["type"] !== "message_delta") return [frame.raw];
    const before = this.#held ? [this.#held.frame.raw] : [];
    if (!this.#finished) return [...before, frame.raw];
    this.#held = { frame, event };
    return before;
  }

  #stampHeld(): Uint8Array[] {
    if (!this.#held) return [];
    const { frame, event } = this.#held;
    this.#held = undefined;
    return [spliceFrame(frame, stampEdits(event, this.#usage, this.#context))];
  }
}

/** The event of a frame that might be one of the two which are spliced: all others are not parsed again. */
function markedEvent({ data }: Frame): JsonObject | undefined {
  if (data === undefined || !(data.includes('"message_start"') || data.includes('"message_delta"'))) return undefined;
  return objectOf(parseJson(data));
}
