// https://openrouter.ai/docs/api-reference/overview. What a model there cannot do, it leaves out itself.
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiResponses } from "../dialects/openai-responses";
import type { Provider } from "./provider";

export const openrouter: Provider = {
  name: "openrouter",
  aliases: [],
  displayName: "OpenRouter",
  baseUrl: "https://openrouter.ai/api/v1",
  keyVariable: "OPENROUTER_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "chat", dialect: openaiResponses },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: [],
  deviations: {
    looseAnswers: true,
    takesReasoning: true,
    reasoningDetails: true,
    takesCacheMarks: true,
    reasoningField: "reasoning",
    functionToolsOnly: true,
  },
  // Most of those behind it stop their bill: https://openrouter.ai/docs/api-reference/streaming (stream cancellation).
  onCallerGone: "cancel",
  families: [/^(?!accounts\/)[^/:]+\/./],
  autoModels: { simple: "openai/gpt-5-nano", medium: "openai/gpt-5-mini", complex: "openai/gpt-5" },
  passHeaders: ["x-generation-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
};
