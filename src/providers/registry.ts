// Every provider, as an explicit list: nothing registers itself.
import { anthropic } from "./anthropic";
import { gemini } from "./gemini";
import { openai } from "./openai";
import type { Provider } from "./provider";
import { simulator } from "./simulator";

/** Providers that an operator connects, in the order in which ties are broken. */
export const PROVIDERS: readonly Provider[] = [openai, anthropic, gemini];

const BY_NAME: ReadonlyMap<string, Provider> = new Map([...PROVIDERS, simulator].map((provider) => [provider.name, provider]));

/** The row of a slug that a target names. An unknown one is a bug of ours. */
export function providerNamed(name: string): Provider {
  const provider = BY_NAME.get(name);
  if (!provider) throw new Error(`No provider row is named ${name}`);
  return provider;
}

/** What stands behind test keys. */
export { simulator };
