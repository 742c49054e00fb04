// What is asked of the ledger about a scope's spending, and what is answered.
import type { Scope } from "../core/budget";
import type { KeyMode } from "../core/ids";
import type { NanoUsd } from "../core/money";

/** The ledger's rows of one scope from an instant on (by admission), in stretches of `bucketMs`. */
export interface SpentQuery {
  organizationId: string;
  scope: Scope;
  /** Unix milliseconds. */
  from: number;
  /** undefined: one sum for all. */
  bucketMs: number | undefined;
  /** On each row's cost, rounded up. Absent: none. */
  markupBasisPoints?: number | undefined;
}

export interface SpentBucket {
  mode: KeyMode;
  /** Start of the stretch. */
  start: number;
  spent: NanoUsd;
}
