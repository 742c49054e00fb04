// What Google's errors mean: https://ai.google.dev/gemini-api/docs/troubleshooting, details in google.rpc's error_details.proto.
// The HTTP status alone is unreliable: a bad key is a 400.
import { Failure, type FailureCode, type FailureOptions } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { countOf, itemsOf, type JsonObject, objectOf, parseJson, textOf } from "./provider-json";
import { retryAfterMs, safeProviderMessage } from "./provider-message";

/** "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576)." */
const CONTEXT_LENGTH = /input token count.*exceeds the maximum/i;
const BAD_KEY = /api key not (?:valid|found)|api key expired/i;

/** What an error answer means. `headers` are lower-case. */
export function decodeGeminiError(status: number, headers: HeaderView, body: string): ProviderError {
  const parsed = parseJson(body);
  // A stream without `alt=sse` wraps its error in the array as well.
  const json = objectOf(Array.isArray(parsed) ? parsed[0] : parsed);
  return meaningOf(status, objectOf(json?.["error"]), retryAfterMs(headers));
}

/** The failure of an error object inside a stream, or in place of an answer. */
export function failureInStream(json: JsonObject): Failure {
  const error = objectOf(json["error"]);
  const message = textOf(error?.["message"]);
  return new Failure("upstream_error", message ? `The provider failed: ${safeProviderMessage(message)}` : "The provider failed", {
    says: { status: countOf(error?.["code"]) ?? 500, type: textOf(error?.["status"]) },
  });
}

function meaningOf(status: number, error: JsonObject | undefined, headerDelay: number | undefined): ProviderError {
  const said = textOf(error?.["message"]) ?? "";
  const message = said === "" ? undefined : safeProviderMessage(said);
  const details = itemsOf(error?.["details"]).map((detail) => objectOf(detail) ?? {});
  const reason = reasonOf(details);
  const options: FailureOptions = { says: { status, type: textOf(error?.["status"]), code: reason } };
  const fail = (code: FailureCode, text: string, retry: ProviderError["retry"], more: FailureOptions = {}): ProviderError => ({
    failure: new Failure(code, text, { ...options, ...more }),
    retry,
  });
  const refused = message ?? `The provider refused the request (${status})`;
  const retryAfter = headerDelay ?? delayOf(details, said);

  if (status === 401 || status === 403 || reason === "API_KEY_INVALID" || BAD_KEY.test(said))
    return fail("provider_auth_failed", "The provider refused the gateway's credential", "elsewhere");
  if (status === 404) return fail("model_not_found", refused, "never", { param: "model" });
  if (status === 413) return fail("request_too_large", refused, "never");
  if (status === 429)
    return fail("rate_limit_exceeded", message ?? "The provider's rate limit is reached", lastsTheDay(details) ? "elsewhere" : "same", {
      retryAfterMs: retryAfter,
    });
  if (status === 408 || status === 504) return fail("upstream_timeout", "The provider ran out of time", "same");
  // CANCELLED: the provider gave the call up, not the caller.
  if (status === 499) return fail("upstream_error", "The provider cancelled the call", "same");
  // FAILED_PRECONDITION is about the account (region, billing), not about the request.
  if (error?.["status"] === "FAILED_PRECONDITION")
    return fail("upstream_error", "The gateway's account at the provider cannot be used for this call", "elsewhere");
  if (status >= 400 && status < 500 && status !== 409)
    return CONTEXT_LENGTH.test(said)
      ? fail("context_length_exceeded", refused, "never", { param: "messages" })
      : fail("invalid_value", refused, "never");
  // Neither an answer nor an error (a redirect, say): the same again would be the same.
  const retry = status >= 400 ? "same" : "elsewhere";
  return fail("upstream_error", message === undefined ? `The provider failed (${status})` : `The provider failed: ${message}`, retry, {
    retryAfterMs: retryAfter,
  });
}

const ofType = (details: readonly JsonObject[], name: string): JsonObject | undefined =>
  details.find((detail) => detail["@type"] === `type.googleapis.com/google.rpc.${name}`);

const reasonOf = (details: readonly JsonObject[]): string | undefined => textOf(ofType(details, "ErrorInfo")?.["reason"]);

/** `RetryInfo.retryDelay` is a protobuf duration ("48s", "48.939935699s"); the message has the same figure with its decimals. */
function delayOf(details: readonly JsonObject[], message: string): number | undefined {
  const told = /^(\d{1,9}(?:\.\d+)?)s$/.exec(textOf(ofType(details, "RetryInfo")?.["retryDelay"]) ?? "")?.[1];
  const written = /retry in (\d{1,9}(?:\.\d+)?)s/i.exec(message)?.[1];
  const seconds = [told, written].flatMap((text) => (text === undefined ? [] : [Number(text)]));
  return seconds.length > 0 ? Math.ceil(Math.max(...seconds) * 1000) : undefined;
}

/** A quota counted by the day is not back after a short wait. */
const lastsTheDay = (details: readonly JsonObject[]): boolean =>
  itemsOf(ofType(details, "QuotaFailure")?.["violations"]).some((violation) =>
    (textOf(objectOf(violation)?.["quotaId"]) ?? "").includes("PerDay"),
  );
