// The tables, for both drivers. drizzle/ is generated from this file (`drizzle-kit generate`) and only ever appended to.
// The hot tables (holds, ledger, refusals) have no foreign keys: a ledger row must be writable whatever became of its key.
import { sql } from "drizzle-orm";
import { check, index, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { ApiKey } from "../core/exchange";
import type { KeyMode } from "../core/ids";
import type { Settlement } from "../core/ports";
import type { OrganizationStatus, RecordKind } from "../core/records";
import type { UsageSource } from "../core/usage";
import { count, duration, flag, money, packed } from "./column";

export const organizations = sqliteTable("organizations", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  status: text("status").$type<OrganizationStatus>().notNull(),
  createdAt: count("created_at").notNull(),
});

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text("id").primaryKey(),
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id),
    name: text("name").notNull(),
    mode: text("mode").$type<KeyMode>().notNull(),
    /** HMAC-SHA-256 of the whole key under the pepper, in hex. The key itself is nowhere. */
    hash: text("hash").notNull(),
    createdAt: count("created_at").notNull(),
    expiresAt: count("expires_at"),
    revokedAt: count("revoked_at"),
    responseMetadata: text("response_metadata").$type<ApiKey["responseMetadata"]>().notNull(),
    dropParams: flag("drop_params").notNull(),
    /** The rest of what the key governs, as JSON (`KeyPolicy`). NULL: nothing. */
    policy: text("policy"),
    /** The older of two live secrets during a rotation, and until when it counts. */
    olderHash: text("older_hash"),
    olderUntil: count("older_until"),
  },
  (table) => [index("api_keys_organization").on(table.organizationId)],
);

/** What a hold and its ledger row both say of an attempt (`AttemptRecord`). */
const attempt = () => ({
  requestId: text("request_id").notNull(),
  attemptNumber: count("attempt_number").notNull(),
  heldAt: count("held_at").notNull(),
  organizationId: text("organization_id").notNull(),
  keyId: text("key_id").notNull(),
  teamId: text("team_id"),
  projectId: text("project_id"),
  mode: text("mode").$type<KeyMode>().notNull(),
  door: text("door").notNull(),
  provider: text("provider").notNull(),
  modelRequested: text("model_requested").notNull(),
  modelServed: text("model_served").notNull(),
  stream: flag("stream").notNull(),
  tag: text("tag"),
  agent: text("agent"),
  run: text("run"),
  user: text("user"),
  tier: text("tier"),
  intent: text("intent"),
  priceVersion: text("price_version"),
  bound: money("bound"),
  decision: text("decision"),
});

/** Money held for dispatched attempts. The only mutable table of money. */
export const holds = sqliteTable(
  "holds",
  // The number is this process's own: a hold lives for one call, and one tree of pages is cheaper to put into and take out of.
  { id: count("id").primaryKey(), attemptId: text("attempt_id").notNull(), ...attempt(), epoch: count("epoch").notNull() },
  () => [check("holds_bound", sql`bound >= 0`)],
);

/** One row per dispatched attempt, for ever: triggers abort every update and delete. `id` ascends in the order of settling. */
export const ledger = sqliteTable(
  "ledger",
  {
    id: count("id").primaryKey(),
    attemptId: text("attempt_id").notNull(),
    ...attempt(),
    settlement: text("settlement").$type<Settlement>().notNull(),
    usageSource: text("usage_source").$type<UsageSource>().notNull(),
    cost: money("cost"),
    inputTokens: count("input_tokens"),
    outputTokens: count("output_tokens"),
    cacheReadInputTokens: count("cache_read_input_tokens"),
    cacheCreationInputTokens: count("cache_creation_input_tokens"),
    cacheCreation1hInputTokens: count("cache_creation_1h_input_tokens"),
    reasoningOutputTokens: count("reasoning_output_tokens"),
    inputAudioTokens: count("input_audio_tokens"),
    outputAudioTokens: count("output_audio_tokens"),
    outputImageTokens: count("output_image_tokens"),
    cacheReadAudioTokens: count("cache_read_audio_tokens"),
    toolCalls: text("tool_calls", { mode: "json" }).$type<Readonly<Record<string, number>>>(),
    serviceTier: text("service_tier"),
    reportedCost: money("reported_cost"),
    upstreamStatus: count("upstream_status"),
    errorCode: text("error_code"),
    finishReason: text("finish_reason"),
    latencyMs: duration("latency_ms").notNull(),
    timeToFirstChunkMs: duration("time_to_first_chunk_ms"),
    flags: text("flags", { mode: "json" }).$type<readonly string[]>().notNull(),
    settledAt: count("settled_at").notNull(),
  },
  (table) => [
    // Request ids are UUIDv7: these two are the audit's order, newest first, whole and per key, and stretches of time too
    // (ledger-span.ts). Each index costs every call: these are all there are.
    uniqueIndex("ledger_attempt").on(table.organizationId, table.requestId, table.attemptNumber),
    index("ledger_key_request").on(table.keyId, table.requestId),
    check("ledger_cost", sql`cost >= 0`),
  ],
);

