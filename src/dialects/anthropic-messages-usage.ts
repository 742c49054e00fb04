// Anthropic's usage in our meaning: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
import { type NanoUsd, usdNumber } from "../core/money";
import { tierInUs, type Usage } from "../core/usage";
import { countOf, itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

/** What the provider said so far, by its own field names. */
export type AnthropicUsage = Readonly<Record<string, unknown>>;

/** `message_delta` repeats most fields and leaves some out: each replaces, none is added, null says nothing. */
export function mergeAnthropicUsage(earlier: AnthropicUsage, later: JsonObject): AnthropicUsage {
  const merged: Record<string, unknown> = { ...earlier };
  for (const [field, value] of Object.entries(later)) if (value !== null && value !== undefined) merged[field] = value;
  return merged;
}

/** Token counts that a compaction has of its own, beside the answer's. */
const COMPACTED = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"] as const;

/**
 * `input_tokens` leaves out cache reads and writes: our total is the sum of the three. Compactions are billed, and the figures at
 * the top do not hold them; those of every other iteration they do.
 */
export function usageOf(said: AnthropicUsage): Usage {
  const compactions = itemsOf(said["iterations"])
    .map(objectOf)
    .filter((entry) => entry?.["type"] === "compaction");
  if (compactions.length === 0) return usageOfFigures(said);
  const sums: Record<string, unknown> = { ...said };
  for (const name of COMPACTED) sums[name] = sumOf([said, ...compactions], name);
  const written = [said, ...compactions].map((entry) => objectOf(entry?.["cache_creation"]));
  sums["cache_creation"] = { ephemeral_1h_input_tokens: sumOf(written, "ephemeral_1h_input_tokens") };
  return usageOfFigures(sums);
}

/** undefined: none of them says it. */
function sumOf(entries: readonly (AnthropicUsage | undefined)[], name: string): number | undefined {
  const told = entries.map((entry) => countOf(entry?.[name])).filter((count) => count !== undefined);
  return told.length === 0 ? undefined : told.reduce((sum, count) => sum + count, 0);
}

function usageOfFigures(said: AnthropicUsage): Usage {
  const lifetimes = objectOf(said["cache_creation"]);
  const uncached = countOf(said["input_tokens"]);
  const read = countOf(said["cache_read_input_tokens"]);
  const created = countOf(said["cache_creation_input_tokens"]);
  return {
    inputTokens: uncached === undefined ? undefined : uncached + (read ?? 0) + (created ?? 0),
    outputTokens: countOf(said["output_tokens"]),
    cacheReadInputTokens: read,
    cacheCreationInputTokens: created,
    cacheCreation1hInputTokens: countOf(lifetimes?.["ephemeral_1h_input_tokens"]),
    reasoningOutputTokens: countOf(objectOf(said["output_tokens_details"])?.["thinking_tokens"]),
    toolCalls: toolCallsOf(objectOf(said["server_tool_use"])),
    serviceTier: tierOf(said),
  };
}

/** Fast mode has rates of its own, whatever the tier, and so has the US, which a workspace's default may have chosen. */
function tierOf(said: AnthropicUsage): string | undefined {
  const tier = said["speed"] === "fast" ? "fast" : textOf(said["service_tier"]);
  const rated = tier === undefined || tier === "fast" || tier === "standard";
  return rated && said["inference_geo"] === "us" ? tierInUs(tier) : tier;
}

/** Hosted tools by the name their fee has: `web_search_requests` → `web_search`. */
function toolCallsOf(said: JsonObject | undefined): Usage["toolCalls"] {
  if (!said) return undefined;
  const calls: Record<string, number> = {};
  for (const [field, value] of Object.entries(said)) {
    const count = countOf(value);
    if (count !== undefined && field.endsWith("_requests")) calls[field.slice(0, -"_requests".length)] = count;
  }
  return Object.keys(calls).length > 0 ? calls : undefined;
}

/** OpenAI's words for the tiers; one that Anthropic has no word for is not told. */
const TIERS: Readonly<Record<string, string>> = {
  default: "standard",
  standard: "standard",
  priority: "priority",
  batch: "batch",
  us: "standard",
};

/**
 * The `usage` object of an answer, with our cost: `input_tokens` less what was read from caches and written to them. null is
 * *not known*, but for the two figures whose type is number: they are 0 then, as Anthropic's own placeholders are.
 */
export function encodeAnthropicUsage(usage: Usage | undefined, costUsd: NanoUsd | undefined): Record<string, unknown> {
  const read = usage?.cacheReadInputTokens;
  const created = usage?.cacheCreationInputTokens;
  const created1h = usage?.cacheCreation1hInputTokens;
  const tier = usage?.serviceTier;
  const thinking = usage?.reasoningOutputTokens;
  return {
    input_tokens: Math.max(0, (usage?.inputTokens ?? 0) - (read ?? 0) - (created ?? 0)),
    cache_creation_input_tokens: created ?? null,
    cache_read_input_tokens: read ?? null,
    cache_creation:
      created === undefined
        ? null
        : { ephemeral_5m_input_tokens: Math.max(0, created - (created1h ?? 0)), ephemeral_1h_input_tokens: created1h ?? 0 },
    output_tokens: usage?.outputTokens ?? 0,
    output_tokens_details: thinking === undefined ? null : { thinking_tokens: thinking },
    server_tool_use: serverToolsOf(usage?.toolCalls),
    service_tier: (tier === undefined ? undefined : TIERS[tier]) ?? null,
    speed: tier === "fast" || tier === "fast-us" ? "fast" : null,
    inference_geo: tier === "us" || tier === "fast-us" ? "us" : null,
    ...(costUsd === undefined ? {} : { cost: usdNumber(costUsd) }),
  };
}

/** `web_search` → `web_search_requests`: the inverse of `toolCallsOf`. */
function serverToolsOf(calls: Usage["toolCalls"]): Record<string, number> | null {
  if (!calls) return null;
  const known = { web_search_requests: 0, web_fetch_requests: 0 };
  return { ...known, ...Object.fromEntries(Object.entries(calls).map(([name, count]) => [`${name}_requests`, count])) };
}
