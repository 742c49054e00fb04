// What can be asked about usage and the ledger's rows, and what is answered.
import type { KeyMode } from "./ids";
import type { NanoUsd } from "./money";

/** What attempts can be grouped and filtered by. */
export const USAGE_DIMENSIONS = [
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
  "status",
  "day",
  "hour",
] as const;

/**
 * `model` and `provider` are those that answered. `status` is "ok" or "error". `day` ("2026-11-23") and `hour`
 * ("2026-11-23T14:00:00Z") are UTC's, by the attempt's admission.
 */
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** An attempt counts if each dimension named has one of its values. null: the attempt has none. */
export type UsageFilters = Readonly<Partial<Record<UsageDimension, readonly (string | null)[]>>>;

/** By admission, Unix milliseconds. */
export interface TimeRange {
  /** Inclusive. */
  from?: number | undefined;
  /** Exclusive. */
  to?: number | undefined;
}

export interface UsageQuery extends TimeRange {
  organizationId: string;
  /** Test and live attempts are never mixed. */
  mode: KeyMode;
  groupBy: UsageDimension;
  filters?: UsageFilters | undefined;
  /** 1…1000 */
  limit: number;
  /** Opaque; from the page before, of the same question. */
  cursor?: string | undefined;
}

/** Sums over attempts. */
export interface UsageFigures {
  /** Calls, each counted once, where its first attempt went: groups of one question add up. */
  requests: number;
  attempts: number;
  inputTokens: bigint;
  outputTokens: bigint;
  cacheReadInputTokens: bigint;
  cacheCreationInputTokens: bigint;
  reasoningOutputTokens: bigint;
  inputAudioTokens: bigint;
  outputAudioTokens: bigint;
  cost: NanoUsd;
  /** Attempts without a cost, because the model has no price: they are not in `cost`. */
  unpriced: number;
}

export interface UsageGroup extends UsageFigures {
  /** null: attempts without a value. */
  value: string | null;
}

export interface UsagePage {
  /** Dearest first, then by value; days and hours newest first. */
  groups: readonly UsageGroup[];
  /** Of every group, those of other pages too. */
  total: UsageFigures;
  /** undefined: this was the last page. */
  nextCursor: string | undefined;
}

export interface LedgerQuery extends TimeRange {
  organizationId: string;
  /** undefined: both. */
  mode?: KeyMode | undefined;
  /** 1…1000 */
  limit: number;
  /** Opaque; from the page before. */
  cursor?: string | undefined;
}

/** What was found when rollups were held against the ledger. */
export interface RollupProof {
  blocks: number;
  /** Ledger rows in them. */
  rows: number;
  /** What is wrong, in words; empty: rollups and ledger say the same. */
  faults: readonly string[];
}
