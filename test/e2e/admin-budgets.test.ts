// Budgets and credits over the administrator's door: amounts to the last digit, windows, thresholds, what is spent and left.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ManualClock } from "../contract/manual-clock";
import { type AdminDoor, adminDoor, type Json } from "./admin-door";
import { type RunningHouse, startHouse } from "./house";

let house: RunningHouse;
let admin: AdminDoor;
let clock: ManualClock;
let key: string;
let project: string;
let team: string;

beforeAll(async () => {
  clock = new ManualClock(Date.UTC(2026, 10, 23, 15, 30));
  house = await startHouse({ clock });
  admin = adminDoor(house);
  team = String((await admin.post("/teams", { name: "team" }))["id"]);
  project = String((await admin.post("/projects", { name: "project", team }))["id"]);
  key = String((await admin.post("/keys", { name: "key", project }))["id"]);
});
afterAll(() => house.close());

async function withoutBudgets(): Promise<void> {
  for (const { id } of await admin.all("/budgets")) await admin.remove(`/budgets/${id}`);
}

describe("a budget", () => {
  test("stands on any scope, by id or by name, in the organization of its scope", async () => {
    const acme = String((await admin.post("/organizations", { name: "acme" }))["id"]);
    const theirs = String((await admin.post("/keys", { name: "theirs", organization: acme }))["id"]);
    const scopes: [asked: string, shown: string, organization: string][] = [
      ["organization", "organization:default", "default"],
      ["organization:default", "organization:default", "default"],
      [`organization:${acme}`, `organization:${acme}`, acme],
      ["organization:acme", `organization:${acme}`, acme],
      [`team:${team}`, `team:${team}`, "default"],
      ["team:team", `team:${team}`, "default"],
      [`project:${project}`, `project:${project}`, "default"],
      [`key:${key}`, `key:${key}`, "default"],
      [`key:${theirs}`, `key:${theirs}`, acme],
      ["user:alice@x", "", ""],
      ["user:alice", "user:alice", "default"],
      ["agent:claude-code", "agent:claude-code", "default"],
      ["run:2026-11-23:nightly", "run:2026-11-23:nightly", "default"],
    ];
    for (const [scope, shown, organization] of scopes) {
      const { body } = await admin.ask("POST", "/budgets", { scope, limit_usd: 5, window: "day" });
      if (shown === "") expect(body).toMatchObject({ error: { param: "scope" } });
      else expect(body).toMatchObject({ object: "budget", scope: shown, organization });
      if (shown !== "") await admin.remove(`/budgets/${body["id"]}`);
    }
  });

  test.each<[text: string, exact: string]>([
    ["0", "0"],
    ["5", "5"],
    ['"5"', "5"],
    ["0.1", "0.1"],
    ['"0.10"', "0.1"],
    ["12345678.123456789", "12345678.123456789"],
    ['"12345678.123456789"', "12345678.123456789"],
    ["0.000000001", "0.000000001"],
    ["1e-9", "0.000000001"],
    ["2.5e2", "250"],
    ["1000000000", "1000000000"],
  ])("of limit_usd %s limits %s, to the digit", async (text, exact) => {
    const made = await admin.post("/budgets", `{"scope": "key:${key}", "limit_usd": ${text}, "window": "day"}`);
    expect(made["exact"]).toEqual({ limit_usd: exact, spent_usd: "0", reserved_usd: "0", remaining_usd: exact });
    expect(made["limit_usd"]).toBe(Number(exact));
    await admin.remove(`/budgets/${made["id"]}`);
  });

  test.each<[Json, string | null, string]>([
    [{ window: "minute" }, "2026-11-23T15:31:00.000Z", "UTC"],
    [{ window: "hour", timezone: "Asia/Kolkata" }, "2026-11-23T16:30:00.000Z", "Asia/Kolkata"],
    [{ window: "day", timezone: "Asia/Kolkata" }, "2026-11-24T18:30:00.000Z", "Asia/Kolkata"],
    [{ window: "day", timezone: "America/New_York" }, "2026-11-24T05:00:00.000Z", "America/New_York"],
    [{ window: "week" }, "2026-11-30T00:00:00.000Z", "UTC"],
    [{ window: "month" }, "2026-12-01T00:00:00.000Z", "UTC"],
    [{ window: "day", rolling: true }, "2026-11-24T15:30:00.000Z", "UTC"],
    [{ window: "lifetime" }, null, "UTC"],
  ])("of %j begins anew at %s", async (window, resets, timezone) => {
    const made = await admin.post("/budgets", { scope: `key:${key}`, limit_usd: 1, ...window });
    const resetsAt = window["timezone"] === "Asia/Kolkata" && window["window"] === "day" ? "2026-11-23T18:30:00.000Z" : resets;
    expect(made).toMatchObject({ resets_at: resetsAt, timezone, rolling: window["rolling"] ?? false, window: window["window"] });
    await admin.remove(`/budgets/${made["id"]}`);
  });

  test("is hard and without thresholds where nothing else is said; thresholds are kept in order", async () => {
    const plain = await admin.post("/budgets", { scope: `key:${key}`, limit_usd: 1, window: "day" });
    expect(plain).toMatchObject({ hard: true, thresholds: [] });
    const path = `/budgets/${plain["id"]}`;
    const thresholds = [{ percent: 90, action: "block" }, { percent: 50 }];
    expect(await admin.patch(path, { hard: false, thresholds, limit_usd: "2.5" })).toMatchObject({
      hard: false,
      limit_usd: 2.5,
      thresholds: [
        { percent: 50, action: "alert" },
        { percent: 90, action: "block" },
      ],
    });
    expect(await admin.patch(path, { thresholds: [] })).toMatchObject({ thresholds: [], hard: false });
    expect(await admin.patch(path, { window: "month", timezone: "Europe/Berlin" })).toMatchObject({
      window: "month",
      timezone: "Europe/Berlin",
    });
    // A lifetime knows no zone; what the calendar budget had is not carried into it.
    expect(await admin.patch(path, { window: "lifetime" })).toMatchObject({ window: "lifetime", timezone: "UTC", rolling: false });
    expect(await admin.get(path)).toMatchObject({ window: "lifetime", limit_usd: 2.5 });
    expect(await admin.remove(path)).toEqual({ object: "budget", id: plain["id"], deleted: true });
    expect((await admin.refused("GET", path)).status).toBe(404);
    const deeds = (await admin.all("/events")).filter((event) => event["resource"] === plain["id"]);
    expect(deeds.map(({ type }) => type)).toEqual(["budget.deleted", ...new Array<string>(4).fill("budget.updated"), "budget.created"]);
    expect(deeds.at(-1)).toMatchObject({ actor: "admin", data: { limit_usd: "1", window: "day", scope: `key:${key}` } });
  });

  test("shows what is spent, held and left; what was spent before it was made counts, and test keys' spending counts apart", async () => {
    const made = await admin.post("/keys", { name: "spends", mode: "test", project, budgets: [{ limit_usd: 1, window: "day" }] });
    const spend = async () => {
      const answer = await house.chat(String(made["key"]), {
        model: "gpt-4o",
        messages: [{ role: "user", content: "hi [[simulate: pace=0]]" }],
      });
      expect(answer.status).toBe(200);
      const { usage } = (await answer.json()) as { usage: { cost: number } };
      await house.settled();
      return usage.cost;
    };
    const first = await spend();
    const own = (await admin.get(`/keys/${made["id"]}`))["budgets"] as Json[];
    expect(own).toMatchObject([{ test: true, spent_usd: first, reserved_usd: 0 }]);
    const { exact } = own[0] as { exact: Record<string, string> };
    expect(Number(exact["spent_usd"]) + Number(exact["remaining_usd"])).toBeCloseTo(1, 9);
    const later = await admin.post("/budgets", { scope: `project:${project}`, limit_usd: 1, window: "day" });
    expect(later).toMatchObject({ spent_usd: 0, remaining_usd: 1, of_test_keys: { spent_usd: first } });
    const second = await spend();
    const read = await admin.get(`/budgets/${later["id"]}`);
    expect((read["of_test_keys"] as Json)["spent_usd"]).toBeCloseTo(first + second, 9);
    await withoutBudgets();
  });

  test("is listed by its organization, by its scope, page by page", async () => {
    for (const window of ["minute", "hour", "day", "week", "month"]) {
      await admin.post("/budgets", { scope: `key:${key}`, limit_usd: 1, window });
      await admin.post("/budgets", { scope: "organization", limit_usd: 1, window });
    }
    const whole = await admin.all("/budgets");
    expect(await admin.all("/budgets", 3)).toEqual(whole);
    expect(whole).toHaveLength(10);
    expect((await admin.all(`/budgets?scope=key:${key}`)).map(({ window }) => window).sort()).toEqual(
      ["minute", "hour", "day", "week", "month"].sort(),
    );
    expect(await admin.refused("GET", "/budgets?scope=key:key_x")).toMatchObject({ status: 404, param: "scope" });
    await withoutBudgets();
  });
});

