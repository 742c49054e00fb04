// What keys see of themselves and of their organization, over real sockets.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Budget } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import { USAGE_DIMENSIONS } from "../../src/core/usage-query";
import { type AccountHouse, type Minted, startAccountHouse, USAGE, USAGE_COST } from "./account-house";

interface List<T> {
  data: T[];
  next_cursor: string | null;
}
type Facts = Record<string, unknown>;

let house: AccountHouse;
/** Of the project `web`, of the team `growth`. */
let caller: Minted;
let other: Minted;
let reader: Minted;
let tester: Minted;

const budget = (id: string, kind: Budget["scope"]["kind"], scopeId: string, more: Partial<Budget> = {}): Budget => ({
  id,
  organizationId: "default",
  scope: { kind, id: scopeId },
  limit: nanoUsd(1_000_000n),
  window: { unit: "day", rolling: false, zone: "UTC" },
  hard: true,
  thresholds: [{ percent: 80, action: "alert" }],
  createdAt: 0,
  ...more,
});

beforeAll(async () => {
  house = await startAccountHouse({ store: { kind: "file" } });
  const made = { organizationId: "default", createdAt: house.clock.now() };
  await house.ports.directory.put("team", { ...made, id: "team_growth", name: "growth" });
  await house.ports.directory.put("project", { ...made, id: "proj_web", name: "web", teamId: "team_growth" });
  caller = await house.mint("caller", { projectId: "proj_web", requestsPerMinute: 60 });
  other = await house.mint("other");
  reader = await house.mint("reader", { role: "read" });
  tester = await house.mint("tester", {}, "default", "test");
  await house.row(caller.key, { tag: "a", user: "ann", run: "r1", agent: "bot", tier: "simple" });
  await house.row(caller.key, { tag: "b", user: "bob" });
  await house.row(other.key, { tag: "b", provider: "groq", modelServed: "llama-3.1-8b-instant", modelRequested: "llama-3.1-8b-instant" });
  await house.row(tester.key, { provider: "simulator" });
});
afterAll(() => house.close());

describe("an audit entry", () => {
  const entry = (id: string, plain = caller.plain) => house.read<Facts & { attempts: Facts[] }>(plain, `/v1/audit/${id}`);

  test("tells everything of a call, its cost by kind too", async () => {
    const id = await house.row(caller.key, {
      tag: "t",
      user: "ann",
      run: "r9",
      agent: "bot",
      decision: '{"asked":"auto","chosen":[],"excluded":[]}',
    });
    expect(await entry(id)).toMatchObject({
      request_id: id,
      time: new Date(house.clock.now()).toISOString(),
      key_id: caller.key.id,
      project_id: "proj_web",
      team_id: "team_growth",
      status: "ok",
      model_requested: "gpt-4o-mini",
      model_served: "gpt-4o-mini",
      provider: "openai",
      tag: "t",
      user: "ann",
      run: "r9",
      agent: "bot",
      tokens: { input: 1_000, output: 300, cache_read: 400, cache_creation: null, reasoning: 100 },
      cost_usd: USAGE_COST,
      cost: { input_usd: 0.00009, cached_usd: 0.00003, cache_write_usd: 0, output_usd: 0.00012, reasoning_usd: 0.00006, tools_usd: 0 },
      decision: { asked: "auto" },
    });
  });

  test("shows a kind as null where nobody told it, never as 0", async () => {
    const unknown = { input_usd: null, cached_usd: null, cache_write_usd: null, output_usd: null, reasoning_usd: null, tools_usd: null };
    const silent = await house.row(caller.key, {}, { usage: { inputTokens: 1_000, outputTokens: 300 }, cost: nanoUsd(330_000n) });
    expect(await entry(silent)).toMatchObject({ cost: { output_usd: 0.00018, reasoning_usd: null }, tokens: { reasoning: null } });
    const ceiling = await house.row(
      caller.key,
      {},
      { settlement: "ceiling", usage: undefined, usageSource: "none", cost: nanoUsd(5_000n) },
    );
    expect(await entry(ceiling)).toMatchObject({ cost_usd: 0.000005, cost: unknown, tokens: { input: null } });
    const padded = await house.row(caller.key, {}, { settlement: "counted", usageSource: "counted", cost: nanoUsd(310_000n) });
    expect(await entry(padded)).toMatchObject({ cost_usd: 0.00031, cost: unknown });
    const told = await house.row(caller.key, {}, { usage: { ...USAGE, reportedCost: nanoUsd(7n) }, cost: nanoUsd(7n) });
    expect(await entry(told)).toMatchObject({ cost_usd: 7e-9, cost: unknown });
    const unpriced = await house.row(caller.key, { priceVersion: undefined }, { cost: undefined });
    expect(await entry(unpriced)).toMatchObject({ cost_usd: null, cost: unknown });
  });

  test("adds the attempts of a call, and one that was never billed costs 0", async () => {
    const id = await house.row(
      caller.key,
      { provider: "groq" },
      { settlement: "released", usage: undefined, usageSource: "none", cost: nanoUsd(0n), errorCode: "upstream_error" },
    );
    await house.row(caller.key, { requestId: id, attemptNumber: 2 });
    const { attempts, ...call } = await entry(id);
    expect(call).toMatchObject({ status: "ok", provider: "openai", cost_usd: USAGE_COST, cost: { input_usd: 0.00009 } });
    expect(attempts.map(({ number, error, cost_usd }) => [number, error, cost_usd])).toEqual([
      [1, "upstream_error", 0],
      [2, null, USAGE_COST],
    ]);
  });

  test("is not there for another key, and is for one that reads", async () => {
    const id = await house.row(caller.key);
    expect((await house.get(other.plain, `/v1/audit/${id}`)).status).toBe(404);
    expect((await entry(id, reader.plain)).key_id).toBe(caller.key.id);
  });
});

