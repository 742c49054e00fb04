// What the proof of the books reads of a database.
import { and, gt, inArray, lte, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { AttemptRecord } from "../core/attempt";
import { nanoUsd, ZERO_USD } from "../core/money";
import type { InspectionReads, WrittenRow } from "./backend";
import { fromInteger, fromWhole } from "./column";
import type { Connection, Db } from "./connection";
import { attemptOf } from "./ledger-row";
import { holds, ledger } from "./schema";

/** More gaps than this of one stretch are not told. */
const MOST_GAPS = 100;
/** Attempts that one statement asks for. */
const ASKED_AT_ONCE = 200;

export const sqlInspection = (connection: Connection): InspectionReads => reads(connection, connection.db);

const reads = (connection: Connection, db: Db): InspectionReads => ({
  integrity: async () => connection.integrity?.(),
  newestRow: async () => {
    const [row] = await db.select({ id: sql`coalesce(max(${ledger.id}), 0)`.mapWith(fromWhole) }).from(ledger);
    return row?.id ?? 0;
  },
  holdRows: async () => (await db.select().from(holds)).map(attemptOf),
  async stretch(after, upTo) {
    const within = and(gt(ledger.id, after), lte(ledger.id, upTo));
    const rows = await db
      .select({
        mode: ledger.mode,
        organizationId: ledger.organizationId,
        keyId: ledger.keyId,
        rows: sql`count(*)`.mapWith(fromWhole),
        spent: sql`coalesce(sum(${ledger.cost}), 0)`.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
      })
      .from(ledger)
      .where(within)
      .groupBy(ledger.mode, ledger.organizationId, ledger.keyId);
    return { rows: rows.reduce((sum, row) => sum + row.rows, 0), sums: rows, gaps: await gapsOf(db, within) };
  },
  async rowsOf(attempts) {
    const found: WrittenRow[] = [];
    for (let start = 0; start < attempts.length; start += ASKED_AT_ONCE)
      found.push(...(await rowsOf(db, attempts.slice(start, start + ASKED_AT_ONCE))));
    return found;
  },
});

/** By the index of attempts. */
async function rowsOf(db: Db, attempts: readonly AttemptRecord[]): Promise<WrittenRow[]> {
  const byId = new Map(attempts.map((attempt) => [attempt.attemptId, attempt]));
  const organizations = [...new Set(attempts.map((attempt) => attempt.organizationId))];
  const calls = [...new Set(attempts.map((attempt) => attempt.requestId))];
  const rows = await db
    .select({ id: ledger.id, attemptId: ledger.attemptId, cost: ledger.cost })
    .from(ledger)
    .where(and(inArray(ledger.organizationId, organizations), inArray(ledger.requestId, calls)));
  return rows.flatMap(({ id, attemptId, cost }) => {
    const attempt = byId.get(attemptId);
    return attempt ? [{ attempt, id, cost: cost ?? ZERO_USD }] : [];
  });
}

/** Rows of second and later attempts whose call has no row of the attempt before. */
async function gapsOf(db: Db, within: SQL | undefined): Promise<AttemptRecord[]> {
  const before = alias(ledger, "before");
  const predecessor = sql`EXISTS (SELECT 1 FROM ${ledger} AS "before" WHERE ${before.organizationId} = ${ledger.organizationId}
    AND ${before.requestId} = ${ledger.requestId} AND ${before.attemptNumber} = ${ledger.attemptNumber} - 1)`;
  const rows = await db
    .select()
    .from(ledger)
    .where(and(within, gt(ledger.attemptNumber, 1), sql`NOT ${predecessor}`))
    .limit(MOST_GAPS);
  return rows.map(attemptOf);
}
