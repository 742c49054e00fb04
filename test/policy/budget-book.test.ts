import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AttemptRecord } from "../../src/core/attempt";
import type { Budget, Scope, Threshold, Window } from "../../src/core/budget";
import { type NanoUsd, nanoUsd } from "../../src/core/money";
import { BudgetBook, scopesOf } from "../../src/policy/budget-book";

const T0 = Date.parse("2026-11-23T12:00:00Z");
const DAY = 86_400_000;
const usd = (amount: number): NanoUsd => nanoUsd(BigInt(Math.round(amount * 1e9)));

const budget = (id: string, scope: Scope, limit: number, more: Partial<Budget> = {}): Budget => ({
  id,
  organizationId: "org_1",
  scope,
  limit: usd(limit),
  window: { unit: "day", rolling: false, zone: "UTC" },
  hard: true,
  thresholds: [],
  createdAt: T0,
  ...more,
});

let made = 0;
const call = (bound: number, more: Partial<AttemptRecord> = {}): AttemptRecord => ({
  attemptId: `a${++made}.1`,
  requestId: `a${made}`,
  attemptNumber: 1,
  heldAt: T0,
  organizationId: "org_1",
  teamId: "team_1",
  projectId: "proj_1",
  keyId: "key_1",
  mode: "live",
  door: "chat",
  provider: "openai",
  modelRequested: "m",
  modelServed: "m",
  stream: false,
  bound: usd(bound),
  ...more,
});

const KEY: Scope = { kind: "key", id: "key_1" };
const PROJECT: Scope = { kind: "project", id: "proj_1" };
const ORGANIZATION: Scope = { kind: "organization", id: "org_1" };

function bookOf(...budgets: Budget[]): BudgetBook {
  const book = new BudgetBook();
  for (const each of budgets) {
    book.begin(each, []);
    book.fill(each.id, []);
  }
  return book;
}
const figures = (book: BudgetBook, id: string, now = T0, mode: "live" | "test" = "live") => {
  const state = book.state(id, mode, now);
  return state && { spent: state.spent, reserved: state.reserved };
};

describe("a call counts against", () => {
  test("every scope that it is in; names of callers are their organization's own", () => {
    expect(scopesOf(call(1, { user: "alice", agent: "bot", run: "r1" }))).toEqual([
      "organization:org_1",
      "team:team_1",
      "project:proj_1",
      "key:key_1",
      "user:org_1/alice",
      "agent:org_1/bot",
      "run:org_1/r1",
    ]);
    const alices = budget("b", { kind: "user", id: "alice" }, 1);
    const book = bookOf(alices);
    book.reserve(call(1, { organizationId: "org_2", user: "alice" }));
    expect(figures(book, "b")).toEqual({ spent: usd(0), reserved: usd(0) });
  });
});

