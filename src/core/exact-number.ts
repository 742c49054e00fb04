// Amounts in JSON keep the digits that their sender wrote: JSON.parse would make 12345678.123456789 a double, and the double is another
// number.

/** A JSON number as it was written ("0.1", "1e-7"). */
export class ExactNumber {
  constructor(readonly text: string) {}
}

/** Fields that hold amounts and shares. */
const EXACT_FIELD = /_(usd|percent)$/;

type Reviver = (this: unknown, name: string, value: unknown, context: { source?: string }) => unknown;

const exact: Reviver = (name, value, { source }) =>
  typeof value === "number" && source !== undefined && EXACT_FIELD.test(name) ? new ExactNumber(source) : value;

/** The text's value, with an `ExactNumber` for each number in a field whose name ends in `_usd` or `_percent`. Throws `SyntaxError`. */
export const parseExact = (text: string): unknown => JSON.parse(text, exact as (name: string, value: unknown) => unknown);

/** Exponents beyond this name no amount of money. */
const EXPONENT_MAX = 30;

/**
 * A JSON number written out without an exponent and without needless zeros: "1e-7" is "0.0000001", "5.00" is "5". No digit passes
 * through a float. undefined: it is none, or one out of all proportion.
 */
export function plainDecimal(text: string): string | undefined {
  const match = /^(-?)(\d{1,40})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > EXPONENT_MAX) return undefined;
  const point = whole.length + exponent;
  const digits = (whole + fraction).padEnd(Math.max(point, 0), "0");
  const before = point > 0 ? digits.slice(0, point) : "0";
  const after = point > 0 ? digits.slice(point) : "0".repeat(-point) + digits;
  const shownBefore = before.replace(/^0+(?=\d)/, "");
  const shownAfter = after.replace(/0+$/, "");
  const shown = shownAfter === "" ? shownBefore : `${shownBefore}.${shownAfter}`;
  return shown === "0" ? "0" : sign + shown;
}
