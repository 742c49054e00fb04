// How the recorded providers of Chat Completions depart from OpenAI's: as the rows say it, and those that have none.
import type { Deviations } from "../../src/dialects/dialect";
import { deepseek } from "../../src/providers/deepseek";
import { fireworks } from "../../src/providers/fireworks";
import { groq } from "../../src/providers/groq";
import { mistral } from "../../src/providers/mistral";
import { openai } from "../../src/providers/openai";
import { openrouter } from "../../src/providers/openrouter";
import { perplexity } from "../../src/providers/perplexity";
import { together } from "../../src/providers/together";
import { vllm } from "../../src/providers/vllm";
import { xai } from "../../src/providers/xai";

const ROWS = [openai, deepseek, fireworks, groq, mistral, openrouter, perplexity, together, vllm, xai];

const BY_PROVIDER: Readonly<Record<string, Deviations>> = {
  ...Object.fromEntries(ROWS.map(({ name, deviations }) => [name, deviations])),
  azure: { looseAnswers: true, reasoningBesideCompletion: true },
  llamacpp: vllm.deviations,
  // Served by its own API; its compatible one is asked as a provider of the operator's own.
  ollama: { ...vllm.deviations, reasoningField: "reasoning" },
  gemini: { looseAnswers: true, reasoningBesideCompletion: true, developerRole: "system", functionToolsOnly: true },
};

/** Throws for a provider that nobody has described. */
export function deviationsOf(provider: string): Deviations {
  const deviations = BY_PROVIDER[provider];
  if (!deviations) throw new Error(`How ${provider} departs from OpenAI is not said`);
  return deviations;
}

export const COMPATIBLE = Object.keys(BY_PROVIDER).filter((provider) => provider !== "openai");
