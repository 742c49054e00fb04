// What Cohere and Ollama answered, as a Chat Completions caller reads it: whole and streamed, against OpenAI's relaxed schema;
// and what that caller sends back of it.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import type { ChatEvent } from "../../src/core/chat";
import { cohere } from "../../src/dialects/cohere";
import type { AnswerContext, Dialect, EncodeContext } from "../../src/dialects/dialect";
import { ollama } from "../../src/dialects/ollama";
import { openaiChat } from "../../src/dialects/openai-chat";
import { allRecordings, recording, SHARED, sharedMissing } from "../recordings/load";
import { answered, ofType, textOfAnswer } from "./anthropic-gemini-replay";

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
const target = (model: string): EncodeContext => ({
  model,
  defaultMaxOutputTokens: 100,
  unsupported: [],
  dropUnsupported: false,
  deviations: {},
});

const failing = /finish-ERROR|failed-stream|midstream-error/;
const answers: { id: string; events: ChatEvent[] }[] = (
  [
    ["cohere-v2-chat", cohere],
    ["ollama-chat", ollama],
  ] as const
).flatMap(([format, dialect]) =>
  allRecordings(undefined, format)
    .filter(({ status, id }) => status < 400 && !failing.test(id))
    .map((each) => ({ id: each.id, events: answered(dialect, each) })),
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
  reasoning_content?: string;
  tool_calls?: { id?: string; index?: number; function: { name?: string; arguments?: string } }[];
}
interface Answer {
  choices: { index: number; message?: Message; delta?: Message; finish_reason: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number };
}

/** The data frames of a stream. */
function framesOf(events: readonly ChatEvent[]): string[] {
  const encoder = openaiChat.openEncoder(context);
  const wire = events.map((event) => encoder.push(event)).join("") + encoder.end();
  return wire
    .split("\n\n")
    .filter((each) => each.startsWith("data: "))
    .map((each) => each.slice(6));
}

describe("a Chat Completions caller reads the answer of another dialect", () => {
  for (const { id, events } of answers) {
    const [finish] = ofType(events, "finish");
    const thought = ofType(events, "reasoning")
      .map(({ text }) => text)
      .join("");

    test(`${id}, whole`, () => {
      const json: Answer = JSON.parse(openaiChat.encodeResponse(events, context));
      if (!sharedMissing) {
        const { whole } = schemas();
        expect(whole(json), JSON.stringify(whole.errors)).toBe(true);
      }
      const [choice] = json.choices;
      expect(choice?.finish_reason).toBe(finish?.reason ?? "");
      expect(choice?.message?.content ?? "").toBe(textOfAnswer(events));
      expect(choice?.message?.reasoning_content ?? "").toBe(thought);
      expect(choice?.message?.tool_calls?.map((call) => call.id) ?? []).toEqual(ofType(events, "tool-call").map((call) => call.id));
      expect(json.usage?.completion_tokens).toBe(ofType(events, "usage").at(-1)?.usage.outputTokens);
    });

    test(`${id}, streamed`, () => {
      const frames = framesOf(events);
      expect(frames.at(-1)).toBe("[DONE]");
      const chunks: Answer[] = frames.slice(0, -1).map((each) => JSON.parse(each));
      if (!sharedMissing) {
        const { chunk } = schemas();
        for (const each of chunks) expect(chunk(each), JSON.stringify(chunk.errors)).toBe(true);
      }
      const deltas = chunks.flatMap(({ choices }) => choices);
      expect(deltas.map(({ delta }) => delta?.content ?? "").join("")).toBe(textOfAnswer(events));
      expect(deltas.map(({ delta }) => delta?.reasoning_content ?? "").join("")).toBe(thought);
      expect(deltas.flatMap(({ finish_reason }) => finish_reason ?? [])).toEqual([finish?.reason ?? ""]);
      const calls = deltas.flatMap(({ delta }) => delta?.tool_calls ?? []);
      for (const { index } of ofType(events, "tool-call")) {
        const pieces = calls.filter((call) => call.index === index).map((call) => call.function.arguments ?? "");
        expect(typeof JSON.parse(pieces.join(""))).toBe("object");
      }
    });
  }
});

describe("a caller's next turn says to the provider what its answer said", () => {
  const next = (dialect: Dialect, id: string, model: string): string => {
    const { choices }: Answer = JSON.parse(openaiChat.encodeResponse(answered(dialect, recording(id)), context));
    const said = choices[0]?.message;
    const results = (said?.tool_calls ?? []).map(({ id: call }) => ({ role: "tool", tool_call_id: call, content: "done" }));
    const messages = [{ role: "user", content: "x" }, said, ...results.toReversed(), { role: "user", content: "y" }];
    return dialect.encodeRequest(openaiChat.decodeRequest({ model: "m", messages }).request, target(model)).body;
  };

  test("Cohere's plan and calls", () => {
    const body = next(cohere, "own/cohere.v2chat.tools-stream", "command-a-03-2025");
    expect(body).toContain('"tool_plan":"I will add."');
    expect(body).toContain(
      String.raw`"id":"add_x1","type":"function","function":{"name":"add","arguments":"{\"a\": 12345678901234567890, \"b\": 1.0}"}`,
    );
    expect(body).toContain('"tool_call_id":"clock_x2"');
  });

  test("Cohere's thoughts", () => {
    const body = next(cohere, "own/cohere.v2chat.sources-stream", "command-a-plus-05-2026");
    expect(body).toContain('{"type":"thinking","thinking":"The sign says so."}');
  });

  test("Ollama's calls, with ids of ours, and their results in order", () => {
    const body = next(ollama, "own/ollama.ollama.tools-stream", "qwen3:4b");
    expect(body).toContain('"name":"add","arguments":{"a":12345678901234567890,"b":1.0}');
    const { messages } = JSON.parse(body);
    expect(messages.slice(2, 4).map((each: { tool_name: string }) => each.tool_name)).toEqual(["add", "clock"]);
  });

  test("Ollama's thoughts", () => {
    expect(next(ollama, "own/ollama.ollama.text-stream", "qwen3:4b")).toContain('"thinking":"A sum."');
  });
});
