// https://platform.openai.com/docs/api-reference/chat
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiResponses } from "../dialects/openai-responses";
import type { Provider } from "./provider";

export const openai: Provider = {
  name: "openai",
  aliases: [],
  displayName: "OpenAI",
  baseUrl: "https://api.openai.com/v1",
  keyVariable: "OPENAI_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "chat", dialect: openaiResponses },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: [],
  deviations: {},
  onCallerGone: "cancel",
  families: [/^gpt-/, /^o[134](-|$)/, /^chatgpt-/, /^text-embedding-/],
  autoModels: { simple: "gpt-5-nano", medium: "gpt-5-mini", complex: "gpt-5" },
  passHeaders: [
    "openai-processing-ms",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
  ],
};
