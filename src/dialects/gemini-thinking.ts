// How much a Gemini model is asked to think: https://ai.google.dev/gemini-api/docs/thinking
// From the third generation on by level, in 2.5 by a budget of tokens (both at once is a 400), before not at all.
// A wish to think never refuses a request: what the model cannot do is left out, or done as nearly as it can, and named.
import type { Reasoning } from "../core/chat";
import { generationOf, isGeneration3 } from "./gemini-model";
import type { JsonObject } from "./provider-json";

export interface GeminiThinking {
  /** `thinkingConfig`; undefined: nothing is said of it, and the model does as it always does. */
  config: JsonObject | undefined;
  /** What was asked for is not, or not wholly, what the model will do: to be named. */
  leftOut: boolean;
}

/** https://ai.google.dev/gemini-api/docs/openai#thinking: Google's own reading of OpenAI's `reasoning_effort`. There is no more than "high". */
const LEVEL: Readonly<Record<string, string>> = {
  minimal: "MINIMAL",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  xhigh: "HIGH",
  max: "HIGH",
};
/** The pro models have no least level, and the first of them none in the middle. */
const PRO_LEVEL: Readonly<Record<string, string>> = { ...LEVEL, minimal: "LOW" };
const FIRST_PRO_LEVEL: Readonly<Record<string, string>> = { ...PRO_LEVEL, medium: "HIGH" };

const BUDGET: Readonly<Record<string, number>> = { minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 32_768, max: 32_768 };
/** https://ai.google.dev/gemini-api/docs/thinking#set-budget: a larger budget is a 400, and no model could use it up. */
const BUDGET_MAX = 24_576;
const PRO_BUDGET_MAX = 32_768;
/** The pro models of 2.5 always think, at least so much. */
const PRO_BUDGET_MIN = 128;
/** The model chooses. */
const DYNAMIC = -1;

const PRO = /^gemini-(?:[\d.]+-)?pro(?:-|$)/;
/** Models of a thinking generation that draw or speak. */
const NEVER_THINKS = /^gemini-2\.5-.*(?:image|tts)/;

/** `reasons`: what the catalogue knows of the model. */
export function geminiThinkingOf(reasoning: Reasoning | undefined, model: string, reasons: boolean | undefined): GeminiThinking {
  const { effort, budgetTokens, adaptive, summary } = reasoning ?? {};
  const none = effort === "none" || (effort === undefined && budgetTokens === 0);
  const wanted = effort !== undefined || budgetTokens !== undefined || adaptive === true;
  if (!wanted && summary === undefined) return { config: undefined, leftOut: false };
  if ((generationOf(model) ?? 3) < 2.5 || NEVER_THINKS.test(model) || reasons === false)
    return { config: undefined, leftOut: wanted && !none };
  if (none) return leastOf(model);
  const amount = amountOf(reasoning ?? {}, model);
  if (amount === undefined) return { config: undefined, leftOut: true };
  // Thoughts are billed whether they are shown or not.
  const shown = summary !== "omitted" && summary !== "none";
  return { config: { ...amount, ...(shown ? { includeThoughts: true } : {}) }, leftOut: false };
}

/** Only the lesser models of 2.5 can be told not to think. The others think as little as they can. */
function leastOf(model: string): GeminiThinking {
  if (isGeneration3(model)) return { config: { thinkingLevel: levelsOf(model)["minimal"] }, leftOut: true };
  const pro = PRO.test(model);
  return { config: { thinkingBudget: pro ? PRO_BUDGET_MIN : 0 }, leftOut: pro };
}

/** undefined: an effort that nobody knows. */
function amountOf({ effort, budgetTokens, adaptive }: Reasoning, model: string): JsonObject | undefined {
  const most = PRO.test(model) ? PRO_BUDGET_MAX : BUDGET_MAX;
  // Third-generation models still read a budget.
  if (budgetTokens !== undefined) return { thinkingBudget: Math.min(budgetTokens, most) };
  if (effort === undefined) return adaptive && !isGeneration3(model) ? { thinkingBudget: DYNAMIC } : {};
  if (!Object.hasOwn(LEVEL, effort)) return undefined;
  return isGeneration3(model) ? { thinkingLevel: levelsOf(model)[effort] } : { thinkingBudget: Math.min(BUDGET[effort] ?? most, most) };
}

function levelsOf(model: string): Readonly<Record<string, string>> {
  if (!PRO.test(model)) return LEVEL;
  return generationOf(model) === 3 ? FIRST_PRO_LEVEL : PRO_LEVEL;
}
