// The embedded file, through bun:sqlite. Synchronous: a batch is committed when `batch` returns.
import { Database, type Statement as Prepared } from "bun:sqlite";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { migrate } from "drizzle-orm/bun-sqlite/migrator";
import type { Clock, Log } from "../core/ports";
import { Checkpoints } from "./checkpoint";
import type { Connection, Db, SqlValue, Statement } from "./connection";
import { integrityOf } from "./integrity";
import { lockFile } from "./lock";
import * as schema from "./schema";
import { rootOf, troubleOf } from "./storage-failure";
import { DatabaseCorrupt, StoreRefused } from "./store-refused";

export interface SqliteOptions {
  path: string;
  migrationsFolder: string;
  /** `normal` survives `kill -9`, `full` power loss too. */
  durability: "normal" | "full";
  /** The entry of checkpoint-worker.ts; undefined: SQLite's own checkpoints, on the event loop. */
  checkpointWorker?: URL | string | undefined;
  clock: Clock;
  log: Log;
}

/** Files up to this size are checked page by page at start; of larger ones the schema, the holds and the ledger are read anyway. */
const QUICK_CHECK_MAX_BYTES = 256 * 1024 * 1024;
/** It blocks the event loop, so it is short; the writer tries again. */
const BUSY_TIMEOUT_MS = 50;

/** Locks, checks and opens the file. Throws `StoreRefused`; a broken file is left as it is. */
export function openSqlite(options: SqliteOptions): Connection {
  const { path } = options;
  let unlock = () => {};
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    unlock = lockFile(path);
    return new SqliteConnection(openChecked(path, options.durability), unlock, options);
  } catch (error) {
    unlock();
    throw refusal(path, error);
  }
}

/** The driver's error as the operator should read it. */
export function refusal(path: string, error: unknown): StoreRefused {
  if (error instanceof StoreRefused) return error;
  if (troubleOf(error) !== "corrupt") return new StoreRefused(`${path} could not be opened (${rootOf(error).message}).`, error);
  return new DatabaseCorrupt(
    `${path} is damaged. Tollway has not changed it. Restore a backup, or save what can be read with: sqlite3 '${path}' .recover`,
    error,
  );
}

function openChecked(path: string, durability: "normal" | "full"): Database {
  const size = existsSync(path) ? statSync(path).size : 0;
  const database = new Database(path, { create: true, readwrite: true, strict: true, safeIntegers: true });
  try {
    for (const pragma of [
      `busy_timeout = ${BUSY_TIMEOUT_MS}`,
      "journal_mode = WAL",
      `synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`,
      "foreign_keys = ON",
      // REPLACE would delete ledger rows without their trigger otherwise.
      "recursive_triggers = ON",
      "trusted_schema = OFF",
    ]) {
      database.run(`PRAGMA ${pragma}`);
    }
    const mode = database.query<{ journal_mode: string }, []>("PRAGMA journal_mode").get()?.journal_mode;
    if (mode !== "wal") throw new StoreRefused(`${path} cannot be used in WAL mode: is its folder on a network file system?`);
    if (size > 0 && size <= QUICK_CHECK_MAX_BYTES) {
      const found = database.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check;
      if (found !== "ok") throw Object.assign(new Error(`quick_check: ${found}`), { code: "SQLITE_CORRUPT" });
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteConnection implements Connection {
  readonly db: Db;
  readonly #database: Database;
  readonly #migrate: () => void;
  readonly #unlock: () => void;
  readonly #log: Log;
  #closed = false;
  readonly #prepared = new Map<string, Prepared<unknown, SqlValue[]>>();
  readonly #commit: (statements: readonly Statement[]) => void;
  readonly #checkpoints: Checkpoints | undefined;

  constructor(database: Database, unlock: () => void, options: SqliteOptions) {
    this.#database = database;
    this.#unlock = unlock;
    this.#log = options.log;
    const db = drizzle(database, { schema });
    // The same builder; bun:sqlite answers at once, and `await` takes that too.
    this.db = db as unknown as Db;
    this.#migrate = () => migrate(db, { migrationsFolder: options.migrationsFolder });
    this.#commit = database.transaction((statements: readonly Statement[]) => {
      for (const statement of statements) this.#prepare(statement.sql).run(...statement.args);
    }).immediate;
    this.#checkpoints = this.#startCheckpoints(options);
  }

  batch(statements: readonly Statement[]): void {
    this.#commit(statements);
    this.#checkpoints?.wrote();
  }

  /** In the Worker where there is one: on a large file it takes seconds. */
  async integrity(): Promise<readonly string[]> {
    return (await this.#checkpoints?.check()) ?? integrityOf(this.#database);
  }

  async migrate(): Promise<void> {
    this.#migrate();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#checkpoints?.stop();
    for (const statement of this.#prepared.values()) statement.finalize();
    this.#prepared.clear();
    try {
      // The file is whole by itself then, for whoever copies it.
      this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      this.#log.write("warn", "store.checkpoint_failed", { cause: String(error) });
    }
    this.#database.close();
    this.#unlock();
  }

  #prepare(sql: string): Prepared<unknown, SqlValue[]> {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      prepared = this.#database.prepare(sql);
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }

  #startCheckpoints(options: SqliteOptions): Checkpoints | undefined {
    const { checkpointWorker, path, clock, log } = options;
    if (checkpointWorker === undefined) return undefined;
    this.#database.run("PRAGMA wal_autocheckpoint = 0");
    return new Checkpoints({
      path,
      worker: checkpointWorker,
      clock,
      log,
      fallBack: () => this.#database.run("PRAGMA wal_autocheckpoint = 1000"),
      truncate: () => this.#database.run("PRAGMA wal_checkpoint(TRUNCATE)"),
    });
  }
}
