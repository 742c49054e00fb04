// The top-level fields of a Responses request, each with what it is to the answer, and the names under which its inner fields go
// to `ChatRequest.rest`: https://platform.openai.com/docs/api-reference/responses/create
import type { FieldTable } from "./field-table";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";

const among =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value);

const { models, plugins, preset, provider, providerOptions, route, session_id, tags, trace, transforms, usage } = OPENAI_CHAT_FIELDS;

export const OPENAI_RESPONSES_FIELDS = {
  background: { kind: "meaning", neutral: among(false) },
  context_management: { kind: "hint" },
  /** Turns that only OpenAI holds. */
  conversation: { kind: "meaning" },
  /** Not OpenAI's, but in the Open Responses specification. */
  frequency_penalty: { kind: "meaning", neutral: among(0) },
  include: { kind: "hint" },
  instructions: { kind: "meaning" },
  max_output_tokens: { kind: "meaning" },
  /** Counts calls of hosted tools: read only where the request has some. */
  max_tool_calls: { kind: "meaning" },
  metadata: { kind: "hint" },
  moderation: { kind: "meaning" },
  parallel_tool_calls: { kind: "hint", neutral: among(true) },
  presence_penalty: { kind: "meaning", neutral: among(0) },
  previous_response_id: { kind: "meaning" },
  /** A template that only OpenAI holds. */
  prompt: { kind: "meaning" },
  prompt_cache_key: { kind: "hint" },
  prompt_cache_options: { kind: "hint" },
  prompt_cache_retention: { kind: "hint" },
  reasoning: { kind: "meaning" },
  safety_identifier: { kind: "hint" },
  service_tier: { kind: "hint", neutral: among("auto", "default") },
  /**
   * A hint whatever it says: the API's default is to store, so clients send `true` without a thought. What relies on a stored
   * answer is refused by its own name.
   */
  store: { kind: "hint" },
  temperature: { kind: "meaning", neutral: among(1) },
  text: { kind: "meaning" },
  tool_choice: { kind: "meaning", neutral: among("auto") },
  tools: { kind: "meaning" },
  top_logprobs: { kind: "meaning", neutral: among(0) },
  top_p: { kind: "meaning", neutral: among(1) },
  truncation: { kind: "hint", neutral: among("disabled") },
  user: { kind: "hint" },

  // Inner fields, by the names that `rest` has them under.
  "text.format": { kind: "meaning" },
  /** `text.verbosity`, under the name it has in Chat Completions. */
  verbosity: { kind: "hint", neutral: among("medium") },

  // What callers of Chat Completions write here by mistake. OpenAI refuses it, so nobody may leave it out.
  max_completion_tokens: { kind: "meaning" },
  max_tokens: { kind: "meaning" },
  messages: { kind: "meaning" },
  n: { kind: "meaning", neutral: among(1) },
  response_format: { kind: "meaning" },
  stop: { kind: "meaning" },

  models,
  plugins,
  preset,
  provider,
  providerOptions,
  route,
  session_id,
  tags,
  trace,
  transforms,
  usage,
} as const satisfies FieldTable;
