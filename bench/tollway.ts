// Tollway as an operator runs it: the fixed interface only (`product.md`), one live key, no special settings.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Start } from "./process";

const ADMIN_KEY = "bench-admin-key-that-is-long-enough-0000";

const root = join(import.meta.dir, "..");

/** The built binary, else the source under this Bun; undefined when there is neither. */
export function tollwayCommand(preferSource = false): { command: readonly string[]; what: string } | undefined {
  const binary = join(root, "dist/tollway");
  const source = join(root, "src/main.ts");
  if (existsSync(binary) && !preferSource) return { command: [binary], what: "dist/tollway" };
  if (existsSync(source)) return { command: [process.execPath, source], what: "src/main.ts" };
  return undefined;
}

/** Its process against the benchmark's upstream. `data` is a fresh folder. */
export function tollway(command: readonly string[], upstream: string | undefined, port: number, data: string): Start {
  return {
    command: [...command, "serve", "--port", String(port), "--data", data],
    env: {
      TOLLWAY_ADMIN_KEY: ADMIN_KEY,
      TOLLWAY_HOST: "127.0.0.1",
      ...(upstream === undefined
        ? {}
        : { OPENAI_API_KEY: "sk-bench", TOLLWAY_OPENAI_BASE_URL: `${upstream}/v1`, TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: "1" }),
    },
  };
}

/** Mints a live key over the admin API. */
export async function mintKey(url: string): Promise<string> {
  const answer = await fetch(`${url}/admin/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "bench", mode: "live" }),
  });
  const body: unknown = await answer.json();
  if (!answer.ok || typeof body !== "object" || body === null || !("key" in body) || typeof body.key !== "string") {
    throw new Error(`no key from /admin/v1/keys: ${answer.status} ${JSON.stringify(body)}`);
  }
  return body.key;
}
