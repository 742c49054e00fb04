import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import type { AnswerContext } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { recordings, sharedMissing } from "../recordings/load";
import {
  answerContext,
  answers,
  chunksOf,
  dataOf,
  decode,
  decodeStream,
  EXTENSION,
  failureOf,
  merged,
  schema,
  utf8,
} from "./openai-chat-replay";

function written(events: readonly ChatEvent[], context: AnswerContext): string {
  const encoder = openaiChat.openEncoder(context);
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
}

/** Events less what the gateway changes on purpose: names, cost and the tier that other providers word differently. */
const comparable = (events: readonly ChatEvent[]) =>
  merged(events)
    .filter((event) => event.type !== "start" && event.type !== "usage")
    .map((event) => (event.type === "finish" ? { ...event, raw: event.reason } : event))
    .sort((a, b) => order(a) - order(b));
const TYPES = [
  "reasoning",
  "redacted-reasoning",
  "text",
  "refusal",
  "annotations",
  "audio",
  "image",
  "tool-call",
  "tool-arguments",
  "finish",
];
const order = (event: ChatEvent): number => ("choice" in event ? event.choice : 0) * 100 + TYPES.indexOf(event.type);

const counts = (events: readonly ChatEvent[]) => {
  const usage = events.findLast((event) => event.type === "usage")?.usage;
  return usage && { ...usage, serviceTier: undefined, reportedCost: undefined };
};

const start: ChatEvent = { type: "start", id: "id1", model: "m", createdAt: 5 };
const finish: ChatEvent = { type: "finish", choice: 0, reason: "stop", raw: "end_turn" };
const usage: ChatEvent = { type: "usage", usage: { inputTokens: 10, outputTokens: 4, cacheReadInputTokens: 6, reasoningOutputTokens: 2 } };
const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 4,
  total_tokens: 14,
  prompt_tokens_details: { cached_tokens: 6 },
  completion_tokens_details: { reasoning_tokens: 2 },
  cost: 0.0015,
};
const sealed: ChatEvent[] = [
  start,
  { type: "reasoning", choice: 0, block: 0, text: "think ", from: "anthropic-messages" },
  { type: "reasoning", choice: 0, block: 0, text: "hard", from: "anthropic-messages" },
  { type: "reasoning", choice: 0, block: 0, text: "", signature: "sig", from: "anthropic-messages" },
  { type: "redacted-reasoning", choice: 0, block: 1, data: "xxx", from: "anthropic-messages" },
  { type: "text", choice: 0, text: "Hi" },
  {
    type: "annotations",
    choice: 0,
    annotations: [
      { type: "url_citation", url_citation: { url: "https://e.org", title: "E", start_index: 0, end_index: 2 } },
      { type: "char_location" },
    ],
  },
  { type: "image", choice: 0, media: { kind: "base64", mediaType: "image/png", data: "AA==" } },
  { type: "tool-call", choice: 0, index: 0, id: "t1", name: "f", signature: "gsig" },
  { type: "tool-arguments", choice: 0, index: 0, text: '{"a"' },
  { type: "tool-arguments", choice: 0, index: 0, text: ":1}" },
  { type: "tool-call", choice: 0, index: 1, id: "t2", name: "g" },
  { type: "finish", choice: 0, reason: "tool_calls", raw: "tool_use" },
  usage,
];

describe("encodeResponse()", () => {
  test("writes a completion with reasoning, calls, citations and images", () => {
    const { context, asked } = answerContext();
    const body = JSON.parse(openaiChat.encodeResponse(sealed, context));
    expect(body).toEqual({
      id: "id1",
      object: "chat.completion",
      created: 5,
      model: "the-model-asked-for",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "Hi",
            refusal: null,
            reasoning_content: "think hard",
            reasoning_details: [
              { type: "reasoning.text", text: "think hard", signature: "sig", format: "anthropic-claude-v1", index: 0 },
              { type: "reasoning.encrypted", data: "xxx", format: "anthropic-claude-v1", index: 1 },
            ],
            annotations: [{ type: "url_citation", url_citation: { url: "https://e.org", title: "E", start_index: 0, end_index: 2 } }],
            citations: [{ type: "char_location" }],
            images: [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }],
            tool_calls: [
              {
                id: "t1",
                type: "function",
                function: { name: "f", arguments: '{"a":1}' },
                extra_content: { google: { thought_signature: "gsig" } },
              },
              { id: "t2", type: "function", function: { name: "g", arguments: "" } },
            ],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
      usage: USAGE,
      tollway: EXTENSION,
    });
    expect(asked).toEqual([usage.usage]);
  });

  test("says only what is known: no usage, no cost, no extension where there is none", () => {
    const { context } = answerContext({}, { costUsd: undefined, extension: undefined });
    const body = JSON.parse(openaiChat.encodeResponse([finish], context));
    expect(Object.keys(body)).toEqual(["id", "object", "created", "model", "choices"]);
    expect(body).toMatchObject({ id: "chatcmpl-fallback", created: 1_700_000_000, choices: [{ message: { content: null } }] });
  });

  test("shows our own count where the provider told none", () => {
    const { context } = answerContext({}, { countedUsage: { inputTokens: 3, outputTokens: 2 } });
    expect(JSON.parse(openaiChat.encodeResponse([start, finish], context)).usage).toEqual({
      prompt_tokens: 3,
      completion_tokens: 2,
      total_tokens: 5,
      cost: 0.0015,
    });
  });

  test("refuses to end what the provider did not end", () => {
    const { context } = answerContext();
    expect(failureOf(() => openaiChat.encodeResponse([start], context)).code).toBe("stream_truncated");
    expect(failureOf(() => openaiChat.encodeResponse([start, { type: "text", choice: 0, text: "a" }], context)).code).toBe(
      "stream_truncated",
    );
  });
});

