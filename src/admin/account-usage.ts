// Usage by any dimension: a key's own, or its organization's.
import { type NanoUsd, usdNumber } from "../core/money";
import type { Ports } from "../core/ports";
import { USAGE_DIMENSIONS, type UsageDimension, type UsageFigures, type UsageFilters } from "../core/usage-query";
import { readChoice, readLimit, readValues, readWindow, refuseOthers } from "./account-query";
import type { Viewer } from "./account-viewer";

const DEFAULT_GROUPS = 100;

/** Stretches of time are asked for with `from` and `to`. */
const FILTERS = USAGE_DIMENSIONS.filter((dimension) => dimension !== "day" && dimension !== "hour");

/** `group_by`, `from`, `to`, `limit`, `cursor` of the query, and any dimension as a filter: `tag=a&tag=b`, `tag=` for calls without one. */
export async function usageDocument(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, ["group_by", "from", "to", "limit", "cursor"], FILTERS);
  const groupBy = readChoice<UsageDimension>(query, "group_by", USAGE_DIMENSIONS, "model");
  const page = await ports.rollups.usage({
    organizationId: viewer.organizationId,
    mode: viewer.mode,
    groupBy,
    filters: narrowed(viewer, readFilters(query)),
    ...readWindow(query),
    limit: readLimit(query.get("limit"), DEFAULT_GROUPS),
    cursor: query.get("cursor") ?? undefined,
  });
  return {
    object: "list",
    group_by: groupBy,
    data: page.groups.map((group) => ({ [groupBy]: group.value, ...usageFigures(group) })),
    total: usageFigures(page.total),
    next_cursor: page.nextCursor ?? null,
    ...(viewer.mode === "test" ? { test: true } : {}),
  };
}

function readFilters(query: URLSearchParams): UsageFilters {
  const filters: Partial<Record<UsageDimension, readonly (string | null)[]>> = {};
  for (const dimension of FILTERS) {
    const values = readValues(query, dimension);
    if (values !== undefined) filters[dimension] = values.map((value) => (value === "" ? null : value));
  }
  return filters;
}

/** A key that sees only itself gets nothing at all of another key's. */
export function narrowed({ onlyKeyId }: Viewer, filters: UsageFilters): UsageFilters {
  if (onlyKeyId === undefined) return filters;
  const others = filters.key !== undefined && !filters.key.includes(onlyKeyId);
  return { ...filters, key: others ? [] : [onlyKeyId] };
}

const usageFigures = (figures: UsageFigures): object => ({
  requests: figures.requests,
  attempts: figures.attempts,
  input_tokens: Number(figures.inputTokens),
  output_tokens: Number(figures.outputTokens),
  cached_input_tokens: Number(figures.cacheReadInputTokens),
  cache_write_tokens: Number(figures.cacheCreationInputTokens),
  reasoning_tokens: Number(figures.reasoningOutputTokens),
  input_audio_tokens: Number(figures.inputAudioTokens),
  output_audio_tokens: Number(figures.outputAudioTokens),
  cost_usd: usdNumber(figures.cost),
  unpriced_attempts: figures.unpriced,
});

/** What the viewer spent from an instant (Unix milliseconds) on. */
export async function spentSince(viewer: Viewer, from: number, ports: Ports): Promise<NanoUsd> {
  const { organizationId, mode } = viewer;
  const { total } = await ports.rollups.usage({ organizationId, mode, groupBy: "status", filters: narrowed(viewer, {}), from, limit: 1 });
  return total.cost;
}
