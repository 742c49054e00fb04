// What the tests of the Chat Completions dialect share: reading recordings, contexts with a known stamp, OpenAI's schema.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import type { ChatEvent } from "../../src/core/chat";
import { Failure } from "../../src/core/failure";
import { nanoUsd } from "../../src/core/money";
import type { Usage } from "../../src/core/usage";
import type { AnswerContext, Deviations, EncodeContext, Stamp } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import type { Frame } from "../../src/wire/frame";
import { allRecordings, type Recording, SHARED, sharedMissing } from "../recordings/load";
import { deviationsOf } from "./openai-chat-deviations";

export const SSE = "text/event-stream";
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function framesOf(pieces: readonly Uint8Array[]): Frame[] {
  const framer = openaiChat.openFramer(SSE);
  if (!framer) throw new Error("No framer");
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
}

/** A whole stream's events; `pieces` are its bytes in order. */
export const decodeStream = (...pieces: Uint8Array[]): ChatEvent[] => decodeStreamOf({}, ...pieces);

export function decodeStreamOf(deviations: Deviations, ...pieces: Uint8Array[]): ChatEvent[] {
  const stream = openaiChat.openStream(deviations);
  const events = framesOf(pieces).flatMap((frame) => stream.push(frame));
  return [...events, ...stream.end()];
}

export const decode = (recording: Recording): ChatEvent[] =>
  recording.stream
    ? decodeStreamOf(deviationsOf(recording.provider), recording.body)
    : openaiChat.decodeResponse(text(recording.body), deviationsOf(recording.provider));

/** Neighbouring pieces of one text are one: a whole answer and its stream then say the same. */
export function merged(events: readonly ChatEvent[]): ChatEvent[] {
  const result: ChatEvent[] = [];
  for (const event of events) {
    const before = result.at(-1);
    if ((event.type === "text" || event.type === "refusal") && before?.type === event.type && before.choice === event.choice) {
      const logprobs = [...(before.logprobs ?? []), ...(event.logprobs ?? [])];
      result[result.length - 1] = { ...before, text: before.text + event.text, ...(logprobs.length > 0 ? { logprobs } : {}) };
    } else if (
      event.type === "tool-arguments" &&
      before?.type === "tool-arguments" &&
      before.choice === event.choice &&
      before.index === event.index
    ) {
      result[result.length - 1] = { ...before, text: before.text + event.text };
    } else if (
      event.type === "reasoning" &&
      before?.type === "reasoning" &&
      before.choice === event.choice &&
      before.block === event.block
    ) {
      result[result.length - 1] = { ...before, text: before.text + event.text, signature: event.signature ?? before.signature };
    } else result.push(event);
  }
  return result;
}

export function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was thrown");
}

export const EXTENSION = { request_id: "01890000-0000-7000-8000-000000000000", cost_usd: 0.0015 };

/** An answer's context; `asked` tells what the stamp was asked with, once. */
export function answerContext(
  changes: Partial<AnswerContext> = {},
  stamp: Partial<Stamp> = {},
): { context: AnswerContext; asked: (Usage | undefined)[] } {
  const asked: (Usage | undefined)[] = [];
  const context: AnswerContext = {
    model: "the-model-asked-for",
    extensionName: "tollway",
    requestId: "fallback",
    request: { model: "the-model-asked-for", messages: [], stream: false, rest: {} },
    asked: {},
    createdAt: 1_700_000_000,
    includeUsage: false,
    stamp(usage) {
      asked.push(usage);
      return { costUsd: nanoUsd(1_500_000n), extension: EXTENSION, ...stamp };
    },
    ...changes,
  };
  return { context, asked };
}

export const encodeContext = (changes: Partial<EncodeContext> = {}): EncodeContext => ({
  model: "the-provider's-model",
  defaultMaxOutputTokens: 4096,
  unsupported: [],
  dropUnsupported: false,
  deviations: {},
  ...changes,
});

/** Answers (not errors) of OpenAI and of our own set. */
export const answers = (stream?: boolean): readonly Recording[] =>
  allRecordings("openai", "openai-chat").filter((each) => each.status === 200 && (stream === undefined || each.stream === stream));

let ajv: Ajv2020 | undefined;

/** A check against OpenAI's own schema; undefined where the shared pack is missing. */
export function schema(name: string): ValidateFunction | undefined {
  if (sharedMissing) return undefined;
  if (!ajv) {
    ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    ajv.addSchema(JSON.parse(readFileSync(join(SHARED, "specs/openai-relaxed.schema.json"), "utf8")));
  }
  return ajv.compile({ $ref: `openai-relaxed#/components/schemas/${name}` });
}

/** Answers (not errors) of the providers that speak Chat Completions, our own hand-written ones first. */
export const compatibleAnswers = (stream?: boolean): readonly Recording[] =>
  allRecordings().filter(
    (each) =>
      (each.format === "openai-chat" || each.format === "gemini-openai-compat") &&
      each.status === 200 &&
      (stream === undefined || each.stream === stream),
  );

export interface Through {
  text: string;
  events: ChatEvent[];
}

/** A stream through the forwarder; `bytes` are its pieces in order. */
export function forward(bytes: readonly Uint8Array[], context: AnswerContext, deviations: Deviations = {}): Through {
  const forwarder = openaiChat.openForwarder(context, deviations);
  const out: Uint8Array[] = [];
  const events: ChatEvent[] = [];
  const take = (step: { bytes: readonly Uint8Array[]; events: readonly ChatEvent[] }): void => {
    out.push(...step.bytes);
    events.push(...step.events);
  };
  for (const frame of framesOf(bytes)) take(forwarder.push(frame));
  take(forwarder.end());
  return { text: text(Buffer.concat(out)), events };
}

/** The data of every frame of a stream's text. */
export const dataOf = (stream: string): string[] =>
  framesOf([utf8(stream)]).flatMap((frame) => (frame.data === undefined ? [] : [frame.data]));

export const chunksOf = (stream: string): Record<string, unknown>[] =>
  dataOf(stream)
    .filter((data) => data !== "[DONE]")
    .map((data) => JSON.parse(data));