describe("openEncoder()", () => {
  test("writes chunks: the role first, the stamp in the last finish chunk, then the terminator", () => {
    const { context, asked } = answerContext();
    const text = written([start, { type: "text", choice: 0, text: "a" }, { type: "text", choice: 0, text: "b" }, finish, usage], context);
    expect(dataOf(text).at(-1)).toBe("[DONE]");
    const chunks = chunksOf(text);
    expect(chunks.map((chunk) => chunk["choices"])).toEqual([
      [{ index: 0, delta: { role: "assistant", content: "a" }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: { content: "b" }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }],
    ]);
    expect(chunks[2]).toMatchObject({
      id: "id1",
      object: "chat.completion.chunk",
      created: 5,
      model: "the-model-asked-for",
      usage: USAGE,
      tollway: EXTENSION,
    });
    expect(chunks.slice(0, 2).every((chunk) => !("usage" in chunk) && !("tollway" in chunk))).toBe(true);
    expect(asked.length).toBe(1);
  });

  test("gives the stamp to the usage chunk where the caller asked for one; usage is null before", () => {
    const { context } = answerContext({ includeUsage: true });
    const chunks = chunksOf(written([start, { type: "text", choice: 0, text: "a" }, finish, usage], context));
    expect(chunks.length).toBe(3);
    expect(chunks.slice(0, 2).map((chunk) => chunk["usage"])).toEqual([null, null]);
    expect(chunks[2]).toMatchObject({ choices: [], usage: USAGE, tollway: EXTENSION });
  });

  test("stamps only the last of several finish chunks", () => {
    const { context } = answerContext();
    const events: ChatEvent[] = [start, finish, { type: "text", choice: 1, text: "b" }, { ...finish, choice: 1 }, usage];
    const chunks = chunksOf(written(events, context));
    expect(chunks.map((chunk) => "tollway" in chunk)).toEqual([false, false, true]);
    expect(chunks.map((chunk) => (chunk["choices"] as { index: number }[])[0]?.index)).toEqual([0, 1, 1]);
  });

  test("breaks off with the error object and no terminator", () => {
    const { context } = answerContext({ extensionName: "acme" });
    const encoder = openaiChat.openEncoder(context);
    encoder.push(start);
    encoder.push(finish);
    const body = { status: 502, message: "gone", type: "server_error", param: null, code: "stream_truncated", facts: { request_id: "r" } };
    expect(encoder.fail(body)).toBe(
      'data: {"error":{"message":"gone","type":"server_error","param":null,"code":"stream_truncated","acme":{"request_id":"r"}}}\n\n',
    );
    expect(JSON.parse(openaiChat.encodeFailure(body, "acme")).error.acme).toEqual({ request_id: "r" });
  });

  test("has no clean end without a finish reason", () => {
    const encoder = openaiChat.openEncoder(answerContext().context);
    encoder.push({ type: "text", choice: 0, text: "a" });
    expect(failureOf(() => encoder.end()).code).toBe("stream_truncated");
  });

  test("sealed thinking survives being streamed, collected and sent back", () => {
    const collected = decodeStream(utf8(written(sealed, answerContext().context)));
    const expected = merged(sealed).filter((event) => !["start", "usage", "annotations"].includes(event.type));
    const read = merged(collected).filter((event) => !["start", "usage", "annotations"].includes(event.type));
    expect(JSON.parse(JSON.stringify(read))).toEqual(
      JSON.parse(JSON.stringify(expected.map((event) => (event.type === "finish" ? { ...event, raw: "tool_calls" } : event)))),
    );
  });
});

describe("re-encoded answers", () => {
  const isCompletion = schema("CreateChatCompletionResponse");
  const isChunk = schema("CreateChatCompletionStreamResponse");

  for (const includeUsage of [false, true]) {
    test(`say the same as the provider's, and satisfy OpenAI's schema where it is there (usage asked for: ${includeUsage})`, () => {
      for (const each of answers()) {
        const events = decode(each);
        const { context } = answerContext({ includeUsage });
        const whole = openaiChat.encodeResponse(events, context);
        expect(comparable(openaiChat.decodeResponse(whole))).toEqual(comparable(events));
        const stream = written(events, context);
        expect(comparable(decodeStream(utf8(stream)))).toEqual(comparable(events));
        expect(counts(decodeStream(utf8(stream)))).toEqual(counts(events) ?? counts(decodeStream(utf8(stream))));
        if (!isCompletion || !isChunk) continue;
        if (!isCompletion(JSON.parse(whole))) throw new Error(`${each.id}: ${JSON.stringify(isCompletion.errors)}`);
        for (const chunk of chunksOf(stream))
          if (!isChunk(chunk)) throw new Error(`${each.id}: ${JSON.stringify(isChunk.errors)} ${JSON.stringify(chunk)}`);
      }
    });
  }

  test.skipIf(sharedMissing)("satisfy OpenAI's schema for every other provider that speaks Chat Completions", () => {
    let checked = 0;
    for (const each of recordings(undefined, "openai-chat").filter((one) => one.status === 200 && one.provider !== "openai")) {
      let events: ChatEvent[];
      try {
        events = decode(each);
      } catch {
        continue; // Those that break off: openai-chat-decode.test.ts names them.
      }
      const { context } = answerContext();
      if (!isCompletion?.(JSON.parse(openaiChat.encodeResponse(events, context))))
        throw new Error(`${each.id}: ${JSON.stringify(isCompletion?.errors)}`);
      for (const chunk of chunksOf(written(events, context)))
        if (!isChunk?.(chunk)) throw new Error(`${each.id}: ${JSON.stringify(isChunk?.errors)}`);
      checked++;
    }
    expect(checked).toBeGreaterThan(100);
  });
});
