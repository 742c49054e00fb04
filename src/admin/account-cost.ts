// What a settled attempt's cost is made of, computed again from the price version that its row names. What does not come to the very
// cost that was charged is not shown: a part is known or it is null, and never a guess.
import { type NanoUsd, nanoUsd, usdNumber, ZERO_USD } from "../core/money";
import type { LedgerRow, PriceVersions } from "../core/ports";
import type { Price } from "../core/price";
import { costOf } from "../policy/pricing";

/** Each rounded down to a nano-USD, so that their sum may be a few of them below the cost. undefined: not known. */
export interface KindCosts {
  /** Uncached input, audio included. */
  input: NanoUsd | undefined;
  /** Input read from a cache. */
  cached: NanoUsd | undefined;
  /** Input written to a cache. */
  cacheWrite: NanoUsd | undefined;
  /** Visible output; all output where the provider did not tell its reasoning apart. */
  output: NanoUsd | undefined;
  reasoning: NanoUsd | undefined;
  /** Fees of hosted tools and of the call itself. */
  tools: NanoUsd | undefined;
}

const KINDS = ["input", "cached", "cacheWrite", "output", "reasoning", "tools"] as const satisfies readonly (keyof KindCosts)[];

const of = (amount: NanoUsd | undefined): KindCosts => ({
  input: amount,
  cached: amount,
  cacheWrite: amount,
  output: amount,
  reasoning: amount,
  tools: amount,
});

/** Reads each price version once. */
export class PriceReader {
  readonly #versions: PriceVersions;
  readonly #read = new Map<string, Promise<Price | undefined>>();

  constructor(versions: PriceVersions) {
    this.#versions = versions;
  }

  read(version: string | undefined): Promise<Price | undefined> {
    if (version === undefined) return Promise.resolve(undefined);
    const known = this.#read.get(version);
    if (known) return known;
    const reading = this.#versions.read(version);
    this.#read.set(version, reading);
    return reading;
  }
}

export async function kindCosts(row: LedgerRow, prices: PriceReader): Promise<KindCosts> {
  const { cost, usage } = row;
  if (row.settlement === "released") return of(ZERO_USD);
  if (cost === undefined || usage === undefined || usage.reportedCost !== undefined) return of(undefined);
  const price = await prices.read(row.priceVersion);
  const whole = costOf(usage, price);
  // A ceiling, a count with its margin: the charge is no sum of parts.
  if (whole?.parts === undefined || whole.total !== cost) return of(undefined);
  const { parts } = whole;
  const visible = visibleOutput(row, price);
  return {
    input: parts.input,
    cached: parts.cacheRead,
    cacheWrite: parts.cacheWrite,
    output: visible ?? parts.output,
    reasoning: visible === undefined ? undefined : nanoUsd(parts.output - visible),
    tools: parts.fees,
  };
}

/** The output's cost without its reasoning. undefined: the provider told no reasoning tokens. */
function visibleOutput({ usage }: LedgerRow, price: Price | undefined): NanoUsd | undefined {
  const reasoning = usage?.reasoningOutputTokens;
  if (usage?.outputTokens === undefined || reasoning === undefined) return undefined;
  const outputTokens = Math.max(0, usage.outputTokens - reasoning);
  return costOf({ ...usage, outputTokens, reasoningOutputTokens: 0 }, price)?.parts?.output;
}

/** A kind that one of them does not know is not known of all. */
export function sumOfKinds(all: readonly KindCosts[]): KindCosts {
  const sum = of(all.length === 0 ? undefined : ZERO_USD);
  for (const costs of all) {
    for (const kind of KINDS) {
      const [a, b] = [sum[kind], costs[kind]];
      sum[kind] = a === undefined || b === undefined ? undefined : nanoUsd(a + b);
    }
  }
  return sum;
}

export const usdOrNull = (amount: NanoUsd | undefined): number | null => (amount === undefined ? null : usdNumber(amount));

export const kindCostsDocument = (costs: KindCosts): object => ({
  input_usd: usdOrNull(costs.input),
  cached_usd: usdOrNull(costs.cached),
  cache_write_usd: usdOrNull(costs.cacheWrite),
  output_usd: usdOrNull(costs.output),
  reasoning_usd: usdOrNull(costs.reasoning),
  tools_usd: usdOrNull(costs.tools),
});
