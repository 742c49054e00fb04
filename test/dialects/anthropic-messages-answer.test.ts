// What leaves the Messages door: whole answers, streams, and errors, as Anthropic's own client reads them.
import { describe, expect, test } from "bun:test";
import { APIError } from "@anthropic-ai/sdk";
import type { Message } from "@anthropic-ai/sdk/resources/messages/messages";
import fc from "fast-check";
import type { ChatEvent } from "../../src/core/chat";
import { FAILURES } from "../../src/core/failure";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { FailureBody } from "../../src/dialects/dialect";
import { openSeal, sealOf } from "../../src/dialects/sealed-envelope";
import { sharedMissing } from "../recordings/load";
import { allAnswers, encodeStream, eventsOf, readStream, readWhole } from "./anthropic-messages-replay";
import { answerContext, EXTENSION, failureOf } from "./openai-chat-replay";

const start: ChatEvent = { type: "start", id: "chatcmpl-1", model: "gpt-x" };
const stop: ChatEvent = { type: "finish", choice: 0, reason: "stop", raw: "stop" };
const usage: ChatEvent = { type: "usage", usage: { inputTokens: 10, outputTokens: 5 } };
const text = (said: string): ChatEvent => ({ type: "text", choice: 0, text: said });
const call = (index: number, more: object = {}): ChatEvent => ({
  type: "tool-call",
  choice: 0,
  index,
  id: `call_${index}`,
  name: "add",
  ...more,
});
const argue = (index: number, said: string): ChatEvent => ({ type: "tool-arguments", choice: 0, index, text: said });
const think = (said: string, more: object = {}): ChatEvent => ({
  type: "reasoning",
  choice: 0,
  block: 0,
  text: said,
  from: "openai-chat",
  ...more,
});

const whole = (...events: ChatEvent[]) => JSON.parse(anthropicMessages.encodeResponse(events, answerContext().context));
const streamed = (...events: ChatEvent[]) => eventsOf(encodeStream(events, answerContext().context));
const blocks = (...events: ChatEvent[]) => whole(start, ...events, stop).content;

/** What a client keeps of an answer: not the gateway's own fields. */
const kept = ({ content, stop_reason, id, model, role, usage: told }: Message) => ({
  // The client guesses the end of arguments that were cut off; a whole answer has them as they are.
  content: content.map((block) => (block.type === "tool_use" && stop_reason === "max_tokens" ? { ...block, input: "cut off" } : block)),
  stop_reason,
  id,
  model,
  role,
  input: told.input_tokens,
  read: told.cache_read_input_tokens,
  output: told.output_tokens,
});

