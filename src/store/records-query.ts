// Reads beside the hot path: what scopes have spent, what administrators did, what balances are made of, which messages wait.
import { and, asc, desc, eq, gte, lt, lte, notInArray, type SQL, sql } from "drizzle-orm";
import type { ScopeKind } from "../core/budget";
import { nanoUsd } from "../core/money";
import type { Numbered } from "../core/ports";
import type { AdminEvent, CreditEntry, Delivery } from "../core/records";
import type { RunQuery, SpentBucket, SpentQuery } from "./backend";
import { fromInteger, fromWhole } from "./column";
import type { Db } from "./connection";
import { adminEvents, creditEntries, deliveries, ledger } from "./schema";
import { firstIdAt, LONGEST_CALL_MS } from "./usage-query";

const SCOPE_COLUMNS = {
  organization: ledger.organizationId,
  team: ledger.teamId,
  project: ledger.projectId,
  key: ledger.keyId,
  user: ledger.user,
  agent: ledger.agent,
  run: ledger.run,
} as const satisfies Record<ScopeKind, unknown>;

/** The sums of a scope's rows, by the time of their admission. */
export async function readSpent(db: Db, query: SpentQuery, without: () => readonly string[]): Promise<SpentBucket[]> {
  const { organizationId, scope, from, bucketMs, markupBasisPoints = 0 } = query;
  const cost = markupBasisPoints === 0 ? sql`${ledger.cost}` : sql`(${ledger.cost} * ${BigInt(10_000 + markupBasisPoints)} + 9999) / 10000`;
  const [newest] = await db.select({ id: sql`coalesce(max(${ledger.id}), 0)`.mapWith(fromWhole) }).from(ledger);
  const others = without();
  const start: SQL<number> = bucketMs === undefined ? sql`0` : sql`(${ledger.heldAt} / ${BigInt(bucketMs)}) * ${BigInt(bucketMs)}`;
  return db
    .select({
      mode: ledger.mode,
      start: sql`${start} AS start`.mapWith(fromWhole),
      spent: sql`coalesce(sum(${cost}), 0)`.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
    })
    .from(ledger)
    .where(
      and(
        eq(ledger.organizationId, organizationId),
        eq(SCOPE_COLUMNS[scope.kind], scope.id),
        gte(ledger.heldAt, from),
        gte(ledger.requestId, firstIdAt(from - LONGEST_CALL_MS)),
        lte(ledger.id, newest?.id ?? 0),
        others.length === 0 ? undefined : notInArray(ledger.attemptId, [...others]),
      ),
    )
    .groupBy(ledger.mode, sql`start`);
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
