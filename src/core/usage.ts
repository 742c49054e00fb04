// What a provider says it consumed, in one meaning for all dialects.
import type { NanoUsd } from "./money";

/**
 * Token counts of one attempt. `undefined` means *the provider did not say*, which is not 0.
 * Totals include their parts: cached and audio tokens are inside `inputTokens`, reasoning and audio inside `outputTokens`.
 */
export interface Usage {
  /** All input tokens: uncached + cache read + cache creation. */
  inputTokens?: number | undefined;
  /** All output tokens: visible + reasoning. */
  outputTokens?: number | undefined;
  cacheReadInputTokens?: number | undefined;
  /** Written to a cache, every lifetime together. */
  cacheCreationInputTokens?: number | undefined;
  /** The part of `cacheCreationInputTokens` that lives for one hour (dearer than five minutes). */
  cacheCreation1hInputTokens?: number | undefined;
  reasoningOutputTokens?: number | undefined;
  inputAudioTokens?: number | undefined;
  outputAudioTokens?: number | undefined;
  cacheReadAudioTokens?: number | undefined;
  /** The part of `outputTokens` that is images which the model made. */
  outputImageTokens?: number | undefined;
  /** Calls of hosted tools that carry a fee of their own, by the fee's name in the price ("web_search"). */
  toolCalls?: Readonly<Record<string, number>> | undefined;
  /** The tier that served the call, in the provider's word ("default", "flex", "priority", "standard", "batch"). */
  serviceTier?: string | undefined;
  /** The cost as the provider itself reports it: wins over every table. */
  reportedCost?: NanoUsd | undefined;
}

/** The tier, in our word, of an answer that a provider made in the US for more than elsewhere (Anthropic's `inference_geo`). */
export const tierInUs = (tier: string | undefined): string => (tier === "fast" ? "fast-us" : "us");

/** Where the figures of a settled attempt come from. */
export type UsageSource = "provider" | "counted" | "none";

/** Later figures replace earlier ones field by field; what the later one does not say stays. Never adds. */
export function mergeUsage(earlier: Usage | undefined, later: Usage): Usage {
  if (!earlier) return later;
  const merged: Record<string, unknown> = { ...earlier };
  for (const [field, value] of Object.entries(later)) if (value !== undefined) merged[field] = value;
  return merged as Usage;
}
