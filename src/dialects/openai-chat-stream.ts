// A Chat Completions stream → events. It is over when every choice has its finish reason and the terminator was read; a
// stream that just ends is truncated, whatever its last chunk said.
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import type { Frame } from "../wire/frame";
import type { Deviations, StreamDecoder } from "./dialect";
import { AnswerReader, parseAnswer } from "./openai-chat-answer";
import { failureInAnswer } from "./openai-chat-error";
import type { JsonObject } from "./provider-json";

export const TERMINATOR = "[DONE]";

export class OpenaiChatStream implements StreamDecoder {
  readonly #reader: AnswerReader;
  readonly #endsWithConnection: boolean;
  #done = false;

  constructor(deviations: Deviations) {
    this.#reader = new AnswerReader(deviations);
    this.#endsWithConnection = deviations.terminator === "eof";
  }

  get done(): boolean {
    return this.#done;
  }

  /** Choices were seen, and each has its finish reason: what still comes is about the whole answer. */
  get finished(): boolean {
    return this.#reader.finished;
  }

  push(frame: Frame): ChatEvent[] {
    const chunk = this.chunkOf(frame);
    return chunk ? this.read(chunk) : [];
  }

  /** The frame's JSON; undefined where it has none: a comment, the terminator, anything after it. */
  chunkOf(frame: Frame): JsonObject | undefined {
    const { data } = frame;
    if (this.#done || data === undefined || data === "") return undefined;
    if (data.length < 16 && data.trim() === TERMINATOR) {
      this.#checkFinished();
      this.#done = true;
      return undefined;
    }
    const chunk = parseAnswer(data);
    if (frame.event === "error") throw failureInAnswer(chunk);
    return chunk;
  }

  read(chunk: JsonObject): ChatEvent[] {
    return this.#reader.read(chunk);
  }

  end(): ChatEvent[] {
    if (this.#done) return [];
    this.#checkFinished();
    if (!this.#endsWithConnection) throw new Failure("stream_truncated", "The provider ended the stream before its terminator");
    return [];
  }

  #checkFinished(): void {
    if (!this.#reader.finished) throw new Failure("stream_truncated", "The provider ended the stream before a finish reason");
  }
}