describe("a whole answer", () => {
  test("has every field at its place", () => {
    const answer = whole(
      { type: "start", id: "msg_1", model: "claude" },
      think("Hm.", { from: "anthropic-messages", signature: "c2ln" }),
      text("Hello "),
      text("there"),
      call(0),
      argue(0, '{"a":1}'),
      { type: "finish", choice: 0, reason: "tool_calls", raw: "tool_calls" },
      {
        type: "usage",
        usage: {
          inputTokens: 100,
          cacheReadInputTokens: 30,
          cacheCreationInputTokens: 20,
          cacheCreation1hInputTokens: 5,
          outputTokens: 40,
          reasoningOutputTokens: 7,
          serviceTier: "default",
          toolCalls: { web_search: 2 },
        },
      },
    );
    expect(answer).toEqual({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "the-model-asked-for",
      content: [
        { type: "thinking", thinking: "Hm.", signature: "c2ln" },
        { type: "text", text: "Hello there" },
        { type: "tool_use", id: "call_0", name: "add", input: { a: 1 } },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      stop_details: null,
      usage: {
        input_tokens: 50,
        cache_creation_input_tokens: 20,
        cache_read_input_tokens: 30,
        cache_creation: { ephemeral_5m_input_tokens: 15, ephemeral_1h_input_tokens: 5 },
        output_tokens: 40,
        output_tokens_details: { thinking_tokens: 7 },
        server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
        service_tier: "standard",
        speed: null,
        inference_geo: null,
        cost: 0.0015,
      },
      tollway: EXTENSION,
    });
  });

  test("keeps the digits of a call's numbers, and what the model wrote wrong", () => {
    const { context } = answerContext();
    const json = anthropicMessages.encodeResponse([start, call(0), argue(0, '{"a":12345678901234567890,"b":1.0}'), stop], context);
    expect(json).toContain('{"a":12345678901234567890,"b":1.0}');
    expect(blocks(call(0), argue(0, '{"a":'))[0].input).toEqual({ INVALID_JSON: '{"a":' });
    expect(blocks(call(0))[0].input).toEqual({});
    expect(blocks(call(0, { custom: true }), argue(0, "ls -l"))[0].input).toEqual({ input: "ls -l" });
  });

  test("has an id of its own, our count of tokens where the provider told none, and no reason but those that Anthropic has", () => {
    const counted = answerContext({}, { countedUsage: { inputTokens: 3, outputTokens: 2 }, extension: undefined });
    const answer = JSON.parse(anthropicMessages.encodeResponse([start, text("Hi"), stop], counted.context));
    expect(answer).toMatchObject({ id: "msg_fallback", stop_reason: "end_turn", usage: { input_tokens: 3, output_tokens: 2 } });
    expect("tollway" in answer).toBe(false);
    const reasonOf = (reason: string, raw: string, ...events: ChatEvent[]) =>
      whole(...events, { type: "finish", choice: 0, reason, raw } as ChatEvent).stop_reason;
    expect(reasonOf("length", "MAX_TOKENS")).toBe("max_tokens");
    expect(reasonOf("content_filter", "SAFETY")).toBe("refusal");
    expect(reasonOf("stop", "stop", call(0))).toBe("tool_use");
    expect(reasonOf("stop", "stop", { type: "refusal", choice: 0, text: "No." })).toBe("refusal");
    expect(reasonOf("stop", "pause_turn")).toBe("pause_turn");
  });

  test("is none without a finish reason", () => {
    const { context } = answerContext();
    expect(failureOf(() => anthropicMessages.encodeResponse([start, text("Hi")], context)).code).toBe("stream_truncated");
    expect(failureOf(() => encodeStream([start, text("Hi")], context)).code).toBe("stream_truncated");
  });

  test("shows refusals, images and speech as text, and the first choice only", () => {
    expect(blocks({ type: "refusal", choice: 0, text: "No." })).toEqual([{ type: "text", text: "No." }]);
    expect(blocks({ type: "image", choice: 0, media: { kind: "base64", mediaType: "image/png", data: "AAAA" } })).toEqual([
      { type: "text", text: "![image](data:image/png;base64,AAAA)" },
    ]);
    expect(blocks({ type: "audio", choice: 0, audio: { data: "AAAA", transcript: "Hi" } })).toEqual([{ type: "text", text: "Hi" }]);
    expect(blocks(text("One"), { type: "text", choice: 1, text: "Two" })).toEqual([{ type: "text", text: "One" }]);
  });

  test("cites addresses as Anthropic's searches do, in the block that they are about", () => {
    const url_citation = { url: "https://a.example", title: "A" };
    const cited = { type: "annotations", choice: 0, annotations: [{ type: "url_citation", url_citation }, { uri: 1 }] } as const;
    const citation = {
      type: "web_search_result_location",
      cited_text: "",
      encrypted_index: "",
      title: "A",
      url: "https://a.example",
    };
    expect(blocks(text("Found."), cited)).toEqual([{ type: "text", text: "Found.", citations: [citation] }]);
    // Gemini seals a text at its end, and tells its sources after that.
    const sealed = blocks(text("Found."), think("", { from: "gemini", signature: "c2ln" }), cited);
    expect(sealed[0].citations).toEqual([citation]);
    expect(openSeal(sealed[1].signature)).toEqual({ from: "gemini", signature: "c2ln" });
  });
});

describe("thoughts of other providers", () => {
  const signed = (...events: ChatEvent[]) => blocks(...events).map((block: { signature?: string }) => openSeal(block.signature ?? ""));

  test("say whose they are in place of Anthropic's seal, and keep their own", () => {
    expect(signed(think("Hm."), think(" So."))).toEqual([{ from: "openai-chat" }]);
    expect(signed(think("Hm.", { from: "openai-responses", id: "rs_1", signature: "enc" }))).toEqual([
      { from: "openai-responses", signature: "enc", id: "rs_1" },
    ]);
    expect(blocks({ type: "redacted-reasoning", choice: 0, block: 0, data: "hidden", from: "openai-responses", id: "rs_1" })).toEqual([
      { type: "redacted_thinking", data: sealOf({ from: "openai-responses", data: "hidden", id: "rs_1" }) },
    ]);
    expect(blocks({ type: "redacted-reasoning", choice: 0, block: 0, data: "own", from: "anthropic-messages" })).toEqual([
      { type: "redacted_thinking", data: "own" },
    ]);
  });

  test("carry the seal of Gemini's calls, in front of the call", () => {
    const sealed = { from: "gemini", signature: "c2ln", call: "call_0" };
    expect(signed(think("Hm.", { from: "gemini" }), call(0, { signature: "c2ln" }))).toEqual([sealed as never, undefined]);
    expect(signed(text("Hi"), call(0, { signature: "c2ln" }), argue(0, "{}"), call(1))).toEqual([
      undefined,
      sealed as never,
      undefined,
      undefined,
    ]);
  });

  test("come back in the next turn as what they were", () => {
    for (const { events } of allAnswers()) {
      const { content } = JSON.parse(anthropicMessages.encodeResponse(events, answerContext().context));
      const next = { model: "m", max_tokens: 1, messages: [{ role: "assistant", content }] };
      const parts = anthropicMessages.decodeRequest(next).request.messages[0]?.parts ?? [];
      const sealed = events.flatMap((event) =>
        "choice" in event && event.choice === 0 && "signature" in event && event.signature !== undefined ? [event.signature] : [],
      );
      expect(parts.flatMap((part) => ("signature" in part && part.signature !== undefined ? [part.signature] : []))).toEqual(sealed);
    }
  });
});

describe("a stream", () => {
  test("opens and closes one block after another", () => {
    const events = streamed(
      start,
      { type: "usage", usage: { inputTokens: 9, outputTokens: 1 } },
      think("Hm."),
      text("Hi"),
      call(0),
      argue(0, '{"a"'),
      call(1),
      argue(1, '{"b":2'),
      argue(0, ":1}"),
      argue(1, "}"),
      stop,
      usage,
    );
    expect(events.map(({ type, index, delta }) => [type, index ?? "", (delta as { type?: string })?.type ?? ""].join(" ").trim())).toEqual([
      "message_start",
      "content_block_start 0",
      "content_block_delta 0 thinking_delta",
      "content_block_delta 0 signature_delta",
      "content_block_stop 0",
      "content_block_start 1",
      "content_block_delta 1 text_delta",
      "content_block_stop 1",
      "content_block_start 2",
      "content_block_delta 2 input_json_delta",
      "content_block_delta 2 input_json_delta",
      "content_block_stop 2",
      "content_block_start 3",
      "content_block_delta 3 input_json_delta",
      "content_block_delta 3 input_json_delta",
      "content_block_stop 3",
      "message_delta",
      "message_stop",
    ]);
    expect(events[0]).toMatchObject({ message: { id: "msg_fallback", content: [], usage: { input_tokens: 9, output_tokens: 0 } } });
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: "tool_use" },
      usage: { input_tokens: 10, output_tokens: 5, cost: 0.0015 },
      tollway: EXTENSION,
    });
  });

  test("writes a call's arguments as they come, and the next call's as soon as those are whole", () => {
    const encoder = anthropicMessages.openEncoder(answerContext().context);
    encoder.push(call(0));
    expect(encoder.push(argue(0, '{"a":"}'))).toContain("input_json_delta");
    encoder.push(argue(0, '"}'));
    expect(encoder.push(call(1))).toContain('"content_block_start","index":1');
    expect(encoder.push(argue(1, "{"))).toContain("input_json_delta");
  });

  test("says nothing before its first block, so that another provider may still take its place", () => {
    const encoder = anthropicMessages.openEncoder(answerContext().context);
    expect(encoder.push(start) + encoder.push(usage)).toBe("");
    expect(encoder.push(stop)).toBe("");
    expect(encoder.end()).toContain("event: message_start");
  });

  test("ends in an error event, without its last event, where it breaks", async () => {
    const encoder = anthropicMessages.openEncoder(answerContext().context);
    const broken = encoder.push(start) + encoder.push(text("Hi")) + encoder.fail(failure(502, "It broke."));
    expect(eventsOf(broken).at(-1)).toEqual({
      type: "error",
      error: { type: "api_error", message: "It broke." },
      request_id: "r-1",
      tollway: { code: "c", param: null, request_id: "r-1" },
    });
    const error = await readStream(broken).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(String(error)).toContain("It broke.");
  });
});

