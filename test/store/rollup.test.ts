// What is summed up ahead says what the ledger says: every dimension, range and filter, wherever blocks end, whoever reads.
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { drizzle } from "drizzle-orm/bun-sqlite";
import type { AttemptRecord } from "../../src/core/attempt";
import type { KeyMode } from "../../src/core/ids";
import { nanoUsd } from "../../src/core/money";
import type { LedgerRow, Outcome } from "../../src/core/ports";
import { USAGE_DIMENSIONS, type UsageFilters, type UsageGroup, type UsageQuery } from "../../src/core/usage-query";
import type { Db } from "../../src/store/connection";
import { pepperCheck } from "../../src/store/keys";
import { spentOf } from "../../src/store/memory-records";
import type { StoreConfig } from "../../src/store/open";
import { usageByRollups } from "../../src/store/rollup-query";
import { TailKeeper } from "../../src/store/rollup-tail";
import * as schema from "../../src/store/schema";
import type { SpentBucket, SpentQuery } from "../../src/store/spent-query";
import { openSqlBackend } from "../../src/store/sql-backend";
import { openSqlite } from "../../src/store/sqlite";
import type { Store } from "../../src/store/store";
import { usageOf } from "../../src/store/usage-page";
import { seededRandom, turn } from "../contract/manual-clock";
import { attempt, failureOf, filePlace, outcome, PEPPER, type Place, remotePlace, requestId, settings } from "../contract/store-place";

const WORKER = new URL("../../src/store/analytics-worker.ts", import.meta.url);
const HOUR = 3_600_000;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface World {
  place: Place;
  store: Store;
  /** What the ledger must hold, in its order. */
  rows: LedgerRow[];
  random: () => number;
}

/** `share`: how much of the work; each question to a remote database takes several round trips. */
const PLACES: readonly { name: string; make: () => Promise<Place>; over: Partial<StoreConfig>; share: number }[] = [
  { name: "bun:sqlite, read in the Worker", make: filePlace, over: { analyticsWorker: WORKER }, share: 1 },
  { name: "bun:sqlite, read here", make: filePlace, over: {}, share: 1 },
  { name: "libSQL (our Hrana server)", make: () => remotePlace(), over: {}, share: 0.1 },
];

async function world(make: () => Promise<Place>, over: Partial<StoreConfig>, seed: number): Promise<World> {
  const place = await make();
  cleanups.push(() => place.dispose());
  const store = await place.open(over);
  cleanups.push(() => store.close());
  const source = seededRandom(seed);
  return { place, store, rows: [], random: () => source.next() };
}

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const maybe = <T>(random: () => number, value: () => T): T | undefined => (random() < 0.3 ? undefined : value());

/** Mostly small; now and then beyond what a double holds. */
function amount(random: () => number, most = 1): bigint {
  const kind = random() * most;
  if (kind < 0.2) return 0n;
  if (kind < 0.9) return BigInt(Math.floor(random() * 300_000));
  if (kind < 0.97) return BigInt(Math.floor(random() * 2 ** 40));
  return 2n ** 53n + BigInt(Math.floor(random() * 1_000)) * 2n + 1n;
}

function randomAttempt({ place, random }: World): AttemptRecord {
  const heldAt = place.clock.now() - Math.floor(random() * 3 * HOUR);
  return attempt(place.clock, {
    requestId: requestId(heldAt),
    attemptNumber: random() < 0.8 ? 1 : 2,
    heldAt,
    organizationId: pick(random, ["default", "default", "org_b"]),
    mode: pick<KeyMode>(random, ["live", "live", "live", "test"]),
    keyId: `key_${Math.floor(random() * 5)}`,
    provider: pick(random, ["openai", "mistral", "groq"]),
    modelServed: `m${Math.floor(random() * 4)}`,
    tag: maybe(random, () => pick(random, ["a", "b", "ünï", "'; DROP TABLE ledger --"])),
    user: maybe(random, () => `user ${Math.floor(random() * 400)}`),
    agent: maybe(random, () => pick(random, ["coder", "buyer"])),
    run: maybe(random, () => `run-${Math.floor(random() * 1_000)}`),
    teamId: maybe(random, () => pick(random, ["t1", "t2"])),
    projectId: maybe(random, () => pick(random, ["p1", "p2", "p3"])),
    tier: maybe(random, () => pick(random, ["simple", "complex"])),
    bound: nanoUsd(1n),
  });
}

