// npm run kill: a hundred kills, spread over the six states, and what they did to the books.
import { KILL_POINTS, type KillPoint, passesBefore } from "./kill-point";
import { killRound } from "./round";

const times = Number(process.argv[2] ?? 100);
const byState = new Map<KillPoint, { kills: number; leastInFlight: number; dispatched: number; rows: number; faults: number }>();

for (let n = 0; n < times; n++) {
  const point = KILL_POINTS[n % KILL_POINTS.length] as KillPoint;
  const result = await killRound(point, passesBefore(point, Math.floor(n / KILL_POINTS.length)));
  const tally = byState.get(point) ?? { kills: 0, leastInFlight: Number.POSITIVE_INFINITY, dispatched: 0, rows: 0, faults: 0 };
  byState.set(point, {
    kills: tally.kills + 1,
    leastInFlight: Math.min(tally.leastInFlight, result.inFlight),
    dispatched: tally.dispatched + result.dispatched,
    rows: tally.rows + result.rows,
    faults: tally.faults + result.faults.length,
  });
  for (const fault of result.faults) console.error(`kill ${n + 1} (${point}): ${fault}`);
}

console.table(Object.fromEntries(byState));
const faults = [...byState.values()].reduce((sum, tally) => sum + tally.faults, 0);
console.log(`${times} kills, ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
