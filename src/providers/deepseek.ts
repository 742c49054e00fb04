// https://api-docs.deepseek.com/api/create-chat-completion
import { openaiChat } from "../dialects/openai-chat";
import { openaiResponses } from "../dialects/openai-responses";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const deepseek: Provider = {
  name: "deepseek",
  aliases: [],
  displayName: "DeepSeek",
  baseUrl: "https://api.deepseek.com",
  keyVariable: "DEEPSEEK_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "chat", dialect: openaiResponses },
  ],
  unsupported: openaiOnly(
    [],
    ["n", "seed", "logit_bias", "parallel_tool_calls", "metadata", "user", "top_k", "functions", "function_call"],
  ),
  deviations: { looseAnswers: true, maxTokensField: "max_tokens", developerRole: "system", functionToolsOnly: true, takesReasoning: true },
  onCallerGone: "cancel",
  families: [/^deepseek-/],
  autoModels: { simple: "deepseek-v4-flash", medium: "deepseek-v4-pro" },
  passHeaders: ["x-ds-trace-id"],
};
