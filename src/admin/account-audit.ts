// The audit: one row a call, with what it cost and why it went where it went.
import { Failure } from "../core/failure";
import { type NanoUsd, nanoUsd, usdNumber } from "../core/money";
import type { AuditEntry, LedgerRow, Ports } from "../core/ports";
import type { Usage } from "../core/usage";
import { type KindCosts, kindCosts, kindCostsDocument, PriceReader, sumOfKinds, usdOrNull } from "./account-cost";
import { readLimit, readWindow, refuseOthers } from "./account-query";
import { CALL_FILTERS, readCallFilter, scanAudit } from "./account-scan";
import type { Viewer } from "./account-viewer";

const DEFAULT_PAGE = 50;

/** `cursor`, `limit`, `from`, `to` and what calls can be listed by (account-scan.ts). Newest first. */
export async function auditDocument(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, ["cursor", "limit", "from", "to"], CALL_FILTERS);
  const wanted = readCallFilter(query);
  const { from, to } = readWindow(query);
  const cursor = query.get("cursor") ?? undefined;
  const listing = await scanAudit({ viewer, cursor, limit: readLimit(query.get("limit"), DEFAULT_PAGE), from, to }, wanted, ports);
  const prices = new PriceReader(ports.priceVersions);
  return {
    object: "list",
    data: await Promise.all(listing.data.map((entry) => auditEntry(entry, prices))),
    next_cursor: listing.nextCursor ?? null,
  };
}

/** Throws 404 for a call that this viewer may not see. */
export async function auditEntryDocument(viewer: Viewer, requestId: string, ports: Ports): Promise<object> {
  return auditEntry(await callNamed(viewer, requestId, "request_id", ports), new PriceReader(ports.priceVersions));
}

export async function callNamed(viewer: Viewer, requestId: string, param: string, ports: Ports): Promise<AuditEntry> {
  const { organizationId, onlyKeyId } = viewer;
  const listing = await ports.records.audit({ organizationId, keyId: onlyKeyId, requestId, limit: 1 });
  const entry = listing.data[0];
  if (!entry || entry.mode !== viewer.mode) throw new Failure("not_found", "You made no call with that request id.", { param });
  return entry;
}

async function auditEntry(entry: AuditEntry, prices: PriceReader): Promise<object> {
  const first = entry.attempts[0];
  const last = entry.attempts.at(-1);
  const kinds = await Promise.all(entry.attempts.map((row) => kindCosts(row, prices)));
  return {
    object: "audit_entry",
    request_id: entry.requestId,
    time: new Date(entry.at).toISOString(),
    key_id: entry.keyId,
    team_id: first?.teamId ?? null,
    project_id: first?.projectId ?? null,
    door: entry.door,
    status: entry.status,
    error: entry.errorCode ?? null,
    model_requested: entry.modelRequested ?? null,
    model_served: last?.modelServed ?? null,
    provider: last?.provider ?? null,
    stream: last?.stream ?? null,
    tag: entry.tag ?? null,
    user: first?.user ?? null,
    agent: first?.agent ?? null,
    run: first?.run ?? null,
    intent: intentOf(entry) ?? null,
    tier: first?.tier ?? null,
    ...(entry.mode === "test" ? { test: true } : {}),
    tokens: tokensOfAll(entry.attempts),
    cost_usd: usdOrNull(costOfAll(entry.attempts)),
    cost: kindCostsDocument(sumOfKinds(kinds)),
    latency_ms: latencyOf(entry),
    first_chunk_ms: roundedOrNull(last?.timeToFirstChunkMs),
    decision: decisionOf(entry),
    attempts: entry.attempts.map((row, at) => attemptDocument(row, kinds[at] as KindCosts)),
  };
}

const roundedOrNull = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms));

/** From the first hold to the last settlement, in milliseconds. null: nothing was attempted. */
export function latencyOf({ attempts }: AuditEntry): number | null {
  const [first, last] = [attempts[0], attempts.at(-1)];
  return first === undefined || last === undefined ? null : last.settledAt - first.heldAt;
}

/** As it was stored. null: there was nothing to decide. */
export function decisionOf({ attempts }: AuditEntry): unknown {
  const text = attempts[0]?.decision;
  return text === undefined ? null : (JSON.parse(text) as unknown);
}

/** What the call was for, by its row or by its decision. undefined: nobody told. */
export function intentOf(entry: AuditEntry): string | undefined {
  const told = entry.attempts[0]?.intent;
  if (told !== undefined) return told;
  const decision = decisionOf(entry);
  if (typeof decision !== "object" || decision === null || !("intent" in decision)) return undefined;
  return typeof decision.intent === "string" ? decision.intent : undefined;
}

/** undefined: nothing was attempted, or an attempt had no price. */
export function costOfAll(attempts: readonly LedgerRow[]): NanoUsd | undefined {
  if (attempts.length === 0) return undefined;
  let total = 0n;
  for (const { cost } of attempts) {
    if (cost === undefined) return undefined;
    total += cost;
  }
  return nanoUsd(total);
}

const COUNTS = {
  input: (usage) => usage.inputTokens,
  output: (usage) => usage.outputTokens,
  cache_read: (usage) => usage.cacheReadInputTokens,
  cache_creation: (usage) => usage.cacheCreationInputTokens,
  reasoning: (usage) => usage.reasoningOutputTokens,
} as const satisfies Record<string, (usage: Usage) => number | undefined>;

type Counts = Record<keyof typeof COUNTS, number | null>;

const countsOf = (usage: Usage | undefined): Counts => {
  const count = (kind: keyof Counts) => (usage === undefined ? null : (COUNTS[kind](usage) ?? null));
  return {
    input: count("input"),
    output: count("output"),
    cache_read: count("cache_read"),
    cache_creation: count("cache_creation"),
    reasoning: count("reasoning"),
  };
};

/** What the call consumed, over all attempts that reached a provider. A kind that none of them told is null. */
export function tokensOfAll(attempts: readonly LedgerRow[]): Counts {
  const sum = countsOf(undefined);
  for (const { usage } of attempts) {
    const counts = countsOf(usage);
    for (const kind of Object.keys(COUNTS) as (keyof Counts)[]) {
      const count = counts[kind];
      if (count !== null) sum[kind] = (sum[kind] ?? 0) + count;
    }
  }
  return sum;
}

function attemptDocument(row: LedgerRow, kinds: KindCosts): object {
  return {
    number: row.attemptNumber,
    provider: row.provider,
    model: row.modelServed,
    stream: row.stream,
    upstream_status: row.upstreamStatus ?? null,
    error: row.errorCode ?? null,
    finish_reason: row.finishReason ?? null,
    settlement: row.settlement,
    usage_source: row.usageSource,
    tokens: countsOf(row.usage),
    cost_usd: usdOrNull(row.cost),
    cost: kindCostsDocument(kinds),
    held_usd: row.bound === undefined ? null : usdNumber(row.bound),
    price_version: row.priceVersion ?? null,
    latency_ms: Math.round(row.latencyMs),
    first_chunk_ms: roundedOrNull(row.timeToFirstChunkMs),
    flags: row.flags,
  };
}
