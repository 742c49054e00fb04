// GET /v1/models through the readers that it is for: OpenAI's SDK, Anthropic's SDK, and what Codex's deserialiser demands.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { type RunningHouse, startHouse } from "./house";

let house: RunningHouse;
let key: string;

beforeAll(async () => {
  house = await startHouse({ upstream: "http://127.0.0.1:9", connect: ["openai", "anthropic", "groq", "together", "openrouter"] });
  key = await house.key();
});
afterAll(() => house.close());

interface List {
  data: Record<string, unknown>[];
  models: Record<string, unknown>[];
  first_id: string;
  last_id: string;
  has_more: boolean;
  error: { code: string; param: string };
}
const list = async (query = ""): Promise<List> => (await (await house.get(key, `/v1/models${query}`)).json()) as List;

/** Without one of these, or with one of another type, it throws the whole document away (codex 0.169 and before). */
const CODEX_DEMANDS: readonly (readonly [field: string, type: string])[] = [
  ["slug", "string"],
  ["display_name", "string"],
  ["supported_reasoning_levels", "object"],
  ["shell_type", "string"],
  ["visibility", "string"],
  ["supported_in_api", "boolean"],
  ["priority", "number"],
  ["base_instructions", "string"],
  ["supports_reasoning_summaries", "boolean"],
  ["support_verbosity", "boolean"],
  ["truncation_policy", "object"],
  ["supports_parallel_tool_calls", "boolean"],
  ["experimental_supported_tools", "object"],
];

describe("the list of models", () => {
  test("is read by OpenAI's SDK, one model too, embeddings among them", async () => {
    const client = new OpenAI({ apiKey: key, baseURL: `${house.url}/v1` });
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(
      expect.arrayContaining(["auto", "gpt-5-mini", "claude-haiku-4-5", "text-embedding-3-small", "openai/gpt-oss-120b"]),
    );
    expect(await client.models.retrieve("text-embedding-3-small")).toMatchObject({ object: "model", owned_by: "openai" });
    expect((await client.models.retrieve("openai/gpt-oss-120b")).owned_by).toBe("groq");
  });

  test("is read by Anthropic's SDK, page by page and by id", async () => {
    const client = new Anthropic({ apiKey: key, baseURL: house.url });
    const all = (await list()).data.map((model) => model["id"]);
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 100 })) ids.push(model.id);
    expect(ids).toEqual(all as string[]);
    const haiku = await client.models.retrieve("claude-haiku-4-5");
    expect(haiku).toMatchObject({
      type: "model",
      display_name: "Claude Haiku 4.5 (latest)",
      lifecycle: "active",
      max_input_tokens: 200_000,
    });
    expect(new Date(haiku.created_at).getUTCFullYear()).toBe(2025);
  });

  test("has every model once, as the provider has it to which it goes", async () => {
    const { data } = await list();
    expect(new Set(data.map((model) => model["id"])).size).toBe(data.length);
    expect(data.find((model) => model["id"] === "openai/gpt-oss-120b")).toMatchObject({ owned_by: "groq", tollway: { provider: "groq" } });
  });

  test("is cut into pages, forward and backward, and says where they end", async () => {
    const { data } = await list();
    const ids = data.map((model) => model["id"] as string);
    const page = async (query: string) => {
      const { data: some, first_id, last_id, has_more } = await list(query);
      expect([first_id, last_id]).toEqual([some[0]?.["id"] ?? null, some.at(-1)?.["id"] ?? null] as never);
      return { ids: some.map((model) => model["id"]), has_more };
    };
    expect(await page("?limit=2")).toEqual({ ids: ids.slice(0, 2), has_more: true });
    expect(await page(`?limit=2&after_id=${ids[1]}`)).toEqual({ ids: ids.slice(2, 4), has_more: true });
    expect(await page(`?limit=2&before_id=${ids[3]}`)).toEqual({ ids: ids.slice(1, 3), has_more: true });
    expect(await page(`?limit=2&before_id=${ids[1]}`)).toEqual({ ids: ids.slice(0, 1), has_more: false });
    expect(await page(`?after_id=${encodeURIComponent(ids.at(-1) ?? "")}`)).toEqual({ ids: [], has_more: false });
    expect((await list("?limit=1000")).has_more).toBe(false);
    for (const [query, param] of [
      ["?limit=0", "limit"],
      ["?limit=1001", "limit"],
      ["?limit=x", "limit"],
      ["?after_id=nobody", "after_id"],
      ["?before_id=nobody", "before_id"],
    ] as const)
      expect((await list(query)).error).toMatchObject({ code: "invalid_value", param });
  });

  test("holds what Codex demands of each model, and no model that writes no text", async () => {
    const { models } = await list();
    for (const model of models) {
      expect(CODEX_DEMANDS.filter(([field, type]) => typeof model[field] !== type)).toEqual([]);
      expect([model["shell_type"], model["visibility"], model["truncation_policy"]]).toEqual([
        "shell_command",
        "list",
        { mode: "tokens", limit: 10_000 },
      ]);
    }
    const slugs = models.map((model) => model["slug"]);
    expect(slugs).toEqual(expect.arrayContaining(["auto", "gpt-5", "claude-sonnet-4-6"]));
    expect(slugs).not.toContain("text-embedding-3-small");
    expect(models.find((model) => model["slug"] === "claude-sonnet-4-6")).toMatchObject({
      context_window: 1_000_000,
      default_reasoning_level: "medium",
      input_modalities: ["text", "image"],
    });
  });
});

test("prices in credits hold the markup of the key's own balance", async () => {
  const scope = { kind: "organization", id: "default" } as const;
  const { directory } = house.ports;
  const priced = async (token: string) =>
    ((await (await house.get(token, "/v1/models/gpt-4o-mini")).json()) as { tollway: Record<string, number> }).tollway;
  const key = await house.key();
  await directory.put("credit-account", { id: "crd_markup", organizationId: "default", createdAt: 0, scope, markupBasisPoints: 2_000 });
  expect(await priced(key)).toMatchObject({
    input_price_per_m_usd: 0.15,
    input_price_per_m_credits: 0.18,
    output_price_per_m_credits: 0.72,
  });
  expect(await priced(await house.key("test"))).toMatchObject({ input_price_per_m_credits: 0.15 });
  await directory.remove("credit-account", "crd_markup");
});