describe("every recorded answer", () => {
  const answers = allAnswers();
  test.skipIf(sharedMissing)("is one of many", () => expect(answers.length).toBeGreaterThan(150));

  for (const { recording, events } of answers) {
    test(`reads the same in Anthropic's client, whole and streamed: ${recording.id}`, async () => {
      const { context, asked } = answerContext();
      const one = await readWhole(anthropicMessages.encodeResponse(events, context));
      const other = await readStream(encodeStream(events, context));
      expect(asked.length).toBe(2);
      expect(kept(other)).toEqual(kept(one));
      for (const block of one.content) expect(["text", "thinking", "redacted_thinking", "tool_use"]).toContain(block.type);
    });
  }
});

test("the steps of any stream put together are the whole answer", async () => {
  const piece = fc.string({ minLength: 1, maxLength: 5 });
  const event = fc.oneof(
    piece.map(text),
    fc.tuple(piece, fc.nat(2), fc.boolean()).map(([said, block, sealed]) => think(said, { block, ...(sealed ? { signature: "s" } : {}) })),
    fc.tuple(fc.nat(9), fc.boolean()).map(([a, sealed]) => ({ open: a, sealed })),
    fc.tuple(fc.nat(2), piece).map(([back, said]) => ({ back, said })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (steps) => {
      const events: ChatEvent[] = [start];
      const calls: string[] = [];
      // A run of calls whose arguments come in any order; then something else.
      let run = 0;
      const close = (): void => {
        for (let index = run; index < calls.length; index++) events.push(argue(index, `${calls[index]}"}`));
        run = calls.length;
      };
      for (const step of steps) {
        if ("open" in step) {
          events.push(call(calls.length, step.sealed ? { signature: "seal" } : {}), argue(calls.length, '{"a":"'));
          calls.push("");
        } else if ("back" in step) {
          const index = calls.length - 1 - step.back;
          if (index >= run) events.push(argue(index, JSON.stringify(step.said).slice(1, -1)));
        } else {
          close();
          events.push(step);
        }
      }
      close();
      events.push(stop, usage);
      const { context } = answerContext();
      const one = await readWhole(anthropicMessages.encodeResponse(events, context));
      expect(kept(await readStream(encodeStream(events, context)))).toEqual(kept(one));
    }),
    { numRuns: 60 },
  );
});

