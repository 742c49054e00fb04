// What is to be summed up next: a block if there are rows enough, else a fold if there are blocks enough.
import type { Db } from "./connection";
import { nextBlock, type RollupBlock, unsummedOf } from "./rollup-build";
import { nextFold, type RollupFold } from "./rollup-fold";

export type RollupWrite = { type: "rollup"; block: RollupBlock } | { type: "rollup-fold"; fold: RollupFold };

export interface RollupSizes {
  /** Ledger rows in a block. */
  blockRows: number;
  /** Blocks in a fold. */
  foldBlocks: number;
}

/** What is due. */
export interface RollupDue {
  /** undefined: nothing is. */
  write: RollupWrite | undefined;
  /** Ledger rows that no block has, counted up to a block's. */
  unsummed: number;
}

export async function nextWrite(db: Db, { blockRows, foldBlocks }: RollupSizes): Promise<RollupDue> {
  const unsummed = await unsummedOf(db, blockRows);
  if (unsummed >= blockRows) {
    const block = await nextBlock(db, blockRows);
    if (block !== undefined) return { write: { type: "rollup", block }, unsummed: 0 };
  }
  const fold = await nextFold(db, foldBlocks);
  return { write: fold && { type: "rollup-fold", fold }, unsummed };
}
