// Usage straight from the ledger's rows, in SQL: what the rollups are held against. SQLite sums integers in 64 bits and fails on
// overflow, so the sums are exact on both drivers.
import { and, between, eq, gte, inArray, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { nanoUsd } from "../core/money";
import type { UsageDimension, UsageGroup, UsagePage, UsageQuery } from "../core/usage-query";
import { fromInteger, fromWhole } from "./column";
import type { Db } from "./connection";
import { ledger } from "./schema";
import { pageOf } from "./usage-page";

const time = (format: string) => sql`strftime(${format}, ${ledger.heldAt} / 1000, 'unixepoch')`;

const VALUES: Readonly<Record<UsageDimension, SQL | SQLiteColumn>> = {
  model: ledger.modelServed,
  provider: ledger.provider,
  key: ledger.keyId,
  tag: ledger.tag,
  user: ledger.user,
  agent: ledger.agent,
  run: ledger.run,
  team: ledger.teamId,
  project: ledger.projectId,
  intent: ledger.intent,
  tier: ledger.tier,
  status: sql`iif(${ledger.errorCode} IS NULL, 'ok', 'error')`,
  day: time("%Y-%m-%d"),
  hour: time("%Y-%m-%dT%H:00:00Z"),
};

/** No attempt is held later than this after its request came. */
export const LONGEST_CALL_MS = 86_400_000;

/** The lowest UUIDv7 of a millisecond: ids in order are calls in order, so a stretch of time is a stretch of their index. */
export function firstIdAt(unixMs: number): string {
  const hex = Math.max(0, Math.floor(unixMs)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** A stretch of the ledger's numbers, both ends included. */
export interface LedgerSpan {
  first: number;
  last: number;
}

/** Every group, in no order. */
export async function readGroups(db: Db, query: UsageQuery, span?: LedgerSpan): Promise<UsageGroup[]> {
  const total = (column: SQLiteColumn) => sql`coalesce(sum(${column}), 0)`.mapWith(fromInteger);
  return db
    .select({
      value: sql<string | null>`${VALUES[query.groupBy]} AS value`,
      requests: sql`sum(${ledger.attemptNumber} = 1)`.mapWith(fromWhole),
      attempts: sql`count(*)`.mapWith(fromWhole),
      inputTokens: total(ledger.inputTokens),
      outputTokens: total(ledger.outputTokens),
      cacheReadInputTokens: total(ledger.cacheReadInputTokens),
      cacheCreationInputTokens: total(ledger.cacheCreationInputTokens),
      reasoningOutputTokens: total(ledger.reasoningOutputTokens),
      inputAudioTokens: total(ledger.inputAudioTokens),
      outputAudioTokens: total(ledger.outputAudioTokens),
      cost: sql`coalesce(sum(${ledger.cost}), 0)`.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
      unpriced: sql`sum(${ledger.cost} IS NULL)`.mapWith(fromWhole),
    })
    .from(ledger)
    .where(
      and(
        // With a stretch of numbers the index of organizations must not be preferred: the plus keeps it out.
        span === undefined ? eq(ledger.organizationId, query.organizationId) : sql`+${ledger.organizationId} = ${query.organizationId}`,
        eq(ledger.mode, query.mode),
        span === undefined ? undefined : between(ledger.id, span.first, span.last),
        ...timesOf(query, span === undefined),
        ...filtersOf(query),
      ),
    )
    .groupBy(sql`1`);
}

export const readUsage = async (db: Db, query: UsageQuery, span?: LedgerSpan): Promise<UsagePage> =>
  pageOf(await readGroups(db, query, span), query);

/** `byIndex`: a stretch of time is a stretch of request ids too. A stretch of the ledger's numbers is quicker to walk by itself. */
const timesOf = ({ from, to }: UsageQuery, byIndex: boolean): (SQL | undefined)[] => [
  from === undefined ? undefined : gte(ledger.heldAt, from),
  to === undefined ? undefined : lt(ledger.heldAt, to),
  from === undefined || !byIndex ? undefined : gte(ledger.requestId, firstIdAt(from - LONGEST_CALL_MS)),
  to === undefined || !byIndex ? undefined : lt(ledger.requestId, firstIdAt(to)),
];

const filtersOf = (query: UsageQuery): SQL[] =>
  (Object.entries(query.filters ?? {}) as [UsageDimension, readonly (string | null)[]][]).map(([dimension, wanted]) => {
    const value = VALUES[dimension];
    const texts = wanted.filter((one) => one !== null);
    const among = texts.length === 0 ? sql`0` : inArray(sql`${value}`, texts);
    return (wanted.includes(null) ? or(isNull(sql`${value}`), among) : among) as SQL;
  });
