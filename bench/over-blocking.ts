// `bun bench/over-blocking.ts [calls]`: the over-blocking bar on every mix, with short and recorded inputs, at three speeds of the
// provider. What the bar means and what was measured stands in docs/proofs.md.
import { measureOverBlocking } from "../test/e2e/over-blocking";
import { mixes } from "../test/e2e/over-blocking-mixes";

const calls = Number(process.argv[2] ?? 10_000);
const SEED = 7;
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`;

for (const inputs of ["short", "recorded"] as const) {
  for (const tokenMs of [1, 5, 10]) {
    const rows: Record<string, object> = {};
    for (const mix of mixes(inputs, tokenMs)) {
      const found = await measureOverBlocking(mix, calls, SEED);
      rows[mix.name] = {
        calls: found.calls,
        "affordable refused": percent(found.refusedAffordable, found.answered + found.refusedAffordable),
        "counting waiting calls as none": percent(found.refusedBeforeWaiting, found.answered + found.refusedBeforeWaiting),
        "cut by our limit": percent(found.cut, found.answered),
        highest: found.highest,
        "longest wait": `${(found.longestWaitMs / 1000).toFixed(0)} s`,
      };
    }
    console.log(`${inputs} inputs, ${1000 / tokenMs} tokens a second`);
    console.table(rows);
  }
}
