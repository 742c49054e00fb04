// The output limit that is put in where a hard budget must bound an answer that the caller did not limit: long enough for nearly
// every answer of the model, and no longer than what is left can pay for. What is held for it is kept from others until the answer is
// over, so where others hold money too it takes a share of what is left; and where what is left would cut it short only because others
// hold so much, it waits for them.

export interface LimitFacts {
  /** What the budgets can bear (`maxOutputWithin`). undefined: there is no bound at any limit. */
  readonly fits: number | undefined;
  /** What they could bear if nothing were held. */
  readonly fitsUnheld: number | undefined;
  /** Tokens that 99.9 % of the model's answers stay within; undefined: too few were seen. */
  readonly long: number | undefined;
  /** How many answers that is known of. */
  readonly seen: number;
  /** undefined: not known. */
  readonly modelMax: number | undefined;
  /** Tokens of the context window that the input leaves, by an estimate. undefined: not known. */
  readonly windowLeft: number | undefined;
  /** Whether the model thinks before it answers. */
  readonly reasons: boolean | undefined;
  /** Tokens that the caller lets the model think. */
  readonly thinking: number | undefined;
}

export interface AnswerLimit {
  readonly limit: number;
  /** Long enough, or as long as it can be when others hold nothing more. Above the limit: worth waiting for. */
  readonly enough: number;
}

/** No model is asked for less: providers refuse it (OpenAI: at least 16). What does not bear so much is refused by the hold. */
const LEAST = 16;
const FLOOR = 1_024;
const MARGIN = 1.5;
/** Before much is known of a model's answers. */
const FIRST = 4_096;
const FIRST_REASONING = 16_384;
/** From so many answers on, the longest of a thousand is known. Of fewer, the next may well be longer than all before it: */
const SURE = 1_000;
/** so many say something, */
const SOME = 100;
/** with this margin. */
const SOME_MARGIN = 3;
/** Of what is left, a call takes so much while others hold money too. */
const SHARE = 32;

/** undefined: nothing is put in. */
export function answerLimit(facts: LimitFacts): AnswerLimit | undefined {
  const { fits, fitsUnheld = fits, long, seen } = facts;
  if (fits === undefined || fitsUnheld === undefined) return undefined;
  const first = facts.reasons === true ? FIRST_REASONING : FIRST;
  const ample = Math.max(seen < SURE ? first : FLOOR, Math.ceil((long ?? 0) * MARGIN));
  const usual = within(ample, facts);
  const enough = Math.min(usual, within(long === undefined || seen < SOME ? first : seen < SURE ? long * SOME_MARGIN : long, facts));
  const share = fits < fitsUnheld ? Math.max(enough, Math.floor(fits / SHARE)) : fits;
  const limit = Math.max(LEAST, Math.min(usual, share, fits));
  return { limit, enough: Math.min(enough, fitsUnheld) };
}

/** With what the caller lets the model think, and no more than the model can. */
function within(tokens: number, { thinking, modelMax, windowLeft }: LimitFacts): number {
  const wanted = tokens + (thinking ?? 0);
  return Math.min(wanted, modelMax ?? wanted, windowLeft ?? wanted);
}
