import { describe, expect, test } from "bun:test";
import { openaiChat } from "../../src/dialects/openai-chat";
import type { Provider } from "../../src/providers/provider";
import { PROVIDERS, providerNamed, simulator } from "../../src/providers/registry";
import { openPrices } from "../../src/store/prices";

const ROWS: readonly Provider[] = [...PROVIDERS, simulator];
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
];

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

  test("hold keys in variables of their own", () => {
    const variables = PROVIDERS.map((row) => row.keyVariable);
    expect(new Set(variables).size).toBe(variables.length);
    for (const variable of variables) expect(variable).toMatch(/^[A-Z]+_API_KEY$/);
  });

  test.each(PROVIDERS.map((row) => [row.name, row] as const))(
    "%s is reached over https, with its version in the address and no slash at its end",
    (_, row) => {
      const url = new URL(row.baseUrl);
      expect(url.protocol).toBe("https:");
      expect(row.baseUrl).not.toEndWith("/");
      expect(url.pathname).toMatch(/^\/v\d/);
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
    const rate = (tier: "simple" | "medium" | "complex"): bigint => {
      const model = row.autoModels[tier];
      if (model === undefined) throw new Error(`${row.name} has no ${tier} model`);
      expect(prices.model(row.name, model, NOW)?.tier).toBeDefined();
      const price = prices.price(row.name, model, NOW);
      if (!price) throw new Error(`${model} has no price`);
      return price.rates.input + price.rates.output;
    };
    expect(rate("simple")).toBeLessThan(rate("medium"));
    expect(rate("medium")).toBeLessThan(rate("complex"));
  });

  test.each(FAMILIES)("%s belongs to the family of %s, and to no other", (id, name) => {
    expect(PROVIDERS.filter((row) => row.families.some((family) => family.test(id))).map((row) => row.name)).toEqual([name]);
  });

  test.each(["", "llama-3", "my-gpt-4", "ogpt", "o5-mini", "claude", "xgemini-1"])("%p belongs to no family", (id) => {
    expect(PROVIDERS.filter((row) => row.families.some((family) => family.test(id)))).toEqual([]);
  });

  test("only the simulator lives in this process; auto never chooses it and nobody connects it", () => {
    expect(PROVIDERS.filter((row) => row.inProcess !== undefined)).toEqual([]);
    expect(simulator.inProcess).toBeFunction();
    expect(simulator.autoModels).toEqual({});
    expect(PROVIDERS).not.toContain(simulator);
    expect(simulator.operations[0]?.dialect).toBe(openaiChat);
  });
});
