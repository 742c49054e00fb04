// Portkey's open-source gateway, installed on demand beside the benchmark. Not a dependency of the project.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Start } from "./process";

const VERSION = "1.15.2";
/** With 1.14.2 and later every streamed answer is a 500: https://github.com/Portkey-AI/gateway/issues/1389 */
const HONO_NODE_SERVER = "1.14.1";
const SCRIPT = "node_modules/@portkey-ai/gateway/build/start-server.js";

/** Installs it into `cache` with npm unless it is there. Returns why it could not be, or undefined. */
export async function installPortkey(cache: string): Promise<string | undefined> {
  const folder = join(cache, `portkey-${VERSION}`);
  if (existsSync(join(folder, SCRIPT))) return undefined;
  if (Bun.which("npm") === null || Bun.which("node") === null) return "node and npm are not installed";
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, overrides: { "@hono/node-server": HONO_NODE_SERVER } }));
  const npm = Bun.spawn(
    ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", `@portkey-ai/gateway@${VERSION}`],
    {
      cwd: folder,
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const problems = await new Response(npm.stderr).text();
  return (await npm.exited) === 0 ? undefined : `npm could not install it: ${problems.trim().split("\n").slice(-1)[0]}`;
}

/** Its process, without the console. It serves under /v1. */
export function portkey(cache: string, port: number): Start {
  return {
    command: ["node", join(cache, `portkey-${VERSION}`, SCRIPT), `--port=${port}`, "--headless"],
    cwd: join(cache, `portkey-${VERSION}`),
    env: { NODE_ENV: "production" },
  };
}

/** What Portkey needs on each call to know the provider and where it is. */
export const portkeyHeaders = (upstream: string): Readonly<Record<string, string>> => ({
  authorization: "Bearer sk-bench",
  "x-portkey-provider": "openai",
  "x-portkey-custom-host": `${upstream}/v1`,
});
