// Budgets and the scopes that have them, as words: what the operator sets, and what a call counts against.
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";

/** The kinds of scope, widest first. `user`, `agent` and `run` are names that callers give, inside their organization. */
export const SCOPE_KINDS = ["organization", "team", "project", "key", "user", "agent", "run"] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

/** "key:key_0a1b…", "user:alice": what product.md writes. The organization it is in is said beside it. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
}

export const WINDOW_UNITS = ["minute", "hour", "day", "week", "month", "lifetime"] as const;
export type WindowUnit = (typeof WINDOW_UNITS)[number];

/** How long a budget lasts before it begins anew. */
export interface Window {
  readonly unit: WindowUnit;
  /** Calendar units of a zone; or the last minute, hour, … 30 days, moving along with the clock. */
  readonly rolling: boolean;
  /** An IANA zone ("Asia/Kolkata"). Rolling and lifetime windows heed none. */
  readonly zone: string;
}

export interface Threshold {
  /** Of the limit, in per cent: 1 to 1000. */
  readonly percent: number;
  readonly action: "alert" | "block";
}

export interface Budget {
  /** `bdg_` + 12 public characters. */
  readonly id: string;
  readonly organizationId: string;
  readonly scope: Scope;
  readonly limit: NanoUsd;
  readonly window: Window;
  /** Hard: never overshoots. Soft: only its thresholds act. */
  readonly hard: boolean;
  readonly thresholds: readonly Threshold[];
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Set where it is no record of its own: a prepaid balance or a run's own limit, which are counted as budgets are. */
  readonly standsFor?: StandsFor | undefined;
}

export interface StandsFor {
  readonly kind: "credit-account" | "run";
  /** Calls of the other mode do not count. */
  readonly mode: KeyMode;
  /** In hundredths of a per cent: what is counted is the cost and this much more, rounded up for each attempt. */
  readonly markupBasisPoints: number;
  /** Told as a crossing when no more than this is left. undefined: never. */
  readonly lowAt?: NanoUsd | undefined;
}

/** A budget in its current period. */
export interface BudgetState {
  readonly budget: Budget;
  readonly spent: NanoUsd;
  readonly reserved: NanoUsd;
}

/** A budget that came to a threshold. */
export interface Crossing {
  readonly budget: Budget;
  readonly percent: number;
  readonly action: Threshold["action"];
  readonly spent: NanoUsd;
  /** Unix milliseconds: names the period. */
  readonly periodStart: number;
}

/** Thrown where a hold is asked for that a budget cannot bear. Nothing is held then. */
export class BudgetRefused extends Error {
  constructor(readonly state: BudgetState) {
    super(`The budget ${state.budget.id} cannot bear it`);
    this.name = "BudgetRefused";
  }
}
