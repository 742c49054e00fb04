// The store without a database: for tests and the simulator. The same writer, sums and key cache as in production stand above it,
// and its data outlives a store, so that a crash and a restart can be played.

import type { AttemptRecord } from "../core/attempt";
import { addUsd, ZERO_USD } from "../core/money";
import type { AuditEntry, AuditQuery, LedgerRow, Numbered, Refusal } from "../core/ports";
import type { Price } from "../core/price";
import type { AdminEvent, CreditEntry, Delivery, Organization } from "../core/records";
import type { Analytics } from "./analytics";
import { auditEntryOf } from "./audit-entry";
import type { Backend, InspectionReads, Loaded, RunQuery, SpentRow, StoredKey, Write } from "./backend";
import { int64, UnstorableValue } from "./column";
import { DEFAULT_ORGANIZATION } from "./keys";
import { memoryInspection } from "./memory-inspection";
import {
  creditSums,
  deliveriesOf,
  dueOf,
  type MemoryRecords,
  memoryAnalytics,
  memoryRecords,
  newestOf,
  recordName,
  spentOf,
} from "./memory-records";
import { orphanOutcome } from "./orphan";
import type { SpentBucket, SpentQuery } from "./spent-query";
import { assembleStore, STORE_LIMITS, type Store, type StoreLimits, type StoreOptions } from "./store";
import { DataFolderInUse } from "./store-refused";

/** What a restart finds. */
export interface MemoryData extends MemoryRecords {
  organizations: Map<string, Organization>;
  keys: Map<string, StoredKey>;
  holds: Map<string, AttemptRecord>;
  ledger: LedgerRow[];
  /** By attempt id. */
  settled: Set<string>;
  refusals: Map<string, Refusal>;
  prices: Map<string, Price>;
  /** The backend that owns the data; undefined: nobody. */
  owner: object | undefined;
  /** While set, every write throws it: a disk that is full, a network that is away. */
  fault: unknown;
}

export const memoryData = (): MemoryData => ({
  organizations: new Map(),
  keys: new Map(),
  holds: new Map(),
  ledger: [],
  settled: new Set(),
  refusals: new Map(),
  prices: new Map(),
  ...memoryRecords(),
  owner: undefined,
  fault: undefined,
});

export type MemoryOptions = Omit<StoreOptions, "limits"> & {
  /** Default: data of its own. */
  data?: MemoryData | undefined;
  limits?: Partial<StoreLimits> | undefined;
  /** Takes the data from its owner, as a restart after a kill does. */
  takeOver?: boolean | undefined;
};

/** As `openStore`, over `options.data`. */
export async function openMemoryStore(options: MemoryOptions): Promise<Store> {
  const { clock } = options;
  const data = options.data ?? memoryData();
  if (data.owner !== undefined && options.takeOver !== true) throw new DataFolderInUse("Another store is using this data");
  const backend = new MemoryBackend(data);
  data.owner = backend;
  if (!data.organizations.has(DEFAULT_ORGANIZATION)) {
    const organization: Organization = { id: DEFAULT_ORGANIZATION, name: DEFAULT_ORGANIZATION, status: "active", createdAt: clock.now() };
    data.organizations.set(organization.id, organization);
  }
  const settledAt = clock.now();
  backend.apply(
    [...data.holds.values()].map((attempt) => ({ type: "settle", attempt, outcome: orphanOutcome(attempt, settledAt), settledAt })),
  );
  return assembleStore(backend, { ...options, limits: { ...STORE_LIMITS, ...options.limits } });
}

/** Newest first: request ids are UUIDv7. */
const descending = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0);

class MemoryBackend implements Backend {
  readonly analytics: Analytics;
  readonly #data: MemoryData;
  readonly inspection: InspectionReads;

  constructor(data: MemoryData) {
    this.#data = data;
    this.inspection = memoryInspection(data);
    this.analytics = memoryAnalytics(data.ledger);
  }

  apply(writes: readonly Write[]): void {
    this.probe();
    const held = new Set<string>();
    for (const write of writes) this.#check(write, held);
    for (const write of writes) this.#write(write);
  }

