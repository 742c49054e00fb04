// Budgets as the store keeps them: a record each, and counters in memory that are filled from the ledger before they are in force.
import type { Budget, BudgetState, Crossing } from "../core/budget";
import type { KeyMode } from "../core/ids";
import type { Budgets, Clock, Counted, Reservations } from "../core/ports";
import type { Backend } from "./backend";
import type { RecordDirectory } from "./directory";
import type { HoldBook } from "./hold-book";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

export interface BudgetParts {
  directory: RecordDirectory;
  reservations: Reservations;
  book: HoldBook;
  writer: Writer;
  reader: Pick<Backend, "spentBefore">;
  clock: Clock;
}

export class BudgetKeeper implements Budgets {
  readonly #parts: BudgetParts;
  #hearers: ((crossing: Crossing, mode: KeyMode) => void)[] = [];

  constructor(parts: BudgetParts) {
    this.#parts = parts;
  }

  /** At the start, before any call: every budget is filled. */
  async load(organizations: readonly string[]): Promise<void> {
    for (const organization of organizations)
      for (const budget of this.#parts.directory.list("budget", organization)) await this.#fill(budget);
  }

  async put(budget: Budget): Promise<void> {
    const { directory, reservations } = this.#parts;
    const before = directory.get("budget", budget.id);
    await directory.put("budget", budget);
    if (before && sameCounters(before, budget)) reservations.change(budget);
    else await this.#fill(budget);
  }

  async remove(id: string): Promise<boolean> {
    const { directory, reservations } = this.#parts;
    const removed = await directory.remove("budget", id);
    if (removed) reservations.remove(id);
    return removed;
  }

  state(id: string, mode: KeyMode): BudgetState | undefined {
    return this.#parts.reservations.state(id, mode, this.#parts.clock.now());
  }

  states(call: Counted, mode: KeyMode): readonly BudgetState[] {
    return this.#parts.reservations.states(call, mode, this.#parts.clock.now());
  }

  onCrossing(hear: (crossing: Crossing, mode: KeyMode) => void): void {
    this.#hearers.push(hear);
  }

  tell(crossings: readonly Crossing[], mode: KeyMode): void {
    for (const crossing of crossings) for (const hear of this.#hearers) hear(crossing, mode);
  }

  /**
   * Calls count from the first moment on; what was settled before is read of the ledger, less the calls that count already. What
   * settled before and is not written yet is waited for.
   */
  async #fill(budget: Budget): Promise<void> {
    const { reservations, book, writer, reader, clock } = this.#parts;
    reservations.begin(budget, book.attempts());
    await writer.drain();
    const { from, bucketMs } = reservations.span(budget, clock.now());
    const { organizationId, scope } = budget;
    const rows = await reader
      .spentBefore({ organizationId, scope, from, bucketMs }, () => reservations.counted(budget.id))
      .catch((error: unknown) => {
        throw storageFailure(error);
      });
    reservations.fill(
      budget.id,
      rows.map((row) => (bucketMs === undefined ? { ...row, start: from } : row)),
    );
  }
}

/** Whether the sums that were counted stay right. */
const sameCounters = (a: Budget, b: Budget): boolean =>
  a.organizationId === b.organizationId &&
  a.scope.kind === b.scope.kind &&
  a.scope.id === b.scope.id &&
  a.window.unit === b.window.unit &&
  a.window.rolling === b.window.rolling &&
  a.window.zone === b.window.zone;
