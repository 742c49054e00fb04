import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RetryBudget, retryDelayMs } from "../../src/policy/retry";

const SHARE = 0.2;
const EPSILON = 1e-6;

/** Puts in `deposits`, then takes out as many as there are. */
function drained(budget: RetryBudget, target: string, deposits: number): number {
  for (let n = 0; n < deposits; n++) budget.deposit(target);
  let taken = 0;
  while (budget.withdraw(target)) taken++;
  return taken;
}

describe("the budget of retries", () => {
  test("begins empty: the first fault of a new target is not repeated there", () => {
    const budget = new RetryBudget();
    expect(budget.withdraw("a")).toBe(false);
    budget.deposit("a");
    expect(budget.withdraw("a")).toBe(false);
  });

  test("gives one retry for five calls", () => {
    expect(drained(new RetryBudget(), "a", 4)).toBe(0);
    expect(drained(new RetryBudget(), "a", 5)).toBe(1);
    expect(drained(new RetryBudget(), "a", 25)).toBe(5);
  });

  test("saves up for a while, not for ever: a storm after a quiet day is still small", () => {
    expect(drained(new RetryBudget(), "a", 1_000_000)).toBeLessThanOrEqual(10);
  });

  test("is each target's own", () => {
    const budget = new RetryBudget();
    for (let n = 0; n < 5; n++) budget.deposit("openai/gpt-5");
    expect(budget.withdraw("gemini/gemini-2.5-pro")).toBe(false);
    expect(budget.withdraw("openai/gpt-5")).toBe(true);
  });

  test("never gives more than a fifth of the calls, in any order of calls and faults", () => {
    const step = fc.record({ target: fc.constantFrom("a", "b", "c"), retry: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.integer({ min: 1, max: 4 }), (steps, maxTargets) => {
        const budget = new RetryBudget(maxTargets);
        const deposits = new Map<string, number>();
        const retries = new Map<string, number>();
        for (const { target, retry } of steps) {
          if (retry) {
            if (budget.withdraw(target)) retries.set(target, (retries.get(target) ?? 0) + 1);
          } else {
            budget.deposit(target);
            deposits.set(target, (deposits.get(target) ?? 0) + 1);
          }
          expect(retries.get(target) ?? 0).toBeLessThanOrEqual((deposits.get(target) ?? 0) * SHARE + EPSILON);
        }
      }),
    );
  });

  test("drifts nowhere in a long life", () => {
    const budget = new RetryBudget();
    let retries = 0;
    const calls = 100_000;
    for (let n = 0; n < calls; n++) {
      budget.deposit("a");
      if (budget.withdraw("a")) retries++;
    }
    expect(retries).toBeLessThanOrEqual(calls * SHARE);
    expect(retries).toBeGreaterThan(calls * SHARE * 0.99);
  });

  test("remembers so many targets and no more: the one that was not called for longest is forgotten", () => {
    const budget = new RetryBudget(2);
    for (let n = 0; n < 5; n++) budget.deposit("old");
    for (let n = 0; n < 5; n++) budget.deposit("kept");
    budget.deposit("new");
    expect(budget.withdraw("old")).toBe(false);
    expect(budget.withdraw("kept")).toBe(true);
  });

  test("a retry is no call: asking for one adds no target", () => {
    const budget = new RetryBudget(2);
    for (const target of ["a", "b"]) for (let n = 0; n < 5; n++) budget.deposit(target);
    for (let n = 0; n < 1_000; n++) expect(budget.withdraw(`stranger-${n}`)).toBe(false);
    expect([budget.withdraw("a"), budget.withdraw("b")]).toEqual([true, true]);
  });
});

describe("retryDelayMs()", () => {
  test("doubles from 50 to 100 milliseconds on, by the jitter", () => {
    expect(retryDelayMs(1, undefined, 0)).toBe(50);
    expect(retryDelayMs(1, undefined, 1)).toBe(100);
    expect(retryDelayMs(2, undefined, 0)).toBe(100);
    expect(retryDelayMs(2, undefined, 1)).toBe(200);
  });

  test("ends where waiting is not worth it", () => {
    expect(retryDelayMs(3, undefined, 0)).toBeUndefined();
    expect(retryDelayMs(3, 0, 0)).toBeUndefined();
    expect(retryDelayMs(1_000, undefined, 0)).toBeUndefined();
  });

  test("is what the provider told, if that is short", () => {
    expect(retryDelayMs(1, 0, 0.5)).toBe(0);
    expect(retryDelayMs(2, 1_234, 0.5)).toBe(1_234);
    expect(retryDelayMs(1, 2_000, 0.5)).toBe(2_000);
    expect(retryDelayMs(1, 2_001, 0.5)).toBeUndefined();
    expect(retryDelayMs(1, 86_400_000, 0.5)).toBeUndefined();
  });

  test("is never negative and never long", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.option(fc.nat(), { nil: undefined }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (retry, told, jitter) => {
          const delay = retryDelayMs(retry, told, jitter);
          if (delay !== undefined) expect(delay >= 0 && delay <= 2_000).toBe(true);
        },
      ),
    );
  });
});
