// How much a Claude model is asked to think: https://platform.claude.com/docs/en/build-with-claude/thinking
// Three generations differ: models that know budgets only, 4.6 that know both, and later ones that choose themselves
// (`adaptive`, steered by `output_config.effort`) and answer 400 to a budget.
import type { Reasoning } from "../core/chat";

/** 3.7 and 4.0 to 4.5, dated, `-latest` or bare. */
const BUDGET_ONLY = /^claude-(?:3-7-sonnet|(?:opus|sonnet|haiku)-4(?:-[015])?)(?:-\d{8}|-latest)?$/;
const BUDGET_OR_ADAPTIVE = /^claude-(?:opus|sonnet)-4-6(?:-\d{8})?$/;
/** 3.5 and before. */
const NONE = /^claude-(?:2|instant|3-(?:5-|haiku|opus|sonnet))/;
/** Think unless told otherwise (recorded: claude-sonnet-5 answers with thinking blocks unasked). Up to 4.x thinking is asked for. */
const ON_BY_DEFAULT = /^claude-[a-z]+-(?:[5-9]|\d{2})/;

/** The least that `budget_tokens` may be. */
const BUDGET_MIN = 1024;
/** Effort as a budget, for models that know nothing else. More than 32k brings little, says the documentation. */
const BUDGET_OF_EFFORT: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};
/** `effort` has no word for `minimal`; `low` is its least. A level that a model lacks (xhigh on 4.6) is refused by the provider, by name. */
const EFFORT: Readonly<Record<string, string>> = { minimal: "low", low: "low", medium: "medium", high: "high", xhigh: "xhigh", max: "max" };

export interface Thinking {
  thinking?: Readonly<Record<string, unknown>> | undefined;
  effort?: string | undefined;
  /** Fields that rule out others: thinking is on. */
  on: boolean;
}

/** Fields of the request, or why the model cannot do what was asked. `maxTokens` is what goes out as `max_tokens`. */
export function thinkingOf(reasoning: Reasoning | undefined, model: string, maxTokens: number): Thinking | { refused: string } {
  if (!reasoning) return { on: false };
  const { effort, budgetTokens } = reasoning;
  if (effort === "none") return ON_BY_DEFAULT.test(model) ? { on: false, thinking: { type: "disabled" } } : { on: false };
  if (effort === undefined && budgetTokens === undefined && !reasoning.adaptive) return { on: false };
  if (NONE.test(model)) return { refused: "This model cannot be asked to think" };
  if (effort !== undefined && EFFORT[effort] === undefined) return { refused: "This provider does not know this effort" };
  const display = displayOf(reasoning.summary);
  if (BUDGET_ONLY.test(model) || (budgetTokens !== undefined && BUDGET_OR_ADAPTIVE.test(model))) {
    if (reasoning.adaptive) return { refused: "This model thinks by a budget only" };
    // An effort leaves half of the answer's limit for the answer. A budget that the caller gave is never changed.
    const ours = Math.max(BUDGET_MIN, Math.min(BUDGET_OF_EFFORT[effort ?? ""] ?? BUDGET_MIN, Math.floor(maxTokens / 2)));
    const budget = budgetTokens ?? ours;
    if (budget < BUDGET_MIN || budget >= maxTokens)
      return { refused: `A thinking budget must be at least ${BUDGET_MIN} tokens and less than the limit of the answer (${maxTokens})` };
    return { on: true, thinking: { type: "enabled", budget_tokens: budget, ...display } };
  }
  if (budgetTokens !== undefined) return { refused: "This model takes an effort, not a budget of thinking tokens" };
  return { on: true, thinking: { type: "adaptive", ...display }, effort: effort === undefined ? undefined : EFFORT[effort] };
}

/** OpenAI's words for *show me a summary* are one here. */
function displayOf(summary: string | undefined): { display?: "summarized" | "omitted" } {
  if (summary === undefined) return {};
  return { display: summary === "omitted" || summary === "none" ? "omitted" : "summarized" };
}
