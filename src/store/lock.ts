// One owner per data file. The lock is an open exclusive transaction on a tiny SQLite file beside it: the kernel drops it with
// the process, whatever way that ends, so there is nothing stale to clean up.
import { Database } from "bun:sqlite";
import { troubleOf } from "./storage-failure";
import { DataFolderInUse } from "./store-refused";

/** Holds `<path>.lock` until the result is called. Throws `DataFolderInUse`. */
export function lockFile(path: string): () => void {
  const lock = new Database(`${path}.lock`, { create: true, readwrite: true });
  try {
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (troubleOf(error) !== "busy") throw error;
    throw new DataFolderInUse(`Another Tollway process is using ${path}. Stop it first, or give this one a data folder of its own.`, error);
  }
  return () => lock.close();
}
