// What a question leaves out, as tests of numbers in rollups' columns.
import type { UsageDimension, UsageFilters } from "../core/usage-query";
import { rowColumn, TIME_COLUMN } from "./rollup-build";
import { isText, STATUSES, type TextDimension } from "./rollup-shape";
import { dayOf, hourOf } from "./usage-page";

/** A test of one row's number in a column. */
export interface RowFilter {
  column: string;
  /** A number: that one alone. */
  passes: number | ((value: number) => boolean);
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Numbers of those texts that have one. */
export type Resolve = (dimension: TextDimension, texts: readonly string[]) => Promise<Iterable<number>> | Iterable<number>;

/** "nothing": no row can pass. */
export async function filtersFor(resolve: Resolve, filters: UsageFilters | undefined): Promise<RowFilter[] | "nothing"> {
  const tests: RowFilter[] = [];
  for (const [dimension, wanted] of Object.entries(filters ?? {}) as [UsageDimension, readonly (string | null)[]][]) {
    const test = await filterFor(resolve, dimension, wanted);
    if (test === undefined) return "nothing";
    tests.push(test);
  }
  return tests;
}

async function filterFor(resolve: Resolve, dimension: UsageDimension, wanted: readonly (string | null)[]): Promise<RowFilter | undefined> {
  const texts = wanted.filter((text) => text !== null);
  if (dimension === "day") return timeFilter(DAY_MS, texts, dayOf);
  if (dimension === "hour") return timeFilter(HOUR_MS, texts, hourOf);
  const ids = new Set<number>(wanted.includes(null) ? [0] : []);
  if (isText(dimension)) for (const id of await resolve(dimension, texts)) ids.add(id);
  else for (const text of texts) ids.add(STATUSES.indexOf(text as "ok" | "error") + 1);
  if (dimension === "status") ids.delete(0);
  if (ids.size === 0) return undefined;
  const [only] = ids;
  return { column: rowColumn(dimension), passes: ids.size === 1 && only !== undefined ? only : (id) => ids.has(id) };
}

function timeFilter(stepMs: number, texts: readonly string[], nameOf: (at: number) => string): RowFilter | undefined {
  const steps = new Set<number>();
  for (const text of texts) {
    const at = Date.parse(text);
    if (!Number.isNaN(at) && nameOf(at) === text) steps.add(at / stepMs);
  }
  return steps.size === 0 ? undefined : { column: TIME_COLUMN, passes: (at) => steps.has(Math.floor(at / stepMs)) };
}
