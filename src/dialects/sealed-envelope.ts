// Some providers want their sealed thoughts back in the next turn. A caller's dialect that has a place only for its own seals
// carries another's in an envelope: a word that says what it is, which clients keep as they keep any seal.
import type { DialectName } from "../core/chat";
import { objectOf, parseJson, textOf } from "./provider-json";

/** What a foreign thought needs to go back to the dialect that made it. */
export interface Seal {
  /** The dialect that made the thought: no other may be sent it. */
  from: DialectName;
  /** The seal of the thought, or of the call where `call` names one. */
  signature?: string | undefined;
  /** A thought that shows no text, as one sealed piece. */
  data?: string | undefined;
  /** The provider's id of the thought. */
  id?: string | undefined;
  /** The thought's text, where the caller's dialect has no other place for it. */
  text?: string | undefined;
  /** The id of the tool call that `signature` seals: Gemini seals the call instead of the thought. */
  call?: string | undefined;
}

/** No seal of a provider begins so: theirs are plain base64, without a full stop. */
export const ENVELOPE_PREFIX = "tw1.";

const DIALECTS: Readonly<Record<DialectName, true>> = {
  "openai-chat": true,
  "openai-responses": true,
  "anthropic-messages": true,
  gemini: true,
  cohere: true,
  ollama: true,
  "openai-embeddings": true,
  "gemini-embeddings": true,
  "cohere-embeddings": true,
  "ollama-embeddings": true,
  "anthropic-count-tokens": true,
  "gemini-count-tokens": true,
  "responses-at-chat": true,
};

/** ASCII text (a-z A-Z 0-9 _ - and a full stop) that `openSeal` reads. */
export const sealOf = (seal: Seal): string => ENVELOPE_PREFIX + Buffer.from(JSON.stringify(seal)).toString("base64url");

/** Whether the text says that it is an envelope, readable or not: it is no provider's seal. */
export const isEnvelope = (text: string): boolean => text.startsWith(ENVELOPE_PREFIX);

/** undefined: the text is no envelope, or is not one of ours. */
export function openSeal(text: string): Seal | undefined {
  if (!isEnvelope(text)) return undefined;
  const held = objectOf(parseJson(Buffer.from(text.slice(ENVELOPE_PREFIX.length), "base64url").toString()));
  const from = textOf(held?.["from"]);
  if (!held || from === undefined || !isDialect(from)) return undefined;
  const seal: Seal = { from };
  for (const field of ["signature", "data", "id", "text", "call"] as const) {
    const value = textOf(held[field]);
    if (value !== undefined) seal[field] = value;
  }
  return seal;
}

const isDialect = (name: string): name is DialectName => Object.hasOwn(DIALECTS, name);
