// A Responses stream → events. `response.completed` and `response.incomplete` end it; OpenAI sends no [DONE], and what others
// send after is dropped. A stream that just ends is truncated.
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import type { Frame } from "../wire/frame";
import type { Deviations, StreamDecoder } from "./dialect";
import { ResponsesReader } from "./openai-responses-answer";
import { failureInResponse } from "./openai-responses-error";
import { type JsonObject, objectOf, parseJson } from "./provider-json";

const DONE = "[DONE]";

export class ResponsesStream implements StreamDecoder {
  readonly #reader: ResponsesReader;

  /** No departure of a provider's changes how its stream is read: its last event is its end, whatever else it sends. */
  constructor(_deviations: Deviations) {
    this.#reader = new ResponsesReader();
  }

  get done(): boolean {
    return this.#reader.finished;
  }

  push(frame: Frame): ChatEvent[] {
    const event = this.eventOf(frame);
    return event ? this.read(event) : [];
  }

  /** The frame's JSON; undefined where it has none: a comment, or anything after the end. */
  eventOf(frame: Frame): JsonObject | undefined {
    const { data } = frame;
    if (this.done || data === undefined || data === "") return undefined;
    if (data.length < 16 && data.trim() === DONE) throw truncated();
    const event = objectOf(parseJson(data));
    if (!event) throw new Failure("upstream_error", "The provider's stream holds something that is not JSON");
    // Some providers say that they failed as Chat Completions does: without a type.
    const error = objectOf(event["error"]);
    if (error) throw failureInResponse(error);
    if (frame.event === "error") throw failureInResponse(event);
    return event;
  }

  read(event: JsonObject): ChatEvent[] {
    return this.#reader.read(event);
  }

  end(): ChatEvent[] {
    if (!this.done) throw truncated();
    return [];
  }
}

const truncated = (): Failure => new Failure("stream_truncated", "The provider ended the stream before its last event");
