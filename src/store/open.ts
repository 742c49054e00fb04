// Opens the store that the configuration names: a file with bun:sqlite, or a remote database with libSQL. Never both on one file.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock, Log, Random } from "../core/ports";
import type { Reservations } from "../core/reservations";
import type { Secret } from "../core/secret";
import { AnalyticsThread } from "./analytics-thread";
import type { Backend } from "./backend";
import type { Db } from "./connection";
import { pepperCheck } from "./keys";
import type { LeaseTerms } from "./lease";
import { openLibsql } from "./libsql";
import { openSqlBackend } from "./sql-backend";
import { openSqlite, refusal } from "./sqlite";
import { rootOf } from "./storage-failure";
import { assembleStore, STORE_LIMITS, type Store, type StoreLimits } from "./store";
import { StoreRefused } from "./store-refused";

export interface StoreConfig {
  /** `file:<path>` (its folder is made), or `libsql:`, `http:`, `https:`. */
  url: string;
  /** For a remote database. */
  authToken?: Secret | undefined;
  /** The folder drizzle/, wherever main.ts finds it. */
  migrationsFolder: string;
  /** For a file: `normal` survives `kill -9`, `full` power loss too. */
  durability: "normal" | "full";
  /** What keys are hashed with. Always the same one for the same data. */
  pepper: Secret;
  /** "tw": what keys begin with. */
  keyPrefix: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** The entry of src/store/checkpoint-worker.ts. Without it SQLite checkpoints on the event loop (20 ms pauses). */
  checkpointWorker?: URL | string | undefined;
  /** The entry of src/store/analytics-worker.ts. Without it usage and exports are read on the event loop. */
  analyticsWorker?: URL | string | undefined;
  limits?: Partial<StoreLimits> | undefined;
  /** What budgets have spent and hold. */
  reservations: Reservations;
  /** For a remote database. */
  lease?: LeaseTerms | undefined;
}

const LEASE: LeaseTerms = { ttlMs: 15_000, renewMs: 5_000 };

/**
 * Resolves when every port may be used: the data is this process's alone, the schema is up to date, orphaned holds are charged,
 * sums and keys are in memory. Rejects with `StoreRefused`: its message is for the operator.
 */
export async function openStore(config: StoreConfig): Promise<Store> {
  const limits = { ...STORE_LIMITS, ...config.limits };
  const path = pathOf(config.url);
  const connection = path === undefined ? openLibsql(config) : openSqlite({ ...config, path });
  const lease = path === undefined ? (config.lease ?? LEASE) : undefined;
  let backend: Backend | undefined;
  try {
    const { analyticsWorker: worker, clock, log } = config;
    const analytics =
      path === undefined || worker === undefined ? undefined : (db: Db) => new AnalyticsThread({ path, worker, clock, log, db });
    backend = await openSqlBackend(connection, { ...config, pepperCheck: pepperCheck(config.pepper), lease, analytics });
    return await assembleStore(backend, { ...config, limits });
  } catch (error) {
    await (backend ?? connection).close();
    throw path === undefined ? unreachable(error) : refusal(path, error);
  }
}

/** The file's absolute path; undefined: a remote database. */
function pathOf(url: string): string | undefined {
  if (/^(libsql|https?):/.test(url)) return undefined;
  if (!url.startsWith("file:") || url === "file:" || url.includes(":memory:")) {
    throw new StoreRefused("The database URL must begin with file:, libsql:, http: or https: (file:/var/lib/tollway/tollway.db)");
  }
  return resolve(url.startsWith("file://") ? fileURLToPath(url) : url.slice("file:".length));
}

function unreachable(error: unknown): StoreRefused {
  if (error instanceof StoreRefused) return error;
  const words = rootOf(error).message;
  return new StoreRefused(`The remote database could not be opened (${words}). Check TOLLWAY_DATABASE_URL and its token.`, error);
}
