import { describe, expect, test } from "bun:test";
import { openaiChat } from "../../src/dialects/openai-chat";
import { OPENAI_CHAT_FIELDS } from "../../src/dialects/openai-chat-fields";
import { OPENAI_EMBEDDINGS_FIELDS } from "../../src/dialects/openai-embeddings-fields";
import type { Provider } from "../../src/providers/provider";
import { counter, PROVIDERS, providerNamed, providersNamed, simulator } from "../../src/providers/registry";
import { openPrices } from "../../src/store/prices";

const ROWS: readonly Provider[] = [...PROVIDERS, simulator, counter];
const NOW = Date.UTC(2026, 10, 23);
const prices = openPrices();

/** Ids of known families, and who they belong to (product.md, Fixed interfaces). */
const FAMILIES: readonly [id: string, provider: string][] = [
  ["gpt-4o-mini", "openai"],
  ["gpt-99-preview", "openai"],
  ["o1", "openai"],
  ["o3-mini", "openai"],
  ["o4-mini-2025-04-16", "openai"],
  ["chatgpt-4o-latest", "openai"],
  ["text-embedding-3-small", "openai"],
  ["claude-haiku-4-5-20251001", "anthropic"],
  ["gemini-3-pro-preview", "gemini"],
  ["gemini-embedding-001", "gemini"],
  ["mistral-next", "mistral"],
  ["codestral-2601", "mistral"],
  ["ministral-14b-latest", "mistral"],
  ["open-mixtral-8x22b", "mistral"],
  ["deepseek-v9", "deepseek"],
  ["grok-9-fast", "xai"],
  ["accounts/fireworks/models/unheard-of", "fireworks"],
  ["sonar-next", "perplexity"],
  ["pplx-embed-v1-4b", "perplexity"],
  ["command-next", "cohere"],
  ["embed-v4.0", "cohere"],
  ["acme/unheard-of", "openrouter"],
  ["acme/unheard-of:free", "openrouter"],
];

/** Where each API begins (product.md, Fixed interfaces). */
const BASE_URLS: Readonly<Record<string, string>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  gemini: "https://generativelanguage.googleapis.com/v1beta",
  mistral: "https://api.mistral.ai/v1",
  groq: "https://api.groq.com/openai/v1",
  deepseek: "https://api.deepseek.com",
  xai: "https://api.x.ai/v1",
  together: "https://api.together.xyz/v1",
  fireworks: "https://api.fireworks.ai/inference/v1",
  perplexity: "https://api.perplexity.ai",
  openrouter: "https://openrouter.ai/api/v1",
  cohere: "https://api.cohere.com",
  ollama: "http://127.0.0.1:11434",
  vllm: "http://127.0.0.1:8000/v1",
};

describe("the rows of providers", () => {
  test("have names that are theirs alone, aliases too", () => {
    const names = ROWS.flatMap((row) => [row.name, ...row.aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]*$/);
  });

  test("are found by their name; an unknown one is a bug", () => {
    for (const row of ROWS) expect(providerNamed(row.name)).toBe(row);
    expect(() => providerNamed("nobody")).toThrow("nobody");
  });

  test("of an operator's endpoints are made under their names, and stand last", () => {
    expect(providerNamed("byo:my-llm")).toMatchObject({ name: "byo:my-llm", selfHosted: true, unsupported: [], autoModels: {} });
    for (const name of ["byo:", "byo:A", "byo:a_b", "byo:a/b", "byo:-a"]) expect(() => providerNamed(name)).toThrow(name);
    expect(providersNamed(["byo:b", "groq", "byo:a", "openai"]).map((row) => row.name)).toEqual(["openai", "groq", "byo:b", "byo:a"]);
  });

  test("hold keys in variables of their own", () => {
    const variables = PROVIDERS.map((row) => row.keyVariable);
    expect(new Set(variables).size).toBe(variables.length);
    for (const variable of variables) expect(variable).toMatch(/^[A-Z]+_API_KEY$/);
  });

  test.each(PROVIDERS.map((row) => [row.name, row] as const))(
    "%s is reached at its own address, over https unless it is the operator's own, with no slash at its end",
    (name, row) => {
      expect(row.baseUrl).toBe(BASE_URLS[name] as string);
      const url = new URL(row.baseUrl);
      expect(url.protocol).toBe(row.selfHosted ? "http:" : "https:");
      expect(row.baseUrl).not.toEndWith("/");
      expect(url.username + url.password + url.search + url.hash).toBe("");
    },
  );

  test.each(ROWS.map((row) => [row.name, row] as const))(
    "%s sends and passes headers in lower case, and no credential among them",
    (_, row) => {
      const names = [...Object.keys(row.headers), ...row.passHeaders, ...(row.auth.scheme === "header" ? [row.auth.name] : [])];
      for (const name of names) expect(name).toBe(name.toLowerCase());
      for (const name of [...Object.keys(row.headers), ...row.passHeaders])
        expect(name).not.toMatch(/authorization|api-key|cookie|content-encoding|content-length/);
    },
  );

  test.each(PROVIDERS.map((row) => [row.name, row] as const))("%s has priced models for auto, cheaper ones in lower tiers", (_, row) => {
    const rates = (["simple", "medium", "complex"] as const).flatMap((tier) => {
      const model = row.autoModels[tier];
      if (model === undefined) return [];
      const info = prices.model(row.name, model, NOW);
      if (!info?.price || info.contextWindow === undefined) throw new Error(`${model} is unpriced or unbounded`);
      return [info.price.rates.input + info.price.rates.output];
    });
    expect(rates).toEqual(rates.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    expect(row.autoModels.medium !== undefined).toBe(rates.length > 0);
  });

  test("providers without a model for auto are those that search on every call and the operator's own machines", () => {
    const without = PROVIDERS.filter((row) => Object.keys(row.autoModels).length === 0).map((row) => row.name);
    expect(without).toEqual(["perplexity", "ollama", "vllm"]);
  });

  test.each(PROVIDERS.map((row) => [row.name, row] as const))("%s refuses fields that exist, each once", (_, row) => {
    expect(new Set(row.unsupported).size).toBe(row.unsupported.length);
    const fields = { ...OPENAI_CHAT_FIELDS, ...OPENAI_EMBEDDINGS_FIELDS };
    for (const name of row.unsupported) expect([name, Object.hasOwn(fields, name)]).toEqual([name, true]);
  });

  test.each(FAMILIES)("%s belongs to the family of %s, and to no other", (id, name) => {
    expect(PROVIDERS.filter((row) => row.families.some((family) => family.test(id))).map((row) => row.name)).toEqual([name]);
  });

  test.each(["", "llama-3", "my-gpt-4", "ogpt", "o5-mini", "claude", "xgemini-1", "mistralis-1", "/x", "acme/", "byo:acme/llama", "byo:x"])(
    "%p belongs to no family",
    (id) => {
      expect(PROVIDERS.filter((row) => row.families.some((family) => family.test(id)))).toEqual([]);
    },
  );

  test("only the simulator lives in this process; auto never chooses it and nobody connects it", () => {
    expect(PROVIDERS.filter((row) => row.inProcess !== undefined)).toEqual([]);
    expect(simulator.inProcess).toBeFunction();
    expect(simulator.autoModels).toEqual({});
    expect(PROVIDERS).not.toContain(simulator);
    expect(simulator.operations[0]?.dialect).toBe(openaiChat);
  });
});
