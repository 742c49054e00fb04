// Usage out of the rollups, and what follows them out of the ledger. A block that lies in the time asked for is read as sums where
// it has them, else as columns of rows; one at the edge, or under a filter, always as rows. So the answer is the ledger's own.
import { sql } from "drizzle-orm";
import type { UsageDimension, UsageFigures, UsageGroup, UsagePage, UsageQuery } from "../core/usage-query";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import { FIGURES_COLUMN, rowColumn, sumColumn, TIME_COLUMN, watermarkOf } from "./rollup-build";
import { filtersFor, type RowFilter } from "./rollup-filter";
import { type PackedColumn, unpack } from "./rollup-pack";
import { COST, figuresFrom, isText, MEASURES, QUARTER_MS, STATUSES, scopeOf } from "./rollup-shape";
import { Sums } from "./rollup-sums";
import { idsOf, lastIdOf, textsOf } from "./rollup-values";
import { rollupBlocks, rollupColumns } from "./schema";
import { dayOf, hourOf, isTime, pageOf, usageCursor } from "./usage-page";
import { readGroups } from "./usage-query";

/** Blocks read at once: what a question holds in memory, and how often it looks at its deadline. */
const BLOCKS_AT_ONCE = 64;
/** Up to so many groups are put in order with all their texts at hand. */
const FEW_GROUPS = 2_000;

interface BlockHead {
  id: number;
  rows: number;
  /** The whole block lies in the time asked for. */
  whole: boolean;
}