const failure = (status: number, message = "Why."): FailureBody => ({
  status,
  message,
  type: "server_error",
  param: null,
  code: "c",
  facts: { request_id: "r-1" },
});

describe("an error", () => {
  test("has Anthropic's shape and its word for the status, and ours beside it", () => {
    expect(JSON.parse(anthropicMessages.encodeFailure({ ...failure(402), code: "budget_exceeded", param: "p" }, "acme"))).toEqual({
      type: "error",
      error: { type: "billing_error", message: "Why." },
      request_id: "r-1",
      acme: { code: "budget_exceeded", param: "p", request_id: "r-1" },
    });
    const words: Record<number, string> = {
      400: "invalid_request_error",
      401: "authentication_error",
      402: "billing_error",
      403: "permission_error",
      404: "not_found_error",
      408: "invalid_request_error",
      409: "conflict_error",
      413: "request_too_large",
      422: "invalid_request_error",
      429: "rate_limit_error",
      500: "api_error",
      502: "api_error",
      503: "overloaded_error",
      504: "timeout_error",
      529: "overloaded_error",
    };
    const typeOf = (status: number): string => JSON.parse(anthropicMessages.encodeFailure(failure(status), "tollway")).error.type;
    for (const [status, word] of Object.entries(words)) expect([status, typeOf(Number(status))]).toEqual([status, word]);
    for (const { status } of Object.values(FAILURES)) expect(typeOf(status)).toMatch(/_error$|^request_too_large$/);
  });
});
