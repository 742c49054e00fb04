// `bun bench/start.ts`: time from exec to the first answered request (median of 10), and memory when idle.
//   --source measures src/main.ts even where dist/tollway is built.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuSeconds, freePort, residentKib, spawn } from "./process";
import { median } from "./report";
import { tollway, tollwayCommand } from "./tollway";

const RUNS = 10;
const IDLE_SECONDS = 3;
const DEADLINE_MS = 20_000;

interface Started {
  firstAnswerMs: number;
  /** CPU seconds used until then. */
  cpuMs: number;
  rssMib: number;
}

/** Starts it on `data`, asks until /health answers 200, waits, reads memory, stops it. */
async function startOnce(command: readonly string[], data: string, idleSeconds: number): Promise<Started> {
  const port = freePort();
  const start = tollway(command, undefined, port, data);
  const began = performance.now();
  const child = spawn(start);
  try {
    while (!(await answers(`http://127.0.0.1:${port}/health`))) {
      if (child.ended()) throw new Error(`${command.join(" ")} ended: ${child.printed()}`);
      if (performance.now() - began > DEADLINE_MS) throw new Error(`${command.join(" ")} did not answer within ${DEADLINE_MS} ms`);
    }
    const firstAnswerMs = performance.now() - began;
    const cpuMs = cpuSeconds(child.pid) * 1000;
    await Bun.sleep(idleSeconds * 1000);
    return { firstAnswerMs, cpuMs, rssMib: residentKib(child.pid) / 1024 };
  } finally {
    await child.stop();
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    await Bun.sleep(1); // Refused: not listening yet.
    return false;
  }
}

const { values } = parseArgs({ options: { source: { type: "boolean", default: false } } });
const found = tollwayCommand(values.source);
if (!found) {
  console.error("start: neither dist/tollway nor src/main.ts is there. Build: npm run build");
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), "tollway-start-"));
try {
  const fresh: Started[] = [];
  const again: Started[] = [];
  for (let run = 0; run < RUNS; run++) {
    const data = join(folder, String(run));
    fresh.push(await startOnce(found.command, data, 0));
    again.push(await startOnce(found.command, data, run === RUNS - 1 ? IDLE_SECONDS : 0));
  }
  const line = (name: string, runs: readonly Started[]): string => {
    const times = runs.map(({ firstAnswerMs }) => firstAnswerMs);
    const cpu = median(runs.map(({ cpuMs }) => cpuMs));
    return `start ${name}: ${median(times).toFixed(0)} ms to the first answer (best ${Math.min(...times).toFixed(0)}, worst ${Math.max(...times).toFixed(0)}, CPU ${cpu.toFixed(0)} ms), median of ${RUNS}`;
  };
  console.log(`measured: ${found.what}`);
  console.log(line("with a new data folder", fresh));
  console.log(line("with an existing data folder", again));
  console.log(`idle: ${again.at(-1)?.rssMib.toFixed(0)} MiB resident after ${IDLE_SECONDS} s`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
