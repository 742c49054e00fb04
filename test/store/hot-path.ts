// What two durable writes cost: run it with `bun test/store/hot-path.ts`. CPU of this process per pair (hold + settle) at a group
// of eight, for our statements and for drizzle's two ways of writing the same rows.
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { migrate } from "drizzle-orm/bun-sqlite/migrator";
import type { AttemptRecord } from "../../src/core/attempt";
import type { Scope, Window } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";

import { openStore } from "../../src/store/open";
import { holds, ledger } from "../../src/store/schema";
import type { Store } from "../../src/store/store";
import { keptLog, ManualClock } from "../contract/manual-clock";
import { attempt, MIGRATIONS, outcome, settings } from "../contract/store-place";

const PAIRS = 16_000;
const GROUP = 8;
const clock = new ManualClock();
const told = outcome({ usage: { inputTokens: 1_200, outputTokens: 340, cacheReadInputTokens: 1_024, reasoningOutputTokens: 64 } });
const DECISION = JSON.stringify({ asked: "auto", chosen: [{ provider: "openai", model: "gpt-5.1", reason: "cost" }], excluded: [] });
let made = 0;
const next = (): AttemptRecord =>
  attempt(clock, {
    requestId: `01940000-0000-7000-8000-${String(++made).padStart(12, "0")}`,
    tag: "team-a",
    projectId: "proj_1",
    decision: DECISION,
    priceVersion: "openai/gpt-5.1@2026-11-22",
    bound: nanoUsd(9_000_000n),
  });

async function measure(name: string, round: (attempts: readonly AttemptRecord[]) => Promise<void> | void): Promise<void> {
  const times: number[] = [];
  for (let part = 0; part < 4; part++) {
    const start = process.cpuUsage();
    for (let done = 0; done < PAIRS / 4; done += GROUP) await round(Array.from({ length: GROUP }, next));
    const used = process.cpuUsage(start);
    times.push((used.user + used.system) / (PAIRS / 4));
  }
  console.log(`${name.padEnd(44)} ${times.map((time) => time.toFixed(1)).join("  ")} µs CPU a pair (4 rounds of ${PAIRS / 4})`);
}

/** Two on each of key, project and organization, in windows of every kind. */
async function setBudgets(store: Store): Promise<void> {
  const { keyId, projectId = "" } = next();
  const scopes: Scope[] = [
    { kind: "key", id: keyId },
    { kind: "project", id: projectId },
    { kind: "organization", id: "default" },
  ];
  const windows: Window[] = [
    { unit: "month", rolling: false, zone: "Asia/Kathmandu" },
    { unit: "hour", rolling: true, zone: "UTC" },
  ];
  for (const [s, scope] of scopes.entries()) {
    for (const [w, window] of windows.entries()) {
      const made = { id: `bdg_${s}${w}`, organizationId: "default", scope, window, hard: true, thresholds: [], createdAt: clock.now() };
      await store.budgets.put({ ...made, limit: nanoUsd(10n ** 15n) });
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "tollway-hot-"));
for (const durability of ["normal", "full"] as const) {
  for (const budgeted of [false, true]) {
    const file = `${durability}-${budgeted}.db`;
    const store = await openStore({ ...settings(clock, keptLog(), 1), url: `file:${join(folder, file)}`, durability });
    if (budgeted) await setBudgets(store);
    await measure(`the store, synchronous ${durability}${budgeted ? ", six hard budgets" : ""}`, async (attempts) => {
      // An hour in each round: a rolling window has all its buckets.
      clock.jump(7_200);
      await Promise.all(attempts.map((one) => store.holds.open(one)));
      await Promise.all(attempts.map((one) => store.ledger.settle(one, told)));
    });
    await store.close();
  }
}

const database = new Database(join(folder, "drizzle.db"), { create: true, strict: true, safeIntegers: true });
for (const pragma of ["journal_mode = WAL", "synchronous = NORMAL"]) database.run(`PRAGMA ${pragma}`);
const db = drizzle(database);
migrate(db, { migrationsFolder: MIGRATIONS });
const { usage, ...rest } = told;
const row = (one: AttemptRecord) => ({ ...one, ...usage, ...rest, settledAt: clock.now() });

const transaction = database.transaction((work: () => void) => work()).immediate;
// The id is SQLite's to give, which the schema's type does not know.
let held = PAIRS;
const withoutId = (one: AttemptRecord) => row(one) as typeof ledger.$inferInsert;
await measure("drizzle's builder for each row", (attempts) => {
  transaction(() => {
    for (const one of attempts)
      db.insert(holds)
        .values({ ...one, id: ++held, epoch: 1 })
        .run();
  });
  transaction(() => {
    for (const one of attempts) {
      db.delete(holds).where(eq(holds.attemptId, one.attemptId)).run();
      db.insert(ledger).values(withoutId(one)).onConflictDoNothing().run();
    }
  });
});

/** A placeholder for every column: prepared once. */
const marks = (table: typeof holds | typeof ledger) =>
  Object.fromEntries(Object.keys(getTableColumns(table)).map((field) => [field, sql.placeholder(field)]));
const insertHold = db
  .insert(holds)
  .values(marks(holds) as never)
  .prepare();
const insertLedger = db
  .insert(ledger)
  .values(marks(ledger) as never)
  .onConflictDoNothing()
  .prepare();
const deleteHold = db
  .delete(holds)
  .where(eq(holds.attemptId, sql.placeholder("attemptId")))
  .prepare();
// Drizzle maps a placeholder's null through the column's encoder, so every column gets a value here.
const blanks = (table: typeof holds | typeof ledger) =>
  Object.fromEntries(
    Object.entries(getTableColumns(table)).map(([field, column]) => {
      const type = column.getSQLType();
      return [field, column.mapFromDriverValue(type === "integer" ? 0n : type === "real" ? 0 : column.dataType === "json" ? "{}" : "")];
    }),
  );
const [blankHold, blankLedger] = [blanks(holds), blanks(ledger)];
let id = PAIRS;
const given = (values: object) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
await measure("drizzle's prepared statements", (attempts) => {
  transaction(() => {
    for (const one of attempts) insertHold.run({ ...blankHold, ...given(one), id: ++held, epoch: 1 });
  });
  transaction(() => {
    for (const one of attempts) {
      deleteHold.run({ attemptId: one.attemptId });
      insertLedger.run({ ...blankLedger, ...given(row(one)), id: ++id });
    }
  });
});
database.close();
rmSync(folder, { recursive: true, force: true });
