// How much a model on Ollama is asked to think: https://docs.ollama.com/capabilities/thinking
// `think` is on or off; only gpt-oss has levels (and cannot be switched off). A model that does not think answers 400 to "on".
import type { Reasoning } from "../core/chat";

/** Families of the library that think. Others are asked only where the catalogue says that they do. */
const THINKS =
  /(?:^|\/)(?:gpt-oss|deepseek-r1|deepseek-v3\.\d|magistral|cogito|qwen3(?:\.\d+)?(?=[:-]|$)(?!-coder|-embedding|[^:]*instruct))/;
const HAS_LEVELS = /(?:^|\/)gpt-oss/;

const LEVEL: Readonly<Record<string, string>> = {
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

export interface OllamaThinking {
  /** undefined: nothing is said of it. */
  think: boolean | string | undefined;
  /** What was asked for is not, or not wholly, what the model will do: to be named. */
  leftOut: boolean;
}

/** A wish to think never refuses a request: a model that does not think answers without. `reasons`: what the catalogue knows. */
export function ollamaThinkingOf(reasoning: Reasoning | undefined, model: string, reasons: boolean | undefined): OllamaThinking {
  const { effort, budgetTokens, adaptive } = reasoning ?? {};
  const wanted = effort !== undefined || budgetTokens !== undefined || adaptive === true;
  if (!wanted) return { think: undefined, leftOut: false };
  if (effort === "none" || (effort === undefined && budgetTokens === 0)) return { think: false, leftOut: HAS_LEVELS.test(model) };
  if (reasons !== true && !THINKS.test(model)) return { think: undefined, leftOut: true };
  const level = effort === undefined ? undefined : LEVEL[effort];
  const leveled = HAS_LEVELS.test(model);
  // A budget has no place, and neither has an effort where thinking is only on or off.
  return { think: leveled && level !== undefined ? level : true, leftOut: adaptive === true ? false : !leveled || level === undefined };
}
