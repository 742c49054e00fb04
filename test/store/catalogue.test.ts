import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Catalogue } from "../../src/store/catalogue";
import { openPrices } from "../../src/store/prices";
import { LIBRARY_IDS, libraryPrice } from "../../src/store/prices-library";

const NOON = Date.parse("2026-10-01T12:00:00Z");
const prices = openPrices();
const { file } = new Catalogue(() => []);

describe("catalogue.gen.json", () => {
  test("says where it is from, and is small", () => {
    expect(file).toMatchObject({
      source: "github.com/anomalyco/models.dev",
      commit: expect.stringMatching(/^f3fc692/),
      date: "2026-07-02",
    });
    expect(file.licence).toContain("MIT");
    expect(statSync(join(import.meta.dir, "../../src/store/catalogue.gen.json")).size).toBeLessThan(250_000);
  });

  test("has the providers under our names, each model once, and prices only of models that the price list does not know", () => {
    expect(Object.keys(file.providers).sort()).toEqual([
      "anthropic",
      "cohere",
      "deepseek",
      "fireworks",
      "gemini",
      "groq",
      "mistral",
      "openai",
      "openrouter",
      "perplexity",
      "together",
      "xai",
    ]);
    for (const [slug, rows] of Object.entries(file.providers)) {
      const gaps = rows.filter((row) => row.usd !== undefined).map((row) => row.id);
      expect(gaps.filter((id) => libraryPrice(LIBRARY_IDS[slug] ?? "", id.toLowerCase(), NOON))).toEqual([]);
      expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
      for (const row of rows)
        expect(
          Object.keys(row).filter((key) => !["id", "name", "context", "output", "in", "out", "can", "released", "usd"].includes(key)),
        ).toEqual([]);
    }
  });
});

describe("models", () => {
  test("join facts and price", () => {
    expect(prices.model("openai", "gpt-5.4", NOON)).toMatchObject({
      provider: "openai",
      id: "gpt-5.4",
      displayName: "GPT-5.4",
      tier: "complex",
      contextWindow: 1_050_000,
      maxOutputTokens: 128_000,
      inputModalities: ["text", "image", "pdf"],
      outputModalities: ["text"],
      capabilities: ["tools", "reasoning", "json_schema", "attachment"],
      createdAt: Date.parse("2026-03-05") / 1000,
      price: { rates: { input: 2_500_000_000n } },
    });
  });

  test("tiers are those of the seed's table", () => {
    const tier = (provider: string, id: string) => prices.model(provider, id, NOON)?.tier;
    for (const [provider, id, wanted] of [
      ["openai", "gpt-5-nano", "simple"],
      ["anthropic", "claude-haiku-4-5", "simple"],
      ["gemini", "gemini-2.5-flash-lite", "simple"],
      ["openai", "gpt-5-mini", "medium"],
      ["anthropic", "claude-sonnet-4-6", "medium"],
      ["gemini", "gemini-2.5-flash", "medium"],
      ["openai", "gpt-5", "complex"],
      ["anthropic", "claude-opus-4-6", "complex"],
      ["gemini", "gemini-2.5-pro", "complex"],
      ["mistral", "mistral-small-latest", "simple"],
      ["mistral", "mistral-large-latest", "complex"],
      ["openai", "gpt-5.3", "complex"],
      ["openai", "o4-mini", "medium"],
      ["groq", "openai/gpt-oss-120b", "medium"],
      ["groq", "llama-3.1-8b-instant", "simple"],
      ["xai", "grok-4.3", "medium"],
      ["xai", "grok-4", "complex"],
      ["xai", "grok-4.6", "complex"],
    ] as const)
      expect([id, tier(provider, id)]).toEqual([id, wanted]);
  });

  test("are found by dated ids and by ids that only the price list knows", () => {
    expect(prices.model("openai", "gpt-5-2025-08-07", NOON)).toMatchObject({
      id: "gpt-5-2025-08-07",
      displayName: "GPT-5",
      contextWindow: 400_000,
    });
    expect(prices.model("google", "gemini-2.5-pro", NOON)?.provider).toBe("gemini");
    expect(prices.model("xai", "grok-4", NOON)).toMatchObject({ id: "grok-4", contextWindow: 256_000 });
    expect(prices.model("openai", "gpt-5.6-sol", NOON)).toMatchObject({ contextWindow: 1_050_000, createdAt: 0, capabilities: [] });
    expect(prices.model("openai", "gpt-nonsense", NOON)).toBeUndefined();
    expect(prices.model("openai", "whisper-1", NOON)).toBeUndefined();
    expect(prices.model("nobody", "gpt-5", NOON)).toBeUndefined();
    expect(prices.model("constructor", "gpt-5", NOON)).toBeUndefined();
  });

  test("are all listed, once, and no speech, image or foreign ones", () => {
    const counts: Record<string, number> = {};
    for (const slug of Object.keys(file.providers)) {
      const ids = prices.models(slug, NOON).map((model) => model.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => /whisper|tts|realtime|transcribe|dall-e|moderation|^ft:/.test(id))).toEqual([]);
      counts[slug] = ids.length;
    }
    expect(prices.models("gemini", NOON).filter((model) => model.id.includes("claude"))).toEqual([]);
    expect(counts["openai"]).toBeGreaterThan(50);
    expect(counts["openrouter"]).toBeGreaterThan(300);
    expect(prices.models("ollama", NOON)).toEqual([]);
  });

  test("the models that auto needs are priced, bounded and in their tiers", () => {
    for (const [provider, id] of [
      ["openai", "gpt-5-nano"],
      ["openai", "gpt-5-mini"],
      ["openai", "gpt-5"],
      ["anthropic", "claude-haiku-4-5"],
      ["anthropic", "claude-sonnet-4-6"],
      ["anthropic", "claude-opus-4-6"],
      ["gemini", "gemini-2.5-flash-lite"],
      ["gemini", "gemini-2.5-flash"],
      ["gemini", "gemini-2.5-pro"],
    ] as const) {
      const model = prices.model(provider, id, NOON);
      expect([id, model?.price !== undefined, (model?.contextWindow ?? 0) > 100_000, (model?.maxOutputTokens ?? 0) > 10_000]).toEqual([
        id,
        true,
        true,
        true,
      ]);
    }
  });

  test("embedding models are known as such", () => {
    expect(prices.model("openai", "text-embedding-3-small", NOON)).toMatchObject({
      outputModalities: ["embedding"],
      maxOutputTokens: undefined,
    });
  });
});
