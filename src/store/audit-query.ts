// The audit out of SQL: one page of request ids over ledger and refusals, then their rows. Every query names the organization.
import { and, asc, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { AuditEntry, AuditQuery, LedgerRow, Refusal } from "../core/ports";
import { auditEntryOf } from "./audit-entry";
import type { Db } from "./connection";
import { ledgerRowOf } from "./ledger-row";
import { firstIdAt, LONGEST_CALL_MS } from "./ledger-span";
import { ledger, refusals } from "./schema";

const all = (conditions: (SQL | undefined)[]): SQL => and(...conditions) ?? sql`1`;

const ofRun = ({ name, mode }: NonNullable<AuditQuery["run"]>): SQL | undefined => and(eq(ledger.run, name), eq(ledger.mode, mode));

/** A page's request ids, newest first (they are UUIDv7), one more than the limit where there is more. */
async function requestIds(db: Db, query: AuditQuery, after: string | undefined): Promise<string[]> {
  const shared = (table: typeof ledger | typeof refusals) => [
    eq(table.organizationId, query.organizationId),
    query.keyId === undefined ? undefined : eq(table.keyId, query.keyId),
    query.requestId === undefined ? undefined : eq(table.requestId, query.requestId),
    // A refused call is no step.
    query.run === undefined ? undefined : table === ledger ? ofRun(query.run) : sql`0`,
    after === undefined ? undefined : sql`${table.requestId} < ${after}`,
    // Request ids are calls in the order of their coming: a stretch of time is a stretch of the index, and no more is walked.
    query.from === undefined ? undefined : gte(table.requestId, firstIdAt(query.from - LONGEST_CALL_MS)),
    query.to === undefined ? undefined : lt(table.requestId, firstIdAt(query.to)),
  ];
  const within = (at: SQL) => [
    query.from === undefined ? undefined : sql`${at} >= ${BigInt(query.from)}`,
    query.to === undefined ? undefined : sql`${at} < ${BigInt(query.to)}`,
  ];
  const limit = BigInt(query.limit + 1);
  // Each half walks its index from the newest down and stops at the limit, however long the ledger is. They share no request: a
  // refused call that had attempts is found by its attempts.
  const rows = await db.values<[string]>(sql`
    SELECT request_id FROM (
      SELECT ${ledger.requestId} AS request_id FROM ${ledger} WHERE ${all(shared(ledger))}
      GROUP BY ${ledger.requestId} HAVING ${all(within(sql`min(${ledger.heldAt})`))} ORDER BY ${ledger.requestId} DESC LIMIT ${limit})
    UNION ALL SELECT request_id FROM (
      SELECT ${refusals.requestId} AS request_id FROM ${refusals} WHERE ${all([...shared(refusals), ...within(sql`${refusals.at}`)])}
      AND NOT EXISTS (SELECT 1 FROM ${ledger} WHERE ${ledger.organizationId} = ${refusals.organizationId} AND ${ledger.requestId} = ${refusals.requestId})
      ORDER BY ${refusals.requestId} DESC LIMIT ${limit})
    ORDER BY request_id DESC LIMIT ${limit}`);
  // By index: libSQL's rows are no arrays.
  return rows.map((row) => row[0]);
}

/** One more entry than `query.limit` where there is more. */
export async function readAudit(db: Db, query: AuditQuery, after: string | undefined): Promise<AuditEntry[]> {
  const ids = await requestIds(db, query, after);
  if (ids.length === 0) return [];
  const attempts = new Map<string, LedgerRow[]>(ids.map((id) => [id, []]));
  const rows = await db
    .select()
    .from(ledger)
    .where(and(eq(ledger.organizationId, query.organizationId), inArray(ledger.requestId, ids)))
    .orderBy(asc(ledger.attemptNumber));
  for (const row of rows) attempts.get(row.requestId)?.push(ledgerRowOf(row));
  const refused = new Map<string, Refusal>();
  for (const row of await db
    .select()
    .from(refusals)
    .where(and(eq(refusals.organizationId, query.organizationId), inArray(refusals.requestId, ids)))) {
    const { id: _, ...refusal } = row;
    refused.set(row.requestId, { ...refusal, modelRequested: row.modelRequested ?? undefined, tag: row.tag ?? undefined });
  }
  return ids.flatMap((id) => auditEntryOf(id, attempts.get(id) ?? [], refused.get(id)) ?? []);
}
