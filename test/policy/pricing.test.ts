// Costs checked by hand: each row has the usage as the provider told it, the rates as they stand in its price list, and the
// cost in nano-USD worked out on paper (a rate of $2.50 per million tokens is 2,500 nano-USD a token).
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nanoUsd, perMillion } from "../../src/core/money";
import type { Price, Rates } from "../../src/core/price";
import type { Usage } from "../../src/core/usage";
import { costOf } from "../../src/policy/pricing";
import { openPrices } from "../../src/store/prices";
import { recording, sharedMissing } from "../recordings/load";
import { usageOfRecording } from "./recorded-usage";

const prices = openPrices();
const AT = Date.parse("2026-10-01T12:00:00Z");

interface Row {
  id: string;
  model: string;
  usage: Usage;
  /** What the price list says, nano-USD per million. */
  rates: Partial<Record<keyof Rates, bigint>>;
  cost: bigint;
}

const OPENAI: readonly Row[] = [
  {
    // 19 × 2,500 + 2 audio × 40,000 + 1 × 10,000 = 47,500 + 80,000 + 10,000
    id: "openai/chat.audio-input.1",
    model: "gpt-4o-audio-preview-2025-06-03",
    usage: {
      inputTokens: 21,
      outputTokens: 1,
      cacheReadInputTokens: 0,
      inputAudioTokens: 2,
      outputAudioTokens: 0,
      reasoningOutputTokens: 0,
    },
    rates: { input: 2_500_000_000n, inputAudio: 40_000_000_000n, output: 10_000_000_000n, outputAudio: 80_000_000_000n },
    cost: 137_500n,
  },
  {
    // 8 × 4,000 + 4,012 cached × 400 + 4 × 20,000 = 32,000 + 1,604,800 + 80,000
    id: "openai/chat.cache-control-request.1",
    model: "gpt-5.6-sol",
    usage: { inputTokens: 4020, outputTokens: 4, cacheReadInputTokens: 4012, cacheCreationInputTokens: 0 },
    rates: { input: 4_000_000_000n, cacheRead: 400_000_000n, cacheWrite: 5_000_000_000n, output: 20_000_000_000n },
    cost: 1_716_800n,
  },
  {
    // 140 × 2,500 + 1,280 cached × 1,250 + 100 × 10,000 = 350,000 + 1,600,000 + 1,000,000
    id: "openai/chat.cache-read-stream.1",
    model: "gpt-4o-2024-08-06",
    usage: { inputTokens: 1420, outputTokens: 100, cacheReadInputTokens: 1280 },
    rates: { input: 2_500_000_000n, cacheRead: 1_250_000_000n, output: 10_000_000_000n },
    cost: 2_950_000n,
  },
  {
    // 13 × 150 + 197 × 600 + one search at $25 per thousand = 1,950 + 118,200 + 25,000,000
    id: "openai/chat.citations.1",
    model: "gpt-4o-mini-search-preview-2025-03-11",
    usage: { inputTokens: 13, outputTokens: 197 },
    rates: { input: 150_000_000n, output: 600_000_000n },
    cost: 25_120_150n,
  },
  {
    // 2,245 × 50 + 100 × 400 (all of it reasoning) = 112,250 + 40,000
    id: "openai/chat.image-base64.1",
    model: "gpt-5-nano-2025-08-07",
    usage: { inputTokens: 2245, outputTokens: 100, reasoningOutputTokens: 100 },
    rates: { input: 50_000_000n, output: 400_000_000n },
    cost: 152_250n,
  },
  {
    // Priority: 8 × 2,500 + 11 × 20,000 = 20,000 + 220,000
    id: "openai/chat.service-tier.1",
    model: "gpt-5-2025-08-07",
    usage: { inputTokens: 8, outputTokens: 11, serviceTier: "priority" },
    rates: { input: 1_250_000_000n, output: 10_000_000_000n },
    cost: 240_000n,
  },
  {
    // 7 × 2,500 + 10 × 15,000 = 17,500 + 150,000
    id: "openai/chat.logprobs-stream.1",
    model: "gpt-5.4-2026-03-05",
    usage: { inputTokens: 7, outputTokens: 10, serviceTier: "default" },
    rates: { input: 2_500_000_000n, output: 15_000_000_000n },
    cost: 167_500n,
  },
  {
    // 13 × 250 + 50 × 2,000 = 3,250 + 100,000
    id: "openai/chat.max-tokens-stream.1",
    model: "gpt-5-mini-2025-08-07",
    usage: { inputTokens: 13, outputTokens: 50, reasoningOutputTokens: 50 },
    rates: { input: 250_000_000n, output: 2_000_000_000n },
    cost: 103_250n,
  },
  {
    // 56 × 100 + 1,024 cached × 25 + 7 × 400 = 5,600 + 25,600 + 2,800
    id: "openai/chat.pdf-input.1",
    model: "gpt-4.1-nano-2025-04-14",
    usage: { inputTokens: 1080, outputTokens: 7, cacheReadInputTokens: 1024 },
    rates: { input: 100_000_000n, cacheRead: 25_000_000n, output: 400_000_000n },
    cost: 34_000n,
  },
  {
    // Two answers, one input: 620 × 150 + 69 × 600 = 93,000 + 41,400
    id: "openai/chat.n-choices.1",
    model: "gpt-4o-mini-2024-07-18",
    usage: { inputTokens: 620, outputTokens: 69 },
    rates: { input: 150_000_000n, output: 600_000_000n },
    cost: 134_400n,
  },
];

