// The real OpenAI client reads what the writer of Responses streams wrote: whole, streamed, and broken.
import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import type { ChatEvent } from "../../src/core/chat";
import type { FailureBody } from "../../src/dialects/dialect";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { answerContext, schema } from "./openai-chat-replay";
import { framesOf, streamedResponse } from "./openai-responses-replay";

const clientOf = (body: string, type: string): OpenAI =>
  new OpenAI({
    apiKey: "none",
    baseURL: "http://127.0.0.1/v1",
    maxRetries: 0,
    fetch: async () => new Response(body, { headers: { "content-type": type } }),
  });
const STREAM = "text/event-stream; charset=utf-8";

const said: ChatEvent[] = [
  { type: "start", id: "msg_1" },
  { type: "reasoning", choice: 0, block: 0, text: "Two towns.", signature: "sig", from: "anthropic-messages" },
  { type: "text", choice: 0, text: "I look " },
  { type: "text", choice: 0, text: "at both." },
  { type: "tool-call", choice: 0, index: 0, id: "call_0", name: "weather" },
  { type: "tool-call", choice: 0, index: 1, id: "call_1", name: "weather" },
  { type: "tool-arguments", choice: 0, index: 0, text: '{"town":' },
  { type: "tool-arguments", choice: 0, index: 1, text: '{"town":"Ulm"}' },
  { type: "tool-arguments", choice: 0, index: 0, text: '"Bonn"}' },
];
const whole: ChatEvent[] = [
  ...said,
  { type: "finish", choice: 0, reason: "tool_calls", raw: "tool_use" },
  { type: "usage", usage: { inputTokens: 9, outputTokens: 5 } },
];
const failure: FailureBody = {
  status: 502,
  message: "The provider's stream broke",
  type: "server_error",
  param: null,
  code: "stream_truncated",
  facts: { request_id: "r" },
};

describe("the OpenAI client", () => {
  test("reads a whole answer", async () => {
    const client = clientOf(openaiResponses.encodeResponse(whole, answerContext().context), "application/json");
    const response = await client.responses.create({ model: "m", input: "x" });
    expect(response.output_text).toBe("I look at both.");
    expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call", "function_call"]);
    expect(response.usage).toMatchObject({ input_tokens: 9, output_tokens: 5, total_tokens: 14, cost: 0.0015 } as object);
  });

  test("puts a stream together as it was", async () => {
    const { wire, told } = streamedResponse(whole);
    const stream = clientOf(wire, STREAM).responses.stream({ model: "m", input: "x" });
    let text = "";
    stream.on("response.output_text.delta", ({ delta }) => {
      text += delta;
    });
    const final = await stream.finalResponse();
    expect(text).toBe("I look at both.");
    expect(final.output_text).toBe(text);
    const calls = final.output.flatMap((item) => (item.type === "function_call" ? [[item.call_id, item.arguments]] : []));
    expect(calls).toEqual([
      ["call_0", '{"town":"Bonn"}'],
      ["call_1", '{"town":"Ulm"}'],
    ]);
    expect(final.usage).toEqual(told.at(-1)?.response?.usage as typeof final.usage);
  });

  for (const [when, events] of [
    ["before anything was said", []],
    ["in the middle", said],
    ["behind the last word", whole],
  ] as const) {
    test(`throws where a stream breaks ${when}`, async () => {
      const encoder = openaiResponses.openEncoder(answerContext().context);
      const wire = events.map((event) => encoder.push(event)).join("") + encoder.fail(failure);
      const thrown = await readToEnd(clientOf(wire, STREAM));
      expect(thrown).toBeInstanceOf(APIError);
      expect(thrown).toMatchObject({
        code: "stream_truncated",
        type: "server_error",
        error: { message: failure.message, tollway: failure.facts },
      });
      const helped = clientOf(wire, STREAM).responses.stream({ model: "m", input: "x" });
      expect(await helped.finalResponse().catch((error: unknown) => error)).toBeInstanceOf(Error);
    });
  }

  test("has the failed answer last, with what was said, for clients that read only that", () => {
    const encoder = openaiResponses.openEncoder(answerContext().context);
    const wire = said.map((event) => encoder.push(event)).join("") + encoder.fail(failure);
    const told = framesOf(wire);
    expect(told.map(({ sequence_number: number }) => number)).toEqual(told.map((_, index) => index));
    expect(told.slice(-2).map(({ type }) => type)).toEqual(["error", "response.failed"]);
    const last = told.at(-1)?.response;
    expect(last).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: failure.message },
      tollway: failure.facts,
    } as object);
    expect(last?.output.map(({ type, status }) => [type, status])).toEqual([
      ["reasoning", undefined],
      ["message", "completed"],
      ["function_call", "incomplete"],
      ["function_call", "incomplete"],
    ]);
    const isEvent = schema("ResponseStreamEvent");
    for (const each of told.slice(-2)) expect(isEvent?.(each) ?? true, JSON.stringify(isEvent?.errors)).toBe(true);
  });
});

async function readToEnd(client: OpenAI): Promise<unknown> {
  try {
    for await (const _ of await client.responses.create({ model: "m", input: "x", stream: true }));
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}
