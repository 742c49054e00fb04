// What a key may see of itself: sums, groups of its spend, each of its calls with its cost.
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import { type NanoUsd, nanoUsd, usdNumber } from "../core/money";
import type { AuditEntry, LedgerRow, Ports } from "../core/ports";
import { USAGE_DIMENSIONS, type UsageDimension, type UsageFigures } from "../core/usage-query";
import { keyDocument } from "./keys";

const MAX_PAGE = 1000;
const DEFAULT_PAGE = 50;
const DEFAULT_GROUPS = 100;

export function accountDocument(key: ApiKey, ports: Ports): object {
  const now = ports.clock.now();
  const own = ports.counters.read(`key:${key.id}`, key.mode);
  const organization = ports.counters.read(`organization:${key.organizationId}`, key.mode);
  return {
    object: "account",
    organization: { id: key.organizationId, spent_usd: usdNumber(organization.spent), reserved_usd: usdNumber(organization.reserved) },
    key: { ...keyDocument(key, now), spent_usd: usdNumber(own.spent), reserved_usd: usdNumber(own.reserved) },
    test: key.mode === "test",
    // Credits are not kept yet: nothing is prepaid, so nothing is left or used up.
    balance: null,
  };
}

/** `group_by`, `from`, `to`, `limit`, `cursor` of the query. */
export async function usageDocument(key: ApiKey, query: URLSearchParams, ports: Ports): Promise<object> {
  const groupBy = readDimension(query.get("group_by"));
  const window = readWindow(query);
  const page = await ports.rollups.usage({
    organizationId: key.organizationId,
    filters: { key: [key.id] },
    mode: key.mode,
    groupBy,
    cursor: query.get("cursor") ?? undefined,
    ...window,
    limit: readLimit(query.get("limit"), DEFAULT_GROUPS),
  });
  return {
    object: "list",
    group_by: groupBy,
    data: page.groups.map((group) => ({ [groupBy]: group.value, ...usageFigures(group) })),
    total: usageFigures(page.total),
    next_cursor: page.nextCursor ?? null,
  };
}

function usageFigures(group: UsageFigures): object {
  return {
    requests: group.requests,
    attempts: group.attempts,
    input_tokens: Number(group.inputTokens),
    output_tokens: Number(group.outputTokens),
    cached_input_tokens: Number(group.cacheReadInputTokens),
    reasoning_tokens: Number(group.reasoningOutputTokens),
    cost_usd: usdNumber(group.cost),
    unpriced_attempts: group.unpriced,
  };
}

/** `cursor`, `limit`, `from`, `to` of the query. Newest first. */
export async function auditDocument(key: ApiKey, query: URLSearchParams, ports: Ports): Promise<object> {
  const listing = await ports.records.audit({
    organizationId: key.organizationId,
    keyId: key.id,
    ...readWindow(query),
    cursor: query.get("cursor") ?? undefined,
    limit: readLimit(query.get("limit"), DEFAULT_PAGE),
  });
  return { object: "list", data: listing.data.map(auditEntry), next_cursor: listing.nextCursor ?? null };
}

/** Throws 404 for an id that this key did not make. */
export async function auditEntryDocument(key: ApiKey, requestId: string, ports: Ports): Promise<object> {
  const listing = await ports.records.audit({ organizationId: key.organizationId, keyId: key.id, requestId, limit: 1 });
  const entry = listing.data[0];
  if (!entry) throw new Failure("not_found", "This key made no call with that request id.", { param: "request_id" });
  return auditEntry(entry);
}

function auditEntry(entry: AuditEntry): object {
  const last = entry.attempts.at(-1);
  return {
    object: "audit_entry",
    request_id: entry.requestId,
    time: new Date(entry.at).toISOString(),
    key_id: entry.keyId,
    door: entry.door,
    status: entry.status,
    error: entry.errorCode ?? null,
    model_requested: entry.modelRequested ?? null,
    model_served: last?.modelServed ?? null,
    provider: last?.provider ?? null,
    tag: entry.tag ?? null,
    ...(entry.mode === "test" ? { test: true } : {}),
    cost_usd: costOfAll(entry.attempts),
    latency_ms: last === undefined ? null : last.settledAt - (entry.attempts[0]?.heldAt ?? last.heldAt),
    first_chunk_ms: last?.timeToFirstChunkMs ?? null,
    attempts: entry.attempts.map(attemptDocument),
  };
}

/** null: nothing was attempted, or an attempt had no price. */
function costOfAll(attempts: readonly LedgerRow[]): number | null {
  if (attempts.length === 0) return null;
  let total = 0n;
  for (const { cost } of attempts) {
    if (cost === undefined) return null;
    total += cost;
  }
  return usdNumber(nanoUsd(total));
}

function attemptDocument(row: LedgerRow): object {
  const { usage } = row;
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
    tokens: {
      input: usage?.inputTokens ?? null,
      output: usage?.outputTokens ?? null,
      cache_read: usage?.cacheReadInputTokens ?? null,
      cache_creation: usage?.cacheCreationInputTokens ?? null,
      reasoning: usage?.reasoningOutputTokens ?? null,
    },
    cost_usd: usdOrNull(row.cost),
    held_usd: usdOrNull(row.bound),
    price_version: row.priceVersion ?? null,
    latency_ms: Math.round(row.latencyMs),
    first_chunk_ms: row.timeToFirstChunkMs === undefined ? null : Math.round(row.timeToFirstChunkMs),
    flags: row.flags,
  };
}

const usdOrNull = (amount: NanoUsd | undefined): number | null => (amount === undefined ? null : usdNumber(amount));

function readDimension(text: string | null): UsageDimension {
  const found = USAGE_DIMENSIONS.find((dimension) => dimension === (text ?? "model"));
  if (!found) throw new Failure("invalid_value", `group_by takes one of ${USAGE_DIMENSIONS.join(", ")}.`, { param: "group_by" });
  return found;
}

function readWindow(query: URLSearchParams): { from: number | undefined; to: number | undefined } {
  const from = readTime(query, "from");
  const to = readTime(query, "to");
  if (from !== undefined && to !== undefined && from >= to)
    throw new Failure("invalid_value", "from must be before to.", { param: "from" });
  return { from, to };
}

function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const at = /^\d{1,13}$/.test(text) ? Number(text) * (text.length <= 10 ? 1000 : 1) : Date.parse(text);
  if (Number.isNaN(at))
    throw new Failure("invalid_value", `${name} takes a time such as 2026-11-01T00:00:00Z, or Unix seconds.`, { param: name });
  return at;
}

export function readLimit(text: string | null, otherwise: number): number {
  if (text === null) return otherwise;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_PAGE) throw new Failure("invalid_value", `limit takes 1 to ${MAX_PAGE}.`, { param: "limit" });
  return limit;
}
