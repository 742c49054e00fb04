// Usage × price = cost, in integers. Every token is counted in exactly one partition, every partition has one rate, and the
// sum is rounded up to a whole nano-USD once, at the end.
import { type NanoUsd, type NanoUsdPerMillion, nanoUsd } from "../core/money";
import type { Price, PriceTier, Rates } from "../core/price";
import type { Usage } from "../core/usage";

export interface Cost {
  total: NanoUsd;
  /** What the total is made of, each rounded down: for showing, never for adding. undefined: the provider told the total. */
  parts: CostParts | undefined;
}

export interface CostParts {
  /** Uncached input, audio included. */
  input: NanoUsd;
  cacheRead: NanoUsd;
  cacheWrite: NanoUsd;
  /** Reasoning, audio and images included. */
  output: NanoUsd;
  /** Fees of hosted tools and of the call itself. */
  fees: NanoUsd;
}

/** Words with which providers name the tier that the base rates are for. */
const BASE_TIER_WORDS: ReadonlySet<string> = new Set(["default", "standard", "auto", "on_demand"]);

/** The fee that a call costs by itself, whatever it does. */
export const REQUEST_FEE = "request";

/** Rates are per million tokens, fees per thousand calls: both sum in millionths of a nano-USD. */
const MILLION = 1_000_000n;
const FEE_SCALE = MILLION / 1_000n;

/**
 * What a call costs. undefined: it cannot be known: no price, no token counts, a service tier or a tool fee that the price
 * does not have, figures that are no counts. The provider's own figure wins over the table; only a 0 does not: it stands for
 * "not told" too often, and a budget that believes it never ends.
 */
export function costOf(usage: Usage, price: Price | undefined): Cost | undefined {
  const { reportedCost } = usage;
  if (reportedCost === undefined) return tableCost(usage, price);
  if (reportedCost === 0n) return tableCost(usage, price) ?? { total: reportedCost, parts: undefined };
  return reportedCost < 0n ? undefined : { total: reportedCost, parts: undefined };
}

function tableCost(usage: Usage, price: Price | undefined): Cost | undefined {
  if (!price || !countsAreCounts(usage)) return undefined;
  const table = ratesOfTier(price, usage.serviceTier);
  const fees = feesOf(usage.toolCalls, price.feesPerThousand);
  const input = inputOf(usage);
  if (!table || fees === undefined || !input) return undefined;
  const rates = ratesFor(table.rates, table.tiers, input.total);
  const output = outputSum(usage, rates);
  if (output === undefined) return undefined;
  const sums = { input: freshSum(input, rates), cacheRead: readSum(input, rates), cacheWrite: writeSum(input, rates), output, fees };
  const sum = sums.input + sums.cacheRead + sums.cacheWrite + sums.output + sums.fees;
  return {
    total: nanoUsd(ceilDivide(sum, MILLION)),
    // Asked for by reports only: a call needs its total.
    get parts() {
      return partsOf(sums);
    },
  };
}

const partsOf = (sums: Readonly<Record<keyof CostParts, bigint>>): CostParts => ({
  input: nanoUsd(sums.input / MILLION),
  cacheRead: nanoUsd(sums.cacheRead / MILLION),
  cacheWrite: nanoUsd(sums.cacheWrite / MILLION),
  output: nanoUsd(sums.output / MILLION),
  fees: nanoUsd(sums.fees / MILLION),
});

/** The rates of a service tier, by the provider's word; no word is the standard tier. undefined: this tier has no price. */
export function ratesOfTier(price: Price, word: string | undefined): { rates: Rates; tiers: readonly PriceTier[] } | undefined {
  const tier = word?.toLowerCase();
  if (tier === undefined || BASE_TIER_WORDS.has(tier)) return price;
  return Object.hasOwn(price.serviceTiers, tier) ? price.serviceTiers[tier] : undefined;
}

export const ceilDivide = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;

/** The whole request is priced by the highest tier that its input exceeds. */
function ratesFor(base: Rates, tiers: readonly PriceTier[], inputTokens: bigint): Rates {
  let rates = base;
  for (const tier of tiers) if (inputTokens > BigInt(tier.aboveInputTokens)) rates = tier.rates;
  return rates;
}

/** Input tokens in parts that do not overlap. */
interface InputParts {
  freshText: bigint;
  freshAudio: bigint;
  readText: bigint;
  readAudio: bigint;
  write: bigint;
  write1h: bigint;
  total: bigint;
}

/**
 * uncached text = input − cache reads − cache writes − uncached audio. Where the parts exceed what they are parts of, the
 * provider has at least billed the parts: nothing goes below 0 and the total is their sum.
 */
