// The authoritative sums, in memory, in the one process that owns the data. Every change is synchronous, so that check-and-add
// has no await between; the rows in the database are there to rebuild it.

import type { AttemptRecord } from "../core/attempt";
import type { KeyMode } from "../core/ids";
import { addUsd, type NanoUsd, subUsd, ZERO_USD } from "../core/money";
import type { Counters, Sums } from "../core/ports";
import type { SpentRow } from "./backend";

const scopesOf = (row: { organizationId: string; keyId: string }): readonly string[] => [
  `organization:${row.organizationId}`,
  `key:${row.keyId}`,
];

/** Open holds and the sums per scope and mode. */
export class HoldBook implements Counters {
  readonly #sums: Readonly<Record<KeyMode, Map<string, Sums>>> = { live: new Map(), test: new Map() };
  readonly #open = new Map<string, AttemptRecord>();

  /** Starts from what the ledger says. */
  load(rows: readonly SpentRow[]): void {
    for (const row of rows) this.#add(row, row.mode, row.spent, ZERO_USD);
  }

  read(scope: string, mode: KeyMode): Sums {
    const sums = this.#sums[mode].get(scope);
    return sums === undefined ? { spent: ZERO_USD, reserved: ZERO_USD } : { ...sums };
  }

  get size(): number {
    return this.#open.size;
  }

  has(attemptId: string): boolean {
    return this.#open.has(attemptId);
  }

  /** Reserves the attempt's bound on its scopes. */
  open(attempt: AttemptRecord): void {
    this.#open.set(attempt.attemptId, attempt);
    this.#add(attempt, attempt.mode, ZERO_USD, attempt.bound ?? ZERO_USD);
  }

  /** Takes the reservation back: its hold was never written. */
  cancel(attempt: AttemptRecord): void {
    const held = this.#open.get(attempt.attemptId);
    if (held === undefined) return;
    this.#open.delete(attempt.attemptId);
    this.#add(held, held.mode, ZERO_USD, subUsd(ZERO_USD, held.bound ?? ZERO_USD));
  }

  /** Turns the reservation into spent money, in one step. An unpriced attempt moves nothing. */
  settle(attempt: AttemptRecord, cost: NanoUsd | undefined): void {
    this.cancel(attempt);
    this.#add(attempt, attempt.mode, cost ?? ZERO_USD, ZERO_USD);
  }

  /** The reverse of `settle`: its row was not written, the hold stands. */
  unsettle(attempt: AttemptRecord, cost: NanoUsd | undefined): void {
    this.#add(attempt, attempt.mode, subUsd(ZERO_USD, cost ?? ZERO_USD), ZERO_USD);
    this.open(attempt);
  }

  #add(row: { organizationId: string; keyId: string }, mode: KeyMode, spent: NanoUsd, reserved: NanoUsd): void {
    for (const scope of scopesOf(row)) {
      const sums = this.#sums[mode].get(scope);
      if (sums === undefined) {
        this.#sums[mode].set(scope, { spent, reserved });
      } else {
        sums.spent = addUsd(sums.spent, spent);
        sums.reserved = addUsd(sums.reserved, reserved);
      }
    }
  }
}
