// https://docs.cohere.com/reference/chat
import { cohere as cohereDialect } from "../dialects/cohere";
import { cohereEmbeddings } from "../dialects/cohere-embeddings";
import type { Provider } from "./provider";

export const cohere: Provider = {
  name: "cohere",
  aliases: [],
  displayName: "Cohere",
  baseUrl: "https://api.cohere.com",
  keyVariable: "COHERE_API_KEY",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: cohereDialect },
    { does: "embeddings", dialect: cohereEmbeddings },
  ],
  unsupported: [],
  deviations: {},
  onCallerGone: "cancel",
  families: [/^command(?:-|$)/, /^c4ai-aya-/, /^embed-(?:english|multilingual|v4)/],
  autoModels: { simple: "command-r7b-12-2024", medium: "command-r-08-2024", complex: "command-a-03-2025" },
  passHeaders: [],
};
