// Everything that reads much of the ledger: usage, exports, the next block of the rollups, their proof. For a file it runs in a
// Worker (analytics-thread.ts), so that no call waits for it; else here, block by block, on the connection at hand.

import { Failure } from "../core/failure";
import type { Clock, LedgerRow, Listing } from "../core/ports";
import type { LedgerQuery, TimeRange, UsagePage, UsageQuery } from "../core/usage-query";
import type { Db } from "./connection";
import { readLedger } from "./ledger-read";
import { nextWrite, type RollupDue, type RollupSizes } from "./rollup-due";
import { usageByRollups } from "./rollup-query";
import { readSpentInBlocks } from "./rollup-spent-scope";
import { TailKeeper } from "./rollup-tail";
import { type BlockProof, type FoldProof, proveBlock, proveFold } from "./rollup-verify";
import type { SpentBucket, SpentQuery } from "./spent-query";

export interface Analytics {
  usage(query: UsageQuery): Promise<UsagePage>;
  rows(query: LedgerQuery): Promise<Listing<LedgerRow>>;
  /** What the scope's rows in blocks up to that one have cost. */
  spent(query: SpentQuery, upTo: number): Promise<SpentBucket[]>;
  nextWrite(sizes: RollupSizes): Promise<RollupDue>;
  proveBlock(after: number, range: TimeRange): Promise<BlockProof | undefined>;
  /** The same of the next fold. */
  proveFold(after: number): Promise<FoldProof | undefined>;
  close(): Promise<void>;
}

/** How long a question may take. */
export const QUESTION_MS = 2_000;

export const tooLong = (): Failure =>
  new Failure(
    "request_timeout",
    `This would read more of the ledger than ${QUESTION_MS / 1000} seconds allow. Ask for a shorter time, or with fewer filters.`,
    { param: "from" },
  );

/** On a connection of this thread. */
export function openAnalytics(db: Db, clock: Clock): Analytics {
  const tails = new TailKeeper(db);
  return {
    usage: (query) => {
      const start = clock.elapsedMs();
      return usageByRollups(db, tails, query, () => {
        if (clock.elapsedMs() - start > QUESTION_MS) throw tooLong();
      });
    },
    rows: (query) => readLedger(db, query),
    spent: (query, upTo) => readSpentInBlocks(db, query, upTo),
    nextWrite: (sizes) => nextWrite(db, sizes),
    proveBlock: (after, range) => proveBlock(db, after, range),
    proveFold: (after) => proveFold(db, after),
    close: async () => undefined,
  };
}
