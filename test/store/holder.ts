// A process that owns a data file until it is killed: run by sqlite.test.ts with the file's path.
import { openStore } from "../../src/store/open";
import { keptLog, ManualClock } from "../contract/manual-clock";
import { attempt, outcome, settings } from "../contract/store-place";

const clock = new ManualClock();
const store = await openStore({ ...settings(clock, keptLog(), 7), url: `file:${process.argv[2]}` });
const held = Array.from({ length: 10 }, () => attempt(clock));
await Promise.all(held.map((one) => store.holds.open(one)));
await Promise.all(held.slice(0, 2).map((one) => store.ledger.settle(one, outcome())));
console.log("held 10 settled 2");
await Bun.stdin.text();
