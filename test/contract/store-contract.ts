// What every store promises, whatever it stands on: money first. Keys, audit and usage are in store-contract-records.ts.
import { afterEach, describe, expect, test } from "bun:test";
import { nanoUsd, perMillion } from "../../src/core/money";
import type { Price } from "../../src/core/price";
import { Secret } from "../../src/core/secret";
import type { Store } from "../../src/store/store";
import { turn } from "./manual-clock";
import { countedContract } from "./store-contract-counted";
import { governanceContract } from "./store-contract-governance";
import { keyContract, recordContract } from "./store-contract-records";
import { attempt, type Fixture, failureOf, outcome, type Place, passing } from "./store-place";

/** What a place can do; tests that need more are not made for it. */
export interface Abilities {
  /** It has tables that can be reached with SQL. */
  sql: boolean;
  /** Another owner can be played while the first one lives. */
  takeOver: boolean;
  /** Writing can be made impossible. */
  breakable: boolean;
}

export function storeContract(name: string, makePlace: () => Promise<Place>, can: Abilities): void {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  /** A store in a place of its own. */
  async function setUp(): Promise<Fixture> {
    const place = await makePlace();
    cleanups.push(() => place.dispose());
    const open = async (...args: Parameters<Place["open"]>) => {
      const store = await place.open(...args);
      cleanups.push(() => store.close());
      return store;
    };
    return { place, store: await open(), open };
  }

  describe(`store over ${name}`, () => {
    holdContract(setUp);
    restartContract(setUp);
    troubleContract(setUp);
    if (can.breakable) latchContract(setUp);
    if (can.takeOver) takeOverContract(setUp);
    if (can.sql) sqlContract(setUp);
    keyContract(setUp);
    recordContract(setUp);
    governanceContract(setUp);
    countedContract(setUp);
  });
}

const sums = (store: Store, scope = "organization:default") => store.counters.read(scope, "live");

