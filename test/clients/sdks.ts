// The JavaScript SDKs under Node 22.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { sharedFolder } from "../upstream/recording";
import { BUILD, type Gateway, HERE, NODE } from "./gateway";
import type { CaseResult } from "./suite/main";

export const SDKS: readonly string[] = ["openai-6", "openai-7", "anthropic-sdk", "ai-sdk", "langchain", "llamaindex"];

/** The SDKs and Node 22, by this folder's own lockfile. */
export async function installSdks(): Promise<void> {
  const child = Bun.spawn([process.execPath, "install", "--frozen-lockfile", "--silent"], {
    cwd: HERE,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) throw new Error("the clients could not be installed");
}

/** One file that Node runs as it is; the SDKs stay outside it. */
export async function buildSuite(): Promise<string> {
  mkdirSync(BUILD, { recursive: true });
  const built = await Bun.build({
    entrypoints: [join(HERE, "suite/main.ts")],
    outdir: BUILD,
    target: "node",
    format: "esm",
    naming: "suite.mjs",
    packages: "external",
  });
  if (!built.success) throw new AggregateError(built.logs, "the suite could not be built");
  return join(BUILD, "suite.mjs");
}

/** What a suite, in whatever language, finds in its environment. */
export const suiteEnvironment = (gateway: Gateway, upstream: string): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  TOLLWAY_SHARED: resolve(sharedFolder()),
  TOLLWAY_REQUIRE_SHARED: process.env["TOLLWAY_REQUIRE_SHARED"] ?? "0",
  CLIENTS_GATEWAY: gateway.url,
  CLIENTS_KEY: gateway.key,
  CLIENTS_UPSTREAM: upstream,
});

/** Runs a suite that prints its results as lines of JSON. One that dies counts as one failure more. */
export async function runSuite(sdk: string, command: string[], env: Record<string, string>): Promise<CaseResult[]> {
  const child = Bun.spawn(command, { cwd: HERE, stdio: ["ignore", "pipe", "inherit"], env });
  const lines = (await new Response(child.stdout).text()).split("\n").filter((line) => line.startsWith("{"));
  const results = lines.map((line): CaseResult => JSON.parse(line));
  const code = await child.exited;
  // Nothing may have been asked for by --only.
  if (code !== 0 || (results.length === 0 && command.length < 4)) {
    results.push({ sdk, name: "the suite ends by itself", outcome: "failed", ms: 0, error: `exit code ${code}` });
  }
  return results;
}

export const sdkCommand = (suite: string, sdk: string, only: string | undefined): string[] => [
  NODE,
  suite,
  sdk,
  ...(only === undefined ? [] : [only]),
];
