// Everything that is measured side by side: each is started, asked once for a right answer, and then loaded.
import { join } from "node:path";
import { nginxMock, nginxProxy } from "./nginx";
import { type Mode, requestBody, STREAM_CHUNKS } from "./payload";
import { installPortkey, portkey, portkeyHeaders } from "./portkey";
import { freePort, type Running, startUntilOpen, startUntilReady } from "./process";
import { mintKey, tollway, tollwayCommand } from "./tollway";

export const VARIANTS = ["direct", "nginx", "bun", "portkey", "tollway"] as const;
export type VariantName = (typeof VARIANTS)[number];

export interface Variant {
  name: VariantName;
  url: string;
  pid: number;
  headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A variant that could not be measured, and why. */
export interface Absent {
  name: VariantName;
  reason: string;
}

export interface Stage {
  variants: Variant[];
  absent: Absent[];
  stop(): Promise<void>;
}

const PATH = "/v1/chat/completions";
const BEARER = { authorization: "Bearer sk-bench" };
/** Bun's fetch queues silently over 256 calls in flight unless this is set before the start. */
const MANY_REQUESTS = { BUN_CONFIG_MAX_HTTP_REQUESTS: "4096" };

/**
 * The upstream. Measured on 2 cores at c=32: nginx's static answer 97,600/s and 9 µs for JSON (Bun over bare TCP 81,700/s and 12 µs);
 * for SSE Bun over bare TCP 89,400/s and 10 µs in 50 HTTP chunks (nginx 68,700/s and 14 µs, and only as one piece).
 */
async function startMock(mode: Mode, folder: string): Promise<Running & { port: number }> {
  if (mode === "json") {
    const port = freePort();
    return { ...(await startUntilOpen(nginxMock(join(folder, "mock"), port, mode), port)), port };
  }
  const mock = await startUntilReady({ command: [process.execPath, join(import.meta.dir, "mock.ts"), "0", mode] });
  return { ...mock, port: Number(new URL(mock.url).port) };
}

/** One call: the answer must be the benchmark's own, or the figures would compare error pages. */
async function verify(variant: Variant, mode: Mode): Promise<void> {
  const answer = await fetch(variant.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...variant.headers },
    body: requestBody(mode),
  });
  const text = await answer.text();
  const events = text.split("\n\n").filter((event) => event.includes("BenchmarkStream")).length;
  const whole =
    mode === "json" ? text.includes("BenchmarkAnswer") && text.includes('"usage"') : events === STREAM_CHUNKS && text.includes("[DONE]");
  const right = answer.status === 200 && whole;
  if (!right) throw new Error(`${variant.name} answers ${answer.status}: ${text.slice(0, 300)}`);
}

type Starter = (upstreamPort: number, folder: string, cache: string) => Promise<Omit<Variant, "name"> | string>;

const STARTERS: Readonly<Record<Exclude<VariantName, "direct">, Starter>> = {
  nginx: async (upstreamPort, folder) => {
    const port = freePort();
    const running = await startUntilOpen(nginxProxy(join(folder, "proxy"), port, upstreamPort), port);
    return { ...running, url: `http://127.0.0.1:${port}${PATH}`, headers: BEARER };
  },
  bun: async (upstreamPort) => {
    const command = [process.execPath, join(import.meta.dir, "proxy-bun.ts"), String(upstreamPort)];
    const running = await startUntilReady({ command, env: MANY_REQUESTS });
    return { ...running, url: running.url + PATH, headers: BEARER };
  },
  portkey: async (upstreamPort, _folder, cache) => {
    const problem = await installPortkey(cache);
    if (problem !== undefined) return problem;
    const port = freePort();
    const running = await startUntilOpen(portkey(cache, port), port);
    return { ...running, url: `http://127.0.0.1:${port}${PATH}`, headers: portkeyHeaders(`http://127.0.0.1:${upstreamPort}`) };
  },
  tollway: async (upstreamPort, folder) => {
    const found = tollwayCommand();
    if (!found) return "neither dist/tollway nor src/main.ts is there";
    const start = tollway(found.command, `http://127.0.0.1:${upstreamPort}`, freePort(), join(folder, "data"));
    const running = await startUntilReady(start);
    const key = await mintKey(running.url);
    return { ...running, url: running.url + PATH, headers: { authorization: `Bearer ${key}` } };
  },
};

/** Starts the upstream and the wanted variants, each verified. */
export async function startStage(mode: Mode, wanted: readonly VariantName[], folder: string, cache: string): Promise<Stage> {
  const mock = await startMock(mode, folder);
  const variants: Variant[] = [];
  const absent: Absent[] = [];
  const stop = async (): Promise<void> => {
    for (const variant of variants) if (variant.name !== "direct") await variant.stop();
    await mock.stop();
  };
  for (const name of wanted) {
    try {
      const url = `http://127.0.0.1:${mock.port}${PATH}`;
      const started = name === "direct" ? { ...mock, url, headers: BEARER } : await STARTERS[name](mock.port, folder, cache);
      if (typeof started === "string") {
        absent.push({ name, reason: started });
        continue;
      }
      const variant = { name, ...started };
      variants.push(variant);
      await verify(variant, mode);
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return { variants, absent, stop };
}
