// Fields of Chat Completions that are services of OpenAI's own: who is compatible with it serves its messages, not these.
// A row adds what its provider refuses beyond them, and takes out what it has too.
const OPENAI_ONLY = [
  "audio",
  "modalities",
  "moderation",
  "prediction",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "service_tier",
  "store",
  "verbosity",
  "web_search_options",
] as const;

/** The list for a row's `unsupported`: OpenAI's own fields without those that the provider `has`, and with what it `lacks`. */
export const openaiOnly = (has: readonly (typeof OPENAI_ONLY)[number][], lacks: readonly string[]): readonly string[] => [
  ...OPENAI_ONLY.filter((name) => !has.includes(name)),
  ...lacks,
];
