// Runs in a Worker, on a connection of its own that cannot write. One question at a time, in their order; it looks up now and then
// whether the one at hand has been given up, so it needs no clock of its own.

import { Database } from "bun:sqlite";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { Failure, type FailureCode } from "../core/failure";
import type { LedgerQuery, TimeRange, UsageQuery } from "../core/usage-query";
import type { Db } from "./connection";
import { readLedger } from "./ledger-read";
import { nextWrite, type RollupSizes } from "./rollup-due";
import { usageByRollups } from "./rollup-query";
import { readSpentInBlocks } from "./rollup-spent-scope";
import { TailKeeper } from "./rollup-tail";
import { proveBlock, proveFold } from "./rollup-verify";
import * as schema from "./schema";
import type { SpentQuery } from "./spent-query";

export type AnalyticsAsk =
  /** `givenUp`: one Int32, the highest number of a question whose time is over. */
  | { type: "open"; path: string; givenUp: SharedArrayBuffer }
  | { type: "usage"; query: UsageQuery }
  | { type: "rows"; query: LedgerQuery }
  | { type: "spent"; query: SpentQuery; upTo: number }
  | { type: "next-write"; sizes: RollupSizes }
  | { type: "prove-block"; after: number; range: TimeRange }
  | { type: "prove-fold"; after: number }
  | { type: "close" };

export interface AnalyticsQuestion {
  number: number;
  ask: AnalyticsAsk;
}

export type AnalyticsAnswer = { number: number } & (
  | { type: "done"; value: unknown }
  | { type: "given-up" }
  /** What the caller did wrong. */
  | { type: "refused"; code: FailureCode; message: string; param: string | undefined }
  | { type: "failed"; message: string }
);

/** Pages of the file in memory, in KiB; the rest is left to the system's own cache. */
const CACHE_KIB = 32_768;
/** How much of the file may be mapped: reading it costs no call of the system then. */
const MAPPED_BYTES = 4 * 1024 ** 3;

class GivenUp extends Error {}

let database: Database | undefined;
let db: Db | undefined;
let tails: TailKeeper | undefined;
let givenUp = new Int32Array(new SharedArrayBuffer(4));

function open(path: string, shared: SharedArrayBuffer): void {
  database = new Database(path, { create: false, readwrite: true, strict: true, safeIntegers: true });
  for (const pragma of ["query_only = ON", "busy_timeout = 1000", `cache_size = -${CACHE_KIB}`, `mmap_size = ${MAPPED_BYTES}`]) {
    database.run(`PRAGMA ${pragma}`);
  }
  // The same builder; bun:sqlite answers at once, and `await` takes that too.
  db = drizzle(database, { schema }) as unknown as Db;
  tails = new TailKeeper(db);
  givenUp = new Int32Array(shared);
}

async function obey({ number, ask }: AnalyticsQuestion): Promise<unknown> {
  const check = () => {
    if (Atomics.load(givenUp, 0) >= number) throw new GivenUp();
  };
  if (ask.type === "open") return open(ask.path, ask.givenUp);
  if (ask.type === "close") return database?.close();
  if (db === undefined || tails === undefined) throw new Error("The file is not open");
  switch (ask.type) {
    case "usage":
      check();
      return usageByRollups(db, tails, ask.query, check);
    case "rows":
      return readLedger(db, ask.query);
    case "spent":
      return readSpentInBlocks(db, ask.query, ask.upTo);
    case "next-write":
      return nextWrite(db, ask.sizes);
    case "prove-block":
      return proveBlock(db, ask.after, ask.range);
    case "prove-fold":
      return proveFold(db, ask.after);
  }
}

async function answerTo(question: AnalyticsQuestion): Promise<AnalyticsAnswer> {
  const { number } = question;
  try {
    return { number, type: "done", value: await obey(question) };
  } catch (error) {
    if (error instanceof GivenUp) return { number, type: "given-up" };
    if (error instanceof Failure) return { number, type: "refused", code: error.code, message: error.message, param: error.param };
    return { number, type: "failed", message: String(error) };
  }
}

/** Two queues: whoever waits for an answer does not wait for blocks to be made or proven, which give way between their steps. */
const before = { questions: Promise.resolve(), work: Promise.resolve() };
const WORK: readonly AnalyticsAsk["type"][] = ["next-write", "prove-block", "prove-fold"];
addEventListener("message", (event: MessageEvent<AnalyticsQuestion>) => {
  const queue = WORK.includes(event.data.ask.type) ? "work" : "questions";
  before[queue] = before[queue].then(async () => postMessage(await answerTo(event.data)));
});
