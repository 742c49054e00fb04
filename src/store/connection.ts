// What a driver must be able to do. Reads and start-up go through drizzle, the hot path through statements made once from the
// schema (statement.ts).
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import type * as schema from "./schema";

/** Always await; never `db.transaction()`: bun:sqlite's is synchronous and would commit before an async callback ends. */
export type Db = Omit<BaseSQLiteDatabase<"async", unknown, typeof schema>, "transaction">;

export type SqlValue = string | number | bigint | Uint8Array | null;

export interface Statement {
  sql: string;
  args: SqlValue[];
}

export interface Connection {
  readonly db: Db;
  /** All or nothing. bun:sqlite is done when it returns. Throws the driver's error. */
  batch(statements: readonly Statement[]): void | Promise<void>;
  /** Brings the schema up to the migrations in the folder. */
  migrate(): Promise<void>;
  /** What is wrong with the files; empty: nothing. Absent where there are none here. */
  integrity?(): Promise<readonly string[]>;
  close(): Promise<void>;
}