function randomOutcome(random: () => number, most?: number): Outcome {
  const unpriced = random() < 0.1;
  const usage = {
    inputTokens: Math.floor(random() * 100_000),
    outputTokens: maybe(random, () => Math.floor(random() * 5_000)),
    cacheReadInputTokens: maybe(random, () => Math.floor(random() * 70_000)),
    reasoningOutputTokens: maybe(random, () => Math.floor(random() * 300)),
    inputAudioTokens: random() < 0.05 ? 2 ** 52 : undefined,
  };
  return outcome({
    cost: unpriced ? undefined : nanoUsd(amount(random, most)),
    usage: random() < 0.1 ? undefined : usage,
    usageSource: "provider",
    errorCode: random() < 0.2 ? "upstream_error" : undefined,
  });
}

/** `most` below 1 leaves out amounts that a markup would carry beyond 64 bits. */
async function spend(at: World, count: number, most?: number): Promise<void> {
  for (let done = 0; done < count; done += 10) {
    const group = Array.from({ length: Math.min(10, count - done) }, () => ({
      held: randomAttempt(at),
      told: randomOutcome(at.random, most),
    }));
    await Promise.all(group.map(({ held }) => at.store.holds.open(held)));
    await Promise.all(group.map(({ held, told }) => at.store.ledger.settle(held, told)));
    for (const { held, told } of group) at.rows.push({ ...held, ...told, id: at.rows.length + 1, settledAt: at.place.clock.now() });
    await at.place.clock.advance(Math.floor(at.random() * 200 * 60_000));
  }
}

const numberOf = async (place: Place, sql: string): Promise<number> => Number((await place.sql?.(sql))?.[0]?.[0]);
const UNSUMMED = "SELECT count(*) FROM ledger WHERE id > (SELECT coalesce(max(id), 0) FROM rollup_blocks)";

const UNFOLDED =
  "SELECT count(*) FROM rollup_blocks WHERE id > (SELECT coalesce(max(block), 0) FROM rollup_columns WHERE name = 'fold-span')";

/** Lets time pass until fewer than so many are left. */
async function until({ place }: World, sql: string, most: number): Promise<void> {
  while ((await numberOf(place, sql)) >= most) {
    await place.clock.advance(1_000);
    await turn();
  }
}

function randomQuery({ random, rows, place }: World): UsageQuery {
  const first = Math.min(...rows.map((row) => row.heldAt));
  const instant = () => first + Math.floor(random() * (place.clock.now() + HOUR - first));
  const [a, b] = [instant(), instant()];
  const filters: { -readonly [K in keyof UsageFilters]: UsageFilters[K] } = {};
  if (random() < 0.3) filters.model = pick(random, [["m1"], ["m1", "m2"], ["none"]]);
  if (random() < 0.3) filters.tag = pick(random, [["a"], [null], ["b", null], ["ünï"]]);
  if (random() < 0.2) filters.key = ["key_1"];
  if (random() < 0.2) filters.status = [pick(random, ["ok", "error", "other"])];
  if (random() < 0.2) filters.user = ["user 7", "user 8", null];
  if (random() < 0.1) filters.day = [new Date(instant()).toISOString().slice(0, 10), "2026"];
  if (random() < 0.1) filters.hour = [`${new Date(instant()).toISOString().slice(0, 13)}:00:00Z`];
  return {
    organizationId: pick(random, ["default", "default", "org_b", "org_none"]),
    mode: pick<KeyMode>(random, ["live", "test"]),
    groupBy: pick(random, USAGE_DIMENSIONS),
    filters,
    from: maybe(random, () => Math.min(a, b)),
    to: maybe(random, () => Math.max(a, b) + 1),
    limit: pick(random, [1, 3, 1_000]),
  };
}

