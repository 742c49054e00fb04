// https://docs.mistral.ai/api/#tag/chat. What it does not know it refuses (422): every field of others is listed.
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const mistral: Provider = {
  name: "mistral",
  aliases: [],
  displayName: "Mistral",
  baseUrl: "https://api.mistral.ai/v1",
  keyVariable: "MISTRAL_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: openaiOnly([], ["logprobs", "top_logprobs", "logit_bias", "user", "top_k", "functions", "function_call"]),
  deviations: {
    looseAnswers: true,
    maxTokensField: "max_tokens",
    developerRole: "system",
    toolCallIdLength: 9,
    seedField: "random_seed",
    noStreamOptions: true,
    functionToolsOnly: true,
    strictMessages: true,
    noUserAfterTool: true,
    audioBesidePrompt: true,
    dimensionsField: "output_dimension",
  },
  // It goes on and bills when its caller leaves: https://openrouter.ai/docs/api-reference/streaming (stream cancellation).
  onCallerGone: "drain",
  families: [/^(mistral|ministral|magistral|codestral|devstral|pixtral|voxtral|open-mi[sx]tral)(-|$)/],
  autoModels: { simple: "mistral-small-latest", medium: "mistral-medium-2508", complex: "mistral-medium-latest" },
  passHeaders: [
    "mistral-correlation-id",
    "x-ratelimit-limit-req-minute",
    "x-ratelimit-remaining-req-minute",
    "x-ratelimit-limit-tokens-minute",
    "x-ratelimit-remaining-tokens-minute",
    "x-ratelimit-tokens-query-cost",
  ],
};
