// How long the answers of each model are: what a limit that we put in must leave room for. Counted in buckets that grow by a
// twelfth, so that a model costs a few hundred numbers whatever comes, and halved now and then, so that old answers fade.
import type { AnswerLengths } from "../core/governance";

const PER_DOUBLING = 8;
/** Up to 2^24 tokens. */
const BUCKETS = 24 * PER_DOUBLING;
/** Fewer say nothing of one in a thousand. */
const FEWEST = 30;
const HALVED_AT = 20_000;
const SHARE_ABOVE = 0.001;
/** What a limit cut short is counted as longer: else a limit would prove itself right. */
const CUT_FACTOR = 2;

interface Seen {
  readonly counts: Uint32Array;
  total: number;
}

/** Bounded: the model that was seen first is forgotten. */
export class LengthBook implements AnswerLengths {
  readonly #models = new Map<string, Seen>();
  constructor(readonly maxModels = 4_096) {}

  saw(provider: string, model: string, outputTokens: number, cut: boolean): void {
    const seen = this.#of(`${provider}/${model}`);
    const bucket = bucketOf(cut ? this.#uncut(provider, model, outputTokens) : outputTokens);
    seen.counts[bucket] = (seen.counts[bucket] ?? 0) + 1;
    seen.total++;
    if (seen.total >= HALVED_AT) halve(seen);
  }

  long(provider: string, model: string): number | undefined {
    const seen = this.#models.get(`${provider}/${model}`);
    if (!seen || seen.total < FEWEST) return undefined;
    let above = 0;
    for (let bucket = BUCKETS - 1; bucket > 0; bucket--) {
      above += seen.counts[bucket] ?? 0;
      if (above > seen.total * SHARE_ABOVE) return longestOf(bucket);
    }
    return longestOf(0);
  }

  seen(provider: string, model: string): number {
    return this.#models.get(`${provider}/${model}`)?.total ?? 0;
  }

  /** Where a limit below what is known ended an answer, nothing says that it would have been longer than that. */
  #uncut(provider: string, model: string, outputTokens: number): number {
    const long = this.long(provider, model) ?? 0;
    return outputTokens < long ? long : outputTokens * CUT_FACTOR;
  }

  #of(name: string): Seen {
    const known = this.#models.get(name);
    if (known) return known;
    const seen: Seen = { counts: new Uint32Array(BUCKETS), total: 0 };
    this.#models.set(name, seen);
    if (this.#models.size > this.maxModels) {
      const oldest = this.#models.keys().next();
      if (!oldest.done) this.#models.delete(oldest.value);
    }
    return seen;
  }
}

const bucketOf = (tokens: number): number => Math.min(BUCKETS - 1, Math.floor(Math.log2(Math.max(0, tokens) + 1) * PER_DOUBLING));

/** The most tokens that are counted in a bucket. */
const longestOf = (bucket: number): number => Math.ceil(2 ** ((bucket + 1) / PER_DOUBLING)) - 1;

function halve(seen: Seen): void {
  seen.total = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    // Rounded up: one long answer among many is what the figure is about.
    const half = Math.ceil((seen.counts[bucket] ?? 0) / 2);
    seen.counts[bucket] = half;
    seen.total += half;
  }
}
