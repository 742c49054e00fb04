// What Anthropic's errors mean: https://platform.claude.com/docs/en/api/errors
import { Failure, type FailureCode, type FailureOptions } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { type JsonObject, objectOf, parseJson, textOf } from "./provider-json";
import { retryAfterMs, safeProviderMessage } from "./provider-message";

/** The status that goes with a type, for errors that arrive inside a stream. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** The first word of "temperature: range: 0..1" or "`temperature` may only be set to 1 …", by the caller's names. Deeper paths count turns as they went out, not as they came in. */
const PARAM_OF_FIELD: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_p: "top_p",
  top_k: "top_k",
  max_tokens: "max_completion_tokens",
  stop_sequences: "stop",
  messages: "messages",
  system: "messages",
  tools: "tools",
  tool_choice: "tool_choice",
  thinking: "reasoning_effort",
  output_config: "response_format",
  output_format: "response_format",
  metadata: "user",
};

/** "prompt is too long: 3333404 tokens > 200000 maximum"; "input length and `max_tokens` exceed context limit: …" */
const CONTEXT_LENGTH = /prompt is too long|exceed(?:s)? context limit|exceeds? the context window/i;
/** An empty account is a 400 of type invalid_request_error. */
const OUT_OF_CREDIT = /credit balance is too low/i;

/** What an error answer means. `headers` are lower-case. */
export function decodeAnthropicError(status: number, headers: HeaderView, body: string): ProviderError {
  const error = objectOf(objectOf(parseJson(body))?.["error"]);
  return meaningOf(status, error, retryAfterMs(headers));
}

/** The failure of an `event: error` inside a stream, or of an error object in place of an answer. */
export function failureInStream(event: JsonObject): Failure {
  const error = objectOf(event["error"]);
  const type = textOf(error?.["type"]);
  const message = textOf(error?.["message"]);
  return new Failure("upstream_error", message ? `The provider failed: ${safeProviderMessage(message)}` : "The provider failed", {
    says: { status: (type === undefined ? undefined : STATUS_OF_TYPE[type]) ?? 500, type },
  });
}

function meaningOf(status: number, error: JsonObject | undefined, retryAfter: number | undefined): ProviderError {
  const type = textOf(error?.["type"]);
  const said = textOf(error?.["message"]);
  const message = said === undefined ? undefined : safeProviderMessage(said);
  const options: FailureOptions = { says: { status, type } };
  const fail = (code: FailureCode, text: string, retry: ProviderError["retry"], more: FailureOptions = {}): ProviderError => ({
    failure: new Failure(code, text, { ...options, ...more }),
    retry,
  });
  const refused = message ?? `The provider refused the request (${status})`;

  if (status === 401 || status === 403) return fail("provider_auth_failed", "The provider refused the gateway's credential", "elsewhere");
  if (status === 402 || (status === 400 && OUT_OF_CREDIT.test(said ?? "")))
    return fail("upstream_error", "The gateway's account at the provider is out of credit", "elsewhere");
  if (status === 404) return fail("model_not_found", refused, "never", { param: "model" });
  if (status === 413) return fail("request_too_large", refused, "never");
  if (status === 429)
    return fail("rate_limit_exceeded", message ?? "The provider's rate limit is reached", spendLimit(error) ? "elsewhere" : "same", {
      retryAfterMs: retryAfter,
    });
  if (status === 408 || status === 504) return fail("upstream_timeout", "The provider ran out of time", "same");
  if (status >= 400 && status < 500 && status !== 409)
    return CONTEXT_LENGTH.test(said ?? "")
      ? fail("context_length_exceeded", refused, "never", { param: "messages" })
      : fail("invalid_value", refused, "never", { param: paramOf(said) });
  // Neither an answer nor an error (a redirect, say): the same again would be the same.
  const retry = status >= 400 ? "same" : "elsewhere";
  return fail("upstream_error", message === undefined ? `The provider failed (${status})` : `The provider failed: ${message}`, retry, {
    retryAfterMs: retryAfter,
  });
}

/** A monthly spend stop comes as a rate limit; waiting does not help. */
const spendLimit = (error: JsonObject | undefined): boolean =>
  objectOf(error?.["details"])?.["error_code"] === "enforced_spend_limit_reached";

function paramOf(message: string | undefined): string | undefined {
  const field = /^`?([a-z_]+)`?[.:[\s]/.exec(message ?? "")?.[1];
  return field === undefined ? undefined : PARAM_OF_FIELD[field];
}
