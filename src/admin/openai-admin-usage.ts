// OpenAI's usage and costs: the rollups in buckets of time, grouped by what its clients call the same things.
// https://platform.openai.com/docs/api-reference/usage
import { Failure } from "../core/failure";
import { usdNumber } from "../core/money";
import type { Ports } from "../core/ports";
import type { UsageDimension, UsageFigures, UsageFilters } from "../core/usage-query";
import { readLimit, readValues, refuseOthers } from "./account-query";
import type { Viewer } from "./account-viewer";
import { giveWay } from "./give-way";

const WIDTHS = {
  "1m": { ms: 60_000, limit: 60, most: 1_440 },
  "1h": { ms: 3_600_000, limit: 24, most: 168 },
  "1d": { ms: 86_400_000, limit: 7, most: 31 },
} as const;
type Width = keyof typeof WIDTHS;
const COST_DAYS_MOST = 180;

/** OpenAI's words for what we group by. */
const GROUPS: Readonly<Record<string, UsageDimension>> = {
  project_id: "project",
  user_id: "user",
  api_key_id: "key",
  model: "model",
  line_item: "model",
};
const LISTS: Readonly<Record<string, UsageDimension>> = {
  project_ids: "project",
  user_ids: "user",
  api_key_ids: "key",
  models: "model",
  line_items: "model",
};
/** Questions to the rollups behind one answer: milliseconds each. */
const QUESTIONS_MAX = 2_000;
const GROUPS_MAX = 1_000;

interface Asked {
  readonly viewer: Viewer;
  readonly startMs: number;
  readonly endMs: number;
  readonly width: number;
  readonly limit: number;
  readonly groupBy: readonly string[];
  readonly filters: UsageFilters;
}

interface Result {
  /** OpenAI's word of each group asked for, with its value. */
  readonly groups: Readonly<Record<string, string | null>>;
  readonly figures: UsageFigures;
}

/** What can be asked of one of OpenAI's usage endpoints, and its `object`. */
export interface UsageEndpoint {
  readonly result: string;
  /** Which of our calls it counts; undefined: none, there is no door for them. */
  readonly of: "chat" | "embeddings" | undefined;
}

export const USAGE_ENDPOINTS: Readonly<Record<string, UsageEndpoint>> = {
  completions: { result: "organization.usage.completions.result", of: "chat" },
  embeddings: { result: "organization.usage.embeddings.result", of: "embeddings" },
  images: { result: "organization.usage.images.result", of: undefined },
  audio_speeches: { result: "organization.usage.audio_speeches.result", of: undefined },
  audio_transcriptions: { result: "organization.usage.audio_transcriptions.result", of: undefined },
  moderations: { result: "organization.usage.moderations.result", of: undefined },
};

export async function usageBuckets(viewer: Viewer, endpoint: UsageEndpoint, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, [...PAGING, "batch"], ["group_by", "project_ids", "user_ids", "api_key_ids", "models"]);
  const asked = readAsked(viewer, query, ["project_id", "user_id", "api_key_id", "model", "batch"], ports);
  const { of } = endpoint;
  // No call of ours is a batch.
  const none = of === undefined || query.get("batch") === "true";
  const narrowed = none ? undefined : await onlyCallsOf(of, asked, ports);
  return bucketsOf(
    asked,
    narrowed,
    ({ groups, figures }) => ({ object: endpoint.result, ...usageFigures(of, figures), ...groupFields(groups, asked) }),
    ports,
  );
}

/** Amounts of calls whose model has no price are in no bucket: they are not known. */
export async function costBuckets(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, PAGING, ["group_by", "project_ids", "user_ids", "api_key_ids", "line_items"]);
  if ((query.get("bucket_width") ?? "1d") !== "1d")
    throw new Failure("invalid_value", "bucket_width takes 1d here.", { param: "bucket_width" });
  const asked = readAsked(viewer, query, ["project_id", "user_id", "api_key_id", "line_item"], ports, COST_DAYS_MOST);
  const entry = ({ groups, figures }: Result) => ({
    object: "organization.costs.result",
    amount: { value: usdNumber(figures.cost), currency: "usd" },
    line_item: groups["line_item"] ?? null,
    project_id: groups["project_id"] ?? null,
    user_id: groups["user_id"] ?? null,
    api_key_id: groups["api_key_id"] ?? null,
    quantity: null,
    quantity_unit: null,
  });
  return bucketsOf(asked, asked.filters, entry, ports);
}

const PAGING = ["start_time", "end_time", "bucket_width", "limit", "page"] as const;

/** What was not grouped by is null. */
const groupFields = (groups: Result["groups"], { groupBy }: Asked): object => ({
  project_id: groups["project_id"] ?? null,
  user_id: groups["user_id"] ?? null,
  api_key_id: groups["api_key_id"] ?? null,
  model: groups["model"] ?? null,
  batch: groupBy.includes("batch") ? false : null,
});

