// The store contract's third part: what operators set up, budgets and their counters, balances, events, messages.
import { expect, test } from "bun:test";
import { type Budget, BudgetRefused, type Scope } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import type { Delivery } from "../../src/core/records";
import type { Store } from "../../src/store/store";
import { attempt, type Fixture, outcome, type Place } from "./store-place";

const budget = (place: Place, scope: Scope, limit: bigint, more: Partial<Budget> = {}): Budget => ({
  id: `bdg_${scope.kind}_${scope.id}`,
  organizationId: "default",
  scope,
  limit: nanoUsd(limit),
  window: { unit: "lifetime", rolling: false, zone: "UTC" },
  hard: true,
  thresholds: [],
  createdAt: place.clock.now(),
  ...more,
});

const KEY: Scope = { kind: "key", id: "key_a" };

/** The state of the budget of key_a, as amounts. */
const figures = (store: Store, id = "bdg_key_key_a") => {
  const state = store.budgets.state(id, "live");
  return state && [state.spent, state.reserved];
};

async function refusedBy(promise: Promise<void>): Promise<string> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof BudgetRefused)) throw new Error(`expected a refusal, got ${String(thrown)}`);
  return thrown.state.budget.id;
}

export function governanceContract(setUp: () => Promise<Fixture>): void {
  test("directory: what is put is there at once, after a restart too, in order, and only in its organization", async () => {
    const { place, store, open } = await setUp();
    const made = { organizationId: "default", createdAt: place.clock.now() };
    await store.directory.put("team", { ...made, id: "team_1", name: "one" });
    await store.directory.put("team", { ...made, id: "team_2", name: "two" });
    await store.directory.put("team", { ...made, id: "team_1", name: "first" });
    await store.directory.put("budget", budget(place, KEY, 9_007_199_254_740_993n));
    await store.directory.put("project", { ...made, id: "proj_1", name: "p", teamId: "team_1" });
    expect(await store.directory.remove("project", "proj_1")).toBe(true);
    expect(await store.directory.remove("project", "proj_1")).toBe(false);
    await store.close();
    const again = await open();
    for (const { directory } of [store, again]) {
      expect(directory.list("team", "default").map(({ name }) => name)).toEqual(["first", "two"]);
      expect(directory.list("team", "other")).toEqual([]);
      expect(directory.get("budget", "bdg_key_key_a")?.limit).toBe(nanoUsd(9_007_199_254_740_993n));
      expect(directory.get("project", "proj_1")).toBeUndefined();
    }
  });

  test("keys.change() changes what it names; a rotation leaves the older secret valid until its end, and no longer", async () => {
    const { place, store, open } = await setUp();
    const { key, plain } = await store.keys.create({
      organizationId: "default",
      name: "k",
      mode: "live",
      policy: { allowedModels: ["gpt-*"] },
    });
    expect(await store.keys.change("other", key.id, { name: "x" })).toBeUndefined();
    expect(await store.keys.change("default", "key_none", { name: "x" })).toBeUndefined();
    const changed = await store.keys.change("default", key.id, { name: "new", dropParams: true, rotateUntil: place.clock.now() + 1_000 });
    expect(changed?.key).toMatchObject({ id: key.id, name: "new", dropParams: true, policy: { allowedModels: ["gpt-*"] } });
    const fresh = changed?.plain?.reveal() ?? "";
    expect(fresh.slice(0, 20)).toBe(plain.reveal().slice(0, 20));
    await store.close();
    const again = await open();
    expect(again.keys.verify(fresh)).toMatchObject({ id: key.id, name: "new", policy: { allowedModels: ["gpt-*"] } });
    expect(again.keys.verify(plain.reveal())?.id).toBe(key.id);
    await place.clock.advance(1_001);
    expect(again.keys.verify(plain.reveal())).toBeUndefined();
    expect(again.keys.verify(fresh)?.id).toBe(key.id);
    expect(await again.keys.change("default", key.id, { policy: {} })).toMatchObject({ key: { policy: {} }, plain: undefined });
    await again.keys.revoke("default", key.id);
    expect(await again.keys.change("default", key.id, { name: "y" })).toBeUndefined();
  });

  test("budgets: a hold that one budget cannot bear is refused before anything is written, and nothing is held", async () => {
    const { place, store } = await setUp();
    await store.budgets.put(budget(place, KEY, 150n));
    await store.budgets.put(budget(place, { kind: "organization", id: "default" }, 120n));
    await store.holds.open(attempt(place.clock, { bound: nanoUsd(100n) }));
    expect(await refusedBy(store.holds.open(attempt(place.clock, { bound: nanoUsd(21n) })))).toBe("bdg_organization_default");
    expect(store.counters.read("organization:default", "live").reserved).toBe(nanoUsd(100n));
    expect(figures(store)).toEqual([nanoUsd(0n), nanoUsd(100n)]);
    await store.holds.open(attempt(place.clock, { bound: nanoUsd(20n) }));
    expect(store.holds.openCount()).toBe(2);
  });

  test("budgets: what was spent and is held counts when a budget is made, and after a restart", async () => {
    const { place, store, open } = await setUp();
    const settled = attempt(place.clock, { projectId: "proj_1", teamId: "team_1" });
    await store.holds.open(settled);
    await store.ledger.settle(settled, outcome({ cost: nanoUsd(40n) }));
    const settling = attempt(place.clock);
    await store.holds.open(settling);
    const open1 = attempt(place.clock);
    await store.holds.open(open1);
    const written = store.ledger.settle(settling, outcome({ cost: nanoUsd(7n) }));
    const making = store.budgets.put(budget(place, KEY, 1_000n));
    const during = attempt(place.clock, { bound: nanoUsd(3n) });
    const opened = store.holds.open(during);
    await Promise.all([written, making, opened]);
    expect(figures(store)).toEqual([nanoUsd(47n), nanoUsd(103n)]);
    await store.ledger.settle(during, outcome({ cost: nanoUsd(2n) }));
    await store.ledger.settle(open1, outcome({ cost: nanoUsd(1n) }));
    expect(figures(store)).toEqual([nanoUsd(50n), nanoUsd(0n)]);
    for (const [kind, id, spent] of [
      ["team", "team_1", 40n],
      ["project", "proj_1", 40n],
      ["organization", "default", 50n],
      ["user", "nobody", 0n],
    ] as const) {
      await store.budgets.put(budget(place, { kind, id }, 1_000n));
      expect(figures(store, `bdg_${kind}_${id}`)).toEqual([nanoUsd(spent), nanoUsd(0n)]);
    }
    await store.close();
    const again = await open();
    expect(figures(again)).toEqual([nanoUsd(50n), nanoUsd(0n)]);
    expect(figures(again, "bdg_team_team_1")).toEqual([nanoUsd(40n), nanoUsd(0n)]);
  });

  test("budgets: a changed limit acts at once, a removed budget no more, and a window begins with what it holds", async () => {
    const { place, store } = await setUp();
    await store.budgets.put(budget(place, KEY, 100n, { window: { unit: "minute", rolling: true, zone: "UTC" } }));
    const first = attempt(place.clock, { bound: nanoUsd(100n) });
    await store.holds.open(first);
    await store.ledger.settle(first, outcome({ cost: nanoUsd(100n) }));
    await refusedBy(store.holds.open(attempt(place.clock, { bound: nanoUsd(1n) })));
    await place.clock.advance(30_000);
    await store.budgets.put(budget(place, KEY, 100n, { window: { unit: "hour", rolling: true, zone: "UTC" } }));
    expect(figures(store)).toEqual([nanoUsd(100n), nanoUsd(0n)]);
    await store.budgets.put(budget(place, KEY, 101n, { window: { unit: "hour", rolling: true, zone: "UTC" } }));
    await store.holds.open(attempt(place.clock, { bound: nanoUsd(1n) }));
    expect(await store.budgets.remove("bdg_key_key_a")).toBe(true);
    expect(await store.budgets.remove("bdg_key_key_a")).toBe(false);
    await store.holds.open(attempt(place.clock, { bound: nanoUsd(1_000n) }));
  });

  test("budgets: thresholds that a settlement reaches are told, each once", async () => {
    const { place, store } = await setUp();
    const told: number[] = [];
    store.budgets.onCrossing(({ percent }) => told.push(percent));
    await store.budgets.put(
      budget(place, KEY, 100n, {
        thresholds: [
          { percent: 50, action: "alert" },
          { percent: 90, action: "alert" },
        ],
      }),
    );
    for (const cost of [49n, 1n, 1n]) {
      const one = attempt(place.clock, { bound: nanoUsd(cost) });
      await store.holds.open(one);
      await store.ledger.settle(one, outcome({ cost: nanoUsd(cost) }));
    }
    expect(told).toEqual([50]);
  });

  test("journal: entries add up, are listed newest first, page by page, and outlive a restart", async () => {
    const { place, store, open } = await setUp();
    const entry = {
      organizationId: "default",
      accountId: "organization:default",
      reason: "r",
      actor: "admin",
      at: place.clock.now(),
    } as const;
    for (const amount of [100n, -30n, 5n])
      await store.journal.credit({ ...entry, kind: amount < 0n ? "adjustment" : "top_up", amount: nanoUsd(amount) });
    await store.journal.note({
      at: 1,
      organizationId: "default",
      actor: "admin",
      type: "team.created",
      resource: "team_1",
      data: { name: "t" },
    });
    await store.close();
    const again = await open();
    for (const { journal } of [store, again]) expect(journal.credited("organization:default")).toBe(nanoUsd(75n));
    const first = await again.journal.creditEntries("organization:default", { limit: 2 });
    expect(first.data.map(({ amount }) => amount)).toEqual([nanoUsd(5n), nanoUsd(-30n)]);
    const rest = await again.journal.creditEntries("organization:default", { limit: 2, cursor: first.nextCursor });
    expect([rest.data.map(({ amount }) => amount), rest.nextCursor]).toEqual([[nanoUsd(100n)], undefined]);
    const [event] = (await again.journal.adminEvents("default", { limit: 5 })).data;
    expect(event).toMatchObject({ type: "team.created", data: { name: "t" } });
    expect((await again.journal.adminEvents("other", { limit: 5 })).data).toEqual([]);
  });

  test("outbox: messages wait for their time, oldest first, and what became of them is kept", async () => {
    const { store } = await setUp();
    const message = (id: string, nextAt: number): Delivery => ({
      id,
      organizationId: "default",
      webhookId: "wh_1",
      event: "budget.threshold",
      body: "{}",
      status: "waiting",
      attempts: 0,
      nextAt,
      at: nextAt,
    });
    await store.outbox.put(message("m1", 20));
    await store.outbox.put(message("m2", 10));
    await store.outbox.put(message("m3", 99));
    expect((await store.outbox.due(50, 10)).map(({ id }) => id)).toEqual(["m2", "m1"]);
    await store.outbox.put({ ...message("m2", 10), status: "delivered", attempts: 1, nextAt: undefined, lastStatus: 200 });
    expect((await store.outbox.due(50, 10)).map(({ id }) => id)).toEqual(["m1"]);
    expect((await store.outbox.list("wh_1", 10)).map(({ id, status }) => [id, status])).toEqual([
      ["m3", "waiting"],
      ["m1", "waiting"],
      ["m2", "delivered"],
    ]);
  });
}
