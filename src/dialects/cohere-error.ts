// What Cohere's errors mean: https://docs.cohere.com/reference/errors
import type { Failure } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { type FlatWords, flatFailureInStream, meaningOfFlatError } from "./flat-error";
import { type JsonObject, objectOf, parseJson, textOf } from "./provider-json";
import { retryAfterMs } from "./provider-message";

/** "invalid request: temperature must be between 0 and 1.0 inclusive.", by the caller's names. */
const PARAM_OF_FIELD: Readonly<Record<string, string>> = {
  temperature: "temperature",
  p: "top_p",
  k: "top_k",
  max_tokens: "max_completion_tokens",
  stop_sequences: "stop",
  presence_penalty: "presence_penalty",
  frequency_penalty: "frequency_penalty",
  response_format: "response_format",
  tool_choice: "tool_choice",
  tools: "tools",
  messages: "messages",
  thinking: "reasoning_effort",
};

const WORDS: FlatWords = {
  /** "too many tokens: size limit exceeded by 25836 tokens. …" */
  contextLength: /^too many tokens/i,
  /** "You are using a Trial key, which is limited to 1000 API calls / month." */
  lasting: /\/ ?month|per month|monthly/i,
  /** The same as the finish reason ERROR of a stream. */
  modelFailed: /INVALID_TOOL_GENERATION|invalid tool generation/i,
  paramOf(message) {
    // "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model"
    if (/max[ _]tokens must be/i.test(message)) return "max_completion_tokens";
    const field = /^invalid request: '?([a-z_]+)\b/.exec(message)?.[1];
    return field !== undefined && Object.hasOwn(PARAM_OF_FIELD, field) ? PARAM_OF_FIELD[field] : undefined;
  },
};

/** What an error answer means. `headers` are lower-case. */
export function decodeCohereError(status: number, headers: HeaderView, body: string): ProviderError {
  const error = objectOf(parseJson(body));
  const { message, type } = saidIn(error);
  return meaningOfFlatError({ status, message, type, retryAfterMs: retryAfterMs(headers) }, WORDS);
}

/** The failure of an error object in a stream or in place of an answer, or of the end of an answer that failed. */
export function failureInStream(json: JsonObject): Failure {
  const { message, type } = saidIn(json);
  return flatFailureInStream(message, type);
}

const saidIn = (error: JsonObject | undefined): { message: string | undefined; type: string | undefined } => ({
  message: textOf(error?.["message"]) ?? textOf(error?.["error"]),
  type: textOf(error?.["error_type"]),
});
