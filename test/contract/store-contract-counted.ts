// The store contract's fourth part: what is counted as budgets are, prepaid balances and agents' runs.
import { expect, test } from "bun:test";
import { BudgetRefused, type Scope } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import type { CreditAccount, Run } from "../../src/core/records";
import type { Store } from "../../src/store/store";
import { attempt, type Fixture, outcome, type Place } from "./store-place";

const ORGANIZATION: Scope = { kind: "organization", id: "default" };

const account = (place: Place, markupBasisPoints: number, scope = ORGANIZATION): CreditAccount => ({
  id: `crd_${scope.kind}`,
  organizationId: "default",
  scope,
  markupBasisPoints,
  createdAt: place.clock.now(),
});

const topUp = (store: Store, place: Place, amount: bigint, kind: "top_up" | "adjustment" = "top_up", accountId = "crd_organization") =>
  store.journal.credit({
    organizationId: "default",
    accountId,
    kind,
    amount: nanoUsd(amount),
    reason: "r",
    actor: "admin",
    at: place.clock.now(),
  });

const figures = (store: Store, id = "crd_organization") => {
  const state = store.budgets.state(id, "live");
  return state && [state.budget.limit, state.spent, state.reserved].map(Number);
};

const run = (place: Place, more: Partial<Run> = {}): Omit<Run, "id"> => ({
  organizationId: "default",
  mode: "live",
  name: "nightly",
  keyId: "key_a",
  createdAt: place.clock.now(),
  ...more,
});

async function isRefused(promise: Promise<void>): Promise<boolean> {
  try {
    await promise;
    return false;
  } catch (thrown) {
    if (thrown instanceof BudgetRefused) return true;
    throw thrown;
  }
}

export function countedContract(setUp: () => Promise<Fixture>): void {
  test("balances: charge the cost with its markup, rounded up for each attempt, and refuse what they cannot bear", async () => {
    const { place, store, open } = await setUp();
    const early = attempt(place.clock, { bound: nanoUsd(50n) });
    await store.holds.open(early);
    await place.clock.advance(1);
    await store.directory.put("credit-account", account(place, 1_050));
    expect(await isRefused(store.holds.open(attempt(place.clock, { bound: nanoUsd(1n) })))).toBe(true);
    await topUp(store, place, 30n);
    // 9 × 1.105 = 9.945.
    const [first, second] = [attempt(place.clock, { bound: nanoUsd(9n) }), attempt(place.clock, { bound: nanoUsd(9n) })];
    await store.holds.open(first);
    await store.holds.open(second);
    expect(figures(store)).toEqual([30, 0, 20]);
    expect(store.budgets.room(first, "live")?.left).toBe(nanoUsd(9n));
    expect(await isRefused(store.holds.open(attempt(place.clock, { bound: nanoUsd(10n) })))).toBe(true);
    await store.ledger.settle(first, outcome({ cost: nanoUsd(1n) }));
    await store.ledger.settle(second, outcome({ cost: nanoUsd(1n) }));
    // Made before the balance was: not charged.
    await store.ledger.settle(early, outcome({ cost: nanoUsd(40n) }));
    expect(figures(store)).toEqual([30, 4, 0]);
    await topUp(store, place, -6n, "adjustment");
    expect(figures(store)).toEqual([24, 4, 0]);
    expect(store.budgets.states(first, "live")).toEqual([]);
    await store.close();
    const again = await open();
    expect(figures(again)).toEqual([24, 4, 0]);
    expect(await again.directory.remove("credit-account", "crd_organization")).toBe(true);
    expect(figures(again)).toBeUndefined();
    expect(again.budgets.room(first, "live")).toBeUndefined();
  });

  test("balances: calls of test keys are neither charged nor refused", async () => {
    const { place, store } = await setUp();
    await store.directory.put("credit-account", account(place, 0));
    const test = attempt(place.clock, { mode: "test", bound: nanoUsd(1_000n) });
    await store.holds.open(test);
    await store.ledger.settle(test, outcome({ cost: nanoUsd(1_000n) }));
    expect(figures(store)).toEqual([0, 0, 0]);
  });

  test("runs: are made by the first opening, shared by those that come at once, and counted again after a restart", async () => {
    const { place, store, open } = await setUp();
    const stranger = attempt(place.clock, { run: "nightly", organizationId: "other" });
    await store.holds.open(stranger);
    await store.ledger.settle(stranger, outcome({ cost: nanoUsd(500n) }));
    const [opened, other] = await Promise.all([
      store.runs.open(run(place, { maxUsd: nanoUsd(100n), maxSteps: 5 })),
      store.runs.open(run(place, { maxUsd: nanoUsd(7n) })),
    ]);
    expect(other).toBe(opened);
    expect(opened).toMatchObject({ steps: 0, run: { name: "nightly", maxUsd: nanoUsd(100n), maxSteps: 5 } });
    for (const bound of [60n, 30n]) {
      const held = attempt(place.clock, { run: "nightly", bound: nanoUsd(bound) });
      await store.holds.open(held);
      await store.ledger.settle(held, outcome({ cost: nanoUsd(30n) }));
    }
    expect(store.runs.opened("default", "test", "nightly")).toBeUndefined();
    expect(store.runs.find("other", "live", "nightly")).toBeUndefined();
    expect(await isRefused(store.holds.open(attempt(place.clock, { run: "nightly", bound: nanoUsd(41n) })))).toBe(true);
    await store.ledger.drain();
    await store.close();
    const again = await open();
    expect(again.runs.opened("default", "live", "nightly")).toBeUndefined();
    expect(again.runs.list("default").map(({ name }) => name)).toEqual(["nightly"]);
    const reopened = await again.runs.open(run(place));
    expect(reopened).toMatchObject({ steps: 2, run: { maxUsd: nanoUsd(100n) } });
    expect(again.budgets.room(attempt(place.clock, { run: "nightly" }), "live")?.left).toBe(nanoUsd(40n));
    const steps = await again.records.audit({ organizationId: "default", run: { name: "nightly", mode: "live" }, limit: 10 });
    expect(steps.data).toHaveLength(2);
  });

  test("runs: a change is in force at once and kept, whether the run is open or not", async () => {
    const { place, store, open } = await setUp();
    const { run: made } = await store.runs.open(run(place));
    expect(store.budgets.room(attempt(place.clock, { run: "nightly" }), "live")).toBeUndefined();
    const changing = store.runs.change({ ...made, maxUsd: nanoUsd(5n) });
    expect(store.budgets.room(attempt(place.clock, { run: "nightly" }), "live")?.left).toBe(nanoUsd(5n));
    await changing;
    await store.close();
    const again = await open();
    const found = again.runs.find("default", "live", "nightly");
    if (!found) throw new Error("the run is gone");
    await again.runs.change({ ...found, cancelledAt: 7 });
    expect((await again.runs.open(run(place))).run).toMatchObject({ maxUsd: nanoUsd(5n), cancelledAt: 7 });
  });
}
