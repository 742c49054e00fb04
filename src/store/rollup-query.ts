// Usage out of the rollups, and what follows them out of the ledger. Blocks that lie in the time asked for are read as sums, of 32
// at once where there are, else as columns of rows; one at the edge, or under a filter, always as rows. So the answer is the ledger's.
import { sql } from "drizzle-orm";
import type { UsageFigures, UsageGroup, UsagePage, UsageQuery } from "../core/usage-query";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { type Adding, addRows, addRowsOf, addSums, type BlockHead } from "./rollup-blocks";
import { sumColumn } from "./rollup-build";
import { filtersFor } from "./rollup-filter";
import { addFolds } from "./rollup-fold";
import { COST, figuresFrom, isText, MEASURES, QUARTER_MS, STATUSES, scopeOf } from "./rollup-shape";
import { Sums } from "./rollup-sums";
import { ID_COLUMN, type Tail, type TailKeeper } from "./rollup-tail";
import { idsOf, lastIdOf, textsOf } from "./rollup-values";
import { rollupBlocks } from "./schema";
import { dayOf, hourOf, isTime, pageOf, usageCursor } from "./usage-page";

/** Blocks read at once: what a question holds in memory, and how often it looks at its deadline. */
const BLOCKS_AT_ONCE = 64;
/** Up to so many groups are put in order with all their texts at hand. */
const FEW_GROUPS = 2_000;

/** Throws what `check` throws: it is called every few milliseconds. */
export async function usageByRollups(db: Db, tails: TailKeeper, query: UsageQuery, check: () => void): Promise<UsagePage> {
  const asked = usageCursor(query)?.reach;
  const tail = asked === undefined ? await tails.current() : await tails.behind(asked);
  const sums = new Sums(MEASURES.length, isText(query.groupBy) ? (await lastIdOf(db, query.groupBy)) + 1 : 0);
  const heads = await blocksIn(db, query, tail.after);
  const scope = (await idsOf(db, "scope", [scopeOf(query.mode, query.organizationId)])).values().next().value;
  if (scope !== undefined && heads.length > 0) await addBlocks(db, query, { scope, heads, sums }, check);
  const reach = await addTail(tail, query, asked, sums, check);
  return page(db, query, sums, tail, reach);
}

async function blocksIn(db: Db, { from, to }: UsageQuery, last: number): Promise<BlockHead[]> {
  const rows = await db.values<unknown[]>(
    sql`SELECT ${rollupBlocks.id}, ${rollupBlocks.rows}, ${rollupBlocks.fromHeldAt}, ${rollupBlocks.toHeldAt} FROM ${rollupBlocks}
      WHERE ${rollupBlocks.id} <= ${BigInt(last)} AND ${rollupBlocks.toHeldAt} >= ${BigInt(from ?? 0)}
      AND ${rollupBlocks.fromHeldAt} < ${BigInt(to ?? Number.MAX_SAFE_INTEGER)} ORDER BY ${rollupBlocks.id}`,
  );
  return rows.map((row) => ({
    id: fromWhole(row[0]),
    rows: fromWhole(row[1]),
    whole: (from === undefined || fromWhole(row[2]) >= from) && (to === undefined || fromWhole(row[3]) < to),
  }));
}

async function addBlocks(db: Db, query: UsageQuery, adding: Adding, check: () => void): Promise<void> {
  const filters = await filtersFor(async (dimension, texts) => (await idsOf(db, dimension, texts)).values(), query.filters);
  if (filters === "nothing") return;
  const dimension = isTime(query.groupBy) ? "quarter" : query.groupBy;
  const heads = filters.length === 0 ? await addFolds(db, dimension, adding) : adding.heads;
  for (let start = 0; start < heads.length; start += BLOCKS_AT_ONCE) {
    check();
    const some = { ...adding, heads: heads.slice(start, start + BLOCKS_AT_ONCE) };
    const rest = filters.length === 0 ? await addSums(db, sumColumn(dimension), some) : some.heads;
    if (rest.length > 0) await addRows(db, { ...query, filters }, { ...some, heads: rest });
  }
}

