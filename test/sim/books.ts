// The invariants, each as a comparison of what memory says with what was written (reliability.md, Invariants).

import type { AttemptRecord } from "../../src/core/attempt";
import type { Scope } from "../../src/core/budget";
import type { LedgerRow } from "../../src/core/ports";
import { scopeName, scopesOf } from "../../src/policy/budget-book";
import { periodAt, rollingStart } from "../../src/policy/window";
import type { MemoryData } from "../../src/store/memory";
import type { Store } from "../../src/store/store";

/** Throws an error that names the invariant that is broken. */
export function checkBooks(data: MemoryData, store: Store, now: number): void {
  onlyAdded(data.ledger);
  // Between a change in memory and its commit the two differ; what waits to be written is looked at when it is.
  if (store.stats().queued > 0) return;
  const held = [...data.holds.values()];
  for (const mode of ["live", "test"] as const) {
    const rows = data.ledger.filter((row) => row.mode === mode);
    const open = held.filter((row) => row.mode === mode);
    for (const budget of store.directory.list("budget", "default")) {
      const state = store.budgets.state(budget.id, mode);
      if (!state) throw new Error(`${budget.id} is not counted`);
      const { window, scope } = budget;
      const from = window.unit === "lifetime" ? 0 : window.rolling ? rollingStart(window.unit, now) : periodAt(window, now).start;
      const spent = sum(rows.filter((row) => counts(row, scope) && row.heldAt >= from).map((row) => row.cost));
      equal(`I1 ${budget.id} ${mode}`, state.spent, spent);
      const current = open.filter((row) => counts(row, scope) && (window.rolling || row.heldAt >= from));
      equal(`I2 ${budget.id} ${mode}`, state.reserved, sum(current.map((row) => row.bound)));
    }
    const sums = store.counters.read("organization:default", mode);
    equal(`I1 organization ${mode}`, sums.spent, sum(rows.map((row) => row.cost)));
    equal(`I2 organization ${mode}`, sums.reserved, sum(open.map((row) => row.bound)));
  }
}

const counts = (row: AttemptRecord, scope: Scope): boolean => scopesOf(row).includes(scopeName(scope.kind, scope.id, row.organizationId));

const sum = (amounts: readonly (bigint | undefined)[]): bigint => amounts.reduce<bigint>((total, amount) => total + (amount ?? 0n), 0n);

function equal(what: string, got: bigint, expected: bigint): void {
  if (got !== expected) throw new Error(`${what}: counted ${got}, written ${expected}`);
}

interface Looked {
  rows: LedgerRow[];
  attempts: Set<string>;
}

const looked = new WeakMap<readonly LedgerRow[], Looked>();

/** I3 and I10: rows are only ever added, one for each attempt. */
function onlyAdded(ledger: readonly LedgerRow[]): void {
  const before = looked.get(ledger) ?? { rows: [], attempts: new Set() };
  looked.set(ledger, before);
  if (ledger.length < before.rows.length) throw new Error("I10: the ledger became shorter");
  for (const [i, row] of before.rows.entries()) if (ledger[i] !== row) throw new Error("I10: a row was changed");
  for (const row of ledger.slice(before.rows.length)) {
    if (before.attempts.has(row.attemptId)) throw new Error(`I3: ${row.attemptId} has two rows`);
    before.attempts.add(row.attemptId);
    before.rows.push(row);
  }
}
