// Prices that the library lacks or has wrong, row by row, each with where the figure stands and when it was read.
// Amounts are decimal strings in USD: no digit passes through a float.

/** USD per million tokens. */
export interface UsdRates {
  input: string;
  output: string;
  cacheRead?: string;
  cacheWrite?: string;
  inputAudio?: string;
  outputAudio?: string;
}

/** Which models a row is for: ids in lower case (dated ids go by their undated one too), a pattern of ids, or all of the provider. The closer fit wins. */
export type Models = readonly string[] | RegExp | "all";

interface Origin {
  provider: string;
  models: Models;
  source: string;
  /** The day on which the source said so, YYYY-MM-DD. */
  date: string;
}

export type PriceOverride = Origin &
  (
    | /** Another model's price, from a day on: an alias whose target moved. */ { kind: "alias"; of: string; from?: string }
    | /** The whole price. */ { kind: "figures"; usd: UsdRates }
    | /** Rates beside the library's. */ { kind: "rates"; usd: Partial<UsdRates> }
    | /** USD per thousand calls, by the fee's name. */ { kind: "fees"; usdPerThousand: Readonly<Record<string, string>> }
    | /** Service tiers as exact multiples of the base rates, long context included. */ {
        kind: "tiers";
        times: Readonly<Record<string, readonly [multiply: number, divide: number]>>;
      }
    | /** Long-context tiers that the library lets begin elsewhere. */ {
        kind: "threshold";
        aboveInputTokens: readonly [is: number, shouldBe: number];
      }
  );

const OPENAI_PRICING = "https://platform.openai.com/docs/pricing";
const OPENAI_FAST = "https://openai.com/api-fast-mode/";
const ANTHROPIC_PRICING = "https://platform.claude.com/docs/en/about-claude/pricing";

/** OpenAI renamed priority to fast on 2026-07-30 and takes both words. */
const priority = (multiply: number, divide: number) => ({ priority: [multiply, divide], fast: [multiply, divide] }) as const;
const HALF = [1, 2] as const;

