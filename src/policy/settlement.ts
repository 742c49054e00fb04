// What a finished attempt costs, from what was seen of it (reliability.md, Budgets 6). Never zero for what a provider
// may have billed, never a full refund of it, never more than was held unless the provider's own figures say so.
import { minUsd, type NanoUsd, nanoUsd, ZERO_USD } from "../core/money";
import type { Settlement } from "../core/ports";
import type { Price } from "../core/price";
import type { Usage, UsageSource } from "../core/usage";
import { costOf } from "./pricing";

/** How far an attempt came. */
export type Ending =
  /** Nothing was sent: refused, DNS, TLS. */
  | "unsent"
  /** The provider answered with an error status: it does not bill those. */
  | "rejected"
  /** The answer came whole. */
  | "complete"
  /** Sent, and then anything else: reset, timed out, cut, malformed, caller gone. */
  | "broken"
  /** As broken, before the provider's last word: what it told so far may be less than what it bills. */
  | "cut";

export interface Seen {
  ending: Ending;
  /** A stream whose text the caller can see; false: a whole answer. */
  stream: boolean;
  /** The model may think in tokens that nobody sees. */
  reasons: boolean | undefined;
  /** The prompt was blocked: the model never began. Absent: it was not. */
  blocked?: boolean | undefined;
  /** What the provider told so far. */
  usage: Usage | undefined;
  /** Our own count of the input: asked only for what was not told. */
  countInputTokens(): number;
  /** Our own count of the visible output. */
  countOutputTokens(): number;
}

export interface Settled {
  settlement: Settlement;
  usage: Usage | undefined;
  usageSource: UsageSource;
  /** undefined: the model has no price. */
  cost: NanoUsd | undefined;
  overrun: boolean;
}

/** Counts are estimates; the provider's own may be higher. */
const COUNT_MARGIN_TENTHS = 11;

export function settle(seen: Seen, price: Price | undefined, bound: NanoUsd | undefined): Settled {
  switch (seen.ending) {
    case "unsent":
    case "rejected":
      return { settlement: "released", usage: undefined, usageSource: "none", cost: ZERO_USD, overrun: false };
    case "complete":
      // Thoughts that nobody saw cannot be counted; of a blocked prompt there are none.
      return (
        told(seen, price, bound) ?? (seen.reasons === true && seen.blocked !== true ? ceiling(seen, bound) : counted(seen, price, bound))
      );
    case "broken":
      // Whole figures are the provider's last word, wherever it broke off.
      return told(seen, price, bound) ?? unfinished(seen, price, bound);
    case "cut":
      return unfinished({ ...seen, usage: seen.usage && soFar(seen.usage) }, price, bound);
  }
}

/** Neither a cost so far nor a placeholder for the input is what the call will cost. */
const soFar = (usage: Usage): Usage => ({ ...usage, inputTokens: usage.inputTokens || undefined, reportedCost: undefined });

const unfinished = (seen: Seen, price: Price | undefined, bound: NanoUsd | undefined): Settled =>
  seen.stream && seen.reasons !== true ? counted(seen, price, bound) : ceiling(seen, bound);

function told(seen: Seen, price: Price | undefined, bound: NanoUsd | undefined): Settled | undefined {
  const { usage } = seen;
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined;
  const cost = costOf(usage, price)?.total;
  // Told, and yet without a figure: a service tier or a tool that the price does not have. It was billed all the same.
  if (cost === undefined && price !== undefined)
    return { settlement: "ceiling", usage, usageSource: "provider", cost: bound, overrun: false };
  return { settlement: "exact", usage, usageSource: "provider", cost, overrun: cost !== undefined && bound !== undefined && cost > bound };
}

function counted(seen: Seen, price: Price | undefined, bound: NanoUsd | undefined): Settled {
  const usage: Usage = {
    ...seen.usage,
    inputTokens: seen.usage?.inputTokens ?? seen.countInputTokens(),
    outputTokens: Math.max(seen.countOutputTokens(), seen.usage?.outputTokens ?? 0),
  };
  // The margin is for our own count: what the provider told needs none.
  const withMargin = Math.ceil((seen.countOutputTokens() * COUNT_MARGIN_TENTHS) / 10);
  const padded: Usage = { ...usage, outputTokens: Math.max(withMargin, seen.usage?.outputTokens ?? 0) };
  const cost = price && costOf(padded, price)?.total;
  return {
    settlement: "counted",
    usage,
    usageSource: "counted",
    cost: cost === undefined ? bound : bound === undefined ? cost : minUsd(cost, bound),
    overrun: false,
  };
}

function ceiling(seen: Seen, bound: NanoUsd | undefined): Settled {
  return {
    settlement: "ceiling",
    usage: seen.usage,
    usageSource: seen.usage ? "provider" : "none",
    cost: bound === undefined ? undefined : nanoUsd(bound),
    overrun: false,
  };
}