/** Up to the ledger id `asked`, or all there is. The result is the id that was reached. */
async function addTail(tail: Tail, query: UsageQuery, asked: number | undefined, sums: Sums, check: () => void): Promise<number> {
  let reach = tail.after;
  for await (const slice of tail.slices()) {
    check();
    const scope = tail.idOf("scope", scopeOf(query.mode, query.organizationId));
    const found = await filtersFor((dimension, texts) => texts.flatMap((text) => tail.idOf(dimension, text) ?? []), query.filters);
    // From here on without waiting: others may append to the slice, and its end is the next page's.
    reach = slice.lastId;
    const full = tail.isFull(slice);
    if (scope !== undefined && slice.rows > 0 && found !== "nothing") {
      const filters =
        asked === undefined || reach <= asked ? found : [...found, { column: ID_COLUMN, passes: (id: number) => id <= asked }];
      addRowsOf({ rows: slice.rows, whole: false }, (name) => slice.column(name), { ...query, filters }, scope, sums);
    }
    // Rows that came into this slice since are not in the answer, so neither may those of a slice behind it be.
    if ((asked !== undefined && reach >= asked) || !full) break;
  }
  return asked ?? reach;
}

async function page(db: Db, query: UsageQuery, sums: Sums, tail: Tail, reach: number): Promise<UsagePage> {
  const { groupBy } = query;
  if (isTime(groupBy) || groupBy === "status") return pageOf(groupsByName(groupBy, sums), query, reach);
  const places =
    sums.size <= FEW_GROUPS || !sums.exactInDoubles(COST) ? Array.from({ length: sums.size }, (_, n) => n) : dearest(query, sums);
  const ids = places.map((place) => sums.idAt(place)).filter((id) => id !== 0 && tail.newText(groupBy, id) === undefined);
  const texts = await textsOf(db, groupBy, ids);
  const nameOf = (id: number): string | null => (id === 0 ? null : (tail.newText(groupBy, id) ?? texts.get(id) ?? null));
  const groups = places.map((place) => ({ value: nameOf(sums.idAt(place)), ...figuresAt(sums, place) }));
  // Of every group, although only some may be at hand.
  return { ...pageOf(groups, query, reach), total: figuresFrom((measure) => sums.totalOf(measure)) };
}

const figuresAt = (sums: Sums, place: number): UsageFigures => figuresFrom((measure) => sums.sumAt(measure, place));

const STEP_MS = { day: 86_400_000, hour: 3_600_000 } as const;

/** Quarters of an hour as days or hours; statuses by their names. */
function groupsByName(groupBy: "day" | "hour" | "status", sums: Sums): UsageGroup[] {
  if (groupBy === "status") return groupsOf(sums, (id) => STATUSES[id - 1] ?? "");
  const stepMs = STEP_MS[groupBy];
  const steps = new Sums(MEASURES.length);
  for (let place = 0; place < sums.size; place++) {
    const step = steps.placeOf(Math.floor((sums.idAt(place) * QUARTER_MS) / stepMs));
    for (let measure = 0; measure < MEASURES.length; measure++) steps.addOne(measure, step, sums.figureAt(measure, place));
  }
  return groupsOf(steps, (id) => (groupBy === "day" ? dayOf : hourOf)(id * stepMs));
}

const groupsOf = (sums: Sums, nameOf: (id: number) => string): UsageGroup[] =>
  Array.from({ length: sums.size }, (_, place) => ({ value: nameOf(sums.idAt(place)), ...figuresAt(sums, place) }));

/** Places of the groups that a page may show: those that cost at least as much as its last one, ties and all. */
function dearest(query: UsageQuery, sums: Sums): number[] {
  const costs = sums.values(COST);
  const cursor = usageCursor(query);
  const most = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor.cost);
  const sorted = costs.filter((cost) => cost <= most).sort();
  // Groups of the cursor's own cost may stand before it, so they do not count towards the page.
  const below = cursor === undefined ? sorted : sorted.subarray(0, firstAtLeast(sorted, most));
  const least = below[Math.max(0, below.length - 1 - query.limit)] ?? 0;
  const places: number[] = [];
  for (let place = 0; place < costs.length; place++) {
    const cost = costs[place] as number;
    if (cost <= most && cost >= least) places.push(place);
  }
  return places;
}

function firstAtLeast(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
