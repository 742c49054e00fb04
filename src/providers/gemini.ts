// https://ai.google.dev/api/generate-content
import { gemini as geminiDialect } from "../dialects/gemini";
import { geminiCountTokens } from "../dialects/gemini-count-tokens";
import { geminiEmbeddings } from "../dialects/gemini-embeddings";
import type { Provider } from "./provider";

export const gemini: Provider = {
  name: "gemini",
  aliases: ["google"],
  displayName: "Google Gemini",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  keyVariable: "GEMINI_API_KEY",
  auth: { scheme: "header", name: "x-goog-api-key" },
  headers: {},
  operations: [
    { does: "chat", dialect: geminiDialect },
    { does: "embeddings", dialect: geminiEmbeddings },
    { does: "count-tokens", dialect: geminiCountTokens },
  ],
  unsupported: [],
  deviations: {},
  onCallerGone: "cancel",
  families: [/^gemini-/],
  autoModels: { simple: "gemini-2.5-flash-lite", medium: "gemini-2.5-flash", complex: "gemini-2.5-pro" },
  passHeaders: [],
};
