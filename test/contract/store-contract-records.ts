// The store contract's second half: keys, the audit, usage, and what one organization may see of another.
import { expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import type { AuditEntry, Refusal } from "../../src/core/ports";
import type { UsageDimension, UsagePage, UsageQuery } from "../../src/core/usage-query";
import type { Store } from "../../src/store/store";
import { noUsage } from "../../src/store/usage-page";
import { attempt, type Fixture, failureOf, outcome, type Place, requestId } from "./store-place";

export function keyContract(setUp: () => Promise<Fixture>): void {
  test("keys.create() shows the key once; verify() knows it at once and after a restart, and no other", async () => {
    const { place, store, open } = await setUp();
    const { key, plain } = await store.keys.create({
      organizationId: "default",
      name: "ci",
      mode: "live",
      expiresAt: place.clock.now() + 5,
    });
    expect(plain.reveal()).toMatch(/^tw_live_[0-9A-Za-z]{61}$/);
    expect(key).toMatchObject({ name: "ci", mode: "live", organizationId: "default", responseMetadata: "inline", dropParams: false });
    expect(key.id).toBe(`key_${plain.reveal().slice(8, 20)}`);
    expect(JSON.stringify([key, plain])).not.toContain(plain.reveal().slice(20));
    const { plain: other } = await store.keys.create({ organizationId: "default", name: "other", mode: "live" });
    for (const at of [store, await reopened(store, open)]) {
      expect(at.keys.verify(plain.reveal())).toEqual(key);
      expect(at.keys.verify(other.reveal())?.name).toBe("other");
      expect(at.keys.verify(plain.reveal().slice(0, -1))).toBeUndefined();
      expect(at.keys.verify(`${plain.reveal().slice(0, 20)}${other.reveal().slice(20)}`)).toBeUndefined();
      expect(at.keys.verify("")).toBeUndefined();
    }
  });

  test("keys.revoke() works at once, for good, and only inside the organization", async () => {
    const { place, store, open } = await setUp();
    const foreign = await store.organizations.create("other");
    const { key, plain } = await store.keys.create({ organizationId: "default", name: "k", mode: "live" });
    expect(await store.keys.revoke(foreign.id, key.id)).toBe(false);
    expect(await store.keys.revoke("default", "key_unknown")).toBe(false);
    expect(store.keys.verify(plain.reveal())?.revokedAt).toBeUndefined();
    const at = place.clock.now();
    const revoking = store.keys.revoke("default", key.id);
    expect(store.keys.verify(plain.reveal())?.revokedAt).toBe(at);
    expect(await revoking).toBe(true);
    await place.clock.advance(1_000);
    expect(await store.keys.revoke("default", key.id)).toBe(true);
    expect((await reopened(store, open)).keys.verify(plain.reveal())?.revokedAt).toBe(at);
  });

  test("keys.quickstart() is the same test key at every start, and a revoked one stays revoked", async () => {
    const { store, open } = await setUp();
    const [first, twin] = await Promise.all([store.keys.quickstart(), store.keys.quickstart()]);
    expect(twin.plain.reveal()).toBe(first.plain.reveal());
    expect(first.plain.reveal()).toStartWith("tw_test_");
    expect(store.keys.verify(first.plain.reveal())).toEqual(first.key);
    const again = await reopened(store, open);
    const second = await again.keys.quickstart();
    expect(second.plain.reveal()).toBe(first.plain.reveal());
    expect(second.key).toEqual(first.key);
    await again.keys.revoke("default", second.key.id);
    expect((await again.keys.quickstart()).key.revokedAt).toBeDefined();
    expect((await (await reopened(again, open)).keys.quickstart()).key.revokedAt).toBeDefined();
    expect((await again.keys.list("default", { limit: 10 })).data.length).toBe(1);
  });

  test("keys.list() pages newest first without gaps or repeats, one organization only", async () => {
    const { store } = await setUp();
    const foreign = await store.organizations.create("other");
    const made: string[] = [];
    for (let n = 0; n < 7; n++) {
      made.unshift((await store.keys.create({ organizationId: "default", name: `k${n}`, mode: "live" })).key.id);
      await store.keys.create({ organizationId: foreign.id, name: `f${n}`, mode: "live" });
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.keys.list("default", { limit: 3, cursor });
      seen.push(...page.data.map((key) => key.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(made);
    expect((await failureOf(store.keys.list("default", { limit: 3, cursor: "bm9wZQ" }))).param).toBe("cursor");
    expect((await failureOf(store.keys.list("default", { limit: 0 }))).param).toBe("limit");
  });

  test("a key of an organization that does not exist is refused by name", async () => {
    const { store } = await setUp();
    const failure = await failureOf(store.keys.create({ organizationId: "org_nobody", name: "k", mode: "live" }));
    expect([failure.code, failure.param]).toEqual(["not_found", "organization_id"]);
  });
}

async function reopened(store: Store, open: Fixture["open"]): Promise<Store> {
  await store.close();
  return open();
}

const refusal = (place: Place, over: Partial<Refusal> = {}): Refusal => ({
  requestId: requestId(),
  at: place.clock.now(),
  organizationId: "default",
  keyId: "key_a",
  mode: "live",
  door: "chat",
  modelRequested: "gpt-5.1",
  status: 402,
  errorCode: "budget_exceeded",
  tag: undefined,
  ...over,
});

/** Holds and settles one attempt. */
async function spend(
  place: Place,
  store: Store,
  over: Parameters<typeof attempt>[1] = {},
  told: Parameters<typeof outcome>[0] = {},
): Promise<string> {
  const held = attempt(place.clock, over);
  await store.holds.open(held);
  await store.ledger.settle(held, outcome(told));
  return held.requestId;
}

export function recordContract(setUp: () => Promise<Fixture>): void {
  test("records.audit() groups the attempts of a call and tells how it ended", async () => {
    const { place, store } = await setUp();
    const fallback = requestId();
    await spend(
      place,
      store,
      { requestId: fallback, tag: "t1" },
      { errorCode: "upstream_error", settlement: "released", cost: nanoUsd(0n) },
    );
    await spend(place, store, { requestId: fallback, attemptNumber: 2, provider: "mistral", modelServed: "mistral-large" });
    const failed = await spend(place, store, {}, { errorCode: "upstream_timeout" });
    const broke = requestId();
    await spend(place, store, { requestId: broke }, { errorCode: "upstream_error" });
    store.records.refuse(refusal(place, { requestId: broke, errorCode: "budget_exceeded" }));
    store.records.refuse(refusal(place, { requestId: broke, errorCode: "internal_error" }));
    const refused = refusal(place, { errorCode: "model_not_found", modelRequested: undefined, tag: "t2" });
    store.records.refuse(refused);
    await store.ledger.drain();
    const { data, nextCursor } = await store.records.audit({ organizationId: "default", limit: 10 });
    expect(nextCursor).toBeUndefined();
    const told = ({ requestId, status, errorCode, tag, attempts }: AuditEntry) => [
      requestId,
      status,
      errorCode,
      tag,
      attempts.map((row) => row.provider),
    ];
    expect(data.map(told)).toEqual([
      [refused.requestId, "refused", "model_not_found", "t2", []],
      [broke, "refused", "budget_exceeded", undefined, ["openai"]],
      [failed, "error", "upstream_timeout", undefined, ["openai"]],
      [fallback, "ok", undefined, "t1", ["openai", "mistral"]],
    ]);
    expect((await store.records.audit({ organizationId: "default", requestId: fallback, limit: 5 })).data.map(told)).toEqual([
      told(data[3] as AuditEntry),
    ]);
  });

  test("records.audit() pages through ledger and refusals without gaps or repeats, while new calls arrive", async () => {
    const { place, store } = await setUp();
    const made: string[] = [];
    for (let n = 0; n < 23; n++) {
      if (n % 3 === 0) {
        const one = refusal(place);
        store.records.refuse(one);
        made.unshift(one.requestId);
      } else {
        made.unshift(await spend(place, store));
      }
    }
    await store.ledger.drain();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.records.audit({ organizationId: "default", limit: 5, cursor });
      expect(page.data.length).toBeLessThanOrEqual(5);
      seen.push(...page.data.map((entry) => entry.requestId));
      cursor = page.nextCursor;
      await spend(place, store);
    } while (cursor !== undefined);
    expect(seen).toEqual(made);
    expect((await failureOf(store.records.audit({ organizationId: "default", limit: 5, cursor: "a2V5czp4" }))).param).toBe("cursor");
    expect((await failureOf(store.records.audit({ organizationId: "default", limit: 1_001 }))).param).toBe("limit");
  });

  test("records.audit() filters by key and by the time of the first attempt", async () => {
    const { place, store } = await setUp();
    const start = place.clock.now();
    const early = requestId();
    await spend(place, store, { requestId: early });
    await place.clock.advance(1_000);
    await spend(place, store, { requestId: early, attemptNumber: 2 });
    const late = await spend(place, store, { keyId: "key_b" });
    store.records.refuse(refusal(place, { requestId: early }));
    await store.ledger.drain();
    const ids = async (filter: object) =>
      (await store.records.audit({ organizationId: "default", limit: 9, ...filter })).data.map((entry) => entry.requestId);
    expect(await ids({ from: start + 1_000 })).toEqual([late]);
    expect(await ids({ to: start + 1_000 })).toEqual([early]);
    expect(await ids({ from: start, to: start + 1_001 })).toEqual([late, early]);
    expect(await ids({ keyId: "key_b" })).toEqual([late]);
    expect(await ids({ keyId: "key_b", requestId: early })).toEqual([]);
  });

  test("under a flood refusals are counted, not stored, and one key's flood leaves room for others", async () => {
    const { place, store, open } = await setUp();
    await store.close();
    const small = await open({ limits: { refusals: { burst: 5, perSecond: 2, waiting: 100 } } });
    for (let n = 0; n < 50; n++) small.records.refuse(refusal(place));
    small.records.refuse(refusal(place, { keyId: "key_b" }));
    await small.ledger.drain();
    const count = async () => (await small.records.audit({ organizationId: "default", limit: 100 })).data.length;
    expect(await count()).toBe(6);
    expect(small.stats().refusalsDropped).toBe(45);
    await place.clock.advance(1_000);
    for (let n = 0; n < 50; n++) small.records.refuse(refusal(place));
    await small.ledger.drain();
    expect(await count()).toBe(8);
  });

  test("rollups.usage() loses no group of a walk while calls are written, and refuses a cursor of another form", async () => {
    const { place, store } = await setUp();
    const calls = async (projectId: string, count: number) => {
      for (let n = 0; n < count; n++) await spend(place, store, { projectId });
    };
    for (const [n, projectId] of ["p1", "p2", "p3", "p4"].entries()) await calls(projectId, 4 - n);
    const query: UsageQuery = { organizationId: "default", mode: "live", groupBy: "project", limit: 2 };
    const first = await store.rollups.usage(query);
    await calls("p4", 5);
    const second = await store.rollups.usage({ ...query, cursor: first.nextCursor });
    const named = (page: UsagePage) => page.groups.map((group) => [group.value, group.requests]);
    expect([named(first), named(second)]).toEqual([
      [
        ["p1", 4],
        ["p2", 3],
      ],
      [
        ["p3", 2],
        ["p4", 1],
      ],
    ]);
    expect(second.total).toEqual(first.total);
    expect(second.nextCursor).toBeUndefined();
    expect([...first.groups, ...second.groups].reduce((sum, group) => sum + group.cost, 0n)).toBe(first.total.cost);
    expect(named(await store.rollups.usage({ ...query, limit: 1 }))).toEqual([["p4", 6]]);
    const old = Buffer.from("usage-project:3000/p2").toString("base64url");
    await expect(store.rollups.usage({ ...query, cursor: old })).rejects.toMatchObject({ code: "invalid_value", param: "cursor" });
  });

  test("rollups.usage() groups by model, provider, key, tag and day", async () => {
    const { place, store } = await setUp();
    const shared = requestId();
    await spend(
      place,
      store,
      { requestId: shared, tag: "a" },
      { cost: nanoUsd(0n), settlement: "released", usage: undefined, usageSource: "none" },
    );
    await spend(place, store, {
      requestId: shared,
      attemptNumber: 2,
      tag: "a",
      provider: "mistral",
      modelServed: "m-large",
      keyId: "key_b",
    });
    await place.clock.advance(24 * 3_600_000);
    await spend(
      place,
      store,
      { bound: undefined },
      { cost: undefined, usage: { inputTokens: 3, cacheReadInputTokens: 2, reasoningOutputTokens: 1 } },
    );
    const usage = async (groupBy: UsageDimension, over: Partial<UsageQuery> = {}) =>
      (await store.rollups.usage({ organizationId: "default", mode: "live", groupBy, limit: 10, ...over })).groups;
    // A call counts where its first attempt went.
    const one = { ...noUsage(), attempts: 1, inputTokens: 10n, outputTokens: 5n };
    const rest = {
      ...noUsage(),
      requests: 2,
      attempts: 2,
      inputTokens: 3n,
      cacheReadInputTokens: 2n,
      reasoningOutputTokens: 1n,
      unpriced: 1,
    };
    expect(await usage("provider")).toEqual([
      { value: "mistral", ...one, cost: nanoUsd(40n) },
      { value: "openai", ...rest, cost: nanoUsd(0n) },
    ]);
    expect((await usage("model")).map((group) => group.value)).toEqual(["m-large", "gpt-5.1-2025-11-13"]);
    expect((await usage("key")).map((group) => [group.value, group.cost])).toEqual([
      ["key_b", nanoUsd(40n)],
      ["key_a", nanoUsd(0n)],
    ]);
    expect(await usage("tag")).toMatchObject([
      { value: "a", requests: 1, attempts: 2, inputTokens: 10n },
      { value: null, requests: 1, unpriced: 1 },
    ]);
    expect((await usage("day")).map((group) => [group.value, group.requests])).toEqual([
      ["2026-11-24", 1],
      ["2026-11-23", 1],
    ]);
    expect((await usage("day", { limit: 1 })).map((group) => group.value)).toEqual(["2026-11-24"]);
    expect((await usage("model", { filters: { key: ["key_b"] } })).length).toBe(1);
    expect((await usage("model", { from: place.clock.now() })).map((group) => group.attempts)).toEqual([1]);
    expect((await usage("provider", { to: place.clock.now() })).map((group) => group.attempts)).toEqual([1, 1]);
    expect((await failureOf(usage("model", { limit: 0 }))).param).toBe("limit");
  });

  test("nothing of one organization is seen by another", async () => {
    const { place, store } = await setUp();
    const other = await store.organizations.create("other");
    const mine = await spend(place, store);
    const refused = refusal(place);
    store.records.refuse(refused);
    await store.ledger.drain();
    for (const filter of [{}, { requestId: mine }, { requestId: refused.requestId }, { keyId: "key_a" }]) {
      expect((await store.records.audit({ organizationId: other.id, limit: 10, ...filter })).data).toEqual([]);
    }
    const foreign = { organizationId: other.id, mode: "live", groupBy: "key", limit: 10 } as const;
    expect((await store.rollups.usage({ ...foreign, filters: { key: ["key_a"] } })).groups).toEqual([]);
    expect(store.counters.read(`organization:${other.id}`, "live").spent).toBe(nanoUsd(0n));
    // The same request id in two organizations stays two calls.
    await spend(place, store, { requestId: refused.requestId, organizationId: other.id, keyId: "key_o" });
    const [entry] = (await store.records.audit({ organizationId: "default", requestId: refused.requestId, limit: 10 })).data;
    expect([entry?.status, entry?.attempts.length]).toEqual(["refused", 0]);
  });

  test("organizations are there from the start and after a restart", async () => {
    const { store, open } = await setUp();
    expect(store.organizations.list().map((one) => [one.id, one.status])).toEqual([["default", "active"]]);
    const made = await store.organizations.create("Acme");
    expect((await reopened(store, open)).organizations.list()).toContainEqual(made);
  });
}
