// Costs checked by hand: recorded ones (hand-checked.ts) and made ones.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { nanoUsd, perMillion } from "../../src/core/money";
import type { Price, Rates } from "../../src/core/price";
import { costOf } from "../../src/policy/pricing";
import { openPrices } from "../../src/store/prices";
import { recording, sharedMissing } from "../recordings/load";
import { HAND_CHECKED } from "./hand-checked";
import { usageOfRecording } from "./recorded-usage";

const prices = openPrices();
const AT = Date.parse("2026-10-01T12:00:00Z");

describe("costs of recorded calls", () => {
  for (const { id, model, usage, rates, cost } of HAND_CHECKED) {
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
    const count = (provider: string): number => HAND_CHECKED.filter((row) => row.id.startsWith(`${provider}/`)).length;
    expect([count("openai"), count("anthropic"), count("gemini")]).toEqual([10, 10, 10]);
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
