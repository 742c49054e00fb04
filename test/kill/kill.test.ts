// Two kills in each state on every run; `npm run kill` makes a hundred.
import { describe, expect, test } from "bun:test";
import { KILL_POINTS, passesBefore } from "./kill-point";
import { killRound } from "./round";

describe("kill -9 with calls in flight:", () => {
  for (const point of KILL_POINTS) {
    test.each([0, 1])(
      `${point}, time %d: every dispatched attempt has one ledger row after the restart`,
      async (n) => {
        const result = await killRound(point, passesBefore(point, n));
        expect(result.faults).toEqual([]);
        expect(result.inFlight).toBeGreaterThanOrEqual(20);
      },
      30_000,
    );
  }
});