function inputOf(usage: Usage): InputParts | undefined {
  if (usage.inputTokens === undefined) return undefined;
  const readAudio = count(usage.cacheReadAudioTokens);
  const readText = atLeastZero(count(usage.cacheReadInputTokens) - readAudio);
  const write1h = count(usage.cacheCreation1hInputTokens);
  const write = atLeastZero(count(usage.cacheCreationInputTokens) - write1h);
  const freshAudio = atLeastZero(count(usage.inputAudioTokens) - readAudio);
  const parts = readAudio + readText + write1h + write + freshAudio;
  const freshText = atLeastZero(count(usage.inputTokens) - parts);
  return { freshText, freshAudio, readText, readAudio, write, write1h, total: freshText + parts };
}

const freshSum = (input: InputParts, rates: Rates): bigint =>
  times(input.freshText, rates.input) + times(input.freshAudio, audioRate(rates));

const readSum = (input: InputParts, rates: Rates): bigint =>
  times(input.readText, rates.cacheRead ?? rates.input) + times(input.readAudio, rates.cacheReadAudio ?? audioRate(rates));

const writeSum = (input: InputParts, rates: Rates): bigint => {
  const write = rates.cacheWrite ?? rates.input;
  return times(input.write, write) + times(input.write1h, rates.cacheWrite1h ?? write);
};

/** Most parts of most calls are 0, and each product of big integers is a new object. */
const times = (tokens: bigint, rate: bigint): bigint => (tokens === 0n ? 0n : tokens * rate);

const audioRate = (rates: Rates): NanoUsdPerMillion => rates.inputAudio ?? rates.input;

/** The dearest of the output rates. */
export function dearestOutputRate(rates: Rates): bigint {
  return larger(rates.output, larger(rates.outputAudio ?? 0n, rates.outputImage ?? 0n));
}

/**
 * undefined: the provider told no output. Only a model whose output costs nothing (embeddings) needs no count. Where a model
 * has rates for audio or images and the provider did not divide its output, all of it costs the dearest rate.
 */
function outputSum(usage: Usage, rates: Rates): bigint | undefined {
  const dearest = dearestOutputRate(rates);
  if (usage.outputTokens === undefined) return dearest === 0n ? 0n : undefined;
  const audio = count(usage.outputAudioTokens);
  const image = count(usage.outputImageTokens);
  const undivided =
    (rates.outputAudio !== undefined && usage.outputAudioTokens === undefined) ||
    (rates.outputImage !== undefined && usage.outputImageTokens === undefined);
  const told = Math.max(usage.outputTokens, usage.reasoningOutputTokens ?? 0);
  const total = larger(count(told), audio + image);
  if (undivided) return total * dearest;
  const rest = times(total - audio - image, rates.output);
  return rest + times(audio, rates.outputAudio ?? rates.output) + times(image, rates.outputImage ?? rates.output);
}

/** In millionths of a nano-USD. undefined: a tool was called whose fee is not known. */
function feesOf(calls: Usage["toolCalls"], fees: Price["feesPerThousand"]): bigint | undefined {
  let sum = times(fees[REQUEST_FEE] ?? 0n, FEE_SCALE);
  if (calls === undefined) return sum;
  for (const [tool, made] of Object.entries(calls)) {
    if (tool === REQUEST_FEE || made === 0) continue;
    const fee = Object.hasOwn(fees, tool) ? fees[tool] : undefined;
    if (fee === undefined) return undefined;
    sum += count(made) * fee * FEE_SCALE;
  }
  return sum;
}

/** Garbage from a provider is not money: fractions, negatives and numbers beyond 2^53 make the cost unknown. */
const countsAreCounts = (usage: Usage): boolean =>
  isCount(usage.inputTokens) &&
  isCount(usage.outputTokens) &&
  isCount(usage.cacheReadInputTokens) &&
  isCount(usage.cacheCreationInputTokens) &&
  isCount(usage.cacheCreation1hInputTokens) &&
  isCount(usage.reasoningOutputTokens) &&
  isCount(usage.inputAudioTokens) &&
  isCount(usage.outputAudioTokens) &&
  isCount(usage.cacheReadAudioTokens) &&
  isCount(usage.outputImageTokens) &&
  (usage.toolCalls === undefined || Object.values(usage.toolCalls).every(isCount));

const isCount = (n: number | undefined): boolean => n === undefined || (Number.isSafeInteger(n) && n >= 0);

/** A part that the provider did not name is not there. */
const count = (tokens: number | undefined): bigint => (tokens === undefined || tokens === 0 ? 0n : BigInt(tokens));
const atLeastZero = (value: bigint): bigint => (value > 0n ? value : 0n);

export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
