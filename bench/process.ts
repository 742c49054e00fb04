// Runs programs and reads what they cost from /proc: CPU of a process and its children in clock ticks, memory in KiB.
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** USER_HZ, fixed at 100 on Linux: /proc counts CPU in 10 ms. */
const TICKS_PER_SECOND = 100;
const READY_TIMEOUT_MS = 20_000;

interface Stat {
  parent: number;
  /** utime + stime of the process and of its children that have ended. */
  ticks: number;
}

/** A process's line in /proc; undefined when it has ended meanwhile. */
function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // Processes end while the table is read.
  }
  // After the name in parentheses (which may hold anything): state, ppid, …, utime, stime, cutime, cstime (proc(5)).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  return { parent: Number(fields[1]), ticks };
}

/** The process and all its descendants. */
function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined;
    if (stat) parents.set(pid, stat.parent);
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

/** CPU seconds used so far by the process and its children. */
export function cpuSeconds(root: number): number {
  return treeOf(root).reduce((sum, pid) => sum + (statOf(pid)?.ticks ?? 0), 0) / TICKS_PER_SECOND;
}

/** Resident memory of the process and its children, in KiB. Shared pages count in each. */
export function residentKib(root: number): number {
  return treeOf(root).reduce((sum, pid) => {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return sum + Number(kib ?? 0);
  }, 0);
}

/** A started program. */
export interface Running {
  pid: number;
  stop(): Promise<void>;
}

export interface Start {
  command: readonly string[];
  env?: Readonly<Record<string, string>>;
  cwd?: string;
}

/** What a benchmarked program may know of this environment: nothing but where programs are. */
const baseEnv = (): Record<string, string> => ({ PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: process.env["HOME"] ?? "/tmp" });

/** Starts a program and waits until its port answers. Throws with what it printed when it ends first. */
export async function startUntilOpen(start: Start, port: number): Promise<Running> {
  const child = spawn(start);
  await waitUntil(start, child, async () => ((await portOpen(port)) ? true : undefined));
  return child;
}

/** Starts a program and waits for its line `ready http://…`, which it returns. Throws with what it printed when it ends first. */
export async function startUntilReady(start: Start): Promise<Running & { url: string }> {
  const child = spawn(start);
  const url = await waitUntil(start, child, async () => /^ready (http:\/\/\S+)\r?$/m.exec(child.printed())?.[1]);
  return { ...child, url };
}

async function waitUntil<T>(start: Start, child: Child, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (!child.ended() && Date.now() < deadline) {
      await Bun.sleep(10);
      continue;
    }
    const printed = child.printed();
    await child.stop();
    throw new Error(`${start.command.join(" ")} was not ready: ${printed}`);
  }
}

/** A program that may not be ready yet. */
export interface Child extends Running {
  /** Its stdout and stderr so far. */
  printed(): string;
  ended(): boolean;
}

/** Output goes to a file, as under a service manager: a pipe would have to be read while the load runs. */
export function spawn({ command, env, cwd }: Start): Child {
  const folder = mkdtempSync(join(tmpdir(), "tollway-bench-out-"));
  const file = join(folder, "output.log");
  const output = openSync(file, "a");
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: output,
    stderr: output,
    env: { ...baseEnv(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return {
    pid: child.pid,
    printed: () => readFileSync(file, "utf8"),
    ended: () => child.exitCode !== null,
    stop: async () => {
      child.kill();
      await child.exited;
      closeSync(output);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function portOpen(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => undefined } });
    socket.end();
    return true;
  } catch {
    return false; // Not listening yet.
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}
