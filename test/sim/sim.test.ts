// Random histories of calls, budgets, faults, crashes and time. A seed that fails is a history that can be played again:
// TOLLWAY_SIM_SEED=123 bun test test/sim. `npm run sim` plays a million calls.
import { expect, test } from "bun:test";
import { World } from "./world";

const CALLS = Number(process.env["TOLLWAY_SIM_CALLS"] ?? 20_000);
/** A history for every 5,000 calls: a ledger that is added up at every step must not grow too long. */
const given = process.env["TOLLWAY_SIM_SEED"];
const SEEDS = given === undefined ? Array.from({ length: Math.max(1, Math.ceil(CALLS / 5_000)) }, (_, n) => n + 1) : [Number(given)];

test.each(SEEDS)(
  "the books are right after every step of history %p",
  async (seed) => {
    const world = await World.open(seed);
    try {
      while (world.count.calls < CALLS / SEEDS.length) await world.step();
      await world.settle();
    } catch (cause) {
      throw new Error(`seed ${seed}, after ${JSON.stringify(world.count)}`, { cause });
    }
    // A history in which nothing happens proves nothing.
    expect(world.count.admitted).toBeGreaterThan(CALLS / SEEDS.length / 20);
    expect(world.count.refused).toBeGreaterThan(0);
    expect(world.count.crashes + world.count.changes).toBeGreaterThan(5);
  },
  600_000,
);
