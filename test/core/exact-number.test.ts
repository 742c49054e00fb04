// Amounts keep the digits that were written, whatever a double would make of them.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ExactNumber, parseExact, plainDecimal } from "../../src/core/exact-number";
import { type parseUsd, usdText } from "../../src/core/money";

test("parseExact() keeps the text of numbers in fields of amounts and shares, at any depth, and nothing else", () => {
  const text =
    '{"limit_usd": 12345678.123456789, "rate_limit": 60, "budgets": [{"limit_usd": 0.10, "percent": 80}], "markup_percent": 2e1}';
  expect(parseExact(text)).toEqual({
    limit_usd: new ExactNumber("12345678.123456789"),
    rate_limit: 60,
    budgets: [{ limit_usd: new ExactNumber("0.10"), percent: 80 }],
    markup_percent: new ExactNumber("2e1"),
  });
  expect(parseExact('{"limit_usd": "5"}')).toEqual({ limit_usd: "5" });
});

test("parseExact() makes own properties of names that prototypes have", () => {
  const read = parseExact('{"metadata": {"__proto__": {"polluted_usd": 1}}}') as { metadata: object };
  expect(Object.keys(read.metadata)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>)["polluted_usd"]).toBeUndefined();
});

test.each([
  ["0", "0"],
  ["-0", "0"],
  ["0.0", "0"],
  ["5", "5"],
  ["5.00", "5"],
  ["0.1", "0.1"],
  ["1e-7", "0.0000001"],
  ["1E+3", "1000"],
  ["1.25e1", "12.5"],
  ["12.5e-3", "0.0125"],
  ["-2.50", "-2.5"],
  ["9007199254740993", "9007199254740993"],
  ["12345678.123456789", "12345678.123456789"],
  ["1e31", undefined],
  ["1e-31", undefined],
  ["", undefined],
  ["1e", undefined],
  [".5", undefined],
  ["Infinity", undefined],
])("plainDecimal(%p) is %p", (text, plain) => {
  expect(plainDecimal(text)).toBe(plain as string);
});

test("plainDecimal() of any amount's text, shifted by an exponent or not, is that amount", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.integer({ min: -9, max: 9 }), (nano, shift) => {
      const digits = usdText(nano as ReturnType<typeof parseUsd> & bigint);
      expect(plainDecimal(digits)).toBe(digits);
      // nano-USD as an integer with an exponent: exactly the amount.
      expect(plainDecimal(`${nano}e-9`)).toBe(digits);
      const shifted = `${nano}${"0".repeat(9 + shift)}e${-9 - 9 - shift}`;
      expect(plainDecimal(shifted)).toBe(digits);
    }),
  );
});
