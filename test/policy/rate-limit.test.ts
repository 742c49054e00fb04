import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { LimitedScope, RateRefusal, Slot } from "../../src/core/governance";
import { isRefusal, RateBook } from "../../src/policy/rate-limit";

const T0 = 1_000_000;
const scope = (limits: LimitedScope["limits"], name = "key:a"): LimitedScope => ({ name, limits });

function taken(result: Slot | RateRefusal): Slot {
  if (isRefusal(result)) throw new Error(`refused: ${JSON.stringify(result)}`);
  return result;
}
function refused(result: Slot | RateRefusal): RateRefusal {
  if (!isRefusal(result)) throw new Error("not refused");
  return result;
}

describe("requests a minute", () => {
  const three = [scope({ requestsPerMinute: 3 })];

  test("are let through up to the limit, and the next is told when to come back", () => {
    const book = new RateBook();
    for (const at of [0, 10_000, 20_000]) taken(book.take(three, 0, T0 + at)).release(undefined);
    expect(refused(book.take(three, 0, T0 + 30_000))).toEqual({ scope: "key:a", kind: "requests", limit: 3, retryAfterMs: 31_000 });
    expect(isRefusal(book.take(three, 0, T0 + 60_999))).toBe(true);
    taken(book.take(three, 0, T0 + 61_000));
  });

  test("that were refused for money are given back", () => {
    const book = new RateBook();
    for (let i = 0; i < 10; i++) taken(book.take(three, 0, T0)).giveBack();
    expect(book.standing(three, T0).requests).toEqual({ limit: 3, remaining: 3, resetMs: 0 });
  });

  test("of one scope that refuses count in no other", () => {
    const book = new RateBook();
    const wide = scope({ requestsPerMinute: 100 }, "organization:o");
    const narrow = scope({ requestsPerMinute: 1 });
    taken(book.take([wide, narrow], 0, T0));
    expect(refused(book.take([wide, narrow], 0, T0)).scope).toBe("key:a");
    expect(book.standing([wide], T0).requests).toMatchObject({ remaining: 99 });
  });
});

describe("tokens a minute", () => {
  const thousand = [scope({ tokensPerMinute: 1_000 })];

  test("are estimated when a call comes and right when it is over", () => {
    const book = new RateBook();
    const slot = taken(book.take(thousand, 600, T0));
    expect(refused(book.take(thousand, 600, T0))).toMatchObject({ kind: "tokens", limit: 1_000 });
    slot.release(100);
    slot.release(900);
    expect(book.standing(thousand, T0).tokens).toMatchObject({ remaining: 900 });
    taken(book.take(thousand, 600, T0));
  });

  test("of one huge call pass an empty minute, and nothing else does then", () => {
    const book = new RateBook();
    taken(book.take(thousand, 5_000, T0)).release(5_000);
    expect(refused(book.take(thousand, 1, T0 + 1_000)).retryAfterMs).toBe(60_000);
    taken(book.take(thousand, 1, T0 + 61_000));
  });
});

describe("calls at once", () => {
  test("free their places whatever becomes of them, and only once", () => {
    const book = new RateBook();
    const two = [scope({ concurrency: 2 })];
    const first = taken(book.take(two, 0, T0));
    const second = taken(book.take(two, 0, T0));
    expect(refused(book.take(two, 0, T0))).toMatchObject({ kind: "concurrency", limit: 2 });
    first.release(undefined);
    first.release(undefined);
    first.giveBack();
    taken(book.take(two, 0, T0));
    expect(isRefusal(book.take(two, 0, T0))).toBe(true);
    second.giveBack();
    expect(book.running("key:a")).toBe(1);
  });
});

test("no minute holds more calls than the limit, whatever the pace", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 120 }), (limit, pauses) => {
      const book = new RateBook();
      const scopes = [scope({ requestsPerMinute: limit })];
      const passed: number[] = [];
      let now = T0;
      for (const pause of pauses) {
        now += pause;
        const result = book.take(scopes, 0, now);
        if (!isRefusal(result)) {
          passed.push(now);
          result.release(undefined);
        } else {
          // Whoever waits as told gets in, if nobody came first.
          const copy = new RateBook();
          for (const at of passed) taken(copy.take(scopes, 0, at)).release(undefined);
          expect(isRefusal(copy.take(scopes, 0, now + result.retryAfterMs))).toBe(false);
        }
      }
      for (const [i, at] of passed.entries())
        expect(passed.slice(i).filter((other) => other < at + 60_000).length).toBeLessThanOrEqual(limit);
    }),
    { numRuns: 300 },
  );
});

test("what is given back late is taken from the second in which it was taken, and from none that is over", () => {
  const book = new RateBook();
  const scopes = [scope({ tokensPerMinute: 1_000 })];
  const early = taken(book.take(scopes, 500, T0));
  taken(book.take(scopes, 100, T0 + 30_000));
  early.release(200);
  expect(book.standing(scopes, T0 + 30_000).tokens?.remaining).toBe(700);
  expect(book.standing(scopes, T0 + 61_000).tokens?.remaining).toBe(900);
  const late = taken(book.take(scopes, 500, T0 + 61_000));
  expect(book.standing(scopes, T0 + 200_000).tokens?.remaining).toBe(1_000);
  late.release(0);
  expect(book.standing(scopes, T0 + 200_000).tokens?.remaining).toBe(1_000);
});
