// Token counts in Chat Completions: totals include their parts, as ours do.
// https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage
import { addUsd, type NanoUsd, nanoUsd, usdNumber } from "../core/money";
import type { Usage } from "../core/usage";
import type { Deviations } from "./dialect";
import { countOf, type JsonObject, objectOf, textOf } from "./provider-json";

/**
 * What a `usage` object says. Providers differ in where cached tokens stand (in the details, beside them, or as cache hits), in
 * where they tell the tier, and in whether reasoning and audio are inside the totals (deviations).
 */
export function decodeUsage(said: JsonObject, serviceTier: string | undefined, deviations: Deviations): Usage {
  const input = objectOf(said["prompt_tokens_details"]);
  const output = objectOf(said["completion_tokens_details"]);
  return {
    ...totalsOf(said, deviations),
    cacheReadInputTokens: countOf(input?.["cached_tokens"]) ?? countOf(said["cached_tokens"]) ?? countOf(said["prompt_cache_hit_tokens"]),
    cacheCreationInputTokens: countOf(input?.["cache_write_tokens"]),
    reasoningOutputTokens: reasoningOf(said),
    inputAudioTokens: countOf(input?.["audio_tokens"]),
    outputAudioTokens: countOf(output?.["audio_tokens"]),
    // OpenAI's own has no such member; the details of others hold 0 for every text model.
    outputImageTokens: countOf(output?.["image_tokens"]) || undefined,
    toolCalls: searchesOf(said),
    serviceTier: serviceTier ?? textOf(said["service_tier"]),
    reportedCost: reportedCostOf(said),
  };
}

const reasoningOf = (said: JsonObject): number | undefined =>
  countOf(objectOf(said["completion_tokens_details"])?.["reasoning_tokens"]) ?? countOf(said["reasoning_tokens"]);

/** Both totals with their parts inside. What stands beside a total is added, unless the provider's own sum shows that it is inside. */
export function totalsOf(said: JsonObject, deviations: Deviations): { inputTokens: number | undefined; outputTokens: number | undefined } {
  const input = countOf(said["prompt_tokens"]);
  const output = countOf(said["completion_tokens"]);
  const told = { inputTokens: input, outputTokens: output };
  if (!deviations.reasoningBesideCompletion && !deviations.audioBesidePrompt) return told;
  const total = countOf(said["total_tokens"]);
  if (input === undefined || output === undefined || total === input + output) return told;
  const audio = deviations.audioBesidePrompt ? (countOf(objectOf(said["prompt_tokens_details"])?.["audio_tokens"]) ?? 0) : 0;
  // A provider that does not divide its output still sums it up.
  const unnamed = total === undefined ? 0 : Math.max(0, total - input - audio - output);
  const reasoning = deviations.reasoningBesideCompletion ? (reasoningOf(said) ?? unnamed) : 0;
  return { inputTokens: input + audio, outputTokens: output + reasoning };
}

/** Searches that are charged beside the tokens. None made is nothing told: most models have no price for them. */
function searchesOf(said: JsonObject): Usage["toolCalls"] {
  const made =
    countOf(said["num_search_queries"]) ??
    countOf(objectOf(said["server_tool_use"])?.["web_search_requests"]) ??
    countOf(objectOf(said["server_tool_use_details"])?.["web_search_requests"]);
  return made ? { web_search: made } : undefined;
}

/**
 * The cost in the provider's own words: a number (with what the operator's own key cost upstream beside it), an object with a
 * sum, or ticks of 1e-10 USD. A sum or ticks of 0 stand where nothing is told yet, or nothing is known: not told.
 */
export function reportedCostOf(said: JsonObject): NanoUsd | undefined {
  const { cost } = said;
  if (typeof cost === "number") {
    const upstream = said["is_byok"] === true ? objectOf(said["cost_details"])?.["upstream_inference_cost"] : undefined;
    return typeof upstream === "number" ? sumOf(costOf(cost), costOf(upstream)) : costOf(cost);
  }
  const sum = costOf(objectOf(cost)?.["total_cost"]);
  if (sum !== undefined && sum > 0n) return sum;
  const ticks = countOf(said["cost_in_usd_ticks"]);
  return ticks ? nanoUsd((BigInt(ticks) + TICKS_PER_NANO - 1n) / TICKS_PER_NANO) : undefined;
}

const TICKS_PER_NANO = 10n;

const sumOf = (a: NanoUsd | undefined, b: NanoUsd | undefined): NanoUsd | undefined =>
  a === undefined || b === undefined ? (a ?? b) : addUsd(a, b);

const DECIMALS = 15;

/** A cost in USD as a JSON number, rounded up to the nano-USD. */
function costOf(value: unknown): NanoUsd | undefined {
  if (typeof value !== "number" || !(value >= 0 && value < 1e6)) return undefined;
  const [whole = "0", fraction = ""] = value.toFixed(DECIMALS).split(".");
  const finest = BigInt(whole + fraction.padEnd(DECIMALS, "0"));
  const perNano = 10n ** BigInt(DECIMALS - 9);
  return nanoUsd((finest + perNano - 1n) / perNano);
}

/** The `usage` object of an answer, with our cost. What is not known is left out; undefined where nothing is. */
export function encodeUsage(usage: Usage | undefined, costUsd: NanoUsd | undefined): Record<string, unknown> | undefined {
  const said = known({
    prompt_tokens: usage?.inputTokens,
    completion_tokens: usage?.outputTokens,
    total_tokens: usage?.inputTokens === undefined || usage.outputTokens === undefined ? undefined : usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: known({
      cached_tokens: usage?.cacheReadInputTokens,
      cache_write_tokens: usage?.cacheCreationInputTokens,
      audio_tokens: usage?.inputAudioTokens,
    }),
    completion_tokens_details: known({
      reasoning_tokens: usage?.reasoningOutputTokens,
      audio_tokens: usage?.outputAudioTokens,
    }),
    cost: costUsd === undefined ? undefined : usdNumber(costUsd),
  });
  return said;
}

function known(fields: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const told = Object.entries(fields).filter(([, value]) => value !== undefined);
  return told.length === 0 ? undefined : Object.fromEntries(told);
}