describe("a budget is refused, by name, and nothing is written, with", () => {
  const good = (): Json => ({ scope: `key:${key}`, limit_usd: 5, window: "day" });
  test.each<[string, string, string, string]>([
    ["no scope", '{"limit_usd": 5, "window": "day"}', "missing_required_parameter", "scope"],
    ["no limit", '{"scope": "organization", "window": "day"}', "missing_required_parameter", "limit_usd"],
    ["no window", '{"scope": "organization", "limit_usd": 5}', "missing_required_parameter", "window"],
    ["a limit below zero", '"limit_usd": -1', "invalid_value", "limit_usd"],
    ["a limit below zero as text", '"limit_usd": "-0.01"', "invalid_value", "limit_usd"],
    ["a soft limit of zero", '"limit_usd": 0, "hard": false', "invalid_value", "limit_usd"],
    ["a currency", '"limit_usd": "5 USD"', "invalid_value", "limit_usd"],
    ["a currency's sign", '"limit_usd": "$5"', "invalid_value", "limit_usd"],
    ["a comma", '"limit_usd": "5,00"', "invalid_value", "limit_usd"],
    ["an empty limit", '"limit_usd": ""', "invalid_value", "limit_usd"],
    ["a limit of null", '"limit_usd": null', "invalid_type", "limit_usd"],
    ["a limit that is true", '"limit_usd": true', "invalid_type", "limit_usd"],
    ["ten decimals", '"limit_usd": 0.1000000001', "invalid_value", "limit_usd"],
    ["what a float makes of a sum", '"limit_usd": 0.30000000000000004', "invalid_value", "limit_usd"],
    ["a limit beyond reason", '"limit_usd": 1000000000.000000001', "invalid_value", "limit_usd"],
    ["a limit beyond all proportion", '"limit_usd": 1e300', "invalid_value", "limit_usd"],
    ["a window that is none", '"window": "year"', "invalid_value", "window"],
    ["a zone that is none", '"timezone": "Mars/Olympus"', "invalid_value", "timezone"],
    ["an offset for a zone", '"timezone": "+05:30"', "invalid_value", "timezone"],
    ["a zone that is a number", '"timezone": 5', "invalid_type", "timezone"],
    ["a zone for a rolling window", '"rolling": true, "timezone": "Europe/Berlin"', "invalid_value", "timezone"],
    ["a zone for a lifetime", '"window": "lifetime", "timezone": "Europe/Berlin"', "invalid_value", "timezone"],
    ["a rolling lifetime", '"window": "lifetime", "rolling": true', "invalid_value", "rolling"],
    ["rolling as text", '"rolling": "yes"', "invalid_type", "rolling"],
    ["hard as text", '"hard": "true"', "invalid_type", "hard"],
    ["thresholds that are no list", '"thresholds": {"percent": 80}', "invalid_type", "thresholds"],
    ["a threshold without a share", '"thresholds": [{"action": "alert"}]', "missing_required_parameter", "thresholds[0].percent"],
    ["a threshold of nothing", '"thresholds": [{"percent": 0}]', "invalid_value", "thresholds[0].percent"],
    ["a threshold of 1001 per cent", '"thresholds": [{"percent": 1001}]', "invalid_value", "thresholds[0].percent"],
    ["half a per cent", '"thresholds": [{"percent": 80.5}]', "invalid_value", "thresholds[0].percent"],
    ["an action that is none", '"thresholds": [{"percent": 80, "action": "cry"}]', "invalid_value", "thresholds[0].action"],
    [
      "a downgrade, which is not there yet",
      '"thresholds": [{"percent": 80, "action": "downgrade"}]',
      "unsupported_parameter",
      "thresholds[0].action",
    ],
    [
      "a reroute, which is not there yet",
      '"thresholds": [{"percent": 9, "action": "reroute"}]',
      "unsupported_parameter",
      "thresholds[0].action",
    ],
    ["a threshold twice", '"thresholds": [{"percent": 80}, {"percent": 80}]', "invalid_value", "thresholds[1]"],
    ["a field that it has not", '"limit": 5', "unsupported_parameter", "limit"],
    ["a scope that is none", '"scope": "planet:earth"', "invalid_value", "scope"],
    ["a scope without an id", '"scope": "key"', "invalid_value", "scope"],
    ["a key that is not there", '"scope": "key:key_x"', "not_found", "scope"],
    ["a project that is not there", '"scope": "project:proj_x"', "not_found", "scope"],
    ["an organization that is not there", '"scope": "organization:org_x"', "not_found", "scope"],
    ["a scope that is a number", '"scope": 5', "invalid_type", "scope"],
  ])("%s", async (_, text, code, param) => {
    const before = await admin.everything();
    // The case's fields take the place of the good ones.
    const fields = text.startsWith("{") ? text : `{${text}${restOf(good(), text)}}`;
    expect(await admin.refused("POST", "/budgets", fields)).toMatchObject({ code, param, status: code === "not_found" ? 404 : 400 });
    expect(await admin.everything()).toEqual(before);
  });

  const restOf = (all: Json, text: string): string =>
    Object.entries(all)
      .filter(([name]) => !text.includes(`"${name}":`))
      .map(([name, value]) => `, "${name}": ${JSON.stringify(value)}`)
      .join("");

  test("a window that overlaps with another budget of the scope, whichever way it comes to it", async () => {
    const day = await admin.post("/budgets", good());
    const month = await admin.post("/budgets", { ...good(), window: "month" });
    const rolling = await admin.post("/budgets", { ...good(), rolling: true });
    const before = await admin.everything();
    for (const more of [{}, { limit_usd: 7 }, { hard: false }, { timezone: "Asia/Tokyo" }]) {
      const refused = await admin.refused("POST", "/budgets", { ...good(), ...more });
      expect(refused).toMatchObject({ status: 400, code: "invalid_value", param: "window" });
      expect(refused.message).toContain(String(day["id"]));
    }
    expect(await admin.refused("PATCH", `/budgets/${month["id"]}`, { window: "day" })).toMatchObject({ param: "window" });
    expect(await admin.refused("PATCH", `/budgets/${rolling["id"]}`, { rolling: false })).toMatchObject({ param: "window" });
    expect(await admin.refused("PATCH", `/budgets/${day["id"]}`, { limit_usd: -1 })).toMatchObject({ param: "limit_usd" });
    expect(await admin.refused("PATCH", `/budgets/${day["id"]}`, { scope: "organization" })).toMatchObject({ param: "scope" });
    expect(await admin.everything()).toEqual(before);
    const many = await Promise.all(Array.from({ length: 6 }, () => admin.ask("POST", "/budgets", { ...good(), window: "week" })));
    expect(many.map(({ status }) => status).sort()).toEqual([200, ...new Array<number>(5).fill(400)]);
    await withoutBudgets();
  });
});

