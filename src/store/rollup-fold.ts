// Sums of 32 blocks at once, so that a year is read in a few dozen pieces. A fold is made of blocks alone and never changes; a
// dimension whose values hardly repeat (runs) has none, and its blocks are read one by one.
import { asc, gt, sql } from "drizzle-orm";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { giveWay } from "./give-way";
import { type Adding, addBody, addRows, addSums, type BlockHead, bodiesOf } from "./rollup-blocks";
import { rowColumn, sumColumn } from "./rollup-build";
import { type PackedColumn, pack, unpack, valueAt } from "./rollup-pack";
import { MEASURES, SUMMED_DIMENSIONS } from "./rollup-shape";
import { Sums } from "./rollup-sums";
import { rollupBlocks, rollupColumns } from "./schema";

/** Blocks in a fold. */
export const FOLD_BLOCKS = 32;
/** Ids of the blocks inside. Written with the rest, so that what it names is there. */
export const SPAN_COLUMN = "fold-span";
export const foldColumn = (dimension: string): string => `fold-${dimension}`;

/** Sums are kept where they are fewer than rows by so much. */
const ROWS_PER_SUM = 2;
/** Each organization's sums are made by themselves; with more than so many in 32 blocks their own blocks are as quick. */
const MOST_SCOPES = 8;

export interface RollupFold {
  /** The last block inside. */
  id: number;
  columns: readonly { name: string; body: Uint8Array }[];
}

/** undefined: there are too few blocks for one. */
export async function nextFold(db: Db, foldBlocks = FOLD_BLOCKS): Promise<RollupFold | undefined> {
  const [reached] = await db.values<[unknown]>(
    sql`SELECT coalesce(max(${rollupColumns.block}), 0) FROM ${rollupColumns} WHERE ${rollupColumns.name} = ${SPAN_COLUMN}`,
  );
  const blocks = await db
    .select({ id: rollupBlocks.id, rows: rollupBlocks.rows })
    .from(rollupBlocks)
    .where(gt(rollupBlocks.id, fromWhole(reached?.[0])))
    .orderBy(asc(rollupBlocks.id))
    .limit(foldBlocks);
  const last = blocks.at(-1);
  if (last === undefined || blocks.length < foldBlocks) return undefined;
  return { id: last.id, columns: await foldedColumns(db, blocks) };
}

/** What a fold of these blocks holds. */
export async function foldedColumns(db: Db, blocks: readonly { id: number; rows: number }[]): Promise<RollupFold["columns"]> {
  const heads = blocks.map((block): BlockHead => ({ ...block, whole: true }));
  const columns = [{ name: SPAN_COLUMN, body: pack([heads.map((head) => head.id)]) }];
  const scopes = await scopesOf(db, heads);
  if (scopes.length > MOST_SCOPES) return columns;
  const rows = heads.reduce((sum, head) => sum + head.rows, 0);
  for (const dimension of SUMMED_DIMENSIONS) {
    const body = await foldOf(db, dimension, heads, scopes, rows / ROWS_PER_SUM);
    if (body !== undefined) columns.push({ name: foldColumn(dimension), body });
  }
  return columns;
}

async function scopesOf(db: Db, heads: readonly BlockHead[]): Promise<number[]> {
  const scopes = new Set<number>();
  const bodies = await bodiesOf(
    db,
    rowColumn("scope"),
    heads.map((head) => head.id),
  );
  for (const body of bodies.values()) {
    const [column] = unpack(body) as [PackedColumn];
    if (column.values === undefined) scopes.add(column.base);
    else for (let n = 0; n < column.count; n++) scopes.add(Number(valueAt(column, n)));
  }
  return [...scopes].sort((a, b) => a - b);
}

/** undefined: there are more groups than `most`. */
async function foldOf(
  db: Db,
  dimension: (typeof SUMMED_DIMENSIONS)[number],
  heads: readonly BlockHead[],
  scopes: readonly number[],
  most: number,
): Promise<Uint8Array | undefined> {
  const lists: (number | bigint)[][] = Array.from({ length: 2 + MEASURES.length }, () => []);
  for (const scope of scopes) {
    const sums = new Sums(MEASURES.length);
    const rest = await addSums(db, sumColumn(dimension), { scope, heads, sums });
    const groupBy = dimension === "quarter" ? "hour" : dimension;
    await giveWay();
    if (rest.length > 0) await addRows(db, { groupBy, filters: [] }, { scope, heads: rest, sums });
    await giveWay();
    for (let place = 0; place < sums.size; place++) {
      lists[0]?.push(scope);
      lists[1]?.push(sums.idAt(place));
      for (let measure = 0; measure < MEASURES.length; measure++) lists[2 + measure]?.push(sums.figureAt(measure, place));
    }
    if ((lists[0]?.length ?? 0) > most) return undefined;
  }
  return pack(lists);
}

/** Adds the folds that lie in the time asked for; the result are the blocks that no fold has added. */
export async function addFolds(db: Db, dimension: string, adding: Adding): Promise<readonly BlockHead[]> {
  const { scope, heads, sums } = adding;
  const whole = heads.filter((head) => head.whole).map((head) => head.id);
  const [first, last] = [whole[0], whole.at(-1)];
  if (first === undefined || last === undefined) return heads;
  const asked = new Set(whole);
  const added = new Set<number>();
  for (const [id, blocks] of await spansBetween(db, first, last)) {
    if (!blocks.every((block) => asked.has(block))) continue;
    const body = (await bodiesOf(db, foldColumn(dimension), [id])).get(id);
    if (body === undefined) continue;
    addBody(body, scope, sums);
    for (const block of blocks) added.add(block);
  }
  return added.size === 0 ? heads : heads.filter((head) => !added.has(head.id));
}

/** The blocks of each fold that ends between two ids, both included; at most `most`. */
export async function spansBetween(db: Db, first: number, last: number, most = 1_000_000): Promise<Map<number, number[]>> {
  const rows = await db.values<[unknown, Uint8Array | ArrayBuffer]>(
    sql`SELECT ${rollupColumns.block}, ${rollupColumns.body} FROM ${rollupColumns} WHERE ${rollupColumns.name} = ${SPAN_COLUMN}
      AND ${rollupColumns.block} BETWEEN ${BigInt(first)} AND ${BigInt(last)} ORDER BY ${rollupColumns.block} LIMIT ${BigInt(most)}`,
  );
  return new Map(
    rows.map((row) => {
      const [column] = unpack(row[1] instanceof Uint8Array ? row[1] : new Uint8Array(row[1])) as [PackedColumn];
      return [fromWhole(row[0]), Array.from({ length: column.count }, (_, n) => Number(valueAt(column, n)))];
    }),
  );
}
