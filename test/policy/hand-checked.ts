// Thirty recorded calls with the usage as the provider told it, the rates as they stand in its price list, and the cost in nano-USD
// worked out on paper (a rate of $2.50 per million tokens is 2,500 nano-USD a token).
import type { Rates } from "../../src/core/price";
import type { Usage } from "../../src/core/usage";

export interface HandChecked {
  id: string;
  model: string;
  usage: Usage;
  /** What the price list says, nano-USD per million. */
  rates: Partial<Record<keyof Rates, bigint>>;
  cost: bigint;
}

const OPENAI: readonly HandChecked[] = [
  {
    // 19 × 2,500 + 2 audio × 40,000 + 1 × 10,000 = 47,500 + 80,000 + 10,000
    id: "openai/chat.audio-input.1",
    model: "gpt-4o-audio-preview-2025-06-03",
    usage: {
      inputTokens: 21,
      outputTokens: 1,
      cacheReadInputTokens: 0,
      inputAudioTokens: 2,
      outputAudioTokens: 0,
      reasoningOutputTokens: 0,
    },
    rates: { input: 2_500_000_000n, inputAudio: 40_000_000_000n, output: 10_000_000_000n, outputAudio: 80_000_000_000n },
    cost: 137_500n,
  },
  {
    // 8 × 4,000 + 4,012 cached × 400 + 4 × 20,000 = 32,000 + 1,604,800 + 80,000
    id: "openai/chat.cache-control-request.1",
    model: "gpt-5.6-sol",
    usage: { inputTokens: 4020, outputTokens: 4, cacheReadInputTokens: 4012, cacheCreationInputTokens: 0 },
    rates: { input: 4_000_000_000n, cacheRead: 400_000_000n, cacheWrite: 5_000_000_000n, output: 20_000_000_000n },
    cost: 1_716_800n,
  },
  {
    // 140 × 2,500 + 1,280 cached × 1,250 + 100 × 10,000 = 350,000 + 1,600,000 + 1,000,000
    id: "openai/chat.cache-read-stream.1",
    model: "gpt-4o-2024-08-06",
    usage: { inputTokens: 1420, outputTokens: 100, cacheReadInputTokens: 1280 },
    rates: { input: 2_500_000_000n, cacheRead: 1_250_000_000n, output: 10_000_000_000n },
    cost: 2_950_000n,
  },
  {
    // 13 × 150 + 197 × 600 + one search at $25 per thousand = 1,950 + 118,200 + 25,000,000
    id: "openai/chat.citations.1",
    model: "gpt-4o-mini-search-preview-2025-03-11",
    usage: { inputTokens: 13, outputTokens: 197 },
    rates: { input: 150_000_000n, output: 600_000_000n },
    cost: 25_120_150n,
  },
  {
    // 2,245 × 50 + 100 × 400 (all of it reasoning) = 112,250 + 40,000
    id: "openai/chat.image-base64.1",
    model: "gpt-5-nano-2025-08-07",
    usage: { inputTokens: 2245, outputTokens: 100, reasoningOutputTokens: 100 },
    rates: { input: 50_000_000n, output: 400_000_000n },
    cost: 152_250n,
  },
  {
    // Priority: 8 × 2,500 + 11 × 20,000 = 20,000 + 220,000
    id: "openai/chat.service-tier.1",
    model: "gpt-5-2025-08-07",
    usage: { inputTokens: 8, outputTokens: 11, serviceTier: "priority" },
    rates: { input: 1_250_000_000n, output: 10_000_000_000n },
    cost: 240_000n,
  },
  {
    // 7 × 2,500 + 10 × 15,000 = 17,500 + 150,000
    id: "openai/chat.logprobs-stream.1",
    model: "gpt-5.4-2026-03-05",
    usage: { inputTokens: 7, outputTokens: 10, serviceTier: "default" },
    rates: { input: 2_500_000_000n, output: 15_000_000_000n },
    cost: 167_500n,
  },
  {
    // 13 × 250 + 50 × 2,000 = 3,250 + 100,000
    id: "openai/chat.max-tokens-stream.1",
    model: "gpt-5-mini-2025-08-07",
    usage: { inputTokens: 13, outputTokens: 50, reasoningOutputTokens: 50 },
    rates: { input: 250_000_000n, output: 2_000_000_000n },
    cost: 103_250n,
  },
  {
    // 56 × 100 + 1,024 cached × 25 + 7 × 400 = 5,600 + 25,600 + 2,800
    id: "openai/chat.pdf-input.1",
    model: "gpt-4.1-nano-2025-04-14",
    usage: { inputTokens: 1080, outputTokens: 7, cacheReadInputTokens: 1024 },
    rates: { input: 100_000_000n, cacheRead: 25_000_000n, output: 400_000_000n },
    cost: 34_000n,
  },
  {
    // Two answers, one input: 620 × 150 + 69 × 600 = 93,000 + 41,400
    id: "openai/chat.n-choices.1",
    model: "gpt-4o-mini-2024-07-18",
    usage: { inputTokens: 620, outputTokens: 69 },
    rates: { input: 150_000_000n, output: 600_000_000n },
    cost: 134_400n,
  },
];

