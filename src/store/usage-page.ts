// Groups of usage in their order, page by page: the same for every way in which they were summed.
import { addUsd, ZERO_USD } from "../core/money";
import type { LedgerRow } from "../core/ports";
import type { UsageDimension, UsageFigures, UsageGroup, UsagePage, UsageQuery } from "../core/usage-query";
import { badCursor, cursorOf, readPage } from "./cursor";

/** A group's place in the order. */
interface UsagePlace {
  cost: bigint;
  value: string | null;
}

/** Where the page before ended. */
export interface UsageCursor extends UsagePlace {
  /**
   * The last ledger id that the first page saw: all pages of a walk are of the same rows. Calls are written when they end, by the time
   * when they began, so that no stretch of time would stay as it is, and a group that grew would move past the walk.
   */
  reach: number;
}

const kindOf = (query: UsageQuery) => `usage-${query.groupBy}`;

export const isTime = (dimension: UsageDimension): dimension is "day" | "hour" => dimension === "day" || dimension === "hour";

/** Throws `invalid_value` for a limit or a cursor that is not ours. undefined: the first page. */
export function usageCursor(query: UsageQuery): UsageCursor | undefined {
  const text = readPage(kindOf(query), query);
  if (text === undefined) return undefined;
  const match = /^(\d{1,15})@(\d+)(?:\/(.*))?$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) throw badCursor();
  return { reach: Number(match[1]), cost: BigInt(match[2]), value: match[3] ?? null };
}

const nextUsageCursor = (query: UsageQuery, reach: number, last: UsageGroup): string =>
  cursorOf(kindOf(query), `${reach}@${last.cost}${last.value === null ? "" : `/${last.value}`}`);

/** SQLite's order of texts: null first, then by bytes. */
export function compareValues(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Dearest first, then by value; days and hours newest first. */
export function compareGroups(groupBy: UsageDimension, a: UsagePlace, b: UsagePlace): number {
  if (isTime(groupBy)) return compareValues(b.value, a.value);
  if (a.cost !== b.cost) return a.cost < b.cost ? 1 : -1;
  return compareValues(a.value, b.value);
}

export const noUsage = (): UsageFigures => ({
  requests: 0,
  attempts: 0,
  inputTokens: 0n,
  outputTokens: 0n,
  cacheReadInputTokens: 0n,
  cacheCreationInputTokens: 0n,
  reasoningOutputTokens: 0n,
  inputAudioTokens: 0n,
  outputAudioTokens: 0n,
  cost: ZERO_USD,
  unpriced: 0,
});

export function addUsage(into: UsageFigures, more: UsageFigures): void {
  into.requests += more.requests;
  into.attempts += more.attempts;
  into.inputTokens += more.inputTokens;
  into.outputTokens += more.outputTokens;
  into.cacheReadInputTokens += more.cacheReadInputTokens;
  into.cacheCreationInputTokens += more.cacheCreationInputTokens;
  into.reasoningOutputTokens += more.reasoningOutputTokens;
  into.inputAudioTokens += more.inputAudioTokens;
  into.outputAudioTokens += more.outputAudioTokens;
  into.cost = addUsd(into.cost, more.cost);
  into.unpriced += more.unpriced;
}

/** One page of all the groups. `reach`: the last ledger id that was looked at. */
export function pageOf(groups: UsageGroup[], query: UsageQuery, reach: number): UsagePage {
  const after = usageCursor(query);
  const total = noUsage();
  for (const group of groups) addUsage(total, group);
  const rest = after === undefined ? groups : groups.filter((group) => compareGroups(query.groupBy, group, after) > 0);
  rest.sort((a, b) => compareGroups(query.groupBy, a, b));
  const page = rest.slice(0, query.limit);
  const last = page.at(-1);
  return { groups: page, total, nextCursor: rest.length > page.length && last ? nextUsageCursor(query, reach, last) : undefined };
}

/** What an attempt counts as. null: it has no such value. */
export function dimensionOf(row: LedgerRow, dimension: UsageDimension): string | null {
  switch (dimension) {
    case "model":
      return row.modelServed;
    case "key":
      return row.keyId;
    case "team":
      return row.teamId ?? null;
    case "project":
      return row.projectId ?? null;
    case "provider":
      return row.provider;
    case "tag":
    case "user":
    case "agent":
    case "run":
    case "intent":
    case "tier":
      return row[dimension] ?? null;
    case "status":
      return row.errorCode === undefined ? "ok" : "error";
    case "day":
      return dayOf(row.heldAt);
    case "hour":
      return hourOf(row.heldAt);
  }
}

/** "2026-11-23" of Unix milliseconds, in UTC. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
/** "2026-11-23T14:00:00Z" of Unix milliseconds. */
export const hourOf = (at: number): string => `${new Date(at).toISOString().slice(0, 13)}:00:00Z`;

/** One attempt's own figures. */
export const figuresOf = ({ usage, attemptNumber, cost }: LedgerRow): UsageFigures => ({
  requests: attemptNumber === 1 ? 1 : 0,
  attempts: 1,
  inputTokens: BigInt(usage?.inputTokens ?? 0),
  outputTokens: BigInt(usage?.outputTokens ?? 0),
  cacheReadInputTokens: BigInt(usage?.cacheReadInputTokens ?? 0),
  cacheCreationInputTokens: BigInt(usage?.cacheCreationInputTokens ?? 0),
  reasoningOutputTokens: BigInt(usage?.reasoningOutputTokens ?? 0),
  inputAudioTokens: BigInt(usage?.inputAudioTokens ?? 0),
  outputAudioTokens: BigInt(usage?.outputAudioTokens ?? 0),
  cost: cost ?? ZERO_USD,
  unpriced: cost === undefined ? 1 : 0,
});

/** The answer from the rows themselves, in memory. */
export function usageOf(rows: readonly LedgerRow[], query: UsageQuery): UsagePage {
  const reach = usageCursor(query)?.reach ?? rows.reduce((last, row) => Math.max(last, row.id), 0);
  const groups = new Map<string | null, UsageGroup>();
  const filters = Object.entries(query.filters ?? {}) as [UsageDimension, readonly (string | null)[]][];
  for (const row of rows) {
    if (row.id > reach) continue;
    if (row.organizationId !== query.organizationId || row.mode !== query.mode) continue;
    if ((query.from !== undefined && row.heldAt < query.from) || (query.to !== undefined && row.heldAt >= query.to)) continue;
    if (!filters.every(([dimension, wanted]) => wanted.includes(dimensionOf(row, dimension)))) continue;
    const value = dimensionOf(row, query.groupBy);
    let group = groups.get(value);
    if (group === undefined) {
      group = { value, ...noUsage() };
      groups.set(value, group);
    }
    addUsage(group, figuresOf(row));
  }
  return pageOf([...groups.values()], query, reach);
}
