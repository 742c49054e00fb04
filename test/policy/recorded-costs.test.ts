// What every recorded answer cost, once from its events and our prices, and once from the provider's own JSON and figures written down
// here. Where the provider tells the cost itself, that is the answer.
import { describe, expect, test } from "bun:test";
import { costOf } from "../../src/policy/pricing";
import { openPrices } from "../../src/store/prices";
import { type Recording, recordings, sharedMissing } from "../recordings/load";
import { isServed, usageOfRecording } from "./recorded-usage";

const prices = openPrices();
const AT = Date.parse("2026-10-01T12:00:00Z");

/** Nano-USD a token: input, cached input, output. The providers' price lists as of AT. */
const RATES: Readonly<Record<string, readonly [number, number, number]>> = {
  "mistral mistral-small-latest": [150, 15, 600],
  "mistral mistral-large-latest": [500, 50, 1_500],
  "mistral mistral-medium-latest": [1_500, 1_500, 7_500],
  "mistral magistral-medium-latest": [2_000, 2_000, 5_000],
  "mistral ministral-8b-latest": [150, 15, 150],
  "mistral ministral-14b-latest": [200, 20, 200],
  "mistral pixtral-12b": [150, 15, 150],
  "mistral mistral-embed": [100, 100, 0],
  "groq openai/gpt-oss-120b": [150, 75, 600],
  "groq openai/gpt-oss-20b": [75, 37.5, 300],
  "groq llama-3.1-8b-instant": [50, 50, 80],
  "groq llama3-8b-8192": [50, 50, 80],
  "groq meta-llama/llama-4-maverick-17b-128e-instruct": [200, 200, 600],
  "groq meta-llama/llama-guard-4-12b": [200, 200, 200],
  "groq moonshotai/kimi-k2-instruct-0905": [1_000, 500, 3_000],
  "groq deepseek-r1-distill-llama-70b": [750, 750, 990],
  "deepseek deepseek-chat": [220, 7, 660],
  "deepseek deepseek-v4-flash": [220, 7, 660],
  "xai grok-4": [3_000, 750, 15_000],
  "xai grok-4-fast": [200, 50, 500],
  "xai grok-4-fast-non-reasoning": [200, 50, 500],
  "xai grok-code-fast-1": [200, 20, 1_500],
  "xai grok-2-vision": [2_000, 2_000, 10_000],
  "together meta-llama/Llama-3.3-70B-Instruct-Turbo": [880, 880, 880],
  "together meta-llama/Llama-3.3-70B-Instruct-Turbo-Free": [0, 0, 0],
  "together meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo": [880, 880, 880],
  "together Qwen/Qwen2.5-72B-Instruct-Turbo": [1_200, 1_200, 1_200],
  "fireworks accounts/fireworks/models/llama-v3p1-8b-instruct": [200, 200, 200],
  "fireworks accounts/fireworks/models/gpt-oss-20b": [70, 35, 300],
  "fireworks accounts/fireworks/models/qwen3-embedding-8b": [100, 100, 0],
  "openrouter openai/gpt-5": [1_250, 125, 10_000],
  "openrouter deepseek/deepseek-v3.1-terminus": [230, 230, 900],
  "cohere command-a-03-2025": [2_500, 2_500, 10_000],
  "cohere command-a-plus-05-2026": [2_500, 2_500, 10_000],
  "cohere command-a-vision-07-2025": [2_500, 2_500, 10_000],
  "cohere command-r": [150, 150, 600],
  "cohere command-r-plus": [2_500, 2_500, 10_000],
  "cohere embed-v4.0": [120, 120, 0],
};

/** Providers whose recordings are checked beside OpenAI's, Anthropic's and Gemini's (hand-checked.ts). */
const CHECKED = ["mistral", "groq", "deepseek", "xai", "together", "fireworks", "perplexity", "openrouter", "cohere", "ollama", "vllm"];

/** Not to be known from tokens, and said so: audio by the minute, systems of several models, tools whose fee nobody tells. */
const UNKNOWN = new Set([
  "mistral/chat.audio-input.1",
  "groq/chat.citations.1",
  "groq/chat.citations-stream.1",
  "xai/responses.text.1",
  // No model is named there.
  "cohere/v2chat.finish-ERROR.1",
]);

type Json = Record<string, unknown>;
const objectAt = (value: unknown, key: string): Json | undefined => {
  const inner = typeof value === "object" && value !== null ? (value as Json)[key] : undefined;
  return typeof inner === "object" && inner !== null ? (inner as Json) : undefined;
};
const numberAt = (value: Json | undefined, key: string): number | undefined =>
  typeof value?.[key] === "number" ? (value[key] as number) : undefined;