const ANTHROPIC: readonly Row[] = [
  {
    // Told apart: 11 + 2,055 read. 11 × 3,000 + 2,055 × 300 + 100 × 15,000 = 33,000 + 616,500 + 1,500,000
    id: "anthropic/messages.cache-read.1",
    model: "claude-sonnet-4-20250514",
    usage: { inputTokens: 2066, outputTokens: 100, cacheReadInputTokens: 2055, cacheCreationInputTokens: 0, serviceTier: "standard" },
    rates: { input: 3_000_000_000n, cacheRead: 300_000_000n, output: 15_000_000_000n },
    cost: 2_149_500n,
  },
  {
    // 10 × 3,000 + 1 read × 300 + 2 written × 3,750 + 21 × 15,000 = 30,000 + 300 + 7,500 + 315,000
    id: "anthropic/messages.cache-read.2",
    model: "claude-sonnet-4-5-20250929",
    usage: { inputTokens: 13, outputTokens: 21, cacheReadInputTokens: 1, cacheCreationInputTokens: 2, cacheCreation1hInputTokens: 0 },
    rates: { input: 3_000_000_000n, cacheRead: 300_000_000n, cacheWrite: 3_750_000_000n, output: 15_000_000_000n },
    cost: 352_800n,
  },
  {
    // 2 × 2,000 + 1,135 written × 2,500 + 142 × 10,000 = 4,000 + 2,837,500 + 1,420,000
    id: "anthropic/messages.image-base64.2",
    model: "claude-sonnet-5",
    usage: { inputTokens: 1137, outputTokens: 142, cacheCreationInputTokens: 1135, reasoningOutputTokens: 67 },
    rates: { input: 2_000_000_000n, cacheWrite: 2_500_000_000n, output: 10_000_000_000n },
    cost: 4_261_500n,
  },
  {
    // 3 × 1,000 + 37 written × 1,250 + 17,269 read × 100 + 10 × 5,000 = 3,000 + 46,250 + 1,726,900 + 50,000
    id: "anthropic/messages.reasoning-roundtrip-stream.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 17_309, outputTokens: 10, cacheReadInputTokens: 17_269, cacheCreationInputTokens: 37 },
    rates: { input: 1_000_000_000n, cacheRead: 100_000_000n, cacheWrite: 1_250_000_000n, output: 5_000_000_000n },
    cost: 1_826_150n,
  },
  {
    // 1,921 × 5,000 + 78 × 25,000 = 9,605,000 + 1,950,000
    id: "anthropic/messages.image-base64.1",
    model: "claude-opus-4-6",
    usage: { inputTokens: 1921, outputTokens: 78 },
    rates: { input: 5_000_000_000n, output: 25_000_000_000n },
    cost: 11_555_000n,
  },
  {
    // 674 × 1,000 + 39 × 5,000 = 674,000 + 195,000
    id: "anthropic/messages.citations.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 674, outputTokens: 39 },
    rates: { input: 1_000_000_000n, output: 5_000_000_000n },
    cost: 869_000n,
  },
  {
    // 11 × 3,000 + 1,031 read × 300 + 100 × 15,000 = 33,000 + 309,300 + 1,500,000
    id: "anthropic/messages.max-tokens-stream.1",
    model: "claude-sonnet-4-20250514",
    usage: { inputTokens: 1042, outputTokens: 100, cacheReadInputTokens: 1031 },
    rates: { input: 3_000_000_000n, cacheRead: 300_000_000n, output: 15_000_000_000n },
    cost: 1_842_300n,
  },
  {
    // 67 × 1,000 + 165 × 5,000 = 67,000 + 825,000
    id: "anthropic/messages.reasoning-stream.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 67, outputTokens: 165 },
    rates: { input: 1_000_000_000n, output: 5_000_000_000n },
    cost: 892_000n,
  },
  {
    // 18 × 10,000 + 5 × 50,000 = 180,000 + 250,000
    id: "anthropic/messages.refusal-stream.1",
    model: "claude-fable-5",
    usage: { inputTokens: 18, outputTokens: 5 },
    rates: { input: 10_000_000_000n, output: 50_000_000_000n },
    cost: 430_000n,
  },
  {
    // 28 × 1,000 + 12 × 5,000 = 28,000 + 60,000
    id: "anthropic/messages.service-tier.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 28, outputTokens: 12, serviceTier: "standard" },
    rates: { input: 1_000_000_000n, output: 5_000_000_000n },
    cost: 88_000n,
  },
];

