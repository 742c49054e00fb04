// Two kills in each state on every run; `npm run kill` makes two hundred.
import { describe, expect, test } from "bun:test";
import { KILL_POINTS, passesBefore } from "./kill-point";
import { killRound } from "./round";

describe("kill -9 with calls in flight and hard budgets on key, project and organization:", () => {
  for (const point of KILL_POINTS) {
    test.each([0, 1])(
      `${point}, time %d: after the restart counters are the ledger, nothing is held, every attempt has one row, no cap is passed`,
      async (n) => {
        const result = await killRound(point, passesBefore(point, n));
        expect(result.faults).toEqual([]);
        expect(result.inFlight).toBeGreaterThanOrEqual(20);
        // A cap that refuses nothing proves nothing.
        expect(result.refused).toBeGreaterThan(0);
      },
      30_000,
    );
  }
});
