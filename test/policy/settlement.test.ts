// What an attempt costs, for every way it can end (reliability.md, Budgets 6).
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type NanoUsd, nanoUsd, perMillion, ZERO_USD } from "../../src/core/money";
import type { Price } from "../../src/core/price";
import type { Usage } from "../../src/core/usage";
import { costOf } from "../../src/policy/pricing";
import { type Ending, type Seen, type Settled, settle } from "../../src/policy/settlement";

/** $1 a million tokens in, $10 out: 1,000 and 10,000 nano-USD a token. */
const PRICE: Price = {
  provider: "openai",
  model: "m",
  version: "v1",
  source: "test",
  date: "2026-11-23",
  rates: { input: perMillion(1_000_000_000n), output: perMillion(10_000_000_000n) },
  tiers: [],
  serviceTiers: {},
  feesPerThousand: {},
};
const IN = 1_000n;
const OUT = 10_000n;
const BOUND = nanoUsd(100n * IN + 1_000n * OUT);

const COUNTED_INPUT = 20;
const COUNTED_OUTPUT = 30;
/** Our own count, its output with a tenth on top. */
const COUNTED_COST = nanoUsd(20n * IN + 33n * OUT);

const TOLD: Usage = { inputTokens: 11, outputTokens: 12 };
const TOLD_COST = nanoUsd(11n * IN + 12n * OUT);

const seen = (changes: Partial<Seen>): Seen => ({
  ending: "complete",
  stream: false,
  reasons: false,
  usage: undefined,
  countInputTokens: () => COUNTED_INPUT,
  countOutputTokens: () => COUNTED_OUTPUT,
  ...changes,
});

type Expected = Pick<Settled, "settlement" | "usageSource" | "cost">;
const released: Expected = { settlement: "released", usageSource: "none", cost: ZERO_USD };
const exact: Expected = { settlement: "exact", usageSource: "provider", cost: TOLD_COST };
const counted: Expected = { settlement: "counted", usageSource: "counted", cost: COUNTED_COST };
const ceiling = (usageSource: "none" | "provider"): Expected => ({ settlement: "ceiling", usageSource, cost: BOUND });

interface Case {
  ending: Ending;
  stream: boolean;
  reasons: boolean | undefined;
  told: boolean;
  expected: Expected;
}

/** Every ending × whole or stream × reasoning yes, no, unknown × usage told or not. */
const CASES: Case[] = [];
for (const stream of [false, true]) {
  for (const reasons of [false, true, undefined]) {
    for (const told of [false, true]) {
      const shared = { stream, reasons, told };
      CASES.push({ ...shared, ending: "unsent", expected: released });
      CASES.push({ ...shared, ending: "rejected", expected: released });
      // Thoughts that nobody saw cannot be counted.
      CASES.push({ ...shared, ending: "complete", expected: told ? exact : reasons === true ? ceiling("none") : counted });
      const hidden = !stream || reasons === true;
      // Whole figures are the provider's last word, wherever it broke off.
      CASES.push({ ...shared, ending: "broken", expected: told ? exact : hidden ? ceiling("none") : counted });
      // Figures from before the end are at most a part of it.
      const part: Expected = { ...counted, cost: nanoUsd(11n * IN + 33n * OUT) };
      CASES.push({ ...shared, ending: "cut", expected: hidden ? ceiling(told ? "provider" : "none") : told ? part : counted });
    }
  }
}

const words = ({ ending, stream, reasons, told }: Case): string =>
  `${ending}, ${stream ? "stream" : "whole"}, ${reasons === undefined ? "reasoning unknown" : reasons ? "reasoning" : "no reasoning"}, usage ${told ? "told" : "not told"}`;

