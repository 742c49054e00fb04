// How much a Cohere model is asked to think: https://docs.cohere.com/docs/reasoning
// Models that can think do so unless told otherwise, without a limit; the others do not know the field.
import type { Reasoning } from "../core/chat";

/** Recorded: command-a-plus-05-2026 thinks unasked. */
const THINKS = /^command-a-(?:reasoning|plus)(?:-|$)/;

/** Effort as a budget; more than these is no limit. */
const BUDGET_OF_EFFORT: Readonly<Record<string, number | undefined>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: undefined,
  xhigh: undefined,
  max: undefined,
};

export interface CohereThinking {
  /** undefined: nothing is said of it. */
  thinking: Readonly<Record<string, unknown>> | undefined;
  /** What was asked for is not what the model will do: to be named. */
  leftOut: boolean;
}

/** `reasons`: what the catalogue knows of the model. */
export const cohereThinks = (model: string, reasons: boolean | undefined): boolean => reasons === true || THINKS.test(model);

/** A wish to think never refuses a request: a model that does not think answers without. */
export function cohereThinkingOf(reasoning: Reasoning | undefined, thinks: boolean): CohereThinking {
  const { effort, budgetTokens, adaptive } = reasoning ?? {};
  const nothing = effort === "none" || (effort === undefined && budgetTokens === 0);
  const wanted = effort !== undefined || budgetTokens !== undefined || adaptive === true;
  if (!wanted) return { thinking: undefined, leftOut: false };
  if (!thinks) return { thinking: undefined, leftOut: !nothing };
  if (nothing) return { thinking: { type: "disabled" }, leftOut: false };
  if (budgetTokens !== undefined) return { thinking: enabled(budgetTokens), leftOut: false };
  if (effort !== undefined && !Object.hasOwn(BUDGET_OF_EFFORT, effort)) return { thinking: undefined, leftOut: true };
  return { thinking: enabled(effort === undefined ? undefined : BUDGET_OF_EFFORT[effort]), leftOut: false };
}

const enabled = (budget: number | undefined): Readonly<Record<string, unknown>> => ({
  type: "enabled",
  ...(budget === undefined ? {} : { token_budget: budget }),
});
