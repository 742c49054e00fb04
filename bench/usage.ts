// `npm run bench:usage [rows]`: questions about usage over a year of traffic, while 200 calls a second go through the same process.
// Prints how long each kind of question takes, and how long the event loop was held up. The file is made once (bench/.cache).
import { statSync } from "node:fs";
import { join } from "node:path";
import type { AttemptRecord } from "../src/core/attempt";
import { nanoUsd } from "../src/core/money";
import type { Outcome } from "../src/core/ports";
import { Secret } from "../src/core/secret";
import { USAGE_DIMENSIONS, type UsageFilters, type UsageQuery } from "../src/core/usage-query";
import { idsFrom, systemClock, systemRandom } from "../src/net/system";
import { BudgetBook } from "../src/policy/budget-book";
import { openStore } from "../src/store/open";
import type { Store } from "../src/store/store";
import { usageFile, YEAR_MS } from "./usage-data";

const ROWS = Number(process.argv[2] ?? 10_000_000);
const PATH = join(import.meta.dir, ".cache", `usage-${ROWS}.db`);
/** A fixed end, so that the file stays good. */
const END = Date.UTC(2026, 5, 1);
const CALLS_PER_SECOND = 200;
const QUESTIONS = Number(process.env["QUESTIONS"] ?? 200);
const DAY = 86_400_000;

const ids = idsFrom(systemClock);
const log = { write: (level: string, event: string, facts: object) => console.error(level, event, facts) };
const open = (path: string, worker: boolean): Promise<Store> =>
  openStore({
    url: `file:${path}`,
    migrationsFolder: join(import.meta.dir, "../drizzle"),
    durability: "normal",
    pepper: new Secret("pepper-of-the-benchmark-0123456789"),
    keyPrefix: "tw",
    clock: systemClock,
    random: systemRandom,
    log,
    reservations: new BudgetBook(),
    checkpointWorker: new URL("../src/store/checkpoint-worker.ts", import.meta.url),
    analyticsWorker: worker ? new URL("../src/store/analytics-worker.ts", import.meta.url) : undefined,
  });

function attempt(n: number): AttemptRecord {
  const requestId = ids.requestId();
  return {
    attemptId: `${requestId}.1`,
    requestId,
    attemptNumber: 1,
    heldAt: END + n,
    organizationId: "default",
    keyId: `key_${String(n % 200).padStart(12, "0")}`,
    projectId: `project_${n % 20}`,
    mode: "live",
    door: "chat",
    provider: `provider-${n % 6}`,
    modelRequested: `model-${n % 20}`,
    modelServed: `model-${n % 20}`,
    stream: false,
    tag: `tag-${n % 500}`,
    user: `user-${(n * 7919) % 50_000}@example.com`,
    tier: "medium",
    priceVersion: "2026-01-01/model-1",
    bound: nanoUsd(20_000_000n),
  };
}

const OUTCOME: Outcome = {
  settlement: "exact",
  usage: { inputTokens: 1_200, outputTokens: 340, cacheReadInputTokens: 1_024 },
  usageSource: "provider",
  cost: nanoUsd(9_000_000n),
  upstreamStatus: 200,
  errorCode: undefined,
  finishReason: "stop",
  latencyMs: 900,
  timeToFirstChunkMs: 100,
  flags: [],
};

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;

/** Calls at an even pace, until told to stop; the result is how late the event loop came to each of its turns. */
function traffic(store: Store): () => Promise<number[]> {
  const delays: number[] = [];
  const start = performance.now();
  let calls = 0;
  let turns = 0;
  const timer = setInterval(() => {
    turns++;
    const now = performance.now();
    delays.push(now - (start + turns * 1));
    // The next turn is measured from when it should come, not from when a late one came.
    turns = Math.floor(now - start);
    for (; calls < ((now - start) / 1000) * CALLS_PER_SECOND; calls++) {
      const one = attempt(calls);
      void store.holds.open(one).then(() => store.ledger.settle(one, OUTCOME));
    }
  }, 1);
  return async () => {
    clearInterval(timer);
    await store.ledger.drain();
    return delays;
  };
}

async function timed(store: Store, query: UsageQuery): Promise<number> {
  const start = performance.now();
  await store.rollups.usage(query);
  return performance.now() - start;
}

