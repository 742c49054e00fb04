// One load: wrk with a POST body. Numbers come from wrk's own counters through post.lua.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds, residentKib } from "./process";

export interface Load {
  url: string;
  /** Whose CPU is counted, children included. */
  pid: number;
  headers: Readonly<Record<string, string>>;
  body: string;
  connections: number;
  seconds: number;
  /** For the files that wrk reads. */
  folder: string;
}

export interface Measured {
  requests: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuUsPerRequest: number;
  rssMib: number;
  /** Connect, read, write, time-out errors and statuses over 399. */
  failed: number;
  bytesPerRequest: number;
}

interface WrkLine {
  requests: number;
  seconds: number;
  bytes: number;
  p50Us: number;
  p99Us: number;
  failed: number;
}

/** Loads one program and reads its CPU before and after. Throws when no request was answered. */
export async function measure(load: Load): Promise<Measured> {
  const bodyFile = join(load.folder, "body.json");
  const headersFile = join(load.folder, "headers.txt");
  writeFileSync(bodyFile, load.body);
  const headers = { "content-type": "application/json", ...load.headers };
  writeFileSync(
    headersFile,
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(""),
  );
  const before = cpuSeconds(load.pid);
  const wrk = Bun.spawn(
    ["wrk", "-t1", `-c${load.connections}`, `-d${load.seconds}s`, "--timeout", "10s", "-s", join(import.meta.dir, "post.lua"), load.url],
    { stdout: "pipe", stderr: "pipe", env: { ...process.env, BENCH_BODY: bodyFile, BENCH_HEADERS: headersFile } },
  );
  const [output, problems] = await Promise.all([new Response(wrk.stdout).text(), new Response(wrk.stderr).text()]);
  const cpu = cpuSeconds(load.pid) - before;
  const line = /^BENCH (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no result for ${load.url}: ${output}${problems}`);
  const wrkLine: WrkLine = JSON.parse(line);
  if (wrkLine.requests === 0) throw new Error(`no request was answered by ${load.url}`);
  return {
    requests: wrkLine.requests,
    requestsPerSecond: wrkLine.requests / wrkLine.seconds,
    p50Ms: wrkLine.p50Us / 1000,
    p99Ms: wrkLine.p99Us / 1000,
    cpuUsPerRequest: (cpu * 1e6) / wrkLine.requests,
    rssMib: residentKib(load.pid) / 1024,
    failed: wrkLine.failed,
    bytesPerRequest: wrkLine.bytes / wrkLine.requests,
  };
}
