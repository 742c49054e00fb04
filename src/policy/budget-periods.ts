// What a budget has spent and holds, by period. Of a rolling window the periods are its buckets, and what counts is many of them: both
// totals are kept as they change, because every call asks for them.
import { addUsd, type NanoUsd, ZERO_USD } from "../core/money";
import type { Sums } from "../core/ports";

const NOTHING: Sums = { spent: ZERO_USD, reserved: ZERO_USD };

export class Periods {
  readonly #sums = new Map<number, Sums>();
  /** Of all periods. */
  #reserved = ZERO_USD;
  /** What the periods from `from` on have spent. */
  #since: { from: number; spent: NanoUsd } | undefined;

  has(start: number): boolean {
    return this.#sums.has(start);
  }

  at(start: number): Readonly<Sums> {
    return this.#sums.get(start) ?? NOTHING;
  }

  get reserved(): NanoUsd {
    return this.#reserved;
  }

  spentSince(from: number): NanoUsd {
    if (this.#since?.from === from) return this.#since.spent;
    let spent = ZERO_USD;
    for (const [start, sums] of this.#sums) if (start >= from) spent = addUsd(spent, sums.spent);
    this.#since = { from, spent };
    return spent;
  }

  add(start: number, spent: NanoUsd, reserved: NanoUsd): void {
    const sums = this.#sums.get(start);
    if (sums) {
      sums.spent = addUsd(sums.spent, spent);
      sums.reserved = addUsd(sums.reserved, reserved);
    } else this.#sums.set(start, { spent, reserved });
    this.#reserved = addUsd(this.#reserved, reserved);
    if (this.#since && start >= this.#since.from) this.#since.spent = addUsd(this.#since.spent, spent);
  }

  /** Forgets the periods before `oldest` that hold nothing. */
  forget(oldest: number): void {
    for (const [start, { reserved }] of this.#sums) if (start < oldest && reserved === ZERO_USD) this.#sums.delete(start);
    if (this.#since && this.#since.from < oldest) this.#since = undefined;
  }
}