function holdContract(setUp: () => Promise<Fixture>): void {
  test("holds.open() reserves the bound on organization and key before anything is awaited", async () => {
    const { place, store } = await setUp();
    const opening = store.holds.open(attempt(place.clock, { bound: nanoUsd(70n) }));
    expect(sums(store)).toEqual({ spent: nanoUsd(0n), reserved: nanoUsd(70n) });
    expect(sums(store, "key:key_a").reserved).toBe(nanoUsd(70n));
    expect(sums(store, "key:key_b").reserved).toBe(nanoUsd(0n));
    await opening;
    expect(store.holds.openCount()).toBe(1);
  });

  test("ledger.settle() turns the hold into exactly one row and releases the rest", async () => {
    const { place, store } = await setUp();
    const held = attempt(place.clock, {
      tag: "team-a",
      agent: "bot",
      run: "r1",
      user: "u1",
      stream: true,
      decision: '{"asked":"auto"}',
      priceVersion: "v1",
    });
    await store.holds.open(held);
    const usage = {
      inputTokens: 100,
      outputTokens: 20,
      cacheReadInputTokens: 64,
      cacheCreationInputTokens: 0,
      reasoningOutputTokens: 7,
      toolCalls: { web_search: 2 },
      serviceTier: "flex",
      reportedCost: nanoUsd(39n),
    };
    const told = outcome({ usage, timeToFirstChunkMs: 3.25, flags: ["caller_gone"], settlement: "counted", usageSource: "counted" });
    const settling = store.ledger.settle(held, told);
    expect(sums(store)).toEqual({ spent: nanoUsd(40n), reserved: nanoUsd(0n) });
    await settling;
    expect(store.holds.openCount()).toBe(0);
    const { data } = await store.records.audit({ organizationId: "default", limit: 10 });
    expect(data.map((entry) => entry.attempts.length)).toEqual([1]);
    const { id, settledAt, ...row } = data[0]?.attempts[0] ?? { id: -1, settledAt: -1 };
    expect(row).toEqual({ ...held, ...told });
    expect(id).toBeGreaterThan(0);
    expect(settledAt).toBe(place.clock.now());
  });

  test("what nobody told stays undefined, and 0 stays 0", async () => {
    const { place, store } = await setUp();
    const silent = attempt(place.clock, { bound: undefined });
    const zero = attempt(place.clock);
    await Promise.all([store.holds.open(silent), store.holds.open(zero)]);
    await store.ledger.settle(
      silent,
      outcome({ usage: undefined, usageSource: "none", cost: undefined, upstreamStatus: undefined, finishReason: undefined }),
    );
    await store.ledger.settle(zero, outcome({ usage: { inputTokens: 0 }, cost: nanoUsd(0n), settlement: "released" }));
    const { data } = await store.records.audit({ organizationId: "default", limit: 10 });
    const [newest, oldest] = data.map((entry) => entry.attempts[0]);
    expect(newest?.usage).toEqual({ inputTokens: 0 });
    expect(newest?.cost).toBe(nanoUsd(0n));
    expect([oldest?.usage, oldest?.cost, oldest?.bound, oldest?.upstreamStatus, oldest?.tag]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("a second settle of the same attempt changes nothing, at once or later", async () => {
    const { place, store } = await setUp();
    const held = attempt(place.clock);
    await store.holds.open(held);
    await Promise.all([store.ledger.settle(held, outcome()), store.ledger.settle(held, outcome({ cost: nanoUsd(99n) }))]);
    await store.ledger.settle(held, outcome({ cost: nanoUsd(77n) }));
    expect(sums(store)).toEqual({ spent: nanoUsd(40n), reserved: nanoUsd(0n) });
    const { data } = await store.records.audit({ organizationId: "default", limit: 10 });
    expect(data.flatMap((entry) => entry.attempts.map((row) => row.cost))).toEqual([nanoUsd(40n)]);
  });

  test("an attempt that never held money cannot be settled, and none can hold twice", async () => {
    const { place, store } = await setUp();
    const held = attempt(place.clock);
    expect((await failureOf(store.ledger.settle(held, outcome()))).code).toBe("internal_error");
    await store.holds.open(held);
    expect((await failureOf(store.holds.open(held))).code).toBe("internal_error");
    expect(sums(store).reserved).toBe(nanoUsd(100n));
  });

  test("a cost above the bound is posted as it is", async () => {
    const { place, store } = await setUp();
    const held = attempt(place.clock, { bound: nanoUsd(10n) });
    await store.holds.open(held);
    await store.ledger.settle(held, outcome({ cost: nanoUsd(11n), flags: ["overrun"] }));
    expect(sums(store)).toEqual({ spent: nanoUsd(11n), reserved: nanoUsd(0n) });
  });

  test("test and live money never meet", async () => {
    const { place, store } = await setUp();
    const held = attempt(place.clock, { mode: "test" });
    await store.holds.open(held);
    await store.ledger.settle(held, outcome());
    expect(sums(store)).toEqual({ spent: nanoUsd(0n), reserved: nanoUsd(0n) });
    expect(store.counters.read("organization:default", "test").spent).toBe(nanoUsd(40n));
    expect((await store.rollups.usage({ organizationId: "default", mode: "live", groupBy: "model", limit: 10 })).groups).toEqual([]);
  });

  test("a read of the sums is a copy", async () => {
    const { place, store } = await setUp();
    const before = sums(store);
    await store.holds.open(attempt(place.clock));
    expect(before.reserved).toBe(nanoUsd(0n));
  });
}

function restartContract(setUp: () => Promise<Fixture>): void {
  test("after a restart an orphaned hold is charged at its bound, once, before anyone reads", async () => {
    const { place, store, open } = await setUp();
    const orphan = attempt(place.clock, { bound: nanoUsd(70n), tag: "t" });
    const settled = attempt(place.clock);
    const unpriced = attempt(place.clock, { bound: undefined });
    await Promise.all([store.holds.open(orphan), store.holds.open(settled), store.holds.open(unpriced)]);
    await store.ledger.settle(settled, outcome());
    await store.close();
    await place.clock.advance(1_000);
    const again = await open();
    expect(sums(again)).toEqual({ spent: nanoUsd(110n), reserved: nanoUsd(0n) });
    expect(again.holds.openCount()).toBe(0);
    const { data } = await again.records.audit({ organizationId: "default", requestId: orphan.requestId, limit: 10 });
    expect(data[0]).toMatchObject({ status: "error", errorCode: "outcome_unknown" });
    expect(data[0]?.attempts[0]).toMatchObject({
      ...orphan,
      settlement: "ceiling",
      cost: nanoUsd(70n),
      usage: undefined,
      usageSource: "none",
      flags: ["orphan", "maybe_billed"],
      latencyMs: 1_000,
    });
    await again.ledger.settle(orphan, outcome({ cost: nanoUsd(1n) }));
    await again.close();
    const third = await open();
    expect(sums(third).spent).toBe(nanoUsd(110n));
    expect((await third.records.audit({ organizationId: "default", limit: 10 })).data.length).toBe(3);
  });

  test("sums are rebuilt from the ledger, per organization, key and mode", async () => {
    const { place, store, open } = await setUp();
    for (const [keyId, mode, cost] of [
      ["key_a", "live", 1n],
      ["key_a", "live", 2n],
      ["key_b", "live", 4n],
      ["key_b", "test", 8n],
    ] as const) {
      const held = attempt(place.clock, { keyId, mode });
      await store.holds.open(held);
      await store.ledger.settle(held, outcome({ cost: nanoUsd(cost) }));
    }
    await store.close();
    const again = await open();
    expect(sums(again).spent).toBe(nanoUsd(7n));
    expect(sums(again, "key:key_a").spent).toBe(nanoUsd(3n));
    expect(sums(again, "key:key_b").spent).toBe(nanoUsd(4n));
    expect(again.counters.read("key:key_b", "test").spent).toBe(nanoUsd(8n));
  });

  test("integers beyond 2^53 are exact in rows, sums and after a restart", async () => {
    const { place, store, open } = await setUp();
    const big = 9_007_199_254_740_993n;
    for (let n = 0; n < 3; n++) {
      const held = attempt(place.clock, { bound: nanoUsd(big) });
      await store.holds.open(held);
      await store.ledger.settle(held, outcome({ cost: nanoUsd(big) }));
    }
    const check = async (at: Store) => {
      expect(sums(at).spent).toBe(nanoUsd(27_021_597_764_222_979n));
      const { groups } = await at.rollups.usage({ organizationId: "default", mode: "live", groupBy: "provider", limit: 10 });
      const [group] = groups;
      expect(group?.cost).toBe(nanoUsd(27_021_597_764_222_979n));
      const { data } = await at.records.audit({ organizationId: "default", limit: 1 });
      expect(data[0]?.attempts[0]).toMatchObject({ cost: nanoUsd(big), bound: nanoUsd(big) });
    };
    await check(store);
    await store.close();
    await check(await open());
  });

  test("priceVersions.keep() makes a version readable for ever, whole, and the first writing stands", async () => {
    const { store, open } = await setUp();
    const rates = { input: perMillion(9_007_199_254_740_993n), output: perMillion(2n), cacheRead: perMillion(0n) };
    const price: Price = {
      provider: "openai",
      model: "gpt-5.1",
      version: "openai/gpt-5.1@1",
      source: "test",
      date: "2026-11-22",
      rates,
      tiers: [{ aboveInputTokens: 200_000, rates }],
      serviceTiers: { flex: { rates: { input: perMillion(1n), output: perMillion(1n) }, tiers: [] } },
      feesPerThousand: { web_search: perMillion(10_000_000_000n) },
    };
    store.priceVersions.keep(price);
    store.priceVersions.keep({ ...price, source: "another" });
    await store.ledger.drain();
    await store.close();
    const again = await open();
    again.priceVersions.keep({ ...price, source: "yet another" });
    await again.ledger.drain();
    expect(await again.priceVersions.read(price.version)).toEqual(price);
    expect(await again.priceVersions.read("unknown")).toBeUndefined();
  });

  test("a second owner is refused while the first one lives, and let in when it has closed", async () => {
    const { place, store } = await setUp();
    await store.holds.open(attempt(place.clock));
    const refused = await place.open().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ name: "DataFolderInUse" });
    await store.holds.open(attempt(place.clock));
    await store.close();
    await (await place.open()).close();
  });
}

const somePrice: Price = {
  provider: "p",
  model: "m",
  version: "v",
  source: "s",
  date: "2026-01-01",
  rates: { input: perMillion(1n), output: perMillion(1n) },
  tiers: [],
  serviceTiers: {},
  feesPerThousand: {},
};

function troubleContract(setUp: () => Promise<Fixture>): void {
  test("when the queue is full new holds are refused with 503 and nothing stays reserved", async () => {
    const { place, store, open } = await setUp();
    await store.close();
    const small = await open({ limits: { queue: 2 } });
    const asked = [1, 2, 3].map(() => attempt(place.clock));
    const answers = await Promise.allSettled(asked.map((one) => small.holds.open(one)));
    expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(answers[2]).toMatchObject({ reason: { code: "overloaded" } });
    expect(sums(small).reserved).toBe(nanoUsd(200n));
    // A settlement is no new work: it is taken whatever waits.
    await Promise.all(asked.slice(0, 2).map((one) => small.ledger.settle(one, outcome())));
    expect(sums(small)).toEqual({ spent: nanoUsd(80n), reserved: nanoUsd(0n) });
  });

  test("one row that cannot be written fails alone", async () => {
    const { place, store } = await setUp();
    const good = [attempt(place.clock), attempt(place.clock)];
    const bad = [attempt(place.clock, { bound: nanoUsd(-1n) }), attempt(place.clock, { bound: nanoUsd(2n ** 63n) })];
    const answers = await Promise.allSettled(
      [good[0], bad[0], bad[1], good[1]].map((one) => store.holds.open(one ?? attempt(place.clock))),
    );
    expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(answers[1]).toMatchObject({ reason: { code: "storage_unavailable" } });
    expect(sums(store).reserved).toBe(nanoUsd(200n));
    expect(store.trouble()).toBeUndefined();
  });

  test("a closed store refuses everything with 503 and keeps what it accepted", async () => {
    const { place, store, open } = await setUp();
    const held = attempt(place.clock);
    await store.holds.open(held);
    const settling = store.ledger.settle(held, outcome());
    await store.close();
    await settling;
    expect((await failureOf(store.holds.open(attempt(place.clock)))).code).toBe("storage_unavailable");
    expect((await failureOf(store.records.audit({ organizationId: "default", limit: 1 }))).code).toBe("storage_unavailable");
    expect((await failureOf(store.keys.create({ organizationId: "default", name: "k", mode: "live" }))).code).toBe("storage_unavailable");
    expect(sums(await open()).spent).toBe(nanoUsd(40n));
  });
}

function latchContract(setUp: () => Promise<Fixture>): void {
  test("while writing is impossible holds are refused at once and settlements wait; a probe opens it again", async () => {
    const { place, store } = await setUp();
    const before = attempt(place.clock);
    await store.holds.open(before);
    place.broken(true);
    const refused = attempt(place.clock);
    const opening = failureOf(store.holds.open(refused));
    const settling = store.ledger.settle(before, outcome());
    await turn();
    place.clock.jump(2_000);
    expect((await passing(place.clock, opening)).code).toBe("storage_unavailable");
    expect(store.trouble()?.code).toBe("storage_unavailable");
    expect((await failureOf(store.holds.open(attempt(place.clock)))).code).toBe("storage_unavailable");
    expect((await failureOf(store.ledger.drain())).code).toBe("storage_unavailable");
    expect(sums(store)).toEqual({ spent: nanoUsd(40n), reserved: nanoUsd(0n) });
    place.broken(false);
    await place.clock.advance(5_000);
    await settling;
    expect(store.trouble()).toBeUndefined();
    await store.ledger.drain();
    await store.holds.open(attempt(place.clock));
    const { data } = await store.records.audit({ organizationId: "default", limit: 10 });
    expect(data.map((entry) => entry.requestId)).toEqual([before.requestId]);
    if (place.sql !== undefined) expect(await place.sql("SELECT count(*) FROM holds")).toEqual([[1n]]);
  });
}

function takeOverContract(setUp: () => Promise<Fixture>): void {
  test("after a takeover the former owner cannot write any more", async () => {
    const { place, store } = await setUp();
    const orphan = attempt(place.clock, { bound: nanoUsd(70n) });
    await store.holds.open(orphan);
    const heir = await place.takeOver?.();
    if (heir === undefined) throw new Error("this place cannot be taken over");
    expect((await failureOf(store.holds.open(attempt(place.clock)))).code).toBe("storage_unavailable");
    expect((await failureOf(store.ledger.settle(orphan, outcome()))).code).toBe("storage_unavailable");
    expect(sums(heir)).toEqual({ spent: nanoUsd(70n), reserved: nanoUsd(0n) });
    await heir.holds.open(attempt(place.clock));
    await store.close();
    await heir.holds.open(attempt(place.clock));
    await heir.close();
  });
}

/** Rows of a raw query. */
function sqlOf(place: Place, text: string): Promise<unknown[][]> {
  if (place.sql === undefined) throw new Error("this place has no SQL");
  return place.sql(text);
}

function sqlContract(setUp: () => Promise<Fixture>): void {
  test("rows of the ledger and of prices cannot be changed or deleted", async () => {
    const { place, store } = await setUp();
    const held = attempt(place.clock);
    await store.holds.open(held);
    await store.ledger.settle(held, outcome());
    for (const attack of [
      "UPDATE ledger SET cost = 0",
      "DELETE FROM ledger",
      "UPDATE price_versions SET date = ''",
      "DELETE FROM price_versions",
    ]) {
      if (attack.includes("price")) store.priceVersions.keep(somePrice);
      await store.ledger.drain();
      expect(await sqlOf(place, attack).then(() => "done", String)).toMatch(/never/);
    }
    expect(await sqlOf(place, "SELECT count(*), sum(cost) FROM ledger")).toEqual([[1n, 40n]]);
  });

  test("a key's secret is nowhere in the database", async () => {
    const { place, store } = await setUp();
    const { key, plain } = await store.keys.create({ organizationId: "default", name: "k", mode: "live" });
    const stored = JSON.stringify(await sqlOf(place, "SELECT * FROM api_keys"), (_, value: unknown) =>
      typeof value === "bigint" ? Number(value) : value,
    );
    expect(stored).toContain(key.id);
    expect(stored).not.toContain(plain.reveal().slice(20, 40));
  });

  test("the database refuses to open with another pepper", async () => {
    const { place, store } = await setUp();
    await store.close();
    expect(await place.open({ pepper: new Secret("another") }).then(() => "opened", String)).toContain("PepperMismatch");
    await (await place.open()).close();
  });
}
