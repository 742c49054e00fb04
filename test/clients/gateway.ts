// The gateway as its own process, by its fixed interface.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readyLine } from "../upstream/ready-line";

export const HERE = import.meta.dir;
export const BUILD = join(HERE, ".build");
/** A real Node 22, by this folder's lockfile. */
export const NODE = join(HERE, "node_modules/.bin/node");

const ROOT = join(HERE, "../..");
const ADMIN_KEY = "clients-admin-key-that-is-long-enough";

export interface Gateway {
  url: string;
  key: string;
  stop(): Promise<void>;
}

function environment(upstream: string, home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    TOLLWAY_HOST: "127.0.0.1",
    TOLLWAY_ADMIN_KEY: ADMIN_KEY,
    TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: "1",
    OPENAI_API_KEY: "sk-upstream-openai",
    ANTHROPIC_API_KEY: "sk-upstream-anthropic",
    GEMINI_API_KEY: "sk-upstream-gemini",
    TOLLWAY_OPENAI_BASE_URL: `${upstream}/v1`,
    TOLLWAY_ANTHROPIC_BASE_URL: `${upstream}/v1`,
    TOLLWAY_GEMINI_BASE_URL: `${upstream}/v1beta`,
  };
}

async function mintKey(url: string): Promise<string> {
  const answer = await fetch(`${url}/admin/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "clients", mode: "live" }),
  });
  const body: unknown = await answer.json();
  if (!answer.ok || typeof body !== "object" || body === null || !("key" in body)) {
    throw new Error(`no key from /admin/v1/keys: ${answer.status} ${JSON.stringify(body)}`);
  }
  return String(body.key);
}

/** The binary where it is built, unless the source is asked for. What it logs goes to `.build/LOG`. Throws with the log's end when it does not start. */
export async function startGateway(upstream: string, { source, log }: { source: boolean; log: string }): Promise<Gateway> {
  const binary = join(ROOT, "dist/tollway");
  const command = existsSync(binary) && !source ? [binary] : [process.execPath, join(ROOT, "src/main.ts")];
  const data = mkdtempSync(join(tmpdir(), "tollway-clients-"));
  mkdirSync(BUILD, { recursive: true });
  const logFile = join(BUILD, log);
  rmSync(logFile, { force: true });
  const child = Bun.spawn([...command, "serve", "--port", "0", "--data", data], {
    cwd: data,
    stdin: "ignore",
    stdout: "pipe",
    stderr: Bun.file(logFile),
    env: environment(upstream, data),
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await child.exited;
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const url = await readyLine(child.stdout);
    return { url, key: await mintKey(url), stop };
  } catch (error) {
    await stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${(await Bun.file(logFile).text()).slice(-2_000)}`);
  }
}
