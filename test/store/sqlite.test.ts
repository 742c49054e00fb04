// The embedded file: who may open it, what is refused, and what survives.
import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getTableColumns, getTableName, sql } from "drizzle-orm";
import { nanoUsd } from "../../src/core/money";
import { pepperCheck } from "../../src/store/keys";
import { openStore, type StoreConfig } from "../../src/store/open";
import * as schema from "../../src/store/schema";
import { openSqlBackend } from "../../src/store/sql-backend";
import { openSqlite } from "../../src/store/sqlite";
import { assembleStore, STORE_LIMITS } from "../../src/store/store";
import { keptLog, ManualClock } from "../contract/manual-clock";
import { attempt, failureOf, MIGRATIONS, outcome, PEPPER, settings, until } from "../contract/store-place";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function place() {
  const folder = mkdtempSync(join(tmpdir(), "tollway-sqlite-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const log = keptLog();
  const path = join(folder, "tollway.db");
  const open = async (over: Partial<StoreConfig> = {}) => {
    const store = await openStore({ ...settings(clock, log, 1), url: `file:${path}`, ...over });
    cleanups.push(() => store.close());
    return store;
  };
  return { folder, path, clock, log, open };
}

const refusalOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => "opened", String);

test("a damaged file is refused with what to do, and is left as it is", async () => {
  const { path, clock, open } = place();
  const store = await open();
  for (let n = 0; n < 200; n++) {
    const held = attempt(clock);
    await store.holds.open(held);
    await store.ledger.settle(held, outcome());
  }
  await store.close();
  const sound = readFileSync(path);
  const damages: [string, Buffer][] = [
    ["header", Buffer.concat([Buffer.from("garbage"), sound.subarray(7)])],
    ["middle", Buffer.concat([sound.subarray(0, 8_192), Buffer.alloc(16_384, 0xa5), sound.subarray(24_576)])],
    ["cut", sound.subarray(0, sound.length - 20_000)],
    ["text", Buffer.from("this is not a database, it is a letter to the operator. ".repeat(100))],
  ];
  for (const [name, bytes] of damages) {
    writeFileSync(path, bytes);
    const said = await refusalOf(open());
    expect(`${name}: ${said}`).toContain("DatabaseCorrupt");
    expect(said).toContain("Restore a backup");
    expect(readFileSync(path).equals(bytes)).toBe(true);
  }
  writeFileSync(path, sound);
  expect((await open()).counters.read("key:key_a", "live").spent).toBe(nanoUsd(8_000n));
});

test("a newer version's database and someone else's are refused", async () => {
  const { path, folder, open } = place();
  await (await open()).close();
  const newer = new Database(path);
  newer.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('of the future', 9999999999999)");
  newer.close();
  expect(await refusalOf(open())).toContain("DatabaseTooNew");
  const foreign = new Database(join(folder, "foreign.db"));
  foreign.run("CREATE TABLE invoices (id)");
  foreign.close();
  expect(await refusalOf(open({ url: `file:${join(folder, "foreign.db")}` }))).toContain("not Tollway's (invoices)");
});

test("only file:, libsql:, http: and https: name a database", async () => {
  const { open } = place();
  for (const url of ["tollway.db", "postgres://db", "file:", "file::memory:", "ftp://x/y"])
    expect(await refusalOf(open({ url }))).toContain("must begin with");
});

test("another process that holds the file keeps us out, and its death lets us in", async () => {
  const { path, open } = place();
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "holder.ts"), path], { stdout: "pipe", stdin: "pipe" });
  cleanups.push(() => child.kill("SIGKILL"));
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  // Ten holds were durable when it said so, and two settled.
  expect(new TextDecoder().decode(value).trim()).toBe("held 10 settled 2");
  expect(await refusalOf(open())).toContain("DataFolderInUse");
  child.kill("SIGKILL");
  await child.exited;
  const store = await open();
  expect(store.counters.read("organization:default", "live")).toEqual({ spent: nanoUsd(8n * 100n + 2n * 40n), reserved: nanoUsd(0n) });
  const { data } = await store.records.audit({ organizationId: "default", limit: 100 });
  expect(data.map((entry) => entry.attempts.map((row) => row.settlement).join()).sort()).toEqual([
    ...Array<string>(8).fill("ceiling"),
    ...Array<string>(2).fill("exact"),
  ]);
});

