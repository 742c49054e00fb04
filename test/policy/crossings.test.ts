// What a budget comes to, settlement by settlement: the thresholds that are told.
import { describe, expect, test } from "bun:test";
import type { AttemptRecord } from "../../src/core/attempt";
import type { Budget } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import { BudgetBook } from "../../src/policy/budget-book";

const START = Date.UTC(2026, 10, 23);
const HOUR = 3_600_000;

const budget = (changes: Partial<Budget> = {}): Budget => ({
  id: "bdg_1",
  organizationId: "default",
  scope: { kind: "key", id: "key_1" },
  limit: nanoUsd(100n),
  window: { unit: "day", rolling: false, zone: "UTC" },
  hard: false,
  thresholds: [],
  createdAt: 0,
  ...changes,
});

let calls = 0;
const call = (heldAt: number): AttemptRecord => ({
  attemptId: `call ${calls++}`,
  requestId: "r",
  attemptNumber: 1,
  heldAt,
  organizationId: "default",
  keyId: "key_1",
  mode: "live",
  door: "chat",
  provider: "openai",
  modelRequested: "m",
  modelServed: "m",
  stream: false,
  bound: nanoUsd(1n),
});

/** The per cents that are told when calls of these costs are made at these hours, one after another. */
function told(of: Budget, costs: readonly (readonly [hour: number, cost: bigint])[]): number[][] {
  const book = new BudgetBook();
  book.begin(of, []);
  book.fill(of.id, []);
  return costs.map(([hour, cost]) => {
    const made = call(START + hour * HOUR);
    book.reserve(made);
    return book.settle(made.attemptId, nanoUsd(cost)).map(({ percent }) => percent);
  });
}

describe("a budget tells", () => {
  test("of its limit, whether an operator made it a threshold or not", () => {
    const costs = [
      [0, 99n],
      [0, 1n],
      [0, 50n],
    ] as const;
    expect(told(budget(), costs)).toEqual([[], [100], []]);
    expect(told(budget({ thresholds: [{ percent: 100, action: "block" }] }), costs)).toEqual([[], [100], []]);
  });

  test("of every threshold that one call leaps over, and of those above the limit", () => {
    const thresholds = [50, 80, 150].map((percent) => ({ percent, action: "alert" as const }));
    expect(
      told(budget({ thresholds }), [
        [0, 90n],
        [0, 70n],
      ]),
    ).toEqual([
      [50, 80],
      [150, 100],
    ]);
  });

  test("of a rolling window as a whole, not of one of its buckets", () => {
    const rolling = budget({ window: { unit: "day", rolling: true, zone: "UTC" }, thresholds: [{ percent: 50, action: "alert" }] });
    // Thirty at a time, hours apart: the second makes sixty, the fourth more than all; a day later what was spent is forgotten.
    expect(
      told(rolling, [
        [0, 30n],
        [5, 30n],
        [10, 30n],
        [15, 30n],
        [60, 30n],
        [65, 30n],
      ]),
    ).toEqual([[], [50], [], [100], [], [50]]);
  });
});

describe("a prepaid balance tells", () => {
  const account = (lowAt: bigint | undefined): Budget =>
    budget({
      hard: true,
      window: { unit: "lifetime", rolling: false, zone: "UTC" },
      standsFor: {
        kind: "credit-account",
        mode: "live",
        markupBasisPoints: 2_000,
        lowAt: lowAt === undefined ? undefined : nanoUsd(lowAt),
      },
    });

  test("when no more is left than is low, its markup counted, once", () => {
    expect(
      told(account(10n), [
        [0, 70n],
        [0, 5n],
        [0, 5n],
      ]),
    ).toEqual([[], [100], []]);
  });

  test("nothing, where nothing is low", () => {
    expect(told(account(undefined), [[0, 100n]])).toEqual([[]]);
  });

  test("of what came in from then on, when it is topped up", () => {
    const book = new BudgetBook();
    const before = account(10n);
    book.begin(before, []);
    book.fill(before.id, []);
    const spend = (cost: bigint): number => {
      const made = call(START);
      book.reserve(made);
      return book.settle(made.attemptId, nanoUsd(cost)).length;
    };
    expect(spend(80n)).toBe(1);
    book.change({ ...before, limit: nanoUsd(200n) });
    expect([spend(10n), spend(75n)]).toEqual([0, 1]);
  });
});
