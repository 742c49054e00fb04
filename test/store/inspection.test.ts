// The proof of the books: silent where memory and rows agree, whatever goes on meanwhile, and loud about each way in which they may not.
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { AttemptRecord } from "../../src/core/attempt";
import type { Budget } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import type { Store } from "../../src/store/store";
import { seededRandom } from "../contract/manual-clock";
import { attempt, filePlace, memoryPlace, outcome, type Place, remotePlace, until } from "../contract/store-place";

const PROOFS = 4;
const LIMIT = nanoUsd(1_000_000_000n);

const budgets = (place: Place): Budget[] =>
  (
    [
      ["organization", "default", { unit: "lifetime", rolling: false, zone: "UTC" }],
      ["project", "proj_a", { unit: "day", rolling: false, zone: "Asia/Kolkata" }],
      ["key", "key_a", { unit: "hour", rolling: true, zone: "UTC" }],
      ["user", "alice", { unit: "minute", rolling: false, zone: "UTC" }],
    ] as const
  ).map(([kind, id, window]) => ({
    id: `bdg_${kind}`,
    organizationId: "default",
    scope: { kind, id },
    limit: LIMIT,
    window,
    hard: true,
    thresholds: [],
    createdAt: place.clock.now(),
  }));

/** A prepaid balance with a markup that does not divide. */
async function balance(place: Place, store: Store): Promise<void> {
  const account = { id: "acct_a", organizationId: "default", scope: { kind: "key", id: "key_a" }, markupBasisPoints: 1_999 } as const;
  await store.directory.put("credit-account", { ...account, createdAt: place.clock.now() });
  const entry = { organizationId: "default", accountId: account.id, kind: "top_up", amount: LIMIT, reason: "a test" } as const;
  await store.journal.credit({ ...entry, actor: "admin", at: place.clock.now() });
}

/** Calls of two keys in both modes: some settled, some left open, some without a price. */
async function traffic(place: Place, store: Store, calls: number, seed: number): Promise<AttemptRecord[]> {
  const random = seededRandom(seed);
  const left: AttemptRecord[] = [];
  for (let n = 0; n < calls; n++) {
    const pick = random.bytes(4);
    const made = attempt(place.clock, {
      keyId: `key_${"ab"[(pick[0] ?? 0) % 2]}`,
      projectId: (pick[1] ?? 0) % 2 === 0 ? "proj_a" : undefined,
      user: (pick[2] ?? 0) % 3 === 0 ? "alice" : undefined,
      mode: (pick[3] ?? 0) % 5 === 0 ? "test" : "live",
      bound: (pick[0] ?? 0) % 7 === 0 ? undefined : nanoUsd(BigInt(100 + (pick[1] ?? 0))),
    });
    await store.holds.open(made);
    if ((pick[2] ?? 0) % 5 === 0) left.push(made);
    else void store.ledger.settle(made, outcome({ cost: made.bound === undefined ? undefined : nanoUsd(BigInt(pick[2] ?? 0)) }));
    await store.ledger.drain();
    await place.clock.advance((pick[3] ?? 0) * 1_000);
  }
  return left;
}

const scopesOf = async (store: Store): Promise<string[]> =>
  (await store.inspection.books()).faults.map(({ invariant, scope, mode }) => `${invariant} ${scope} ${mode}`).sort();

describe.each([
  ["memory", memoryPlace],
  ["a file", filePlace],
  ["a remote database", () => remotePlace()],
] as const)("books in %s", (_, makePlace) => {
  test("agree: at rest, with calls open, after a restart, in every window", async () => {
    const place = await makePlace();
    const store = await place.open();
    for (const budget of budgets(place)) await store.budgets.put(budget);
    await balance(place, store);
    expect(await store.inspection.books()).toEqual({ ledgerRows: 0, openHolds: 0, scopes: 9, faults: [] });
    const open = await traffic(place, store, 40, 1);
    const proof = await store.inspection.books();
    expect(proof.faults).toEqual([]);
    expect(proof).toMatchObject({ ledgerRows: 40 - open.length, openHolds: open.length });
    for (const one of open) await store.ledger.settle(one, outcome({ cost: nanoUsd(7n) }));
    expect(await scopesOf(store)).toEqual([]);
    await store.close();
    const again = await place.open();
    expect(await scopesOf(again)).toEqual([]);
    await again.close();
    await place.dispose();
  }, 30_000);

  test("agree while calls are held and settled between every two steps of the proof", async () => {
    const place = await makePlace();
    const store = await place.open();
    for (const budget of budgets(place)) await store.budgets.put(budget);
    await traffic(place, store, 10, 2);
    let over = false;
    const proving = (async () => {
      for (let n = 0; n < PROOFS; n++) expect(await scopesOf(store)).toEqual([]);
      over = true;
    })();
    let made = 0;
    const open = store.holds.openCount();
    await until(() => {
      if (store.holds.openCount() > open + 8) return over;
      const call = attempt(place.clock, { keyId: "key_a", projectId: "proj_a", user: "alice", bound: nanoUsd(50n) });
      void store.holds.open(call).then(() => store.ledger.settle(call, outcome({ cost: nanoUsd(30n) })));
      made++;
      return over;
    });
    await proving;
    expect(made).toBeGreaterThan(PROOFS);
    await store.ledger.drain();
    await until(() => store.holds.openCount() === open);
    await store.ledger.drain();
    expect(await scopesOf(store)).toEqual([]);
    await store.close();
    await place.dispose();
  }, 30_000);
});

