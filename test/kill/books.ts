// What the data of a killed gateway say: before anybody opens them again, and as the next start reads them.
import { Database } from "bun:sqlite";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BudgetState } from "../../src/core/budget";
import type { LedgerRow } from "../../src/core/ports";
import { Secret } from "../../src/core/secret";
import { systemClock, systemRandom } from "../../src/net/system";
import { BudgetBook, scopeName, scopesOf } from "../../src/policy/budget-book";
import { periodAt, rollingStart } from "../../src/policy/window";
import { openStore } from "../../src/store/open";

export interface Books {
  rows: readonly LedgerRow[];
  /** What is wrong; empty: nothing. */
  faults: readonly string[];
}

/** What the dead process had written: holds that stand, and rows. */
export function heldAtDeath(folder: string): number {
  // A copy: to open a database is to recover it, and the next start must do that itself.
  const copy = mkdtempSync(join(tmpdir(), "tollway-killed-"));
  try {
    cpSync(folder, copy, { recursive: true });
    const database = new Database(join(copy, "tollway.db"));
    const { open } = database.query("SELECT count(*) AS open FROM holds").get() as { open: number };
    database.close();
    return open;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Opens the data twice, as two starts do. The second must find what the first left. */
export async function readBooks(folder: string): Promise<Books> {
  const first = await open(folder);
  const again = await open(folder);
  const same = JSON.stringify(ids(first.rows)) === JSON.stringify(ids(again.rows));
  return { rows: again.rows, faults: [...first.faults, ...again.faults, ...(same ? [] : ["another start changed the ledger"])] };
}

const ids = (rows: readonly LedgerRow[]): readonly string[] => rows.map((row) => `${row.attemptId} ${row.cost}`);

async function open(folder: string): Promise<Books> {
  const store = await openStore({
    url: `file:${join(folder, "tollway.db")}`,
    migrationsFolder: join(import.meta.dir, "../../drizzle"),
    durability: "normal",
    pepper: new Secret("pepper-of-the-kill-test-0123456789"),
    keyPrefix: "tw",
    reservations: new BudgetBook(),
    clock: systemClock,
    random: systemRandom,
    log: { write: () => undefined },
  });
  try {
    const entries = (await store.records.audit({ organizationId: "default", limit: 1000 })).data;
    const rows = entries.flatMap((entry) => entry.attempts);
    const faults: string[] = [];
    const equal = (what: string, got: bigint, expected: bigint): void => {
      if (got !== expected) faults.push(`${what}: counted ${got}, written ${expected}`);
    };
    const { spent, reserved } = store.counters.read("organization:default", "live");
    equal("I1 organization", spent, sum(rows));
    equal("I2 organization", reserved, 0n);
    const budgets = store.directory.list("budget", "default");
    if (budgets.length === 0) faults.push("no budget is there");
    for (const budget of budgets) {
      const state = store.budgets.state(budget.id, "live");
      if (!state) faults.push(`${budget.id} is not counted`);
      else faults.push(...faultsOf(state, rows));
    }
    if (store.holds.openCount() > 0) faults.push(`I2 ${store.holds.openCount()} holds are open`);
    if (rows.some((row) => row.cost === undefined)) faults.push("a row has no cost");
    return { rows, faults };
  } finally {
    await store.close();
  }
}

function faultsOf({ budget, spent, reserved }: BudgetState, rows: readonly LedgerRow[]): string[] {
  const { window, scope } = budget;
  const now = systemClock.now();
  const from = window.unit === "lifetime" ? 0 : window.rolling ? rollingStart(window.unit, now) : periodAt(window, now).start;
  const name = scopeName(scope.kind, scope.id, budget.organizationId);
  const written = sum(rows.filter((row) => scopesOf(row).includes(name) && row.heldAt >= from));
  const faults: string[] = [];
  const what = `${scope.kind}, ${window.unit}`;
  if (spent !== written) faults.push(`I1 ${what}: counted ${spent}, written ${written}`);
  if (reserved !== 0n) faults.push(`I2 ${what}: ${reserved} is held`);
  if (spent > budget.limit) faults.push(`I4 ${what}: ${spent} is spent of ${budget.limit}`);
  return faults;
}

const sum = (rows: readonly LedgerRow[]): bigint => rows.reduce((total, row) => total + (row.cost ?? 0n), 0n);
