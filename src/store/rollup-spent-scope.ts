// What a scope has spent, out of the rollups: a lifetime's budget on a year of traffic is known in milliseconds, and no call waits.
import { sql } from "drizzle-orm";
import type { ScopeKind } from "../core/budget";
import type { KeyMode } from "../core/ids";
import { nanoUsd } from "../core/money";
import type { UsageDimension } from "../core/usage-query";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { type Adding, addRows, addSums, type BlockHead, bodiesOf, rowsThat } from "./rollup-blocks";
import { FIGURES_COLUMN, rowColumn, sumColumn, TIME_COLUMN } from "./rollup-build";
import type { RowFilter } from "./rollup-filter";
import { addFolds } from "./rollup-fold";
import { type PackedColumn, unpack, valueAt } from "./rollup-pack";
import { COST, MEASURES, scopeOf, type TextDimension } from "./rollup-shape";
import { Sums } from "./rollup-sums";
import { idsOf } from "./rollup-values";
import { rollupBlocks } from "./schema";
import type { SpentBucket, SpentQuery } from "./spent-query";

/** Blocks read at once. */
const BLOCKS_AT_ONCE = 64;
const MODES = ["live", "test"] as const satisfies readonly KeyMode[];

const DIMENSIONS = { team: "team", project: "project", key: "key", user: "user", agent: "agent", run: "run" } as const satisfies Record<
  Exclude<ScopeKind, "organization">,
  UsageDimension & TextDimension
>;

/** Sums of the rows in blocks up to the one that ends at `upTo`. */
export async function readSpentInBlocks(db: Db, query: SpentQuery, upTo: number): Promise<SpentBucket[]> {
  const { organizationId, scope: asked, bucketMs, markupBasisPoints = 0 } = query;
  const dimension = asked.kind === "organization" ? undefined : DIMENSIONS[asked.kind];
  const value = dimension === undefined ? undefined : (await idsOf(db, dimension, [asked.id])).get(asked.id);
  if (dimension !== undefined && value === undefined) return [];
  const scopes = await idsOf(
    db,
    "scope",
    MODES.map((mode) => scopeOf(mode, organizationId)),
  );
  const heads = await headsSince(db, query.from, upTo);
  const found: SpentBucket[] = [];
  for (const mode of MODES) {
    const scope = scopes.get(scopeOf(mode, organizationId));
    if (scope === undefined) continue;
    const about = { db, query, heads, scope, dimension, value };
    const bySum = bucketMs === undefined && markupBasisPoints === 0;
    for (const [start, spent] of bySum ? await summed(about) : await bucketed(about)) found.push({ mode, start, spent: nanoUsd(spent) });
  }
  return found;
}

async function headsSince(db: Db, from: number, upTo: number): Promise<BlockHead[]> {
  const rows = await db.values<unknown[]>(
    sql`SELECT ${rollupBlocks.id}, ${rollupBlocks.rows}, ${rollupBlocks.fromHeldAt} FROM ${rollupBlocks}
      WHERE ${rollupBlocks.id} <= ${BigInt(upTo)} AND ${rollupBlocks.toHeldAt} >= ${BigInt(from)} ORDER BY ${rollupBlocks.id}`,
  );
  return rows.map((row) => ({ id: fromWhole(row[0]), rows: fromWhole(row[1]), whole: fromWhole(row[2]) >= from }));
}

interface About {
  db: Db;
  query: SpentQuery;
  heads: readonly BlockHead[];
  /** The number of mode and organization. */
  scope: number;
  /** undefined: the whole organization. */
  dimension: (UsageDimension & TextDimension) | undefined;
  value: number | undefined;
}

/** One sum, from sums of all values: most blocks need not be looked into. */
async function summed({ db, query, heads, scope, dimension, value }: About): Promise<[number, bigint][]> {
  const groupBy = dimension ?? "status";
  const sums = new Sums(MEASURES.length);
  const adding: Adding = { scope, heads, sums };
  const unfolded = await addFolds(db, groupBy, adding);
  for (let start = 0; start < unfolded.length; start += BLOCKS_AT_ONCE) {
    const some = { ...adding, heads: unfolded.slice(start, start + BLOCKS_AT_ONCE) };
    const rest = await addSums(db, sumColumn(groupBy), some);
    if (rest.length > 0) await addRows(db, { groupBy, filters: [], from: query.from }, { ...some, heads: rest });
  }
  return [[0, value === undefined ? sums.totalOf(COST) : sums.sumAt(COST, sums.placeOf(value))]];
}

/** Row by row: each has its stretch of time, and is marked up by itself. */
async function bucketed({ db, query, heads, scope, dimension, value }: About): Promise<Map<number, bigint>> {
  const { from, bucketMs, markupBasisPoints = 0 } = query;
  const found = new Map<number, bigint>();
  const names = [rowColumn("scope"), TIME_COLUMN, FIGURES_COLUMN, ...(dimension === undefined ? [] : [rowColumn(dimension)])];
  for (let start = 0; start < heads.length; start += BLOCKS_AT_ONCE) {
    const some = heads.slice(start, start + BLOCKS_AT_ONCE);
    const ids = some.map((head) => head.id);
    const bodies = new Map<string, Map<number, Uint8Array>>();
    for (const name of names) bodies.set(name, await bodiesOf(db, name, ids));
    for (const head of some) {
      const columns = (name: string): PackedColumn[] => unpack(bodies.get(name)?.get(head.id) ?? new Uint8Array());
      const tests: RowFilter[] = [
        { column: rowColumn("scope"), passes: scope },
        { column: TIME_COLUMN, passes: (at) => at >= from },
        ...(dimension === undefined || value === undefined ? [] : [{ column: rowColumn(dimension), passes: value }]),
      ];
      const chosen = rowsThat(head.rows, tests, (name) => columns(name)[0] as PackedColumn);
      if (chosen === "none") continue;
      const times = columns(TIME_COLUMN)[0] as PackedColumn;
      const costs = columns(FIGURES_COLUMN)[COST] as PackedColumn;
      for (let n = 0; n < (chosen?.length ?? head.rows); n++) {
        const row = chosen === undefined ? n : (chosen[n] as number);
        const bucket = bucketMs === undefined ? 0 : Math.floor(Number(valueAt(times, row)) / bucketMs) * bucketMs;
        found.set(bucket, (found.get(bucket) ?? 0n) + markedUp(BigInt(valueAt(costs, row)), markupBasisPoints));
      }
    }
  }
  return found;
}

/** Rounded up, as each row is by itself. */
const markedUp = (cost: bigint, basisPoints: number): bigint =>
  basisPoints === 0 ? cost : (cost * BigInt(10_000 + basisPoints) + 9_999n) / 10_000n;