/** OpenAI: flex and batch cost half, priority (fast) a multiple that differs by model. A tier that is not listed for a model is unpriced. */
const OPENAI_TIERS: readonly PriceOverride[] = (
  [
    [
      ["gpt-5.6", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-6-astra"],
      { flex: HALF, batch: HALF, ...priority(2, 1) },
      "2026-09-13",
    ],
    [["gpt-5.5"], { flex: HALF, batch: HALF, ...priority(5, 2) }, "2026-05-21"],
    [["gpt-5.4", "gpt-5.4-mini"], { flex: HALF, batch: HALF, ...priority(2, 1) }, "2026-05-21"],
    [["gpt-5.2"], priority(2, 1), "2026-05-21"],
    [["gpt-5.1", "gpt-5"], { flex: HALF, batch: HALF, ...priority(2, 1) }, "2025-11-20"],
    [["gpt-5.1-codex", "gpt-5-codex"], priority(2, 1), "2025-11-20"],
    [["gpt-5-mini"], { flex: HALF, batch: HALF, ...priority(9, 5) }, "2025-11-20"],
    [["gpt-5-nano"], { flex: HALF, batch: HALF }, "2025-11-20"],
    [["o3"], { flex: HALF, batch: HALF, ...priority(7, 4) }, "2025-11-20"],
    // 20/11 of 1.10, 0.275 and 4.40 are the published 2.00, 0.50 and 8.00. Flex is published as 0.138 cached: half, rounded.
    [["o4-mini"], { flex: HALF, batch: HALF, ...priority(20, 11) }, "2025-11-20"],
    [["gpt-4.1", "gpt-4.1-mini"], { batch: HALF, ...priority(7, 4) }, "2025-11-20"],
    [["gpt-4.1-nano"], { batch: HALF, ...priority(2, 1) }, "2025-11-20"],
    [["gpt-4o"], { batch: HALF, ...priority(17, 10) }, "2025-11-20"],
    [["gpt-4o-2024-05-13"], { batch: HALF, ...priority(7, 4) }, "2025-11-20"],
    // 5/3 of 0.15, 0.075 and 0.60 are the published 0.25, 0.125 and 1.00.
    [["gpt-4o-mini"], { batch: HALF, ...priority(5, 3) }, "2025-11-20"],
  ] as const
).map(([models, times, date]) => ({
  kind: "tiers",
  provider: "openai",
  models,
  times,
  source: `${OPENAI_PRICING} and ${OPENAI_FAST}`,
  date,
}));

export const PRICE_OVERRIDES: readonly PriceOverride[] = [
  ...OPENAI_TIERS,
  {
    kind: "threshold",
    provider: "openai",
    models: "all",
    aboveInputTokens: [271_999, 272_000],
    source: "https://platform.openai.com/docs/models/gpt-5.4 (prompts with more than 272K input tokens)",
    date: "2026-05-21",
  },
  {
    kind: "rates",
    provider: "openai",
    models: ["gpt-4o-audio-preview"],
    usd: { inputAudio: "40", outputAudio: "80" },
    source: "https://platform.openai.com/docs/models/gpt-4o-audio-preview",
    date: "2025-06-03",
  },
  {
    kind: "rates",
    provider: "openai",
    models: ["gpt-4o-mini-audio-preview"],
    usd: { inputAudio: "10", outputAudio: "20" },
    source: "https://platform.openai.com/docs/models/gpt-4o-mini-audio-preview",
    date: "2024-12-17",
  },
  {
    // These models search on every call, and their usage does not say so.
    kind: "fees",
    provider: "openai",
    models: ["gpt-4o-search-preview", "gpt-4o-mini-search-preview"],
    usdPerThousand: { request: "25" },
    source: `${OPENAI_PRICING} (web search preview, non-reasoning models)`,
    date: "2025-11-20",
  },
  {
    kind: "tiers",
    provider: "anthropic",
    models: "all",
    times: { batch: HALF },
    source: `${ANTHROPIC_PRICING}#batch-processing`,
    date: "2026-09-23",
  },
  {
    kind: "tiers",
    provider: "anthropic",
    models: ["claude-opus-4-6", "claude-opus-4-7"],
    times: { batch: HALF, fast: [6, 1], "fast-us": [66, 10] },
    source: `${ANTHROPIC_PRICING}#fast-mode-pricing; models.dev f3fc692`,
    date: "2026-07-02",
  },
  {
    kind: "tiers",
    provider: "anthropic",
    models: ["claude-opus-4-8"],
    times: { batch: HALF, fast: [2, 1], "fast-us": [22, 10] },
    source: `${ANTHROPIC_PRICING}#fast-mode-pricing; models.dev f3fc692`,
    date: "2026-07-02",
  },
  {
    // What is answered in the US costs a tenth more, from 4.6 on; earlier models do not let one choose.
    kind: "tiers",
    provider: "anthropic",
    models: /^claude-(?:[a-z]+-)(?:4-[6-9](?!\d)|[5-9](?!\d)|[1-9]\d)/,
    times: { us: [11, 10] },
    source: `${ANTHROPIC_PRICING}#data-residency-pricing`,
    date: "2026-09-23",
  },
  {
    kind: "fees",
    provider: "anthropic",
    models: "all",
    usdPerThousand: { web_fetch: "0" },
    source: "https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool (no fee beside tokens)",
    date: "2026-09-23",
  },
  {
    // A daily number of prompts is free; which of them were is not told, so each costs.
    kind: "fees",
    provider: "gemini",
    models: "all",
    usdPerThousand: { web_search: "35" },
    source: "https://ai.google.dev/gemini-api/docs/pricing (grounding, per prompt)",
    date: "2026-09-17",
  },
  {
    kind: "fees",
    provider: "gemini",
    models: /^gemini-[3-9]/,
    usdPerThousand: { web_search: "14" },
    source: "https://ai.google.dev/gemini-api/docs/pricing (grounding, per search query)",
    date: "2026-09-17",
  },
  {
    kind: "figures",
    provider: "gemini",
    models: ["gemma-4-26b-a4b-it", "gemma-4-31b-it"],
    usd: { input: "0", output: "0" },
    source: "https://ai.google.dev/gemini-api/docs/pricing (free of charge, no paid tier)",
    date: "2026-09-23",
  },
  {
    kind: "tiers",
    provider: "groq",
    models: "all",
    times: { flex: [1, 1] },
    source: "Groq's documentation, Flex Processing (pricing matches the on-demand tier)",
    date: "2026-09-23",
  },
  {
    // The library's alias still means the model before (2/6).
    kind: "alias",
    provider: "mistral",
    models: ["mistral-large-latest", "mistral-large"],
    of: "mistral-large-2512",
    from: "2025-12-02",
    source: "models.dev f3fc692: mistral-large-latest 0.50/1.50, as mistral-large-2512",
    date: "2026-07-02",
  },
  {
    // The library's alias still means the model before (0.10/0.30).
    kind: "alias",
    provider: "mistral",
    models: ["mistral-small-latest"],
    of: "mistral-small-2603",
    from: "2026-03-16",
    source: "models.dev f3fc692: mistral-small-latest 0.15/0.60, as mistral-small-2603",
    date: "2026-07-02",
  },
  {
    kind: "figures",
    provider: "mistral",
    models: ["mistral-small", "mistral-small-2506"],
    usd: { input: "0.10", output: "0.30" },
    source: "models.dev f3fc692: mistral-small-2506",
    date: "2026-07-02",
  },
  {
    // Since V4 both names are aliases of its small model; before, the library's own prices hold.
    kind: "alias",
    provider: "deepseek",
    models: ["deepseek-chat", "deepseek-reasoner"],
    of: "deepseek-v4-flash",
    from: "2026-04-24",
    source: "models.dev f3fc692: deepseek-chat and deepseek-reasoner priced as deepseek-v4-flash",
    date: "2026-07-02",
  },
  {
    kind: "figures",
    provider: "fireworks",
    models: ["accounts/fireworks/models/llama-v3p3-70b-instruct"],
    usd: { input: "0.90", output: "0.90" },
    source: "https://docs.fireworks.ai/serverless/pricing (base models of more than 16B parameters)",
    date: "2026-09-23",
  },
  {
    kind: "alias",
    provider: "mistral",
    models: ["ministral-14b-latest"],
    of: "ministral-14b-2512",
    source: "https://docs.mistral.ai/getting-started/models (ministral-14b-latest points to ministral-14b-2512)",
    date: "2025-12-02",
  },
  {
    kind: "figures",
    provider: "fireworks",
    models: ["accounts/fireworks/models/qwen3-embedding-8b", "fireworks/qwen3-embedding-8b"],
    usd: { input: "0.10", output: "0" },
    source: "https://docs.fireworks.ai/serverless/pricing (embeddings, Qwen3 8B)",
    date: "2026-09-23",
  },
  {
    kind: "figures",
    provider: "together",
    models: ["qwen/qwen2.5-72b-instruct-turbo"],
    usd: { input: "1.20", output: "1.20" },
    source: "https://www.together.ai/pricing",
    date: "2025-06-03",
  },
  {
    kind: "figures",
    provider: "together",
    models: ["meta-llama/llama-3.3-70b-instruct-turbo-free"],
    usd: { input: "0", output: "0" },
    source: "https://www.together.ai/pricing (free endpoint)",
    date: "2025-06-03",
  },
  {
    kind: "figures",
    provider: "together",
    models: ["togethercomputer/m2-bert-80m-32k-retrieval"],
    usd: { input: "0.01", output: "0" },
    source: "https://www.together.ai/pricing (embeddings)",
    date: "2025-06-03",
  },
  {
    // Its own figures in answers: 288 × 0.20 + 153 cached × 0.05 + 267 × 0.50 a million make the 0.00019875 that it told.
    kind: "figures",
    provider: "openrouter",
    models: ["x-ai/grok-4.1-fast"],
    usd: { input: "0.20", output: "0.50", cacheRead: "0.05" },
    source: "https://openrouter.ai/x-ai/grok-4.1-fast, and the cost that answers tell",
    date: "2025-11-20",
  },
  {
    kind: "figures",
    provider: "openrouter",
    models: ["openai/text-embedding-3-small"],
    usd: { input: "0.02", output: "0" },
    source: "https://openrouter.ai/openai/text-embedding-3-small, and the cost that answers tell",
    date: "2025-11-20",
  },
  {
    kind: "figures",
    provider: "openrouter",
    models: ["openai/text-embedding-3-large"],
    usd: { input: "0.13", output: "0" },
    source: "https://openrouter.ai/openai/text-embedding-3-large",
    date: "2025-11-20",
  },
  {
    // 0.01615085 told for two searches beside tokens of 0.00615085.
    kind: "fees",
    provider: "xai",
    models: "all",
    usdPerThousand: { web_search: "5" },
    source: "https://docs.x.ai/docs/models (tool invocations), and the cost that answers tell",
    date: "2025-11-20",
  },
  {
    kind: "figures",
    provider: "perplexity",
    models: ["pplx-embed-v1-0.6b"],
    usd: { input: "0.004", output: "0" },
    source: "https://docs.perplexity.ai/docs/getting-started/pricing, and the cost that answers tell",
    date: "2026-09-23",
  },
  {
    kind: "figures",
    provider: "perplexity",
    models: ["pplx-embed-v1-4b"],
    usd: { input: "0.03", output: "0" },
    source: "https://docs.perplexity.ai/docs/getting-started/pricing",
    date: "2026-09-23",
  },
];

/** Providers that nobody bills: the operator's own machines. Every model costs 0. */
export const SELF_HOSTED: readonly string[] = ["ollama", "vllm"];
export const SELF_HOSTED_SOURCE = "self-hosted";
