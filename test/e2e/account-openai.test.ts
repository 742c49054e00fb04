// OpenAI's stock client as the admin client.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { nanoUsd } from "../../src/core/money";
import { type AccountHouse, type Minted, startAccountHouse, USAGE_COST } from "./account-house";
import { ADMIN_KEY } from "./house";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let house: AccountHouse;
let web: Minted;
let loose: Minted;
let reader: Minted;
let elsewhere: Minted;
/** Midnight of the house's day. */
let today: number;
let organization: string;

const clientOf = (key: string, more: { organization?: string } = {}) =>
  new OpenAI({ adminAPIKey: key, apiKey: null as unknown as string, baseURL: `${house.url}/v1`, maxRetries: 0, ...more }).admin
    .organization;
/** What a call was refused with. */
const refusal = (call: PromiseLike<unknown>): PromiseLike<unknown> =>
  call.then(
    () => "it was not refused",
    (error: unknown) => error,
  );
const seconds = (unixMs: number): number => unixMs / 1000;

beforeAll(async () => {
  house = await startAccountHouse({ store: { kind: "file" } });
  today = Math.floor(house.clock.now() / DAY) * DAY;
  const made = { organizationId: "default", createdAt: house.clock.now() };
  await house.ports.directory.put("project", { ...made, id: "proj_web", name: "web" });
  web = await house.mint("web key", { projectId: "proj_web" });
  loose = await house.mint("loose key");
  reader = await house.mint("reader", { role: "read" });
  organization = (await house.store.organizations.create("elsewhere")).id;
  elsewhere = await house.mint("elsewhere", { role: "read" }, organization);
  await house.row(web.key, { heldAt: today - DAY + HOUR });
  await house.row(web.key, { heldAt: today + HOUR });
  await house.row(loose.key, { heldAt: today + HOUR + 60_000, user: "ann", modelServed: "gpt-4.1-mini" });
  await house.row(loose.key, {
    heldAt: today + 3 * HOUR,
    door: "embeddings",
    modelServed: "text-embedding-3-small",
    modelRequested: "text-embedding-3-small",
  });
});
afterAll(() => house.close());