/** As old as the clock: what was spent is looked for among calls of its time. */
const callId = (place: Place, n: number): string => {
  const hex = place.clock.now().toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(n).padStart(12, "0")}`;
};

describe("books that were written to behind the gateway's back", () => {
  async function tampered(...statements: string[]): Promise<string[]> {
    const place = await filePlace();
    const store = await place.open();
    for (const budget of budgets(place)) await store.budgets.put(budget);
    const [requestId, other] = [callId(place, 1), callId(place, 2)];
    for (const attemptNumber of [1, 2, 3]) {
      const made = attempt(place.clock, { requestId, attemptNumber, keyId: "key_a", user: "alice" });
      await store.holds.open(made);
      await store.ledger.settle(made, outcome());
    }
    await store.holds.open(attempt(place.clock, { requestId: other, keyId: "key_a" }));
    await place.sql?.("DROP TRIGGER ledger_no_update");
    await place.sql?.("DROP TRIGGER ledger_no_delete");
    for (const statement of statements) await place.sql?.(statement);
    const faults = await scopesOf(store);
    await store.close();
    await place.dispose();
    return faults.map((fault) => fault.replace(requestId, "call 1").replace(other, "call 2"));
  }

  const SPENT = ["I1 budget:bdg_key live", "I1 budget:bdg_organization live", "I1 budget:bdg_user live"];
  const SCOPES = ["I1 key:key_a live", "I1 organization:default live"];

  test("are seen where a cost was changed by one nano-USD", async () => {
    expect(await tampered("UPDATE ledger SET cost = cost + 1 WHERE attempt_number = 2")).toEqual([...SPENT, ...SCOPES]);
  });

  test("are seen where a row was moved to another key", async () => {
    expect(await tampered("UPDATE ledger SET key_id = 'key_z' WHERE attempt_number = 3")).toEqual([
      "I1 budget:bdg_key live",
      "I1 key:key_a live",
      "I1 key:key_z live",
    ]);
  });

  test("are seen where a row is gone, in the sums and in its call", async () => {
    expect(await tampered("DELETE FROM ledger WHERE attempt_number = 2")).toEqual([...SPENT, ...SCOPES, "I3 attempt:call 1.3 live"]);
  });

  test("are seen where a hold is gone, or is of another amount", async () => {
    const fault = ["I2 attempt:call 2.1 live"];
    expect(await tampered("DELETE FROM holds")).toEqual(fault);
    expect(await tampered("UPDATE holds SET bound = bound - 1")).toEqual(fault);
  });

  test("are seen where nobody's hold is there, and one of an attempt that is settled", async () => {
    const columns =
      "attempt_id, request_id, attempt_number, held_at, organization_id, key_id, mode, door, provider, model_requested, model_served, stream";
    expect(
      await tampered(`INSERT INTO holds (id, ${columns}, epoch) SELECT 77, ${columns}, 1 FROM ledger WHERE attempt_number = 1`),
    ).toEqual(["I2 attempt:call 1.1 live", "I3 attempt:call 1.1 live"]);
  });

  test("are not judged while nothing can be written", async () => {
    const place = await memoryPlace();
    const store = await place.open();
    place.broken(true);
    await store.holds.open(attempt(place.clock)).catch(() => undefined);
    if (store.trouble() !== undefined) await expect(store.inspection.books()).rejects.toThrow("database");
    place.broken(false);
    await place.dispose();
  });
});

describe("the file itself", () => {
  test("is whole, and is said not to be where a row breaks the schema's own rules", async () => {
    const place = await filePlace();
    const store = await place.open();
    await store.holds.open(attempt(place.clock));
    expect(await store.inspection.integrity()).toEqual([]);
    const database = new Database(place.path, { create: false, readwrite: true });
    database.run("PRAGMA ignore_check_constraints = ON");
    database.run("UPDATE holds SET bound = -1");
    database.close();
    expect(await store.inspection.integrity()).toEqual(["CHECK constraint failed in holds"]);
    await store.close();
    await place.dispose();
  });

  test("is not there in memory", async () => {
    const place = await memoryPlace();
    const store = await place.open();
    expect(await store.inspection.integrity()).toBeUndefined();
    await store.close();
  });
});
