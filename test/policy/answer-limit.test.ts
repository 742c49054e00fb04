import { describe, expect, test } from "bun:test";
import { answerLimit, type LimitFacts } from "../../src/policy/answer-limit";

/** A thousand answers were seen, the longest of them 2,000 tokens, and there is money for anything. */
const KNOWN: LimitFacts = {
  fits: 1_000_000,
  fitsUnheld: 1_000_000,
  long: 2_000,
  seen: 1_000,
  modelMax: 16_384,
  windowLeft: 100_000,
  reasons: false,
  thinking: undefined,
};

describe("the limit that is put in", () => {
  test.each<[string, Partial<LimitFacts>, number]>([
    ["is half as much again as all but one in a thousand answers", {}, 3_000],
    ["is at least 1,024", { long: 20 }, 1_024],
    ["is 4,096 while little is known", { long: 20, seen: 999 }, 4_096],
    ["is 4,096 before anything is known", { long: undefined, seen: 0 }, 4_096],
    ["is 16,384 for a model that thinks, before much is known", { long: undefined, seen: 0, reasons: true }, 16_384],
    ["adds what the caller lets the model think", { thinking: 5_000 }, 8_000],
    ["is never above the model's own", { modelMax: 2_500 }, 2_500],
    ["leaves room for the input in the window", { windowLeft: 2_200 }, 2_200],
    ["is what fits, where nobody else holds money", { fits: 70, fitsUnheld: 70 }, 70],
    ["is a share of what fits, where others hold money too", { fits: 80_000 }, 2_500],
    ["is no share so small that it cuts an answer in a thousand", { fits: 3_100 }, 2_000],
    ["is never less than providers take", { fits: 3, fitsUnheld: 3 }, 16],
  ])("%s", (_, facts, limit) => {
    expect(answerLimit({ ...KNOWN, ...facts })?.limit).toBe(limit);
  });

  test("is none where there is no bound at any", () => {
    expect(answerLimit({ ...KNOWN, fits: undefined, fitsUnheld: undefined })).toBeUndefined();
  });
});

describe("what is worth waiting for", () => {
  test.each<[string, Partial<LimitFacts>, number]>([
    ["is what all but one in a thousand answers need", { fits: 70 }, 2_000],
    ["is thrice the longest seen, where few were", { fits: 70, seen: 100, long: 500 }, 1_500],
    ["is the whole first limit, where next to none were", { fits: 70, seen: 99, long: 500 }, 4_096],
    ["is no more than what others leave in the end", { fits: 70, fitsUnheld: 900 }, 900],
    ["is nothing where what is spent is in the way", { fits: 70, fitsUnheld: 70 }, 70],
  ])("%s", (_, facts, enough) => {
    expect(answerLimit({ ...KNOWN, ...facts })?.enough).toBe(enough);
  });
});
