// How much a model is asked to think: Chat Completions has a word for the effort, and no place for a budget of tokens.
// https://platform.openai.com/docs/api-reference/chat/create#chat_create-reasoning_effort
import type { Reasoning } from "../core/chat";
import type { EncodeContext } from "./dialect";

export interface EffortWish {
  effort: string | undefined;
  /** Names of what was left out. */
  ignored: readonly string[];
}

/** A budget of up to so many tokens is the effort; any greater one is "high". */
const EFFORT_OF_BUDGET: readonly (readonly [number, string])[] = [
  [0, "none"],
  [2_048, "low"],
  [8_192, "medium"],
];

/**
 * How much to think is a wish: programs that were written for one model ask every model for it. One that does not think answers
 * without, and the wish is named. A model that chooses for itself ("adaptive") is asked for nothing.
 */
export function effortOf(reasoning: Reasoning | undefined, { reasons, unsupported }: EncodeContext): EffortWish {
  if (!reasoning) return { effort: undefined, ignored: [] };
  const ignored = reasoning.summary === undefined ? [] : ["reasoning.summary"];
  const effort = reasoning.effort === "max" ? "xhigh" : (reasoning.effort ?? effortOfBudget(reasoning.budgetTokens));
  if (reasons !== false && !unsupported.includes("reasoning_effort")) return { effort, ignored };
  const asksForMore = (effort !== undefined && effort !== "none") || reasoning.adaptive === true;
  return { effort: undefined, ignored: asksForMore ? [...ignored, "reasoning_effort"] : ignored };
}

function effortOfBudget(tokens: number | undefined): string | undefined {
  if (tokens === undefined) return undefined;
  return EFFORT_OF_BUDGET.find(([atMost]) => tokens <= atMost)?.[1] ?? "high";
}
