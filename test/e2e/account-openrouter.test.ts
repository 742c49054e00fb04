// The account in OpenRouter's shapes, and how the providers are.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import { type AccountHouse, type Minted, startAccountHouse, USAGE_COST } from "./account-house";
import { connectionsTo } from "./house";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Wrapped {
  data: Record<string, unknown>;
}

let house: AccountHouse;
let key: Minted;
let stranger: Minted;

beforeAll(async () => {
  house = await startAccountHouse({ endpoints: connectionsTo("http://127.0.0.1:9", ["openai", "groq"]) });
  key = await house.mint("mine");
  stranger = await house.mint("stranger");
});
afterAll(() => house.close());

describe("GET /v1/providers", () => {
  interface Health {
    provider: string;
    connected: boolean;
    status: string;
    attempts: number;
    errors: Record<string, number>;
    latency_ms: { p50: number; p95: number } | null;
    first_chunk_ms: object | null;
  }
  const health = async (of: Minted = key): Promise<Record<string, Health>> => {
    const { data } = await house.read<{ data: Health[] }>(of.plain, "/v1/providers");
    return Object.fromEntries(data.map((provider) => [provider.provider, provider]));
  };

  test("knows which are connected, and nothing of what nobody called", async () => {
    const all = await health();
    expect(all["openai"]).toMatchObject({
      connected: true,
      status: "unknown",
      attempts: 0,
      errors: {},
      latency_ms: null,
      first_chunk_ms: null,
    });
    expect(all["anthropic"]).toMatchObject({ connected: false, status: "unknown" });
  });

  test("tells errors by their class and latencies, for an organization's keys alike, and forgets them", async () => {
    const broken = { settlement: "released", usage: undefined, usageSource: "none", cost: nanoUsd(0n) } as const;
    for (let i = 1; i <= 20; i++) await house.row(key.key, {}, { latencyMs: i * 10, timeToFirstChunkMs: i });
    await house.row(key.key, { provider: "groq" });
    await house.row(key.key, { provider: "groq" }, { ...broken, errorCode: "upstream_timeout" });
    // What a caller did wrong is not the provider's.
    await house.row(key.key, {}, { ...broken, errorCode: "invalid_value" });
    const all = await health();
    expect(all["openai"]).toMatchObject({
      status: "healthy",
      attempts: 21,
      errors: {},
      latency_ms: { p50: 110, p95: 200 },
      first_chunk_ms: { p50: 11, p95: 20 },
    });
    expect(all["groq"]).toMatchObject({ status: "down", errors: { upstream_timeout: 1 } });
    expect((await health(stranger))["groq"]).toMatchObject({ status: "down" });
    await house.clock.advance(HOUR);
    expect((await health())["groq"]).toMatchObject({ status: "unknown", attempts: 0 });
  });
});

describe("GET /v1/generation", () => {
  test("tells a call's figures by its request id", async () => {
    const id = await house.row(key.key, { stream: true, user: "ann", run: "r1" }, { latencyMs: 900, timeToFirstChunkMs: 300 });
    const { data } = await house.read<Wrapped>(key.plain, `/v1/generation?id=${id}`);
    expect(data).toMatchObject({
      id,
      model: "gpt-4o-mini",
      provider_name: "openai",
      total_cost: USAGE_COST,
      usage: USAGE_COST,
      tokens_prompt: 1_000,
      tokens_completion: 300,
      native_tokens_reasoning: 100,
      native_tokens_cached: 400,
      latency: 300,
      generation_time: 600,
      streamed: true,
      cancelled: false,
      finish_reason: "stop",
      session_id: "r1",
      external_user: "ann",
      provider_responses: [{ provider_name: "openai", status: 200 }],
    });
    expect((await house.get(stranger.plain, `/v1/generation?id=${id}`)).status).toBe(404);
    expect((await house.get(key.plain, "/v1/generation?id=nothing")).status).toBe(404);
    expect((await house.get(key.plain, "/v1/generation")).status).toBe(400);
  });
});

describe("GET /v1/key", () => {
  test("tells what the key spent today, this week, this month, and its tightest budget", async () => {
    const fresh = await house.mint("fresh");
    const now = house.clock.now();
    for (const heldAt of [now, now - DAY, now - 30 * DAY]) await house.row(fresh.key, { heldAt });
    const own = async () => (await house.read<Wrapped>(fresh.plain, "/v1/key")).data;
    // 23 November 2026 is a Monday.
    expect(await own()).toEqual({
      label: "fresh",
      limit: null,
      limit_remaining: null,
      limit_reset: null,
      usage: 3 * USAGE_COST,
      usage_daily: USAGE_COST,
      usage_weekly: USAGE_COST,
      usage_monthly: 2 * USAGE_COST,
      byok_usage: 0,
      is_free_tier: false,
      is_management_key: false,
      expires_at: null,
    });
    const scope = { kind: "key", id: fresh.key.id } as const;
    const shared = { organizationId: "default", scope, hard: true, thresholds: [], createdAt: now };
    await house.ports.budgets.put({
      ...shared,
      id: "bdg_1",
      limit: nanoUsd(2_000_000n),
      window: { unit: "lifetime", rolling: false, zone: "UTC" },
    });
    await house.ports.budgets.put({
      ...shared,
      id: "bdg_2",
      limit: nanoUsd(500_000n),
      window: { unit: "day", rolling: false, zone: "UTC" },
    });
    expect(await own()).toMatchObject({ limit: 0.0005, limit_remaining: 0.0002, limit_reset: "daily" });
  });
});

describe("GET /v1/credits", () => {
  test("tells what was spent where nothing is prepaid, and the balance where something is", async () => {
    const payer = await house.mint("payer");
    await house.row(payer.key);
    const credits = async () => (await house.read<Wrapped>(payer.plain, "/v1/credits")).data;
    expect(await credits()).toEqual({ total_credits: null, total_usage: USAGE_COST });
    const made = { organizationId: "default", createdAt: house.clock.now() };
    const scope = { kind: "key", id: payer.key.id } as const;
    await house.ports.directory.put("credit-account", { ...made, id: "cra_1", scope, markupBasisPoints: 2_000 });
    const entry = { organizationId: "default", accountId: "cra_1", reason: "paid", actor: "admin", at: house.clock.now() };
    await house.ports.journal.credit({ ...entry, kind: "top_up", amount: nanoUsd(1_000_000_000n) });
    expect(await credits()).toEqual({ total_credits: 1, total_usage: 0.00036 });
    const account = await house.read<{ balance: object }>(payer.plain, "/v1/account");
    expect(account.balance).toMatchObject({
      remaining_usd: 0.99964,
      accounts: [{ scope: `key:${payer.key.id}`, credited_usd: 1, charged_usd: 0.00036 }],
    });
  });
});
