// The output limit that is put in where a hard budget must bound an answer that the caller did not limit: long enough for nearly
// every answer of the model, and no longer than what is left can pay for.

export interface LimitFacts {
  /** What the budgets can bear (`maxOutputWithin`). undefined: there is no bound at any limit. */
  readonly fits: number | undefined;
  /** Tokens that 99.9 % of the model's answers stay within; undefined: too few were seen. */
  readonly long: number | undefined;
  /** undefined: not known. */
  readonly modelMax: number | undefined;
  /** Tokens of the context window that the input leaves, by an estimate. undefined: not known. */
  readonly windowLeft: number | undefined;
  /** Whether the model thinks before it answers. */
  readonly reasons: boolean | undefined;
  /** Tokens that the caller lets the model think. */
  readonly thinking: number | undefined;
}

/** No model is asked for less: providers refuse it (OpenAI: at least 16). What does not bear so much is refused by the hold. */
const LEAST = 16;
const FLOOR = 1_024;
const MARGIN = 1.5;
/** Before anything is known of a model's answers. */
const FIRST = 4_096;
const FIRST_REASONING = 16_384;

/** undefined: nothing is put in. */
export function answerLimit({ fits, long, modelMax, windowLeft, reasons, thinking }: LimitFacts): number | undefined {
  if (fits === undefined) return undefined;
  const usual = long === undefined ? (reasons === true ? FIRST_REASONING : FIRST) : Math.max(FLOOR, Math.ceil(long * MARGIN));
  const wanted = usual + (thinking ?? 0);
  return Math.max(LEAST, Math.min(wanted, fits, modelMax ?? wanted, windowLeft ?? wanted));
}
