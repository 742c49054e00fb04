// What the tests of the Responses API's answers share: recordings read and forwarded.
import type { ChatEvent } from "../../src/core/chat";
import type { AnswerContext } from "../../src/dialects/dialect";
import { decodeResponsesAnswer } from "../../src/dialects/openai-responses-answer";
import { ResponsesForwarder } from "../../src/dialects/openai-responses-forward-stream";
import { ResponsesStream } from "../../src/dialects/openai-responses-stream";
import type { Frame } from "../../src/wire/frame";
import { openSse } from "../../src/wire/sse";
import { allRecordings, type Recording } from "../recordings/load";
import { merged, text } from "./openai-chat-replay";

export function framesOf(pieces: readonly Uint8Array[]): Frame[] {
  const framer = openSse({ maxFrameBytes: 16 * 1024 * 1024 });
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
}

/** A whole stream's events; `pieces` are its bytes in order. */
export function decodeStream(...pieces: Uint8Array[]): ChatEvent[] {
  const stream = new ResponsesStream({});
  const events = framesOf(pieces).flatMap((frame) => stream.push(frame));
  return [...events, ...stream.end()];
}

export const decode = (recording: Recording): ChatEvent[] =>
  recording.stream ? decodeStream(recording.body) : decodeResponsesAnswer(text(recording.body));

/** Answers that end as answers, of every provider and of our own set. */
export const answers = (stream?: boolean): readonly Recording[] =>
  allRecordings(undefined, "openai-responses").filter(
    (each) => each.status === 200 && !each.id.includes("midstream-error") && (stream === undefined || each.stream === stream),
  );

/** The JSON of every frame that has some. */
export const jsonOf = (stream: Uint8Array): Record<string, unknown>[] =>
  framesOf([stream]).flatMap(({ data }) => (data?.startsWith("{") ? [JSON.parse(data)] : []));

/** The answer as a stream's last event holds it. */
export const lastResponse = (stream: Uint8Array): Record<string, unknown> => jsonOf(stream).at(-1)?.["response"] as Record<string, unknown>;

/** Events to compare: texts in one piece each, sources in one list. */
export function plain(events: readonly ChatEvent[]): ChatEvent[] {
  const result: ChatEvent[] = [];
  for (const event of merged(events)) {
    const before = result.at(-1);
    if (event.type === "annotations" && before?.type === "annotations")
      result[result.length - 1] = { ...before, annotations: [...before.annotations, ...event.annotations] };
    else result.push(event);
  }
  return result;
}

/** Events as text, amounts too. */
export const said = (events: readonly ChatEvent[]): string =>
  JSON.stringify(events, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

/** A stream through the forwarder; `bytes` are its pieces in order. */
export function forward(bytes: readonly Uint8Array[], context: AnswerContext): { text: string; events: ChatEvent[] } {
  const forwarder = new ResponsesForwarder(context, {});
  const out: Uint8Array[] = [];
  const events: ChatEvent[] = [];
  for (const frame of framesOf(bytes)) {
    const step = forwarder.push(frame);
    out.push(...step.bytes);
    events.push(...step.events);
  }
  const last = forwarder.end();
  return { text: text(Buffer.concat([...out, ...last.bytes])), events: [...events, ...last.events] };
}
