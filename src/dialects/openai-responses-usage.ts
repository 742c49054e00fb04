// Token counts in the Responses API: totals include their parts, as ours do. xAI's too, unlike in its Chat Completions.
// https://platform.openai.com/docs/api-reference/responses/object#responses/object-usage
import { type NanoUsd, usdNumber } from "../core/money";
import type { Usage } from "../core/usage";
import { reportedCostOf } from "./openai-chat-usage";
import { countOf, type JsonObject, objectOf } from "./provider-json";

/** What a `usage` object says. `serviceTier` and `toolCalls` stand elsewhere in the answer. */
export function decodeResponsesUsage(said: JsonObject, serviceTier?: string, toolCalls?: Usage["toolCalls"]): Usage {
  const input = objectOf(said["input_tokens_details"]);
  const output = objectOf(said["output_tokens_details"]);
  return {
    inputTokens: countOf(said["input_tokens"]),
    outputTokens: countOf(said["output_tokens"]),
    cacheReadInputTokens: countOf(input?.["cached_tokens"]),
    cacheCreationInputTokens: countOf(input?.["cache_write_tokens"]),
    reasoningOutputTokens: countOf(output?.["reasoning_tokens"]),
    toolCalls,
    serviceTier,
    reportedCost: reportedCostOf(said),
  };
}

/**
 * The `usage` object of an answer, with our cost. undefined where a total is not known: clients (Codex) refuse an answer whose
 * usage lacks one. The two details that OpenAI always sends are numbers for every client: a part that nobody named is not there.
 */
export function encodeResponsesUsage(usage: Usage | undefined, costUsd: NanoUsd | undefined): Record<string, unknown> | undefined {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined;
  const { cacheCreationInputTokens: written } = usage;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: {
      cached_tokens: usage.cacheReadInputTokens ?? 0,
      ...(written === undefined ? {} : { cache_write_tokens: written }),
    },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningOutputTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(costUsd === undefined ? {} : { cost: usdNumber(costUsd) }),
  };
}
