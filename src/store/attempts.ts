// The life of one attempt in the store: hold, then ledger row, each durable, the sums in memory ahead of both.

import type { AttemptRecord } from "../core/attempt";
import { BudgetRefused, type Crossing } from "../core/budget";
import { Failure } from "../core/failure";
import type { KeyMode } from "../core/ids";
import { ZERO_USD } from "../core/money";
import type { Clock, Holds, Ledger, Log, Outcome } from "../core/ports";
import type { Reservations } from "../core/reservations";
import type { ReadBackend } from "./backend";
import type { HoldBook } from "./hold-book";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

export interface AttemptParts {
  book: HoldBook;
  reservations: Reservations;
  writer: Writer;
  reader: Pick<ReadBackend, "settled">;
  clock: Clock;
  log: Log;
  /** Hears of the thresholds that a settlement reached. */
  crossed(crossings: readonly Crossing[], mode: KeyMode): void;
  /** Hears of each new row of the ledger. */
  wrote(): void;
}

export class Attempts implements Holds, Ledger {
  readonly #book: HoldBook;
  readonly #writer: Writer;
  readonly #reader: Pick<ReadBackend, "settled">;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #reservations: Reservations;
  readonly #crossed: (crossings: readonly Crossing[], mode: KeyMode) => void;
  readonly #wrote: () => void;
  /** Settlements on their way, so that a second one of the same attempt shares the first one's fate. */
  readonly #settling = new Map<string, Promise<void>>();

  constructor(parts: AttemptParts) {
    this.#book = parts.book;
    this.#writer = parts.writer;
    this.#reader = parts.reader;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#reservations = parts.reservations;
    this.#crossed = parts.crossed;
    this.#wrote = parts.wrote;
  }

  /** The reservation counts from the moment of the call, before anything is awaited. */
  async open(attempt: AttemptRecord): Promise<void> {
    if (this.#book.has(attempt.attemptId) || this.#settling.has(attempt.attemptId)) {
      throw new Failure("internal_error", "This attempt already holds money");
    }
    const refused = this.#reservations.reserve(attempt);
    if (refused) throw new BudgetRefused(refused);
    this.#book.open(attempt);
    try {
      await this.#writer.submit({ type: "hold", attempt });
    } catch (error) {
      this.#book.cancel(attempt);
      this.#reservations.settle(attempt.attemptId, ZERO_USD);
      throw error;
    }
  }

  openCount(): number {
    return this.#book.size;
  }

  settle(attempt: AttemptRecord, outcome: Outcome): Promise<void> {
    const earlier = this.#settling.get(attempt.attemptId);
    if (earlier !== undefined) return earlier;
    if (!this.#book.has(attempt.attemptId)) return this.#mustBeSettled(attempt);
    this.#book.settle(attempt, outcome.cost);
    this.#crossed(this.#reservations.settle(attempt.attemptId, outcome.cost ?? ZERO_USD), attempt.mode);
    const settling = this.#write(attempt, outcome);
    this.#settling.set(attempt.attemptId, settling);
    // Callers need not wait, and then a rejection has no other listener. The hold stands: its bound stays reserved.
    settling.catch((error: unknown) => {
      this.#log.write("error", "store.not_settled", { attemptId: attempt.attemptId, cause: String(error) });
    });
    return settling;
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  async #write(attempt: AttemptRecord, outcome: Outcome): Promise<void> {
    try {
      await this.#writer.submitKept({ type: "settle", attempt, outcome, settledAt: this.#clock.now() });
      this.#wrote();
    } catch (error) {
      this.#book.unsettle(attempt, outcome.cost);
      throw error;
    } finally {
      this.#settling.delete(attempt.attemptId);
    }
  }

  /** No hold in memory: right only for an attempt that has its row. */
  async #mustBeSettled(attempt: AttemptRecord): Promise<void> {
    const settled = await this.#reader.settled(attempt).catch((error: unknown) => {
      throw storageFailure(error);
    });
    if (!settled) throw new Failure("internal_error", "An attempt without a hold was settled");
  }
}