describe("credits", () => {
  test("are added to an account of their scope, and every entry stays", async () => {
    const account = await admin.post("/credits/accounts", { scope: "organization", markup_percent: 12.5 });
    expect(account).toMatchObject({ object: "credit_account", scope: "organization:default", markup_percent: 12.5, credited_usd: 0 });
    const topUp = await admin.post("/credits", { scope: "organization", amount_usd: "100.000000001" });
    expect(topUp).toMatchObject({
      object: "credit_entry",
      account: account["id"],
      kind: "top_up",
      actor: "admin",
      exact: { amount_usd: "100.000000001" },
    });
    const less = await admin.post("/credits", { scope: "organization", amount_usd: -0.5, kind: "adjustment", reason: "wrong invoice" });
    expect(less).toMatchObject({ kind: "adjustment", amount_usd: -0.5, reason: "wrong invoice" });
    expect(await admin.all("/credits", 1)).toEqual([less, topUp]);
    expect(await admin.get(`/credits/accounts/${account["id"]}`)).toMatchObject({ exact: { credited_usd: "99.500000001" } });
    expect(await admin.refused("DELETE", `/credits/accounts/${account["id"]}`)).toMatchObject({ status: 400, param: "id" });
    const empty = await admin.post("/credits/accounts", { scope: `project:${project}` });
    expect(await admin.remove(`/credits/accounts/${empty["id"]}`)).toMatchObject({ deleted: true });
  });

  test("are added once for an idempotency key, however often and at once it comes", async () => {
    await admin.post("/credits/accounts", { scope: `key:${key}` });
    const entry = { scope: `key:${key}`, amount_usd: 10, reason: "order 7" };
    const headers = { "idempotency-key": "order-7" };
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => admin.post("/credits", entry, headers)));
    for (const other of others) expect(other).toEqual(first as Json);
    await clock.advance(60_000);
    expect(await admin.post("/credits", entry, headers)).toEqual(first as Json);
    expect(await admin.all(`/credits?scope=key:${key}`)).toHaveLength(1);
    expect(await admin.refused("POST", "/credits", { ...entry, amount_usd: 11 }, headers)).toMatchObject({
      status: 422,
      code: "idempotency_mismatch",
      param: "idempotency-key",
    });
    // Without a key, or with another, it is another.
    await admin.post("/credits", entry);
    await admin.post("/credits", entry, { "idempotency-key": "order-8" });
    expect(await admin.all(`/credits?scope=key:${key}`)).toHaveLength(3);
    await clock.advance(24 * 60 * 60 * 1000);
    await admin.post("/credits", entry, headers);
    expect(await admin.all(`/credits?scope=key:${key}`)).toHaveLength(4);
  });

  test.each<[string, string, Json, number, string, string]>([
    ["an account of a scope that has one", "/accounts", { scope: "organization" }, 400, "invalid_value", "scope"],
    ["an account of a team", "/accounts", { scope: "team:team" }, 400, "invalid_value", "scope"],
    ["a markup below zero", "/accounts", { scope: "project:project", markup_percent: -1 }, 400, "invalid_value", "markup_percent"],
    [
      "a markup of three decimals",
      "/accounts",
      { scope: "project:project", markup_percent: 1.125 },
      400,
      "invalid_value",
      "markup_percent",
    ],
    ["a markup that is text", "/accounts", { scope: "project:project", markup_percent: "20 %" }, 400, "invalid_value", "markup_percent"],
    ["a scope without an account", "", { scope: "project:project", amount_usd: 1 }, 404, "not_found", "scope"],
    ["no amount", "", { scope: "organization" }, 400, "missing_required_parameter", "amount_usd"],
    ["an amount of nothing", "", { scope: "organization", amount_usd: 0 }, 400, "invalid_value", "amount_usd"],
    ["a top-up below zero", "", { scope: "organization", amount_usd: -1 }, 400, "invalid_value", "amount_usd"],
    ["an amount in euros", "", { scope: "organization", amount_usd: "5 EUR" }, 400, "invalid_value", "amount_usd"],
    ["a kind that is none", "", { scope: "organization", amount_usd: 1, kind: "gift" }, 400, "invalid_value", "kind"],
    [
      "an adjustment without a reason",
      "",
      { scope: "organization", amount_usd: 1, kind: "adjustment" },
      400,
      "missing_required_parameter",
      "reason",
    ],
    ["a reason of two lines", "", { scope: "organization", amount_usd: 1, reason: "a\nb" }, 400, "invalid_value", "reason"],
    ["a reason of 513 characters", "", { scope: "organization", amount_usd: 1, reason: "x".repeat(513) }, 400, "invalid_value", "reason"],
  ])("are refused with %s, by its name, and nothing is written", async (_, path, body, status, code, param) => {
    const before = [await admin.everything(), await admin.all("/credits"), await admin.all("/events")];
    expect(await admin.refused("POST", `/credits${path}`, body)).toMatchObject({ status, code, param });
    expect([await admin.everything(), await admin.all("/credits"), await admin.all("/events")]).toEqual(before);
  });

  test("take no idempotency key that a header cannot carry whole", async () => {
    const refused = await admin.refused(
      "POST",
      "/credits",
      { scope: "organization", amount_usd: 1 },
      { "idempotency-key": "x".repeat(256) },
    );
    expect(refused).toMatchObject({ status: 400, param: "idempotency-key" });
  });
});
