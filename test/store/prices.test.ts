import { describe, expect, test } from "bun:test";
import { findProvider } from "@pydantic/genai-prices";
import { perMillion } from "../../src/core/money";
import { openPrices } from "../../src/store/prices";
import { PRICE_OVERRIDES, type PriceOverride } from "../../src/store/prices-overrides";

const at = (text: string): number => Date.parse(text);
const NOON = at("2026-10-01T12:00:00Z");
const prices = openPrices();
const rates = (provider: string, model: string, when = NOON) => prices.price(provider, model, when)?.rates;

describe("figures of the library", () => {
  test("are integers in nano-USD per million, with cache, tiers and fees", () => {
    expect(prices.price("openai", "gpt-5.4", NOON)).toMatchObject({
      provider: "openai",
      model: "gpt-5.4",
      source: "genai-prices 0.1.8",
      date: "2026-09-23",
      rates: { input: 2_500_000_000n, cacheRead: 250_000_000n, output: 15_000_000_000n },
      tiers: [{ aboveInputTokens: 272_000, rates: { input: 5_000_000_000n, cacheRead: 500_000_000n, output: 22_500_000_000n } }],
      feesPerThousand: { web_search: 10_000_000_000n, file_search: 2_500_000_000n },
    });
    expect(rates("anthropic", "claude-haiku-4-5")).toEqual({
      input: perMillion(1_000_000_000n),
      output: perMillion(5_000_000_000n),
      cacheRead: perMillion(100_000_000n),
      cacheWrite: perMillion(1_250_000_000n),
      cacheWrite1h: perMillion(2_000_000_000n),
    });
    // A threshold that the provider words as "reaches 200k" stays where the library has it.
    expect(prices.price("xai", "grok-4.3", NOON)?.tiers[0]?.aboveInputTokens).toBe(199_999);
  });

  test("dated ids, any case and other names of a provider find the same price", () => {
    const version = prices.price("openai", "gpt-5", NOON)?.version;
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    expect(prices.price("openai", "gpt-5-2025-08-07", NOON)?.version).toBe(version as string);
    expect(prices.price("openai", "GPT-5", NOON)?.version).toBe(version as string);
    expect(rates("google", "gemini-2.5-flash")).toEqual(rates("gemini", "gemini-2.5-flash") as never);
    expect(rates("x-ai", "grok-4")).toEqual(rates("xai", "grok-4") as never);
    expect(prices.price("google", "gemini-2.5-flash", NOON)?.provider).toBe("gemini");
  });

  test("a dated price begins on its day, and is dated so", () => {
    const before = prices.price("openai", "o3", at("2025-06-09T23:59:59.999Z"));
    const after = prices.price("openai", "o3", at("2025-06-10T00:00:00Z"));
    expect([before?.rates.input, before?.date]).toEqual([perMillion(10_000_000_000n), "2026-09-23"]);
    expect([after?.rates.input, after?.date]).toEqual([perMillion(2_000_000_000n), "2025-06-10"]);
    expect(after?.version).not.toBe(before?.version as string);
    expect(rates("anthropic", "claude-opus-4-6", at("2026-03-12T12:00:00Z"))?.input).toBe(perMillion(5_000_000_000n));
    expect(prices.price("anthropic", "claude-opus-4-6", at("2026-03-12T12:00:00Z"))?.tiers).toHaveLength(1);
    expect(prices.price("anthropic", "claude-opus-4-6", at("2026-03-13T00:00:00Z"))?.tiers).toHaveLength(0);
  });

  test("hours of the day are followed to the millisecond, in whatever order they are asked", () => {
    // 01:00–04:00 and 06:00–10:00 UTC cost twice.
    const input = (time: string) => rates("deepseek", "deepseek-v4-flash", at(`2026-10-01T${time}Z`))?.input;
    const low = perMillion(220_000_000n);
    const high = perMillion(440_000_000n);
    const expected: readonly [string, bigint][] = [
      ["00:59:59.999", low],
      ["01:00:00.000", high],
      ["03:59:59.999", high],
      ["04:00:00.000", low],
      ["05:59:59.999", low],
      ["06:00:00.000", high],
      ["10:00:00.000", low],
      ["23:59:59.999", low],
    ];
    for (const [time, rate] of [...expected, ...expected.toReversed()]) expect([time, input(time)]).toEqual([time, perMillion(rate)]);
  });

  test("no model of any provider makes a question throw, and every price is of non-negative integers", () => {
    let asked = 0;
    let priced = 0;
    for (const [slug, id] of Object.entries({
      openai: "openai",
      anthropic: "anthropic",
      gemini: "google",
      mistral: "mistral",
      groq: "groq",
      deepseek: "deepseek",
      xai: "x-ai",
      together: "together",
      fireworks: "fireworks",
      perplexity: "perplexity",
      openrouter: "openrouter",
      cohere: "cohere",
    })) {
      for (const model of findProvider({ providerId: id })?.models ?? []) {
        asked++;
        const price = prices.price(slug, model.id, NOON);
        if (!price) continue;
        priced++;
        const tables = [price, ...Object.values(price.serviceTiers)].flatMap((table) => [
          table.rates,
          ...table.tiers.map((tier) => tier.rates),
        ]);
        const figures = [...tables.flatMap((table) => Object.values(table)), ...Object.values(price.feesPerThousand)];
        expect(figures.every((figure) => typeof figure === "bigint" && figure >= 0n)).toBe(true);
        const starts = price.tiers.map((tier) => tier.aboveInputTokens);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
      }
    }
    expect(asked).toBeGreaterThan(1_000);
    expect(priced).toBeGreaterThan(900);
  });
});

