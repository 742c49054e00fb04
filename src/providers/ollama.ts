// https://docs.ollama.com/api
import { ollama as ollamaDialect } from "../dialects/ollama";
import { ollamaEmbeddings } from "../dialects/ollama-embeddings";
import type { Provider } from "./provider";

export const ollama: Provider = {
  name: "ollama",
  aliases: [],
  displayName: "Ollama",
  baseUrl: "http://127.0.0.1:11434",
  keyVariable: "OLLAMA_API_KEY",
  selfHosted: true,
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: ollamaDialect },
    { does: "embeddings", dialect: ollamaEmbeddings },
  ],
  unsupported: [],
  deviations: {},
  // A model on the operator's own machine stops when nobody reads.
  onCallerGone: "cancel",
  families: [],
  autoModels: {},
  passHeaders: [],
};
