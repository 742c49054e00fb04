// Token counts in Chat Completions: totals include their parts, as ours do.
// https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage
import { type NanoUsd, nanoUsd, usdNumber } from "../core/money";
import type { Usage } from "../core/usage";
import { countOf, type JsonObject, objectOf } from "./provider-json";

/** What a `usage` object says. Providers differ in where cached tokens stand: in the details, beside them, or as cache hits. */
export function decodeUsage(said: JsonObject, serviceTier: string | undefined): Usage {
  const input = objectOf(said["prompt_tokens_details"]);
  const output = objectOf(said["completion_tokens_details"]);
  return {
    inputTokens: countOf(said["prompt_tokens"]),
    outputTokens: countOf(said["completion_tokens"]),
    cacheReadInputTokens: countOf(input?.["cached_tokens"]) ?? countOf(said["cached_tokens"]) ?? countOf(said["prompt_cache_hit_tokens"]),
    cacheCreationInputTokens: countOf(input?.["cache_write_tokens"]),
    reasoningOutputTokens: countOf(output?.["reasoning_tokens"]),
    inputAudioTokens: countOf(input?.["audio_tokens"]),
    outputAudioTokens: countOf(output?.["audio_tokens"]),
    serviceTier,
    reportedCost: costOf(said["cost"]),
  };
}

const DECIMALS = 15;

/** A cost in USD as a JSON number, rounded up to the nano-USD. */
export function costOf(value: unknown): NanoUsd | undefined {
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
