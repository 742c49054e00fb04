// What the drivers throw, understood once. bun:sqlite says SQLiteError with a code; libSQL says LibsqlError, LibsqlBatchError
// or what fetch threw, with the SQLite text in the message or a cause.
import { Failure } from "../core/failure";
import { UnstorableValue } from "./column";

/**
 * What to do about it: `value` one row is wrong, the others are not · `busy` someone else holds the file for a moment ·
 * `fenced` another process owns the database, for good · `corrupt` the file is broken · `down` full, read-only, unreachable.
 */
export type Trouble = "value" | "busy" | "fenced" | "corrupt" | "down";

/** The column that a former owner's batch cannot write (`lease.ts`). */
export const FENCE_COLUMN = "leases.epoch";

/** The error and its causes, outermost first. */
function chain(error: unknown): Error[] {
  const errors: Error[] = [];
  for (let at = error; at instanceof Error && errors.length < 8; at = at.cause) errors.push(at);
  return errors;
}

/** Where an error began: the driver's own words, without those of the layers above. */
export const rootOf = (error: unknown): Error => chain(error).at(-1) ?? new Error(String(error));

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "");

export function troubleOf(error: unknown): Trouble {
  const errors = chain(error);
  const says = (part: string) => errors.some((one) => codeOf(one).startsWith(part) || one.message.includes(part));
  if (says(FENCE_COLUMN)) return "fenced";
  if (errors.some((one) => one instanceof UnstorableValue)) return "value";
  if (says("SQLITE_CONSTRAINT") || says("constraint failed") || says("SQLITE_MISMATCH") || says("SQLITE_TOOBIG")) return "value";
  if (says("SQLITE_BUSY") || says("SQLITE_LOCKED") || says("database is locked")) return "busy";
  if (says("SQLITE_CORRUPT") || says("SQLITE_NOTADB") || says("file is not a database") || says("disk image is malformed"))
    return "corrupt";
  return "down";
}

/** The one failure that callers see for any trouble with the database: 503, never 401. The driver's words stay in `cause`. */
export function storageFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("storage_unavailable", "The gateway's database is not available at the moment", { cause: error, retryAfterMs: 1_000 });
}
