// openai-python, in a virtual environment for each major release.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD, type Gateway, HERE } from "./gateway";
import { runSuite, suiteEnvironment } from "./sdks";
import type { DoorName } from "./suite/asker";
import { EMBEDDING_UPSTREAMS } from "./suite/cases-embeddings";
import { PROVIDERS } from "./suite/harness";
import type { CaseResult } from "./suite/main";
import { refusalsIn, upstreamDialect } from "./suite/matrix";
import { CALL, HELLO, OBJECT_TOLD, TEXT } from "./suite/samples";
import { said, USAGE } from "./suite/upstream-answers";

/** The suite's name for it, and its pinned packages. */
const RELEASES: Readonly<Record<string, string>> = { "openai-py-2": "python/openai-2.txt", "openai-py-3": "python/openai-3.txt" };

export const PYTHON_SDKS: readonly string[] = Object.keys(RELEASES);

/** A release that is ready to run, or why it is not. */
export type Environment = { sdk: string; python: string } | { sdk: string; missing: string };

async function succeeds(command: string[]): Promise<string | undefined> {
  try {
    const child = Bun.spawn(command, { cwd: HERE, stdio: ["ignore", "ignore", "pipe"] });
    const said = await new Response(child.stderr).text();
    return (await child.exited) === 0 ? undefined : `${command[0]}: ${said.trim().split("\n").at(-1) ?? ""}`;
  } catch (error) {
    return String(error);
  }
}

/** Makes the environments that are not there yet. Never throws: a machine may have no Python, no venv or no registry. */
export async function installPython(only: string | undefined): Promise<Environment[]> {
  const wanted = Object.entries(RELEASES).filter(([sdk]) => only === undefined || only === sdk);
  return Promise.all(wanted.map(([sdk, requirements]) => installRelease(sdk, join(HERE, requirements))));
}

async function installRelease(sdk: string, requirements: string): Promise<Environment> {
  const folder = join(BUILD, sdk);
  const python = join(folder, "bin/python");
  const done = join(folder, "installed.txt");
  const pinned = readFileSync(requirements, "utf8");
  if (existsSync(done) && readFileSync(done, "utf8") === pinned) return { sdk, python };
  mkdirSync(BUILD, { recursive: true });
  const missing =
    (await succeeds(["python3", "-m", "venv", "--clear", folder])) ??
    (await succeeds([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements]));
  if (missing !== undefined) return { sdk, missing };
  writeFileSync(done, pinned);
  return { sdk, python };
}

/** What the upstream says, by door and provider, for the suite that cannot import it. */
function writeAnswers(): string {
  const ofDoor = (door: DoorName): object =>
    Object.fromEntries(
      PROVIDERS.map(({ name }) => {
        const dialect = upstreamDialect(door, name);
        const [hello, call, object] = [HELLO, CALL, OBJECT_TOLD].map((content) => said(dialect, content));
        return [name, { hello, call, object, refused: refusalsIn(dialect) }];
      }),
    );
  const answers = { text: TEXT, usage: USAGE, chat: ofDoor("chat"), responses: ofDoor("responses"), embeddings: EMBEDDING_UPSTREAMS };
  const path = join(BUILD, "answers.json");
  writeFileSync(path, JSON.stringify(answers));
  return path;
}

/** A release that could not be installed is a visible skip, or a failure where everything must run (CI). */
export async function runPython(
  environment: Environment,
  gateway: Gateway,
  upstream: string,
  only: string | undefined,
): Promise<CaseResult[]> {
  const { sdk } = environment;
  if ("missing" in environment) {
    const outcome = process.env["TOLLWAY_REQUIRE_SHARED"] === "1" ? "failed" : "skipped";
    return [{ sdk, name: "the suite of openai-python", outcome, ms: 0, error: `not installed: ${environment.missing}` }];
  }
  const command = [environment.python, join(HERE, "python/suite.py"), sdk, ...(only === undefined ? [] : [only])];
  return runSuite(sdk, command, { ...suiteEnvironment(gateway, upstream), CLIENTS_ANSWERS: writeAnswers(), PYTHONDONTWRITEBYTECODE: "1" });
}