/** Calls that were refused before any attempt. */
export const refusals = sqliteTable(
  "refusals",
  {
    id: count("id").primaryKey(),
    requestId: text("request_id").notNull(),
    at: count("at").notNull(),
    organizationId: text("organization_id").notNull(),
    keyId: text("key_id").notNull(),
    mode: text("mode").$type<KeyMode>().notNull(),
    door: text("door").notNull(),
    modelRequested: text("model_requested"),
    status: count("status").notNull(),
    errorCode: text("error_code").notNull(),
    tag: text("tag"),
  },
  (table) => [
    uniqueIndex("refusals_organization_request").on(table.organizationId, table.requestId),
    index("refusals_key_request").on(table.keyId, table.requestId),
  ],
);

/** Every price that a ledger row names, whole, so that a cost can be computed again years later. */
export const priceVersions = sqliteTable("price_versions", {
  version: text("version").primaryKey(),
  provider: text("provider").notNull(),
  model: text("model").notNull(),
  source: text("source").notNull(),
  date: text("date").notNull(),
  /** Rates, tiers, service tiers and fees as JSON, integers as decimal strings. */
  figures: text("figures").notNull(),
  keptAt: count("kept_at").notNull(),
});

/** One row: who owns this database. Every batch checks the epoch, so that a former owner's writes abort. */
export const leases = sqliteTable("leases", {
  id: count("id").primaryKey(),
  epoch: count("epoch").notNull(),
  /** Empty: nobody. */
  owner: text("owner").notNull(),
  expiresAt: count("expires_at").notNull(),
});

/** Facts about the database as a whole, by name. */
export const settings = sqliteTable("settings", { name: text("name").primaryKey(), value: text("value").notNull() });

/** Small things that an operator sets up (core/records.ts), whole as JSON: they are read once, at the start, and held in memory. */
export const records = sqliteTable(
  "records",
  {
    kind: text("kind").$type<RecordKind>().notNull(),
    id: text("id").notNull(),
    organizationId: text("organization_id").notNull(),
    body: text("body").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.id] })],
);

/** What prepaid balances are made of, for ever: triggers abort every update and delete. */
export const creditEntries = sqliteTable(
  "credit_entries",
  {
    id: count("id").primaryKey(),
    organizationId: text("organization_id").notNull(),
    accountId: text("account_id").notNull(),
    kind: text("kind").$type<"top_up" | "adjustment">().notNull(),
    /** Nano-USD; an adjustment may be below zero. */
    amount: money("amount").notNull(),
    reason: text("reason").notNull(),
    actor: text("actor").notNull(),
    at: count("at").notNull(),
  },
  (table) => [index("credit_entries_account").on(table.accountId, table.id)],
);

/** What administrators did, for ever: triggers abort every update and delete. */
export const adminEvents = sqliteTable(
  "admin_events",
  {
    id: count("id").primaryKey(),
    at: count("at").notNull(),
    organizationId: text("organization_id").notNull(),
    actor: text("actor").notNull(),
    /** "api_key.created", "budget.deleted", … */
    type: text("type").notNull(),
    resource: text("resource").notNull(),
    /** What changed, as JSON without secrets. */
    data: text("data").notNull(),
  },
  (table) => [index("admin_events_organization").on(table.organizationId, table.id)],
);

/** Webhooks on their way, and what became of them. */
export const deliveries = sqliteTable(
  "deliveries",
  {
    id: text("id").primaryKey(),
    organizationId: text("organization_id").notNull(),
    webhookId: text("webhook_id").notNull(),
    event: text("event").notNull(),
    body: text("body").notNull(),
    status: text("status").$type<"waiting" | "delivered" | "failed">().notNull(),
    attempts: count("attempts").notNull(),
    /** Unix milliseconds of the next attempt; NULL: none. */
    nextAt: count("next_at"),
    lastStatus: count("last_status"),
    lastError: text("last_error"),
    at: count("at").notNull(),
  },
  (table) => [index("deliveries_webhook").on(table.webhookId, table.id), index("deliveries_waiting").on(table.nextAt)],
);

/**
 * The ledger summed up (rollup-build.ts): each row stands for a stretch of ledger rows that never changes. What follows the last
 * one's id is not summed up yet. All three are derived: they can be emptied at any time, and are built again.
 */
export const rollupBlocks = sqliteTable("rollup_blocks", {
  /** The last ledger id inside. */
  id: count("id").primaryKey(),
  /** Everything after the block before it. */
  firstId: count("first_id").notNull(),
  rows: count("rows").notNull(),
  /** Admissions, Unix milliseconds, both included. */
  fromHeldAt: count("from_held_at").notNull(),
  toHeldAt: count("to_held_at").notNull(),
});

/** A block's columns, packed (rollup-pack.ts): one number per row, or sums per value of a dimension. */
export const rollupColumns = sqliteTable(
  "rollup_columns",
  {
    name: text("name").notNull(),
    block: count("block").notNull(),
    body: packed("body").notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.block] })],
);

/** The numbers that stand for texts in rollups, per dimension from 1. */
export const rollupValues = sqliteTable(
  "rollup_values",
  {
    dimension: text("dimension").notNull(),
    id: count("id").notNull(),
    value: text("value").notNull(),
  },
  (table) => [primaryKey({ columns: [table.dimension, table.value] }), uniqueIndex("rollup_values_id").on(table.dimension, table.id)],
);
