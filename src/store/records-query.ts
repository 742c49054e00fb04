// Reads beside the hot path: what scopes have spent, what administrators did, what balances are made of, which messages wait.
import { and, asc, between, desc, eq, gte, inArray, lt, lte, notInArray, type SQL, sql } from "drizzle-orm";
import type { Scope, ScopeKind } from "../core/budget";
import { nanoUsd } from "../core/money";
import type { Numbered } from "../core/ports";
import type { AdminEvent, CreditEntry, Delivery } from "../core/records";
import type { RunQuery } from "./backend";
import { fromInteger, fromWhole } from "./column";
import type { Db } from "./connection";
import { firstIdAt, type LedgerSpan, LONGEST_CALL_MS } from "./ledger-span";
import { adminEvents, creditEntries, deliveries, ledger } from "./schema";
import type { SpentBucket, SpentQuery } from "./spent-query";

const SCOPE_COLUMNS = {
  team: ledger.teamId,
  project: ledger.projectId,
  key: ledger.keyId,
  user: ledger.user,
  agent: ledger.agent,
  run: ledger.run,
} as const satisfies Record<Exclude<ScopeKind, "organization">, unknown>;

/** Which of the scope's rows: those of a stretch of the ledger's numbers, less the attempts that `without` names. */
export interface SpentRows extends LedgerSpan {
  without: readonly string[];
}

/** The sums of a scope's rows, by the time of their admission. `byIndex`: the stretch is long, so that time is looked up first. */
export async function readSpent(db: Db, query: SpentQuery, { first, last, without }: SpentRows, byIndex: boolean): Promise<SpentBucket[]> {
  const { from } = query;
  return spentWhere(db, query, byIndex, [
    // Walking the numbers, the index of organizations must not be preferred: the plus keeps it out.
    byIndex ? eq(ledger.organizationId, query.organizationId) : sql`+${ledger.organizationId} = ${query.organizationId}`,
    byIndex ? gte(ledger.requestId, firstIdAt(from - LONGEST_CALL_MS)) : undefined,
    between(ledger.id, first, last),
    without.length === 0 ? undefined : notInArray(ledger.attemptId, [...without]),
  ]);
}

/** The sums of those attempts' rows that have a number up to `last`. */
export async function readSpentOf(db: Db, query: SpentQuery, attempts: readonly string[], last: number): Promise<SpentBucket[]> {
  if (attempts.length === 0) return [];
  // An attempt's id is its request's with the attempt's number behind a dot: the index has requests.
  const requests = [...new Set(attempts.map((id) => id.slice(0, id.lastIndexOf("."))))];
  return spentWhere(db, query, true, [
    eq(ledger.organizationId, query.organizationId),
    inArray(ledger.requestId, requests),
    inArray(ledger.attemptId, [...attempts]),
    lte(ledger.id, last),
  ]);
}

async function spentWhere(db: Db, query: SpentQuery, byIndex: boolean, conditions: readonly (SQL | undefined)[]): Promise<SpentBucket[]> {
  const { scope, from, bucketMs, markupBasisPoints = 0 } = query;
  const cost = markupBasisPoints === 0 ? sql`${ledger.cost}` : sql`(${ledger.cost} * ${BigInt(10_000 + markupBasisPoints)} + 9999) / 10000`;
  const start: SQL<number> = bucketMs === undefined ? sql`0` : sql`(${ledger.heldAt} / ${BigInt(bucketMs)}) * ${BigInt(bucketMs)}`;
  return db
    .select({
      mode: ledger.mode,
      start: sql`${start} AS start`.mapWith(fromWhole),
      spent: sql`coalesce(sum(${cost}), 0)`.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
    })
    .from(ledger)
    .where(and(...conditions, isOfScope(scope, byIndex), gte(ledger.heldAt, from)))
    .groupBy(ledger.mode, sql`start`);
}

function isOfScope({ kind, id }: Scope, byIndex: boolean): SQL | undefined {
  if (kind === "organization") return undefined;
  return byIndex ? eq(SCOPE_COLUMNS[kind], id) : sql`+${SCOPE_COLUMNS[kind]} = ${id}`;
}

export async function readCallsOfRun(db: Db, { organizationId, run, mode, from }: RunQuery): Promise<number> {
  const [row] = await db
    .select({ calls: sql`count(DISTINCT ${ledger.requestId})`.mapWith(fromWhole) })
    .from(ledger)
    .where(
      and(
        eq(ledger.organizationId, organizationId),
        eq(ledger.run, run),
        eq(ledger.mode, mode),
        gte(ledger.heldAt, from),
        gte(ledger.requestId, firstIdAt(from - LONGEST_CALL_MS)),
      ),
    );
  return row?.calls ?? 0;
}

export async function readAdminEvents(
  db: Db,
  organizationId: string,
  before: number | undefined,
  limit: number,
): Promise<Numbered<AdminEvent>[]> {
  const rows = await db
    .select()
    .from(adminEvents)
    .where(and(eq(adminEvents.organizationId, organizationId), before === undefined ? undefined : lt(adminEvents.id, before)))
    .orderBy(desc(adminEvents.id))
    .limit(limit + 1);
  return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as AdminEvent["data"] }));
}

export async function readCreditEntries(
  db: Db,
  accountId: string,
  before: number | undefined,
  limit: number,
): Promise<Numbered<CreditEntry>[]> {
  return db
    .select()
    .from(creditEntries)
    .where(and(eq(creditEntries.accountId, accountId), before === undefined ? undefined : lt(creditEntries.id, before)))
    .orderBy(desc(creditEntries.id))
    .limit(limit + 1);
}

const deliveryOf = (row: typeof deliveries.$inferSelect): Delivery => ({
  ...row,
  nextAt: row.nextAt ?? undefined,
  lastStatus: row.lastStatus ?? undefined,
  lastError: row.lastError ?? undefined,
});

export async function readDeliveries(db: Db, webhookId: string, limit: number): Promise<Delivery[]> {
  const rows = await db
    .select()
    .from(deliveries)
    .where(eq(deliveries.webhookId, webhookId))
    .orderBy(desc(deliveries.at), desc(deliveries.id))
    .limit(limit);
  return rows.map(deliveryOf);
}

export async function readDueDeliveries(db: Db, now: number, limit: number): Promise<Delivery[]> {
  const rows = await db
    .select()
    .from(deliveries)
    .where(and(eq(deliveries.status, "waiting"), lte(deliveries.nextAt, now)))
    .orderBy(asc(deliveries.nextAt), asc(deliveries.id))
    .limit(limit);
  return rows.map(deliveryOf);
}