const query = (over: Partial<UsageQuery>): UsageQuery => ({
  organizationId: "default",
  mode: "live",
  groupBy: "model",
  limit: 100,
  ...over,
});

/** Thirty days to the millisecond: every other time up to now, calls of this moment and all, else from anywhere in the year. */
let months = 0;
function month(): { from: number; to: number } {
  if (months++ % 2 === 0) return { from: END - 30 * DAY, to: END + YEAR_MS };
  const from = Math.floor(END - YEAR_MS + Math.random() * (YEAR_MS - 30 * DAY));
  return { from, to: from + 30 * DAY };
}

async function ask(store: Store, name: string, make: () => UsageQuery, questions = QUESTIONS): Promise<void> {
  const times: number[] = [];
  for (let n = 0; n < questions; n++) {
    times.push(await timed(store, make()));
    await Bun.sleep(10);
  }
  const [p50, p99, most] = [percentile(times, 0.5), percentile(times, 0.99), Math.max(...times)].map((time) => time.toFixed(1).padStart(8));
  console.log(`${name.padEnd(52)} ${p50} ${p99} ${most}`);
}

const PROGRESS = `SELECT (SELECT count(*) FROM rollup_blocks), (SELECT max(id) FROM ledger) - coalesce((SELECT max(id) FROM rollup_blocks), 0),
  (SELECT count(*) FROM rollup_blocks WHERE id > (SELECT coalesce(max(block), 0) FROM rollup_columns WHERE name = 'fold-span'))`;

async function untilSummedUp(store: Store): Promise<void> {
  const start = performance.now();
  for (let reached = -1; ; ) {
    const { Database } = await import("bun:sqlite");
    const database = new Database(PATH, { readonly: true });
    const [blocks, left, unfolded] = database.query(PROGRESS).values()[0] as [number, number, number];
    database.close();
    if (left < 4_096 && unfolded < 32)
      return console.log(`summed up: ${blocks} blocks, ${((performance.now() - start) / 1000).toFixed(0)} s`);
    if (blocks + unfolded !== reached) process.stderr.write(`\r${blocks} blocks, ${left} rows left, ${store.stats().queued} queued `);
    reached = blocks + unfolded;
    await Bun.sleep(500);
  }
}

await usageFile(PATH, ROWS, END, async (path) => {
  await (await open(path, false)).close();
});
const began = performance.now();
const store = await open(PATH, true);
console.log(
  `${ROWS} ledger rows, ${(statSync(PATH).size / 1024 ** 3).toFixed(2)} GiB; the store opened in ${(performance.now() - began).toFixed(0)} ms`,
);
await untilSummedUp(store);
// One round to have the Worker's code warm.
for (const groupBy of USAGE_DIMENSIONS) await timed(store, query({ groupBy, ...month() }));
const stop = traffic(store);
console.log(`${"while 200 calls/s run, ms:".padEnd(52)} ${"p50".padStart(8)} ${"p99".padStart(8)} ${"most".padStart(8)}`);
for (const groupBy of USAGE_DIMENSIONS) await ask(store, `30 days by ${groupBy}`, () => query({ groupBy, ...month() }));
const key = () => `key_${String(Math.floor(Math.random() * 200)).padStart(12, "0")}`;
await ask(store, "30 days by model, one key", () => query({ filters: { key: [key()] }, ...month() }));
const filters: UsageFilters = { tag: ["tag-7", "tag-8", null], model: ["model-1", "model-2"], status: ["ok"] };
await ask(store, "a year by user; tags, models and status filtered", () => query({ groupBy: "user", filters }), 10);
await ask(store, "a year by run, one project", () => query({ groupBy: "run", filters: { project: ["project_3"] } }), 10);
await ask(store, "a year by user", () => query({ groupBy: "user" }), 10);
await ask(store, "a year by model", () => query({}), 10);
await ask(store, "a year by day", () => query({ groupBy: "day", limit: 1_000 }), 10);
const delays = await stop();
console.log(
  `event loop: ${delays.length} turns, late by p50 ${percentile(delays, 0.5).toFixed(2)} ms, p99 ${percentile(delays, 0.99).toFixed(2)} ms, at most ${Math.max(...delays).toFixed(1)} ms`,
);
await store.close();
