// The schema's versions. The folder holds every migration up to this program's; what it does not know is not its database.
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import type { Db } from "./connection";
import { DatabaseTooNew, StoreRefused } from "./store-refused";

const MIGRATIONS_TABLE = "__drizzle_migrations";

/** Names of the tables, without SQLite's and the server's own. */
async function tablesOf(db: Db): Promise<Set<string>> {
  const rows = await db.values<[string]>(sql`SELECT name FROM sqlite_master WHERE type = 'table'`);
  return new Set(rows.map((row) => row[0]).filter((name) => name === MIGRATIONS_TABLE || !/^(sqlite_|libsql_|_)/.test(name)));
}

/** Whether any migration has been here. Throws `StoreRefused` for someone else's database, `DatabaseTooNew` for a later version's. */
export async function checkVersion(db: Db, migrationsFolder: string): Promise<boolean> {
  const tables = await tablesOf(db);
  if (tables.size === 0) return false;
  if (!tables.has(MIGRATIONS_TABLE)) {
    throw new StoreRefused(`The database holds tables that are not Tollway's (${[...tables].slice(0, 3).join(", ")}). Name another one.`);
  }
  const known = new Set(readMigrationFiles({ migrationsFolder }).map((migration) => migration.hash));
  const applied = await db.values<[string]>(sql`SELECT hash FROM ${sql.identifier(MIGRATIONS_TABLE)}`);
  if (applied.some((row) => !known.has(row[0]))) {
    throw new DatabaseTooNew(
      "The database was written by a newer version of Tollway. Start that version, or restore a backup made before it.",
    );
  }
  return tables.has("leases");
}