/** `num_model_requests` are requests to models: attempts. */
function usageFigures(of: UsageEndpoint["of"], figures: UsageFigures): object {
  const input = { input_tokens: Number(figures.inputTokens), num_model_requests: figures.attempts };
  if (of !== "chat") return input;
  return {
    ...input,
    output_tokens: Number(figures.outputTokens),
    input_cached_tokens: Number(figures.cacheReadInputTokens),
    input_cache_write_tokens: Number(figures.cacheCreationInputTokens),
    input_audio_tokens: Number(figures.inputAudioTokens),
    output_audio_tokens: Number(figures.outputAudioTokens),
    service_tier: null,
  };
}

function readAsked(viewer: Viewer, query: URLSearchParams, groups: readonly string[], ports: Ports, daysMost?: number): Asked {
  const width = readWidth(query);
  const { ms, limit, most } = WIDTHS[width];
  const startMs = readSeconds(query, "start_time");
  if (startMs === undefined) throw new Failure("missing_required_parameter", "start_time takes Unix seconds.", { param: "start_time" });
  const now = ports.clock.now();
  const asked = readSeconds(query, "end_time");
  if (asked !== undefined && asked <= startMs)
    throw new Failure("invalid_value", "end_time must be after start_time.", { param: "end_time" });
  const endMs = Math.min(asked ?? now, now + ms);
  if (endMs <= startMs) throw new Failure("invalid_value", "start_time is still to come.", { param: "start_time" });
  const groupBy = [...new Set(readValues(query, "group_by") ?? [])];
  const strange = groupBy.find((name) => !groups.includes(name));
  if (strange !== undefined) throw new Failure("unsupported_parameter", `group_by takes ${groups.join(", ")} here.`, { param: "group_by" });
  const first = readPage(query) ?? startMs;
  return {
    viewer,
    startMs: Math.max(first, startMs),
    endMs,
    width: ms,
    limit: readLimit(query.get("limit"), limit, daysMost ?? most),
    groupBy,
    filters: readFilters(query),
  };
}

function readWidth(query: URLSearchParams): Width {
  const text = query.get("bucket_width") ?? "1d";
  if (text === "1m" || text === "1h" || text === "1d") return text;
  throw new Failure("invalid_value", "bucket_width takes 1m, 1h or 1d.", { param: "bucket_width" });
}

/** Unix seconds, as milliseconds. */
function readSeconds(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d{1,11}$/.test(text)) throw new Failure("invalid_value", `${name} takes Unix seconds.`, { param: name });
  return Number(text) * 1000;
}

const PAGE = /^page_(\d{1,14})$/;

/** A page is named by the time of its first bucket. */
function readPage(query: URLSearchParams): number | undefined {
  const text = query.get("page");
  if (text === null || text === "") return undefined;
  const at = PAGE.exec(text)?.[1];
  if (at === undefined) throw new Failure("invalid_value", "page takes the next_page of an answer.", { param: "page" });
  return Number(at);
}

function readFilters(query: URLSearchParams): UsageFilters {
  const filters: Partial<Record<UsageDimension, readonly string[]>> = {};
  for (const [name, dimension] of Object.entries(LISTS)) {
    const values = readValues(query, name);
    if (values !== undefined) filters[dimension] = values;
  }
  return filters;
}

/**
 * Rows do not say by which door they came, their models do: vectors are made by models of vectors, and by no other. undefined: no call
 * of this kind.
 */
async function onlyCallsOf(kind: "chat" | "embeddings", asked: Asked, ports: Ports): Promise<UsageFilters | undefined> {
  const questions = new Questions(asked, ports);
  const models = (await questions.groups("model", asked.filters, asked.startMs, asked.endMs)).map(({ value }) => value);
  const vectors = models.filter((model) => makesVectors(model, asked.viewer, ports));
  if (kind === "chat" && vectors.length === 0) return asked.filters;
  const wanted = kind === "embeddings" ? vectors : models.filter((model) => !vectors.includes(model));
  return wanted.length === 0 ? undefined : { ...asked.filters, model: wanted };
}

function makesVectors(model: string | null, { organizationId }: Viewer, ports: Ports): boolean {
  if (model === null) return false;
  const now = ports.clock.now();
  for (const { provider } of ports.connections.connected(organizationId)) {
    const known = ports.prices.model(provider, model, now);
    if (known && known.outputModalities.length > 0) return known.outputModalities.includes("embedding");
  }
  // A machine of the operator's own: all there is, is the name.
  return /embed/i.test(model);
}

/** Asks the rollups, and counts how often. */
class Questions {
  readonly #asked: Asked;
  readonly #ports: Ports;
  #count = 0;

