// What an error answer means where the provider's error is one sentence: `{"message": …}` or `{"error": …}`.
import { Failure, type FailureCode, type FailureOptions } from "../core/failure";
import type { ProviderError } from "./dialect";
import { safeProviderMessage } from "./provider-message";

/** What the answer says. `message` as it came; `type` is a word of the provider's, where it has one. */
export interface FlatError {
  status: number;
  message: string | undefined;
  type?: string | undefined;
  retryAfterMs: number | undefined;
}

/** How the provider words what its statuses do not tell apart. */
export interface FlatWords {
  /** The prompt is too long. */
  contextLength: RegExp;
  /** A limit that waiting does not lift (a monthly one). */
  lasting: RegExp;
  /** The model broke, whatever the status says: another attempt may do better. */
  modelFailed?: RegExp;
  /** The model lacks what was asked for. */
  unsupported?: RegExp;
  /** The field that a refusal is about, by its name in Chat Completions. */
  paramOf(message: string): string | undefined;
}

export function meaningOfFlatError({ status, message: said = "", type, retryAfterMs }: FlatError, words: FlatWords): ProviderError {
  const message = said === "" ? undefined : shown(said);
  const fail = (code: FailureCode, text: string, retry: ProviderError["retry"], more: FailureOptions = {}): ProviderError => ({
    failure: new Failure(code, text, { says: { status, type }, ...more }),
    retry,
  });
  const refused = message ?? `The provider refused the request (${status})`;
  const failed = message === undefined ? `The provider failed (${status})` : `The provider failed: ${message}`;

  if (status === 401 || status === 403) return fail("provider_auth_failed", "The provider refused the gateway's credential", "elsewhere");
  if (status === 402) return fail("upstream_error", "The gateway's account at the provider is out of credit", "elsewhere");
  if (status === 404) return fail("model_not_found", refused, "never", { param: "model" });
  if (status === 413) return fail("request_too_large", refused, "never");
  if (status === 429)
    return fail("rate_limit_exceeded", message ?? "The provider's rate limit is reached", words.lasting.test(said) ? "elsewhere" : "same", {
      retryAfterMs,
    });
  if (status === 408 || status === 504) return fail("upstream_timeout", "The provider ran out of time", "same");
  if (status >= 400 && words.modelFailed?.test(`${type ?? ""} ${said}`)) return fail("upstream_error", failed, "same", { retryAfterMs });
  // 499: the provider gave the call up, not the caller.
  if (status >= 400 && status < 500 && status !== 409 && status !== 499) {
    const param = words.paramOf(said);
    if (param === undefined && words.contextLength.test(said))
      return fail("context_length_exceeded", refused, "never", { param: "messages" });
    return fail(words.unsupported?.test(said) ? "unsupported_parameter" : "invalid_value", refused, "never", { param });
  }
  // Neither an answer nor an error (a redirect, say): the same again would be the same.
  return fail("upstream_error", failed, status >= 400 ? "same" : "elsewhere", { retryAfterMs });
}

/** The failure of an error inside a stream, or in place of an answer. */
export function flatFailureInStream(message: string | undefined, type?: string): Failure {
  return new Failure("upstream_error", message ? `The provider failed: ${shown(message)}` : "The provider failed", {
    says: { status: 500, type },
  });
}

/** "Incorrect API key provided: x": whatever stands there is a key, even one without a known shape. */
const shown = (message: string): string =>
  safeProviderMessage(message).replace(/(\b(?:api[ _-]?key|token)(?: provided)?\s*[:=]\s*)\S+/gi, "$1[redacted]");
