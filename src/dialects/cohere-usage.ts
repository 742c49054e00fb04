// Cohere's usage in our meaning: https://docs.cohere.com/reference/chat
import type { Usage } from "../core/usage";
import { countOf, type JsonObject, objectOf } from "./provider-json";

/**
 * Two counts stand side by side (recorded: 44 and 1476 input tokens). `tokens` is what the model read and wrote, with Cohere's
 * own prompt of some 500 tokens and more for tools; `billed_units` is what is paid for. A usage is here for money, so it is the
 * latter. `cached_tokens` and `reasoning_tokens` are parts of the former (480 cached of 12 billed tokens are recorded), so they
 * are parts of nothing that is told here, and are left unsaid.
 */
export function cohereUsageOf(said: JsonObject | undefined): Usage | undefined {
  const billed = objectOf(said?.["billed_units"]);
  const usage = { inputTokens: countOf(billed?.["input_tokens"]), outputTokens: countOf(billed?.["output_tokens"]) };
  return usage.inputTokens === undefined && usage.outputTokens === undefined ? undefined : usage;
}
