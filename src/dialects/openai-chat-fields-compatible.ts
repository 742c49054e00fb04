// Fields that other providers of Chat Completions document as their own. Where the target speaks Chat Completions they go to it as
// they came; elsewhere a constraint on the answer is refused by name, and a matter of taste is left out and named.
import type { FieldRow, FieldTable } from "./field-table";

const among =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value);
/** A switch that is off unless it is set. */
const whenOn: FieldRow = { kind: "meaning", neutral: among(false, null) };
const constraint: FieldRow = { kind: "meaning" };
const taste: FieldRow = { kind: "hint" };

export const COMPATIBLE_FIELDS = {
  // Mistral: https://docs.mistral.ai/api
  document_image_limit: taste,
  document_page_limit: taste,
  guardrails: constraint,
  prompt_mode: taste,
  random_seed: taste,
  safe_prompt: whenOn,

  // Perplexity: https://docs.perplexity.ai/api-reference/chat-completions-post
  disable_search: whenOn,
  enable_search_classifier: taste,
  last_updated_after_filter: constraint,
  last_updated_before_filter: constraint,
  return_citations: taste,
  return_images: whenOn,
  return_related_questions: whenOn,
  search_after_date_filter: constraint,
  search_before_date_filter: constraint,
  search_domain_filter: constraint,
  search_mode: constraint,
  search_recency_filter: constraint,

  // xAI: https://docs.x.ai/docs/api-reference
  deferred: whenOn,
  search_parameters: { kind: "meaning", neutral: (value) => (value as { mode?: unknown } | null)?.mode === "off" },

  // Groq: https://console.groq.com/docs/api-reference
  citation_options: taste,
  compound_custom: constraint,
  disable_tool_validation: taste,
  documents: constraint,
  include_reasoning: taste,
  reasoning_format: taste,
  search_settings: constraint,

  // Together and Fireworks: https://docs.together.ai/reference/chat-completions-1, https://docs.fireworks.ai/api-reference/post-chatcompletions
  context_length_exceeded_behavior: taste,
  echo: whenOn,
  mirostat_lr: constraint,
  mirostat_target: constraint,
  perf_metrics_in_response: taste,
  prompt_truncate_len: taste,
  safety_model: constraint,

  // OpenRouter: https://openrouter.ai/docs/api-reference/parameters
  cache_control: taste,
  image_config: constraint,
  min_p: { kind: "meaning", neutral: among(0, null) },
  repetition_penalty: { kind: "meaning", neutral: among(1, null) },
  top_a: { kind: "meaning", neutral: among(0, null) },

  // vLLM and llama.cpp: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
  best_of: { kind: "meaning", neutral: among(1, null) },
  cache_prompt: taste,
  chat_template_kwargs: taste,
  grammar: constraint,
  guided_choice: constraint,
  guided_grammar: constraint,
  guided_json: constraint,
  guided_regex: constraint,
  ignore_eos: whenOn,
  min_tokens: { kind: "meaning", neutral: among(0, null) },
  stop_token_ids: constraint,
  structured_outputs: constraint,
  use_beam_search: whenOn,

  // Azure: https://learn.microsoft.com/azure/ai-foundry/openai/references/on-your-data
  data_sources: constraint,
} as const satisfies FieldTable;