const ANTHROPIC: readonly HandChecked[] = [
  {
    // Told apart: 11 + 2,055 read. 11 × 3,000 + 2,055 × 300 + 100 × 15,000 = 33,000 + 616,500 + 1,500,000
    id: "anthropic/messages.cache-read.1",
    model: "claude-sonnet-4-20250514",
    usage: { inputTokens: 2066, outputTokens: 100, cacheReadInputTokens: 2055, cacheCreationInputTokens: 0, serviceTier: "standard" },
    rates: { input: 3_000_000_000n, cacheRead: 300_000_000n, output: 15_000_000_000n },
    cost: 2_149_500n,
  },
  {
    // 10 × 3,000 + 1 read × 300 + 2 written × 3,750 + 21 × 15,000 = 30,000 + 300 + 7,500 + 315,000
    id: "anthropic/messages.cache-read.2",
    model: "claude-sonnet-4-5-20250929",
    usage: { inputTokens: 13, outputTokens: 21, cacheReadInputTokens: 1, cacheCreationInputTokens: 2, cacheCreation1hInputTokens: 0 },
    rates: { input: 3_000_000_000n, cacheRead: 300_000_000n, cacheWrite: 3_750_000_000n, output: 15_000_000_000n },
    cost: 352_800n,
  },
  {
    // 2 × 2,000 + 1,135 written × 2,500 + 142 × 10,000 = 4,000 + 2,837,500 + 1,420,000
    id: "anthropic/messages.image-base64.2",
    model: "claude-sonnet-5",
    usage: { inputTokens: 1137, outputTokens: 142, cacheCreationInputTokens: 1135, reasoningOutputTokens: 67 },
    rates: { input: 2_000_000_000n, cacheWrite: 2_500_000_000n, output: 10_000_000_000n },
    cost: 4_261_500n,
  },
  {
    // 3 × 1,000 + 37 written × 1,250 + 17,269 read × 100 + 10 × 5,000 = 3,000 + 46,250 + 1,726,900 + 50,000
    id: "anthropic/messages.reasoning-roundtrip-stream.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 17_309, outputTokens: 10, cacheReadInputTokens: 17_269, cacheCreationInputTokens: 37 },
    rates: { input: 1_000_000_000n, cacheRead: 100_000_000n, cacheWrite: 1_250_000_000n, output: 5_000_000_000n },
    cost: 1_826_150n,
  },
  {
    // 1,921 × 5,000 + 78 × 25,000 = 9,605,000 + 1,950,000
    id: "anthropic/messages.image-base64.1",
    model: "claude-opus-4-6",
    usage: { inputTokens: 1921, outputTokens: 78 },
    rates: { input: 5_000_000_000n, output: 25_000_000_000n },
    cost: 11_555_000n,
  },
  {
    // 674 × 1,000 + 39 × 5,000 = 674,000 + 195,000
    id: "anthropic/messages.citations.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 674, outputTokens: 39 },
    rates: { input: 1_000_000_000n, output: 5_000_000_000n },
    cost: 869_000n,
  },
  {
    // 11 × 3,000 + 1,031 read × 300 + 100 × 15,000 = 33,000 + 309,300 + 1,500,000
    id: "anthropic/messages.max-tokens-stream.1",
    model: "claude-sonnet-4-20250514",
    usage: { inputTokens: 1042, outputTokens: 100, cacheReadInputTokens: 1031 },
    rates: { input: 3_000_000_000n, cacheRead: 300_000_000n, output: 15_000_000_000n },
    cost: 1_842_300n,
  },
  {
    // 67 × 1,000 + 165 × 5,000 = 67,000 + 825,000
    id: "anthropic/messages.reasoning-stream.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 67, outputTokens: 165 },
    rates: { input: 1_000_000_000n, output: 5_000_000_000n },
    cost: 892_000n,
  },
  {
    // 18 × 10,000 + 5 × 50,000 = 180,000 + 250,000
    id: "anthropic/messages.refusal-stream.1",
    model: "claude-fable-5",
    usage: { inputTokens: 18, outputTokens: 5 },
    rates: { input: 10_000_000_000n, output: 50_000_000_000n },
    cost: 430_000n,
  },
  {
    // 28 × 1,000 + 12 × 5,000 = 28,000 + 60,000
    id: "anthropic/messages.service-tier.1",
    model: "claude-haiku-4-5-20251001",
    usage: { inputTokens: 28, outputTokens: 12, serviceTier: "standard" },
    rates: { input: 1_000_000_000n, output: 5_000_000_000n },
    cost: 88_000n,
  },
];