  constructor(asked: Asked, ports: Ports) {
    this.#asked = asked;
    this.#ports = ports;
  }

  /** Every group, of as many pages as there are. */
  async groups(groupBy: UsageDimension, filters: UsageFilters, from: number, to: number) {
    const { organizationId, mode } = this.#asked.viewer;
    const groups = [];
    let cursor: string | undefined;
    do {
      await this.#take();
      const page = await this.#ports.rollups.usage({ organizationId, mode, groupBy, filters, from, to, limit: GROUPS_MAX, cursor });
      groups.push(...page.groups);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return groups;
  }

  async total(filters: UsageFilters, from: number, to: number): Promise<UsageFigures> {
    await this.#take();
    const { organizationId, mode } = this.#asked.viewer;
    return (await this.#ports.rollups.usage({ organizationId, mode, groupBy: "status", filters, from, to, limit: 1 })).total;
  }

  async #take(): Promise<void> {
    if (this.#count > 0) await giveWay();
    if (++this.#count > QUESTIONS_MAX)
      throw new Failure("invalid_value", "That is too much for one answer: group by less, or ask for fewer buckets.", {
        param: "group_by",
      });
  }
}

/** `filters` undefined: nothing can be in any bucket. */
async function bucketsOf(
  asked: Asked,
  filters: UsageFilters | undefined,
  entry: (result: Result) => object,
  ports: Ports,
): Promise<object> {
  const { width, endMs, limit } = asked;
  const bounds: { start: number; end: number }[] = [];
  let start = asked.startMs;
  while (start < endMs && bounds.length < limit) {
    // Buckets stand on the days, hours and minutes of UTC; the first and the last may be cut.
    const end = Math.min(endMs, Math.floor(start / width) * width + width);
    bounds.push({ start, end });
    start = end;
  }
  const questions = new Questions(asked, ports);
  const last = bounds.at(-1)?.end ?? asked.startMs;
  const stretches = filters === undefined ? new Map<string, UsageFigures>() : await stretchesWithCalls(questions, filters, asked, last);
  const data = [];
  for (const bucket of bounds) {
    const stretch = stretches.get(stretchOf(bucket.start, width));
    const results = stretch && filters !== undefined ? await resultsIn(questions, asked, filters, bucket, stretch) : [];
    data.push({ object: "bucket", start_time: secondsOf(bucket.start), end_time: secondsOf(bucket.end), results: results.map(entry) });
  }
  const hasMore = start < endMs;
  return { object: "page", data, has_more: hasMore, next_page: hasMore ? `page_${start}` : null };
}

const secondsOf = (unixMs: number): number => Math.ceil(unixMs / 1000);

/** The day, or for shorter buckets the hour, as the rollups name it. */
const stretchOf = (at: number, width: number): string =>
  width === WIDTHS["1d"].ms ? new Date(at).toISOString().slice(0, 10) : `${new Date(at).toISOString().slice(0, 13)}:00:00Z`;

/** Most buckets of most organizations are empty: they need no question of their own. */
async function stretchesWithCalls(
  questions: Questions,
  filters: UsageFilters,
  asked: Asked,
  to: number,
): Promise<ReadonlyMap<string, UsageFigures>> {
  if (asked.startMs >= to) return new Map();
  const dimension = asked.width === WIDTHS["1d"].ms ? "day" : "hour";
  const groups = await questions.groups(dimension, filters, asked.startMs, to);
  return new Map(groups.map(({ value, ...figures }) => [value ?? "", figures]));
}

/** `stretch`: the figures of the day or the hour that the bucket is in. */
async function resultsIn(
  questions: Questions,
  asked: Asked,
  filters: UsageFilters,
  bucket: { start: number; end: number },
  stretch: UsageFigures,
): Promise<readonly Result[]> {
  const names = asked.groupBy.filter((name) => name in GROUPS);
  if (names.length === 0 && asked.width !== WIDTHS["1m"].ms) return [{ groups: {}, figures: stretch }];
  const within = async (left: readonly string[], narrowed: UsageFilters, groups: Result["groups"]): Promise<readonly Result[]> => {
    const [name, ...rest] = left;
    const dimension = name === undefined ? undefined : GROUPS[name];
    if (name === undefined || dimension === undefined) {
      const figures = await questions.total(narrowed, bucket.start, bucket.end);
      return figures.attempts === 0 ? [] : [{ groups, figures }];
    }
    const found = await questions.groups(dimension, narrowed, bucket.start, bucket.end);
    if (rest.length === 0) return found.map(({ value, ...figures }) => ({ groups: { ...groups, [name]: value }, figures }));
    const results: Result[] = [];
    for (const { value } of found)
      results.push(...(await within(rest, { ...narrowed, [dimension]: [value] }, { ...groups, [name]: value })));
    return results;
  };
  return within(names, filters, {});
}
