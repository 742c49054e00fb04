// What other gateways charged wrongly, each by its issue's number, and what Tollway charges.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import { settle } from "../../src/policy/settlement";
import { openPrices } from "../../src/store/prices";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";
import { ask, chatAnswer, chatChunk, messagesStream, namedSse, post, spent, sse, stream, until } from "./lessons";

let upstream: Upstream;
let house: RunningHouse;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  upstream.forget();
  house = await startHouse({ upstream: upstream.url });
  key = await house.key();
});
afterEach(() => house.close());

const onlyRow = async () => {
  await house.settled();
  const { data } = await house.ports.records.audit({ organizationId: "default", limit: 10 });
  expect(data).toHaveLength(1);
  expect(data[0]?.attempts).toHaveLength(1);
  const [row] = data[0]?.attempts ?? [];
  if (!row) throw new Error("There is no row");
  return row;
};

describe("cached tokens:", () => {
  test("litellm #6215: OpenAI's cached tokens were charged at the full rate, and again at their own", async () => {
    const usage = {
      prompt_tokens: 2_006,
      completion_tokens: 300,
      total_tokens: 2_306,
      prompt_tokens_details: { cached_tokens: 1_920 },
      completion_tokens_details: { reasoning_tokens: 0 },
    };
    upstream.play(chatAnswer("gpt-4o", usage));
    expect((await house.chat(key, ask("gpt-4o"))).status).toBe(200);
    // 86 fresh at $2.50, 1,920 cached at $1.25, 300 out at $10 a million.
    expect(await spent(house)).toBe(215_000n + 2_400_000n + 3_000_000n);
  });

  test("bifrost #904: cached tokens were charged as fresh ones, $1.68 instead of $0.34", async () => {
    const usage = {
      prompt_tokens: 51_232 + 1_188_096,
      completion_tokens: 12_909,
      total_tokens: 1_252_237,
      prompt_tokens_details: { cached_tokens: 1_188_096 },
    };
    upstream.play(chatAnswer("gpt-5", usage));
    expect((await house.chat(key, ask("gpt-5"))).status).toBe(200);
    expect(await spent(house)).toBe(341_642_000n);
  });

  test("bifrost #3451: tokens written to the cache in an Anthropic stream were charged twice, $1.86 instead of $1.06", async () => {
    const usage = { input_tokens: 6, cache_creation_input_tokens: 159_217, cache_read_input_tokens: 0 };
    upstream.play(stream(messagesStream("claude-opus-4-7", usage, 2_745)));
    const body = ask("claude-opus-4-7", { max_tokens: 4_000, stream: true });
    await (await post(house, key, "/v1/messages", body, { headers: { "anthropic-version": "2023-06-01" } })).text();
    expect(await spent(house)).toBe(1_063_761_250n);
  });

  test("Portkey #1564: prompt_tokens of an Anthropic answer left the cached tokens out, total_tokens did not", async () => {
    const usage = { input_tokens: 100, cache_creation_input_tokens: 0, cache_read_input_tokens: 50, output_tokens: 100 };
    const message = {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-sonnet-4-0",
      content: [{ type: "text", text: "Hello" }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage,
    };
    upstream.play({ headers: { "content-type": "application/json" }, body: JSON.stringify(message) });
    const answer = (await (await house.chat(key, ask("claude-sonnet-4-0", { max_tokens: 200 }))).json()) as { usage: object };
    expect(answer.usage).toMatchObject({
      prompt_tokens: 150,
      completion_tokens: 100,
      total_tokens: 250,
      prompt_tokens_details: { cached_tokens: 50 },
    });
    // 100 fresh at $3, 50 read at $0.30, 100 out at $15 a million.
    expect(await spent(house)).toBe(300_000n + 15_000n + 1_500_000n);
  });
});

/** Pieces of five tokens that a caller sees before it leaves. */
const WORDS = 40;

describe("a caller that leaves:", () => {
  const leaving = async (path: string, body: object): Promise<void> => {
    const left = new AbortController();
    const response = await post(house, key, path, body, { signal: left.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    for (let text = ""; text.split("several words").length <= WORDS; )
      text += decoder.decode((await reader.read()).value, { stream: true });
    left.abort();
    await upstream.requests[0]?.gone;
  };

  test("litellm #33736: a stream that the caller cut was charged nothing", async () => {
    const said = sse(...Array.from({ length: WORDS }, () => chatChunk("gpt-4o", " several words of an answer")));
    upstream.play(stream(said, { pauses: [{ afterBytes: said.length, until: "never" }] }));
    await leaving("/v1/chat/completions", ask("gpt-4o", { stream: true, max_tokens: 500 }));
    const row = await onlyRow();
    expect(row).toMatchObject({ settlement: "counted", usageSource: "counted" });
    expect(row.flags).toContain("caller_gone");
    // What was seen was some 200 tokens at $10 a million, and is charged in full.
    expect(row.cost ?? 0n).toBeGreaterThan(1_000_000n);
    expect(row.cost ?? 0n).toBeLessThanOrEqual(row.bound ?? 0n);
  });

  test("new-api #5235: a Responses stream that ended without its usage had everything refunded", async () => {
    const response = { id: "resp_1", object: "response", created_at: 1_790_000_000, status: "in_progress", model: "gpt-4o", output: [] };
    const item = { id: "msg_1", type: "message", role: "assistant", status: "in_progress", content: [] };
    const words = Array.from({ length: WORDS }, (_, n) => ({
      type: "response.output_text.delta",
      sequence_number: n + 4,
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta: " several words of an answer",
      logprobs: [],
    }));
    const said = namedSse(
      { type: "response.created", sequence_number: 0, response } as { type: string },
      { type: "response.in_progress", sequence_number: 1, response } as { type: string },
      { type: "response.output_item.added", sequence_number: 2, output_index: 0, item } as { type: string },
      {
        type: "response.content_part.added",
        sequence_number: 3,
        item_id: "msg_1",
        output_index: 0,
        content_index: 0,
        part: { type: "output_text", text: "", annotations: [], logprobs: [] },
      } as { type: string },
      ...words,
    );
    upstream.play(stream(said, { pauses: [{ afterBytes: said.length, until: "never" }] }));
    await leaving("/v1/responses", { model: "gpt-4o", input: "Hello", stream: true, max_output_tokens: 500 });
    const row = await onlyRow();
    expect(row.settlement).toBe("counted");
    expect(row.cost ?? 0n).toBeGreaterThan(1_000_000n);
  });

  test("litellm #13245: a whole answer that the caller did not wait for was charged its input alone", async () => {
    upstream.play({ beforeHeaders: "never" });
    const left = new AbortController();
    const pending = house.chat(key, ask("gpt-4o", { max_tokens: 500 }), { signal: left.signal }).catch(() => undefined);
    const request = await upstream.request(1);
    left.abort();
    await pending;
    await request.gone;
    const row = await onlyRow();
    // Nobody knows what the provider will bill: the most that it can.
    expect(row).toMatchObject({ settlement: "ceiling", cost: row.bound });
    expect(row.bound ?? 0n).toBeGreaterThan(5_000_000n);
  });
});

describe("a provider that fails:", () => {
  test.each([401, 402, 404, 429, 500])("new-api #95: a stream that the provider refused with %d was charged", async (status) => {
    upstream.play({ status, headers: { "content-type": "application/json" }, body: '{"error":{"message":"no"}}' }, { times: "always" });
    expect((await house.chat(key, ask("gpt-4o", { stream: true }))).status).toBeGreaterThanOrEqual(400);
    expect(await spent(house)).toBe(0n);
    expect(house.ports.counters.read("organization:default", "live").reserved).toBe(nanoUsd(0n));
  });

  test("new-api #5287: the words of a provider's error, sent after its 200, were charged as output", async () => {
    const words = "overloaded, please try again later ".repeat(200);
    upstream.play(stream(sse({ error: { message: words, type: "server_error" } })), { times: "always" });
    const text = await (await house.chat(key, ask("gpt-4o", { stream: true, max_tokens: 2_000 }))).text();
    expect(text).not.toContain("[DONE]");
    await house.settled();
    const { data } = await house.ports.records.audit({ organizationId: "default", limit: 10 });
    for (const row of data.flatMap(({ attempts }) => attempts)) {
      expect(row.usage?.outputTokens ?? 0).toBe(0);
      // The input, at most: some ten tokens at $2.50 a million.
      expect(row.cost ?? 0n).toBeLessThan(100_000n);
    }
  });

  test("litellm #37992: a provider's explicit zeros were taken for nothing told, and an estimate was charged", () => {
    const price = openPrices().price("openai", "gpt-4o", Date.UTC(2026, 10, 23));
    const zeros = { inputTokens: 0, outputTokens: 0 };
    const counts = { countInputTokens: () => 500, countOutputTokens: () => 500 };
    for (const ending of ["complete", "broken"] as const) {
      const settled = settle({ ending, stream: true, reasons: false, usage: zeros, ...counts }, price, nanoUsd(9_000_000n));
      expect(settled).toMatchObject({ settlement: "exact", cost: 0n });
    }
  });
});

describe("a cost that the provider tells:", () => {
  const usage = { prompt_tokens: 1_000, completion_tokens: 1_000, total_tokens: 2_000 };

  test("litellm #37924: a stream's usage.cost of 0 was taken for its cost, and budgets never came to their end", async () => {
    const last = { ...chatChunk("gpt-4o", ""), choices: [], usage: { ...usage, cost: 0 } };
    const finish = { ...chatChunk("gpt-4o", ""), choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }] };
    upstream.play(stream(`${sse(chatChunk("gpt-4o", "Hello"), finish, last)}data: [DONE]\n\n`));
    await (await house.chat(key, ask("gpt-4o", { stream: true }))).text();
    // 1,000 in at $2.50, 1,000 out at $10 a million.
    expect(await spent(house)).toBe(12_500_000n);
    upstream.play(chatAnswer("gpt-4o", { ...usage, cost: 0 }));
    await house.chat(key, ask("gpt-4o"));
    expect(await spent(house)).toBe(25_000_000n);
  });

  test("and the other way about: what is free by the table too costs nothing, and what is told above 0 is believed", async () => {
    const free = "meta-llama/llama-3.3-70b-instruct:free";
    const own = await startHouse({ upstream: upstream.url, connect: ["openrouter"] });
    const ownKey = await own.key();
    upstream.play(chatAnswer(free, { ...usage, cost: 0 }));
    await own.chat(ownKey, ask(free));
    expect(await spent(own)).toBe(0n);
    upstream.play(chatAnswer("openai/gpt-4o", { ...usage, cost: 0.001 }));
    await own.chat(ownKey, ask("openai/gpt-4o"));
    expect(await spent(own)).toBe(1_000_000n);
    await own.close();
  });
});

describe("two endings of one call:", () => {
  test("new-api #2877: a refund and a settlement of the same call were both booked", async () => {
    upstream.play({ ...chatAnswer("gpt-4o", { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 }) });
    await house.chat(key, ask("gpt-4o", { max_tokens: 10 }));
    const row = await onlyRow();
    const before = await spent(house);
    const { settlement, usage, usageSource, cost, upstreamStatus, errorCode, finishReason, latencyMs, timeToFirstChunkMs, flags } = row;
    const outcome = { settlement, usage, usageSource, cost, upstreamStatus, errorCode, finishReason, latencyMs, timeToFirstChunkMs, flags };
    const refund = { ...outcome, settlement: "released" as const, cost: nanoUsd(0n) };
    await Promise.allSettled([house.ports.ledger.settle(row, refund), house.ports.ledger.settle(row, outcome)]);
    expect(await spent(house)).toBe(before);
    expect((await onlyRow()).cost).toBe(cost);
    expect(house.ports.counters.read("organization:default", "live").reserved).toBe(nanoUsd(0n));
  });

  test("litellm #20615: one call at a wrong price blocked a key that has no budget", async () => {
    upstream.play(chatAnswer("gpt-4o", { prompt_tokens: 100_000_000, completion_tokens: 1, total_tokens: 100_000_001 }));
    upstream.play(chatAnswer("gpt-4o", { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }));
    await house.chat(key, ask("gpt-4o"));
    await until(async () => (await spent(house)) > 250_000_000_000n);
    expect((await house.chat(key, ask("gpt-4o"))).status).toBe(200);
  });
});
