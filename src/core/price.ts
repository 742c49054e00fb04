// What a model costs, as integers, with where the figure comes from.
import type { NanoUsdPerMillion } from "./money";

/** Rates in nano-USD per million tokens. An absent rate falls back as its comment says. */
export interface Rates {
  input: NanoUsdPerMillion;
  output: NanoUsdPerMillion;
  /** Absent: cache reads cost the input rate. */
  cacheRead?: NanoUsdPerMillion | undefined;
  /** Five-minute cache writes. Absent: the input rate. */
  cacheWrite?: NanoUsdPerMillion | undefined;
  /** One-hour cache writes. Absent: the `cacheWrite` rate. */
  cacheWrite1h?: NanoUsdPerMillion | undefined;
  /** Absent: audio costs the input rate. */
  inputAudio?: NanoUsdPerMillion | undefined;
  /** Absent: audio costs the output rate. */
  outputAudio?: NanoUsdPerMillion | undefined;
  /** Absent: no discount is told for cached audio, it costs the audio rate. */
  cacheReadAudio?: NanoUsdPerMillion | undefined;
  /** Tokens of images that the model makes. Absent: the output rate. */
  outputImage?: NanoUsdPerMillion | undefined;
}

/** A long-context tier: once `inputTokens > aboveInputTokens`, its rates price the whole request. */
export interface PriceTier {
  aboveInputTokens: number;
  rates: Rates;
}

export interface Price {
  provider: string;
  model: string;
  /** Names exactly these figures, for ever: stored on every ledger row. */
  version: string;
  /** Where the figures come from ("genai-prices 0.1.8", "tollway override"). */
  source: string;
  /** The date of the source, YYYY-MM-DD. */
  date: string;
  rates: Rates;
  /** Ascending by `aboveInputTokens`. */
  tiers: readonly PriceTier[];
  /** Rates of service tiers other than the standard one, by the provider's word. A tier that is not here is unpriced. */
  serviceTiers: Readonly<Record<string, { rates: Rates; tiers: readonly PriceTier[] }>>;
  /** Fees per thousand calls of a hosted tool, in nano-USD, by the tool's name. `request` is a fee of the call itself, charged once. */
  feesPerThousand: Readonly<Record<string, NanoUsdPerMillion>>;
}

export type Tier = "simple" | "medium" | "complex";

/** What the catalogue knows of a model. `undefined` is unknown. */
export interface ModelInfo {
  provider: string;
  id: string;
  displayName: string;
  tier: Tier;
  contextWindow?: number | undefined;
  maxOutputTokens?: number | undefined;
  inputModalities: readonly string[];
  outputModalities: readonly string[];
  /** "tools", "reasoning", "json_schema", "attachment", "temperature": only those known to be true. */
  capabilities: readonly string[];
  /** Unix seconds of the model's release; 0 where unknown. */
  createdAt: number;
  price?: Price | undefined;
}