describe("usage", () => {
  test("comes in buckets of days, with figures that are the ledger's", async () => {
    const page = await clientOf(ADMIN_KEY).usage.completions({ start_time: seconds(today - 2 * DAY), end_time: seconds(today + DAY) });
    expect(page).toMatchObject({ object: "page", has_more: false, next_page: null });
    expect(page.data.map(({ start_time, end_time, results }) => [start_time, end_time, results.length])).toEqual([
      [seconds(today - 2 * DAY), seconds(today - DAY), 0],
      [seconds(today - DAY), seconds(today), 1],
      [seconds(today), seconds(today + DAY), 1],
    ]);
    expect(page.data[2]?.results[0]).toEqual({
      object: "organization.usage.completions.result",
      input_tokens: 2_000,
      input_cached_tokens: 800,
      input_cache_write_tokens: 0,
      input_audio_tokens: 0,
      output_tokens: 600,
      output_audio_tokens: 0,
      num_model_requests: 2,
      project_id: null,
      user_id: null,
      api_key_id: null,
      model: null,
      batch: null,
      service_tier: null,
    });
  });

  test("is grouped by several things at once, and filtered by lists", async () => {
    const usage = clientOf(ADMIN_KEY).usage;
    const day = { start_time: seconds(today), end_time: seconds(today + DAY) };
    const groups = async (more: object) =>
      (await usage.completions({ ...day, ...more })).data[0]?.results.map((result): Record<string, unknown> => ({ ...result })) ?? [];
    const both = await groups({ group_by: ["project_id", "model", "user_id"] });
    expect(both.map((group) => ["project_id", "model", "user_id"].map((name) => group[name])).toSorted()).toEqual([
      [null, "gpt-4.1-mini", "ann"],
      ["proj_web", "gpt-4o-mini", null],
    ]);
    expect(await groups({ api_key_ids: [web.key.id], group_by: ["api_key_id", "batch"] })).toMatchObject([
      { api_key_id: web.key.id, batch: false },
    ]);
    expect((await groups({ models: ["gpt-4o-mini", "gpt-4.1-mini"] })).length).toBe(1);
    expect(await groups({ project_ids: ["proj_nobody"] })).toEqual([]);
    expect(await groups({ user_ids: ["ann"], group_by: ["user_id"] })).toMatchObject([{ user_id: "ann", num_model_requests: 1 }]);
    expect(await groups({ batch: true })).toEqual([]);
  });

  test("has hours and minutes, and pages that the client follows", async () => {
    const usage = clientOf(ADMIN_KEY).usage;
    const minutes = await usage.completions({ start_time: seconds(today + HOUR), end_time: seconds(today + 2 * HOUR), bucket_width: "1m" });
    expect(minutes.data.length).toBe(60);
    expect(minutes.data.map(({ results }) => results.length).slice(0, 3)).toEqual([1, 1, 0]);
    const seen: number[] = [];
    let page: string | undefined;
    do {
      const hours = await usage.completions({
        start_time: seconds(today),
        end_time: seconds(today + 5 * HOUR),
        bucket_width: "1h",
        limit: 2,
        ...(page === undefined ? {} : { page }),
      });
      seen.push(...hours.data.map(({ start_time }) => start_time));
      page = hours.next_page ?? undefined;
      expect(hours.has_more).toBe(page !== undefined);
    } while (page !== undefined);
    expect(seen).toEqual([0, 1, 2, 3, 4].map((hour) => seconds(today + hour * HOUR)));
  });

  test("tells vectors from completions, and says nothing of what there is no door for", async () => {
    const usage = clientOf(ADMIN_KEY).usage;
    const day = { start_time: seconds(today), end_time: seconds(today + DAY) };
    expect((await usage.embeddings(day)).data[0]?.results).toMatchObject([
      { object: "organization.usage.embeddings.result", input_tokens: 1_000, num_model_requests: 1 },
    ]);
    for (const none of [await usage.images(day), await usage.moderations(day), await usage.audioSpeeches(day)])
      expect(none.data.map(({ results }) => results)).toEqual([[]]);
  });

  test("costs by project, key and line item add up to the ledger", async () => {
    const usage = clientOf(ADMIN_KEY).usage;
    const days = { start_time: seconds(today - DAY), end_time: seconds(today + DAY), limit: 180 };
    const whole = await usage.costs(days);
    expect(whole.data[1]?.results).toMatchObject([
      { object: "organization.costs.result", amount: { value: 3 * USAGE_COST, currency: "usd" } },
    ]);
    const items = await usage.costs({ ...days, group_by: ["project_id", "line_item"] });
    const values = items.data[1]?.results.map((result) => ("amount" in result ? (result.amount?.value ?? 0) : 0)) ?? [];
    expect(values.length).toBe(3);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(3 * USAGE_COST, 12);
    expect(items.data[1]?.results.map((result) => ("line_item" in result ? result.line_item : undefined))).toContain("gpt-4o-mini");
  });

  test.each([
    ["", "start_time"],
    ["start_time=now", "start_time"],
    ["start_time=1&bucket_width=1w", "bucket_width"],
    ["start_time=1&group_by[]=colour", "group_by"],
    ["start_time=1&group_by[]=service_tier", "group_by"],
    ["start_time=1&limit=32", "limit"],
    ["start_time=5&end_time=5", "end_time"],
    ["start_time=1&page=x", "page"],
    ["start_time=1&sizes[]=1", "sizes"],
  ])("refuses %p and names the field", async (query, param) => {
    const response = await house.admin(`/v1/organization/usage/completions?${query}`);
    expect(response.status).toBe(400);
    expect((await response.json()) as object).toMatchObject({ error: { param } });
  });
});

