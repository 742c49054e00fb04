// The backend over a database, the same for both drivers: start-up (lease, migrations, orphans), batches, and reads.
import { and, asc, eq, ne, sql } from "drizzle-orm";
import type { AttemptRecord } from "../core/attempt";
import { nanoUsd, ZERO_USD } from "../core/money";
import type { AuditEntry, AuditQuery, Clock, Log, Numbered, Random } from "../core/ports";
import type { Price } from "../core/price";
import type { AdminEvent, CreditEntry, Delivery } from "../core/records";
import { type Analytics, openAnalytics } from "./analytics";
import { readAudit } from "./audit-query";
import type { Backend, InspectionReads, Loaded, RunQuery, StoredKey, Write } from "./backend";
import { fromInteger, fromWhole } from "./column";
import type { Connection, Db, Statement } from "./connection";
import { sqlInspection } from "./inspection-query";
import { DEFAULT_ORGANIZATION } from "./keys";
import { fenceStatement, type LeaseTerms, releaseLease, renewLease, takeLease } from "./lease";
import { attemptOf } from "./ledger-row";
import { checkVersion } from "./migration";
import { orphanOutcome } from "./orphan";
import { figuresOf } from "./price-record";
import { bodyOf } from "./record-body";
import {
  readAdminEvents,
  readCallsOfRun,
  readCreditEntries,
  readDeliveries,
  readDueDeliveries,
  readSpent,
  readSpentOf,
} from "./records-query";
import { unsummedOf, watermarkOf } from "./rollup-build";
import { BLOCK_ROWS } from "./rollup-shape";
import { readSpentByKey } from "./rollup-spent";
import { apiKeys, creditEntries, holds, ledger, organizations, priceVersions, records, settings } from "./schema";
import type { SpentBucket, SpentQuery } from "./spent-query";
import { HoldNumbers, statementsOf } from "./statement";
import { PepperMismatch } from "./store-refused";

export interface SqlBackendOptions {
  clock: Clock;
  log: Log;
  random: Random;
  migrationsFolder: string;
  /** What the pepper's check value must be (keys.ts). */
  pepperCheck: string;
  /** For a database that others can reach; undefined: a lock on the file keeps them out. */
  lease: LeaseTerms | undefined;
  /** Reads much of the ledger, in a thread of its own. Default: on the same connection. */
  analytics?: ((db: Db) => Analytics) | undefined;
}

/** Rows that no block has, from which on time is looked up in the index. */
const LONG_TAIL = 50_000;
/** Orphans are charged in batches of so many. */
const ORPHAN_BATCH = 200;