const GEMINI: readonly Row[] = [
  {
    // 85 × 300 + 144 audio × 1,000 + 17 × 2,500 = 25,500 + 144,000 + 42,500
    id: "gemini/gemini.audio-input.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 229, outputTokens: 17, inputAudioTokens: 144 },
    rates: { input: 300_000_000n, inputAudio: 1_000_000_000n, output: 2_500_000_000n },
    cost: 212_000n,
  },
  {
    // 13 × 300 + 9,609 cached × 30 + (35 + 136) × 2,500 = 3,900 + 288,270 + 427,500
    id: "gemini/gemini.cache-read.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 9622, outputTokens: 171, cacheReadInputTokens: 9609, reasoningOutputTokens: 136, serviceTier: "standard" },
    rates: { input: 300_000_000n, cacheRead: 30_000_000n, output: 2_500_000_000n },
    cost: 719_670n,
  },
  {
    // 6 × 300 + 1,081 cached × 30 + 2 × 2,500 = 1,800 + 32,430 + 5,000
    id: "gemini/gemini.cache-read-stream.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 1087, outputTokens: 2, cacheReadInputTokens: 1081 },
    rates: { input: 300_000_000n, cacheRead: 30_000_000n, output: 2_500_000_000n },
    cost: 39_230n,
  },
  {
    // 267 × 300 + (47 + 373) × 2,500 = 80,100 + 1,050,000
    id: "gemini/gemini.image-base64.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 267, outputTokens: 420, reasoningOutputTokens: 373 },
    rates: { input: 300_000_000n, output: 2_500_000_000n },
    cost: 1_130_100n,
  },
  {
    // 194 × 1,250 + (33 + 216) × 10,000 = 242,500 + 2,490,000
    id: "gemini/gemini.parallel-tool-calls.1",
    model: "gemini-2.5-pro",
    usage: { inputTokens: 194, outputTokens: 249, reasoningOutputTokens: 216 },
    rates: { input: 1_250_000_000n, output: 10_000_000_000n },
    cost: 2_732_500n,
  },
  {
    // 13 × 2,000 + (30 + 309) × 12,000 = 26,000 + 4,068,000
    id: "gemini/gemini.json-schema.1",
    model: "gemini-3-pro-preview",
    usage: { inputTokens: 13, outputTokens: 339, reasoningOutputTokens: 309 },
    rates: { input: 2_000_000_000n, output: 12_000_000_000n },
    cost: 4_094_000n,
  },
  {
    // Cut before a word was said: 85 × 100 + 199 thought × 400 = 8,500 + 79,600
    id: "gemini/gemini.max-tokens-stream.2",
    model: "gemini-2.5-flash-lite",
    usage: { inputTokens: 85, outputTokens: 199, reasoningOutputTokens: 199 },
    rates: { input: 100_000_000n, output: 400_000_000n },
    cost: 88_100n,
  },
  {
    // 342 × 300 + 21 × 2,500 = 102,600 + 52,500
    id: "gemini/gemini.pdf-input.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 342, outputTokens: 21 },
    rates: { input: 300_000_000n, output: 2_500_000_000n },
    cost: 155_100n,
  },
  {
    // 351 × 1,500 + 217 cached × 150 + (305 + 1,027) × 9,000 + 3 search queries at $14 per thousand
    // = 526,500 + 32,550 + 11,988,000 + 42,000,000
    id: "gemini/gemini.cache-read.2",
    model: "gemini-3.5-flash",
    usage: { inputTokens: 568, outputTokens: 1332, cacheReadInputTokens: 217, reasoningOutputTokens: 1027, toolCalls: { web_search: 3 } },
    rates: { input: 1_500_000_000n, cacheRead: 150_000_000n, output: 9_000_000_000n },
    cost: 54_547_050n,
  },
  {
    // 19 + 69 of the search: 80 × 300 + 8 cached × 30 + (47 + 117) × 2,500 + one grounded prompt at $35 per thousand
    // = 24,000 + 240 + 410,000 + 35,000,000
    id: "gemini/gemini.cache-read-stream.2",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 88, outputTokens: 164, cacheReadInputTokens: 8, reasoningOutputTokens: 117, toolCalls: { web_search: 1 } },
    rates: { input: 300_000_000n, cacheRead: 30_000_000n, output: 2_500_000_000n },
    cost: 35_434_240n,
  },
];