describe("projects", () => {
  test("are made, renamed, read and listed, page after page", async () => {
    const { projects } = clientOf(ADMIN_KEY);
    const made = await projects.create({ name: "second" });
    expect(made).toMatchObject({
      object: "organization.project",
      name: "second",
      status: "active",
      created_at: seconds(house.clock.now()),
    });
    expect((await projects.update(made.id, { name: "renamed" })).name).toBe("renamed");
    expect((await projects.retrieve(made.id)).name).toBe("renamed");
    const names: (string | null | undefined)[] = [];
    for await (const project of projects.list({ limit: 1 })) names.push(project.name);
    expect(names).toEqual(["web", "renamed"]);
    expect(await refusal(projects.create({ name: "web" }))).toMatchObject({ status: 400, param: "name" });
    expect(await refusal(projects.retrieve("proj_nobody"))).toMatchObject({ status: 404 });
  });

  test("show their keys without a secret, and take them away", async () => {
    const { projects } = clientOf(ADMIN_KEY);
    const brief = await house.mint("brief", { projectId: "proj_web" });
    const keys = [];
    for await (const key of projects.apiKeys.list("proj_web", { limit: 1 })) keys.push(key);
    expect(keys.map(({ name }) => name)).toEqual(["web key", "brief"]);
    for (const { plain } of [web, brief]) expect(JSON.stringify(keys)).not.toContain(plain.slice(30));
    expect(keys[0]).toMatchObject({
      object: "organization.project.api_key",
      redacted_value: `tw_live_${web.key.id.slice(4)}***`,
      last_used_at: null,
    });
    expect((await projects.apiKeys.retrieve(brief.key.id, { project_id: "proj_web" })).name).toBe("brief");
    expect(await projects.apiKeys.delete(brief.key.id, { project_id: "proj_web" })).toMatchObject({ id: brief.key.id, deleted: true });
    expect((await house.get(brief.plain, "/v1/account")).status).toBe(403);
    expect(await refusal(projects.apiKeys.retrieve(loose.key.id, { project_id: "proj_web" }))).toMatchObject({ status: 404 });
    expect(await refusal(projects.apiKeys.delete(loose.key.id, { project_id: "proj_web" }))).toMatchObject({ status: 404 });
  });

  test("show their rate limits", async () => {
    const made = { organizationId: "default", createdAt: house.clock.now() };
    const scope = { kind: "project", id: "proj_web" } as const;
    await house.ports.directory.put("scope-limits", { ...made, id: "lim_1", scope, requestsPerMinute: 60 });
    const { data } = await clientOf(ADMIN_KEY).projects.rateLimits.listRateLimits("proj_web");
    expect(data as object[]).toEqual([
      { object: "project.rate_limit", id: "lim_1", model: "*", max_requests_per_1_minute: 60, max_tokens_per_1_minute: null },
    ]);
  });

  test("have a spend limit that is a budget, as the organization has", async () => {
    const { spendLimit, projects } = clientOf(ADMIN_KEY);
    expect(await refusal(spendLimit.retrieve())).toMatchObject({ status: 404 });
    const asked = { currency: "USD", interval: "month", threshold_amount: 1_005 } as const;
    expect(await spendLimit.update(asked)).toMatchObject({
      object: "organization.spend_limit",
      threshold_amount: 1_005,
      enforcement: { status: "enforcing" },
    });
    await spendLimit.update({ ...asked, threshold_amount: 7 });
    const set = house.ports.directory.list("budget", "default").filter(({ scope }) => scope.kind === "organization");
    expect(set.map(({ limit, hard, window }) => [limit, hard, window.unit])).toEqual([[nanoUsd(70_000_000n), true, "month"]]);
    expect(await projects.spendLimit.update("proj_web", asked)).toMatchObject({ object: "project.spend_limit", threshold_amount: 1_005 });
    expect(await refusal(spendLimit.update({ ...asked, threshold_amount: 0 }))).toMatchObject({ status: 400, param: "threshold_amount" });
    expect(await spendLimit.delete()).toEqual({ object: "organization.spend_limit.deleted", deleted: true });
    expect(await projects.spendLimit.delete("proj_web")).toEqual({ object: "project.spend_limit.deleted", deleted: true });
    expect(house.ports.directory.list("budget", "default")).toEqual([]);
  });
});