describe("a hard budget", () => {
  test("holds to the last nano-USD and not one more, on all scopes or on none", () => {
    const book = bookOf(budget("k", KEY, 10), budget("p", PROJECT, 5), budget("o", ORGANIZATION, 7));
    expect(book.reserve(call(5))).toBeUndefined();
    const refused = book.reserve(call(0.000000001));
    expect(refused).toMatchObject({ budget: { id: "p" }, spent: usd(0), reserved: usd(5) });
    for (const id of ["k", "p", "o"]) expect(figures(book, id)).toEqual({ spent: usd(0), reserved: usd(5) });
  });

  test("settles to what it cost and lets go of the rest, once", () => {
    const book = bookOf(budget("k", KEY, 1));
    const first = call(0.9);
    book.reserve(first);
    book.settle(first.attemptId, usd(0.25));
    book.settle(first.attemptId, usd(0.25));
    expect(figures(book, "k")).toEqual({ spent: usd(0.25), reserved: usd(0) });
    expect(book.reserve(call(0.75))).toBeUndefined();
    expect(book.reserve(call(0.000000001))).toBeDefined();
  });

  test("posts the truth where a bound was wrong, and then holds nothing more", () => {
    const book = bookOf(budget("k", KEY, 1));
    const first = call(0.5);
    book.reserve(first);
    book.settle(first.attemptId, usd(1.5));
    expect(figures(book, "k")).toEqual({ spent: usd(1.5), reserved: usd(0) });
    expect(book.reserve(call(0))).toBeUndefined();
    expect(book.reserve(call(0.000000001))).toBeDefined();
  });

  test("keeps test keys' money apart", () => {
    const book = bookOf(budget("k", KEY, 1));
    expect(book.reserve(call(1, { mode: "test" }))).toBeUndefined();
    expect(book.reserve(call(1))).toBeUndefined();
    expect(figures(book, "k", T0, "test")).toEqual({ spent: usd(0), reserved: usd(1) });
  });

  test("begins anew with each period, and a call belongs to the period of its admission", () => {
    const book = bookOf(budget("k", KEY, 1));
    const evening = call(1, { heldAt: T0 });
    book.reserve(evening);
    expect(book.reserve(call(1, { heldAt: T0 + DAY }))).toBeUndefined();
    book.settle(evening.attemptId, usd(0.7));
    expect(figures(book, "k", T0)).toEqual({ spent: usd(0.7), reserved: usd(0) });
    expect(figures(book, "k", T0 + DAY)).toEqual({ spent: usd(0), reserved: usd(1) });
  });

  test("of a rolling window frees what is older than the window, and not what is still held", () => {
    const window: Window = { unit: "hour", rolling: true, zone: "UTC" };
    const book = bookOf(budget("k", KEY, 1, { window }));
    const settled = call(0.4);
    const open = call(0.4);
    book.reserve(settled);
    book.reserve(open);
    book.settle(settled.attemptId, usd(0.4));
    const minutes = (n: number): number => T0 + n * 60_000;
    expect(figures(book, "k", minutes(60))).toEqual({ spent: usd(0.4), reserved: usd(0.4) });
    expect(figures(book, "k", minutes(61))).toEqual({ spent: usd(0), reserved: usd(0.4) });
    expect(book.reserve(call(0.7, { heldAt: minutes(200) }))).toBeDefined();
    expect(book.reserve(call(0.6, { heldAt: minutes(200) }))).toBeUndefined();
  });

  test("with a threshold that blocks is capped there", () => {
    const book = bookOf(budget("k", KEY, 1, { thresholds: [{ percent: 80, action: "block" }] }));
    expect(book.reserve(call(0.81))).toBeDefined();
    expect(book.reserve(call(0.8))).toBeUndefined();
  });
});

describe("a soft budget", () => {
  test("refuses nothing until a threshold that blocks has been reached, and may be overshot by what is held", () => {
    const book = bookOf(budget("k", KEY, 1, { hard: false, thresholds: [{ percent: 100, action: "block" }] }));
    const first = call(5);
    expect(book.reserve(first)).toBeUndefined();
    expect(book.reserve(call(5))).toBeUndefined();
    book.settle(first.attemptId, usd(1));
    expect(book.reserve(call(0))).toBeDefined();
  });
});

describe("thresholds", () => {
  test("are told once, when what was spent reaches them", () => {
    const thresholds: Threshold[] = [
      { percent: 50, action: "alert" },
      { percent: 100, action: "alert" },
    ];
    const book = bookOf(budget("k", KEY, 1, { thresholds }));
    const percents: number[][] = [];
    for (const cost of [0.4, 0.1, 0.2, 0.3]) {
      const next = call(cost);
      book.reserve(next);
      percents.push(book.settle(next.attemptId, usd(cost)).map(({ percent }) => percent));
    }
    expect(percents).toEqual([[], [50], [], [100]]);
  });
});

describe("a budget that is made while calls are open", () => {
  test("begins with what was spent and what is held", () => {
    const book = new BudgetBook();
    const open = call(0.5);
    book.reserve(open);
    const made = budget("k", KEY, 1);
    expect(book.span(made, T0)).toEqual({ from: Date.parse("2026-11-23T00:00:00Z"), bucketMs: undefined });
    book.begin(made, [open, call(5, { keyId: "key_2" })]);
    const meanwhile = call(7);
    expect(book.reserve(meanwhile)).toBeUndefined();
    book.settle(meanwhile.attemptId, usd(0.05));
    expect(book.counted("k")).toEqual([open.attemptId, meanwhile.attemptId]);
    book.fill("k", [{ mode: "live", start: Date.parse("2026-11-23T00:00:00Z"), spent: usd(0.25) }]);
    expect(figures(book, "k")).toEqual({ spent: usd(0.3), reserved: usd(0.5) });
    book.settle(open.attemptId, usd(0.1));
    expect(figures(book, "k")).toEqual({ spent: usd(0.4), reserved: usd(0) });
  });

  test("that is gone counts nothing more, and its open calls end all the same", () => {
    const book = bookOf(budget("k", KEY, 1));
    const open = call(1);
    book.reserve(open);
    book.remove("k");
    expect(book.reserve(call(100))).toBeUndefined();
    expect(book.settle(open.attemptId, usd(1))).toBeDefined();
    expect(figures(book, "k")).toBeUndefined();
  });
});