const ROWS = [...OPENAI, ...ANTHROPIC, ...GEMINI];

describe("costs of recorded calls", () => {
  for (const { id, model, usage, rates, cost } of ROWS) {
    const provider = id.slice(0, id.indexOf("/"));
    const price = prices.price(provider, model, AT);

    test(`${id} costs ${cost} nano-USD`, () => {
      expect(price?.rates).toMatchObject(rates);
      expect(costOf(usage, price)?.total).toBe(nanoUsd(cost));
    });

    test.skipIf(sharedMissing)(`${id} costs the same from its bytes`, () => {
      const told = usageOfRecording(recording(id));
      expect(told?.inputTokens).toBe(usage.inputTokens);
      expect(told?.outputTokens).toBe(usage.outputTokens);
      expect(told && costOf(told, price)?.total).toBe(nanoUsd(cost));
    });
  }

  test("our own recordings cost what their usage says", () => {
    // 9 × 300 + (6 + 12) × 2,500 = 2,700 + 45,000
    const stream = usageOfRecording(recording("own/gemini.gemini.text-stream"));
    expect(stream && costOf(stream, prices.price("gemini", "gemini-2.5-flash", AT))?.total).toBe(nanoUsd(47_700n));
    // 900 × 1,000 + 77 × 5,000 + one search = 900,000 + 385,000 + 10,000,000
    const search = usageOfRecording(recording("own/anthropic.messages.search-stream"));
    expect(search && costOf(search, prices.price("anthropic", "claude-haiku-4-5", AT))?.total).toBe(nanoUsd(11_285_000n));
  });

  test("there are ten of each provider", () => {
    expect([OPENAI.length, ANTHROPIC.length, GEMINI.length]).toEqual([10, 10, 10]);
  });
});

