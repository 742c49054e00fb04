// The authoritative sums, in memory, in the one process that owns the data. Every change is synchronous, so that check-and-add
// has no await between; the rows in the database are there to rebuild it.

import type { AttemptRecord } from "../core/attempt";
import type { KeyMode } from "../core/ids";
import { addUsd, type NanoUsd, subUsd, ZERO_USD } from "../core/money";
import type { Counters, Sums } from "../core/ports";
import type { SpentRow } from "./backend";

type ScopeName = "organization" | "key";

/** Sums by kind of scope and its id: a joined name would be a new string to hash for each change. */
type SumsByScope = Readonly<Record<ScopeName, Map<string, Sums>>>;

/** What one scope has spent and holds in one mode. */
export interface CountedScope extends Sums {
  kind: ScopeName;
  id: string;
  mode: KeyMode;
}

/** What moves from the moment it is asked for. */
export interface Tape {
  /** Attempts that came to hold money. */
  readonly opened: ReadonlySet<string>;
  /** Attempts that ceased to, by their ids. */
  readonly ended: ReadonlyMap<string, AttemptRecord>;
  stop(): void;
}

const noSums = (): SumsByScope => ({ organization: new Map(), key: new Map() });

/** Open holds and the sums per scope and mode. */
export class HoldBook implements Counters {
  readonly #sums: Readonly<Record<KeyMode, SumsByScope>> = { live: noSums(), test: noSums() };
  readonly #open = new Map<string, AttemptRecord>();
  readonly #tapes = new Set<{ opened: Set<string>; ended: Map<string, AttemptRecord> }>();

  /** Starts from what the ledger says. */
  load(rows: readonly SpentRow[]): void {
    for (const row of rows) this.#add(row, row.mode, row.spent, ZERO_USD);
  }

  read(scope: string, mode: KeyMode): Sums {
    const colon = scope.indexOf(":");
    const name = scope.slice(0, colon);
    const sums = name === "organization" || name === "key" ? this.#sums[mode][name].get(scope.slice(colon + 1)) : undefined;
    return sums === undefined ? { spent: ZERO_USD, reserved: ZERO_USD } : { ...sums };
  }

  get size(): number {
    return this.#open.size;
  }

  has(attemptId: string): boolean {
    return this.#open.has(attemptId);
  }

  /** The attempts that hold money now. */
  attempts(): Iterable<AttemptRecord> {
    return this.#open.values();
  }

  /** Every scope as it stands now. */
  counted(): CountedScope[] {
    return (["live", "test"] as const).flatMap((mode) =>
      (["organization", "key"] as const).flatMap((kind) => [...this.#sums[mode][kind]].map(([id, sums]) => ({ kind, id, mode, ...sums }))),
    );
  }

  tape(): Tape {
    const tape = { opened: new Set<string>(), ended: new Map<string, AttemptRecord>() };
    this.#tapes.add(tape);
    return { ...tape, stop: () => void this.#tapes.delete(tape) };
  }

  /** Reserves the attempt's bound on its scopes. */
  open(attempt: AttemptRecord): void {
    this.#open.set(attempt.attemptId, attempt);
    for (const tape of this.#tapes) tape.opened.add(attempt.attemptId);
    this.#add(attempt, attempt.mode, ZERO_USD, attempt.bound ?? ZERO_USD);
  }

  /** Takes the reservation back: its hold was never written. */
  cancel(attempt: AttemptRecord): void {
    const held = this.#open.get(attempt.attemptId);
    if (held === undefined) return;
    this.#open.delete(attempt.attemptId);
    for (const tape of this.#tapes) tape.ended.set(attempt.attemptId, attempt);
    this.#add(held, held.mode, ZERO_USD, subUsd(ZERO_USD, held.bound ?? ZERO_USD));
  }

  /** Turns the reservation into spent money, in one step. An unpriced attempt moves nothing. */
  settle(attempt: AttemptRecord, cost: NanoUsd | undefined): void {
    const held = this.#open.get(attempt.attemptId);
    this.#open.delete(attempt.attemptId);
    for (const tape of this.#tapes) tape.ended.set(attempt.attemptId, attempt);
    this.#add(attempt, attempt.mode, cost ?? ZERO_USD, subUsd(ZERO_USD, held?.bound ?? ZERO_USD));
  }

  /** The reverse of `settle`: its row was not written, the hold stands. */
  unsettle(attempt: AttemptRecord, cost: NanoUsd | undefined): void {
    this.#add(attempt, attempt.mode, subUsd(ZERO_USD, cost ?? ZERO_USD), ZERO_USD);
    this.open(attempt);
  }

  #add(row: { organizationId: string; keyId: string }, mode: KeyMode, spent: NanoUsd, reserved: NanoUsd): void {
    const sums = this.#sums[mode];
    addTo(sums.organization, row.organizationId, spent, reserved);
    addTo(sums.key, row.keyId, spent, reserved);
  }
}

function addTo(scopes: Map<string, Sums>, id: string, spent: NanoUsd, reserved: NanoUsd): void {
  const sums = scopes.get(id);
  if (sums === undefined) {
    scopes.set(id, { spent, reserved });
    return;
  }
  if (spent !== ZERO_USD) sums.spent = addUsd(sums.spent, spent);
  if (reserved !== ZERO_USD) sums.reserved = addUsd(sums.reserved, reserved);
}
