// The proof that rollups say what the ledger says: each block is held against its rows, one by one, and its sums against sums
// that are made another way.
import { and, asc, eq, gt, lte } from "drizzle-orm";
import type { TimeRange } from "../core/usage-query";
import type { Db } from "./connection";
import { giveWay } from "./give-way";
import { bodiesOf, MissingColumn } from "./rollup-blocks";
import { FIGURES_COLUMN, rowColumn, sumColumn, TIME_COLUMN } from "./rollup-build";
import { foldedColumns, spansBetween } from "./rollup-fold";
import { type PackedColumn, unpack, valueAt } from "./rollup-pack";
import { MEASURES, QUARTER_MS, type RollupRow, readRollupRows, SUMMED_DIMENSIONS, TEXT_DIMENSIONS } from "./rollup-shape";
import { textsOf } from "./rollup-values";
import { rollupBlocks, rollupColumns } from "./schema";

export interface BlockProof {
  /** The block's last ledger id. */
  id: number;
  /** Rows looked at. */
  rows: number;
  /** What is wrong, in words. */
  faults: readonly string[];
}

/** Faults told of one block. */
const MOST_FAULTS = 10;

/** The next block after the one that ends at `after`, with what is wrong in it: looked into only where it has rows of the range. */
export async function proveBlock(db: Db, after: number, { from = 0, to }: TimeRange): Promise<BlockProof | undefined> {
  const [block] = await db.select().from(rollupBlocks).where(gt(rollupBlocks.id, after)).orderBy(asc(rollupBlocks.id)).limit(1);
  if (block === undefined) return undefined;
  const faults: string[] = [];
  if (block.firstId !== after + 1) faults.push(`block ${block.id} begins at ${block.firstId}, and the one before ends at ${after}`);
  if (block.toHeldAt < from || (to !== undefined && block.fromHeldAt >= to)) return { id: block.id, rows: 0, faults };
  const rows = await readRollupRows(db, { first: block.firstId, last: block.id }, block.rows + 1);
  if (rows.length !== block.rows) faults.push(`block ${block.id} is of ${block.rows} rows, and the ledger has ${rows.length}`);
  const times = rows.map((row) => row.heldAt);
  if (times.some((time) => time < block.fromHeldAt || time > block.toHeldAt)) faults.push(`block ${block.id} holds rows outside its time`);
  const bodies = await db
    .select({ name: rollupColumns.name, body: rollupColumns.body })
    .from(rollupColumns)
    .where(eq(rollupColumns.block, block.id));
  const columns = new Map(bodies.map(({ name, body }) => [name, unpack(body)]));
  const proof = new Proof(rows, columns, block.id, faults);
  for (const dimension of TEXT_DIMENSIONS) {
    const ids = [...new Set(proof.numbers(rowColumn(dimension)))].filter((id) => id !== 0);
    proof.learn(dimension, await textsOf(db, dimension, ids));
    await giveWay();
  }
  proof.rowsAgree();
  for (const dimension of SUMMED_DIMENSIONS) {
    await giveWay();
    proof.sumsAgree(dimension);
  }
  return { id: block.id, rows: block.rows, faults: faults.slice(0, MOST_FAULTS) };
}

export interface FoldProof {
  id: number;
  faults: readonly string[];
}

/** The next fold after `after`: whether it is what its blocks make, and whether those follow each other. undefined: that was the last. */
export async function proveFold(db: Db, after: number): Promise<FoldProof | undefined> {
  const [fold] = await spansBetween(db, after + 1, Number.MAX_SAFE_INTEGER, 1);
  if (fold === undefined) return undefined;
  const [id, span] = fold;
  const blocks = await db
    .select({ id: rollupBlocks.id, rows: rollupBlocks.rows })
    .from(rollupBlocks)
    .where(and(gt(rollupBlocks.id, after), lte(rollupBlocks.id, id)))
    .orderBy(asc(rollupBlocks.id));
  if (blocks.map((block) => block.id).join() !== span.join()) return { id, faults: [`fold ${id} is not of the blocks that it names`] };
  const made = await foldedColumns(db, blocks).catch((error: unknown) => {
    if (error instanceof MissingColumn) return undefined;
    throw error;
  });
  if (made === undefined) return { id, faults: [`fold ${id} cannot be made of its blocks again`] };
  const faults: string[] = [];
  for (const { name, body } of made) {
    const kept = (await bodiesOf(db, name, [id])).get(id);
    if (kept === undefined || Buffer.compare(kept, body) !== 0) faults.push(`fold ${id}: ${name} is not what its blocks make`);
  }
  return { id, faults };
}

