// What the tests of the Messages door share: events of any recording, and Anthropic's own client reading what we write.
import Anthropic from "@anthropic-ai/sdk";
import type { Message } from "@anthropic-ai/sdk/resources/messages/messages";
import type { ChatEvent } from "../../src/core/chat";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { AnswerContext, Dialect } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { openSse } from "../../src/wire/sse";
import { allRecordings, type Recording } from "../recordings/load";
import { answered, outcome } from "./anthropic-gemini-replay";
import { utf8 } from "./openai-chat-replay";

const DIALECTS: readonly Dialect[] = [openaiChat, openaiResponses, gemini, anthropicMessages];

export interface Answered {
  recording: Recording;
  events: ChatEvent[];
}

/** Every recorded answer that a dialect reads as one that was finished. */
export function allAnswers(): Answered[] {
  return DIALECTS.flatMap((dialect) =>
    allRecordings(undefined, dialect.name)
      .filter(({ status }) => status === 200)
      .flatMap((recording) => {
        const events = outcome(() => answered(dialect, recording));
        return Array.isArray(events) ? [{ recording, events }] : [];
      }),
  );
}

export const encodeStream = (events: readonly ChatEvent[], context: AnswerContext): string => {
  const encoder = anthropicMessages.openEncoder(context);
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
};

const client = (body: string | Uint8Array, type: string): Anthropic =>
  new Anthropic({
    apiKey: "key",
    maxRetries: 0,
    fetch: async () => new Response(body as BodyInit, { headers: { "content-type": type, "request-id": "req_1" } }),
  });

const QUESTION = { model: "m", max_tokens: 1, messages: [{ role: "user" as const, content: "Hi" }] };

/** The message that Anthropic's client puts together from a stream. Rejects as it does. */
export const readStream = (stream: string | Uint8Array): Promise<Message> =>
  client(stream, "text/event-stream").messages.stream(QUESTION).finalMessage();

/** The message that Anthropic's client reads in a whole answer. */
export const readWhole = (body: string | Uint8Array): Promise<Message> => client(body, "application/json").messages.create(QUESTION);

export interface StreamEvent {
  type: string;
  index?: number;
  [field: string]: unknown;
}

/** The events of a stream, as JSON. */
export const eventsOf = (stream: string): StreamEvent[] => {
  const framer = openSse({ maxFrameBytes: 1 << 24 });
  return [...framer.push(utf8(stream)), ...framer.end()].flatMap(({ data, event }) => {
    if (data === undefined) return [];
    const json = JSON.parse(data) as StreamEvent;
    if (json.type !== event) throw new Error(`The event ${event} says that it is ${json.type}`);
    return [json];
  });
};