const priceOf = (provider: string, model: string): Price => {
  const price = prices.price(provider, model, AT);
  if (!price) throw new Error(`${provider} ${model} is unpriced`);
  return price;
};

describe("costs of hand-made usages", () => {
  const gpt = priceOf("openai", "gpt-5.4");
  const pro = priceOf("gemini", "gemini-2.5-pro");
  const haiku = priceOf("anthropic", "claude-haiku-4-5");

  test("gpt-5.4 at exactly 272,000 input tokens has the short rates for all of it", () => {
    // 272,000 × 2,500 + 1,000 × 15,000 = 680,000,000 + 15,000,000
    expect(costOf({ inputTokens: 272_000, outputTokens: 1_000 }, gpt)?.total).toBe(nanoUsd(695_000_000n));
  });

  test("gpt-5.4 one token above has the long rates for all of it", () => {
    // 272,001 × 5,000 + 1,000 × 22,500 = 1,360,005,000 + 22,500,000
    expect(costOf({ inputTokens: 272_001, outputTokens: 1_000 }, gpt)?.total).toBe(nanoUsd(1_382_505_000n));
  });

  test("gemini-2.5-pro at exactly 200,000 and one above, cached tokens included", () => {
    // 200,000 × 1,250 + 100 × 10,000 = 250,000,000 + 1,000,000
    expect(costOf({ inputTokens: 200_000, outputTokens: 100 }, pro)?.total).toBe(nanoUsd(251_000_000n));
    // 100,001 × 2,500 + 100,000 cached × 250 + 100 × 15,000 = 250,002,500 + 25,000,000 + 1,500,000
    expect(costOf({ inputTokens: 200_001, outputTokens: 100, cacheReadInputTokens: 100_000 }, pro)?.total).toBe(nanoUsd(276_502_500n));
  });

  test("a one-hour cache write on claude-haiku-4-5 costs twice the input", () => {
    // 10 × 1,000 + 5,000 × 2,000 + 20 × 5,000 = 10,000 + 10,000,000 + 100,000
    const usage = { inputTokens: 5_010, outputTokens: 20, cacheCreationInputTokens: 5_000, cacheCreation1hInputTokens: 5_000 };
    expect(costOf(usage, haiku)?.total).toBe(nanoUsd(10_110_000n));
  });

  test("five-minute and one-hour writes mixed, with a read", () => {
    // 100 × 1,000 + 700 × 100 + 300 × 1,250 + 200 × 2,000 + 50 × 5,000 = 100,000 + 70,000 + 375,000 + 400,000 + 250,000
    const usage = {
      inputTokens: 1_300,
      outputTokens: 50,
      cacheReadInputTokens: 700,
      cacheCreationInputTokens: 500,
      cacheCreation1hInputTokens: 200,
    };
    expect(costOf(usage, haiku)).toEqual({
      total: nanoUsd(1_195_000n),
      parts: {
        input: nanoUsd(100_000n),
        cacheRead: nanoUsd(70_000n),
        cacheWrite: nanoUsd(775_000n),
        output: nanoUsd(250_000n),
        fees: nanoUsd(0n),
      },
    });
  });

  test("web searches cost their fee, web fetches nothing, other tools make the cost unknown", () => {
    // 1,000 × 1,000 + 10 × 5,000 + 3 × 10,000,000 = 1,000,000 + 50,000 + 30,000,000
    const usage = { inputTokens: 1_000, outputTokens: 10, toolCalls: { web_search: 3, web_fetch: 2 } };
    expect(costOf(usage, haiku)?.total).toBe(nanoUsd(31_050_000n));
    expect(costOf({ ...usage, toolCalls: { code_execution: 1 } }, haiku)).toBeUndefined();
    expect(costOf({ ...usage, toolCalls: { code_execution: 0 } }, haiku)?.total).toBe(nanoUsd(1_050_000n));
    expect(costOf({ ...usage, toolCalls: { toString: 1 } }, haiku)).toBeUndefined();
  });

  test("service tiers: flex is half, priority twice and fast the same word, an unknown one is unpriced", () => {
    const usage = { inputTokens: 1_000, outputTokens: 1_000 };
    // 1,000 × 2,500 + 1,000 × 15,000 = 17,500,000; half; twice
    expect(costOf({ ...usage, serviceTier: "default" }, gpt)?.total).toBe(nanoUsd(17_500_000n));
    expect(costOf({ ...usage, serviceTier: "flex" }, gpt)?.total).toBe(nanoUsd(8_750_000n));
    expect(costOf({ ...usage, serviceTier: "priority" }, gpt)?.total).toBe(nanoUsd(35_000_000n));
    expect(costOf({ ...usage, serviceTier: "FAST" }, gpt)?.total).toBe(nanoUsd(35_000_000n));
    expect(costOf({ ...usage, serviceTier: "scale" }, gpt)).toBeUndefined();
    expect(costOf({ ...usage, serviceTier: "constructor" }, gpt)).toBeUndefined();
    expect(costOf({ ...usage, serviceTier: "priority" }, haiku)).toBeUndefined();
    // Flex keeps the long-context tier: 272,001 × 2,500 + 1,000 × 11,250 = 680,002,500 + 11,250,000
    expect(costOf({ inputTokens: 272_001, outputTokens: 1_000, serviceTier: "flex" }, gpt)?.total).toBe(nanoUsd(691_252_500n));
  });

  test("audio both ways, and an answer of an audio model that nobody divided", () => {
    const audio = priceOf("openai", "gpt-4o-mini-audio-preview");
    // (500 − 200) × 150 + 200 × 10,000 + (300 − 250) × 600 + 250 × 20,000 = 45,000 + 2,000,000 + 30,000 + 5,000,000
    const usage = { inputTokens: 500, outputTokens: 300, inputAudioTokens: 200, outputAudioTokens: 250 };
    expect(costOf(usage, audio)?.total).toBe(nanoUsd(7_075_000n));
    // 300 × 20,000 instead of the last two
    expect(costOf({ ...usage, outputAudioTokens: undefined }, audio)?.total).toBe(nanoUsd(8_045_000n));
  });

  test("images that a model makes have their own rate", () => {
    const image = priceOf("gemini", "gemini-2.5-flash-image");
    // 100 × 300 + 10 × 2,500 + 1,290 × 30,000 = 30,000 + 25,000 + 38,700,000
    expect(costOf({ inputTokens: 100, outputTokens: 1_300, outputImageTokens: 1_290 }, image)?.total).toBe(nanoUsd(38_755_000n));
  });

  test("products beyond 2^53 stay exact", () => {
    // 9,007,199,254,740,991 × 1,000 + 9,007,199,254,740,991 × 5,000
    const most = Number.MAX_SAFE_INTEGER;
    expect(costOf({ inputTokens: most, outputTokens: most }, haiku)?.total).toBe(nanoUsd(54_043_195_528_445_946_000n));
  });

  test("a fraction of a nano is rounded up once, not once a part", () => {
    const price = tiny({ input: 1n, output: 1n, cacheRead: 1n });
    expect(costOf({ inputTokens: 1, outputTokens: 0 }, price)?.total).toBe(nanoUsd(1n));
    expect(costOf({ inputTokens: 400_000, outputTokens: 600_000, cacheReadInputTokens: 100_000 }, price)?.total).toBe(nanoUsd(1n));
    expect(costOf({ inputTokens: 400_001, outputTokens: 600_000 }, price)?.total).toBe(nanoUsd(2n));
    // A fee of 1 nano-USD per thousand calls, 999 calls and one token: 0.999 + 0.000001
    const fees = { ...price, feesPerThousand: { web_search: perMillion(1n) } };
    expect(costOf({ inputTokens: 1, outputTokens: 0, toolCalls: { web_search: 999 } }, fees)?.total).toBe(nanoUsd(1n));
  });

  test("what the provider says it cost wins over every table, and needs none", () => {
    const usage = { inputTokens: 1_000, outputTokens: 1_000, serviceTier: "scale", reportedCost: nanoUsd(123n) };
    expect(costOf(usage, haiku)).toEqual({ total: nanoUsd(123n), parts: undefined });
    expect(costOf(usage, undefined)?.total).toBe(nanoUsd(123n));
    expect(costOf({ reportedCost: nanoUsd(0n) }, undefined)?.total).toBe(nanoUsd(0n));
    expect(costOf({ ...usage, reportedCost: nanoUsd(-1n) }, haiku)).toBeUndefined();
  });
});

