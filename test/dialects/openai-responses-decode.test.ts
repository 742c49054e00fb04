import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { nanoUsd } from "../../src/core/money";
import { decodeResponsesAnswer } from "../../src/dialects/openai-responses-answer";
import { encodeResponsesUsage } from "../../src/dialects/openai-responses-usage";
import { cuts, ownRecordings, recording, recordings, sharedMissing } from "../recordings/load";
import { failureOf, text, utf8 } from "./openai-chat-replay";
import { answers, decode, decodeStream, lastResponse, plain, said } from "./openai-responses-recorded";

const own = (name: string) => recording(`own/openai/responses.${name}`);
const kinds = (events: readonly ChatEvent[]): string => events.map((event) => event.type).join(" ");
const usageOf = (events: readonly ChatEvent[]) => events.findLast((event) => event.type === "usage")?.usage;
const whole = (output: object[], more: object = {}): ChatEvent[] =>
  decodeResponsesAnswer(JSON.stringify({ id: "r", model: "m", status: "completed", output, ...more }));
const stream = (...events: object[]): ChatEvent[] =>
  decodeStream(utf8(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")));
const completed = (output: object[] = [], more: object = {}) => ({
  type: "response.completed",
  response: { id: "r", status: "completed", output, ...more },
});
/** To compare a stream with the answer that it ends with, where OpenAI rounds log probabilities and seals thoughts anew. */
const alike = (events: readonly ChatEvent[]): ChatEvent[] =>
  JSON.parse(said(events), (key, value: unknown) => {
    if (key === "logprob" && typeof value === "number") return value.toFixed(5);
    return key === "signature" ? typeof value : value;
  });
const message = (...content: object[]) => ({ type: "message", id: "msg", role: "assistant", content });

describe("our own exchanges", () => {
  test("thoughts, sources and searches of a whole answer", () => {
    const events = decode(own("reasoning.1"));
    expect(kinds(events)).toBe("start reasoning text annotations finish usage");
    expect(events[1]).toEqual({
      type: "reasoning",
      choice: 0,
      block: 0,
      text: "Where is Bonn?\n\nOn the Rhine.",
      signature: "gAAAAAown1==",
      from: "openai-responses",
      id: "rs_own1",
    });
    expect(events[3]).toEqual({
      type: "annotations",
      choice: 0,
      annotations: [
        { type: "url_citation", url_citation: { url: "https://example.org/bonn", title: "Bonn", start_index: 24, end_index: 27 } },
      ],
    });
    expect(usageOf(events)).toEqual({
      inputTokens: 210,
      outputTokens: 48,
      cacheReadInputTokens: 128,
      cacheCreationInputTokens: 16,
      reasoningOutputTokens: 20,
      // The page that was opened after the search has no fee.
      toolCalls: { web_search: 1 },
      serviceTier: "default",
      reportedCost: undefined,
    });
  });

  test("a stream's calls are opened in turn, with groups and free text, and the seal is the finished one", () => {
    const events = plain(decode(own("tools-stream.1")));
    expect(events.slice(1, -1)).toEqual([
      {
        type: "reasoning",
        choice: 0,
        block: 0,
        text: "Two calls.",
        signature: "gAAAAAown2==",
        from: "openai-responses",
        id: "rs_own2",
      },
      { type: "tool-call", choice: 0, index: 0, id: "call_own1", name: "weather" },
      { type: "tool-arguments", choice: 0, index: 0, text: '{"city":"Bonn"}' },
      { type: "tool-call", choice: 0, index: 1, id: "call_own2", name: "weather", namespace: "europe" },
      { type: "tool-arguments", choice: 0, index: 1, text: '{"city":"Ulm"}' },
      { type: "tool-call", choice: 0, index: 2, id: "call_own3", name: "shell", custom: true },
      { type: "tool-arguments", choice: 0, index: 2, text: "ls -l" },
      { type: "finish", choice: 0, reason: "tool_calls", raw: "completed" },
    ]);
  });

  test("what came only whole is told once, what came in pieces too, and unknown events say nothing", () => {
    const events = plain(decode(own("loose-stream.1")));
    expect(events.slice(1)).toEqual([
      { type: "reasoning", choice: 0, block: 0, text: "Look outside.", from: "openai-responses", id: "rs_own4" },
      { type: "text", choice: 0, text: "It is sunny." },
      { type: "refusal", choice: 0, text: "No more." },
      { type: "tool-call", choice: 0, index: 0, id: "call_own4", name: "now" },
      { type: "tool-arguments", choice: 0, index: 0, text: "{}" },
      { type: "finish", choice: 0, reason: "tool_calls", raw: "completed" },
      { type: "usage", usage: expect.objectContaining({ inputTokens: 30, outputTokens: 12, reportedCost: nanoUsd(82_500n) }) },
    ]);
  });

  test("an answer that reached its limit says why it ended", () => {
    const events = plain(decode(own("max-tokens-stream.1")));
    expect(events[1]).toEqual({ type: "text", choice: 0, text: "Grüße aus" });
    expect(events[2]).toEqual({ type: "finish", choice: 0, reason: "length", raw: "max_output_tokens" });
  });

  test("a stream that breaks off is a failure in the provider's words", () => {
    const failure = failureOf(() => decode(own("midstream-error.1")));
    expect([failure.code, failure.message]).toEqual([
      "upstream_error",
      "The provider failed: The server had an error while processing your request.",
    ]);
  });

  test("a stream gives equal events wherever it is cut in two", () => {
    for (const { id, body } of ownRecordings("openai", "openai-responses").filter((each) => each.stream && !each.id.includes("error"))) {
      const expected = said(decodeStream(body));
      for (const cut of cuts(body))
        if (said(decodeStream(body.subarray(0, cut), body.subarray(cut))) !== expected) throw new Error(`${id} differs when cut at ${cut}`);
    }
  });

  test("a stream that ends before its last event is truncated", () => {
    for (const { body } of answers(true).filter((each) => each.id.startsWith("own/"))) {
      const last = text(body).lastIndexOf('{"type":"response.');
      for (let cut = 0; cut < last; cut += 7) expect(failureOf(() => decodeStream(body.subarray(0, cut))).code).toBe("stream_truncated");
    }
  });
});

describe("answers", () => {
  test("places of a later part's sources count from the start of all text", () => {
    const cited = { type: "url_citation", url: "https://a", start_index: 0, end_index: 1 };
    const events = whole([
      message({ type: "output_text", text: "12345" }),
      { ...message({ type: "output_text", text: "b", annotations: [cited, { type: "file_citation", file_id: "f" }] }), id: "msg2" },
    ]);
    expect(events.find((event) => event.type === "annotations")?.annotations).toEqual([
      { type: "url_citation", url_citation: { url: "https://a", title: "https://a", start_index: 5, end_index: 6 } },
      { type: "file_citation", file_id: "f" },
    ]);
  });

  test("images are images, by value or by address", () => {
    const image = (result: string, more: object = {}) => ({ type: "image_generation_call", id: `ig_${result}`, result, ...more });
    const events = whole([image("aGk=", { output_format: "webp" }), image("https://a/b.png"), image("aGkh")]);
    expect(events.flatMap((event) => (event.type === "image" ? [event.media] : []))).toEqual([
      { kind: "base64", mediaType: "image/webp", data: "aGk=" },
      { kind: "url", url: "https://a/b.png" },
      { kind: "base64", mediaType: "image/png", data: "aGkh" },
    ]);
    expect(usageOf(events)?.toolCalls).toEqual({ image_generation: 3 });
  });

  test("code is charged by the container, hosted tools without a fee are silent", () => {
    const code = (container_id: string) => ({ type: "code_interpreter_call", container_id, code: "1" });
    const events = whole([code("a"), code("a"), code("b"), { type: "mcp_call", id: "x" }, { type: "file_search_call", id: "y" }], {
      usage: { input_tokens: 1, output_tokens: 2 },
    });
    expect(kinds(events)).toBe("start finish usage");
    expect(usageOf(events)?.toolCalls).toEqual({ code_interpreter: 2, file_search: 1 });
  });

  test("thoughts that show nothing and have no seal are no event", () => {
    expect(kinds(whole([{ type: "reasoning", id: "rs", summary: [] }, message({ type: "output_text", text: "a" })]))).toBe(
      "start text finish",
    );
  });

  test("log probabilities come with their text", () => {
    const logprobs = [{ token: "a", logprob: -1, bytes: [97], top_logprobs: [] }];
    expect(whole([message({ type: "output_text", text: "a", logprobs })])[1]).toEqual({ type: "text", choice: 0, text: "a", logprobs });
  });

  test("why an answer was cut is said in our words and the provider's", () => {
    const cut = (reason?: string) =>
      whole([], { status: "incomplete", incomplete_details: reason === undefined ? null : { reason } }).find(
        ({ type }) => type === "finish",
      );
    expect(cut("max_output_tokens")).toMatchObject({ reason: "length", raw: "max_output_tokens" });
    expect(cut("content_filter")).toMatchObject({ reason: "content_filter", raw: "content_filter" });
    expect(cut()).toMatchObject({ reason: "length", raw: "incomplete" });
  });

  test("what is not a finished answer is a failure of the provider", () => {
    for (const body of [
      "",
      "[]",
      "{}",
      '{"error":{"message":"x"}}',
      '{"status":"queued","output":[]}',
      '{"status":"cancelled","output":[]}',
    ])
      expect(failureOf(() => decodeResponsesAnswer(body)).code).toBe("upstream_error");
    const failed = JSON.stringify({ status: "failed", output: [], error: { code: "context_length_exceeded", message: "too long" } });
    expect(failureOf(() => decodeResponsesAnswer(failed)).code).toBe("context_length_exceeded");
    expect(failureOf(() => whole([{ type: "function_call", arguments: "{}" }])).code).toBe("upstream_error");
  });
});

describe("streams", () => {
  const call = { type: "function_call", id: "fc", call_id: "c", name: "f", arguments: '{"a":1}' };

  test("a call whose opening was not sent is told whole", () => {
    const events = stream(
      { type: "response.function_call_arguments.delta", output_index: 0, item_id: "fc", delta: '{"a":1}' },
      { type: "response.output_item.done", output_index: 0, item: call },
      completed([call]),
    );
    expect(kinds(events)).toBe("tool-call tool-arguments start finish");
  });

  test("a text whose opening was not sent is told as it comes, and once", () => {
    const item = message({ type: "output_text", text: "ab" });
    const events = stream(
      { type: "response.output_text.delta", output_index: 0, item_id: "msg", content_index: 0, delta: "a" },
      { type: "response.output_text.done", output_index: 0, item_id: "msg", content_index: 0, text: "ab" },
      { type: "response.output_item.done", output_index: 0, item },
      completed([item]),
    );
    expect(events.flatMap((event) => (event.type === "text" ? [event.text] : []))).toEqual(["a", "b"]);
  });

  test("items are known again by their place where their ids change on the way", () => {
    const item = (id: string) => ({ ...message({ type: "output_text", text: "a" }), id });
    const events = stream(
      { type: "response.output_item.added", output_index: 0, item: { ...item("one"), content: [] } },
      { type: "response.output_text.delta", output_index: 0, item_id: "two", content_index: 0, delta: "a" },
      { type: "response.output_item.done", output_index: 0, item: item("three") },
      completed([item("four")]),
    );
    expect(kinds(events)).toBe("text start finish");
  });

  test("errors are failures in every shape they come in", () => {
    for (const event of [
      { type: "error", code: "server_error", message: "broke", param: null },
      { type: "error", error: { code: "server_error", message: "broke" } },
      { error: { code: 502, message: "broke" } },
      { type: "response.failed", response: { status: "failed", error: { code: "server_error", message: "broke" } } },
    ])
      expect(failureOf(() => stream(event)).message).toBe("The provider failed: broke");
    expect(failureOf(() => decodeStream(utf8('event: error\ndata: {"message":"broke"}\n\n'))).message).toBe("The provider failed: broke");
    expect(failureOf(() => decodeStream(utf8("data: <html>\n\n"))).code).toBe("upstream_error");
    expect(failureOf(() => decodeStream(utf8("data: [DONE]\n\n"))).code).toBe("stream_truncated");
  });
});

describe("encodeResponsesUsage()", () => {
  test("writes what is known with our cost, the two parts that clients read always, and nothing without both totals", () => {
    expect(encodeResponsesUsage({ inputTokens: 3, outputTokens: 4, cacheCreationInputTokens: 1 }, nanoUsd(1_500_000n))).toEqual({
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 1 },
      output_tokens: 4,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 7,
      cost: 0.0015,
    });
    expect(encodeResponsesUsage({ inputTokens: 3 }, nanoUsd(1n))).toBeUndefined();
    expect(encodeResponsesUsage(undefined, undefined)).toBeUndefined();
  });
});

describe.skipIf(sharedMissing)("recordings of every provider", () => {
  test("all of them are there, and every answer is read to its end", () => {
    expect(recordings(undefined, "openai-responses").length).toBe(68);
    for (const each of answers()) {
      const events = decode(each);
      expect([each.id, events[0]?.type, events.filter(({ type }) => type === "finish").length]).toEqual([each.id, "start", 1]);
    }
  });

  test("a stream says what its last event holds, and nothing twice", () => {
    for (const { id, body } of answers(true)) {
      const held = decodeResponsesAnswer(JSON.stringify(lastResponse(body)));
      expect([id, alike(plain(decodeStream(body)))]).toEqual([id, alike(plain(held))]);
    }
  });

  test("streams give equal events wherever they are cut in two", () => {
    for (const { id, body } of answers(true)) {
      const expected = said(decodeStream(body));
      // Of long streams every some-and-twentieth place: each takes a while.
      const step = body.length > 8192 ? 23 : 1;
      for (const [at, cut] of cuts(body).entries()) {
        if (at % step === 0 && said(decodeStream(body.subarray(0, cut), body.subarray(cut))) !== expected)
          throw new Error(`${id} differs when cut at ${cut}`);
      }
    }
  }, 60_000);

  test("streams give equal events byte by byte", () => {
    for (const { id, body } of answers(true)) {
      const bytes = Array.from(body, (_, i) => body.subarray(i, i + 1));
      expect([id, said(decodeStream(...bytes))]).toEqual([id, said(decodeStream(body))]);
    }
  });

  test("usage is what the provider said, reasoning inside the output tokens at all of them", () => {
    for (const each of answers()) {
      const response = each.stream ? lastResponse(each.body) : JSON.parse(text(each.body));
      const told = response.usage;
      const usage = usageOf(decode(each));
      expect([each.id, usage?.inputTokens, usage?.outputTokens]).toEqual([each.id, told.input_tokens, told.output_tokens]);
      expect(told.total_tokens).toBe(told.input_tokens + told.output_tokens);
      expect(usage?.cacheReadInputTokens).toBe(told.input_tokens_details.cached_tokens);
      expect(usage?.cacheCreationInputTokens).toBe(told.input_tokens_details.cache_write_tokens);
      expect(usage?.reasoningOutputTokens).toBe(told.output_tokens_details.reasoning_tokens);
      expect(usage?.serviceTier).toBe(response.service_tier ?? undefined);
      const ticks = told.cost_in_usd_ticks;
      if (ticks !== undefined) expect(usage?.reportedCost).toBe(nanoUsd((BigInt(ticks) + 9n) / 10n));
      else if (told.cost !== undefined) expect(Number(usage?.reportedCost) / 1e9).toBeCloseTo(told.cost, 9);
      else expect(usage?.reportedCost).toBeUndefined();
    }
  });

  test("the recorded break is a failure", () => {
    expect(failureOf(() => decode(recording("openai/responses.midstream-error.1"))).message).toContain("Request too large for gpt-4o");
  });
});
