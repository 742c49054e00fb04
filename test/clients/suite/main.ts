// The suite, under Node 22, for one SDK: `node suite.mjs openai-7`. Prints one line of JSON for each case.
import type OpenAI from "openai-7";
import type { ClientOptions } from "openai-7";
import { recordingsPresent } from "../../upstream/recording";
import type { Asker } from "./asker";
import { chatCases } from "./cases-chat";
import { embeddingCases } from "./cases-embeddings";
import { errorCases } from "./cases-errors";
import { openaiModelCases } from "./cases-models";
import { streamCases } from "./cases-streams";
import { sweepCases } from "./cases-sweep";
import { toolCases } from "./cases-tools";
import { openControl } from "./control";
import type { Case, Ground, Sdk, World } from "./harness";
import { matrixCases } from "./matrix";

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
  // Another package by TypeScript's lights, the same surface by ours.
  return { sdk: await import("openai-6"), ...(await import("openai-6/helpers/zod")) } as unknown as Release;
}

function worldOf({ sdk, zodResponseFormat }: Release, ground: Ground): World {
  const baseURL = `${ground.gateway}/v1`;
  return {
    ...ground,
    sdk,
    zodResponseFormat,
    baseURL,
    client: ({ apiKey = ground.key, maxRetries = 0 } = {}) => {
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

const openaiEmbed =
  (sdk: Sdk): NonNullable<Asker["embed"]> =>
  async ({ gateway, key }, { model, texts }) => {
    const openai: OpenAI = new sdk.default({ apiKey: key, baseURL: `${gateway}/v1`, maxRetries: 0, organization: null, project: null });
    const { data } = await openai.embeddings.create({ model, input: texts });
    return data.map(({ embedding }) => embedding);
  };

type Runnable = Case<Ground>;

async function openaiCases(name: string, present: boolean): Promise<Runnable[]> {
  const release = await load(name);
  const { openaiResponses } = await import("./asker-openai");
  const own = [...chatCases, ...toolCases, ...errorCases, ...streamCases, ...sweepCases(present)];
  return [
    ...own.map((one): Runnable => ({ ...one, run: (ground) => one.run(worldOf(release, ground)) })),
    ...openaiModelCases(release.sdk),
    ...embeddingCases({ "embeddings.create()": openaiEmbed(release.sdk) }),
    ...matrixCases([openaiResponses(release.sdk)]),
  ];
}

/** The cases of each SDK; imported only when asked for, so that no SDK is loaded for the sake of another. */
const SDKS: Readonly<Record<string, (present: boolean) => Promise<Runnable[]>>> = {
  "openai-6": (present) => openaiCases("openai-6", present),
  "openai-7": (present) => openaiCases("openai-7", present),
  "anthropic-sdk": async () => {
    const { anthropicMessages } = await import("./asker-anthropic");
    const { anthropicCases } = await import("./cases-anthropic");
    return [...anthropicCases, ...matrixCases([anthropicMessages("")]), ...matrixCases([anthropicMessages("/v1")], "short")];
  },
  "ai-sdk": async () => {
    const { aiSdk, aiSdkEmbedders } = await import("./asker-ai-sdk");
    return [...matrixCases(aiSdk), ...embeddingCases(aiSdkEmbedders)];
  },
  langchain: async () => {
    const { langchain, langchainEmbed } = await import("./asker-langchain");
    return [...matrixCases(langchain), ...embeddingCases({ OpenAIEmbeddings: langchainEmbed })];
  },
  llamaindex: async () => {
    const { llamaindex, llamaindexEmbed } = await import("./asker-llamaindex");
    return [...matrixCases(llamaindex), ...embeddingCases({ OpenAIEmbedding: llamaindexEmbed })];
  },
};

/** Runs one case against a fresh upstream. What the upstream had no answer for fails it too. */
async function attempt({ models, run }: Runnable, ground: Ground): Promise<string | undefined> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not over after ${CASE_DEADLINE_MS} ms`)), CASE_DEADLINE_MS);
  try {
    await ground.upstream.reset(models ?? {});
    await Promise.race([run(ground), late.promise]);
    const { problems } = await ground.upstream.seen();
    return problems.length === 0 ? undefined : `the upstream: ${problems.join("; ")}`;
  } catch (thrown) {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } finally {
    clearTimeout(timer);
  }
}

async function main(sdk: string, only: RegExp | undefined): Promise<void> {
  const cases = SDKS[sdk];
  if (cases === undefined) throw new Error(`no SDK "${sdk}"`);
  const ground: Ground = {
    gateway: needed("CLIENTS_GATEWAY"),
    key: needed("CLIENTS_KEY"),
    upstream: openControl(needed("CLIENTS_UPSTREAM")),
  };
  const present = recordingsPresent();
  for (const one of (await cases(present)).filter(({ name }) => only?.test(name) ?? true)) {
    const skipped = one.recorded === true && !present;
    const began = performance.now();
    const error = skipped ? undefined : await attempt(one, ground);
    const outcome = skipped ? "skipped" : error === undefined ? "passed" : "failed";
    const result: CaseResult = { sdk, name: one.name, outcome, ms: Math.round(performance.now() - began), error };
    console.log(JSON.stringify(result));
  }
  // Some SDKs keep connections or timers open.
  process.exit(0);
}

await main(process.argv[2] ?? "", process.argv[3] === undefined ? undefined : new RegExp(process.argv[3]));
