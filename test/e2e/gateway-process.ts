// The gateway as a process of its own, from source or as the binary, with nothing of this environment in its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How the gateway is started: the runtime with its entry, or one binary. */
export type Command = readonly [string, ...string[]];

export const FROM_SOURCE: Command = [process.execPath, join(import.meta.dir, "../../src/main.ts")];

export type Variables = Readonly<Record<string, string>>;

export const ADMIN_KEY = "admin-key-of-the-process-tests";

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

export interface GatewayProcess {
  /** http://127.0.0.1:PORT, of the ready line. */
  url: string;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  signal(name: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
  /** Resolves when it has ended. */
  ended: Promise<Finished>;
}

/** A folder of its own under the system's temporary one. */
export function emptyFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "tollway-process-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Every file below a folder, by its path there. Sockets are no files. */
export function filesOf(folder: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (statSync(path).isFile()) files.set(name, readFileSync(path));
  }
  return files;
}

function start(command: Command, args: readonly string[], cwd: string, env: Variables) {
  const child = Bun.spawn([...command, ...args], { cwd, env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const out = gather(child.stdout);
  const err = gather(child.stderr);
  const ended = Promise.all([child.exited, out.done, err.done]).then(
    ([code]): Finished => ({ code, stdout: out.text(), stderr: err.text() }),
  );
  return { child, out, err, ended };
}

/** Runs a command to its end. */
export const run = (command: Command, args: readonly string[], cwd: string, env: Variables = {}): Promise<Finished> =>
  start(command, args, cwd, env).ended;

/** Starts `serve` on a free port; resolves with its ready line, throws with what it said when it ends before. */
export async function serve(command: Command, cwd: string, env: Variables = {}, args: readonly string[] = []): Promise<GatewayProcess> {
  const { child, out, err, ended } = start(command, ["serve", "--port", "0", ...args], cwd, env);
  const url = await Promise.race([out.until(/^ready (http:\/\/\S+)$/m), ended.then(() => undefined)]);
  if (url === undefined) {
    const { code, stdout, stderr } = await ended;
    throw new Error(`The gateway ended with ${code} before it was ready:\n${stdout}${stderr}`);
  }
  return { url, stdout: out.text, stderr: err.text, signal: (name) => child.kill(name), ended };
}

interface Gathered {
  text(): string;
  /** The first group of the first match, when it has come; never, if it does not. */
  until(pattern: RegExp): Promise<string>;
  done: Promise<void>;
}

function gather(stream: ReadableStream<Uint8Array>): Gathered {
  const decoder = new TextDecoder();
  let text = "";
  const looking = new Set<() => void>();
  const read = async (): Promise<void> => {
    for await (const piece of stream) {
      text += decoder.decode(piece, { stream: true });
      for (const look of looking) look();
    }
  };
  return {
    text: () => text,
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = pattern.exec(text)?.[1];
          if (found === undefined) return;
          looking.delete(look);
          resolve(found);
        };
        looking.add(look);
        look();
      }),
    done: read(),
  };
}

/** Connects every provider to a replay upstream on loopback, with credentials that tests look for. */
export const connectedTo = (upstream: string): Variables => ({
  TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: "1",
  TOLLWAY_OPENAI_BASE_URL: `${upstream}/v1`,
  TOLLWAY_ANTHROPIC_BASE_URL: `${upstream}/v1`,
  TOLLWAY_GEMINI_BASE_URL: `${upstream}/v1beta`,
  OPENAI_API_KEY: "sk-upstream-openai",
  ANTHROPIC_API_KEY: "sk-ant-upstream",
  GEMINI_API_KEY: "AIza-upstream",
});

/** Makes a key through the admin door. */
export async function makeKey(url: string, mode: "live" | "test" = "live"): Promise<{ id: string; key: string }> {
  const response = await fetch(`${url}/admin/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ name: `of a test ${crypto.randomUUID()}`, mode }),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as { id: string; key: string };
}

/** POST /v1/chat/completions. */
export const chat = (url: string, key: string, body: object, headers: Variables = {}): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
