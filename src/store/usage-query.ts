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
        query.from === undefined ? undefined : gte(ledger.heldAt, query.from),
        query.to === undefined ? undefined : lt(ledger.heldAt, query.to),
      ),
    )
    .groupBy(sql`1`)
    .orderBy(...(query.groupBy === "day" ? [desc(sql`value`)] : [desc(cost), asc(sql`value`)]))
    .limit(query.limit);
  return rows;
}
