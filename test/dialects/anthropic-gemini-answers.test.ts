// What Anthropic and Gemini answered, as a Chat Completions caller reads it: whole and streamed, against OpenAI's relaxed schema.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import type { ChatEvent } from "../../src/core/chat";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { AnswerContext, Dialect } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { openaiChat } from "../../src/dialects/openai-chat";
import { allRecordings, recording, SHARED, sharedMissing } from "../recordings/load";
import { answered, isStream, ofType, textOfAnswer } from "./anthropic-gemini-replay";

const context: AnswerContext = {
  model: "asked-for",
  extensionName: "tollway",
  requestId: "fallback",
  request: { model: "asked-for", messages: [], stream: false, rest: {} },
  asked: {},
  createdAt: 1_790_000_000,
  includeUsage: true,
  stamp: () => ({ costUsd: undefined, extension: undefined }),
};

const failing = /MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|finish-OTHER|midstream-error/;
const answers: { id: string; dialect: Dialect; events: ChatEvent[] }[] = (
  [
    ["anthropic-messages", anthropicMessages],
    ["gemini", gemini],
  ] as const
).flatMap(([format, dialect]) =>
  allRecordings(undefined, format)
    .filter(({ status, id }) => status < 400 && !failing.test(id))
    .map((each) => ({ id: each.id, dialect, events: answered(dialect, each) })),
);

let compiled: { whole: ValidateFunction; chunk: ValidateFunction } | undefined;
function schemas() {
  if (compiled) return compiled;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(JSON.parse(readFileSync(join(SHARED, "specs/openai-relaxed.schema.json"), "utf8")), "openai");
  const at = (name: string): ValidateFunction => ajv.compile({ $ref: `openai#/components/schemas/${name}` });
  compiled = { whole: at("CreateChatCompletionResponse"), chunk: at("CreateChatCompletionStreamResponse") };
  return compiled;
}

interface Message {
  content?: string | null;
  tool_calls?: { id?: string; index?: number; function: { name?: string; arguments?: string } }[];
}
interface Answer {
  choices: { index: number; message?: Message; delta?: Message; finish_reason: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number };
}

/** The data frames of a stream, and whether it ended with the terminator. */
function chunksOf(events: readonly ChatEvent[]): { chunks: Answer[]; done: boolean } {
  const encoder = openaiChat.openEncoder(context);
  const wire = events.map((event) => encoder.push(event)).join("") + encoder.end();
  const frames = wire
    .split("\n\n")
    .filter((each) => each.startsWith("data: "))
    .map((each) => each.slice(6));
  return { chunks: frames.filter((each) => each !== "[DONE]").map((each) => JSON.parse(each)), done: frames.at(-1) === "[DONE]" };
}

describe("a Chat Completions caller reads the answer of another dialect", () => {
  for (const { id, events } of answers) {
    test(`${id}, whole`, () => {
      const json: Answer = JSON.parse(openaiChat.encodeResponse(events, context));
      if (!sharedMissing) {
        const { whole } = schemas();
        expect(whole(json), JSON.stringify(whole.errors)).toBe(true);
      }
      const finishes = ofType(events, "finish");
      expect(json.choices.map(({ finish_reason }) => finish_reason)).toEqual(finishes.map(({ reason }) => reason));
      for (const { index, message } of json.choices) expect(message?.content ?? "").toBe(textOfAnswer(events, index));
      expect(json.choices[0]?.message?.tool_calls?.map(({ id: call }) => call) ?? []).toEqual(
        ofType(events, "tool-call").map(({ id: call }) => call),
      );
      const usage = ofType(events, "usage").at(-1)?.usage;
      expect(json.usage?.completion_tokens).toBe(usage?.outputTokens);
    });

    test(`${id}, streamed`, () => {
      const { chunks, done } = chunksOf(events);
      expect(done).toBe(true);
      if (!sharedMissing) {
        const { chunk } = schemas();
        for (const each of chunks) expect(chunk(each), JSON.stringify(chunk.errors)).toBe(true);
      }
      const deltas = chunks.flatMap(({ choices }) => choices);
      for (const { choice, reason } of ofType(events, "finish")) {
        const own = deltas.filter(({ index }) => index === choice);
        expect(own.map(({ delta }) => delta?.content ?? "").join("")).toBe(textOfAnswer(events, choice));
        expect(own.map(({ finish_reason }) => finish_reason).filter((each) => each !== null && each !== undefined)).toEqual([reason]);
      }
      const calls = deltas.flatMap(({ delta }) => delta?.tool_calls ?? []);
      const args = (index: number): string =>
        calls
          .filter((call) => call.index === index)
          .map((call) => call.function.arguments ?? "")
          .join("");
      for (const { index } of ofType(events, "tool-call")) expect(typeof JSON.parse(args(index))).toBe("object");
    });
  }
});

describe("thinking goes to the caller and comes back as the provider sealed it", () => {
  for (const [id, dialect, carrier] of [
    ["own/anthropic.messages.thinking", anthropicMessages, '"thinking":"A sum.","signature":"b3duLXNpZ25hdHVyZQ=="'],
    ["own/anthropic.messages.thinking", anthropicMessages, '"type":"redacted_thinking","data":"b3duLXJlZGFjdGVk"'],
    ["own/gemini.gemini.thinking", gemini, '"thoughtSignature":"b3duLXRleHQtc2lnbmF0dXJl"'],
    ["own/gemini.gemini.tools-stream", gemini, '"thoughtSignature":"b3duLXNpZ25hdHVyZQ=="'],
  ] as const) {
    test(`${id} keeps ${carrier}`, () => {
      const each = recording(id);
      expect(isStream(each)).toBe(each.stream);
      const { choices }: Answer = JSON.parse(openaiChat.encodeResponse(answered(dialect, each), context));
      const said = choices[0]?.message;
      const results = (said?.tool_calls ?? []).map(({ id: call }) => ({ role: "tool", tool_call_id: call, content: "done" }));
      const messages = [{ role: "user", content: "x" }, said, ...results, { role: "user", content: "y" }];
      const { request } = openaiChat.decodeRequest({ model: "m", messages });
      const next = dialect.encodeRequest(request, {
        model: "claude-sonnet-4-5",
        defaultMaxOutputTokens: 100,
        unsupported: [],
        dropUnsupported: false,
        deviations: {},
      });
      expect(next.body).toContain(carrier);
    });
  }
});
