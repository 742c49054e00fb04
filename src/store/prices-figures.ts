// Figures of the library and of our overrides as one Price: integers, with a version that names exactly them.
import { createHash } from "node:crypto";
import { type NanoUsdPerMillion, parseUsd, perMillion, rateFromUsdPerMillion } from "../core/money";
import type { Price, PriceTier, Rates } from "../core/price";
import type { LibraryFigures } from "./prices-library";

/** The library's keys and the rates they are. */
const RATE_KEYS = {
  input_mtok: "input",
  output_mtok: "output",
  cache_read_mtok: "cacheRead",
  cache_write_mtok: "cacheWrite",
  cache_write_1h_mtok: "cacheWrite1h",
  input_audio_mtok: "inputAudio",
  output_audio_mtok: "outputAudio",
  cache_audio_read_mtok: "cacheReadAudio",
  output_image_mtok: "outputImage",
} as const satisfies Record<string, keyof Rates>;

const FEE_KEYS: Readonly<Record<string, string>> = {
  web_searches_kcount: "web_search",
  storage_searches_kcount: "file_search",
  requests_kcount: "request",
};

const rateKey = (key: string): keyof Rates | undefined =>
  Object.hasOwn(RATE_KEYS, key) ? RATE_KEYS[key as keyof typeof RATE_KEYS] : undefined;

export type Figures = Pick<Price, "rates" | "tiers" | "serviceTiers" | "feesPerThousand">;

/** No figures and this ending: an id that its provider serves free of charge (OpenRouter). */
const FREE_ENDING = ":free";

/**
 * The library's figures as ours. undefined: it bills something that our usage does not count (seconds, pages, video,
 * citations), or has no price for input: such a model is unpriced rather than too cheap. No output price is an output of 0.
 */
export function figuresOf(model: string, library: LibraryFigures): Figures | undefined {
  const keys = Object.keys(library).filter((key) => library[key] !== undefined);
  if (keys.length === 0 && model.endsWith(FREE_ENDING)) return FREE;
  if (library["input_mtok"] === undefined || !keys.every((key) => rateKey(key) || Object.hasOwn(FEE_KEYS, key))) return undefined;
  const starts = new Set<number>();
  const feesPerThousand: Record<string, NanoUsdPerMillion> = {};
  for (const key of keys) {
    const figure = library[key];
    const fee = FEE_KEYS[key];
    if (typeof figure === "object") for (const tier of figure.tiers) starts.add(tier.start);
    if (fee !== undefined && typeof figure === "number") feesPerThousand[fee] = rateFromUsdPerMillion(figure);
  }
  const tiers = [...starts]
    .sort((a, b) => a - b)
    .map((start): PriceTier => ({ aboveInputTokens: start, rates: ratesAt(library, start + 1) }));
  return { rates: ratesAt(library, 0), tiers, serviceTiers: {}, feesPerThousand };
}

export const FREE: Figures = { rates: { input: perMillion(0n), output: perMillion(0n) }, tiers: [], serviceTiers: {}, feesPerThousand: {} };

/** The rates of a request with so many input tokens. */
function ratesAt(library: LibraryFigures, inputTokens: number): Rates {
  const rates: Record<string, NanoUsdPerMillion> = { output: perMillion(0n) };
  for (const [key, figure] of Object.entries(library)) {
    const name = rateKey(key);
    if (name === undefined || figure === undefined) continue;
    let usd = typeof figure === "number" ? figure : figure.base;
    if (typeof figure === "object") for (const tier of figure.tiers) if (inputTokens > tier.start) usd = tier.price;
    rates[name] = rateFromUsdPerMillion(usd);
  }
  return rates as unknown as Rates;
}

/** A decimal string in USD per million tokens, or per thousand calls. Throws on anything else: our own table is wrong. */
export function rateFromText(usd: string): NanoUsdPerMillion {
  const amount = parseUsd(usd);
  if (amount === undefined) throw new Error(`Not an amount in USD: ${usd}`);
  return perMillion(amount);
}

/** Every rate times a fraction, rounded up to a whole nano-USD. */
export function timesRates(rates: Rates, [multiply, divide]: readonly [number, number]): Rates {
  const by = BigInt(divide);
  const entries = Object.entries(rates).map(([name, rate]) => [
    name,
    rate === undefined ? undefined : (BigInt(rate) * BigInt(multiply) + by - 1n) / by,
  ]);
  return Object.fromEntries(entries) as Rates;
}

/** 16 hexadecimal digits that name the figures, their model and their source. */
export function versionOf(price: Omit<Price, "version">): string {
  return createHash("sha256").update(canonical(price)).digest("hex").slice(0, 16);
}

/** JSON with sorted keys, and integers as text: the same figures give the same text in any order. */
function canonical(value: unknown): string {
  if (typeof value === "bigint") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}
