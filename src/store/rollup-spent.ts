// What each key has spent, for the start: out of the rollups, and what follows them out of the ledger. Reading ten million rows
// would take seconds in which nobody is served.
import { gt, sql } from "drizzle-orm";
import { nanoUsd } from "../core/money";
import type { SpentRow } from "./backend";
import { fromInteger } from "./column";
import type { Db } from "./connection";
import { FIGURES_COLUMN, rowColumn, sumColumn, watermarkOf } from "./rollup-build";
import { type PackedColumn, unpack, valueAt } from "./rollup-pack";
import { COST, partsOfScope } from "./rollup-shape";
import { textsOf } from "./rollup-values";
import { ledger, rollupBlocks, rollupColumns } from "./schema";

/** Blocks read at once. */
const BLOCKS_AT_ONCE = 256;

export async function readSpentByKey(db: Db): Promise<SpentRow[]> {
  const after = await watermarkOf(db);
  const sums = new Map<number, Map<number, bigint>>();
  const add = (scopes: PackedColumn, keys: PackedColumn, costs: PackedColumn) => {
    for (let n = 0; n < keys.count; n++) addTo(sums, Number(valueAt(scopes, n)), Number(valueAt(keys, n)), BigInt(valueAt(costs, n)));
  };
  for (let block = 0; block < after; ) {
    const blocks = await db.values<[unknown]>(
      sql`SELECT ${rollupBlocks.id} FROM ${rollupBlocks} WHERE ${rollupBlocks.id} > ${BigInt(block)} AND ${rollupBlocks.id} <= ${BigInt(after)} ORDER BY ${rollupBlocks.id} LIMIT ${BigInt(BLOCKS_AT_ONCE)}`,
    );
    const ids = blocks.map((row) => Number(row[0]));
    if (ids.length === 0) break;
    const bySums = await columnsOf(db, sumColumn("key"), block, ids.at(-1) ?? 0);
    for (const [scopes, keys, ...figures] of bySums.values())
      add(scopes as PackedColumn, keys as PackedColumn, figures[COST] as PackedColumn);
    for (const id of ids.filter((one) => !bySums.has(one))) {
      const [scopes, keys, costs] = await Promise.all([
        columnOf(db, rowColumn("scope"), id, 0),
        columnOf(db, rowColumn("key"), id, 0),
        columnOf(db, FIGURES_COLUMN, id, COST),
      ]);
      add(scopes, keys, costs);
    }
    block = ids.at(-1) ?? after;
  }
  return [...(await named(db, sums)), ...(await tailOf(db, after))];
}

async function columnOf(db: Db, name: string, block: number, place: number): Promise<PackedColumn> {
  const column = (await columnsOf(db, name, block - 1, block)).get(block)?.[place];
  if (column === undefined) throw new Error(`The rollup's block ${block} has no column ${name}`);
  return column;
}

/** Bodies of one name, of the blocks after `after` up to `last`. */
async function columnsOf(db: Db, name: string, after: number, last: number): Promise<Map<number, PackedColumn[]>> {
  const rows = await db.values<[unknown, Uint8Array | ArrayBuffer]>(
    sql`SELECT ${rollupColumns.block}, ${rollupColumns.body} FROM ${rollupColumns}
      WHERE ${rollupColumns.name} = ${name} AND ${rollupColumns.block} > ${BigInt(after)} AND ${rollupColumns.block} <= ${BigInt(last)}`,
  );
  return new Map(rows.map((row) => [Number(row[0]), unpack(row[1] instanceof Uint8Array ? row[1] : new Uint8Array(row[1]))]));
}

function addTo(sums: Map<number, Map<number, bigint>>, scope: number, key: number, cost: bigint): void {
  const keys = sums.get(scope) ?? new Map<number, bigint>();
  keys.set(key, (keys.get(key) ?? 0n) + cost);
  sums.set(scope, keys);
}

async function named(db: Db, sums: ReadonlyMap<number, ReadonlyMap<number, bigint>>): Promise<SpentRow[]> {
  const scopes = await textsOf(db, "scope", [...sums.keys()]);
  const keys = await textsOf(db, "key", [...new Set([...sums.values()].flatMap((byKey) => [...byKey.keys()]))]);
  return [...sums].flatMap(([scope, byKey]) =>
    [...byKey].map(([key, spent]) => ({ ...partsOfScope(scopes.get(scope) ?? ""), keyId: keys.get(key) ?? "", spent: nanoUsd(spent) })),
  );
}

const tailOf = (db: Db, after: number): Promise<SpentRow[]> =>
  Promise.resolve(
    db
      .select({
        mode: ledger.mode,
        organizationId: ledger.organizationId,
        keyId: ledger.keyId,
        spent: sql`coalesce(sum(${ledger.cost}), 0)`.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
      })
      .from(ledger)
      .where(gt(ledger.id, after))
      .groupBy(ledger.mode, ledger.organizationId, ledger.keyId),
  );
