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

/** Bounds that hard budgets can hold. */
export interface Room {
  /** The largest now. */
  readonly left: NanoUsd;
  /** The largest if what is held came free without a cost: more will not fit before a period ends or a limit is raised. */
  readonly unheld: NanoUsd;
  /** The budget, by its id, that can hold the least now. */
  readonly tightest: string;
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
  /** Undoes `begin`, until `fill`. */
  abandon(budgetId: string): void;
  change(budget: Budget): void;
  remove(budgetId: string): void;
  state(budgetId: string, mode: KeyMode, now: number): BudgetState | undefined;
  /** What every hard budget of a call's scopes can bear. undefined: it has none. */
  room(call: Counted, mode: KeyMode, now: number): Room | undefined;
  /** Every budget of a call's scopes, balances and runs' own limits left out. */
  states(call: Counted, mode: KeyMode, now: number): readonly BudgetState[];
}
