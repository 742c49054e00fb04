// Money is an integer with a unit: nano-USD (1e-9 USD) as BigInt. Floats never touch it.

/** An amount in nano-USD: 1 USD = 1_000_000_000n. */
export type NanoUsd = bigint & { readonly unit: "nano_usd" };

/** A rate in nano-USD per million units (tokens), or per thousand calls for tool fees: the field name says which. */
export type NanoUsdPerMillion = bigint & { readonly unit: "nano_usd_per_million" };

export const NANO_PER_USD = 1_000_000_000n;
export const ZERO_USD = 0n as NanoUsd;

export const nanoUsd = (amount: bigint): NanoUsd => amount as NanoUsd;
export const perMillion = (rate: bigint): NanoUsdPerMillion => rate as NanoUsdPerMillion;

export const addUsd = (a: NanoUsd, b: NanoUsd): NanoUsd => (a + b) as NanoUsd;
export const subUsd = (a: NanoUsd, b: NanoUsd): NanoUsd => (a - b) as NanoUsd;
export const minUsd = (a: NanoUsd, b: NanoUsd): NanoUsd => (a < b ? a : b);

/** A decimal string in USD without trailing zeros: 1_500_000n → "0.0015". */
export function usdText(amount: NanoUsd): string {
  if (amount === 0n) return "0";
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(10, "0");
  const point = digits.length - 9;
  let end = digits.length;
  while (end > point && digits[end - 1] === "0") end--;
  return sign + digits.slice(0, point) + (end === point ? "" : `.${digits.slice(point, end)}`);
}

/** The amount as a JSON number in USD. Only for showing: never computed with. */
export const usdNumber = (amount: NanoUsd): number => {
  const nano = Number(amount);
  // Division is rounded to the nearest double, which is what the decimal text would read back as.
  return Number.isSafeInteger(nano) ? nano / 1e9 : Number(usdText(amount));
};

/**
 * Reads a decimal string in USD ("12", "0.000000001") as text, so that no digit passes through a float.
 * Returns undefined for anything else: signs, exponents, more than nine decimals, more than fifteen whole digits.
 */
export function parseUsd(text: string): NanoUsd | undefined {
  const match = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) return undefined;
  return (BigInt(match[1] ?? "0") * NANO_PER_USD + BigInt((match[2] ?? "").padEnd(9, "0"))) as NanoUsd;
}

/** A rate given in USD per million units as a float of a price list, to the nearest nano-USD. */
export const rateFromUsdPerMillion = (usd: number): NanoUsdPerMillion => BigInt(Math.round(usd * 1e9)) as NanoUsdPerMillion;
