// A budget that cannot be filled from the ledger is not made, and one that cannot begin anew stays as it was.
import { expect, test } from "bun:test";
import type { Budget } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import { BudgetBook } from "../../src/policy/budget-book";
import { BudgetKeeper, type BudgetParts } from "../../src/store/budgets";
import { ManualClock } from "../contract/manual-clock";

const BUDGET: Budget = {
  id: "bdg_1",
  organizationId: "org_1",
  scope: { kind: "key", id: "key_1" },
  limit: nanoUsd(1_000_000_000n),
  window: { unit: "day", rolling: false, zone: "UTC" },
  hard: true,
  thresholds: [],
  createdAt: 0,
};

function keeperOver(reads: () => Promise<never[]>): { keeper: BudgetKeeper; kept: Map<string, Budget> } {
  const kept = new Map<string, Budget>();
  const parts = {
    reservations: new BudgetBook(),
    clock: new ManualClock(),
    writer: { drain: async () => undefined },
    book: { attempts: () => [] },
    reader: { spentBefore: reads },
    directory: {
      get: (_: string, id: string) => kept.get(id),
      put: async (_: string, budget: Budget) => void kept.set(budget.id, budget),
    },
  };
  return { keeper: new BudgetKeeper(parts as unknown as BudgetParts), kept };
}

test("a new budget whose ledger cannot be read is refused, and nothing of it stays", async () => {
  const { keeper, kept } = keeperOver(() => Promise.reject(new Error("the disk is gone")));
  await expect(keeper.put(BUDGET)).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(kept.size).toBe(0);
  expect(keeper.state("bdg_1", "live")).toBeUndefined();
});

test("a budget whose new window cannot be filled keeps its old one, in memory and written", async () => {
  let fails = false;
  const { keeper, kept } = keeperOver(() => (fails ? Promise.reject(new Error("the disk is gone")) : Promise.resolve([])));
  await keeper.put(BUDGET);
  fails = true;
  await expect(keeper.put({ ...BUDGET, window: { ...BUDGET.window, unit: "month" } })).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect(keeper.state("bdg_1", "live")?.budget.window.unit).toBe("day");
  expect(kept.get("bdg_1")?.window.unit).toBe("day");
});
