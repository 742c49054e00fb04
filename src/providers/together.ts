// https://docs.together.ai/reference/chat-completions-1
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const together: Provider = {
  name: "together",
  aliases: [],
  displayName: "Together AI",
  baseUrl: "https://api.together.xyz/v1",
  keyVariable: "TOGETHER_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: openaiOnly([], ["metadata", "user"]),
  deviations: {
    looseAnswers: true,
    maxTokensField: "max_tokens",
    developerRole: "system",
    functionToolsOnly: true,
    takesReasoning: true,
    reasoningField: "reasoning",
  },
  onCallerGone: "cancel",
  families: [],
  autoModels: { simple: "openai/gpt-oss-20b", medium: "openai/gpt-oss-120b", complex: "moonshotai/Kimi-K2.6" },
  passHeaders: [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
  ],
};
