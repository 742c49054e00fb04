// https://docs.perplexity.ai/api-reference/chat-completions-post
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiOnly } from "./openai-only";
import type { Provider } from "./provider";

export const perplexity: Provider = {
  name: "perplexity",
  aliases: [],
  displayName: "Perplexity",
  baseUrl: "https://api.perplexity.ai",
  keyVariable: "PERPLEXITY_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: openaiOnly(
    ["web_search_options"],
    [
      "tools",
      "tool_choice",
      "parallel_tool_calls",
      "functions",
      "function_call",
      "n",
      "stop",
      "seed",
      "logit_bias",
      "logprobs",
      "top_logprobs",
      // Its own formats are base64 of signed bytes or of bits: https://docs.perplexity.ai/api-reference/embeddings-post
      "encoding_format",
      "metadata",
      "user",
    ],
  ),
  deviations: {
    looseAnswers: true,
    terminator: "eof",
    maxTokensField: "max_tokens",
    developerRole: "system",
    functionToolsOnly: true,
    noStreamOptions: true,
    vectors: "int8",
    embeddingsPath: "/v1/embeddings",
  },
  // It goes on and bills when its caller leaves: https://openrouter.ai/docs/api-reference/streaming (stream cancellation).
  onCallerGone: "drain",
  families: [/^sonar/, /^pplx-/],
  // Every call searches the web, and costs a fee for it: only who asks for that gets it.
  autoModels: {},
  passHeaders: [],
};
