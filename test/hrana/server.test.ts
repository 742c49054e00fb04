// The server by itself, through the client that the store uses.
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@libsql/client/web";
import { serveHrana } from "./server";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function connect(): Client {
  const folder = mkdtempSync(join(tmpdir(), "tollway-hrana-"));
  const server = serveHrana({ path: join(folder, "db") });
  const client = createClient({ url: server.url, intMode: "bigint" });
  cleanups.push(async () => {
    client.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return client;
}

const values = (rows: readonly { length: number; [at: number]: unknown }[]) =>
  rows.map((row) => Array.from({ length: row.length }, (_, at) => row[at]));

test("execute() carries every type both ways, by position and by name", async () => {
  const client = connect();
  const sent = [9_007_199_254_740_993n, 1.5, "text", null, new Uint8Array([1, 2, 255])];
  const { rows, columns } = await client.execute({ sql: "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e", args: sent as never });
  expect(columns).toEqual(["a", "b", "c", "d", "e"]);
  expect(values(rows)).toEqual([[9_007_199_254_740_993n, 1.5, "text", null, new Uint8Array([1, 2, 255]).buffer]]);
  expect(values((await client.execute({ sql: "SELECT :x, $y", args: { x: 1n, $y: "z" } })).rows)).toEqual([[1n, "z"]]);
});

test("executeMultiple() runs a script, and changes are counted", async () => {
  const client = connect();
  await client.executeMultiple("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT UNIQUE); INSERT INTO t (n) VALUES (1), (2);");
  const done = await client.execute("UPDATE t SET n = n + 10");
  expect([done.rowsAffected, done.rows.length]).toEqual([2, 0]);
  expect((await client.execute("INSERT INTO t (n) VALUES (99) RETURNING id")).lastInsertRowid).toBe(3n);
});

test("batch() is all or nothing and names the error", async () => {
  const client = connect();
  await client.execute("CREATE TABLE t (n INT UNIQUE)");
  const insert = (n: number) => ({ sql: "INSERT INTO t VALUES (?)", args: [n] });
  await client.batch([insert(1), insert(2)], "write");
  const thrown = await client.batch([insert(3), insert(1)], "write").catch((error: unknown) => error);
  expect(thrown).toMatchObject({ code: "SQLITE_CONSTRAINT" });
  expect(values((await client.execute("SELECT n FROM t ORDER BY n")).rows)).toEqual([[1n], [2n]]);
});

test("transaction() keeps its connection through batons, commits and rolls back", async () => {
  const client = connect();
  await client.execute("CREATE TABLE t (n)");
  const kept = await client.transaction("write");
  await kept.execute("INSERT INTO t VALUES ('kept')");
  expect(values((await kept.execute("SELECT n FROM t")).rows)).toEqual([["kept"]]);
  await kept.commit();
  const undone = await client.transaction("write");
  await undone.execute("INSERT INTO t VALUES ('undone')");
  await undone.rollback();
  expect(values((await client.execute("SELECT n FROM t")).rows)).toEqual([["kept"]]);
});
