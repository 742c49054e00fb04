// https://console.groq.com/docs/openai (unsupported fields), https://console.groq.com/docs/rate-limits (headers)
import { openaiChat } from "../dialects/openai-chat";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const groq: Provider = {
  name: "groq",
  aliases: [],
  displayName: "Groq",
  baseUrl: "https://api.groq.com/openai/v1",
  keyVariable: "GROQ_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [{ does: "chat", dialect: openaiChat }],
  unsupported: openaiOnly(["service_tier"], ["logit_bias", "logprobs", "top_logprobs", "n", "top_k"]),
  deviations: { looseAnswers: true, functionToolsOnly: true, strictMessages: true },
  // It goes on and bills when its caller leaves: https://openrouter.ai/docs/api-reference/streaming (stream cancellation).
  onCallerGone: "drain",
  families: [],
  autoModels: { simple: "llama-3.1-8b-instant", medium: "openai/gpt-oss-120b" },
  passHeaders: [
    "x-groq-region",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
  ],
};