const tiny = (rates: Record<string, bigint>): Price => ({
  provider: "p",
  model: "m",
  version: "v",
  source: "test",
  date: "2026-01-01",
  rates: Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, perMillion(rate)])) as unknown as Rates,
  tiers: [],
  serviceTiers: {},
  feesPerThousand: {},
});

describe("figures that are missing or do not add up", () => {
  const price = tiny({ input: 10_000_000n, output: 20_000_000n, cacheRead: 1_000_000n, cacheWrite: 12_000_000n });

  test("unknown is not 0: without input or output tokens the cost is unknown", () => {
    expect(costOf({ outputTokens: 5 }, price)).toBeUndefined();
    expect(costOf({ inputTokens: 5 }, price)).toBeUndefined();
    expect(costOf({}, price)).toBeUndefined();
    expect(costOf({ inputTokens: 5, outputTokens: 5 }, undefined)).toBeUndefined();
  });

  test("an embedding model has no output to tell", () => {
    // 8 × 20
    expect(costOf({ inputTokens: 8 }, priceOf("openai", "text-embedding-3-small"))?.total).toBe(nanoUsd(160n));
  });

  test("parts that exceed their total are billed in full, and nothing goes below 0", () => {
    // 100 cached × 1, no uncached
    expect(costOf({ inputTokens: 10, outputTokens: 0, cacheReadInputTokens: 100 }, price)?.total).toBe(nanoUsd(100n));
    // 30 thought × 20
    expect(costOf({ inputTokens: 0, outputTokens: 10, reasoningOutputTokens: 30 }, price)?.total).toBe(nanoUsd(600n));
    // The one-hour part exceeds the writes: 50 × 12
    expect(costOf({ inputTokens: 0, outputTokens: 0, cacheCreationInputTokens: 20, cacheCreation1hInputTokens: 50 }, price)?.total).toBe(
      nanoUsd(600n),
    );
  });

  test("figures that are no counts make the cost unknown", () => {
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(costOf({ inputTokens: wrong, outputTokens: 1 }, price)).toBeUndefined();
      expect(costOf({ inputTokens: 1, outputTokens: 1, cacheReadInputTokens: wrong }, price)).toBeUndefined();
      expect(costOf({ inputTokens: 1, outputTokens: 1, toolCalls: { web_search: wrong } }, price)).toBeUndefined();
    }
  });

  test("no usage costs less than nothing, and its parts never exceed the total", () => {
    const count = fc.option(fc.nat(1_000_000), { nil: undefined });
    const usage = fc.record({
      inputTokens: fc.nat(1_000_000),
      outputTokens: fc.nat(1_000_000),
      cacheReadInputTokens: count,
      cacheCreationInputTokens: count,
      cacheCreation1hInputTokens: count,
      reasoningOutputTokens: count,
      inputAudioTokens: count,
      outputAudioTokens: count,
      cacheReadAudioTokens: count,
    });
    fc.assert(
      fc.property(usage, (told) => {
        const cost = costOf(told, price);
        const sum = Object.values(cost?.parts ?? {}).reduce((a: bigint, b) => a + b, 0n);
        expect(cost !== undefined && cost.total >= sum && cost.total - sum <= 5n).toBe(true);
      }),
    );
  });
});