/** The last usage object of the answer, wherever the provider puts it. */
function rawUsage(recording: Recording): Json | undefined {
  const text = new TextDecoder().decode(recording.body);
  const documents = recording.stream
    ? text
        .split(/\r?\n/)
        .flatMap((line) => (line.startsWith("data:") && line.includes("{") ? [line.slice(5)] : line.startsWith("{") ? [line] : []))
    : [text];
  let usage: Json | undefined;
  for (const document of documents) {
    const json = JSON.parse(document) as Json;
    const places = [json, objectAt(json, "x_groq"), objectAt(json, "response"), objectAt(json, "delta")];
    for (const place of places) usage = objectAt(place, "usage") ?? usage;
    if (recording.format === "cohere-embed") usage = objectAt(objectAt(json, "meta"), "billed_units") ?? usage;
  }
  return usage;
}

/** Nano-USD that the provider itself told: as a number of dollars, or in ticks of 1e-10 dollars. */
function told(usage: Json): number | undefined {
  const ticks = numberAt(usage, "cost_in_usd_ticks");
  if (ticks !== undefined) return Math.ceil(ticks / 10);
  const usd = numberAt(usage, "cost") ?? numberAt(objectAt(usage, "cost"), "total_cost");
  return usd === undefined ? undefined : Math.ceil(Number((usd * 1e9).toFixed(3)));
}

/** From the raw figures. xAI's chat tells its answer without its reasoning. */
function computed(recording: Recording, usage: Json, [input, cached, output]: readonly [number, number, number]): number {
  const billed = objectAt(usage, "billed_units") ?? usage;
  const all = numberAt(billed, "prompt_tokens") ?? numberAt(billed, "input_tokens") ?? 0;
  const answer = numberAt(billed, "completion_tokens") ?? numberAt(billed, "output_tokens") ?? 0;
  const beside = recording.provider === "xai" && recording.format === "openai-chat";
  const reasoning = beside ? (numberAt(objectAt(usage, "completion_tokens_details"), "reasoning_tokens") ?? 0) : 0;
  const read =
    numberAt(objectAt(usage, "prompt_tokens_details"), "cached_tokens") ??
    numberAt(objectAt(usage, "input_tokens_details"), "cached_tokens") ??
    numberAt(usage, "cached_tokens") ??
    0;
  return Math.ceil((all - read) * input + read * cached + (answer + reasoning) * output);
}

const modelOf = (recording: Recording): string => {
  const asked = (recording.request as { model?: string } | undefined)?.model;
  return asked ?? /"model"\s*:\s*"([^"]+)"/.exec(new TextDecoder().decode(recording.body))?.[1] ?? "";
};

describe("every recorded answer that tells its tokens", () => {
  for (const provider of CHECKED) {
    test.skipIf(sharedMissing)(`of ${provider} costs what its own figures say`, () => {
      let checked = 0;
      for (const recording of recordings(provider)) {
        if (recording.status >= 400 || !isServed(recording) || UNKNOWN.has(recording.id)) continue;
        const raw = rawUsage(recording);
        if (!raw || /midstream-error|finish-(ERROR|MALFORMED)|unterminated/.test(recording.id)) continue;
        const model = modelOf(recording);
        const usage = usageOfRecording(recording);
        const cost = usage && costOf(usage, prices.price(provider, model, AT))?.total;
        const rates = provider === "ollama" || provider === "vllm" ? ([0, 0, 0] as const) : RATES[`${provider} ${model}`];
        const expected = told(raw) ?? (rates && computed(recording, raw, rates));
        expect([recording.id, cost === undefined ? undefined : Number(cost)]).toEqual([recording.id, expected]);
        checked++;
      }
      expect(checked).toBeGreaterThan(0);
    });
  }

  test.skipIf(sharedMissing)("has a price, or is one of those that are unknown on purpose", () => {
    const unpriced = CHECKED.flatMap((provider) => recordings(provider))
      .filter((recording) => recording.status < 400 && isServed(recording) && !UNKNOWN.has(recording.id))
      .filter((recording) => prices.price(recording.provider, modelOf(recording), AT) === undefined)
      .map((recording) => recording.id);
    expect(unpriced).toEqual([]);
  });

  test.skipIf(sharedMissing)("of those that tell their own cost agrees with our table, where it is tokens alone", () => {
    let agreed = 0;
    for (const recording of recordings("xai")) {
      const raw = recording.status < 400 && isServed(recording) ? rawUsage(recording) : undefined;
      const cost = raw && told(raw);
      const usage = cost === undefined ? undefined : usageOfRecording(recording);
      const ours = usage && costOf({ ...usage, reportedCost: undefined }, prices.price("xai", modelOf(recording), AT))?.total;
      if (cost !== undefined && ours !== undefined && Number(ours) === cost) agreed++;
    }
    expect(agreed).toBeGreaterThan(10);
  });
});
