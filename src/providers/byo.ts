// Any endpoint that speaks Chat Completions (and Embeddings, where it does), as "byo:<slug>". What it can do is the operator's to know: nothing is refused for it.
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import type { Provider } from "./provider";

/** The row of the endpoint with this name ("byo:acme"). */
export const byo = (name: string): Provider => ({
  name,
  aliases: [],
  displayName: name,
  baseUrl: "",
  keyVariable: "",
  selfHosted: true,
  auth: { scheme: "bearer" },
  headers: {},
  operations: [
    { does: "chat", dialect: openaiChat },
    { does: "embeddings", dialect: openaiEmbeddings },
  ],
  unsupported: [],
  deviations: {
    looseAnswers: true,
    reasoningBesideCompletion: true,
    maxTokensField: "max_tokens",
    developerRole: "system",
    functionToolsOnly: true,
    takesReasoning: true,
  },
  onCallerGone: "cancel",
  // Its ids carry its name, and are read by it.
  families: [],
  autoModels: {},
  passHeaders: [],
});

/** Whether a name is an endpoint's. */
export const isByo = (name: string): boolean => /^byo:[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