describe("settle()", () => {
  test("every combination is in the table once", () => {
    expect(CASES).toHaveLength(5 * 2 * 3 * 2);
  });

  test.each(CASES.map((one) => [words(one), one] as const))("%s", (_, { ending, stream, reasons, told, expected }) => {
    const settled = settle(seen({ ending, stream, reasons, usage: told ? TOLD : undefined }), PRICE, BOUND);
    expect({ settlement: settled.settlement, usageSource: settled.usageSource, cost: settled.cost }).toEqual(expected);
    expect(settled.overrun).toBe(false);
  });

  test.each(CASES.map((one) => [words(one), one] as const))("unpriced: %s", (_, { ending, stream, reasons, told, expected }) => {
    const settled = settle(seen({ ending, stream, reasons, usage: told ? TOLD : undefined }), undefined, undefined);
    expect(settled.settlement).toBe(expected.settlement);
    expect(settled.usageSource).toBe(expected.usageSource);
    // Nothing was sent or billed: that is 0. Everything else has no figure, and no figure is not 0.
    expect(settled.cost).toBe(expected.settlement === "released" ? ZERO_USD : undefined);
    expect(settled.overrun).toBe(false);
  });
});

describe("what the provider told", () => {
  test("is charged as it is, over the bound too, and the overrun is marked", () => {
    const usage = { inputTokens: 100, outputTokens: 2_000 };
    const settled = settle(seen({ usage }), PRICE, BOUND);
    expect(settled).toMatchObject({ settlement: "exact", overrun: true, cost: nanoUsd(100n * IN + 2_000n * OUT) });
  });

  test("exactly the bound is no overrun", () => {
    expect(settle(seen({ usage: { inputTokens: 100, outputTokens: 1_000 } }), PRICE, BOUND)).toMatchObject({ cost: BOUND, overrun: false });
  });

  test("zero tokens are told, and cost nothing", () => {
    expect(settle(seen({ usage: { inputTokens: 0, outputTokens: 0 } }), PRICE, BOUND)).toMatchObject({
      settlement: "exact",
      cost: ZERO_USD,
    });
  });

  test("half told is counted: what was told stays, the rest is our count", () => {
    expect(settle(seen({ usage: { inputTokens: 500 } }), PRICE, BOUND)).toMatchObject({
      settlement: "counted",
      usageSource: "counted",
      usage: { inputTokens: 500, outputTokens: COUNTED_OUTPUT },
      cost: nanoUsd(500n * IN + 33n * OUT),
    });
    expect(settle(seen({ usage: { outputTokens: 500 } }), PRICE, BOUND)).toMatchObject({
      usage: { inputTokens: COUNTED_INPUT, outputTokens: 500 },
      // The margin is for our own count, and 33 is less than what was told.
      cost: nanoUsd(20n * IN + 500n * OUT),
    });
  });

  test("its own cost wins over the table", () => {
    const settled = settle(seen({ usage: { ...TOLD, reportedCost: nanoUsd(7n) } }), PRICE, BOUND);
    expect(settled).toMatchObject({ settlement: "exact", cost: nanoUsd(7n) });
    expect(settle(seen({ usage: { ...TOLD, reportedCost: nanoUsd(7n) } }), undefined, undefined).cost).toBe(nanoUsd(7n));
  });

  test("a service tier or a tool fee that the price does not have is charged at the ceiling, never at nothing", () => {
    for (const usage of [
      { ...TOLD, serviceTier: "priority" },
      { ...TOLD, toolCalls: { web_search: 1 } },
    ]) {
      expect(settle(seen({ usage }), PRICE, BOUND)).toMatchObject({ settlement: "ceiling", usageSource: "provider", cost: BOUND, usage });
    }
  });
});

describe("figures from the middle of a stream that was cut", () => {
  const cut = (usage: Usage): Settled => settle(seen({ ending: "cut", stream: true, usage }), PRICE, BOUND);

  test("count where they are more than our own", () => {
    expect(cut({ inputTokens: 11, outputTokens: 0 }).cost).toBe(nanoUsd(11n * IN + 33n * OUT));
    expect(cut({ inputTokens: 11, outputTokens: 500 }).cost).toBe(nanoUsd(11n * IN + 500n * OUT));
  });

  test("are no cost and no input where they say 0 or what it was so far", () => {
    expect(cut({ inputTokens: 0, outputTokens: 0, reportedCost: nanoUsd(1n) }).cost).toBe(COUNTED_COST);
  });
});

