// Token counts as OpenAI's types have them: whole numbers, totals with their parts inside, a cost that is a number.
import type { Deviations } from "./dialect";
import { totalsOf } from "./openai-chat-usage";
import { type JsonObject, objectOf } from "./provider-json";

const TOTALS = ["prompt_tokens", "completion_tokens", "total_tokens"] as const;
const DETAILS = ["prompt_tokens_details", "completion_tokens_details"] as const;

const isCount = (value: unknown): boolean => value === undefined || Number.isSafeInteger(value);
const isDetail = (value: unknown): boolean => value === undefined || value === null || Number.isSafeInteger(value);

export function usageConforms(usage: unknown, deviations: Deviations): boolean {
  if (usage === undefined || usage === null) return true;
  const said = objectOf(usage);
  if (!said || (said["cost"] !== undefined && typeof said["cost"] !== "number")) return false;
  if (!TOTALS.every((name) => isCount(said[name]))) return false;
  if (!DETAILS.every((name) => detailsConform(said[name]))) return false;
  if (!deviations.reasoningBesideCompletion && !deviations.audioBesidePrompt) return true;
  const { inputTokens, outputTokens } = totalsOf(said, deviations);
  return said["prompt_tokens"] === inputTokens && said["completion_tokens"] === outputTokens;
}

function detailsConform(details: unknown): boolean {
  if (details === undefined || details === null) return true;
  const said = objectOf(details);
  return said !== undefined && Object.values(said).every(isDetail);
}

/** `usage` is parsed, `exact` the same with every digit kept. What is no count is left out. */
export function conformUsage(usage: unknown, exact: unknown, deviations: Deviations): unknown {
  const said = objectOf(usage);
  if (!said) return null;
  const fixed: Record<string, unknown> = { ...objectOf(exact) };
  for (const name of TOTALS) if (!isCount(said[name])) delete fixed[name];
  for (const name of DETAILS) if (!detailsConform(said[name])) fixed[name] = countsIn(objectOf(said[name]), objectOf(fixed[name]));
  const { inputTokens, outputTokens } = totalsOf(said, deviations);
  if (inputTokens !== undefined) fixed["prompt_tokens"] = inputTokens;
  if (outputTokens !== undefined) fixed["completion_tokens"] = outputTokens;
  const { cost } = said;
  if (cost === undefined || typeof cost === "number") return fixed;
  // Where the cost is divided its parts stand where OpenRouter writes them.
  const parts = objectOf(cost);
  const sum = parts?.["total_cost"];
  if (typeof sum === "number") fixed["cost"] = sum;
  else delete fixed["cost"];
  if (parts && fixed["cost_details"] === undefined) fixed["cost_details"] = objectOf(exact)?.["cost"];
  return fixed;
}

const countsIn = (said: JsonObject | undefined, exact: JsonObject | undefined): unknown =>
  said === undefined ? null : Object.fromEntries(Object.entries(exact ?? {}).filter(([name]) => isDetail(said[name])));
