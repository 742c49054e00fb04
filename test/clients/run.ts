// `bun test/clients/run.ts [--only REGEX] [--sdk openai-7] [--source]`: the OpenAI SDKs under a real Node 22 against the gateway, over sockets.
// Closes with `clients: N passed, N failed`; the list of cases goes to .build/results.json.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startControlledUpstream } from "../upstream/control";
import { readyLine } from "../upstream/ready-line";
import { sharedFolder } from "../upstream/recording";
import type { CaseResult } from "./suite/main";

const HERE = import.meta.dir;
const ROOT = join(HERE, "../..");
const BUILD = join(HERE, ".build");
const NODE = join(HERE, "node_modules/.bin/node");
const SDKS = ["openai-6", "openai-7", "anthropic-sdk", "ai-sdk", "langchain", "llamaindex"];
const ADMIN_KEY = "clients-admin-key-that-is-long-enough";

const { values } = parseArgs({
  options: { only: { type: "string" }, sdk: { type: "string" }, source: { type: "boolean", default: false } },
});

/** The SDKs and Node 22, by this folder's own lockfile. */
async function install(): Promise<void> {
  const child = Bun.spawn([process.execPath, "install", "--frozen-lockfile", "--silent"], {
    cwd: HERE,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) throw new Error("the clients could not be installed");
}

/** One file that Node runs as it is; the SDKs stay outside it. */
async function build(): Promise<string> {
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

interface Gateway {
  url: string;
  key: string;
  stop(): Promise<void>;
}

/** The gateway by its fixed interface: the binary where it is built, else the source. */
async function startGateway(upstream: string): Promise<Gateway> {
  const binary = join(ROOT, "dist/tollway");
  const command = existsSync(binary) && !values.source ? [binary] : [process.execPath, join(ROOT, "src/main.ts")];
  const data = mkdtempSync(join(tmpdir(), "tollway-clients-"));
  const child = Bun.spawn([...command, "serve", "--port", "0", "--data", data], {
    cwd: data,
    stdin: "ignore",
    stdout: "pipe",
    stderr: Bun.file(join(BUILD, "gateway.log")),
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: data,
      TOLLWAY_HOST: "127.0.0.1",
      TOLLWAY_ADMIN_KEY: ADMIN_KEY,
      TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: "1",
      OPENAI_API_KEY: "sk-upstream-openai",
      ANTHROPIC_API_KEY: "sk-upstream-anthropic",
      GEMINI_API_KEY: "sk-upstream-gemini",
      TOLLWAY_OPENAI_BASE_URL: `${upstream}/v1`,
      TOLLWAY_ANTHROPIC_BASE_URL: `${upstream}/v1`,
      TOLLWAY_GEMINI_BASE_URL: `${upstream}/v1beta`,
    },
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await child.exited;
    rmSync(data, { recursive: true, force: true });
  };
  try {
    const url = await readyLine(child.stdout);
    const answer = await fetch(`${url}/admin/v1/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "clients", mode: "live" }),
    });
    const body: unknown = await answer.json();
    if (!answer.ok || typeof body !== "object" || body === null || !("key" in body)) {
      throw new Error(`no key from /admin/v1/keys: ${answer.status} ${JSON.stringify(body)}`);
    }
    return { url, key: String(body.key), stop };
  } catch (error) {
    await stop();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${await Bun.file(join(BUILD, "gateway.log")).text()}`);
  }
}

/** Runs the suite for one release. A suite that dies counts as one failure more. */
async function runSuite(suite: string, release: string, gateway: Gateway, upstream: string): Promise<CaseResult[]> {
  const child = Bun.spawn([NODE, suite, release, ...(values.only === undefined ? [] : [values.only])], {
    cwd: HERE,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"] ?? "",
      TOLLWAY_SHARED: resolve(sharedFolder()),
      TOLLWAY_REQUIRE_SHARED: process.env["TOLLWAY_REQUIRE_SHARED"] ?? "0",
      CLIENTS_GATEWAY: gateway.url,
      CLIENTS_KEY: gateway.key,
      CLIENTS_UPSTREAM: upstream,
    },
  });
  const lines = (await new Response(child.stdout).text()).split("\n").filter((line) => line.startsWith("{"));
  const results = lines.map((line): CaseResult => JSON.parse(line));
  const code = await child.exited;
  if (code !== 0) results.push({ sdk: release, name: "the suite ends by itself", outcome: "failed", ms: 0, error: `exit code ${code}` });
  return results;
}

function tell(result: CaseResult): void {
  const mark = { passed: "(pass)", failed: "(fail)", skipped: "(skip)" }[result.outcome];
  console.log(`${mark} ${result.sdk} > ${result.name} [${result.ms} ms]`);
  if (result.error !== undefined) console.log(result.error.replace(/^/gm, "       "));
}

async function run(): Promise<CaseResult[]> {
  await install();
  const suite = await build();
  const upstream = await startControlledUpstream();
  const gateway = await startGateway(upstream.url);
  try {
    const results: CaseResult[] = [];
    for (const release of SDKS.filter((name) => values.sdk === undefined || name === values.sdk)) {
      results.push(...(await runSuite(suite, release, gateway, upstream.url)));
    }
    return results;
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

const results = await run();
for (const result of results) tell(result);
writeFileSync(join(BUILD, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
const count = (outcome: CaseResult["outcome"]): number => results.filter((result) => result.outcome === outcome).length;
if (count("skipped") > 0) console.log(`clients: ${count("skipped")} skipped, no recordings in ${sharedFolder()}`);
console.log(`clients: ${count("passed")} passed, ${count("failed")} failed`);
process.exit(count("failed") === 0 && count("passed") > 0 ? 0 : 1);
