// The suite, under Node 22, for one release of the SDK: `node suite.mjs openai-6|openai-7`. Prints one line of JSON for each case.
import type { ClientOptions } from "openai-7";
import { recordingsPresent } from "../../upstream/recording";
import { chatCases } from "./cases-chat";
import { errorCases } from "./cases-errors";
import { streamCases } from "./cases-streams";
import { sweepCases } from "./cases-sweep";
import { toolCases } from "./cases-tools";
import { openControl } from "./control";
import type { Case, Sdk, World } from "./harness";

const CASE_DEADLINE_MS = 20_000;

/** One case's result, as run.ts reads it. */
export interface CaseResult {
  sdk: string;
  name: string;
  outcome: "passed" | "failed" | "skipped";
  /** Milliseconds. */
  ms: number;
  error: string | undefined;
}

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

interface Release {
  sdk: Sdk;
  zodResponseFormat: World["zodResponseFormat"];
}

async function load(release: string): Promise<Release> {
  if (release === "openai-7") return { sdk: await import("openai-7"), ...(await import("openai-7/helpers/zod")) };
  if (release !== "openai-6") throw new Error(`no SDK "${release}"`);
  // Another package by TypeScript's lights, the same surface by ours.
  return { sdk: await import("openai-6"), ...(await import("openai-6/helpers/zod")) } as unknown as Release;
}

function worldOf({ sdk, zodResponseFormat }: Release): World {
  const baseURL = `${needed("CLIENTS_GATEWAY")}/v1`;
  const key = needed("CLIENTS_KEY");
  return {
    sdk,
    zodResponseFormat,
    baseURL,
    key,
    upstream: openControl(needed("CLIENTS_UPSTREAM")),
    client: ({ apiKey = key, maxRetries = 0 } = {}) => {
      let sent = 0;
      const counted: NonNullable<ClientOptions["fetch"]> = (input, init) => {
        sent += 1;
        return fetch(input, init);
      };
      const openai = new sdk.default({ apiKey, baseURL, maxRetries, organization: null, project: null, fetch: counted });
      return { openai, sent: () => sent };
    },
  };
}

/** Runs one case against a fresh upstream. What the upstream had no answer for fails it too. */
async function attempt({ models, run }: Case, world: World): Promise<string | undefined> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not over after ${CASE_DEADLINE_MS} ms`)), CASE_DEADLINE_MS);
  try {
    await world.upstream.reset(models ?? {});
    await Promise.race([run(world), late.promise]);
    const { problems } = await world.upstream.seen();
    return problems.length === 0 ? undefined : `the upstream: ${problems.join("; ")}`;
  } catch (thrown) {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } finally {
    clearTimeout(timer);
  }
}

async function main(release: string, only: RegExp | undefined): Promise<void> {
  const world = worldOf(await load(release));
  const present = recordingsPresent();
  const all = [...chatCases, ...toolCases, ...errorCases, ...streamCases, ...sweepCases(present)];
  for (const one of all.filter(({ name }) => only?.test(name) ?? true)) {
    const skipped = one.recorded === true && !present;
    const began = performance.now();
    const error = skipped ? undefined : await attempt(one, world);
    const outcome = skipped ? "skipped" : error === undefined ? "passed" : "failed";
    const result: CaseResult = { sdk: release, name: one.name, outcome, ms: Math.round(performance.now() - began), error };
    console.log(JSON.stringify(result));
  }
}

await main(process.argv[2] ?? "", process.argv[3] === undefined ? undefined : new RegExp(process.argv[3]));