/** Throws what `check` throws: it is called every few milliseconds. */
export async function usageByRollups(db: Db, query: UsageQuery, check: () => void): Promise<UsagePage> {
  const after = await watermarkOf(db);
  const sums = new Sums(MEASURES.length);
  const heads = await blocksIn(db, query, after);
  const scope = (await idsOf(db, "scope", [scopeOf(query.mode, query.organizationId)])).values().next().value;
  if (scope !== undefined && heads.length > 0) await addBlocks(db, query, { scope, heads, sums, check });
  check();
  const tail = await readGroups(db, query, { first: after + 1, last: Number.MAX_SAFE_INTEGER });
  const newTexts = await addTail(db, query.groupBy, tail, sums);
  check();
  return page(db, query, sums, newTexts);
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

interface Work {
  scope: number;
  heads: readonly BlockHead[];
  sums: Sums;
  check(): void;
}

async function addBlocks(db: Db, query: UsageQuery, work: Work): Promise<void> {
  const filters = await filtersFor(db, query.filters);
  if (filters === "nothing") return;
  const byName = sumColumn(isTime(query.groupBy) ? "quarter" : query.groupBy);
  for (let start = 0; start < work.heads.length; start += BLOCKS_AT_ONCE) {
    work.check();
    const heads = work.heads.slice(start, start + BLOCKS_AT_ONCE);
    const rest = filters.length === 0 ? await addSums(db, byName, { ...work, heads }) : heads;
    if (rest.length > 0) await addRows(db, query, filters, { ...work, heads: rest });
  }
}

/** Adds the blocks that have sums; the result are the others. */
async function addSums(db: Db, name: string, { scope, heads, sums }: Work): Promise<BlockHead[]> {
  const bodies = await bodiesOf(
    db,
    name,
    heads.filter((head) => head.whole),
  );
  for (const body of bodies.values()) {
    const [scopes, values, ...figures] = unpack(body) as [PackedColumn, PackedColumn, ...PackedColumn[]];
    const chosen = rowsWith(scopes, scope);
    if (chosen === "none") continue;
    const places = sums.placesOf(values, chosen);
    for (const [measure, column] of figures.entries()) sums.add(measure, places, column, chosen);
  }
  return heads.filter((head) => !bodies.has(head.id));
}

async function addRows(db: Db, query: UsageQuery, filters: readonly RowFilter[], { scope, heads, sums }: Work): Promise<void> {
  const timed = isTime(query.groupBy);
  const group = timed ? TIME_COLUMN : rowColumn(query.groupBy);
  const names = new Set([rowColumn("scope"), FIGURES_COLUMN, group, ...filters.map((filter) => filter.column)]);
  if (heads.some((head) => !head.whole)) names.add(TIME_COLUMN);
  const bodies = new Map<string, Map<number, Uint8Array>>();
  for (const name of names) bodies.set(name, await bodiesOf(db, name, heads));
  const { from = 0, to = Number.POSITIVE_INFINITY } = query;
  for (const head of heads) {
    const column = (name: string): PackedColumn => unpack(bodyOf(bodies, name, head.id))[0] as PackedColumn;
    const tests: RowFilter[] = [{ column: rowColumn("scope"), passes: (id) => id === scope }, ...filters];
    if (!head.whole) tests.push({ column: TIME_COLUMN, passes: (at) => at >= from && at < to });
    const chosen = rowsThat(head.rows, tests, column);
    if (chosen === "none") continue;
    const places = sums.placesOf(column(group), chosen, timed ? QUARTER_MS : 1);
    const figures = unpack(bodyOf(bodies, FIGURES_COLUMN, head.id));
    for (const [measure, values] of figures.entries()) sums.add(measure, places, values, chosen);
  }
}

function bodyOf(bodies: ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>, name: string, block: number): Uint8Array {
  const body = bodies.get(name)?.get(block);
  if (body === undefined) throw new Error(`The rollup's block ${block} has no column ${name}`);
  return body;
}

async function bodiesOf(db: Db, name: string, heads: readonly BlockHead[]): Promise<Map<number, Uint8Array>> {
  const [first, last] = [heads[0], heads.at(-1)];
  if (first === undefined || last === undefined) return new Map();
  const wanted = new Set(heads.map((head) => head.id));
  const rows = await db.values<[unknown, Uint8Array | ArrayBuffer]>(
    sql`SELECT ${rollupColumns.block}, ${rollupColumns.body} FROM ${rollupColumns} WHERE ${rollupColumns.name} = ${name}
      AND ${rollupColumns.block} BETWEEN ${BigInt(first.id)} AND ${BigInt(last.id)}`,
  );
  const bodies = new Map<number, Uint8Array>();
  for (const row of rows) {
    const block = fromWhole(row[0]);
    if (wanted.has(block)) bodies.set(block, row[1] instanceof Uint8Array ? row[1] : new Uint8Array(row[1]));
  }
  return bodies;
}

/** Rows of a column that are `wanted`; undefined: all of them. */
function rowsWith(column: PackedColumn, wanted: number): Uint32Array | undefined | "none" {
  return rowsThat(column.count, [{ column: "", passes: (id) => id === wanted }], () => column);
}

/** Rows that pass every test; undefined: all of them. Columns that are the same in all rows are looked at once. */
function rowsThat(count: number, tests: readonly RowFilter[], columnOf: (name: string) => PackedColumn): Uint32Array | undefined | "none" {
  let chosen: Uint32Array | undefined;
  for (const { column: name, passes } of tests) {
    const { base, values } = columnOf(name);
    if (values === undefined) {
      if (!passes(base)) return "none";
      continue;
    }
    const among = chosen?.length ?? count;
    const passed = new Uint32Array(among);
    let size = 0;
    for (let n = 0; n < among; n++) {
      const row = chosen === undefined ? n : (chosen[n] as number);
      if (passes(base + Number(values[row]))) passed[size++] = row;
    }
    if (size === 0) return "none";
    if (size < count) chosen = passed.subarray(0, size);
  }
  return chosen;
}

/** Texts that have no number yet get one beyond all others, for this question only. */
async function addTail(db: Db, groupBy: UsageDimension, tail: readonly UsageGroup[], sums: Sums): Promise<Map<number, string>> {
  const newTexts = new Map<number, string>();
  const texts = tail.flatMap((group) => group.value ?? []);
  const known = isText(groupBy) ? await idsOf(db, groupBy, texts) : new Map<string, number>();
  let next = isText(groupBy) ? (await lastIdOf(db, groupBy)) + 1 : 0;
  for (const group of tail) {
    let id = group.value === null ? 0 : (known.get(group.value) ?? fixedId(groupBy, group.value));
    if (id === undefined) {
      id = next++;
      newTexts.set(id, group.value as string);
    }
    const place = sums.placeOf(id);
    for (const [measure, name] of MEASURES.entries()) sums.addOne(measure, place, BigInt(group[name]));
  }
  return newTexts;
}

function fixedId(groupBy: UsageDimension, value: string): number | undefined {
  if (groupBy === "status") return STATUSES.indexOf(value as "ok" | "error") + 1;
  return isTime(groupBy) ? Math.floor(Date.parse(value) / QUARTER_MS) : undefined;
}

async function page(db: Db, query: UsageQuery, sums: Sums, newTexts: ReadonlyMap<number, string>): Promise<UsagePage> {
  const { groupBy } = query;
  if (isTime(groupBy) || groupBy === "status") return pageOf(groupsByName(groupBy, sums), query);
  const places =
    sums.size <= FEW_GROUPS || !sums.exactInDoubles(COST) ? Array.from({ length: sums.size }, (_, n) => n) : dearest(query, sums);
  const ids = places.map((place) => sums.idAt(place)).filter((id) => id !== 0 && !newTexts.has(id));
  const texts = isText(groupBy) ? await textsOf(db, groupBy, ids) : new Map<number, string>();
  const nameOf = (id: number): string | null => (id === 0 ? null : (newTexts.get(id) ?? texts.get(id) ?? null));
  const groups = places.map((place) => ({ value: nameOf(sums.idAt(place)), ...figuresAt(sums, place) }));
  if (groups.length === sums.size) return pageOf(groups, query);
  return pageOfSome(groups, query, sums);
}

const figuresAt = (sums: Sums, place: number): UsageFigures => figuresFrom((measure) => sums.sumAt(measure, place));

/** Quarters of an hour as days or hours; statuses by their names. */
function groupsByName(groupBy: "day" | "hour" | "status", sums: Sums): UsageGroup[] {
  const named = new Map<string, bigint[]>();
  for (let place = 0; place < sums.size; place++) {
    const id = sums.idAt(place);
    const name = groupBy === "status" ? (STATUSES[id - 1] ?? "") : (groupBy === "day" ? dayOf : hourOf)(id * QUARTER_MS);
    const figures = named.get(name) ?? MEASURES.map(() => 0n);
    for (let measure = 0; measure < MEASURES.length; measure++) figures[measure] = (figures[measure] ?? 0n) + sums.sumAt(measure, place);
    named.set(name, figures);
  }
  return [...named].map(([value, figures]) => ({ value, ...figuresFrom((measure) => figures[measure] ?? 0n) }));
}

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

/** A page whose total is that of every group, although only some are at hand. */
function pageOfSome(groups: UsageGroup[], query: UsageQuery, sums: Sums): UsagePage {
  const total = figuresFrom((measure) => {
    let sum = 0n;
    for (let place = 0; place < sums.size; place++) sum += sums.sumAt(measure, place);
    return sum;
  });
  return { ...pageOf(groups, query), total };
}
