// Which of the three tiers a model is in: by what its output costs, corrected where a family's place differs from its price.
import type { Price, Tier } from "../core/price";

/** Output rates in nano-USD per million tokens: below the first simple, below the second medium, else complex. */
const SIMPLE_BELOW = 1_000_000_000n;
const MEDIUM_BELOW = 8_000_000_000n;

/** The first match wins. Price alone would make Haiku 4.5 ($5) dearer in tier than GPT-5-mini ($2), and Sonnet ($15) than GPT-5 ($10). */
const FAMILIES: readonly { models: RegExp; tier: Tier }[] = [
  { models: /haiku|nano|flash-lite|flash-8b/, tier: "simple" },
  { models: /sonnet|gemini-.*flash|gpt-oss-120b/, tier: "medium" },
  // Their makers' strongest, at a price of the middle.
  { models: /mistral-large|(^|\/)grok-4(?!\.(20|3)|.*(fast|mini))/, tier: "complex" },
];

/** Without a price, and without a family, nothing speaks for an end of the scale. */
export function tierOf(id: string, price: Price | undefined): Tier {
  const family = FAMILIES.find((row) => row.models.test(id));
  if (family) return family.tier;
  if (!price) return "medium";
  if (price.rates.output < SIMPLE_BELOW) return "simple";
  return price.rates.output < MEDIUM_BELOW ? "medium" : "complex";
}
