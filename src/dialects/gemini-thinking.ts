// How much a Gemini model is asked to think: https://ai.google.dev/gemini-api/docs/thinking
// From the third generation on by level, in 2.5 by a budget of tokens (both at once is a 400), before not at all.
import type { Reasoning } from "../core/chat";
import { generationOf, isGeneration3 } from "./gemini-model";

/** https://ai.google.dev/gemini-api/docs/openai#thinking: Google's own reading of OpenAI's `reasoning_effort`. */
const LEVEL: Readonly<Record<string, string>> = { minimal: "MINIMAL", low: "LOW", medium: "MEDIUM", high: "HIGH" };
const BUDGET: Readonly<Record<string, number>> = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576 };
/** The model chooses. */
const DYNAMIC = -1;

/** `thinkingConfig`, undefined for the model's default, or why the model cannot do what was asked. */
export function thinkingConfigOf(
  reasoning: Reasoning | undefined,
  model: string,
): Readonly<Record<string, unknown>> | undefined | { refused: string } {
  if (!reasoning) return undefined;
  const { effort, budgetTokens } = reasoning;
  if (effort === undefined && budgetTokens === undefined && !reasoning.adaptive && reasoning.summary === undefined) return undefined;
  const amount = amountOf(reasoning, model);
  if (amount === undefined || "refused" in amount) return amount;
  // Thoughts are billed whether they are shown or not.
  const shown = reasoning.summary !== "omitted" && reasoning.summary !== "none" && effort !== "none" && budgetTokens !== 0;
  return { ...amount, ...(shown ? { includeThoughts: true } : {}) };
}

function amountOf(
  { effort, budgetTokens, adaptive }: Reasoning,
  model: string,
): Readonly<Record<string, unknown>> | undefined | { refused: string } {
  if ((generationOf(model) ?? 3) < 2.5) return effort === "none" ? undefined : { refused: "This model cannot be asked to think" };
  // Third-generation models still read a budget.
  if (budgetTokens !== undefined) return { thinkingBudget: budgetTokens };
  if (effort === undefined) return adaptive && !isGeneration3(model) ? { thinkingBudget: DYNAMIC } : {};
  if (isGeneration3(model)) {
    const level = LEVEL[effort];
    return level === undefined ? { refused: "This model has no such thinking level" } : { thinkingLevel: level };
  }
  const budget = BUDGET[effort];
  return budget === undefined ? { refused: "This provider does not know this effort" } : { thinkingBudget: budget };
}
