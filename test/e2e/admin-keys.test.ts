// Keys over the administrator's door: everything that they govern, made in one step or not at all, changed, rotated, revoked.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { ManualClock } from "../contract/manual-clock";
import { type AdminDoor, adminDoor, type Json } from "./admin-door";
import { type RunningHouse, startHouse } from "./house";

let house: RunningHouse;
let admin: AdminDoor;
let project: string;
let clock: ManualClock;

beforeAll(async () => {
  clock = new ManualClock();
  house = await startHouse({ clock });
  admin = adminDoor(house);
  project = String((await admin.post("/projects", { name: "web" }))["id"]);
});
afterAll(() => house.close());

const opens = async (key: unknown): Promise<number> => (await house.get(String(key), "/v1/account")).status;

const FULL = {
  name: "everything",
  mode: "live",
  allowed_models: ["gpt-4o*", "claude-*", "auto"],
  rate_limit: 60,
  tpm_limit: 100_000,
  concurrency: 4,
  pii_mode: "off",
  metadata: { customer: "c-1", "": "no" },
  allowed_ips: ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"],
  role: "call",
  agent: "claude-code",
  drop_params: true,
  response_metadata: "headers",
  expires_at: "2999-01-01T00:00:00Z",
};

describe("a key", () => {
  test("is made with all that it governs, and its budgets, in one step; the key itself is shown this once", async () => {
    const { metadata: _, ...rest } = FULL;
    const ask = { ...rest, metadata: { customer: "c-1", __proto__x: "y" }, project, budgets: [{ limit_usd: 25, window: "month" }] };
    const made = await admin.post("/keys", ask);
    const { key, budgets, id, created_at: createdAt, ...shown } = made;
    expect(String(key)).toMatch(/^tw_live_[0-9A-Za-z]{61}$/);
    expect(shown).toEqual({
      object: "api_key",
      organization: "default",
      status: "active",
      revoked_at: null,
      ...rest,
      metadata: ask.metadata,
      expires_at: "2999-01-01T00:00:00.000Z",
      project,
    });
    expect(budgets).toMatchObject([{ object: "budget", scope: `key:${id}`, limit_usd: 25, window: "month", hard: true }]);
    const read = await admin.get(`/keys/${id}`);
    expect(read).toEqual({ id, created_at: createdAt, ...shown, budgets });
    expect(JSON.stringify(read)).not.toContain(String(key).slice(-49));
    expect(house.ports.keys.verify(String(key))).toMatchObject({
      id,
      policy: { concurrency: 4, projectId: project, agent: "claude-code" },
    });
  });

  test("without a wish governs nothing", async () => {
    expect(await admin.post("/keys", { name: "plain" })).toMatchObject({
      mode: "live",
      project: null,
      role: "call",
      allowed_models: null,
      rate_limit: null,
      tpm_limit: null,
      concurrency: null,
      pii_mode: "off",
      metadata: {},
      allowed_ips: null,
      agent: null,
      drop_params: false,
      response_metadata: "inline",
      expires_at: null,
      budgets: [],
    });
  });

  test("is changed in what is named alone, null takes a limit away, and the next call sees it", async () => {
    const { id, key } = await admin.post("/keys", { ...FULL, metadata: {}, name: "to change" });
    const before = await admin.get(`/keys/${id}`);
    expect(await admin.patch(`/keys/${id}`, { rate_limit: 5, name: "changed" })).toMatchObject({
      name: "changed",
      rate_limit: 5,
      tpm_limit: 100_000,
    });
    const bare = { expires_at: null, allowed_models: null, rate_limit: null, tpm_limit: null, concurrency: null, allowed_ips: null };
    const after = await admin.patch(`/keys/${id}`, {
      ...bare,
      agent: null,
      project: null,
      metadata: null,
      role: "read",
      drop_params: false,
    });
    expect(after).toMatchObject({ ...bare, agent: null, project: null, metadata: {}, role: "read", drop_params: false });
    expect(after["created_at"]).toBe(before["created_at"] as string);
    expect(house.ports.keys.verify(String(key))?.policy.role).toBe("read");
    expect(await admin.patch(`/keys/${id}`, {})).toEqual(after);
  });

  test("is rotated: both secrets open until the grace is over, then the new one alone", async () => {
    const { id, key: first } = await admin.post("/keys", { name: "rotates" });
    const rotated = await admin.post(`/keys/${id}/rotate`, { grace_seconds: 60 });
    expect(rotated).toMatchObject({ id, previous_valid_until: new Date(clock.now() + 60_000).toISOString() });
    expect(rotated["key"]).not.toBe(first as string);
    expect(await Promise.all([opens(first), opens(rotated["key"])])).toEqual([200, 200]);
    await clock.advance(60_000);
    expect(await Promise.all([opens(first), opens(rotated["key"])])).toEqual([401, 200]);
    const now = await admin.post(`/keys/${id}/rotate`, { grace_seconds: 0 });
    expect(now["previous_valid_until"]).toBeNull();
    expect(await Promise.all([opens(rotated["key"]), opens(now["key"])])).toEqual([401, 200]);
    // A day where none is said.
    const usual = await admin.post(`/keys/${id}/rotate`, {});
    expect(usual["previous_valid_until"]).toBe(new Date(clock.now() + 86_400_000).toISOString());
  });

  test("is revoked at once, once and for all", async () => {
    const { id, key } = await admin.post("/keys", { name: "ends" });
    expect(await admin.remove(`/keys/${id}`)).toEqual({ object: "api_key", id, revoked: true });
    expect(await opens(key)).toBe(403);
    expect(await admin.remove(`/keys/${id}`)).toMatchObject({ revoked: true });
    expect(await admin.refused("PATCH", `/keys/${id}`, { name: "again" })).toMatchObject({ status: 400, param: "id" });
    expect(await admin.refused("POST", `/keys/${id}/rotate`, {})).toMatchObject({ status: 400, param: "id" });
    expect(await admin.refused("POST", "/budgets", { scope: `key:${id}`, limit_usd: 1, window: "day" })).toMatchObject({ param: "scope" });
    const deeds = (await admin.all("/events")).filter((event) => event["resource"] === id).map(({ type }) => type);
    expect(deeds).toEqual(["api_key.revoked", "api_key.created"]);
  });

  test("of another organization is not there for whoever names one", async () => {
    const acme = String((await admin.post("/organizations", { name: "acme" }))["id"]);
    const { id } = await admin.post("/keys", { name: "theirs", organization: acme });
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/rotate"],
    ] as const)
      expect(await admin.refused(method, `/keys/${id}${path}?organization=default`, method === "GET" ? undefined : {})).toMatchObject({
        status: 404,
        code: "not_found",
        param: "id",
      });
    expect(await admin.get(`/keys/${id}`)).toMatchObject({ organization: acme, status: "active" });
    expect((await admin.all("/keys")).map((one) => one["id"])).not.toContain(id);
    expect((await admin.all(`/keys?organization=${acme}`)).map((one) => one["id"])).toEqual([id]);
    expect(await admin.refused("POST", "/keys", { name: "x", organization: acme, project })).toMatchObject({
      status: 404,
      param: "project",
    });
  });

  test("may name models before they are released, by their family, and its operator's endpoints", async () => {
    const globs = ["*", "*-mini", "gpt-9-*", "claude-opus-99", "o4-next", "some-vendor/some-model", "text-embedding-3*"];
    expect(await admin.post("/keys", { name: "globs", allowed_models: globs })).toMatchObject({ allowed_models: globs });
  });

  test("is revoked with or without its streams", async () => {
    // On a clock that runs: the simulator's pauses pass by themselves.
    const house = await startHouse();
    const admin = adminDoor(house);
    const { id, key } = await admin.post("/keys", { name: "streams", mode: "test" });
    const stream = async () => {
      const ask = { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "hi [[simulate: pace=1000]]" }] };
      const reader = (await house.chat(String(key), ask)).body?.getReader();
      if (!reader) throw new Error("no stream");
      let text = "";
      const more = async (): Promise<boolean> => {
        const { done, value } = await reader.read();
        text += new TextDecoder().decode(value);
        return !done;
      };
      await more();
      return async () => {
        while (await more());
        return text;
      };
    };
    const rest = [await stream(), await stream()];
    expect(await admin.refused("DELETE", `/keys/${id}?cut_streams=yes`)).toMatchObject({ status: 400, param: "cut_streams" });
    expect(await admin.remove(`/keys/${id}`)).toEqual({ object: "api_key", id, revoked: true });
    expect(await admin.remove(`/keys/${id}?cut_streams=true`)).toMatchObject({ revoked: true, calls_cut: 2 });
    for (const read of rest) {
      const text = await read();
      expect(text).toContain('"code":"key_disabled"');
      expect(text).not.toContain("[DONE]");
    }
    await house.settled();
    await house.close();
  });
});

