// What budgets have spent and hold: the part of the store that policy decides.
import type { AttemptRecord, Counted } from "./attempt";
import type { Budget, BudgetState, Crossing } from "./budget";
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";

/** What to read of the ledger to know what a budget has spent. */
export interface SpentSpan {
  /** Unix milliseconds, by admission. */
  from: number;
  /** Sums by stretches of this length; undefined: one sum. */
  bucketMs: number | undefined;
}

/** What budgets have spent and hold, in memory. Synchronous: the store drives it in the same step as its holds. */
export interface Reservations {
  /** Holds the attempt's bound on every budget of its scopes, or on none: the result is the one that refuses. */
  reserve(attempt: AttemptRecord): BudgetState | undefined;
  /** The cost takes the hold's place. The result are the thresholds that it reached. Zero lets the hold go. */
  settle(attemptId: string, cost: NanoUsd): readonly Crossing[];
  begin(budget: Budget, open: Iterable<AttemptRecord>): void;
  counted(budgetId: string): readonly string[];
  span(budget: Budget, now: number): SpentSpan;
  fill(budgetId: string, spent: readonly { mode: KeyMode; start: number; spent: NanoUsd }[]): void;
  change(budget: Budget): void;
  remove(budgetId: string): void;
  state(budgetId: string, mode: KeyMode, now: number): BudgetState | undefined;
  /** The largest bound that every hard budget of a call's scopes can hold now. undefined: it has none. */
  room(call: Counted, mode: KeyMode, now: number): NanoUsd | undefined;
  /** Every budget of a call's scopes, balances and runs' own limits left out. */
  states(call: Counted, mode: KeyMode, now: number): readonly BudgetState[];
}
