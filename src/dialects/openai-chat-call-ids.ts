// Ids of tool calls, for providers that take only ids of a kind of their own: Mistral refuses any but nine letters and digits.
import type { Deviations } from "./dialect";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The id under which a call goes out: itself where the provider takes it, else one made of it. The same for the same id, always,
 * so that a call and its result stay together; the caller keeps its own, so nothing needs to be turned back.
 */
export function callIdFor(id: string, deviations: Deviations): string {
  const { toolCallIdLength: length } = deviations;
  if (length === undefined || isPlain(id, length)) return id;
  let made = "";
  for (let round = 0; made.length < length; round++) made += digits(fingerprint(`${round}:${id}`));
  return made.slice(0, length);
}

export const isPlain = (id: string, length: number): boolean => id.length === length && /^[A-Za-z0-9]*$/.test(id);

/** Six digits of 32 bits. */
function digits(value: number): string {
  let text = "";
  for (let rest = value, i = 0; i < 6; i++, rest = Math.floor(rest / DIGITS.length)) text += DIGITS[rest % DIGITS.length];
  return text;
}

/** FNV-1a, then mixed: similar ids share no beginning. */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
