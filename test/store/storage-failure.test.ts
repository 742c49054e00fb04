import { expect, test } from "bun:test";
import { LibsqlBatchError, LibsqlError } from "@libsql/client/web";
import { Failure } from "../../src/core/failure";
import { UnstorableValue } from "../../src/store/column";
import { rootOf, storageFailure, type Trouble, troubleOf } from "../../src/store/storage-failure";

const sqlite = (code: string, message: string) => Object.assign(new Error(message), { code });

const CASES: [Trouble, unknown][] = [
  ["value", new UnstorableValue("too big")],
  ["value", sqlite("SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: ledger.attempt_id")],
  ["value", new LibsqlBatchError("SQLITE_CONSTRAINT: CHECK constraint failed: holds_bound", 2, "SQLITE_CONSTRAINT")],
  ["value", new Error("Failed query", { cause: sqlite("SQLITE_TOOBIG", "string or blob too big") })],
  ["busy", sqlite("SQLITE_BUSY", "database is locked")],
  ["busy", new LibsqlError("database table is locked", "SQLITE_LOCKED")],
  ["fenced", sqlite("SQLITE_CONSTRAINT_NOTNULL", "NOT NULL constraint failed: leases.epoch")],
  ["fenced", new LibsqlBatchError("SQLITE_CONSTRAINT: NOT NULL constraint failed: leases.epoch", 0, "SQLITE_CONSTRAINT")],
  ["corrupt", sqlite("SQLITE_CORRUPT", "database disk image is malformed")],
  ["corrupt", sqlite("SQLITE_NOTADB", "file is not a database")],
  ["down", sqlite("SQLITE_FULL", "database or disk is full")],
  ["down", sqlite("SQLITE_READONLY", "attempt to write a readonly database")],
  ["down", sqlite("SQLITE_IOERR_WRITE", "disk I/O error")],
  ["down", new TypeError("fetch failed", { cause: sqlite("ECONNREFUSED", "connect") })],
  ["down", new LibsqlError("Server returned HTTP status 502", "SERVER_ERROR")],
  ["down", "a string was thrown"],
];

test("troubleOf() tells what the drivers mean", () => {
  for (const [trouble, error] of CASES) expect([trouble, String(error)]).toEqual([troubleOf(error), String(error)]);
});

test("storageFailure() is 503 for every trouble, never 401, and keeps the driver's words to itself", () => {
  for (const [, error] of CASES) {
    const failure = storageFailure(error);
    expect([failure.code, failure.row.status, failure.retryAfterMs, failure.cause]).toEqual(["storage_unavailable", 503, 1_000, error]);
    expect(failure.message).not.toMatch(/SQLITE|constraint|disk/);
  }
});

test("storageFailure() leaves a failure as it is", () => {
  const failure = new Failure("overloaded", "full");
  expect(storageFailure(failure)).toBe(failure);
});

test("rootOf() finds where an error began", () => {
  expect(rootOf(new Error("outer", { cause: new Error("inner") })).message).toBe("inner");
  expect(rootOf("text").message).toBe("text");
});