describe("what has no price", () => {
  test("unknown models and providers, and other people's models on a provider's list", () => {
    expect(prices.price("openai", "gpt-nonsense", NOON)).toBeUndefined();
    expect(prices.price("byo:mine", "gpt-5", NOON)).toBeUndefined();
    expect(prices.price("constructor", "gpt-5", NOON)).toBeUndefined();
    expect(prices.price("gemini", "claude-haiku-4-5", NOON)).toBeUndefined();
    expect(prices.price("openai", "x".repeat(100_000), NOON)).toBeUndefined();
  });

  test("models that bill what our usage does not count", () => {
    expect(prices.price("openai", "whisper-1", NOON)).toBeUndefined();
    expect(prices.price("perplexity", "sonar-deep-research", NOON)).toBeUndefined();
    expect(prices.price("mistral", "mistral-ocr-latest", NOON)).toBeUndefined();
  });

  test("an operator's endpoint costs what the operator says, and is unpriced where nobody said", () => {
    const own = openPrices({
      endpoints: [
        { provider: "byo:acme", price: { input: "0.50", output: "1.5" }, models: ["byo:acme/llama-3"] },
        { provider: "byo:free", price: { input: "0", output: "0" } },
        { provider: "byo:silent" },
        { provider: "vllm", models: ["Qwen/Qwen3-0.6B"] },
      ],
    });
    expect(own.price("byo:acme", "llama-3", NOON)).toMatchObject({ rates: { input: 500_000_000n, output: 1_500_000_000n } });
    expect(own.price("byo:free", "any", NOON)?.rates.output).toBe(perMillion(0n));
    expect(own.price("byo:silent", "any", NOON)).toBeUndefined();
    expect(own.models("byo:acme", NOON)).toMatchObject([
      { provider: "byo:acme", id: "byo:acme/llama-3", price: { rates: { input: 500_000_000n } } },
    ]);
    expect(own.models("vllm", NOON)).toMatchObject([{ id: "Qwen/Qwen3-0.6B", price: { source: "self-hosted" } }]);
    expect(own.model("vllm", "Qwen/Qwen3-0.6B", NOON)?.contextWindow).toBeUndefined();
    expect(own.models("byo:silent", NOON)).toEqual([]);
    expect(rates("openai", "gpt-5")).toEqual(own.price("openai", "gpt-5", NOON)?.rates as never);
  });

  test("the operator's own machines cost nothing", () => {
    expect(rates("ollama", "llama3.3")).toEqual({ input: perMillion(0n), output: perMillion(0n) });
    expect(prices.price("vllm", "any/model", NOON)?.source).toBe("self-hosted");
  });
});