describe("admin keys", () => {
  test("are keys that read: made, shown once, listed, taken away", async () => {
    const { adminAPIKeys, usage } = clientOf(ADMIN_KEY);
    const made = await adminAPIKeys.create({ name: "finance", expires_in_seconds: 60 });
    expect(made).toMatchObject({ object: "organization.admin_api_key", name: "finance", expires_at: seconds(house.clock.now()) + 60 });
    const value = made.value ?? "";
    expect((await clientOf(value).usage.costs({ start_time: seconds(today - DAY) })).data.length).toBeGreaterThan(0);
    const listed = [];
    for await (const key of adminAPIKeys.list()) listed.push(key);
    expect(listed.map(({ name }) => name)).toEqual(["reader", "finance"]);
    expect(JSON.stringify(listed)).not.toContain(value);
    expect((await adminAPIKeys.retrieve(made.id)).name).toBe("finance");
    expect((await adminAPIKeys.delete(made.id)).deleted).toBe(true);
    expect(await refusal(clientOf(value).usage.costs({ start_time: 1 }))).toMatchObject({ status: 403 });
    expect(await refusal(adminAPIKeys.retrieve(web.key.id))).toMatchObject({ status: 404 });
    expect(usage).toBeDefined();
  });
});

describe("the audit log", () => {
  test("tells what administrators did, newest first, filtered and in pages", async () => {
    const logs = clientOf(ADMIN_KEY).auditLogs;
    await house.clock.advance(10_000);
    const before = seconds(house.clock.now());
    const { id } = await clientOf(ADMIN_KEY).projects.create({ name: "logged" });
    const { data } = await logs.list({ effective_at: { gte: before }, event_types: ["project.created"] });
    expect(data).toMatchObject([
      {
        type: "project.created",
        effective_at: before,
        project: { id, name: "logged" },
        actor: { type: "api_key" },
        "project.created": { id },
      },
    ]);
    expect(data[0]?.id).toStartWith("audit_log-");
    expect((await logs.list({ effective_at: { lt: 5 } })).data).toEqual([]);
    expect((await logs.list({ resource_ids: [id], actor_ids: ["admin"] })).data.length).toBe(1);
    expect((await logs.list({ project_ids: [id] })).data.length).toBe(1);
    const all = (await logs.list({ limit: 100 })).data.map((entry) => entry.id);
    const paged: string[] = [];
    for await (const entry of logs.list({ limit: 2 })) paged.push(entry.id);
    expect(paged).toEqual(all);
    expect((await logs.list({ before: all[3] ?? "", limit: 2 })).data.map((entry) => entry.id)).toEqual(all.slice(1, 3));
    expect(await refusal(logs.list({ after: "x" }))).toMatchObject({ status: 400, param: "after" });
    expect(await refusal(logs.list({ actor_emails: ["a@b.c"] }))).toMatchObject({ status: 400, param: "actor_emails" });
  });
});

describe("who asks", () => {
  test("a key that reads sees its organization and changes nothing; one that calls is kept out", async () => {
    expect((await clientOf(reader.plain).projects.retrieve("proj_web")).name).toBe("web");
    expect(await refusal(clientOf(reader.plain).projects.create({ name: "no" }))).toMatchObject({ status: 401 });
    expect(await refusal(clientOf(reader.plain).projects.apiKeys.delete(web.key.id, { project_id: "proj_web" }))).toMatchObject({
      status: 401,
    });
    expect(
      await refusal(clientOf(reader.plain).spendLimit.update({ currency: "USD", interval: "month", threshold_amount: 1 })),
    ).toMatchObject({ status: 401 });
    expect(await refusal(clientOf(web.plain).projects.list())).toMatchObject({ status: 401 });
  });

  test("another organization is asked for in OpenAI's header, by the administrator alone", async () => {
    const start = { start_time: seconds(today - DAY) };
    const costs = async (key: string, more: { organization?: string } = {}) =>
      (await clientOf(key, more).usage.costs(start)).data.flatMap(({ results }) => results).length;
    expect(await costs(ADMIN_KEY)).toBeGreaterThan(0);
    expect(await costs(ADMIN_KEY, { organization })).toBe(0);
    expect(await costs(ADMIN_KEY, { organization: "elsewhere" })).toBe(0);
    expect(await costs(elsewhere.plain)).toBe(0);
    expect(await refusal(costs(elsewhere.plain, { organization: "default" }))).toMatchObject({ status: 404 });
    expect(await refusal(costs(ADMIN_KEY, { organization: "org_nobody" }))).toMatchObject({ status: 404 });
    expect(await refusal(clientOf(elsewhere.plain).projects.retrieve("proj_web"))).toMatchObject({ status: 404 });
  });
});
