// Spend by model, provider, key, tag or day, straight from the ledger. SQLite sums integers in 64 bits and fails on overflow, so
// the sums are exact on both drivers.
import { and, asc, desc, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { nanoUsd } from "../core/money";
import type { UsageDimension, UsageGroup, UsageQuery } from "../core/ports";
import { fromInteger, fromWhole } from "./column";
import type { Db } from "./connection";
import { ledger } from "./schema";

const VALUES: Readonly<Record<UsageDimension, SQL<string | null>>> = {
  model: sql`${ledger.modelServed}`,
  provider: sql`${ledger.provider}`,
  key: sql`${ledger.keyId}`,
  tag: sql`${ledger.tag}`,
  day: sql`strftime('%Y-%m-%d', ${ledger.heldAt} / 1000, 'unixepoch')`,
};

/** No attempt is held later than this after its request came. */
export const LONGEST_CALL_MS = 86_400_000;

/** The lowest UUIDv7 of a millisecond: ids in order are calls in order, so a stretch of time is a stretch of their index. */
export function firstIdAt(unixMs: number): string {
  const hex = Math.max(0, Math.floor(unixMs)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

const total = (column: SQLiteColumn) => sql`coalesce(sum(${column}), 0)`.mapWith(fromInteger);

/** Dearest first; days newest first. Test and live rows are never mixed. */
export async function readUsage(db: Db, query: UsageQuery): Promise<UsageGroup[]> {
  const value = VALUES[query.groupBy];
  const cost = sql`coalesce(sum(${ledger.cost}), 0)`;
  const rows = await db
    .select({
      value: sql<string | null>`${value} AS value`,
      requests: sql`count(DISTINCT ${ledger.requestId})`.mapWith(fromWhole),
      attempts: sql`count(*)`.mapWith(fromWhole),
      inputTokens: total(ledger.inputTokens),
      outputTokens: total(ledger.outputTokens),
      cacheReadInputTokens: total(ledger.cacheReadInputTokens),
      reasoningOutputTokens: total(ledger.reasoningOutputTokens),
      cost: cost.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
      unpriced: sql`sum(${ledger.cost} IS NULL)`.mapWith(fromWhole),
    })
    .from(ledger)
    .where(
      and(
        eq(ledger.organizationId, query.organizationId),
        eq(ledger.mode, query.mode),
        query.keyId === undefined ? undefined : eq(ledger.keyId, query.keyId),
        query.from === undefined
          ? undefined
          : and(gte(ledger.heldAt, query.from), gte(ledger.requestId, firstIdAt(query.from - LONGEST_CALL_MS))),
        query.to === undefined ? undefined : and(lt(ledger.heldAt, query.to), lt(ledger.requestId, firstIdAt(query.to))),
      ),
    )
    .groupBy(sql`1`)
    .orderBy(...(query.groupBy === "day" ? [desc(sql`value`)] : [desc(cost), asc(sql`value`)]))
    .limit(query.limit);
  return rows;
}
