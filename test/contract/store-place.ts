// The places where a store can live, each as the contract suite needs it: open, open again, break, mend.
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client/web";
import type { AttemptRecord } from "../../src/core/attempt";
import { Failure } from "../../src/core/failure";
import type { KeyMode } from "../../src/core/ids";
import { nanoUsd } from "../../src/core/money";
import type { Outcome } from "../../src/core/ports";
import { Secret } from "../../src/core/secret";
import { BudgetBook } from "../../src/policy/budget-book";
import { memoryData, openMemoryStore } from "../../src/store/memory";
import { openStore, type StoreConfig } from "../../src/store/open";
import type { Store } from "../../src/store/store";
import { serveHrana } from "../hrana/server";
import { type KeptLog, keptLog, ManualClock, seededRandom, turn } from "./manual-clock";

export const MIGRATIONS = join(import.meta.dir, "../../drizzle");
export const PEPPER = new Secret("pepper of the tests");

export interface Place {
  readonly clock: ManualClock;
  readonly log: KeptLog;
  open(overrides?: Partial<StoreConfig>): Promise<Store>;
  /** Opens although the last owner did not let go, as after a kill. undefined: that needs another process here. */
  takeOver?: (() => Promise<Store>) | undefined;
  /** Makes writing impossible, or possible again. */
  broken(broken: boolean): void;
  /** Raw SQL; undefined: there is none. */
  sql?: ((text: string) => Promise<unknown[][]>) | undefined;
  dispose(): Promise<void>;
}

/** The failure a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof Failure)) throw new Error(`expected a Failure, got ${String(thrown)}`);
  return thrown;
}

export interface Fixture {
  place: Place;
  store: Store;
  /** Opens another store in the same place; closed at the end. */
  open(...args: Parameters<Place["open"]>): Promise<Store>;
}

/** Settings that every place shares. */
export function settings(clock: ManualClock, log: KeptLog, seed: number) {
  return {
    migrationsFolder: MIGRATIONS,
    durability: "normal",
    pepper: PEPPER,
    keyPrefix: "tw",
    clock,
    log,
    random: seededRandom(seed),
    reservations: new BudgetBook(),
  } as const;
}

/** Lets time pass while someone sleeps, until the promise is settled: for what waits on the clock and on sockets by turns. */
export async function passing<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  promise.then(mark, mark);
  while (!settled) {
    await turn();
    if (!settled && clock.sleepers > 0) await clock.advance(250);
  }
  return promise;
}

/** Gives the event loop its turns until the condition holds; the test's own deadline is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

export async function memoryPlace(): Promise<Place> {
  const clock = new ManualClock();
  const log = keptLog();
  const data = memoryData();
  let opened = 0;
  const options = () => ({ ...settings(clock, log, ++opened), data });
  return {
    clock,
    log,
    open: (overrides) => openMemoryStore({ ...options(), ...overrides }),
    takeOver: () => openMemoryStore({ ...options(), takeOver: true }),
    broken: (broken) => {
      data.fault = broken ? Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }) : undefined;
    },
    dispose: async () => {},
  };
}

export async function filePlace(): Promise<Place & { path: string }> {
  const clock = new ManualClock();
  const log = keptLog();
  const folder = mkdtempSync(join(tmpdir(), "tollway-store-"));
  const path = join(folder, "data", "tollway.db");
  let opened = 0;
  let intruder: Database | undefined;
  return {
    path,
    clock,
    log,
    open: (overrides) => openStore({ ...settings(clock, log, ++opened), url: `file:${path}`, ...overrides }),
    broken: (broken) => {
      if (broken) {
        // Someone else's transaction: the file is locked for longer than the writer waits.
        intruder = new Database(path, { create: false, readwrite: true });
        intruder.run("BEGIN IMMEDIATE");
      } else {
        intruder?.close();
        intruder = undefined;
      }
    },
    sql: async (text) => {
      const database = new Database(path, { create: false, readwrite: true, safeIntegers: true });
      try {
        return database.query(text).values();
      } finally {
        database.close();
      }
    },
    dispose: async () => {
      intruder?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A libSQL server of our own on a file of its own, unless `real` names another. */
export async function remotePlace(real?: { url: string; token: string | undefined }): Promise<Place> {
  const clock = new ManualClock();
  const log = keptLog();
  const folder = mkdtempSync(join(tmpdir(), "tollway-hrana-"));
  const server = real === undefined ? serveHrana({ path: join(folder, "remote.db"), authToken: "token of the tests" }) : undefined;
  const url = real?.url ?? server?.url ?? "";
  const token = real === undefined ? "token of the tests" : real.token;
  const client = createClient({ url, intMode: "bigint", ...(token === undefined ? {} : { authToken: token }) });
  if (real !== undefined) await dropAll(client);
  let opened = 0;
  const open = (overrides?: Partial<StoreConfig>) =>
    openStore({ ...settings(clock, log, ++opened), url, authToken: token === undefined ? undefined : new Secret(token), ...overrides });
  return {
    clock,
    log,
    open: (overrides) => passing(clock, open(overrides)),
    takeOver: () => {
      // Its clock is a minute ahead, so that the lease has run out for it and nobody renews it.
      const later = new ManualClock(clock.now() + 60_000);
      return passing(later, open({ clock: later }));
    },
    broken: (broken) => {
      if (server === undefined) throw new Error("A real server cannot be broken");
      server.fault = broken ? { code: "SQLITE_FULL", message: "database or disk is full" } : undefined;
    },
    sql: async (text) => (await client.execute(text)).rows.map((row) => Array.from({ length: row.length }, (_, at) => row[at])),
    dispose: async () => {
      client.close();
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function dropAll(client: ReturnType<typeof createClient>): Promise<void> {
  const { rows } = await client.execute(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'libsql_%'",
  );
  // Children before parents: api_keys references organizations.
  const names = rows.map((row) => String(row[0])).sort();
  await client.batch(
    names.map((name) => `DROP TABLE "${name}"`),
    "write",
  );
}

let requests = 0;

/** Ascending, as UUIDv7 are. */
export function requestId(at = Date.UTC(2026, 10, 23)): string {
  const hex = at.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(++requests).padStart(12, "0")}`;
}

export function attempt(clock: ManualClock, over: Partial<AttemptRecord> = {}): AttemptRecord {
  const id = over.requestId ?? requestId(over.heldAt ?? clock.now());
  const number = over.attemptNumber ?? 1;
  return {
    attemptId: `${id}.${number}`,
    requestId: id,
    attemptNumber: number,
    heldAt: clock.now(),
    organizationId: "default",
    keyId: "key_a",
    mode: "live" as KeyMode,
    door: "chat",
    provider: "openai",
    modelRequested: "gpt-5.1",
    modelServed: "gpt-5.1-2025-11-13",
    stream: false,
    bound: nanoUsd(100n),
    ...over,
  };
}

export function outcome(over: Partial<Outcome> = {}): Outcome {
  return {
    settlement: "exact",
    usage: { inputTokens: 10, outputTokens: 5 },
    usageSource: "provider",
    cost: nanoUsd(40n),
    upstreamStatus: 200,
    errorCode: undefined,
    finishReason: "stop",
    latencyMs: 12.5,
    timeToFirstChunkMs: undefined,
    flags: [],
    ...over,
  };
}