describe("usage", () => {
  const usage = (plain: string, query = "") => house.read<List<Facts> & { total: Facts }>(plain, `/v1/usage?${query}`);

  test.each([...USAGE_DIMENSIONS])("grouped by %s comes to one total", async (dimension) => {
    const { total } = await usage(reader.plain);
    const grouped = await usage(reader.plain, `group_by=${dimension}`);
    expect(grouped.total).toEqual(total);
    const cost = grouped.data.reduce((sum, group) => sum + Number(group["cost_usd"]), 0);
    expect(cost).toBeCloseTo(Number(total["cost_usd"]), 12);
    for (const group of grouped.data) expect(group).toHaveProperty(dimension);
  });

  test("is a key's own, and an organization's for a key that reads; test calls are neither's", async () => {
    const keys = async (plain: string) => (await usage(plain, "group_by=key")).data.map(({ key }) => key);
    expect(await keys(caller.plain)).toEqual([caller.key.id]);
    expect(new Set(await keys(reader.plain))).toEqual(new Set([caller.key.id, other.key.id]));
    expect(await keys(tester.plain)).toEqual([tester.key.id]);
  });

  test("is filtered by any dimension, several values too, and by having none", async () => {
    const users = async (query: string) => (await usage(reader.plain, `group_by=user&${query}`)).data.map(({ user }) => user);
    expect(await users("user=ann")).toEqual(["ann"]);
    expect(new Set(await users("user=ann&user=bob"))).toEqual(new Set(["ann", "bob"]));
    expect(await users("user=&provider=groq")).toContain(null);
    expect(await users("team=team_growth&tag=b")).toEqual(["bob"]);
    expect(await users("project=proj_nobody")).toEqual([]);
  });

  test("of another key is nothing to a key that calls", async () => {
    expect(await usage(caller.plain, `key=${other.key.id}`)).toMatchObject({ data: [], total: { requests: 0, cost_usd: 0 } });
  });

  test("comes in pages whose groups are each there once", async () => {
    const seen: unknown[] = [];
    let cursor = "";
    for (;;) {
      const page = await usage(reader.plain, `group_by=tag&limit=1${cursor}`);
      seen.push(...page.data.map(({ tag }) => tag));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const tag of ["a", "b", null]) expect(seen).toContain(tag);
  });

  test.each([
    ["group_by=colour", "group_by"],
    ["from=yesterday", "from"],
    ["from=2026-02-01&to=2026-01-01", "from"],
    ["limit=1001", "limit"],
    ["colour=red", "colour"],
    ["cursor=nonsense", "cursor"],
    [`user=${"x".repeat(257)}`, "user"],
  ])("refuses %s and names the field", async (query, param) => {
    const response = await house.get(reader.plain, `/v1/usage?${query}`);
    expect(response.status).toBe(400);
    expect((await response.json()) as object).toMatchObject({ error: { param } });
  });
});

