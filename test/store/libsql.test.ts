// The remote database: the lease, answers that get lost, servers that say no.
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client/web";
import { nanoUsd } from "../../src/core/money";
import { Secret } from "../../src/core/secret";
import { openStore, type StoreConfig } from "../../src/store/open";
import { keptLog, ManualClock, turn } from "../contract/manual-clock";
import { attempt, failureOf, outcome, passing, settings, until } from "../contract/store-place";
import { serveHrana } from "../hrana/server";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function place() {
  const folder = mkdtempSync(join(tmpdir(), "tollway-libsql-"));
  const server = serveHrana({ path: join(folder, "remote.db"), authToken: "right" });
  const client = createClient({ url: server.url, authToken: "right", intMode: "bigint" });
  cleanups.push(async () => {
    client.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = async (clock: ManualClock, over: Partial<StoreConfig> = {}) => {
    const store = await openStore({ ...settings(clock, log, ++seed), url: server.url, authToken: new Secret("right"), ...over });
    cleanups.push(() => store.close());
    return store;
  };
  const log = keptLog();
  let seed = 0;
  const rows = async (text: string) =>
    (await client.execute(text)).rows.map((row) => Array.from({ length: row.length }, (_, at) => row[at]));
  return { server, log, open, rows };
}

test("a dead owner's lease is waited for and then taken; its orphans are charged", async () => {
  const { open, rows } = place();
  // The first owner's clock stands still, as a dead process's does.
  const dead = await open(new ManualClock());
  await dead.holds.open(attempt(new ManualClock(), { bound: nanoUsd(70n) }));
  const clock = new ManualClock();
  const start = clock.elapsedMs();
  const heir = await passing(clock, open(clock));
  expect(clock.elapsedMs() - start).toBeGreaterThanOrEqual(15_000);
  expect(clock.elapsedMs() - start).toBeLessThanOrEqual(16_000);
  expect(heir.counters.read("key:key_a", "live").spent).toBe(nanoUsd(70n));
  expect(await rows("SELECT epoch FROM leases")).toEqual([[2n]]);
});

test("an owner renews its lease for as long as it lives, and a clean end frees it at once", async () => {
  const { open, rows } = place();
  const clock = new ManualClock();
  const store = await open(clock);
  const expires = async () => Number((await rows("SELECT expires_at FROM leases"))[0]?.[0]);
  const first = await expires();
  expect(first).toBe(clock.now() + 15_000);
  for (let n = 0; n < 3; n++) {
    const before = await expires();
    await clock.advance(5_000);
    while ((await expires()) === before) await turn();
  }
  expect(await expires()).toBe(first + 15_000);
  await store.close();
  const next = new ManualClock();
  await open(next);
  expect(next.elapsedMs()).toBe(0);
});

test("an owner that lost its lease finds out at the next renewal and stays shut", async () => {
  const { open, log } = place();
  const clock = new ManualClock();
  const former = await open(clock);
  const heir = await open(new ManualClock(clock.now() + 60_000));
  await clock.advance(5_000);
  await until(() => former.trouble() !== undefined);
  expect((await failureOf(former.holds.open(attempt(clock)))).code).toBe("storage_unavailable");
  await clock.advance(60_000);
  expect(former.trouble()?.code).toBe("storage_unavailable");
  expect(log.lines).toContainEqual(
    expect.objectContaining({ event: "store.latched", facts: expect.objectContaining({ trouble: "fenced" }) }),
  );
  await heir.holds.open(attempt(clock));
});

test("a hold whose commit's answer was lost is taken back, not charged as an orphan", async () => {
  const { server, open, rows } = place();
  const clock = new ManualClock();
  const store = await open(clock);
  server.loseNextAnswer = true;
  expect((await failureOf(store.holds.open(attempt(clock)))).code).toBe("storage_unavailable");
  expect(store.counters.read("key:key_a", "live")).toEqual({ spent: nanoUsd(0n), reserved: nanoUsd(0n) });
  expect(await rows("SELECT count(*) FROM holds")).toEqual([[1n]]);
  await clock.advance(1_000);
  await until(() => store.stats().queued === 0);
  expect(await rows("SELECT count(*) FROM holds")).toEqual([[0n]]);
});

test("a settlement whose answer was lost is written once", async () => {
  const { server, open, rows } = place();
  const clock = new ManualClock();
  const store = await open(clock);
  const held = attempt(clock);
  await store.holds.open(held);
  server.loseNextAnswer = true;
  const settling = store.ledger.settle(held, outcome());
  await until(() => store.trouble() !== undefined);
  expect(await rows("SELECT count(*) FROM ledger")).toEqual([[1n]]);
  await clock.advance(1_000);
  await settling;
  expect(await rows("SELECT count(*), sum(cost) FROM ledger")).toEqual([[1n, 40n]]);
});

test("while the server is away known keys keep working and new work gets 503", async () => {
  const { server, open } = place();
  const clock = new ManualClock();
  const store = await open(clock);
  const { key, plain } = await store.keys.create({ organizationId: "default", name: "k", mode: "live" });
  server.away = true;
  expect((await failureOf(store.holds.open(attempt(clock)))).code).toBe("storage_unavailable");
  expect((await failureOf(store.records.audit({ organizationId: "default", limit: 1 }))).code).toBe("storage_unavailable");
  expect(store.keys.verify(plain.reveal())).toEqual(key);
  server.away = false;
  await clock.advance(1_000);
  await until(() => store.trouble() === undefined);
  await store.holds.open(attempt(clock));
});

test("many writes of one turn are one round trip", async () => {
  const { server, open } = place();
  const clock = new ManualClock();
  const store = await open(clock);
  const before = server.pipelines;
  await Promise.all(Array.from({ length: 50 }, () => store.holds.open(attempt(clock))));
  expect(server.pipelines - before).toBe(1);
});

test("a wrong token is refused at start, and neither token is told", async () => {
  const { open } = place();
  const said = await open(new ManualClock(), { authToken: new Secret("wrong-token-value") }).then(
    () => "opened",
    (error: unknown) => Bun.inspect(error),
  );
  expect(said).toContain("could not be opened");
  expect(said).not.toContain("wrong-token-value");
});