class Proof {
  readonly #rows: readonly RollupRow[];
  readonly #columns: ReadonlyMap<string, readonly PackedColumn[]>;
  readonly #block: number;
  readonly #faults: string[];
  readonly #texts = new Map<string, ReadonlyMap<number, string>>();

  constructor(rows: readonly RollupRow[], columns: ReadonlyMap<string, readonly PackedColumn[]>, block: number, faults: string[]) {
    this.#rows = rows;
    this.#columns = columns;
    this.#block = block;
    this.#faults = faults;
  }

  numbers(name: string): number[] {
    const column = this.#columns.get(name)?.[0];
    if (column === undefined) {
      this.#faults.push(`block ${this.#block} has no column ${name}`);
      return [];
    }
    return Array.from({ length: column.count }, (_, n) => Number(valueAt(column, n)));
  }

  learn(dimension: string, texts: ReadonlyMap<number, string>): void {
    this.#texts.set(dimension, texts);
  }

  rowsAgree(): void {
    for (const [n, dimension] of TEXT_DIMENSIONS.entries()) {
      const numbers = this.numbers(rowColumn(dimension));
      this.#all(dimension, (row, at) => this.#name(dimension, numbers[at] ?? -1) === (row.texts[n] ?? null));
    }
    const times = this.numbers(TIME_COLUMN);
    this.#all("its time", (row, at) => times[at] === row.heldAt);
    const statuses = this.numbers(rowColumn("status"));
    this.#all("status", (row, at) => statuses[at] === row.status);
    const figures = this.#columns.get(FIGURES_COLUMN) ?? [];
    for (const [n, measure] of MEASURES.entries()) {
      const column = figures[n];
      this.#all(measure, (row, at) => column !== undefined && BigInt(valueAt(column, at)) === BigInt(row.figures[n] ?? 0));
    }
  }

  sumsAgree(dimension: (typeof SUMMED_DIMENSIONS)[number]): void {
    const columns = this.#columns.get(sumColumn(dimension));
    if (columns === undefined) return;
    const [scopes, values, ...figures] = columns as [PackedColumn, PackedColumn, ...PackedColumn[]];
    const kept = new Map<string, bigint[]>();
    for (let n = 0; n < values.count; n++) {
      const value = Number(valueAt(values, n));
      const name = dimension === "status" || dimension === "quarter" ? String(value) : (this.#name(dimension, value) ?? null);
      const scope = this.#name("scope", Number(valueAt(scopes, n))) ?? null;
      kept.set(
        groupName(scope, name),
        figures.map((column) => BigInt(valueAt(column, n))),
      );
    }
    const made = this.#sums(dimension);
    const same = kept.size === made.size && [...made].every(([name, sums]) => kept.get(name)?.join() === sums.join());
    if (!same) this.#faults.push(`block ${this.#block}: sums by ${dimension} are not those of its rows`);
  }

  #sums(dimension: (typeof SUMMED_DIMENSIONS)[number]): Map<string, bigint[]> {
    const sums = new Map<string, bigint[]>();
    const place = TEXT_DIMENSIONS.indexOf(dimension as "model");
    for (const row of this.#rows) {
      const quarter = String(Math.floor(row.heldAt / QUARTER_MS));
      const value = dimension === "quarter" ? quarter : dimension === "status" ? String(row.status) : (row.texts[place] ?? null);
      const name = groupName(row.texts[0] ?? null, value);
      const figures = sums.get(name) ?? MEASURES.map(() => 0n);
      for (let n = 0; n < MEASURES.length; n++) figures[n] = (figures[n] ?? 0n) + BigInt(row.figures[n] ?? 0);
      sums.set(name, figures);
    }
    return sums;
  }

  /** undefined: the number stands for nothing. */
  #name(dimension: string, id: number): string | null | undefined {
    return id === 0 ? null : this.#texts.get(dimension)?.get(id);
  }

  #all(what: string, agrees: (row: RollupRow, at: number) => boolean): void {
    const wrong = this.#rows.find((row, at) => !agrees(row, at));
    if (wrong !== undefined) this.#faults.push(`block ${this.#block}: ${what} of ledger row ${wrong.id} is not what the ledger says`);
  }
}

/** No id and no text has a NUL: it cannot be mistaken for another group. */
const groupName = (scope: string | null, value: string | null): string => (value === null ? `${scope}` : `${scope}\u0000${value}`);