const GEMINI: readonly HandChecked[] = [
  {
    // 85 × 300 + 144 audio × 1,000 + 17 × 2,500 = 25,500 + 144,000 + 42,500
    id: "gemini/gemini.audio-input.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 229, outputTokens: 17, inputAudioTokens: 144 },
    rates: { input: 300_000_000n, inputAudio: 1_000_000_000n, output: 2_500_000_000n },
    cost: 212_000n,
  },
  {
    // 13 × 300 + 9,609 cached × 30 + (35 + 136) × 2,500 = 3,900 + 288,270 + 427,500
    id: "gemini/gemini.cache-read.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 9622, outputTokens: 171, cacheReadInputTokens: 9609, reasoningOutputTokens: 136, serviceTier: "standard" },
    rates: { input: 300_000_000n, cacheRead: 30_000_000n, output: 2_500_000_000n },
    cost: 719_670n,
  },
  {
    // 6 × 300 + 1,081 cached × 30 + 2 × 2,500 = 1,800 + 32,430 + 5,000
    id: "gemini/gemini.cache-read-stream.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 1087, outputTokens: 2, cacheReadInputTokens: 1081 },
    rates: { input: 300_000_000n, cacheRead: 30_000_000n, output: 2_500_000_000n },
    cost: 39_230n,
  },
  {
    // 267 × 300 + (47 + 373) × 2,500 = 80,100 + 1,050,000
    id: "gemini/gemini.image-base64.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 267, outputTokens: 420, reasoningOutputTokens: 373 },
    rates: { input: 300_000_000n, output: 2_500_000_000n },
    cost: 1_130_100n,
  },
  {
    // 194 × 1,250 + (33 + 216) × 10,000 = 242,500 + 2,490,000
    id: "gemini/gemini.parallel-tool-calls.1",
    model: "gemini-2.5-pro",
    usage: { inputTokens: 194, outputTokens: 249, reasoningOutputTokens: 216 },
    rates: { input: 1_250_000_000n, output: 10_000_000_000n },
    cost: 2_732_500n,
  },
  {
    // 13 × 2,000 + (30 + 309) × 12,000 = 26,000 + 4,068,000
    id: "gemini/gemini.json-schema.1",
    model: "gemini-3-pro-preview",
    usage: { inputTokens: 13, outputTokens: 339, reasoningOutputTokens: 309 },
    rates: { input: 2_000_000_000n, output: 12_000_000_000n },
    cost: 4_094_000n,
  },
  {
    // Cut before a word was said: 85 × 100 + 199 thought × 400 = 8,500 + 79,600
    id: "gemini/gemini.max-tokens-stream.2",
    model: "gemini-2.5-flash-lite",
    usage: { inputTokens: 85, outputTokens: 199, reasoningOutputTokens: 199 },
    rates: { input: 100_000_000n, output: 400_000_000n },
    cost: 88_100n,
  },
  {
    // 342 × 300 + 21 × 2,500 = 102,600 + 52,500
    id: "gemini/gemini.pdf-input.1",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 342, outputTokens: 21 },
    rates: { input: 300_000_000n, output: 2_500_000_000n },
    cost: 155_100n,
  },
  {
    // 351 × 1,500 + 217 cached × 150 + (305 + 1,027) × 9,000 + 3 search queries at $14 per thousand
    // = 526,500 + 32,550 + 11,988,000 + 42,000,000
    id: "gemini/gemini.cache-read.2",
    model: "gemini-3.5-flash",
    usage: { inputTokens: 568, outputTokens: 1332, cacheReadInputTokens: 217, reasoningOutputTokens: 1027, toolCalls: { web_search: 3 } },
    rates: { input: 1_500_000_000n, cacheRead: 150_000_000n, output: 9_000_000_000n },
    cost: 54_547_050n,
  },
  {
    // 19 + 69 of the search: 80 × 300 + 8 cached × 30 + (47 + 117) × 2,500 + one grounded prompt at $35 per thousand
    // = 24,000 + 240 + 410,000 + 35,000,000
    id: "gemini/gemini.cache-read-stream.2",
    model: "gemini-2.5-flash",
    usage: { inputTokens: 88, outputTokens: 164, cacheReadInputTokens: 8, reasoningOutputTokens: 117, toolCalls: { web_search: 1 } },
    rates: { input: 300_000_000n, cacheRead: 30_000_000n, output: 2_500_000_000n },
    cost: 35_434_240n,
  },
];

export const HAND_CHECKED: readonly HandChecked[] = [...OPENAI, ...ANTHROPIC, ...GEMINI];
