// Adds blocks to sums: out of a block's own sums where it has them, else out of its rows' columns.
import { sql } from "drizzle-orm";
import type { TimeRange, UsageDimension } from "../core/usage-query";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { FIGURES_COLUMN, rowColumn, TIME_COLUMN } from "./rollup-build";
import type { RowFilter } from "./rollup-filter";
import { type PackedColumn, unpack } from "./rollup-pack";
import { QUARTER_MS } from "./rollup-shape";
import type { Sums } from "./rollup-sums";
import { rollupColumns } from "./schema";
import { isTime } from "./usage-page";

export interface BlockHead {
  id: number;
  rows: number;
  /** The whole block lies in the time asked for. */
  whole: boolean;
}

export interface Adding {
  /** The number of mode and organization. */
  scope: number;
  heads: readonly BlockHead[];
  sums: Sums;
}

/** Adds the blocks that have sums of that name; the result are the others. */
export async function addSums(db: Db, name: string, { scope, heads, sums }: Adding): Promise<BlockHead[]> {
  const whole = heads.filter((head) => head.whole);
  const bodies = await bodiesOf(
    db,
    name,
    whole.map((head) => head.id),
  );
  for (const body of bodies.values()) addBody(body, scope, sums);
  return heads.filter((head) => !bodies.has(head.id));
}

/** Scope, value and figures of groups. */
export function addBody(body: Uint8Array, scope: number, sums: Sums): void {
  const [scopes, values, ...figures] = unpack(body) as [PackedColumn, PackedColumn, ...PackedColumn[]];
  const chosen = rowsThat(scopes.count, [{ column: "", passes: scope }], () => scopes);
  if (chosen === "none") return;
  const places = sums.placesOf(values, chosen);
  for (const [measure, column] of figures.entries()) sums.add(measure, places, column, chosen);
}

export interface RowsAsked extends TimeRange {
  groupBy: UsageDimension;
  filters: readonly RowFilter[];
}

/** Adds blocks row by row. */
export async function addRows(db: Db, asked: RowsAsked, { scope, heads, sums }: Adding): Promise<void> {
  const ids = heads.map((head) => head.id);
  const bodies = new Map<string, Map<number, Uint8Array>>();
  for (const name of new Set([
    rowColumn("scope"),
    FIGURES_COLUMN,
    groupColumn(asked.groupBy),
    ...asked.filters.map(({ column }) => column),
  ])) {
    bodies.set(name, await bodiesOf(db, name, ids));
  }
  const edges = heads.filter((head) => !head.whole).map((head) => head.id);
  bodies.set(TIME_COLUMN, bodies.get(TIME_COLUMN) ?? (await bodiesOf(db, TIME_COLUMN, edges)));
  for (const head of heads) addRowsOf(head, (name) => unpack(bodyOf(bodies, name, head.id)), asked, scope, sums);
}

const groupColumn = (groupBy: UsageDimension): string => (isTime(groupBy) ? TIME_COLUMN : rowColumn(groupBy));

/** Adds those rows of some columns that are asked for. */
export function addRowsOf(
  { rows, whole }: Pick<BlockHead, "rows" | "whole">,
  columns: (name: string) => PackedColumn[],
  { groupBy, filters, from = 0, to = Number.POSITIVE_INFINITY }: RowsAsked,
  scope: number,
  sums: Sums,
): void {
  const column = (name: string): PackedColumn => columns(name)[0] as PackedColumn;
  const tests: RowFilter[] = [{ column: rowColumn("scope"), passes: scope }, ...filters];
  if (!whole) tests.push({ column: TIME_COLUMN, passes: (at) => at >= from && at < to });
  const chosen = rowsThat(rows, tests, column);
  if (chosen === "none") return;
  const places = sums.placesOf(column(groupColumn(groupBy)), chosen, isTime(groupBy) ? QUARTER_MS : 1);
  for (const [measure, values] of columns(FIGURES_COLUMN).entries()) sums.add(measure, places, values, chosen);
}

/** Something was written by half, or taken away. */
export class MissingColumn extends Error {}

function bodyOf(bodies: ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>, name: string, block: number): Uint8Array {
  const body = bodies.get(name)?.get(block);
  if (body === undefined) throw new MissingColumn(`The rollup's block ${block} has no column ${name}`);
  return body;
}

/** Columns of one name, by their blocks: of those of the blocks that have one. */
export async function bodiesOf(db: Db, name: string, blocks: readonly number[]): Promise<Map<number, Uint8Array>> {
  if (blocks.length === 0) return new Map();
  const list = sql.join(
    blocks.map((id) => sql`${BigInt(id)}`),
    sql`, `,
  );
  const rows = await db.values<[unknown, Uint8Array | ArrayBuffer]>(
    sql`SELECT ${rollupColumns.block}, ${rollupColumns.body} FROM ${rollupColumns} WHERE ${rollupColumns.name} = ${name}
      AND ${rollupColumns.block} IN (${list})`,
  );
  return new Map(rows.map((row) => [fromWhole(row[0]), row[1] instanceof Uint8Array ? row[1] : new Uint8Array(row[1])]));
}

/** Rows that pass every test; undefined: all of them. Columns that are the same in all rows are looked at once. */
export function rowsThat(
  count: number,
  tests: readonly RowFilter[],
  columnOf: (name: string) => PackedColumn,
): Uint32Array | undefined | "none" {
  let chosen: Uint32Array | undefined;
  for (const { column: name, passes } of tests) {
    const { base, values } = columnOf(name);
    if (values === undefined) {
      if (typeof passes === "number" ? base !== passes : !passes(base)) return "none";
      continue;
    }
    const among = chosen?.length ?? count;
    const passed = new Uint32Array(among);
    let size = 0;
    for (let n = 0; n < among; n++) {
      const row = chosen === undefined ? n : (chosen[n] as number);
      const value = base + Number(values[row]);
      // One number, which is most filters, without a call for each row.
      if (typeof passes === "number" ? value === passes : passes(value)) passed[size++] = row;
    }
    if (size === 0) return "none";
    if (size < count) chosen = passed.subarray(0, size);
  }
  return chosen;
}
