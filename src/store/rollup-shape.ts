// What a rollup keeps of each attempt: numbers that stand for texts (per dimension from 1, 0 for none), its time, its figures.
import { type SQL, sql } from "drizzle-orm";
import type { KeyMode } from "../core/ids";
import { type NanoUsd, nanoUsd } from "../core/money";
import type { UsageDimension, UsageFigures } from "../core/usage-query";
import { fromWhole } from "./column";
import type { Db } from "./connection";
import type { LedgerSpan } from "./ledger-span";
import { ledger } from "./schema";

/** Ledger rows in a block. Fewer would make more blocks to read; more, a longer tail that is read row by row. */
export const BLOCK_ROWS = 4_096;

/** Dimensions whose texts have numbers, in the order of a row's texts. `scope` is mode and organization together. */
export const TEXT_DIMENSIONS = [
  "scope",
  "model",
  "provider",
  "key",
  "tag",
  "user",
  "agent",
  "run",
  "team",
  "project",
  "intent",
  "tier",
] as const;
export type TextDimension = (typeof TEXT_DIMENSIONS)[number];

/** Days and hours are sums of quarters of an hour: there are zones of +5:30 and +5:45. */
export const QUARTER_MS = 900_000;

/** Dimensions that sums are kept for: all but the scope, which is in each of them. */
const [, ...GROUPED] = TEXT_DIMENSIONS;
export const SUMMED_DIMENSIONS = [...GROUPED, "status", "quarter"] as const;

/** `status` needs no texts of the database. */
export const STATUSES = ["ok", "error"] as const;

/** The figures of a row and of a group, in the order of their columns. */
export const MEASURES = [
  "requests",
  "attempts",
  "inputTokens",
  "outputTokens",
  "cacheReadInputTokens",
  "cacheCreationInputTokens",
  "reasoningOutputTokens",
  "inputAudioTokens",
  "outputAudioTokens",
  "cost",
  "unpriced",
] as const satisfies readonly (keyof UsageFigures)[];

export const COST = MEASURES.indexOf("cost");

export const scopeOf = (mode: KeyMode, organizationId: string): string => `${mode}:${organizationId}`;
export const partsOfScope = (scope: string): { mode: KeyMode; organizationId: string } => ({
  mode: scope.startsWith("test:") ? "test" : "live",
  organizationId: scope.slice(scope.indexOf(":") + 1),
});

export const figuresFrom = (sumOf: (measure: number) => bigint): UsageFigures => ({
  requests: Number(sumOf(0)),
  attempts: Number(sumOf(1)),
  inputTokens: sumOf(2),
  outputTokens: sumOf(3),
  cacheReadInputTokens: sumOf(4),
  cacheCreationInputTokens: sumOf(5),
  reasoningOutputTokens: sumOf(6),
  inputAudioTokens: sumOf(7),
  outputAudioTokens: sumOf(8),
  cost: nanoUsd(sumOf(COST)) as NanoUsd,
  unpriced: Number(sumOf(10)),
});

/** One ledger row as a rollup sees it. */
export interface RollupRow {
  id: number;
  /** Unix milliseconds. */
  heldAt: number;
  /** In the order of `TEXT_DIMENSIONS`. */
  texts: readonly (string | null)[];
  /** 1 or 2: a place in `STATUSES`, plus one. */
  status: number;
  /** In the order of `MEASURES`. */
  figures: readonly (number | bigint)[];
}

const COLUMNS = [
  ledger.mode,
  ledger.organizationId,
  ledger.modelServed,
  ledger.provider,
  ledger.keyId,
  ledger.tag,
  ledger.user,
  ledger.agent,
  ledger.run,
  ledger.teamId,
  ledger.projectId,
  ledger.intent,
  ledger.tier,
  ledger.id,
  ledger.heldAt,
  ledger.attemptNumber,
  ledger.errorCode,
  ledger.inputTokens,
  ledger.outputTokens,
  ledger.cacheReadInputTokens,
  ledger.cacheCreationInputTokens,
  ledger.reasoningOutputTokens,
  ledger.inputAudioTokens,
  ledger.outputAudioTokens,
  ledger.cost,
];

const LIST: SQL = sql.join(COLUMNS, sql`, `);

/** A figure as a number where a double holds it. NULL adds nothing. */
function figure(value: unknown): number | bigint {
  if (value === null) return 0;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : (value as bigint);
}

/** Rows in the order of their ids, at most `limit`. */
export async function readRollupRows(db: Db, { first, last }: LedgerSpan, limit: number): Promise<RollupRow[]> {
  const rows = await db.values<unknown[]>(
    sql`SELECT ${LIST} FROM ${ledger} WHERE ${ledger.id} BETWEEN ${BigInt(first)} AND ${BigInt(last)} ORDER BY ${ledger.id} LIMIT ${BigInt(limit)}`,
  );
  // By index: libSQL's rows are no arrays.
  return rows.map((row) => ({
    id: fromWhole(row[13]),
    heldAt: fromWhole(row[14]),
    texts: TEXT_DIMENSIONS.map((_, n) => (n === 0 ? scopeOf(row[0] as KeyMode, row[1] as string) : (row[n + 1] as string | null))),
    status: row[16] === null ? 1 : 2,
    figures: [
      row[15] === 1n ? 1 : 0,
      1,
      figure(row[17]),
      figure(row[18]),
      figure(row[19]),
      figure(row[20]),
      figure(row[21]),
      figure(row[22]),
      figure(row[23]),
      figure(row[24]),
      row[24] === null ? 1 : 0,
    ],
  }));
}

/** Whether the ledger's dimension has texts with numbers. */
export const isText = (dimension: UsageDimension): dimension is Exclude<TextDimension, "scope"> & UsageDimension =>
  (TEXT_DIMENSIONS as readonly string[]).includes(dimension);