/** Takes the database over and makes it sound; throws `StoreRefused` or the driver's error. */
export async function openSqlBackend(connection: Connection, options: SqlBackendOptions): Promise<Backend> {
  const { clock, lease } = options;
  const owner = Buffer.from(options.random.bytes(16)).toString("hex");
  // A database in use must not be migrated under its owner's feet: the lease first, where there is one already.
  const known = await checkVersion(connection.db, options.migrationsFolder);
  const early = known ? await takeLease(connection, clock, owner, lease) : undefined;
  await connection.migrate();
  const epoch = early ?? (await takeLease(connection, clock, owner, lease));
  const backend = new SqlBackend(connection, epoch, options);
  try {
    await backend.prepare();
    return backend;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

/** Sums by mode and stretch, less those of `counted`. */
function joinSpent(sums: readonly SpentBucket[], counted: readonly SpentBucket[]): SpentBucket[] {
  const joined = new Map<string, SpentBucket>();
  const add = ({ mode, start, spent }: SpentBucket, sign: bigint) => {
    const name = `${mode} ${start}`;
    const before = joined.get(name)?.spent ?? ZERO_USD;
    joined.set(name, { mode, start, spent: nanoUsd(before + sign * spent) });
  };
  for (const sum of sums) add(sum, 1n);
  for (const sum of counted) add(sum, -1n);
  return [...joined.values()];
}

class SqlBackend implements Backend {
  readonly analytics: Analytics;
  readonly #connection: Connection;
  readonly #epoch: number;
  readonly #options: SqlBackendOptions;
  /** Opens every batch: empty where the file's lock already keeps others out. */
  readonly #fence: readonly Statement[];
  readonly inspection: InspectionReads;
  #numbers = new HoldNumbers(0);
  #stopRenewing = () => {};

  constructor(connection: Connection, epoch: number, options: SqlBackendOptions) {
    this.#connection = connection;
    this.analytics = options.analytics?.(connection.db) ?? openAnalytics(connection.db, options.clock);
    this.#epoch = epoch;
    this.inspection = sqlInspection(connection);
    this.#options = options;
    this.#fence = options.lease === undefined ? [] : [fenceStatement(epoch)];
  }

  apply(writes: readonly Write[]): void | Promise<void> {
    const statements = [...this.#fence];
    for (const write of writes) statementsOf(write, this.#epoch, this.#numbers, statements);
    const written = this.#connection.batch(statements);
    if (written === undefined) return this.#forget(writes);
    return written.then(() => this.#forget(writes));
  }

  /** Numbers stay until their holds are certain to be gone: a batch that failed is made again. */
  #forget(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.type === "settle") this.#numbers.forget(write.attempt.attemptId);
      else if (write.type === "unhold") this.#numbers.forget(write.attemptId);
    }
  }

  probe(): void | Promise<void> {
    const touch = { sql: "INSERT INTO settings (name, value) VALUES ('probe', '') ON CONFLICT (name) DO UPDATE SET value = ''", args: [] };
    return this.#connection.batch([...this.#fence, touch]);
  }

  watch(lost: (cause: unknown) => void): void {
    const { lease } = this.#options;
    if (lease !== undefined) this.#stopRenewing = renewLease(this.#connection, this.#epoch, lease, this.#options, lost);
  }

  /** The rows that are always there, and the ends of what a dead process left open. */
  async prepare(): Promise<void> {
    const { clock, pepperCheck } = this.#options;
    await this.#connection.batch([
      ...this.#fence,
      {
        sql: "INSERT INTO organizations (id, name, status, created_at) VALUES (?, ?, 'active', ?) ON CONFLICT (id) DO NOTHING",
        args: [DEFAULT_ORGANIZATION, DEFAULT_ORGANIZATION, BigInt(clock.now())],
      },
      { sql: "INSERT INTO settings (name, value) VALUES ('pepper_check', ?) ON CONFLICT (name) DO NOTHING", args: [pepperCheck] },
    ]);
    const [kept] = await this.#connection.db.select().from(settings).where(eq(settings.name, "pepper_check"));
    if (kept?.value !== pepperCheck) {
      throw new PepperMismatch(
        "The pepper is not the one this database's keys were made with. Restore the pepper, or every key would be refused.",
      );
    }
    await this.#chargeOrphans();
    const [last] = await this.#connection.db.select({ id: sql`coalesce(max(${holds.id}), 0)`.mapWith(fromWhole) }).from(holds);
    this.#numbers = new HoldNumbers(last?.id ?? 0);
  }

  async #chargeOrphans(): Promise<void> {
    const { clock, log } = this.#options;
    let charged = 0;
    for (;;) {
      const rows = await this.#connection.db
        .select()
        .from(holds)
        .where(ne(holds.epoch, this.#epoch))
        .orderBy(asc(holds.heldAt))
        .limit(ORPHAN_BATCH);
      if (rows.length === 0) break;
      const settledAt = clock.now();
      const writes = rows.map((row): Write => {
        const attempt = attemptOf(row);
        return { type: "settle", attempt, outcome: orphanOutcome(attempt, settledAt), settledAt };
      });
      await this.apply(writes);
      charged += rows.length;
    }
    if (charged > 0) log.write("warn", "store.orphans_charged", { holds: charged, epoch: this.#epoch });
  }

  async load(): Promise<Loaded> {
    const { db } = this.#connection;
    const organizationRows = await db.select().from(organizations).orderBy(asc(organizations.createdAt), asc(organizations.id));
    const keyRows = await db.select().from(apiKeys).orderBy(sql`rowid`);
    const spent = await readSpentByKey(db);
    const recordRows = await db.select().from(records).orderBy(sql`rowid`);
    const credits = await db
      .select({
        accountId: creditEntries.accountId,
        amount: sql`coalesce(sum(${creditEntries.amount}), 0)`.mapWith((sum: unknown) => nanoUsd(fromInteger(sum))),
      })
      .from(creditEntries)
      .groupBy(creditEntries.accountId);
    const versions = await db.select({ version: priceVersions.version }).from(priceVersions);
    return {
      organizations: organizationRows,
      keys: keyRows.map(keyOf),
      spent,
      unsummed: await unsummedOf(db, BLOCK_ROWS),
      priceVersions: versions.map((row) => row.version),
      records: recordRows.map(({ kind, body }) => bodyOf(kind, body)),
      credits,
    };
  }

  async settled(attempt: AttemptRecord): Promise<boolean> {
    const rows = await this.#connection.db
      .select({ id: ledger.id })
      .from(ledger)
      .where(
        and(
          eq(ledger.organizationId, attempt.organizationId),
          eq(ledger.requestId, attempt.requestId),
          eq(ledger.attemptNumber, attempt.attemptNumber),
        ),
      );
    return rows.length > 0;
  }

  async price(version: string): Promise<Price | undefined> {
    const [row] = await this.#connection.db.select().from(priceVersions).where(eq(priceVersions.version, version));
    if (row === undefined) return undefined;
    return {
      provider: row.provider,
      model: row.model,
      version: row.version,
      source: row.source,
      date: row.date,
      ...figuresOf(row.figures),
    };
  }

  async audit(query: AuditQuery, after: string | undefined): Promise<AuditEntry[]> {
    return readAudit(this.#connection.db, query, after);
  }

  async spentBefore(query: SpentQuery, without: () => readonly string[]): Promise<SpentBucket[]> {
    const { db } = this.#connection;
    if (query.scope.kind === "organization" && query.scope.id !== query.organizationId) return [];
    const upTo = await watermarkOf(db);
    const newest = await this.inspection.newestRow();
    const others = without();
    const span = { first: upTo + 1, last: newest, without: others };
    // A long ledger that is not summed up yet.
    if (newest - upTo > LONG_TAIL) return readSpent(db, query, { ...span, first: 1 }, true);
    const [inBlocks, after, counted] = await Promise.all([
      this.analytics.spent(query, upTo),
      readSpent(db, query, span, false),
      readSpentOf(db, query, others, upTo),
    ]);
    return joinSpent([...inBlocks, ...after], counted);
  }

  async callsOfRun(query: RunQuery): Promise<number> {
    return readCallsOfRun(this.#connection.db, query);
  }

  async adminEvents(organizationId: string, before: number | undefined, limit: number): Promise<Numbered<AdminEvent>[]> {
    return readAdminEvents(this.#connection.db, organizationId, before, limit);
  }

  async creditEntries(accountId: string, before: number | undefined, limit: number): Promise<Numbered<CreditEntry>[]> {
    return readCreditEntries(this.#connection.db, accountId, before, limit);
  }

  async deliveries(webhookId: string, limit: number): Promise<Delivery[]> {
    return readDeliveries(this.#connection.db, webhookId, limit);
  }

  async dueDeliveries(now: number, limit: number): Promise<Delivery[]> {
    return readDueDeliveries(this.#connection.db, now, limit);
  }

  async close(): Promise<void> {
    this.#stopRenewing();
    await this.analytics.close();
    try {
      if (this.#options.lease !== undefined) await releaseLease(this.#connection, this.#epoch);
    } catch (error) {
      this.#options.log.write("warn", "store.lease_not_released", { epoch: this.#epoch, cause: String(error) });
    }
    await this.#connection.close();
  }
}

const keyOf = (row: typeof apiKeys.$inferSelect): StoredKey => ({
  ...row,
  expiresAt: row.expiresAt ?? undefined,
  revokedAt: row.revokedAt ?? undefined,
  olderHash: row.olderHash ?? undefined,
  olderUntil: row.olderUntil ?? undefined,
  policy: row.policy === null ? {} : (JSON.parse(row.policy) as StoredKey["policy"]),
});
