// https://docs.fireworks.ai/api-reference/post-chatcompletions
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const fireworks: Provider = {
  name: "fireworks",
  aliases: [],
  displayName: "Fireworks AI",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  keyVariable: "FIREWORKS_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: openaiOnly(["prediction", "prompt_cache_key", "safety_identifier", "service_tier"], []),
  deviations: { looseAnswers: true, maxTokensField: "max_tokens", developerRole: "system", functionToolsOnly: true, takesReasoning: true },
  onCallerGone: "cancel",
  families: [/^accounts\/[^/]+\/(models|routers|deployments)\/./],
  autoModels: {
    simple: "accounts/fireworks/models/gpt-oss-20b",
    medium: "accounts/fireworks/models/gpt-oss-120b",
    complex: "accounts/fireworks/models/glm-5p2",
  },
  passHeaders: [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-limit-tokens-prompt",
    "x-ratelimit-remaining-tokens-prompt",
    "x-ratelimit-limit-tokens-generated",
    "x-ratelimit-remaining-tokens-generated",
    "x-ratelimit-over-limit",
  ],
};
