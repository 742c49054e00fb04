// What administrators see of the provider rows.
import { isByo } from "../providers/byo";
import { PROVIDERS } from "../providers/registry";

export interface ProviderFacts {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly displayName: string;
  /** The environment variable that would connect it. */
  readonly keyVariable: string;
  /** Without an address of the operator's it is nowhere. */
  readonly selfHosted: boolean;
}

export const PROVIDER_FACTS: readonly ProviderFacts[] = PROVIDERS.map(({ name, aliases, displayName, keyVariable, selfHosted }) => ({
  name,
  aliases,
  displayName,
  keyVariable,
  selfHosted: selfHosted ?? false,
}));

const MAX_ENDPOINT_CHARACTERS = 64;

/** The slug of a provider's name or alias, or of an endpoint ("byo:acme"). undefined: there is none of that name. */
export function providerSlug(text: string): string | undefined {
  if (isByo(text)) return text.length <= MAX_ENDPOINT_CHARACTERS ? text : undefined;
  return PROVIDER_FACTS.find(({ name, aliases }) => name === text || aliases.includes(text))?.name;
}
