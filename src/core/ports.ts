// What the line needs from the world. Adapters implement these in store/, net/ and telemetry/; main.ts builds them.
import type { AttemptRecord, Counted } from "./attempt";
import type { Budget, BudgetState, Crossing } from "./budget";
import type { Events } from "./event";
import type { ApiKey, KeyPolicy } from "./exchange";
import type { AnswerLengths, LiveCalls, Rates, Runs, Waiting } from "./governance";
import type { KeyMode } from "./ids";
import type { Inspection } from "./inspection";
import type { NanoUsd } from "./money";
import type { Notify } from "./notify";
import type { ModelInfo, Price } from "./price";
import type { AdminEvent, CreditEntry, Delivery, Organization, RecordKind, RecordTypes } from "./records";
import type { Room } from "./reservations";
import type { Secret } from "./secret";
import type { Connections, Settings } from "./settings";
import type { Usage, UsageSource } from "./usage";
import type { LedgerQuery, RollupProof, TimeRange, UsagePage, UsageQuery } from "./usage-query";
import type { Vault } from "./vault";

/** Time comes in. */
export interface Clock {
  /** Unix milliseconds, for records. May jump. */
  now(): number;
  /** Monotonic milliseconds, for durations. */
  elapsedMs(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once after `ms`; the result cancels it. */
  after(ms: number, fire: () => void): () => void;
}

export interface Random {
  bytes(length: number): Uint8Array;
  /** In [0, 1). */
  next(): number;
}

export interface Ids {
  /** A UUIDv7. */
  requestId(): string;
}

export interface DialRequest {
  url: string;
  method: string;
  headers: Readonly<Record<string, string>>;
  /** Header that carries the credential, revealed only inside the adapter. */
  credential: { header: string; prefix: string; secret: Secret } | undefined;
  body: Uint8Array | string;
}

/** Headers of an answer, asked for one by one: a copy of them all would cost each call more than the few that are read. */
export interface HeaderView {
  /** `name` is lower-case. undefined: not there. */
  get(name: string): string | undefined;
}

export interface DialResponse {
  readonly status: number;
  readonly headers: HeaderView;
  /** Decoded bytes. undefined: no body. */
  readonly body: ReadableStream<Uint8Array> | undefined;
  /** The whole decoded body. Throws `Failure` `upstream_error` over `maxBytes`. Use either this or `body`. */
  bytes(maxBytes: number): Promise<Uint8Array>;
}

/** The network towards providers. Called from gateway/call.ts alone, with a hold in hand. */
export interface Dial {
  /** Throws `DialError`. Follows no redirect. */
  send(request: DialRequest, signal: AbortSignal): Promise<DialResponse>;
}

/** Nothing of an answer arrived. */
export class DialError extends Error {
  constructor(
    /** `refused`: no connection (refused, DNS, TLS): nothing was sent. `reset`: it broke before headers; something may have been sent. `aborted`: our own signal. */
    readonly kind: "refused" | "reset" | "aborted",
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = "DialError";
  }
}

/** Prices and what is known of models. */
export interface Prices {
  /** The price in force at `at` (Unix ms). undefined: unpriced. */
  price(provider: string, model: string, at: number): Price | undefined;
  /** Every model the catalogue knows of a provider, with prices in force at `at`. */
  models(provider: string, at: number): readonly ModelInfo[];
  /** One model of a provider, by id or dated id. */
  model(provider: string, id: string, at: number): ModelInfo | undefined;
}

/** Prices that ledger rows name, kept for ever. */
export interface PriceVersions {
  /** undefined: no row ever named it. */
  read(version: string): Promise<Price | undefined>;
}

export interface NewKey {
  organizationId: string;
  name: string;
  mode: KeyMode;
  expiresAt?: number | undefined;
  responseMetadata?: ApiKey["responseMetadata"] | undefined;
  dropParams?: boolean | undefined;
  policy?: KeyPolicy | undefined;
}

/** What may change of a key. What is absent stays. */
export interface KeyChange {
  name?: string | undefined;
  /** null: it never ends. */
  expiresAt?: number | null | undefined;
  responseMetadata?: ApiKey["responseMetadata"] | undefined;
  dropParams?: boolean | undefined;
  policy?: KeyPolicy | undefined;
  /** A new secret; the one before counts until then (Unix ms), and the one before that no more. */
  rotateUntil?: number | undefined;
}

/** Keys, cached whole in memory: `verify` is a map hit and one HMAC. */
export interface Keys {
  /** The key whose secret this is, whatever its state; undefined: none. Constant-time. Never touches the database. */
  verify(presented: string): ApiKey | undefined;
  /** Durable when it resolves. The plain key is shown this once. */
  create(ask: NewKey): Promise<{ key: ApiKey; plain: Secret }>;
  /** Makes sure that the key printed at first start exists: always the same one for this data folder. */
  quickstart(): Promise<{ key: ApiKey; plain: Secret }>;
  list(organizationId: string, page: Page): Promise<Listing<ApiKey>>;
  /** false: no such key in this organization. Effective at once. */
  revoke(organizationId: string, id: string): Promise<boolean>;
  /** undefined: no such key in this organization, or a revoked one. Durable when it resolves; `plain` where it got a new secret. */
  change(organizationId: string, id: string, change: KeyChange): Promise<{ key: ApiKey; plain: Secret | undefined } | undefined>;
}

/** What operators set up (core/records.ts), in memory whole. */
export interface Directory {
  /** Grows with each change, but for runs: calls make those themselves, and nothing is derived of them. */
  readonly revision: number;
  get<K extends RecordKind>(kind: K, id: string): RecordTypes[K] | undefined;
  /** In the order of their making. */
  list<K extends RecordKind>(kind: K, organizationId: string): readonly RecordTypes[K][];
  /** Makes it, or takes the place of the one with its id. Durable when it resolves. */
  put<K extends RecordKind>(kind: K, record: RecordTypes[K]): Promise<void>;
  /** false: there was none. */
  remove(kind: RecordKind, id: string): Promise<boolean>;
  organizations(): readonly Organization[];
  putOrganization(organization: Organization): Promise<void>;
}

export interface Page {
  /** Opaque; from the listing before. */
  cursor?: string | undefined;
  /** 1…1000 */
  limit: number;
}

export interface Listing<T> {
  data: readonly T[];
  /** undefined: this was the last page. */
  nextCursor: string | undefined;
}

/** How the cost of an attempt was found. */
export type Settlement = "exact" | "counted" | "ceiling" | "released";

export interface Outcome {
  settlement: Settlement;
  usage: Usage | undefined;
  usageSource: UsageSource;
  /** undefined: unpriced. */
  cost: NanoUsd | undefined;
  /** The provider's status; undefined: no answer. */
  upstreamStatus: number | undefined;
  /** Our failure code; undefined: it went well. */
  errorCode: string | undefined;
  finishReason: string | undefined;
  /** Milliseconds from the hold. */
  latencyMs: number;
  timeToFirstChunkMs: number | undefined;
  /** "maybe_billed", "overrun", "caller_gone", "orphan", "malformed": facts for whoever checks invoices. */
  flags: readonly string[];
}

export type LedgerRow = AttemptRecord &
  Outcome & {
    /** Ascending; the cursor of listings. */
    id: number;
    /** Unix milliseconds. */
    settledAt: number;
  };

/** Money held for attempts. Authoritative counters live in memory; the rows make them survive a kill. */
export interface Holds {
  /** Resolves when the hold is durable. Rejects `storage_unavailable`, `overloaded` or `BudgetRefused`, and then nothing is held. */
  open(attempt: AttemptRecord): Promise<void>;
  /** Number of holds open in this process. */
  openCount(): number;
}

/** Insert-only: one row per dispatched attempt. */
export interface Ledger {
  /** Deletes the hold and inserts the row, in one step; idempotent on the attempt. Resolves when durable; callers need not wait. */
  settle(attempt: AttemptRecord, outcome: Outcome): Promise<void>;
  /** Everything handed to the writer so far is durable. */
  drain(): Promise<void>;
}

/** A call that was refused before any attempt. */
export interface Refusal {
  requestId: string;
  /** Unix milliseconds. */
  at: number;
  organizationId: string;
  keyId: string;
  mode: KeyMode;
  door: string;
  modelRequested: string | undefined;
  status: number;
  errorCode: string;
  tag?: string | undefined;
}

/** One call as the audit shows it: its attempts grouped, or a refusal. */
export interface AuditEntry {
  requestId: string;
  /** Unix milliseconds of the first attempt or refusal. */
  at: number;
  keyId: string;
  mode: KeyMode;
  door: string;
  status: "ok" | "error" | "refused";
  errorCode: string | undefined;
  modelRequested: string | undefined;
  tag: string | undefined;
  attempts: readonly LedgerRow[];
}

export interface AuditQuery extends Page {
  organizationId: string;
  keyId?: string | undefined;
  requestId?: string | undefined;
  /** A run's name: its calls of one mode, refused ones left out. */
  run?: { readonly name: string; readonly mode: KeyMode } | undefined;
  /** Unix milliseconds, inclusive. */
  from?: number | undefined;
  /** Unix milliseconds, exclusive. */
  to?: number | undefined;
}

export interface Records {
  /** Queued, bounded: under a flood refusals are counted, not stored. Never throws. */
  refuse(refusal: Refusal): void;
  /** Newest first. */
  audit(query: AuditQuery): Promise<Listing<AuditEntry>>;
}

/** The ledger summed up, off the hot path. A question that takes too long rejects `request_timeout` and says what to ask instead. */
export interface Rollups {
  /** Throws `invalid_value` for a question that cannot be asked. */
  usage(query: UsageQuery): Promise<UsagePage>;
  /** In the order of settling. A page may be short, or empty, and have a next one. */
  rows(query: LedgerQuery): Promise<Listing<LedgerRow>>;
  /** Holds what is summed up of a stretch of time (Unix milliseconds, by admission) against the ledger, row by row. */
  verify(range: TimeRange): Promise<RollupProof>;
}

export interface Sums {
  spent: NanoUsd;
  reserved: NanoUsd;
}

/** Sums per scope, kept in memory by the process that owns the data, rebuilt from the ledger and holds at start. */
export interface Counters {
  /** `scope`: "organization:ID" or "key:ID", per mode. */
  read(scope: string, mode: KeyMode): Sums;
}

/** A row of a listing, by its number. */
export type Numbered<T> = T & { readonly id: number };

/** What is written down once and never changed, beside the ledger: balances' entries and what administrators did. */
export interface Journal {
  /** Durable when it resolves. */
  credit(entry: CreditEntry): Promise<void>;
  /** The sum of an account's entries, from memory. */
  credited(accountId: string): NanoUsd;
  /** Newest first. */
  creditEntries(accountId: string, page: Page): Promise<Listing<Numbered<CreditEntry>>>;
  /** Durable when it resolves. */
  note(event: AdminEvent): Promise<void>;
  /** Newest first. */
  adminEvents(organizationId: string, page: Page): Promise<Listing<Numbered<AdminEvent>>>;
}

/** Webhooks' messages on their way. */
export interface Outbox {
  /** Makes it, or takes the place of the one with its id. Durable when it resolves. */
  put(delivery: Delivery): Promise<void>;
  /** Those that wait and are due, oldest first. */
  due(now: number, limit: number): Promise<readonly Delivery[]>;
  /** Newest first. */
  list(webhookId: string, limit: number): Promise<readonly Delivery[]>;
}

export type { Counted };

/** Budgets, kept and counted. */
export interface Budgets {
  /** Makes it or takes the place of the one with its id. Durable, and filled with what was spent already, when it resolves. */
  put(budget: Budget): Promise<void>;
  /** false: there was none. */
  remove(id: string): Promise<boolean>;
  state(id: string, mode: KeyMode): BudgetState | undefined;
  states(call: Counted, mode: KeyMode): readonly BudgetState[];
  /** As `Reservations.room`. */
  room(call: Counted, mode: KeyMode): Room | undefined;
  /** Calls `hear` with the thresholds that settlements reach. */
  onCrossing(hear: (crossing: Crossing, mode: KeyMode) => void): void;
}

/** Items of answers that a caller may name by their ids in its next request. */
export interface Items {
  keep(keyId: string, id: string, item: unknown): void;
  /** undefined: not kept, or not any more. */
  find(keyId: string, id: string): unknown;
}

/** Keeps retries of one target to a fifth of the calls that go there. */
export interface Retries {
  /** A call goes to the target for the first time. */
  deposit(target: string): void;
  /** Takes one retry if there is one. */
  withdraw(target: string): boolean;
}

/** One line per call, JSON. Never a secret, a prompt or an answer. */
export interface Log {
  write(level: "debug" | "info" | "warn" | "error", event: string, facts: Readonly<Record<string, unknown>>): void;
}

export interface Ports {
  /** Aborts when the gateway's time to finish its calls is over. */
  readonly stopping: AbortSignal;
  readonly settings: Settings;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly dial: Dial;
  readonly retries: Retries;
  readonly items: Items;
  readonly prices: Prices;
  readonly priceVersions: PriceVersions;
  readonly keys: Keys;
  readonly holds: Holds;
  readonly ledger: Ledger;
  readonly records: Records;
  readonly rollups: Rollups;
  readonly counters: Counters;
  readonly directory: Directory;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly budgets: Budgets;
  readonly rates: Rates;
  readonly runs: Runs;
  readonly live: LiveCalls;
  readonly lengths: AnswerLengths;
  readonly waiting: Waiting;
  readonly vault: Vault;
  readonly inspection: Inspection;
  readonly notify: Notify;
  readonly events: Events;
  readonly log: Log;
}
