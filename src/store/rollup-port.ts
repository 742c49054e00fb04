// The port over whatever reads the ledger: what is asked is checked here, before any thread is woken.
import { Failure } from "../core/failure";
import type { Rollups } from "../core/ports";
import type { LedgerQuery, RollupProof, TimeRange, UsageQuery } from "../core/usage-query";
import type { Analytics } from "./analytics";
import { ledgerCursor } from "./ledger-read";
import { storageFailure } from "./storage-failure";
import { usageCursor } from "./usage-page";

/** Faults told at most. */
const MOST_FAULTS = 100;

export class RollupPort implements Rollups {
  readonly #analytics: Omit<Analytics, "close">;

  constructor(analytics: Omit<Analytics, "close">) {
    this.#analytics = analytics;
  }

  async usage(query: UsageQuery) {
    usageCursor(query);
    checkRange(query);
    return this.#analytics.usage(query).catch(stored);
  }

  async rows(query: LedgerQuery) {
    ledgerCursor(query);
    checkRange(query);
    return this.#analytics.rows(query).catch(stored);
  }

  async verify(range: TimeRange): Promise<RollupProof> {
    checkRange(range);
    const proof = { blocks: 0, rows: 0, faults: [] as string[] };
    const tell = (faults: readonly string[]) => proof.faults.push(...faults.slice(0, MOST_FAULTS - proof.faults.length));
    for (let after = 0; ; ) {
      const block = await this.#analytics.proveBlock(after, range).catch(stored);
      if (block === undefined) break;
      if (block.rows > 0) proof.blocks++;
      proof.rows += block.rows;
      tell(block.faults);
      after = block.id;
    }
    for (let after = 0; ; ) {
      const fold = await this.#analytics.proveFold(after).catch(stored);
      if (fold === undefined) return proof;
      tell(fold.faults);
      after = fold.id;
    }
  }
}

const stored = (error: unknown): never => {
  throw storageFailure(error);
};

function checkRange({ from, to }: TimeRange): void {
  if (from !== undefined && to !== undefined && from >= to) throw new Failure("invalid_value", "from must be before to", { param: "from" });
}
