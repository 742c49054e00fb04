// When a budget's period begins and ends. Nothing is ever reset: a period is named by the instant at which it begins, and a call
// belongs to the period of its admission.
import type { Window, WindowUnit } from "../core/budget";

/** Unix milliseconds. `end` is exclusive; undefined: it never ends. */
export interface Period {
  readonly start: number;
  readonly end: number | undefined;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const LENGTH: Readonly<Record<Exclude<WindowUnit, "lifetime">, number>> = {
  minute: MINUTE,
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
};

/** 2026-01-01T00:00:00Z. */
const REFERENCE = 1_767_225_600_000;

/** Buckets of a rolling window. The oldest is counted whole, so one more is looked at. */
export const ROLLING_BUCKETS = 60;

/** Length of one bucket of a rolling window, in milliseconds. */
export const bucketMs = (unit: Exclude<WindowUnit, "lifetime">): number => LENGTH[unit] / ROLLING_BUCKETS;

/**
 * The period that `at` is in. Of a rolling window it is the bucket: what counts are the buckets from `rollingStart` on.
 * Throws `RangeError` for a zone that does not exist (checked where budgets are made).
 */
export function periodAt(window: Window, at: number): Period {
  if (window.unit === "lifetime") return { start: 0, end: undefined };
  if (window.rolling) {
    const length = bucketMs(window.unit);
    const start = Math.floor(at / length) * length;
    return { start, end: start + length };
  }
  switch (window.unit) {
    case "minute":
    case "hour": {
      // Some zones are a quarter of an hour off. By one offset for all time: where clocks move by half an hour (Lord Howe), hours
      // by the clock of the moment would overlap.
      const length = LENGTH[window.unit];
      const start = at - positiveModulo(at + offsetAt(window.zone, REFERENCE), length);
      return { start, end: start + length };
    }
    case "day":
    case "week":
    case "month":
      return calendarPeriod(window.zone, window.unit, at);
  }
}

/** The start of the oldest bucket that counts at `at`. */
export function rollingStart(unit: Exclude<WindowUnit, "lifetime">, at: number): number {
  const length = bucketMs(unit);
  return (Math.floor(at / length) - ROLLING_BUCKETS) * length;
}

/** When something that counts now will count no more. undefined: never. */
export function resetAt(window: Window, at: number): number | undefined {
  if (window.unit === "lifetime") return undefined;
  return window.rolling ? at + LENGTH[window.unit] : periodAt(window, at).end;
}

/** Whether the runtime knows the zone. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

function calendarPeriod(zone: string, unit: "day" | "week" | "month", at: number): Period {
  const local = new Date(at + offsetAt(zone, at));
  const year = local.getUTCFullYear();
  const month = local.getUTCMonth();
  const day = local.getUTCDate();
  // Weeks begin on Monday (ISO 8601).
  const first = unit === "month" ? 1 : unit === "day" ? day : day - ((local.getUTCDay() + 6) % 7);
  const startLocal = Date.UTC(year, month, first);
  const endLocal = unit === "month" ? Date.UTC(year, month + 1, 1) : startLocal + LENGTH[unit];
  return { start: instantOf(zone, startLocal), end: instantOf(zone, endLocal) };
}

/** The first instant at which a zone's clocks show at least this local time: midnight may come twice, or not at all. */
function instantOf(zone: string, local: number): number {
  const before = offsetAt(zone, local - DAY);
  const after = offsetAt(zone, local + DAY);
  // Clocks that went back show the time twice: the earlier instant has the larger offset.
  const early = local - Math.max(before, after);
  if (early + offsetAt(zone, early) === local) return early;
  return local - Math.min(before, after);
}

const positiveModulo = (value: number, by: number): number => ((value % by) + by) % by;

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  FORMATS.set(zone, format);
  return format;
}

/** Offsets hold for a quarter of an hour of the clock at least: asked for once in each. Bounded: a map is cleared when it is full. */
const OFFSETS = new Map<string, Map<number, number>>();
const OFFSETS_MAX = 1_000;
const QUARTER = 15 * MINUTE;

/** Milliseconds that a zone's clocks are ahead of UTC at an instant. */
function offsetAt(zone: string, at: number): number {
  if (zone === "UTC") return 0;
  const quarter = Math.floor(at / QUARTER);
  let known = OFFSETS.get(zone);
  if (!known) {
    known = new Map();
    OFFSETS.set(zone, known);
  }
  const cached = known.get(quarter);
  if (cached !== undefined) return cached;
  const offset = measuredOffset(zone, quarter * QUARTER);
  if (known.size >= OFFSETS_MAX) known.clear();
  known.set(quarter, offset);
  return offset;
}

function measuredOffset(zone: string, at: number): number {
  const read: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(at)) read[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = read;
  return Date.UTC(year, month - 1, day, hour, minute, second) - at;
}
