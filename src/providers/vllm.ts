// https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const vllm: Provider = {
  name: "vllm",
  aliases: [],
  displayName: "vLLM",
  baseUrl: "http://127.0.0.1:8000/v1",
  keyVariable: "VLLM_API_KEY",
  selfHosted: true,
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: openaiOnly([], ["metadata"]),
  deviations: { looseAnswers: true, maxTokensField: "max_tokens", developerRole: "system", functionToolsOnly: true, takesReasoning: true },
  onCallerGone: "cancel",
  families: [],
  autoModels: {},
  passHeaders: [],
};
