// SQLite's own look at every page, index and constraint of a file.
import type { Database } from "bun:sqlite";

/** Faults told at most. */
const MOST_FAULTS = 20;

/** What is wrong; empty: nothing. On a large file it takes seconds. https://sqlite.org/pragma.html#pragma_integrity_check */
export function integrityOf(database: Database): string[] {
  const rows = database.query<{ integrity_check: string }, []>(`PRAGMA integrity_check(${MOST_FAULTS})`).all();
  return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
}
