// The numbers that stand for texts in rollups.
import { and, eq, inArray, sql } from "drizzle-orm";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import type { TextDimension } from "./rollup-shape";
import { rollupValues } from "./schema";

/** Parameters of one statement; every SQLite takes as many. */
const AT_ONCE = 500;

function* slices<T>(list: readonly T[]): Generator<T[]> {
  for (let start = 0; start < list.length; start += AT_ONCE) yield list.slice(start, start + AT_ONCE);
}

/** The numbers of those texts that have one. */
export async function idsOf(db: Db, dimension: TextDimension, texts: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const some of slices(texts)) {
    const rows = await db
      .select({ value: rollupValues.value, id: rollupValues.id })
      .from(rollupValues)
      .where(and(eq(rollupValues.dimension, dimension), inArray(rollupValues.value, some)));
    for (const { value, id } of rows) found.set(value, id);
  }
  return found;
}

/** The reverse of `idsOf`. */
export async function textsOf(db: Db, dimension: TextDimension, ids: readonly number[]): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const some of slices(ids)) {
    const rows = await db
      .select({ value: rollupValues.value, id: rollupValues.id })
      .from(rollupValues)
      .where(and(eq(rollupValues.dimension, dimension), inArray(rollupValues.id, some)));
    for (const { value, id } of rows) found.set(id, value);
  }
  return found;
}

/** The highest number given so far. */
export async function lastIdOf(db: Db, dimension: TextDimension): Promise<number> {
  const [row] = await db
    .select({ id: sql`coalesce(max(${rollupValues.id}), 0)`.mapWith(fromWhole) })
    .from(rollupValues)
    .where(eq(rollupValues.dimension, dimension));
  return row?.id ?? 0;
}
