// The queue by itself, over a backend that does as it is told.
import { expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import type { Write, WriteBackend } from "../../src/store/backend";
import { UnstorableValue } from "../../src/store/column";
import { Writer } from "../../src/store/writer";
import { keptLog, ManualClock, turn } from "../contract/manual-clock";
import { failureOf } from "../contract/store-place";

const revoke = (keyId: string): Write => ({ type: "revoke", organizationId: "o", keyId, revokedAt: 1 });
const nameOf = (write: Write): string => (write.type === "revoke" ? write.keyId : write.type);

function setUp(limits = { queue: 100, batch: 10 }) {
  const clock = new ManualClock();
  const log = keptLog();
  const batches: string[][] = [];
  const state: { fault: ((writes: readonly Write[]) => unknown) | undefined } = { fault: undefined };
  const throwIf = (writes: readonly Write[]) => {
    const fault = state.fault?.(writes);
    if (fault !== undefined) throw fault;
  };
  const backend: WriteBackend = {
    apply: (writes) => {
      throwIf(writes);
      batches.push(writes.map(nameOf));
    },
    probe: () => throwIf([]),
  };
  return { clock, log, batches, state, writer: new Writer(backend, { clock, log, limits }) };
}

const busy = () => Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
const full = () => Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });

test("submit() commits everything of one turn together, in order, and the rest in the next", async () => {
  const { writer, batches } = setUp();
  await Promise.all(["a", "b", "c"].map((id) => writer.submit(revoke(id))));
  await writer.submit(revoke("d"));
  expect(batches).toEqual([["a", "b", "c"], ["d"]]);
  expect([writer.batches, writer.queued]).toEqual([2, 0]);
});

test("submit() cuts a long queue into batches", async () => {
  const { writer, batches } = setUp({ queue: 100, batch: 2 });
  await Promise.all(["a", "b", "c", "d", "e"].map((id) => writer.submit(revoke(id))));
  expect(batches).toEqual([["a", "b"], ["c", "d"], ["e"]]);
});

test("a bad row is found by writing each member of its batch alone, once", async () => {
  const { writer, batches, state, log } = setUp();
  state.fault = (writes) => (writes.some((write) => nameOf(write) === "bad") ? new UnstorableValue("no") : undefined);
  const answers = await Promise.allSettled(["a", "bad", "c"].map((id) => writer.submit(revoke(id))));
  expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(batches).toEqual([["a"], ["c"]]);
  expect(log.lines.map((line) => line.event)).toEqual(["store.write_refused"]);
  expect(writer.trouble).toBeUndefined();
});

test("a failure that comes while members go one by one latches, and keeps what must be kept", async () => {
  const { writer, batches, state, clock } = setUp();
  state.fault = (writes) => (writes.length > 1 ? new UnstorableValue("no") : nameOf(writes[0] ?? revoke("a")) === "b" ? full() : undefined);
  const plain = Promise.allSettled([writer.submit(revoke("a")), writer.submit(revoke("b"))]);
  const kept = writer.submitKept(revoke("k"));
  expect((await plain).map((answer) => answer.status)).toEqual(["fulfilled", "rejected"]);
  state.fault = undefined;
  await clock.advance(250);
  await kept;
  expect(batches).toEqual([["a"], ["k"]]);
});

test("a file that is locked for a moment is waited for", async () => {
  const { writer, batches, state, clock } = setUp();
  state.fault = busy;
  const written = writer.submit(revoke("a"));
  await turn();
  await clock.advance(900);
  expect([batches, writer.trouble]).toEqual([[], undefined]);
  state.fault = undefined;
  await clock.advance(40);
  await written;
  expect(batches).toEqual([["a"]]);
});

test("a file that is locked for more than a second latches the writer", async () => {
  const { writer, state, clock } = setUp();
  state.fault = busy;
  const written = failureOf(writer.submit(revoke("a")));
  await turn();
  await clock.advance(1_100);
  expect((await written).code).toBe("storage_unavailable");
  expect(writer.trouble?.retryAfterMs).toBe(1_000);
});

test("probes come ever more rarely, at most every five seconds", async () => {
  const { writer, state, clock, log } = setUp();
  const probes: number[] = [];
  state.fault = (writes) => {
    if (writes.length === 0) probes.push(clock.elapsedMs());
    return full();
  };
  await failureOf(writer.submit(revoke("a")));
  await clock.advance(22_750);
  expect(probes).toEqual([250, 750, 1_750, 3_750, 7_750, 12_750, 17_750, 22_750]);
  state.fault = undefined;
  await clock.advance(5_000);
  expect(writer.trouble).toBeUndefined();
  expect(log.lines.map((line) => line.event)).toEqual(["store.latched", "store.recovered"]);
});

test("drain() waits for what was accepted before it, and rejects while latched", async () => {
  const { writer, state, batches } = setUp();
  const first = writer.submit(revoke("a"));
  await writer.drain();
  expect(batches).toEqual([["a"]]);
  await first;
  state.fault = full;
  const lost = failureOf(writer.submit(revoke("b")));
  expect((await failureOf(writer.drain())).code).toBe("storage_unavailable");
  await lost;
  // Nothing waits any more: what was refused is not pending.
  await writer.drain();
});

test("fence() refuses everything for good, what was kept too", async () => {
  const { writer, state, clock } = setUp();
  state.fault = full;
  const kept = failureOf(writer.submitKept(revoke("k")));
  await failureOf(writer.submit(revoke("a")));
  writer.fence(new Error("taken"));
  expect((await kept).code).toBe("storage_unavailable");
  state.fault = undefined;
  await clock.advance(60_000);
  expect((await failureOf(writer.submit(revoke("b")))).code).toBe("storage_unavailable");
  expect((await failureOf(writer.submitKept(revoke("c")))).code).toBe("storage_unavailable");
});

test("close() writes what is queued, and refuses what the disk cannot take", async () => {
  const { writer, batches } = setUp();
  const last = writer.submit(revoke("a"));
  await Promise.all([writer.close(), last]);
  expect(batches).toEqual([["a"]]);
  expect((await failureOf(writer.submit(revoke("b")))).message).toContain("shutting down");

  const broken = setUp();
  broken.state.fault = full;
  const kept = failureOf(broken.writer.submitKept(revoke("k")));
  await turn();
  await broken.writer.close();
  expect(await kept).toBeInstanceOf(Failure);
  expect(broken.log.lines.map((line) => line.event)).toContain("store.close_incomplete");
});
