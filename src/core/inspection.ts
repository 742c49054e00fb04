// Proof that what the database holds and what memory counts are the same (docs/vault.md and the invariants of a call's money).
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";

/** The invariants that rows can show. */
export type Invariant =
  /** Sums of the ledger are what the counters say was spent. */
  | "I1"
  /** Sums of open holds are what the counters say is reserved. */
  | "I2"
  /** Each attempt that went out has exactly one row: none is missing among a call's, and none is held and settled at once. */
  | "I3";

export interface BookFault {
  readonly invariant: Invariant;
  /** "organization:ID", "key:ID", "budget:ID", "attempt:ID". */
  readonly scope: string;
  readonly mode: KeyMode;
  /** What memory counts. undefined: the fault is not one of sums. */
  readonly counted: NanoUsd | undefined;
  /** What the rows sum to. */
  readonly written: NanoUsd | undefined;
}

export interface BooksProof {
  /** Rows of the ledger that were summed. */
  readonly ledgerRows: number;
  readonly openHolds: number;
  /** Organizations, keys and budgets whose sums were compared, per mode. */
  readonly scopes: number;
  /** The first hundred. */
  readonly faults: readonly BookFault[];
}

/** What doctor asks of the store. Calls may go on meanwhile. */
export interface Inspection {
  /** What is wrong with the database itself; empty: nothing. undefined: it is another server's to know. */
  integrity(): Promise<readonly string[] | undefined>;
  books(): Promise<BooksProof>;
}
