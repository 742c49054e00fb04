import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mergeUsage, type Usage } from "../../src/core/usage";

const count = fc.option(fc.nat(), { nil: undefined });
const usage: fc.Arbitrary<Usage> = fc.record(
  {
    inputTokens: count,
    outputTokens: count,
    cacheReadInputTokens: count,
    reasoningOutputTokens: count,
    serviceTier: fc.option(fc.constantFrom("default", "flex"), { nil: undefined }),
    toolCalls: fc.option(fc.dictionary(fc.constantFrom("web_search", "code"), fc.nat()), { nil: undefined }),
  },
  { requiredKeys: [] },
);

/** What a usage says: the fields that are told. */
const told = (of: Usage): Record<string, unknown> => Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined));

describe("mergeUsage()", () => {
  test("the later figure replaces the earlier one and is never added to it", () => {
    expect(mergeUsage({ inputTokens: 10, outputTokens: 1 }, { outputTokens: 7 })).toEqual({ inputTokens: 10, outputTokens: 7 });
    expect(mergeUsage({ outputTokens: 7 }, { outputTokens: 7 })).toEqual({ outputTokens: 7 });
  });

  test("what the later one does not say stays; what it says to be 0 is 0", () => {
    expect(mergeUsage({ inputTokens: 10 }, { inputTokens: undefined, outputTokens: 3 })).toEqual({ inputTokens: 10, outputTokens: 3 });
    expect(mergeUsage({ cacheReadInputTokens: 10 }, { cacheReadInputTokens: 0 })).toEqual({ cacheReadInputTokens: 0 });
  });

  test("without an earlier one it says what the later one says", () => {
    fc.assert(fc.property(usage, (later) => expect(told(mergeUsage(undefined, later))).toEqual(told(later))));
  });

  test("each field is the last that was told, whoever told it", () => {
    fc.assert(
      fc.property(usage, usage, (earlier, later) => {
        expect(told(mergeUsage(earlier, later))).toEqual({ ...told(earlier), ...told(later) });
      }),
    );
  });

  test("the same report twice changes nothing, and grouping does not matter", () => {
    fc.assert(
      fc.property(usage, usage, usage, (a, b, c) => {
        expect(told(mergeUsage(mergeUsage(a, b), b))).toEqual(told(mergeUsage(a, b)));
        expect(told(mergeUsage(mergeUsage(a, b), c))).toEqual(told(mergeUsage(a, mergeUsage(b, c))));
      }),
    );
  });

  test("neither report is changed", () => {
    const earlier = Object.freeze({ inputTokens: 1 });
    const later = Object.freeze({ outputTokens: 2 });
    expect(mergeUsage(earlier, later)).toEqual({ inputTokens: 1, outputTokens: 2 });
  });
});
