// The memory backend's reads beside the hot path: the same answers as records-query.ts gives.
import type { AttemptRecord } from "../core/attempt";
import type { ScopeKind } from "../core/budget";
import { addUsd, type NanoUsd, nanoUsd, ZERO_USD } from "../core/money";
import type { LedgerRow, Numbered } from "../core/ports";
import type { AdminEvent, CreditEntry, Delivery } from "../core/records";
import type { Analytics } from "./analytics";
import type { Loaded, StoredRecord } from "./backend";
import { ledgerCursor, nextLedgerCursor } from "./ledger-read";
import type { SpentBucket, SpentQuery } from "./spent-query";
import { usageOf } from "./usage-page";

/** What a restart finds of it. */
export interface MemoryRecords {
  /** By kind and id. */
  records: Map<string, StoredRecord>;
  credits: CreditEntry[];
  adminEvents: AdminEvent[];
  deliveries: Map<string, Delivery>;
}

export const memoryRecords = (): MemoryRecords => ({ records: new Map(), credits: [], adminEvents: [], deliveries: new Map() });

export const recordName = (kind: string, id: string): string => JSON.stringify([kind, id]);

/** The id or name of a call's scope. undefined: it has none of that kind. */
export const scopeIdOf = (row: AttemptRecord, kind: ScopeKind): string | undefined => {
  switch (kind) {
    case "organization":
      return row.organizationId;
    case "team":
      return row.teamId;
    case "project":
      return row.projectId;
    case "key":
      return row.keyId;
    case "user":
      return row.user;
    case "agent":
      return row.agent;
    case "run":
      return row.run;
  }
};

/** As SQL has it, in integers. */
export const marked = (cost: NanoUsd, basisPoints: number): NanoUsd => nanoUsd((cost * BigInt(10_000 + basisPoints) + 9_999n) / 10_000n);

export function spentOf(
  ledger: readonly LedgerRow[],
  { organizationId, scope, from, bucketMs, markupBasisPoints = 0 }: SpentQuery,
): SpentBucket[] {
  const buckets = new Map<string, SpentBucket>();
  for (const row of ledger) {
    if (row.organizationId !== organizationId || scopeIdOf(row, scope.kind) !== scope.id || row.heldAt < from) continue;
    const start = bucketMs === undefined ? 0 : Math.floor(row.heldAt / bucketMs) * bucketMs;
    const name = `${row.mode} ${start}`;
    const bucket = buckets.get(name) ?? { mode: row.mode, start, spent: ZERO_USD };
    bucket.spent = addUsd(bucket.spent, marked(row.cost ?? ZERO_USD, markupBasisPoints));
    buckets.set(name, bucket);
  }
  return [...buckets.values()];
}

/** Rows are numbered from 1 in the order of their writing; newest first, one more than `limit` where there is more. */
export function newestOf<T>(rows: readonly T[], wanted: (row: T) => boolean, before: number | undefined, limit: number): Numbered<T>[] {
  return rows
    .map((row, index) => ({ ...row, id: index + 1 }))
    .filter((row) => wanted(row) && (before === undefined || row.id < before))
    .reverse()
    .slice(0, limit + 1);
}

export const deliveriesOf = (data: MemoryRecords, webhookId: string, limit: number): Delivery[] =>
  [...data.deliveries.values()]
    .filter((one) => one.webhookId === webhookId)
    .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
    .slice(0, limit);

export const dueOf = (data: MemoryRecords, now: number, limit: number): Delivery[] =>
  [...data.deliveries.values()]
    .filter((one) => one.status === "waiting" && one.nextAt !== undefined && one.nextAt <= now)
    .sort((a, b) => (a.nextAt ?? 0) - (b.nextAt ?? 0) || (a.id < b.id ? -1 : 1))
    .slice(0, limit);

export function creditSums(credits: readonly CreditEntry[]): Loaded["credits"] {
  const sums = new Map<string, bigint>();
  for (const { accountId, amount } of credits) sums.set(accountId, (sums.get(accountId) ?? 0n) + amount);
  return [...sums].map(([accountId, amount]) => ({ accountId, amount: nanoUsd(amount) }));
}

/** Rows in memory are quick to read: nothing is summed up ahead. */
export const memoryAnalytics = (ledger: readonly LedgerRow[]): Analytics => ({
  usage: async (query) => usageOf(ledger, query),
  rows: async (query) => {
    const after = ledgerCursor(query);
    const { organizationId, mode, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, limit } = query;
    const rows = ledger.filter(
      (row) =>
        row.id > after && row.organizationId === organizationId && (mode ?? row.mode) === row.mode && row.heldAt >= from && row.heldAt < to,
    );
    const data = rows.slice(0, limit);
    return { data, nextCursor: rows.length > limit ? nextLedgerCursor(data.at(-1)?.id ?? after) : undefined };
  },
  spent: async () => [],
  nextWrite: async () => ({ write: undefined, unsummed: 0 }),
  proveBlock: async () => undefined,
  proveFold: async () => undefined,
  close: async () => undefined,
});
