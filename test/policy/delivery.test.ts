import { describe, expect, test } from "bun:test";
import { MAX_AGE_MS, MAX_ATTEMPTS, restMs, retryInMs, verdictOf } from "../../src/policy/delivery";

const HOUR = 3_600_000;
const waits = (chance: number): number[] => {
  const all: number[] = [];
  for (let attempts = 1; ; attempts++) {
    const wait = retryInMs({ attempts, ageMs: 0 }, chance);
    if (wait === undefined) return all;
    all.push(wait);
  }
};

describe("a message that was not taken", () => {
  test("is tried eight times, over about a day, each wait longer than the one before", () => {
    for (const chance of [0, 0.5, 0.999]) {
      const all = waits(chance);
      expect(all).toHaveLength(MAX_ATTEMPTS - 1);
      expect(all).toEqual([...all].sort((a, b) => a - b));
      const sum = all.reduce((total, wait) => total + wait, 0);
      expect(sum).toBeGreaterThan(17 * HOUR);
      expect(sum).toBeLessThan(28 * HOUR);
    }
  });

  test("waits a fifth less or more than its neighbours, so that what failed together does not come again together", () => {
    expect(retryInMs({ attempts: 2, ageMs: 0 }, 0)).toBe(48_000);
    expect(retryInMs({ attempts: 2, ageMs: 0 }, 0.5)).toBe(60_000);
    expect(retryInMs({ attempts: 2, ageMs: 0 }, 0.999)).toBeLessThan(72_001);
  });

  test("waits as long as the endpoint asks, up to six hours, and never shorter than it would have", () => {
    expect(retryInMs({ attempts: 1, ageMs: 0, retryAfterMs: 60_000 }, 0.5)).toBe(60_000);
    expect(retryInMs({ attempts: 1, ageMs: 0, retryAfterMs: 0 }, 0.5)).toBe(5_000);
    expect(retryInMs({ attempts: 1, ageMs: 0, retryAfterMs: 99 * HOUR }, 0.5)).toBe(6 * HOUR);
  });

  test("is given up when it is too old, however few attempts it had", () => {
    expect(retryInMs({ attempts: 1, ageMs: MAX_AGE_MS - 1 }, 0)).toBeDefined();
    expect(retryInMs({ attempts: 1, ageMs: MAX_AGE_MS }, 0)).toBeUndefined();
  });
});

test("an endpoint that fails rests longer with each failure, and at most about five minutes", () => {
  expect(restMs(0, 0.5)).toBe(0);
  expect([1, 2, 3, 9, 10, 1_000_000].map((failures) => restMs(failures, 0.5))).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
});

test.each([
  [200, "delivered"],
  [204, "delivered"],
  [299, "delivered"],
  [301, "again"],
  [307, "again"],
  [400, "again"],
  [404, "again"],
  [410, "gone"],
  [429, "again"],
  [500, "again"],
] as const)("status %d means %s", (status, verdict) => {
  expect(verdictOf(status)).toBe(verdict);
});
