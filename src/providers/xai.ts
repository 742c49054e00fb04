// https://docs.x.ai/docs/api-reference#chat-completions
import { openaiChat } from "../dialects/openai-chat";
import { openaiResponses } from "../dialects/openai-responses";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const xai: Provider = {
  name: "xai",
  aliases: [],
  displayName: "xAI",
  baseUrl: "https://api.x.ai/v1",
  keyVariable: "XAI_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "chat", dialect: openaiResponses },
  ],
  unsupported: openaiOnly(["web_search_options"], ["logit_bias", "metadata", "top_k", "functions", "function_call"]),
  deviations: {
    looseAnswers: true,
    reasoningBesideCompletion: true,
    developerRole: "system",
    functionToolsOnly: true,
    takesReasoning: true,
  },
  onCallerGone: "cancel",
  families: [/^grok-/],
  autoModels: { simple: "grok-4-1-fast-non-reasoning", medium: "grok-4.3", complex: "grok-4.6" },
  passHeaders: [
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-zero-data-retention",
  ],
};
