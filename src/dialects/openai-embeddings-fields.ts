// The fields of an embeddings request beside `model` and `input`, each with what it is to the vectors:
// https://platform.openai.com/docs/api-reference/embeddings/create
import type { FieldTable } from "./field-table";

export const OPENAI_EMBEDDINGS_FIELDS = {
  dimensions: { kind: "meaning" },
  /** Done at the door: the answer is always in the format that was asked for, whatever the provider answers. */
  encoding_format: { kind: "gateway", done: true },
  /** Only here where it holds tokens or media, as they came: other dialects take texts. */
  input: { kind: "meaning" },
  /** Cohere's and OpenRouter's word for what the vectors are for: models that have it make other vectors by it. */
  input_type: { kind: "meaning" },
  /** Nothing goes out of an embedding but vectors, so this is 0 on every request. */
  max_completion_tokens: { kind: "meaning" },
  metadata: { kind: "hint" },
  /** Mistral's type of numbers. */
  output_dtype: { kind: "meaning", neutral: (value) => value === "float" },
  /** `false` says what is so anyway; anything else is refused when the request is read. */
  stream: { kind: "gateway", done: true },
  /** What becomes of a text that is too long. */
  truncate: { kind: "meaning" },
  user: { kind: "hint" },

  // What callers send to gateways.
  models: { kind: "gateway" },
  provider: { kind: "gateway", done: true },
  usage: { kind: "gateway", done: true },
} as const satisfies FieldTable;