async function everyPage(store: Store, query: UsageQuery): Promise<UsageGroup[]> {
  const groups: UsageGroup[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.rollups.usage({ ...query, cursor });
    groups.push(...page.groups);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return groups;
}

describe.each(PLACES)("over $name:", ({ make, over, share }) => {
  test("usage is that of the ledger, through restarts, failed writes and blocks of any size", async () => {
    const at = await world(make, over, 7);
    for (const [round, blockRows] of [64, 8, 100, 33].map((rows) => Math.ceil(rows * share)).entries()) {
      await at.store.close();
      at.store = await at.place.open({ ...over, limits: { rollups: { blockRows, foldBlocks: 3 } } });
      const store = at.store;
      cleanups.push(() => store.close());
      // Nobody can write while blocks are due: none is lost, none is counted twice.
      if (round === 1) at.place.broken(true);
      await at.place.clock.advance(1);
      at.place.broken(false);
      await at.place.clock.advance(10_000);
      await spend(at, Math.ceil(90 * share));
      // In the last round blocks are still being made when the questions come, and when the store closes.
      if (round < 3) await until(at, UNSUMMED, blockRows);
      if (round === 1) await until(at, UNFOLDED, 3);
      for (const groupBy of USAGE_DIMENSIONS) {
        const query: UsageQuery = { organizationId: "default", mode: "live", groupBy, limit: 1_000 };
        expect(await at.store.rollups.usage(query)).toEqual(usageOf(at.rows, query));
      }
      for (let n = 0; n < 60 * share; n++) {
        const query = randomQuery(at);
        const truth = usageOf(at.rows, { ...query, limit: 1_000 });
        const page = await at.store.rollups.usage(query);
        expect([query, page.total]).toEqual([query, truth.total]);
        expect([query, page.groups]).toEqual([query, truth.groups.slice(0, query.limit)]);
        if (n % 10 === 0) expect(await everyPage(at.store, query)).toEqual([...truth.groups]);
      }
      expect(await at.store.rollups.verify({})).toMatchObject({ faults: [] });
    }
    expect(await numberOf(at.place, "SELECT count(*) FROM rollup_blocks")).toBeGreaterThan(5);
    expect(await numberOf(at.place, "SELECT count(*) FROM rollup_columns WHERE name = 'fold-status'")).toBeGreaterThan(0);
  }, 30_000);
});

test("what scopes have spent is known at the start without reading the whole ledger", async () => {
  const at = await world(filePlace, { limits: { rollups: { blockRows: 16, foldBlocks: 3 } } }, 3);
  await spend(at, 70);
  await until(at, UNSUMMED, 16);
  // Rows that are summed up may not be read again: their sums answer. A column of the last block without sums answers too.
  await at.place.sql?.("DELETE FROM rollup_columns WHERE name = 'by-key' AND block = 32");
  await at.store.close();
  at.store = await at.place.open();
  for (const organizationId of ["default", "org_b"])
    for (const mode of ["live", "test"] as const) {
      const spent = at.rows
        .filter((row) => row.organizationId === organizationId && row.mode === mode)
        .reduce((sum, row) => sum + (row.cost ?? 0n), 0n);
      expect(at.store.counters.read(`organization:${organizationId}`, mode).spent).toBe(nanoUsd(spent));
    }
  const mine = at.rows.filter((row) => row.keyId === "key_1" && row.mode === "live").reduce((sum, row) => sum + (row.cost ?? 0n), 0n);
  expect(at.store.counters.read("key:key_1", "live").spent).toBe(nanoUsd(mine));
  await at.store.close();
});

test("a ledger that is not summed up yet is read in slices, whoever else asks and whatever is written meanwhile", async () => {
  const at = await world(filePlace, {}, 19);
  const database = new Database((at.place as Place & { path: string }).path, {
    create: false,
    readwrite: true,
    strict: true,
    safeIntegers: true,
  });
  cleanups.push(async () => database.close());
  const db = drizzle(database, { schema }) as unknown as Db;
  for (const sliceRows of [1, 7, 40, 4_096]) {
    const tails = new TailKeeper(db, sliceRows);
    for (let round = 0; round < 3; round++) {
      await spend(at, 17);
      const queries = Array.from({ length: 8 }, () => ({ ...randomQuery(at), limit: 1_000 }));
      const answers = await Promise.all(queries.map((query) => usageByRollups(db, tails, query, () => undefined)));
      for (const [n, query] of queries.entries()) expect([query, answers[n]]).toEqual([query, usageOf(at.rows, query)]);
    }
  }
});

test("a walk through pages of usage is over the rows of its first page, whatever is written and summed up meanwhile", async () => {
  const at = await world(filePlace, { limits: { rollups: { blockRows: 16, foldBlocks: 3 } } }, 23);
  await spend(at, 40);
  for (let round = 0; round < 6; round++) {
    const groupBy = pick(at.random, ["model", "user", "project", "hour", "tag", "status"] as const);
    const { filters } = round % 3 === 0 ? randomQuery(at) : {};
    const query: UsageQuery = { organizationId: "default", mode: "live", groupBy, filters, limit: groupBy === "user" ? 9 : 1 };
    const truth = usageOf(at.rows, { ...query, limit: 1_000 });
    const first = await at.store.rollups.usage(query);
    const groups = [...first.groups];
    for (let cursor = first.nextCursor; cursor !== undefined; ) {
      // So many that blocks and folds are made of rows from before and after the first page.
      await spend(at, groups.length < 20 ? 13 : 0);
      if (round % 2 === 0) await until(at, UNSUMMED, 16);
      const page = await at.store.rollups.usage({ ...query, cursor });
      expect([query, page.total]).toEqual([query, truth.total]);
      expect(page).toEqual(usageOf(at.rows, { ...query, cursor }));
      groups.push(...page.groups);
      cursor = page.nextCursor;
    }
    expect([query, groups]).toEqual([query, [...truth.groups].slice(0, groups.length)]);
    expect(groups.length).toBe(truth.groups.length);
  }
}, 30_000);

test("what a scope has spent, in blocks and behind them, less the calls that count already, is what its rows say", async () => {
  const at = await world(filePlace, { limits: { rollups: { blockRows: 16, foldBlocks: 3 } } }, 17);
  await spend(at, 190, 0.95);
  await until(at, UNSUMMED, 16);
  await until(at, UNFOLDED, 3);
  await at.store.close();
  const { place, random, rows } = at;
  const path = (place as Place & { path: string }).path;
  const options = { ...settings(place.clock, place.log, 1), pepperCheck: pepperCheck(PEPPER), lease: undefined };
  const backend = await openSqlBackend(openSqlite({ ...options, path }), options);
  cleanups.push(() => backend.close());
  const named = (found: readonly SpentBucket[]) =>
    found
      .filter(({ spent }) => spent !== 0n)
      .map(({ mode, start, spent }) => `${mode} ${start} ${spent}`)
      .sort();
  for (let n = 0; n < 250; n++) {
    const row = pick(random, rows);
    const ids = {
      organization: row.organizationId,
      team: "t1",
      project: "p2",
      key: row.keyId,
      user: row.user,
      agent: "coder",
      run: row.run,
    };
    const kind = pick(random, ["organization", "team", "project", "key", "user", "agent", "run"] as const);
    const query: SpentQuery = {
      organizationId: row.organizationId,
      scope: { kind, id: ids[kind] ?? "nobody" },
      from: pick(random, [0, row.heldAt, row.heldAt + 1]),
      bucketMs: pick(random, [undefined, 60_000, 1_440_000]),
      markupBasisPoints: pick(random, [undefined, 0, 2_000, 1]),
    };
    const others = new Set(random() < 0.5 ? [] : rows.filter(() => random() < 0.1).map((one) => one.attemptId));
    const truth = spentOf(
      rows.filter((one) => !others.has(one.attemptId)),
      query,
    );
    expect([query, named(await backend.spentBefore(query, () => [...others, "unknown.1"]))]).toEqual([query, named(truth)]);
  }
});

test("verify() finds what was changed, and says where", async () => {
  const at = await world(filePlace, { limits: { rollups: { blockRows: 16, foldBlocks: 3 } } }, 5);
  await spend(at, 64);
  await until(at, UNSUMMED, 16);
  expect(await at.store.rollups.verify({})).toEqual({ blocks: 4, rows: 64, faults: [] });
  await until(at, UNFOLDED, 3);
  const heldAt = at.rows[0]?.heldAt ?? 0;
  expect((await at.store.rollups.verify({ to: heldAt + 1 })).blocks).toBeLessThan(4);
  const damages: [string, RegExp][] = [
    ["DELETE FROM rollup_columns WHERE name = 'fold-model'", /fold 48: fold-model is not what its blocks make/],
    [
      "UPDATE rollup_columns SET body = (SELECT body FROM rollup_columns WHERE name = 'figures' AND block = 16) WHERE name = 'figures' AND block = 32",
      /block 32/,
    ],
    ["UPDATE rollup_values SET value = 'm9' WHERE dimension = 'model' AND id = 1", /model of ledger row/],
    ["DELETE FROM rollup_columns WHERE name = 'held-at' AND block = 48", /no column held-at/],
    ["UPDATE rollup_blocks SET rows = 15 WHERE id = 64", /of 15 rows/],
    ["DELETE FROM rollup_blocks WHERE id = 32", /begins at 33/],
  ];
  for (const [damage, said] of damages) {
    await at.place.sql?.(damage);
    expect((await at.store.rollups.verify({})).faults.join("\n")).toMatch(said);
  }
});

describe.each(PLACES)("over $name:", ({ make, over, share }) => {
  test("rows() pages through one organization's ledger in order, without gaps or repeats", async () => {
    const at = await world(make, { ...over, limits: { rollups: { blockRows: 16, foldBlocks: 3 } } }, 11);
    await spend(at, Math.ceil(70 * Math.max(share, 0.8)));
    const page = async (query: Partial<UsageQuery>, limit: number) => {
      const ids: number[] = [];
      let cursor: string | undefined;
      do {
        const listing = await at.store.rollups.rows({ organizationId: "default", ...query, limit, cursor });
        expect(listing.data.length).toBeLessThanOrEqual(limit);
        ids.push(...listing.data.map((row) => row.id));
        cursor = listing.nextCursor;
      } while (cursor !== undefined);
      return ids;
    };
    const from = at.rows[20]?.heldAt ?? 0;
    const to = at.rows[50]?.heldAt ?? 0;
    const truth = (keep: (row: LedgerRow) => boolean) =>
      at.rows.filter((row) => row.organizationId === "default" && keep(row)).map((row) => row.id);
    expect(await page({}, 7)).toEqual(truth(() => true));
    expect(await page({ mode: "live" }, share === 1 ? 1 : 11)).toEqual(truth((row) => row.mode === "live"));
    expect(await page({ from, to }, 5)).toEqual(truth((row) => row.heldAt >= from && row.heldAt < to));
    expect(await page({ organizationId: "org_none" }, 5)).toEqual([]);
    expect((await failureOf(at.store.rollups.rows({ organizationId: "default", limit: 5, cursor: "bm9wZQ" }))).param).toBe("cursor");
    expect((await failureOf(at.store.rollups.rows({ organizationId: "default", limit: 5, from: 2, to: 1 }))).param).toBe("from");
    const [row] = (await at.store.rollups.rows({ organizationId: "default", limit: 1 })).data;
    expect(row?.cost).toBe(at.rows.find((one) => one.id === row?.id)?.cost as never);
  });
});

test("a question that takes too long is refused with what to ask instead, and the next one is answered", async () => {
  const at = await world(filePlace, { analyticsWorker: WORKER }, 13);
  await spend(at, 10);
  const query: UsageQuery = { organizationId: "default", mode: "live", groupBy: "user", limit: 5 };
  const asking = failureOf(at.store.rollups.usage(query));
  // The answer is on its way from the Worker when its time is over.
  await at.place.clock.advance(2_000);
  const failure = await asking;
  expect([failure.code, failure.param]).toEqual(["request_timeout", "from"]);
  expect(failure.message).toContain("shorter time");
  expect(await at.store.rollups.usage(query)).toEqual(usageOf(at.rows, query));
});

test("the Worker's death leaves reads to this thread, and is told", async () => {
  const place = await filePlace();
  cleanups.push(() => place.dispose());
  const store = await place.open({ analyticsWorker: new URL("./no-such-worker.ts", import.meta.url) });
  cleanups.push(() => store.close());
  // The Worker is begun with the first question: this one meets its death, the next one comes after it.
  const usage = async () => (await store.rollups.usage({ organizationId: "default", mode: "live", groupBy: "key", limit: 1 })).groups;
  expect(await usage()).toEqual([]);
  while (place.log.lines.every((line) => line.event !== "store.analytics_worker_failed")) await turn();
  expect(await usage()).toEqual([]);
});
