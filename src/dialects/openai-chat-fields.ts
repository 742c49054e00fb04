// The top-level fields of a Chat Completions request, each with what it is to the answer:
// https://platform.openai.com/docs/api-reference/chat/create
import type { FieldKind, FieldTable } from "./field-table";
import { COMPATIBLE_FIELDS } from "./openai-chat-fields-compatible";

const among =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value);

export const OPENAI_CHAT_FIELDS = {
  ...COMPATIBLE_FIELDS,
  audio: { kind: "meaning" },
  frequency_penalty: { kind: "meaning", neutral: among(0) },
  function_call: { kind: "meaning", neutral: among("auto", "none") },
  functions: { kind: "meaning" },
  logit_bias: { kind: "meaning" },
  logprobs: { kind: "meaning", neutral: among(false) },
  max_completion_tokens: { kind: "meaning" },
  metadata: { kind: "hint" },
  modalities: { kind: "meaning", neutral: (value) => Array.isArray(value) && value.every((each) => each === "text") },
  /** Asks for moderation results in the answer. */
  moderation: { kind: "meaning", neutral: among(null) },
  n: { kind: "meaning", neutral: among(1) },
  /** A model that cannot be told calls one tool or several: its caller reads both, and clients write `false` unthinkingly. */
  parallel_tool_calls: { kind: "hint", neutral: among(true) },
  prediction: { kind: "meaning" },
  presence_penalty: { kind: "meaning", neutral: among(0) },
  prompt_cache_key: { kind: "hint" },
  prompt_cache_options: { kind: "hint" },
  prompt_cache_retention: { kind: "hint" },
  reasoning_effort: { kind: "meaning" },
  /** OpenRouter's and other providers' words for the same; decoded where their shape is known, named where nobody honours them. */
  reasoning: { kind: "meaning" },
  thinking: { kind: "meaning" },
  response_format: { kind: "meaning", neutral: (value) => (value as { type?: unknown }).type === "text" },
  safety_identifier: { kind: "hint" },
  /** "A best effort to sample deterministically": nobody may rely on it. */
  seed: { kind: "hint" },
  service_tier: { kind: "hint", neutral: among("auto", "default") },
  stop: { kind: "meaning" },
  /** Storing is a service that the caller will look for; not storing is what every other provider does. */
  store: { kind: (value): FieldKind => (value === true ? "meaning" : "hint") },
  temperature: { kind: "meaning", neutral: among(1) },
  tool_choice: { kind: "meaning", neutral: among("auto") },
  tools: { kind: "meaning" },
  top_k: { kind: "meaning" },
  top_logprobs: { kind: "meaning", neutral: among(0) },
  top_p: { kind: "meaning", neutral: among(1) },
  user: { kind: "hint" },
  /** A wish for length and tone, as a prompt can also say it. */
  verbosity: { kind: "hint", neutral: among("medium") },
  /** Even when empty it asks for a search. */
  web_search_options: { kind: "meaning", neutral: among(null) },

  // What callers send to gateways: OpenRouter's, LiteLLM's and Vercel's fields.
  models: { kind: "gateway" },
  plugins: { kind: "gateway" },
  preset: { kind: "gateway" },
  provider: { kind: "gateway", done: true },
  providerOptions: { kind: "gateway" },
  route: { kind: "gateway" },
  session_id: { kind: "gateway" },
  tags: { kind: "gateway" },
  trace: { kind: "gateway" },
  transforms: { kind: "gateway" },
  /** Usage always comes. */
  usage: { kind: "gateway", done: true },
} as const satisfies FieldTable;
