// `bun bench/run.ts`: Tollway beside nginx, a bare Bun proxy and Portkey, in the same run, rounds interleaved.
//   --rounds 3  --seconds 3  --warmup 8  --connections 1,32,256  --modes json,sse  --only tollway,nginx
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measure } from "./load";
import { type Mode, requestBody } from "./payload";
import { closing, type Round, ratios, summarize, table } from "./report";
import { tollwayCommand } from "./tollway";
import { type Absent, type Stage, startStage, VARIANTS, type VariantName } from "./variants";

interface Plan {
  rounds: number;
  seconds: number;
  /** Seconds of load on each variant before anything is counted. */
  warmup: number;
  connections: readonly number[];
  modes: readonly Mode[];
  variants: readonly VariantName[];
}

function oneOf<T extends string>(known: readonly T[], text: string, name: string): T[] {
  return text.split(",").map((word) => {
    const found = known.find((value) => value === word);
    if (found === undefined) throw new Error(`--${name}: "${word}" is none of ${known.join(", ")}`);
    return found;
  });
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: "${text}" is no count`);
  return value;
}

function planOf(argv: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      warmup: { type: "string", default: "8" },
      connections: { type: "string", default: "1,32,256" },
      modes: { type: "string", default: "json,sse" },
      only: { type: "string", default: VARIANTS.join(",") },
    },
  });
  return {
    rounds: count(values.rounds, "rounds"),
    seconds: count(values.seconds, "seconds"),
    warmup: count(values.warmup, "warmup"),
    connections: values.connections.split(",").map((text) => count(text, "connections")),
    modes: oneOf(["json", "sse"], values.modes, "modes"),
    variants: oneOf(VARIANTS, values.only, "only"),
  };
}

/** What is missing on this machine, as a line to act on. */
function missingTools(): string | undefined {
  const missing = ["nginx", "wrk"].filter((tool) => Bun.which(tool) === null);
  return missing.length === 0 ? undefined : `bench: ${missing.join(" and ")} not found. Install: apt-get install -y nginx wrk`;
}

/** All loads of one mode: for each round and number of connections every variant in turn, the order turned round by round. */
async function loadStage(stage: Stage, mode: Mode, plan: Plan, folder: string): Promise<Round[]> {
  const body = requestBody(mode);
  const load = (variant: Stage["variants"][number], connections: number, seconds: number) =>
    measure({ url: variant.url, pid: variant.pid, headers: variant.headers, body, connections, seconds, folder });
  // Not counted: a runtime that compiles while it runs is measured when it has done so, as an operator's would be.
  for (const variant of stage.variants) await load(variant, 32, plan.warmup);
  const rounds: Round[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    for (const connections of plan.connections) {
      const turned = stage.variants.map((_, at) => stage.variants[(at + round) % stage.variants.length]);
      for (const variant of turned) {
        if (!variant) continue;
        rounds.push({ mode, connections, variant: variant.name, round, ...(await load(variant, connections, plan.seconds)) });
      }
    }
    console.error(`bench: ${mode} round ${round} of ${plan.rounds} done`);
  }
  return rounds;
}

const version = (name: string): string => JSON.parse(readFileSync(join(import.meta.dir, "..", name), "utf8")).version;

async function run(plan: Plan): Promise<void> {
  const cache = join(import.meta.dir, ".cache");
  const work = mkdtempSync(join(tmpdir(), "tollway-bench-"));
  const started = new Date();
  const loadBefore = loadavg()[0];
  const rounds: Round[] = [];
  const absent = new Map<VariantName, Absent>();
  try {
    for (const mode of plan.modes) {
      const folder = join(work, mode);
      mkdirSync(folder, { recursive: true });
      const stage = await startStage(mode, plan.variants, folder, cache);
      for (const one of stage.absent) absent.set(one.name, one);
      try {
        rounds.push(...(await loadStage(stage, mode, plan, folder)));
      } finally {
        await stage.stop();
      }
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const rows = summarize(rounds).sort(
    (a, b) =>
      plan.modes.indexOf(a.mode) - plan.modes.indexOf(b.mode) ||
      a.connections - b.connections ||
      VARIANTS.indexOf(a.variant) - VARIANTS.indexOf(b.variant),
  );
  const all = ratios(rows);
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, loadBefore, loadAfter: loadavg()[0], bun: Bun.version };
  const results = join(import.meta.dir, "results");
  mkdirSync(results, { recursive: true });
  const file = join(results, `${started.toISOString().replace(/[:.]/g, "-")}.json`);
  const tollway = { version: version("package.json"), what: tollwayCommand()?.what };
  writeFileSync(
    file,
    `${JSON.stringify({ started, machine, tollway, plan, absent: [...absent.values()], rows, ratios: all, rounds }, null, 2)}\n`,
  );
  console.log(table(rows));
  console.log(`\nCPU is utime + stime of the program and its children; load generator and upstream share the ${machine.cpus} cores.`);
  for (const { name, reason } of absent.values()) console.log(`${name}: not measured (${reason})`);
  console.log(`written to ${file}`);
  for (const line of closing(rows, all)) console.log(line);
}

const missing = missingTools();
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
await run(planOf(process.argv.slice(2)));