describe("our overrides", () => {
  test("aliases follow the model that they mean now", () => {
    expect(rates("mistral", "mistral-large-latest")).toEqual(rates("mistral", "mistral-large-2512") as never);
    expect(rates("mistral", "mistral-large-latest")?.input).toBe(perMillion(500_000_000n));
    expect(rates("mistral", "mistral-large-latest", at("2025-12-01T23:59:59Z"))?.input).toBe(perMillion(2_000_000_000n));
    expect(rates("mistral", "mistral-small-latest")?.output).toBe(perMillion(600_000_000n));
    expect(rates("mistral", "mistral-small")).toEqual({ input: perMillion(100_000_000n), output: perMillion(300_000_000n) });
    // The hours of the model it means, too.
    expect(rates("deepseek", "deepseek-chat", at("2026-10-01T02:00:00Z"))?.input).toBe(perMillion(440_000_000n));
    expect(rates("deepseek", "deepseek-chat", at("2026-10-01T05:00:00Z"))?.input).toBe(perMillion(220_000_000n));
    expect(rates("deepseek", "deepseek-reasoner", at("2026-04-23T12:00:00Z"))?.output).toBe(perMillion(2_190_000_000n));
  });

  test("a model that the library does not know costs what the catalogue's snapshot says, and says so", () => {
    expect(prices.price("together", "moonshotai/Kimi-K2.6", NOON)).toMatchObject({
      model: "moonshotai/Kimi-K2.6",
      source: "models.dev f3fc692",
      date: "2026-07-02",
      rates: { input: 1_200_000_000n, output: 4_500_000_000n, cacheRead: 200_000_000n },
    });
    expect(prices.price("xai", "grok-4.20-0309-reasoning", NOON)?.tiers).toMatchObject([
      { aboveInputTokens: 200_000, rates: { input: 2_500_000_000n, output: 5_000_000_000n, cacheRead: 400_000_000n } },
    ]);
    // Known and not to be priced by tokens alone; searched on every call; free for a time.
    for (const [provider, model] of [
      ["perplexity", "sonar-deep-research"],
      ["openrouter", "perplexity/sonar-pro-search"],
      ["groq", "groq/compound"],
      ["cohere", "north-mini-code-1-0"],
    ] as const)
      expect([model, prices.price(provider, model, NOON)]).toEqual([model, undefined]);
  });

  test("fill what the library lacks", () => {
    expect(prices.price("fireworks", "accounts/fireworks/models/llama-v3p3-70b-instruct", NOON)).toMatchObject({
      rates: { input: 900_000_000n, output: 900_000_000n },
      source: expect.stringContaining("tollway override"),
    });
    expect(rates("openai", "gpt-4o-audio-preview-2025-06-03")?.inputAudio).toBe(perMillion(40_000_000_000n));
    expect(prices.price("openai", "gpt-4o-search-preview", NOON)?.feesPerThousand["request"]).toBe(perMillion(25_000_000_000n));
    expect(prices.price("gemini", "gemini-2.5-pro", NOON)?.feesPerThousand).toEqual({ web_search: perMillion(35_000_000_000n) });
    expect(prices.price("gemini", "gemini-3-pro-preview", NOON)?.feesPerThousand).toEqual({ web_search: perMillion(14_000_000_000n) });
  });

  test("service tiers have the published figures", () => {
    // https://openai.com/api-fast-mode/ and the pricing page: input, cached input, output in thousandths of a dollar.
    const published: readonly [string, string, number, number, number][] = [
      ["gpt-5", "priority", 2_500, 250, 20_000],
      ["gpt-5", "flex", 625, 62.5, 5_000],
      ["gpt-5-mini", "priority", 450, 45, 3_600],
      ["gpt-5-nano", "flex", 25, 2.5, 200],
      ["gpt-5.5", "fast", 12_500, 1_250, 75_000],
      ["gpt-5.6-sol", "fast", 8_000, 800, 40_000],
      ["gpt-4.1", "priority", 3_500, 875, 14_000],
      ["gpt-4o", "priority", 4_250, 2_125, 17_000],
      ["gpt-4o-mini", "priority", 250, 125, 1_000],
      ["o3", "priority", 3_500, 875, 14_000],
      ["o4-mini", "priority", 2_000, 500, 8_000],
    ];
    for (const [model, tier, input, cacheRead, output] of published) {
      const found = prices.price("openai", model, NOON)?.serviceTiers[tier]?.rates;
      const nano = (thousandths: number) => perMillion(BigInt(thousandths * 1_000_000));
      expect([model, tier, found]).toMatchObject([model, tier, { input: nano(input), cacheRead: nano(cacheRead), output: nano(output) }]);
    }
    expect(prices.price("openai", "gpt-4o-2024-05-13", NOON)?.serviceTiers["priority"]?.rates.input).toBe(perMillion(8_750_000_000n));
    expect(Object.keys(prices.price("openai", "gpt-5-nano", NOON)?.serviceTiers ?? {}).sort()).toEqual(["batch", "flex"]);
    expect(prices.price("openai", "gpt-5-chat-latest", NOON)?.serviceTiers).toEqual({});
    expect(prices.price("anthropic", "claude-opus-4-6", NOON)?.serviceTiers).toMatchObject({
      batch: { rates: { input: 2_500_000_000n, cacheWrite1h: 5_000_000_000n } },
      fast: { rates: { input: 30_000_000_000n, output: 150_000_000_000n } },
    });
    expect(prices.price("groq", "llama-3.3-70b-versatile", NOON)?.serviceTiers["flex"]?.rates.input).toBe(perMillion(590_000_000n));
  });

  test("every row names a model that has a price, a source and a day", () => {
    for (const row of PRICE_OVERRIDES) {
      expect(row.source.length).toBeGreaterThan(10);
      expect(row.date).toMatch(/^20\d\d-\d\d-\d\d$/);
      if (!Array.isArray(row.models)) continue;
      for (const model of row.models) expect([model, prices.price(row.provider, model, NOON) !== undefined]).toEqual([model, true]);
    }
  });

  test("an operator's table takes the place of ours", () => {
    const mine: PriceOverride[] = [
      {
        kind: "figures",
        provider: "openai",
        models: ["gpt-5"],
        usd: { input: "1.00", output: "8", cacheRead: "0.1" },
        source: "our contract",
        date: "2026-01-01",
      },
    ];
    const own = openPrices({ overrides: mine });
    expect(own.price("openai", "gpt-5-2025-08-07", NOON)?.rates).toEqual({
      input: perMillion(1_000_000_000n),
      output: perMillion(8_000_000_000n),
      cacheRead: perMillion(100_000_000n),
    });
    expect(own.price("openai", "gpt-5", NOON)?.version).not.toBe(prices.price("openai", "gpt-5", NOON)?.version as string);
    const wrong = openPrices({ overrides: [{ ...mine[0], usd: { input: "-1", output: "8" } } as PriceOverride] });
    expect(() => wrong.price("openai", "gpt-5", NOON)).toThrow("Not an amount in USD");
  });
});

describe("versions", () => {
  test("name exactly the figures: the same in every process, another for every difference", () => {
    expect(openPrices().price("openai", "gpt-5", NOON)?.version).toBe(prices.price("openai", "gpt-5", NOON)?.version as string);
    const seen = new Map<string, string>();
    for (const model of prices.models("openai", NOON)) {
      if (!model.price) continue;
      const { version, ...rest } = model.price;
      const text = JSON.stringify(rest, (_, value) => (typeof value === "bigint" ? value.toString() : value));
      expect(seen.get(version) ?? text).toBe(text);
      seen.set(version, text);
    }
    expect(seen.size).toBeGreaterThan(30);
  });

  test("memory stays bounded whatever callers ask, and answers stay right", () => {
    for (let i = 0; i < 5_000; i++) prices.price("openai", `gpt-made-up-${i}`, NOON);
    expect(rates("openai", "gpt-5")?.input).toBe(perMillion(1_250_000_000n));
  });
});