describe("what was only counted", () => {
  test("never costs more than was held", () => {
    const settled = settle(seen({ ending: "broken", stream: true, countOutputTokens: () => 1_000_000 }), PRICE, BOUND);
    expect(settled).toMatchObject({ settlement: "counted", cost: BOUND, overrun: false });
  });

  test("has no bound where none was held", () => {
    expect(settle(seen({ ending: "broken", stream: true }), PRICE, undefined).cost).toBe(COUNTED_COST);
  });

  test("is the bound where the price cannot tell", () => {
    const usage: Usage = { serviceTier: "priority" };
    expect(settle(seen({ ending: "broken", stream: true, usage }), PRICE, BOUND).cost).toBe(BOUND);
    expect(settle(seen({ ending: "broken", stream: true, usage }), PRICE, undefined).cost).toBeUndefined();
  });

  test("asks for our count of the input only where it was not told", () => {
    let asked = 0;
    const countInputTokens = (): number => ++asked;
    settle(seen({ usage: TOLD, countInputTokens }), PRICE, BOUND);
    settle(seen({ usage: { inputTokens: 5 }, countInputTokens }), PRICE, BOUND);
    settle(seen({ ending: "unsent", countInputTokens }), PRICE, BOUND);
    settle(seen({ ending: "broken", countInputTokens }), PRICE, BOUND);
    expect(asked).toBe(0);
    settle(seen({ countInputTokens }), PRICE, BOUND);
    expect(asked).toBe(1);
  });
});

describe("whatever is seen", () => {
  const tokens = fc.option(fc.nat({ max: 5_000 }), { nil: undefined });
  const anySeen = fc.record({
    ending: fc.constantFrom<Ending>("unsent", "rejected", "complete", "broken", "cut"),
    stream: fc.boolean(),
    reasons: fc.constantFrom(true, false, undefined),
    usage: fc.option(fc.record({ inputTokens: tokens, outputTokens: tokens }), { nil: undefined }),
    input: fc.nat({ max: 5_000 }),
    output: fc.nat({ max: 5_000 }),
  });
  const run = (
    one: typeof anySeen extends fc.Arbitrary<infer T> ? T : never,
    price: Price | undefined,
    bound: NanoUsd | undefined,
  ): Settled => settle({ ...one, countInputTokens: () => one.input, countOutputTokens: () => one.output }, price, bound);

  test("a call that may have been billed is never free, and only the provider's own figures pass the bound", () => {
    fc.assert(
      fc.property(anySeen, (one) => {
        const settled = run(one, PRICE, BOUND);
        const cost = settled.cost ?? nanoUsd(-1n);
        expect(cost >= 0n).toBe(true);
        if (settled.settlement !== "exact") expect(cost <= BOUND).toBe(true);
        expect(settled.overrun).toBe(cost > BOUND);
        if (settled.settlement === "released") expect(["unsent", "rejected"]).toContain(one.ending);
        if (settled.settlement === "exact") expect(cost).toBe(costOf(settled.usage ?? {}, PRICE)?.total as NanoUsd);
      }),
    );
  });

  test("counted output never falls below what the provider told", () => {
    fc.assert(
      fc.property(anySeen, (one) => {
        const settled = run(one, PRICE, BOUND);
        if (settled.usageSource !== "counted") return;
        expect(settled.usage?.outputTokens).toBe(Math.max(one.output, one.usage?.outputTokens ?? 0));
        const toldInput = one.ending === "cut" ? one.usage?.inputTokens || undefined : one.usage?.inputTokens;
        expect(settled.usage?.inputTokens).toBe(toldInput ?? one.input);
      }),
    );
  });
});

test("a blocked prompt is charged for its input, however the model thinks", () => {
  const settled = settle(seen({ reasons: true, blocked: true, countOutputTokens: () => 0 }), PRICE, BOUND);
  expect(settled).toMatchObject({ settlement: "counted", cost: nanoUsd(BigInt(COUNTED_INPUT) * IN) });
  expect(settle(seen({ reasons: true }), PRICE, BOUND)).toMatchObject(ceiling("none"));
});
