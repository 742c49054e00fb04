import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Window, WindowUnit } from "../../src/core/budget";
import { bucketMs, isZone, periodAt, resetAt, rollingStart } from "../../src/policy/window";

const at = (text: string): number => Date.parse(text);
const calendar = (unit: WindowUnit, zone = "UTC"): Window => ({ unit, rolling: false, zone });
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
const shown = (window: Window, when: string): (string | undefined)[] => {
  const { start, end } = periodAt(window, at(when));
  return [iso(start), iso(end)];
};

describe("a calendar period", () => {
  test.each([
    ["minute", "UTC", "2026-11-23T03:16:48Z", "2026-11-23T03:16:00.000Z", "2026-11-23T03:17:00.000Z"],
    ["hour", "UTC", "2026-11-23T03:16:48Z", "2026-11-23T03:00:00.000Z", "2026-11-23T04:00:00.000Z"],
    // India and Nepal are half and three quarters of an hour off.
    ["hour", "Asia/Kolkata", "2026-11-23T03:16:48Z", "2026-11-23T02:30:00.000Z", "2026-11-23T03:30:00.000Z"],
    ["hour", "Asia/Kathmandu", "2026-11-23T03:16:48Z", "2026-11-23T03:15:00.000Z", "2026-11-23T04:15:00.000Z"],
    ["day", "Asia/Kathmandu", "2026-11-23T18:14:59Z", "2026-11-22T18:15:00.000Z", "2026-11-23T18:15:00.000Z"],
    ["day", "Asia/Kathmandu", "2026-11-23T18:15:00Z", "2026-11-23T18:15:00.000Z", "2026-11-24T18:15:00.000Z"],
    // Weeks begin on Monday.
    ["week", "UTC", "2026-11-22T23:59:59Z", "2026-11-16T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
    ["week", "UTC", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z"],
    ["month", "America/New_York", "2026-12-01T04:59:59Z", "2026-11-01T04:00:00.000Z", "2026-12-01T05:00:00.000Z"],
    ["month", "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"],
    ["month", "UTC", "2026-12-31T23:59:59Z", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    // A day of 23 hours, one of 25.
    ["day", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"],
    ["day", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"],
    // Clocks that go forward at midnight: the day begins at one.
    ["day", "Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00.000Z", "2026-04-24T21:00:00.000Z"],
    // Clocks that go back at midnight: the day begins at the first of the two.
    ["day", "America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00.000Z", "2026-11-02T05:00:00.000Z"],
  ] as const)("of a %s in %s at %s", (unit, zone, when, start, end) => {
    expect(shown(calendar(unit, zone), when)).toEqual([start, end]);
  });

  test("of a lifetime never ends", () => {
    expect(periodAt(calendar("lifetime"), at("2026-11-23T00:00:00Z"))).toEqual({ start: 0, end: undefined });
    expect(resetAt(calendar("lifetime"), 5)).toBeUndefined();
  });

  const zones = ["UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Europe/Berlin", "America/Havana", "Pacific/Apia"];
  test("holds its instant, and the next one begins where it ends, in every zone", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom<WindowUnit>("minute", "hour", "day", "week", "month"),
        fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2036-01-01T00:00:00Z") }),
        (zone, unit, when) => {
          const window = calendar(unit, zone);
          const period = periodAt(window, when);
          const end = period.end as number;
          expect(period.start).toBeLessThanOrEqual(when);
          expect(end).toBeGreaterThan(when);
          expect(periodAt(window, period.start)).toEqual(period);
          expect(periodAt(window, end - 1)).toEqual(period);
          expect(periodAt(window, end).start).toBe(end);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("a rolling window", () => {
  test("is counted in sixty buckets and the whole of the oldest", () => {
    const hour: Window = { unit: "hour", rolling: true, zone: "UTC" };
    const now = at("2026-11-23T03:16:48Z");
    expect(bucketMs("hour")).toBe(60_000);
    expect(iso(periodAt(hour, now).start)).toBe("2026-11-23T03:16:00.000Z");
    expect(iso(rollingStart("hour", now))).toBe("2026-11-23T02:16:00.000Z");
    expect(rollingStart("hour", now)).toBeLessThanOrEqual(now - 3_600_000);
    expect(resetAt(hour, now)).toBe(now + 3_600_000);
  });
});

test("isZone() knows zones, and nothing else", () => {
  for (const zone of ["UTC", "Asia/Kolkata", "America/Argentina/Ushuaia"]) expect(isZone(zone)).toBe(true);
  for (const zone of ["", "Mars/Olympus", "UTC+5", "Asia/Kolkata ", "../etc"]) expect(isZone(zone)).toBe(false);
});
