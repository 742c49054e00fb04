// What a budget limits and for how long, as administrators write it.
import { type Budget, type Threshold, WINDOW_UNITS, type Window, type WindowUnit } from "../core/budget";
import { Failure } from "../core/failure";
import type { NanoUsd } from "../core/money";
import { isZone } from "../policy/window";
import { type Fields, fieldsOf } from "./fields";
import type { Ask } from "./place";

export const TERMS = ["limit_usd", "window", "rolling", "timezone", "hard", "thresholds"] as const;

export type Terms = Pick<Budget, "limit" | "window" | "hard" | "thresholds">;

const THRESHOLDS_MAX = 10;
const MOST_PERCENT = 1000;
/** Named by product.md, and not there before routing is: refused by name rather than taken and passed over. */
const LATER_ACTIONS = ["downgrade", "reroute"];

/** Terms of a new budget. */
export function readTerms(fields: Fields): Terms {
  const limit = fields.usd("limit_usd") ?? missing(fields, "limit_usd");
  const unit = fields.choice("window", WINDOW_UNITS) ?? missing(fields, "window");
  return checked(fields, {
    limit,
    window: readWindow(fields, { unit, rolling: false, zone: "UTC" }),
    hard: fields.flag("hard") ?? true,
    thresholds: readThresholds(fields) ?? [],
  });
}

/** What the fields change of the terms. */
export function changedTerms(fields: Fields, before: Terms): Terms {
  const unit = fields.choice("window", WINDOW_UNITS) ?? before.window.unit;
  const usual = unit === "lifetime" ? { unit, rolling: false, zone: "UTC" } : { ...before.window, unit };
  return checked(fields, {
    limit: fields.usd("limit_usd") ?? before.limit,
    window: readWindow(fields, usual),
    hard: fields.flag("hard") ?? before.hard,
    thresholds: readThresholds(fields) ?? before.thresholds,
  });
}

function missing(fields: Fields, name: string): never {
  throw new Failure("missing_required_parameter", `A budget needs ${fields.param(name)}.`, { param: fields.param(name) });
}

/** Nothing may be spent of a hard budget of zero; a soft one of zero could only cry. */
function checked(fields: Fields, terms: Terms): Terms {
  if (!terms.hard && terms.limit === (0n as NanoUsd)) return fields.fail("limit_usd", "must be above zero where the budget is not hard.");
  return terms;
}

function readWindow(fields: Fields, usual: Window): Window {
  const rolling = fields.flag("rolling") ?? usual.rolling;
  if (rolling && usual.unit === "lifetime") return fields.fail("rolling", "is not for a lifetime, which never ends.");
  const zone = fields.text("timezone");
  if (zone !== undefined && !isIanaZone(zone))
    return fields.fail("timezone", `takes the IANA name of a zone, such as "Europe/Berlin"; ${JSON.stringify(zone.slice(0, 64))} is none.`);
  // A zone that would make no difference is a misunderstanding.
  if (zone !== undefined && zone !== "UTC" && (rolling || usual.unit === "lifetime"))
    return fields.fail("timezone", "is for calendar windows: rolling and lifetime windows begin at no midnight.");
  return { unit: usual.unit, rolling, zone: rolling ? "UTC" : (zone ?? usual.zone) };
}

/** The runtime also takes offsets ("+05:30"), which have no daylight saving and are no zones. */
const isIanaZone = (zone: string): boolean => /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(zone) && isZone(zone);

function readThresholds(fields: Fields): readonly Threshold[] | undefined {
  if (!fields.has("thresholds")) return undefined;
  const read = fields.objects("thresholds", ["percent", "action"], THRESHOLDS_MAX, "Thresholds").map(readThreshold);
  read.forEach((one, i) => {
    const first = read.findIndex((other) => other.percent === one.percent && other.action === one.action);
    if (first < i) fields.fail(`thresholds[${i}]`, "is there already.");
  });
  return [...read].sort((a, b) => a.percent - b.percent);
}

function readThreshold(fields: Fields): Threshold {
  const percent = fields.whole("percent", 1, MOST_PERCENT);
  if (percent === undefined)
    throw new Failure("missing_required_parameter", `A threshold needs ${fields.param("percent")}.`, { param: fields.param("percent") });
  const action = fields.value("action");
  if (LATER_ACTIONS.includes(String(action)))
    return fields.fail("action", `cannot be ${JSON.stringify(action)} yet: it takes "alert" or "block".`, "unsupported_parameter");
  return { percent, action: fields.choice("action", ["alert", "block"]) ?? "alert" };
}

/** The terms as documents show them. */
export const termsDocument = ({ window, hard, thresholds }: Terms) => ({
  window: window.unit satisfies WindowUnit,
  rolling: window.rolling,
  timezone: window.zone,
  hard,
  thresholds: thresholds.map(({ percent, action }) => ({ percent, action })),
});

/** Two budgets of one scope would overlap: the same stretch of time, both by the calendar or both rolling, whatever the zone. */
export const overlaps = (a: Window, b: Window): boolean => a.unit === b.unit && a.rolling === b.rolling;

/** Whether budgets that are made together overlap. Throws `invalid_value` that names the window. */
export function readTermsList(fields: Fields, name: string, most: number): readonly Terms[] {
  const read = fields.objects(name, TERMS, most, "A key's budgets").map((each) => ({ each, terms: readTerms(each) }));
  read.forEach(({ each, terms }, i) => {
    if (read.slice(0, i).some((other) => overlaps(other.terms.window, terms.window)))
      each.fail("window", "overlaps with one above it: there is one budget of a window.");
  });
  return read.map(({ terms }) => terms);
}

export const budgetFields = ({ body, at }: Ask, more: readonly string[]): Fields => fieldsOf(body, [...TERMS, ...more], "Budgets", at);
