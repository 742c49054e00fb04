// Prepaid balances, counted as budgets are: what calls are charged against what was credited.
import type { Budget } from "../core/budget";
import { nanoUsd } from "../core/money";
import type { CreditAccount } from "../core/records";
import { type FillParts, fillBudget } from "./budget-fill";
import type { RecordDirectory } from "./directory";
import type { EntryJournal } from "./journal";

/** A balance is low when this part of what was last topped up is left. */
const LOW_PART = 10n;

export interface CreditParts extends FillParts {
  directory: RecordDirectory;
  journal: Pick<EntryJournal, "credited" | "lastTopUp" | "recall">;
}

export class CreditKeeper {
  readonly #parts: CreditParts;

  constructor(parts: CreditParts) {
    this.#parts = parts;
  }

  /** At the start, before any call: every balance is counted. */
  async load(organizations: readonly string[]): Promise<void> {
    for (const organization of organizations)
      for (const account of this.#parts.directory.list("credit-account", organization)) {
        await this.#parts.journal.recall(account.id);
        await this.changed(account.id);
      }
  }

  /** The account was made, changed or removed. It is in force when it resolves. */
  async changed(accountId: string): Promise<void> {
    const { directory, reservations } = this.#parts;
    const account = directory.get("credit-account", accountId);
    if (account) await fillBudget(this.#balanceOf(account), this.#parts);
    else reservations.remove(accountId);
  }

  /** An entry changed what was credited: effective at once. */
  credited(accountId: string): void {
    const { directory, reservations } = this.#parts;
    const account = directory.get("credit-account", accountId);
    if (account) reservations.change(this.#balanceOf(account));
  }

  /** Test keys never charge. */
  #balanceOf({ id, organizationId, scope, createdAt, markupBasisPoints }: CreditAccount): Budget {
    const topUp = this.#parts.journal.lastTopUp(id);
    return {
      id,
      organizationId,
      scope,
      limit: this.#parts.journal.credited(id),
      window: { unit: "lifetime", rolling: false, zone: "UTC" },
      hard: true,
      thresholds: [],
      createdAt,
      standsFor: { kind: "credit-account", mode: "live", markupBasisPoints, lowAt: topUp && nanoUsd(topUp / LOW_PART) },
    };
  }
}
