// What a provider said, made safe to pass on: short, without anything that looks like a credential or names the operator's account.
// Providers quote the key (here: the operator's) back in their 401 texts, and the account in their 429 texts.
import type { HeaderView } from "../core/ports";

/** The most of a provider's message that goes on, in characters. */
export const MESSAGE_CHARACTERS_MAX = 2_000;

/** Well-known key shapes, then `Bearer …`, then `key=…` as it stands in addresses, then Google's project names. */
const KEY_LIKE: readonly RegExp[] = [
  /\b(?:sk|pk|rk|gsk|xai|pplx|fw|key|tgp|csk|nvapi|hf|r8|tw_live|tw_test|org)[-_][A-Za-z0-9*_.-]{12,}/g,
  /\bAIza[A-Za-z0-9*_-]{16,}/g,
  /\bya29\.[A-Za-z0-9_.-]{16,}/g,
  /\bAQ\.[A-Za-z0-9_-]{16,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g,
  /\b[Bb]earer\s+[A-Za-z0-9._~+/=*-]{8,}/g,
  /(?<=[?&](?:key|api_key|apikey|access_token|token)=)[^&\s"']+/gi,
  /(?<=\bproject(?:_number:|s\/))[A-Za-z0-9_-]+/g,
  // A long unbroken run of mixed letters and digits has no business in a sentence: Mistral, Cohere and Together keys have no prefix.
  /\b(?=[A-Za-z0-9]*[A-Za-z])(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{32,}\b/g,
];

/** A provider's text, at most 2,000 characters, with key-like strings replaced by "[redacted]". */
export function safeProviderMessage(text: string): string {
  // Cut before searching, so that a hostile megabyte costs nothing; the margin lets a key that straddles the cap be seen whole.
  let safe = text.slice(0, MESSAGE_CHARACTERS_MAX + 500);
  for (const shape of KEY_LIKE) safe = safe.replace(shape, "[redacted]");
  return safe.slice(0, MESSAGE_CHARACTERS_MAX);
}

/**
 * The delay that an error answer asks for, in milliseconds. `headers` are lower-case. undefined: none said.
 * Only for errors: Anthropic and Together send `retry-after` on 200 too. Reads `retry-after-ms` and `retry-after` in
 * seconds; an HTTP date needs a clock, which a dialect does not have, and is not read.
 */
export function retryAfterMs(headers: HeaderView): number | undefined {
  const milliseconds = numberFrom(headers.get("retry-after-ms"));
  if (milliseconds !== undefined) return Math.ceil(milliseconds);
  const seconds = numberFrom(headers.get("retry-after"));
  return seconds === undefined ? undefined : Math.ceil(seconds * 1000);
}

const numberFrom = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}(?:\.\d{1,9})?$/.test(text.trim()) ? Number(text) : undefined;
