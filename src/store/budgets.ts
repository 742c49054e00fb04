// Budgets as the store keeps them: a record each, and counters in memory that are filled from the ledger before they are in force.
import type { Counted } from "../core/attempt";
import type { Budget, BudgetState, Crossing } from "../core/budget";
import type { KeyMode } from "../core/ids";
import type { Budgets } from "../core/ports";
import type { Room } from "../core/reservations";
import { type FillParts, fillBudget } from "./budget-fill";
import type { RecordDirectory } from "./directory";

export interface BudgetParts extends FillParts {
  directory: RecordDirectory;
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
      for (const budget of this.#parts.directory.list("budget", organization)) await fillBudget(budget, this.#parts);
  }

  async put(budget: Budget): Promise<void> {
    const { directory, reservations } = this.#parts;
    const before = directory.get("budget", budget.id);
    const keep = (): Promise<void> => directory.put("budget", budget);
    if (!before || !sameCounters(before, budget)) return fillBudget(budget, this.#parts, keep);
    await keep();
    reservations.change(budget);
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

  room(call: Counted, mode: KeyMode): Room | undefined {
    return this.#parts.reservations.room(call, mode, this.#parts.clock.now());
  }

  onCrossing(hear: (crossing: Crossing, mode: KeyMode) => void): void {
    this.#hearers.push(hear);
  }

  tell(crossings: readonly Crossing[], mode: KeyMode): void {
    for (const crossing of crossings) for (const hear of this.#hearers) hear(crossing, mode);
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
