// How the recorded providers of Chat Completions depart from OpenAI's. Rows of src/providers say the same of those that are served;
// a recording may come from others too.
import type { Deviations } from "../../src/dialects/dialect";

const OLDER = { looseAnswers: true, maxTokensField: "max_tokens", developerRole: "system", functionToolsOnly: true } as const;

const BY_PROVIDER: Readonly<Record<string, Deviations>> = {
  openai: {},
  azure: { looseAnswers: true, reasoningBesideCompletion: true },
  mistral: {
    ...OLDER,
    toolCallIdLength: 9,
    seedField: "random_seed",
    noStreamOptions: true,
    strictMessages: true,
    noUserAfterTool: true,
    audioBesidePrompt: true,
  },
  groq: { looseAnswers: true, functionToolsOnly: true, strictMessages: true },
  deepseek: { ...OLDER, takesReasoning: true },
  xai: { looseAnswers: true, reasoningBesideCompletion: true, developerRole: "system", functionToolsOnly: true, takesReasoning: true },
  together: { ...OLDER, takesReasoning: true, reasoningField: "reasoning" },
  fireworks: { ...OLDER, takesReasoning: true },
  perplexity: { ...OLDER, terminator: "eof", noStreamOptions: true },
  openrouter: {
    looseAnswers: true,
    functionToolsOnly: true,
    takesReasoning: true,
    reasoningField: "reasoning",
    reasoningDetails: true,
    takesCacheMarks: true,
  },
  vllm: { ...OLDER, takesReasoning: true },
  llamacpp: { ...OLDER, takesReasoning: true },
  ollama: { ...OLDER, takesReasoning: true, reasoningField: "reasoning" },
  // Google's compatible API.
  gemini: { looseAnswers: true, reasoningBesideCompletion: true, developerRole: "system", functionToolsOnly: true },
};

/** Throws for a provider that nobody has described. */
export function deviationsOf(provider: string): Deviations {
  const deviations = BY_PROVIDER[provider];
  if (!deviations) throw new Error(`How ${provider} departs from OpenAI is not said`);
  return deviations;
}

export const COMPATIBLE = Object.keys(BY_PROVIDER).filter((provider) => provider !== "openai");
