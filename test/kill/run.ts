// npm run kill: two hundred kills, spread over the six states, and what they did to the books. `npm run kill 12`: so many.
import { KILL_POINTS, type KillPoint, passesBefore } from "./kill-point";
import { killRound, type RoundResult } from "./round";

const times = Number(process.argv[2] ?? 200);
const byState = new Map<KillPoint, RoundResult[]>();

for (let n = 0; n < times; n++) {
  const point = KILL_POINTS[n % KILL_POINTS.length] as KillPoint;
  const result = await killRound(point, passesBefore(point, Math.floor(n / KILL_POINTS.length)));
  byState.set(point, [...(byState.get(point) ?? []), result]);
  for (const fault of result.faults) console.error(`kill ${n + 1} (${point}): ${fault}`);
}

const total = (results: readonly RoundResult[], of: (result: RoundResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0);
const row = (results: readonly RoundResult[]) => ({
  kills: results.length,
  "least in flight": Math.min(...results.map(({ inFlight }) => inFlight)),
  "held at death": total(results, ({ held }) => held),
  dispatched: total(results, ({ dispatched }) => dispatched),
  "refused 402": total(results, ({ refused }) => refused),
  rows: total(results, ({ rows }) => rows),
  exact: total(results, ({ settled }) => settled["exact"] ?? 0),
  counted: total(results, ({ settled }) => settled["counted"] ?? 0),
  ceiling: total(results, ({ settled }) => settled["ceiling"] ?? 0),
  faults: total(results, ({ faults }) => faults.length),
});
console.table(Object.fromEntries([...byState].map(([point, results]) => [point, row(results)])));
const all = [...byState.values()].flat();
const faults = total(all, (result) => result.faults.length);
const few = all.filter(({ inFlight }) => inFlight < 20).length;
console.log(`${times} kills, ${faults} faults${few > 0 ? `, ${few} with fewer than 20 calls in flight` : ""}`);
process.exit(faults === 0 && few === 0 ? 0 : 1);
