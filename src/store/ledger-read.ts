// The ledger row by row, for exports: in the order of its numbers, so that a page begins where the one before ended.
import { and, asc, eq, gt, gte, lt, lte, sql } from "drizzle-orm";
import type { LedgerRow, Listing } from "../core/ports";
import type { LedgerQuery } from "../core/usage-query";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { badCursor, cursorOf, readPage } from "./cursor";
import { ledgerRowOf } from "./ledger-row";
import { watermarkOf } from "./rollup-build";
import { ledger, rollupBlocks } from "./schema";

const KIND = "ledger";
/** Rows of any organization looked at for one page: it may come back short, or empty, with a cursor. */
const LOOKED_AT = 50_000;

/** The ledger id that the page before ended with; 0: the first page. Throws `invalid_value`. */
export function ledgerCursor(query: LedgerQuery): number {
  const text = readPage(KIND, query);
  if (text === undefined) return 0;
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id < 0) throw badCursor();
  return id;
}

export const nextLedgerCursor = (id: number): string => cursorOf(KIND, String(id));

export async function readLedger(db: Db, query: LedgerQuery): Promise<Listing<LedgerRow>> {
  const { organizationId, mode, from, to, limit } = query;
  // What comes while this reads belongs to the next page: the newest row is fixed before anything else.
  const [newest] = await db.select({ id: sql`coalesce(max(${ledger.id}), 0)`.mapWith(fromWhole) }).from(ledger);
  const start = await startOf(db, query, ledgerCursor(query));
  const end = Math.min(start + LOOKED_AT, newest?.id ?? 0);
  const rows = await db
    .select()
    .from(ledger)
    .where(
      and(
        gt(ledger.id, start),
        lte(ledger.id, end),
        // The plus keeps the index of organizations out: this walks the numbers.
        sql`+${ledger.organizationId} = ${organizationId}`,
        mode === undefined ? undefined : eq(ledger.mode, mode),
        from === undefined ? undefined : gte(ledger.heldAt, from),
        to === undefined ? undefined : lt(ledger.heldAt, to),
      ),
    )
    .orderBy(asc(ledger.id))
    .limit(limit);
  const data = rows.map(ledgerRowOf);
  const reached = data.length === limit ? (data.at(-1)?.id ?? end) : end;
  return { data, nextCursor: reached < (newest?.id ?? 0) ? nextLedgerCursor(reached) : undefined };
}

/** Leaps over blocks that have no row of the time asked for. */
async function startOf(db: Db, { from, to }: LedgerQuery, after: number): Promise<number> {
  // Fixed first: a block that is written in between is read row by row.
  const watermark = await watermarkOf(db);
  const [row] = await db.values<[unknown]>(
    sql`SELECT ${rollupBlocks.firstId} FROM ${rollupBlocks} WHERE ${rollupBlocks.id} > ${BigInt(after)} AND ${rollupBlocks.id} <= ${BigInt(watermark)}
      AND ${rollupBlocks.toHeldAt} >= ${BigInt(from ?? 0)} AND ${rollupBlocks.fromHeldAt} < ${BigInt(to ?? Number.MAX_SAFE_INTEGER)}
      ORDER BY ${rollupBlocks.id} LIMIT 1`,
  );
  return Math.max(after, row === undefined ? watermark : fromWhole(row[0]) - 1);
}