describe("the audit", () => {
  const audit = (plain: string, query: string) => house.read<List<Facts>>(plain, `/v1/audit?${query}`);

  test("is listed by what calls were", async () => {
    expect((await audit(caller.plain, "user=ann&run=r1")).data.map(({ tag }) => tag)).toEqual(["a"]);
    expect((await audit(reader.plain, `provider=groq&key=${other.key.id}`)).data.length).toBe(1);
    expect((await audit(reader.plain, "model=llama-3.1-8b-instant")).data.map(({ key_id }) => key_id)).toEqual([other.key.id]);
    expect((await audit(caller.plain, `key=${other.key.id}`)).data).toEqual([]);
    expect((await audit(reader.plain, "limit=1000")).data.every((entry) => !("test" in entry))).toBe(true);
    expect((await audit(reader.plain, "status=error")).data).toEqual([]);
  });

  test("pages through a filter without a gap or a repeat, however rare what it asks for", async () => {
    const many = await house.mint("many");
    const wanted: string[] = [];
    for (let i = 0; i < 450; i++) {
      const id = await house.row(many.key, i % 97 === 3 ? { tag: "rare" } : {});
      if (i % 97 === 3) wanted.push(id);
    }
    const seen: unknown[] = [];
    let cursor = "";
    for (let pages = 0; pages < 20; pages++) {
      const page = await audit(many.plain, `tag=rare&limit=2${cursor}`);
      seen.push(...page.data.map(({ request_id }) => request_id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
    expect(seen).toEqual(wanted.reverse());
  });
});

describe("limits", () => {
  test("are every budget, balance and rate of the key's scopes, with what is left and when they begin anew", async () => {
    const key = await house.mint("limited", { projectId: "proj_web", tokensPerMinute: 5_000 });
    await house.row(key.key);
    await house.ports.budgets.put(budget("bdg_key", "key", key.key.id));
    await house.ports.budgets.put(
      budget("bdg_team", "team", "team_growth", { hard: false, window: { unit: "month", rolling: true, zone: "UTC" } }),
    );
    await house.ports.budgets.put(budget("bdg_life", "project", "proj_web", { window: { unit: "lifetime", rolling: false, zone: "UTC" } }));
    await house.ports.budgets.put(budget("bdg_other", "key", other.key.id));
    await house.ports.budgets.put(budget("bdg_user", "user", "ann"));
    const made = { organizationId: "default", createdAt: house.clock.now() };
    await house.ports.directory.put("scope-limits", { ...made, id: "lim_1", scope: { kind: "project", id: "proj_web" }, concurrency: 8 });
    await house.ports.directory.put("scope-limits", { ...made, id: "lim_2", scope: { kind: "key", id: other.key.id }, concurrency: 1 });
    await house.ports.directory.put("credit-account", {
      ...made,
      id: "cra_1",
      scope: { kind: "key", id: key.key.id },
      markupBasisPoints: 2_000,
    });
    const entry = { organizationId: "default", accountId: "cra_1", reason: "paid", actor: "admin", at: house.clock.now() };
    await house.ports.journal.credit({ ...entry, kind: "top_up", amount: nanoUsd(1_000_000_000n) });
    const { data } = await house.read<List<Facts>>(key.plain, "/v1/limits");
    const of = (scope: string, kind: string) => data.find((limit) => limit["scope"] === scope && limit["kind"] === kind);
    expect(of(`key:${key.key.id}`, "budget")).toMatchObject({
      id: "bdg_key",
      window: "day",
      hard: true,
      limit_usd: 0.001,
      spent_usd: USAGE_COST,
      reserved_usd: 0,
      remaining_usd: 0.0007,
      resets_at: "2026-11-24T00:00:00.000Z",
      thresholds: [{ percent: 80, action: "alert" }],
    });
    expect(of("team:team_growth", "budget")).toMatchObject({ hard: false, rolling: true });
    expect(of("project:proj_web", "budget")).toMatchObject({ resets_at: null });
    expect(of("project:proj_web", "concurrency")).toMatchObject({ limit: 8 });
    expect(of(`key:${key.key.id}`, "tokens_per_minute")).toMatchObject({ limit: 5_000 });
    expect(of(`key:${key.key.id}`, "credits")).toMatchObject({ limit_usd: 1, spent_usd: 0.00036, remaining_usd: 0.99964, resets_at: null });
    expect(JSON.stringify(data)).not.toContain(other.key.id);
    expect(of("user:ann", "budget")).toBeUndefined();
    const named = await house.read<List<Facts>>(key.plain, "/v1/limits?user=ann");
    expect(named.data.map(({ id }) => id)).toContain("bdg_user");
    const all = await house.read<List<Facts>>(reader.plain, "/v1/limits");
    expect(all.data.map(({ id }) => id)).toContain("bdg_other");
  });

  test("of rates say what is left of the minute, and of the calls at once", async () => {
    const policy = { requestsPerMinute: 5, tokensPerMinute: 100_000, concurrency: 3 };
    const key = await house.mint("rated", policy, "default", "test");
    const rates = async () =>
      (await house.read<List<Facts>>(key.plain, "/v1/limits")).data.map(({ kind, limit, remaining, resets_at }) => [
        kind,
        limit,
        remaining,
        resets_at,
      ]);
    expect(await rates()).toEqual([
      ["requests_per_minute", 5, 5, null],
      ["tokens_per_minute", 100_000, 100_000, null],
      ["concurrency", 3, 3, null],
    ]);
    const answer = await house.chat(key.plain, { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Hi" }] });
    expect(answer.status).toBe(200);
    await answer.text();
    await house.settled();
    const [requests, tokens, atOnce] = await rates();
    expect(requests).toEqual(["requests_per_minute", 5, 4, expect.any(String)]);
    expect(Date.parse(String(requests?.[3]))).toBeGreaterThan(house.clock.now());
    expect(Number(tokens?.[2])).toBeLessThan(100_000);
    expect(atOnce).toEqual(["concurrency", 3, 3, null]);
  });

  test("stand in the account too, and what others spend does not", async () => {
    const account = await house.read<{ budgets: Facts[]; organization: Facts; key: Facts }>(other.plain, "/v1/account");
    expect(account.budgets.map(({ id }) => id)).toEqual(["bdg_other"]);
    expect(account.organization).toEqual({ id: "default", spent_usd: null, reserved_usd: null });
    expect(account.key).toMatchObject({ id: other.key.id, spent_usd: USAGE_COST });
    const whole = await house.read<{ organization: { spent_usd: number } }>(reader.plain, "/v1/account");
    expect(whole.organization.spent_usd).toBeGreaterThan(USAGE_COST);
  });
});

describe("decisions", () => {
  test("are listed with cost, latency and outcome, by team, project, intent and time", async () => {
    const key = await house.mint("routed", { projectId: "proj_web" });
    const decision = '{"asked":"auto","intent":"code","chosen":[],"excluded":[]}';
    const id = await house.row(key.key, { decision }, { latencyMs: 12.5, timeToFirstChunkMs: 7.4 });
    const list = async (query: string) => (await house.admin(`/admin/v1/decisions?${query}`)).json() as Promise<List<Facts>>;
    expect((await list("intent=code&team=team_growth&project=proj_web&from=2026-11-23")).data).toMatchObject([
      {
        request_id: id,
        intent: "code",
        decision: { asked: "auto" },
        cost_usd: USAGE_COST,
        first_chunk_ms: 7,
        outcome: { status: "ok", error: null, attempts: 1 },
      },
    ]);
    expect((await list("intent=poetry")).data).toEqual([]);
    await house.row(key.key, { decision: '{"asked":"auto"}', intent: "poetry", tier: "complex" });
    expect((await list("intent=poetry")).data).toMatchObject([{ intent: "poetry" }]);
    expect((await house.read<List<Facts>>(key.plain, "/v1/audit?tier=complex")).data).toMatchObject([
      { intent: "poetry", tier: "complex" },
    ]);
    expect((await list("from=2026-11-24")).data).toEqual([]);
    expect((await list("")).data.every((entry) => entry["decision"] !== null)).toBe(true);
    expect((await house.admin("/admin/v1/decisions?organization=nobody")).status).toBe(404);
    expect((await house.admin("/admin/v1/decisions?colour=red")).status).toBe(400);
  });
});
