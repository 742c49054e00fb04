import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  addUsd,
  minUsd,
  NANO_PER_USD,
  type NanoUsd,
  nanoUsd,
  parseUsd,
  rateFromUsdPerMillion,
  subUsd,
  usdNumber,
  usdText,
  ZERO_USD,
} from "../../src/core/money";

/** Everything that fifteen whole digits and nine decimals can say. */
const amount = fc.bigInt({ min: 0n, max: 10n ** 24n - 1n }).map(nanoUsd);

describe("usdText()", () => {
  test.each<[bigint, string]>([
    [0n, "0"],
    [1n, "0.000000001"],
    [1_500_000n, "0.0015"],
    [NANO_PER_USD, "1"],
    [12n * NANO_PER_USD + 50n, "12.00000005"],
    [-1n, "-0.000000001"],
    [-2_500_000_000n, "-2.5"],
    [9_007_199_254_740_993n, "9007199.254740993"],
  ])("writes %d nano-USD as %s", (nano, text) => {
    expect(usdText(nanoUsd(nano))).toBe(text);
  });

  test("is read back by parseUsd() as the same amount", () => {
    fc.assert(
      fc.property(amount, (nano) => {
        expect(parseUsd(usdText(nano))).toBe(nano);
      }),
    );
  });

  test("has no exponent, no trailing zero and no bare point, whatever the amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (nano) => {
        expect(usdText(nanoUsd(nano))).toMatch(/^-?(?:0|[1-9]\d*)(?:\.\d{0,8}[1-9])?$/);
      }),
    );
  });
});

describe("parseUsd()", () => {
  test.each<[string, bigint]>([
    ["0", 0n],
    ["12", 12n * NANO_PER_USD],
    ["007", 7n * NANO_PER_USD],
    ["0.1", 100_000_000n],
    ["0.000000001", 1n],
    ["1.50", 1_500_000_000n],
    ["999999999999999.999999999", 999_999_999_999_999_999_999_999n],
    ["9007199.254740993", 9_007_199_254_740_993n],
  ])("reads %s without a float", (text, nano) => {
    expect(parseUsd(text)).toBe(nanoUsd(nano));
  });

  test.each([
    "",
    " ",
    "1 ",
    " 1",
    "-1",
    "+1",
    "1.",
    ".5",
    "1e3",
    "0x10",
    "1,5",
    "1_000",
    "$1",
    "NaN",
    "Infinity",
    "1.0000000001",
    "1".repeat(16),
    "1\n",
    "١",
  ])("takes %p for no amount", (text) => {
    expect(parseUsd(text)).toBeUndefined();
  });

  test("keeps every digit: two texts that differ in value are two amounts", () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        fc.pre(a !== b);
        expect(parseUsd(usdText(a))).not.toBe(parseUsd(usdText(b)) as NanoUsd);
      }),
    );
  });
});

describe("sums of money", () => {
  test("are exact where floats are not", () => {
    const tenth = parseUsd("0.1") as NanoUsd;
    const fifth = parseUsd("0.2") as NanoUsd;
    expect(usdText(addUsd(tenth, fifth))).toBe("0.3");
    expect(usdText(subUsd(addUsd(tenth, fifth), fifth))).toBe("0.1");
  });

  test("undo each other", () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        expect(subUsd(addUsd(a, b), b)).toBe(a);
        expect(subUsd(a, a)).toBe(ZERO_USD);
        expect(minUsd(a, b)).toBe(minUsd(b, a));
        expect(minUsd(a, b) <= a && minUsd(a, b) <= b).toBe(true);
      }),
    );
  });
});

describe("usdNumber()", () => {
  test("is the number that the decimal text means, for every amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }).map(nanoUsd), (nano) => {
        expect(usdNumber(nano)).toBe(Number(usdText(nano)));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 13n }).map(nanoUsd), (nano) => {
        expect(usdNumber(nano)).toBe(Number(usdText(nano)));
      }),
    );
  });
});

describe("rateFromUsdPerMillion()", () => {
  test.each<[number, bigint]>([
    [0, 0n],
    [0.15, 150_000_000n],
    [0.075, 75_000_000n],
    [2.5, 2_500_000_000n],
    [0.1 + 0.2, 300_000_000n],
    [75, 75_000_000_000n],
  ])("takes %d USD a million to the nearest nano-USD", (usd, rate) => {
    expect(rateFromUsdPerMillion(usd) as bigint).toBe(rate);
  });
});