test("a full disk refuses holds, keeps settlements, and recovers when there is room", async () => {
  const { path, clock, log } = place();
  const connection = openSqlite({ path, migrationsFolder: MIGRATIONS, durability: "normal", clock, log });
  const options = { ...settings(clock, log, 1), pepperCheck: pepperCheck(PEPPER), lease: undefined };
  const store = await assembleStore(await openSqlBackend(connection, options), { ...options, limits: STORE_LIMITS });
  cleanups.push(() => store.close());
  const held = [];
  for (let n = 0; n < 20; n++) {
    held.push(attempt(clock, { decision: "x".repeat(3_000) }));
    await store.holds.open(held[n] ?? attempt(clock));
  }
  const [pages] = await connection.db.values<[bigint]>(sql`PRAGMA page_count`);
  await connection.db.run(sql.raw(`PRAGMA max_page_count = ${pages?.[0]}`));
  const settling = held.map((one) => store.ledger.settle(one, outcome({ finishReason: "y".repeat(9_000) })));
  const refused = await failureOf(store.holds.open(attempt(clock, { decision: "x".repeat(3_000) })));
  expect(refused.code).toBe("storage_unavailable");
  expect(String(refused.cause)).toContain("full");
  expect(store.trouble()?.code).toBe("storage_unavailable");
  await connection.db.run(sql.raw("PRAGMA max_page_count = 100000"));
  await clock.advance(10_000);
  await Promise.all(settling);
  expect(store.trouble()).toBeUndefined();
  expect(store.counters.read("key:key_a", "live")).toEqual({ spent: nanoUsd(800n), reserved: nanoUsd(0n) });
  expect(await connection.db.values(sql`SELECT count(*), sum(cost) FROM ledger`)).toEqual([[20n, 800n]]);
  expect(await connection.db.values(sql`SELECT count(*) FROM holds`)).toEqual([[0n]]);
});

test("the checkpoint worker copies the log, and its death puts SQLite's own checkpoints back", async () => {
  const { path, clock, log, open } = place();
  const store = await open({ checkpointWorker: new URL("../../src/store/checkpoint-worker.ts", import.meta.url) });
  const before = statSize(path);
  for (let n = 0; n < 50; n++) await store.holds.open(attempt(clock, { decision: "x".repeat(4_000) }));
  expect(statSize(path)).toBe(before);
  await clock.advance(500);
  await until(() => statSize(path) > before);
  await store.close();
  expect(log.lines.map((line) => line.event)).not.toContain("store.checkpoint_worker_failed");

  const dead = place();
  await dead.open({ checkpointWorker: new URL("./no-such-worker.ts", import.meta.url) });
  await until(() => dead.log.lines.some((line) => line.event === "store.checkpoint_worker_failed"));
});

const statSize = (path: string): number => Bun.file(path).size;

test("the migrations make the tables that the schema describes", async () => {
  const { path, open } = place();
  await open();
  const database = new Database(path, { readonly: true });
  cleanups.push(() => database.close());
  for (const table of [
    schema.organizations,
    schema.apiKeys,
    schema.holds,
    schema.ledger,
    schema.refusals,
    schema.priceVersions,
    schema.leases,
    schema.settings,
    schema.records,
    schema.creditEntries,
    schema.adminEvents,
    schema.deliveries,
  ]) {
    const made = database
      .query<{ name: string; type: string; notnull: number }, [string]>('SELECT name, type, "notnull" FROM pragma_table_info(?)')
      .all(getTableName(table));
    const described = Object.values(getTableColumns(table)).map((column) => ({
      name: column.name,
      type: column.getSQLType().toUpperCase(),
      notnull: column.notNull ? 1 : 0,
    }));
    // A column that a later migration added stands at the end of its table.
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    expect(made.map((column) => ({ ...column, type: column.type.toUpperCase(), notnull: Number(column.notnull) })).sort(byName)).toEqual(
      described.sort(byName),
    );
  }
});

test("the folder of a new file is made, and a path that cannot be is refused by name", async () => {
  const { folder, open } = place();
  const path = join(folder, "a", "b", "tollway.db");
  await open({ url: `file:${path}` });
  expect(statSize(path)).toBeGreaterThan(0);
  expect(await refusalOf(open({ url: `file:${path}/c.db` }))).toMatch(/StoreRefused: .*c\.db could not be opened/);
});