describe("a key whose budgets cannot be written", () => {
  test("is not there for anybody: it is revoked before it was shown, and leaves no budget behind", async () => {
    let puts = 0;
    const refused = () => Promise.reject(new Failure("storage_unavailable", "The disk is full."));
    const failing = await startHouse({
      adapt: (ports) => {
        const put = ports.budgets.put.bind(ports.budgets);
        // The second write fails.
        ports.budgets.put = (budget) => (++puts === 2 ? refused() : put(budget));
        return ports;
      },
    });
    const door = adminDoor(failing);
    const budgets = [
      { limit_usd: 1, window: "day" },
      { limit_usd: 9, window: "month" },
    ];
    expect(await door.refused("POST", "/keys", { name: "half", budgets })).toMatchObject({ status: 503, code: "storage_unavailable" });
    expect(await door.all("/budgets")).toEqual([]);
    expect(await door.all("/keys")).toMatchObject([{ name: "half", status: "revoked" }]);
    await failing.close();
  });
});

describe("a key is refused, by name, and nothing is written, with", () => {
  const budget = { limit_usd: 1, window: "day" };
  test.each<[string, Json | string, string, string]>([
    ["no name", {}, "missing_required_parameter", "name"],
    ["a name of null", { name: null }, "invalid_type", "name"],
    ["a field that it has not", { alowed_models: ["*"] }, "unsupported_parameter", "alowed_models"],
    ["a mode that is none", { mode: "dead" }, "invalid_value", "mode"],
    ["an end in the past", { expires_at: "2001-01-01T00:00:00Z" }, "invalid_value", "expires_at"],
    ["an end that is no time", { expires_at: "soon" }, "invalid_value", "expires_at"],
    ["an end that is a number", { expires_at: 32503680000 }, "invalid_value", "expires_at"],
    ["a project that is not there", { project: "proj_x" }, "not_found", "project"],
    ["a glob that matches nothing", { allowed_models: ["gpt-4o*", "gtp-4o*"] }, "invalid_value", "allowed_models[1]"],
    ["a glob of one character more", { allowed_models: ["*-minii"] }, "invalid_value", "allowed_models[0]"],
    ["an empty glob", { allowed_models: [""] }, "invalid_value", "allowed_models[0]"],
    ["a glob with a space", { allowed_models: ["gpt 4"] }, "invalid_value", "allowed_models[0]"],
    ["a wildcard that is none", { allowed_models: ["gpt-[45]"] }, "invalid_value", "allowed_models[0]"],
    ["an endpoint that is not connected", { allowed_models: ["byo:nowhere/*"] }, "invalid_value", "allowed_models[0]"],
    ["a glob twice", { allowed_models: ["gpt-*", "gpt-*"] }, "invalid_value", "allowed_models[1]"],
    ["no models at all", { allowed_models: [] }, "invalid_value", "allowed_models"],
    ["models as text", { allowed_models: "gpt-*" }, "invalid_type", "allowed_models"],
    ["a model that is a number", { allowed_models: [4] }, "invalid_type", "allowed_models[0]"],
    ["a rate of none", { rate_limit: 0 }, "invalid_value", "rate_limit"],
    ["a rate that is text", { tpm_limit: "60" }, "invalid_type", "tpm_limit"],
    ["a concurrency below none", { concurrency: -1 }, "invalid_value", "concurrency"],
    ["a PII mode that is not there yet", { pii_mode: "redact" }, "unsupported_parameter", "pii_mode"],
    ["a PII mode that is none", { pii_mode: "on" }, "invalid_value", "pii_mode"],
    ["metadata that is a list", { metadata: [] }, "invalid_type", "metadata"],
    ["metadata of numbers", { metadata: { a: 1 } }, "invalid_type", "metadata.a"],
    ["too long metadata", { metadata: { a: "x".repeat(513) } }, "invalid_value", "metadata.a"],
    ["too much metadata", { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, ""])) }, "invalid_value", "metadata"],
    ["an address that is none", { allowed_ips: ["127.0.0.1", "localhost"] }, "invalid_value", "allowed_ips[1]"],
    ["a range beyond its bits", { allowed_ips: ["10.0.0.0/33"] }, "invalid_value", "allowed_ips[0]"],
    ["no addresses at all", { allowed_ips: [] }, "invalid_value", "allowed_ips"],
    ["a role that is none", { role: "admin" }, "invalid_value", "role"],
    ["an agent that no header can carry", { agent: "claude code" }, "invalid_value", "agent"],
    ["drop_params that is text", { drop_params: "yes" }, "invalid_type", "drop_params"],
    ["response metadata that is none", { response_metadata: "loud" }, "invalid_value", "response_metadata"],
    ["an organization that is not there", { organization: "org_x" }, "not_found", "organization"],
    ["a budget below zero", { budgets: [{ ...budget, limit_usd: -1 }] }, "invalid_value", "budgets[0].limit_usd"],
    ["a second budget of a window", { budgets: [budget, { ...budget, limit_usd: 2 }] }, "invalid_value", "budgets[1].window"],
    ["a budget with a scope", { budgets: [{ ...budget, scope: "organization" }] }, "unsupported_parameter", "budgets[0].scope"],
    ["a budget without a window", { budgets: [{ limit_usd: 1 }] }, "missing_required_parameter", "budgets[0].window"],
    ["a budget that is a number", { budgets: [5] }, "invalid_type", "budgets[0]"],
    ["a budget of an unknown zone", { budgets: [{ ...budget, timezone: "Mars/Base" }] }, "invalid_value", "budgets[0].timezone"],
  ])("%s", async (_, fields, code, param) => {
    const before = await admin.everything();
    const events = await admin.all("/events");
    const body = typeof fields === "string" || fields["name"] !== undefined || param === "name" ? fields : { name: "bad", ...fields };
    expect(await admin.refused("POST", "/keys", body)).toMatchObject({ status: code === "not_found" ? 404 : 400, code, param });
    expect(await admin.everything()).toEqual(before);
    expect(await admin.all("/events")).toEqual(events);
  });

  test("the name of another key, until that one is revoked", async () => {
    const { id } = await admin.post("/keys", { name: "mine" });
    const other = String((await admin.post("/keys", { name: "not mine" }))["id"]);
    const acme = String((await admin.post("/organizations", { name: "acme of names" }))["id"]);
    await admin.post("/keys", { name: "mine", organization: acme });
    expect(await admin.refused("POST", "/keys", { name: "mine" })).toMatchObject({ status: 400, code: "invalid_value", param: "name" });
    expect(await admin.refused("PATCH", `/keys/${other}`, { name: "mine" })).toMatchObject({ status: 400, param: "name" });
    expect(await admin.patch(`/keys/${id}`, { name: "mine" })).toMatchObject({ id });
    const door = await Promise.allSettled([1, 2].map(() => admin.post("/keys", { name: "at once" })));
    expect(door.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await admin.remove(`/keys/${id}`);
    expect(await admin.post("/keys", { name: "mine" })).toMatchObject({ name: "mine" });
  });

  test("a rotation that is none, and what stays as it was made", async () => {
    const { id } = await admin.post("/keys", { name: "stays" });
    const before = await admin.get(`/keys/${id}`);
    expect(await admin.refused("POST", `/keys/${id}/rotate`, { grace_seconds: -1 })).toMatchObject({ param: "grace_seconds" });
    expect(await admin.refused("POST", `/keys/${id}/rotate`, { grace_seconds: 9e9 })).toMatchObject({ param: "grace_seconds" });
    expect(await admin.refused("PATCH", `/keys/${id}`, { mode: "test" })).toMatchObject({ code: "unsupported_parameter", param: "mode" });
    expect(await admin.refused("PATCH", `/keys/${id}`, { allowed_models: ["nope"] })).toMatchObject({ param: "allowed_models[0]" });
    expect(await admin.refused("PATCH", `/keys/${id}`, { rate_limit: 5, project: "proj_x" })).toMatchObject({ param: "project" });
    expect(await admin.get(`/keys/${id}`)).toEqual(before);
  });
});
