// Every provider, as an explicit list: nothing registers itself.
import { anthropic } from "./anthropic";
import { byo, isByo } from "./byo";
import { cohere } from "./cohere";
import { counter } from "./counter";
import { deepseek } from "./deepseek";
import { fireworks } from "./fireworks";
import { gemini } from "./gemini";
import { groq } from "./groq";
import { mistral } from "./mistral";
import { ollama } from "./ollama";
import { openai } from "./openai";
import { openrouter } from "./openrouter";
import { perplexity } from "./perplexity";
import type { Provider } from "./provider";
import { simulator } from "./simulator";
import { together } from "./together";
import { vllm } from "./vllm";
import { xai } from "./xai";

/** Providers that an operator connects, in the order in which ties are broken. */
export const PROVIDERS: readonly Provider[] = [
  openai,
  anthropic,
  gemini,
  mistral,
  groq,
  deepseek,
  xai,
  together,
  fireworks,
  perplexity,
  openrouter,
  cohere,
  ollama,
  vllm,
];

const BY_NAME: ReadonlyMap<string, Provider> = new Map([...PROVIDERS, simulator, counter].map((provider) => [provider.name, provider]));

/** The row of a slug or of an endpoint ("byo:acme") that a target names. An unknown one is a bug of ours. */
export function providerNamed(name: string): Provider {
  const provider = BY_NAME.get(name) ?? (isByo(name) ? byo(name) : undefined);
  if (!provider) throw new Error(`No provider row is named ${name}`);
  return provider;
}

/** The rows of connected names, in the order in which ties are broken: the endpoints last, in their own order. */
export const providersNamed = (names: readonly string[]): readonly Provider[] => [
  ...PROVIDERS.filter((provider) => names.includes(provider.name)),
  ...names.filter(isByo).map(byo),
];

/** What stands behind test keys, and for those who cannot count. */
export { counter, simulator };
