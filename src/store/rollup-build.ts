// The next block of a rollup: 4,096 ledger rows as columns of numbers, and their sums per value of each dimension where that is
// much less. What it makes depends on the ledger and the blocks before it alone, so that a block is made again when it was lost.
import { lte, sql } from "drizzle-orm";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { giveWay } from "./give-way";
import { pack } from "./rollup-pack";
import { MEASURES, QUARTER_MS, type RollupRow, readRollupRows, SUMMED_DIMENSIONS, TEXT_DIMENSIONS } from "./rollup-shape";
import { idsOf, lastIdOf } from "./rollup-values";
import { ledger, rollupBlocks } from "./schema";

export interface RollupBlock {
  /** The last ledger id inside. */
  id: number;
  firstId: number;
  rows: number;
  /** Unix milliseconds, both included. */
  fromHeldAt: number;
  toHeldAt: number;
  columns: readonly { name: string; body: Uint8Array }[];
  /** Texts that have no number yet. */
  values: readonly { dimension: string; id: number; value: string }[];
}

/** Sums are kept where they are fewer than rows by so much; otherwise the rows' own columns are as quick. */
const ROWS_PER_SUM = 8;

/** The column of a dimension's numbers, one per row. */
export const rowColumn = (dimension: string): string => dimension;
/** Every figure of each row. */
export const FIGURES_COLUMN = "figures";
/** The admission of each row, Unix milliseconds. */
export const TIME_COLUMN = "held-at";
/** Scope, value and figures of each group. */
export const sumColumn = (dimension: string): string => `by-${dimension}`;

/** The ledger id that the blocks reach, of those that end at `most` or before; 0: there are none. */
export async function watermarkOf(db: Db, most = Number.MAX_SAFE_INTEGER): Promise<number> {
  const ids = db.select({ id: sql`coalesce(max(${rollupBlocks.id}), 0)`.mapWith(fromWhole) }).from(rollupBlocks);
  const [row] = await ids.where(lte(rollupBlocks.id, most));
  return row?.id ?? 0;
}

/** Ledger rows that no block has yet, at most `most`. */
export async function unsummedOf(db: Db, most: number): Promise<number> {
  const after = BigInt(await watermarkOf(db));
  const [row] = await db.values<[unknown]>(
    sql`SELECT count(*) FROM (SELECT 1 FROM ${ledger} WHERE ${ledger.id} > ${after} LIMIT ${BigInt(most)})`,
  );
  return fromWhole(row?.[0]);
}

/** undefined: there are too few rows for one. */
export async function nextBlock(db: Db, blockRows: number): Promise<RollupBlock | undefined> {
  const after = await watermarkOf(db);
  const rows = await readRollupRows(db, { first: after + 1, last: Number.MAX_SAFE_INTEGER }, blockRows);
  const last = rows.at(-1);
  if (last === undefined || rows.length < blockRows) return undefined;
  const values: { dimension: string; id: number; value: string }[] = [];
  const ids: Record<string, number[]> = {};
  for (const [n, dimension] of TEXT_DIMENSIONS.entries()) {
    const texts = rows.map((row) => row.texts[n] ?? null);
    ids[dimension] = await numbered(db, dimension, texts, values);
    await giveWay();
  }
  const times = rows.map((row) => row.heldAt);
  return {
    id: last.id,
    firstId: after + 1,
    rows: rows.length,
    fromHeldAt: times.reduce((low, time) => Math.min(low, time)),
    toHeldAt: times.reduce((high, time) => Math.max(high, time)),
    columns: await columnsOf(rows, ids),
    values,
  };
}

/** A number for each text; new ones are appended to `values`. */
async function numbered(
  db: Db,
  dimension: (typeof TEXT_DIMENSIONS)[number],
  texts: readonly (string | null)[],
  values: { dimension: string; id: number; value: string }[],
): Promise<number[]> {
  const distinct = [...new Set(texts)].filter((text) => text !== null);
  const known = await idsOf(db, dimension, distinct);
  if (known.size < distinct.length) {
    let id = await lastIdOf(db, dimension);
    for (const value of distinct) {
      if (known.has(value)) continue;
      known.set(value, ++id);
      values.push({ dimension, id, value });
    }
  }
  return texts.map((text) => (text === null ? 0 : (known.get(text) ?? 0)));
}

async function columnsOf(
  rows: readonly RollupRow[],
  ids: Readonly<Record<string, number[]>>,
): Promise<{ name: string; body: Uint8Array }[]> {
  const scopes = ids["scope"] ?? [];
  const times = rows.map((row) => row.heldAt);
  const groups: Record<string, readonly number[]> = {
    ...ids,
    status: rows.map((row) => row.status),
    quarter: times.map((time) => Math.floor(time / QUARTER_MS)),
  };
  const columns = [
    { name: TIME_COLUMN, body: pack([times]) },
    { name: FIGURES_COLUMN, body: pack(MEASURES.map((_, n) => rows.map((row) => row.figures[n] ?? 0))) },
  ];
  for (const [dimension, numbers] of Object.entries(groups)) {
    if (dimension !== "quarter") columns.push({ name: rowColumn(dimension), body: pack([numbers]) });
  }
  for (const dimension of SUMMED_DIMENSIONS) {
    const body = sumsOf(rows, scopes, groups[dimension] ?? []);
    if (body !== undefined) columns.push({ name: sumColumn(dimension), body });
    await giveWay();
  }
  return columns;
}

/** undefined: there are too many groups. */
function sumsOf(rows: readonly RollupRow[], scopes: readonly number[], numbers: readonly number[]): Uint8Array | undefined {
  const groups = new Map<number, { scope: number; value: number; figures: (number | bigint)[] }>();
  for (const [n, row] of rows.entries()) {
    const scope = scopes[n] ?? 0;
    const value = numbers[n] ?? 0;
    // Both are below 2^26, and so are their places in a double's 53 bits.
    const name = scope * 2 ** 26 + value;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { scope, value, figures: [...row.figures] });
    else for (let m = 0; m < MEASURES.length; m++) group.figures[m] = plus(group.figures[m] ?? 0, row.figures[m] ?? 0);
  }
  if (groups.size * ROWS_PER_SUM > rows.length) return undefined;
  const list = [...groups.values()];
  return pack([
    list.map((group) => group.scope),
    list.map((group) => group.value),
    ...MEASURES.map((_, m) => list.map((group) => group.figures[m] ?? 0)),
  ]);
}

function plus(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}