  probe(): void {
    if (this.#data.fault !== undefined) throw this.#data.fault;
    if (this.#data.owner !== this) throw new Error("NOT NULL constraint failed: leases.epoch");
  }

  watch(): void {}

  async load(): Promise<Loaded> {
    const sums = new Map<string, SpentRow>();
    for (const { mode, organizationId, keyId, cost } of this.#data.ledger) {
      const name = JSON.stringify([mode, organizationId, keyId]);
      const row = sums.get(name) ?? { mode, organizationId, keyId, spent: ZERO_USD };
      row.spent = addUsd(row.spent, cost ?? ZERO_USD);
      sums.set(name, row);
    }
    const { organizations, keys, prices } = this.#data;
    return {
      organizations: [...organizations.values()],
      keys: [...keys.values()],
      spent: [...sums.values()],
      unsummed: 0,
      priceVersions: [...prices.keys()],
      records: [...this.#data.records.values()],
      credits: creditSums(this.#data.credits),
    };
  }

  async settled(attempt: AttemptRecord): Promise<boolean> {
    return this.#data.settled.has(attempt.attemptId);
  }

  async price(version: string): Promise<Price | undefined> {
    return this.#data.prices.get(version);
  }

  async audit(query: AuditQuery, after: string | undefined): Promise<AuditEntry[]> {
    const mine = (row: LedgerRow | Refusal) =>
      row.organizationId === query.organizationId &&
      (query.keyId === undefined || row.keyId === query.keyId) &&
      (query.run === undefined || ("run" in row && row.run === query.run.name && row.mode === query.run.mode)) &&
      (query.requestId === undefined || row.requestId === query.requestId) &&
      (after === undefined || row.requestId < after);
    const attempts = Map.groupBy(this.#data.ledger.filter(mine), (row) => row.requestId);
    const refusals = new Map([...this.#data.refusals.values()].filter(mine).map((row) => [row.requestId, row]));
    const entries: AuditEntry[] = [];
    for (const requestId of [...new Set([...attempts.keys(), ...refusals.keys()])].sort(descending)) {
      const rows = (attempts.get(requestId) ?? []).toSorted((a, b) => a.attemptNumber - b.attemptNumber);
      const entry = auditEntryOf(requestId, rows, refusals.get(requestId));
      if (entry === undefined || (query.from !== undefined && entry.at < query.from) || (query.to !== undefined && entry.at >= query.to))
        continue;
      entries.push(entry);
      if (entries.length > query.limit) break;
    }
    return entries;
  }

  async spentBefore(query: SpentQuery, without: () => readonly string[]): Promise<SpentBucket[]> {
    const others = new Set(without());
    return spentOf(
      this.#data.ledger.filter((row) => !others.has(row.attemptId)),
      query,
    );
  }

  async callsOfRun({ organizationId, run, mode, from }: RunQuery): Promise<number> {
    const rows = this.#data.ledger.filter(
      (row) => row.organizationId === organizationId && row.run === run && row.mode === mode && row.heldAt >= from,
    );
    return new Set(rows.map((row) => row.requestId)).size;
  }

  async adminEvents(organizationId: string, before: number | undefined, limit: number): Promise<Numbered<AdminEvent>[]> {
    return newestOf(this.#data.adminEvents, (event) => event.organizationId === organizationId, before, limit);
  }

  async creditEntries(accountId: string, before: number | undefined, limit: number): Promise<Numbered<CreditEntry>[]> {
    return newestOf(this.#data.credits, (entry) => entry.accountId === accountId, before, limit);
  }

  async deliveries(webhookId: string, limit: number): Promise<Delivery[]> {
    return deliveriesOf(this.#data, webhookId, limit);
  }

  async dueDeliveries(now: number, limit: number): Promise<Delivery[]> {
    return dueOf(this.#data, now, limit);
  }

  async close(): Promise<void> {
    if (this.#data.owner === this) this.#data.owner = undefined;
  }

  /** What the schema's constraints refuse. `held`: the holds of this batch so far. */
  #check(write: Write, held: Set<string>): void {
    if (write.type === "hold") {
      const { attemptId, bound } = write.attempt;
      checkMoney(bound);
      if (held.has(attemptId) || this.#data.holds.has(attemptId)) throw new UnstorableValue("The attempt is held already");
      held.add(attemptId);
    } else if (write.type === "settle") {
      checkMoney(write.outcome.cost);
      checkMoney(write.outcome.usage?.reportedCost);
    } else if (write.type === "key" && this.#data.keys.has(write.key.id)) {
      throw new UnstorableValue("The key exists already");
    }
  }

  #write(write: Write): void {
    const data = this.#data;
    switch (write.type) {
      case "hold":
        data.holds.set(write.attempt.attemptId, { ...write.attempt });
        return;
      case "unhold":
        data.holds.delete(write.attemptId);
        return;
      case "settle":
        data.holds.delete(write.attempt.attemptId);
        if (data.settled.has(write.attempt.attemptId)) return;
        data.settled.add(write.attempt.attemptId);
        data.ledger.push(Object.freeze({ ...write.attempt, ...write.outcome, id: data.ledger.length + 1, settledAt: write.settledAt }));
        return;
      case "refusal": {
        const { organizationId, requestId } = write.refusal;
        const name = JSON.stringify([organizationId, requestId]);
        if (!data.refusals.has(name)) data.refusals.set(name, { ...write.refusal });
        return;
      }
      case "key":
        data.keys.set(write.key.id, write.key);
        return;
      case "key-change": {
        const before = data.keys.get(write.key.id);
        if (before) data.keys.set(write.key.id, { ...write.key, revokedAt: before.revokedAt });
        return;
      }
      case "record":
        data.records.set(recordName(write.kind, write.record.id), write);
        return;
      case "unrecord":
        data.records.delete(recordName(write.kind, write.id));
        return;
      case "credit":
        data.credits.push(write.entry);
        return;
      case "admin-event":
        data.adminEvents.push(write.event);
        return;
      case "delivery":
        data.deliveries.set(write.delivery.id, write.delivery);
        return;
      case "revoke": {
        const key = data.keys.get(write.keyId);
        if (key?.organizationId !== write.organizationId) return;
        data.keys.set(key.id, { ...key, revokedAt: key.revokedAt ?? write.revokedAt });
        return;
      }
      case "price":
        if (!data.prices.has(write.price.version)) data.prices.set(write.price.version, write.price);
        return;
      case "rollup":
      case "rollup-fold":
        throw new UnstorableValue("Memory is not summed up");
      case "organization":
        data.organizations.set(write.organization.id, write.organization);
        return;
    }
  }
}

function checkMoney(amount: bigint | undefined): void {
  if (amount !== undefined && int64(amount) < 0n) throw new UnstorableValue("Money cannot be negative");
}
