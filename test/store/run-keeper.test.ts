// Which runs are forgotten where callers name more of them than are kept.
import { expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import type { Run } from "../../src/core/records";
import { RunKeeper, type RunParts } from "../../src/store/runs";

/** A keeper of at most two runs an organization, over records in memory. */
function keeperOfTwo() {
  const records = new Map<string, Run>();
  const parts = {
    directory: {
      get: (_: string, id: string) => records.get(id),
      put: async (_: string, run: Run) => void records.set(run.id, run),
      remove: async (_: string, id: string) => records.delete(id),
    },
    reservations: { begin: () => undefined, fill: () => undefined, remove: () => undefined, change: () => undefined },
  } as unknown as RunParts;
  const keeper = new RunKeeper(parts, [], 2);
  const open = (organizationId: string, name: string, more: Partial<Run> = {}) =>
    keeper.open({ organizationId, name, mode: "live", keyId: "key_1", createdAt: 0, ...more });
  return { keeper, open, kept: () => [...records.keys()] };
}

test("an organization that names many runs makes no other's forgotten", async () => {
  const { keeper, open, kept } = keeperOfTwo();
  await open("quiet", "mine", { maxUsd: nanoUsd(1n) });
  for (const name of ["a", "b", "c", "d"]) await open("loud", name);
  expect(kept()).toEqual(["quiet/live/mine", "loud/live/c", "loud/live/d"]);
  expect(keeper.opened("quiet", "live", "mine")?.run.maxUsd).toBe(nanoUsd(1n));
});

test("a run with a limit or one that was cancelled is forgotten after those without", async () => {
  const { keeper, open, kept } = keeperOfTwo();
  const { run } = await open("o", "cancelled");
  await keeper.change({ ...run, cancelledAt: 1 });
  await open("o", "free");
  await open("o", "limited", { maxSteps: 3 });
  expect(kept()).toEqual(["o/live/cancelled", "o/live/limited"]);
  // Where all of them bind, the oldest goes, and never the one that was just begun.
  await open("o", "new");
  expect(kept()).toEqual(["o/live/limited", "o/live/new"]);
});
