// What an error answer of a Chat Completions provider means: https://platform.openai.com/docs/guides/error-codes
// Statuses are unreliable (a bad key is 400 at some, a token budget 413 at another), so the code and the words count too.
import { Failure, type FailureCode, type FailureOptions } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { type JsonObject, objectOf, parseJson, textOf } from "./provider-json";
import { retryAfterMs, safeProviderMessage } from "./provider-message";

interface Said {
  message: string | undefined;
  type: string | undefined;
  code: string | undefined;
  param: string | undefined;
}

const CONTEXT_LENGTH = /context[ _]length|context window|(?:prompt|messages?|input)(?: is)? too long|reduce the length of/i;
const MODEL_GONE = /\binvalid model\b|\bmodel not found\b|supported api model names/i;
const BAD_KEY = /\b(?:incorrect|invalid) api key\b/i;
const OUT_OF_CREDIT = /exceeded your current quota|insufficient (?:balance|credits?|funds)|credit balance/i;
const OUT_OF_CREDIT_CODES = new Set(["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit_balance_exhausted"]);
const MODEL_GONE_CODES = new Set(["model_not_found", "model_decommissioned"]);

/** The nearest of our codes for a fault of the caller's, by the provider's code. */
const CALLER_CODES: Readonly<Record<string, FailureCode>> = {
  context_length_exceeded: "context_length_exceeded",
  unsupported_parameter: "unsupported_parameter",
  unknown_parameter: "unsupported_parameter",
  missing_required_parameter: "missing_required_parameter",
  invalid_type: "invalid_type",
};

/** `headers` are lower-case. The body is never echoed but for the message it holds, less what looks like a key. */
export function decodeOpenaiChatError(status: number, headers: HeaderView, body: string): ProviderError {
  const said = readError(parseJson(body));
  const delay = delayOf(headers);
  if (status === 401 || status === 403 || (status === 400 && isBadKey(said))) return authFailed(status, said);
  if (status === 402 || (status === 429 && isOutOfCredit(said))) {
    return provider("upstream_error", "The gateway's account at the provider is out of credit", "elsewhere", status, said);
  }
  if (status === 429) return rateLimited(status, said, "same", delay);
  if (status === 413 && said.code === "rate_limit_exceeded") return rateLimited(status, said, "elsewhere", delay);
  if (status === 408 || status === 504) return provider("upstream_timeout", "The provider ran out of time", "same", status, said, delay);
  if (status === 409 || status >= 500 || said.code === "tool_use_failed") {
    return provider("upstream_error", failedText(status, said), "same", status, said, delay);
  }
  if (status >= 400) return callersFault(status, said);
  return provider("upstream_error", failedText(status, said), "elsewhere", status, said);
}

/** The failure of an error object that came in place of an answer, or in the middle of a stream. */
export function failureInAnswer(answer: JsonObject): Failure {
  const said = readError(answer);
  const status = Number(said.code);
  return new Failure("upstream_error", failedText(undefined, said), {
    says: { status: status >= 400 && status <= 599 ? status : 200, code: said.code },
  });
}

function authFailed(status: number, said: Said): ProviderError {
  // A 401 quotes the key; a 403 may be about the model, and then its words help.
  const about = status === 403 && said.message && !isBadKey(said) ? `: ${said.message}` : "";
  return provider("provider_auth_failed", `The provider refused the gateway's credential${about}`, "elsewhere", status, said);
}

function rateLimited(status: number, said: Said, retry: ProviderError["retry"], delay: number | undefined): ProviderError {
  return provider("rate_limit_exceeded", said.message ?? "The provider's rate limit is reached", retry, status, said, delay);
}

function callersFault(status: number, said: Said): ProviderError {
  const message = said.message ?? `The provider refused the request (${status})`;
  const code = callersCode(status, said);
  const options: FailureOptions = {
    param: said.param ?? (code === "model_not_found" ? "model" : undefined),
    says: { status, code: said.code, type: said.type, param: said.param },
  };
  return { failure: new Failure(code, message, options), retry: "never" };
}

function callersCode(status: number, said: Said): FailureCode {
  if (status === 404 || MODEL_GONE_CODES.has(said.code ?? "") || MODEL_GONE.test(said.message ?? "")) return "model_not_found";
  if (status === 413) return "request_too_large";
  const byCode = CALLER_CODES[said.code ?? ""];
  if (byCode) return byCode;
  return CONTEXT_LENGTH.test(said.message ?? "") ? "context_length_exceeded" : "invalid_value";
}

/** A fault that is not the caller's: of the provider's own words only the code goes on. */
function provider(
  code: FailureCode,
  message: string,
  retry: ProviderError["retry"],
  status: number,
  said: Said,
  retryAfter?: number,
): ProviderError {
  return { failure: new Failure(code, message, { retryAfterMs: retryAfter, says: { status, code: said.code } }), retry };
}

const failedText = (status: number | undefined, said: Said): string =>
  said.message ? `The provider failed: ${said.message}` : `The provider failed${status === undefined ? "" : ` (${status})`}`;

const isBadKey = (said: Said): boolean => said.code === "invalid_api_key" || BAD_KEY.test(said.message ?? "");
const isOutOfCredit = (said: Said): boolean =>
  OUT_OF_CREDIT_CODES.has(said.code ?? "") || said.type === "insufficient_quota" || OUT_OF_CREDIT.test(said.message ?? "");

/** `{error: {message, …}}`, and the flat shapes of other providers: `{error: "…", code}`, `{error, message}`, `{message, type, code}`, `{detail}`. */
function readError(body: unknown): Said {
  const object = objectOf(body);
  const inner = objectOf(object?.["error"]) ?? object;
  const message = textOf(inner?.["message"]) ?? textOf(object?.["error"]) ?? textOf(object?.["detail"]);
  return {
    message: message === undefined ? undefined : redact(message),
    type: wordOf(inner?.["type"]),
    code: wordOf(inner?.["code"]),
    param: wordOf(inner?.["param"]),
  };
}

const WORD_CHARACTERS_MAX = 200;

/** A short text or number; codes are numbers at some. */
const wordOf = (value: unknown): string | undefined => {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? redact(value.slice(0, WORD_CHARACTERS_MAX)) : undefined;
};

/** "Incorrect API key provided: x": whatever stands there is a key, even one without a known shape. */
const redact = (text: string): string => safeProviderMessage(text).replace(/(\bapi[ _-]?key(?: provided)?\s*[:=]\s*)\S+/gi, "$1[redacted]");

/** The wait that an error asks for. An HTTP date (RFC 9110) is read against the answer's own date, so no clock is needed. */
function delayOf(headers: HeaderView): number | undefined {
  const told = retryAfterMs(headers);
  if (told !== undefined) return told;
  const until = Date.parse(headers.get("retry-after") ?? "") - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(until) ? Math.max(0, until) : undefined;
}
