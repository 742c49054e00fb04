// What stands behind the store: a database (sql-backend.ts) or memory (memory.ts). Everything above it is shared, so that
// the simulator and the tests run the same writer, counters and key cache as production.

import type { AttemptRecord } from "../core/attempt";
import type { ApiKey } from "../core/exchange";
import type { KeyMode } from "../core/ids";
import type { NanoUsd } from "../core/money";
import type { AuditEntry, AuditQuery, Numbered, Outcome, Refusal } from "../core/ports";
import type { Price } from "../core/price";
import type { AdminEvent, CreditEntry, Delivery, Organization, RecordKind, RecordTypes } from "../core/records";
import type { Analytics } from "./analytics";
import type { RollupWrite } from "./rollup-due";
import type { SpentBucket, SpentQuery } from "./spent-query";

/** A key with its hash (hex). */
export interface StoredKey extends ApiKey {
  readonly hash: string;
  /** The secret before the last rotation, while both count. */
  readonly olderHash?: string | undefined;
  /** Unix milliseconds. */
  readonly olderUntil?: number | undefined;
}

/** A record with the kind that it is stored under. */
export type StoredRecord = { [K in RecordKind]: { readonly kind: K; readonly record: RecordTypes[K] } }[RecordKind];

/** One change. A batch of them is all or nothing, in order. */
export type Write =
  | { type: "hold"; attempt: AttemptRecord }
  /** A hold whose commit may or may not have happened, and whose call was never made. */
  | { type: "unhold"; attemptId: string }
  | { type: "settle"; attempt: AttemptRecord; outcome: Outcome; settledAt: number }
  | { type: "refusal"; refusal: Refusal }
  | { type: "key"; key: StoredKey }
  /** The whole row of a key that is there. */
  | { type: "key-change"; key: StoredKey }
  | { type: "revoke"; organizationId: string; keyId: string; revokedAt: number }
  | ({ type: "record" } & StoredRecord)
  | { type: "unrecord"; kind: RecordKind; id: string }
  | { type: "credit"; entry: CreditEntry }
  | { type: "admin-event"; event: AdminEvent }
  | { type: "delivery"; delivery: Delivery }
  | { type: "price"; price: Price; keptAt: number }
  | RollupWrite
  | { type: "organization"; organization: Organization };

/** The writer's side. */
export interface WriteBackend {
  /** Durable when it returns or resolves. Throws the driver's error, and then nothing of the batch is written (a lost network answer excepted). */
  apply(writes: readonly Write[]): void | Promise<void>;
  /** A real write of no consequence; throws while writing is impossible. */
  probe(): void | Promise<void>;
}

/** Sums of one key's ledger rows. */
export interface SpentRow {
  mode: KeyMode;
  organizationId: string;
  keyId: string;
  spent: NanoUsd;
}

/** What lives in memory while the process runs. */
export interface Loaded {
  organizations: readonly Organization[];
  /** In the order of their making. */
  keys: readonly StoredKey[];
  spent: readonly SpentRow[];
  /** Ledger rows that are not summed up; no more is counted than is due at once. */
  unsummed: number;
  priceVersions: readonly string[];
  /** In the order of their making. */
  records: readonly StoredRecord[];
  /** Sums of the entries of each credit account. */
  credits: readonly { accountId: string; amount: NanoUsd }[];
}

/** The calls of a run that were made. */
export interface RunQuery {
  organizationId: string;
  /** Its name. */
  run: string;
  mode: KeyMode;
  /** Unix milliseconds. */
  from: number;
}

/** The readers' side. `after` is the request id that the page before ended with. */
export interface ReadBackend {
  load(): Promise<Loaded>;
  /** Whether the attempt has its ledger row. */
  settled(attempt: AttemptRecord): Promise<boolean>;
  price(version: string): Promise<Price | undefined>;
  /** Newest first; one more than `query.limit` where there is more. */
  audit(query: AuditQuery, after: string | undefined): Promise<AuditEntry[]>;
  /**
   * Sums of durable rows, without those of the attempts that `without` names. It is asked after the newest row to be looked at is
   * fixed, so that no row comes in between.
   */
  spentBefore(query: SpentQuery, without: () => readonly string[]): Promise<SpentBucket[]>;
  /** The number of a run's calls that have a ledger row. */
  callsOfRun(query: RunQuery): Promise<number>;
  /** Newest first, those before the number; one more than `limit` where there is more. */
  adminEvents(organizationId: string, before: number | undefined, limit: number): Promise<Numbered<AdminEvent>[]>;
  creditEntries(accountId: string, before: number | undefined, limit: number): Promise<Numbered<CreditEntry>[]>;
  /** Newest first. */
  deliveries(webhookId: string, limit: number): Promise<Delivery[]>;
  /** Those that wait and are due, oldest first. */
  dueDeliveries(now: number, limit: number): Promise<Delivery[]>;
}

/** A row of the ledger, by its number. */
export interface WrittenRow {
  attempt: AttemptRecord;
  id: number;
  cost: NanoUsd;
}

/** What the proof of the books reads (inspection.ts). */
export interface InspectionReads {
  /** What is wrong with the files; undefined: there are none here. */
  integrity(): Promise<readonly string[] | undefined>;
  /** The last row's number; 0: there is none. */
  newestRow(): Promise<number>;
  holdRows(): Promise<readonly AttemptRecord[]>;
  /** The rows numbered from after `after` up to `upTo`: how many, their sums, and those whose call lacks the attempt before them. */
  stretch(after: number, upTo: number): Promise<{ rows: number; sums: readonly SpentRow[]; gaps: readonly AttemptRecord[] }>;
  /** Those of the attempts that have a row. */
  rowsOf(attempts: readonly AttemptRecord[]): Promise<readonly WrittenRow[]>;
}

export interface Backend extends WriteBackend, ReadBackend {
  readonly inspection: InspectionReads;
  readonly analytics: Analytics;
  /** Called once, when the store is up: `lost` fires when another owner has taken the data. */
  watch(lost: (cause: unknown) => void): void;
  /** Gives the data free for another owner. */
  close(): Promise<void>;
}