describe("whatever calls come and go", () => {
  test("spent and held money never exceed a hard limit, and equal what a plain sum says", () => {
    const step = fc.record({
      kind: fc.constantFrom("open", "settle", "release", "later"),
      amount: fc.integer({ min: 0, max: 400 }),
      pick: fc.nat(50),
      key: fc.constantFrom("key_1", "key_2"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const limit = 1_000n;
        const book = bookOf(
          { ...budget("k", KEY, 0), limit: nanoUsd(limit) },
          { ...budget("o", ORGANIZATION, 0), limit: nanoUsd(1_500n), window: { unit: "lifetime", rolling: false, zone: "UTC" } },
        );
        let now = T0;
        const open: AttemptRecord[] = [];
        let spent = 0n;
        for (const { kind, amount, pick, key } of steps) {
          if (kind === "later") now += amount * 600_000;
          else if (kind === "open") {
            const next = call(0, { bound: nanoUsd(BigInt(amount)), keyId: key, heldAt: now });
            if (!book.reserve(next)) open.push(next);
          } else if (open.length > 0) {
            const [one] = open.splice(pick % open.length, 1);
            const cost = kind === "release" ? 0n : ((one?.bound ?? 0n) * BigInt(amount)) / 400n;
            spent += cost;
            if (one) book.settle(one.attemptId, nanoUsd(cost));
          }
          const state = book.state("k", "live", now);
          const whole = book.state("o", "live", now);
          if (!state || !whole) throw new Error("a budget is gone");
          expect(state.spent + state.reserved).toBeLessThanOrEqual(limit);
          expect(whole.spent + whole.reserved).toBeLessThanOrEqual(1_500n);
          expect(whole.spent as bigint).toBe(spent);
          expect(whole.reserved as bigint).toBe(open.reduce((sum, one) => sum + (one.bound ?? 0n), 0n));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("a budget that begins anew", () => {
  const day = budget("b", KEY, 1);
  const month = budget("b", KEY, 1, { window: { unit: "month", rolling: false, zone: "UTC" } });

  test("is in force with its old window until what was spent is read", () => {
    const book = bookOf(day);
    const held = call(1);
    expect(book.reserve(held)).toBeUndefined();
    book.settle(held.attemptId, usd(1));
    book.begin(month, []);
    expect(book.reserve(call(0.5))).toMatchObject({ budget: { window: { unit: "day" } } });
    expect(book.state("b", "live", T0)).toMatchObject({ budget: { window: { unit: "day" } }, spent: usd(1) });
    book.fill("b", [{ mode: "live", start: Date.parse("2026-11-01T00:00:00Z"), spent: usd(1) }]);
    expect(book.reserve(call(0.5))).toMatchObject({ budget: { window: { unit: "month" } }, spent: usd(1) });
  });

  test("counts once what is held and settled meanwhile", () => {
    const book = bookOf(day);
    book.begin(month, []);
    const held = call(0.25);
    expect(book.reserve(held)).toBeUndefined();
    expect(book.counted("b")).toEqual([held.attemptId]);
    book.settle(held.attemptId, usd(0.25));
    book.fill("b", []);
    expect(figures(book, "b")).toEqual({ spent: usd(0.25), reserved: usd(0) });
    expect(book.reserve(call(0.8))).toMatchObject({ budget: { window: { unit: "month" } } });
    expect(book.reserve(call(0.75))).toBeUndefined();
  });

  test("stays as it was where what was spent cannot be read", () => {
    const book = bookOf(day);
    book.begin(month, []);
    book.abandon("b");
    book.fill("b", []);
    expect(book.reserve(call(1.5))).toMatchObject({ budget: { window: { unit: "day" } } });
    expect(book.states(call(1), "live", T0)).toHaveLength(1);
  });

  test("and is removed meanwhile leaves nothing behind", () => {
    const book = bookOf(day);
    book.begin(month, []);
    book.remove("b");
    book.fill("b", []);
    expect(book.reserve(call(100))).toBeUndefined();
    expect(book.states(call(1), "live", T0)).toEqual([]);
  });
});

test("a wall clock that is set back over midnight does not give the day again", () => {
  const book = bookOf(budget("b", KEY, 1));
  const midnight = Date.parse("2026-11-24T00:00:00Z");
  for (const heldAt of [midnight - 10_000, midnight + 5_000]) {
    const held = call(1, { heldAt });
    expect(book.reserve(held)).toBeUndefined();
    book.settle(held.attemptId, usd(1));
  }
  expect(book.reserve(call(1, { heldAt: midnight - 5_000 }))).toMatchObject({ spent: usd(1) });
});
