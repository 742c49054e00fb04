// What an error answer of a Chat Completions provider means: https://platform.openai.com/docs/guides/error-codes
// Statuses are unreliable (a bad key is 400 at some, a token budget 413 at another), so the code and the words count too.
import { Failure, type FailureCode, type FailureOptions } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { readError, type Said } from "./openai-chat-error-body";
import { type JsonObject, parseJson } from "./provider-json";
import { retryAfterMs } from "./provider-message";

const CONTEXT_LENGTH =
  /context[ _](?:length|size|window)|maximum (?:prompt|context|input) length|(?:prompt|messages?|input)(?: is)? too long|reduce the length of|`inputs` tokens/i;
const MODEL_GONE = /\binvalid model\b|\bmodel not found\b|supported api model names|not a valid model/i;
const UNSUPPORTED =
  /does not support (?:the )?parameter|unsupported parameter|property '[^']*' is unsupported|no endpoints found that (?:support|can handle)|not enabled for this model/i;
const BAD_KEY = /\b(?:incorrect|invalid) api key\b/i;
const OUT_OF_CREDIT =
  /exceeded your current quota|insufficient (?:balance|credits?|funds)|credit balance|used all available credits|spending limit|(?:have|has) any credits/i;
/** Statuses under which an empty account is told. */
const OUT_OF_CREDIT_STATUSES: ReadonlySet<number> = new Set([401, 403, 412, 429]);
/** A 403 about what was asked, not about who asks. */
const POLICY = /usage guidelines|content policy|requires moderation|was flagged|safety[ _]check/i;
/** Groq's: no room for calls of this tier. */
const TIER_FULL = 498;
const OUT_OF_CREDIT_CODES = new Set(["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit_balance_exhausted"]);
const MODEL_GONE_CODES = new Set(["model_not_found", "model_decommissioned", "model_not_available", "invalid_model"]);

/** The nearest of our codes for a fault of the caller's, by the provider's code or type. */
const CALLER_CODES: Readonly<Record<string, FailureCode>> = {
  context_length_exceeded: "context_length_exceeded",
  exceed_context_size_error: "context_length_exceeded",
  too_many_prompt_tokens: "context_length_exceeded",
  unsupported_parameter: "unsupported_parameter",
  unknown_parameter: "unsupported_parameter",
  extra_forbidden: "unsupported_parameter",
  missing_required_parameter: "missing_required_parameter",
  missing: "missing_required_parameter",
  invalid_type: "invalid_type",
};

/** `headers` are lower-case. The body is never echoed but for the message it holds, less what looks like a key. */
export function decodeOpenaiChatError(status: number, headers: HeaderView, body: string): ProviderError {
  const said = readError(parseJson(body));
  const delay = delayOf(headers);
  if (status === 402 || (OUT_OF_CREDIT_STATUSES.has(status) && isOutOfCredit(said))) {
    return provider("upstream_error", "The gateway's account at the provider is out of credit", "elsewhere", status, said);
  }
  if (status === 403 && POLICY.test(said.message ?? "")) return callersFault(status, said);
  if (status === 401 || status === 403 || (status === 400 && isBadKey(said))) return authFailed(status, said);
  if (status === TIER_FULL) return rateLimited(status, said, "elsewhere", delay);
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
  const { code = "", type = "", message = "" } = said;
  if (UNSUPPORTED.test(message)) return "unsupported_parameter";
  if (status === 404 || MODEL_GONE_CODES.has(code) || MODEL_GONE_CODES.has(type) || MODEL_GONE.test(message)) return "model_not_found";
  if (status === 413) return "request_too_large";
  const byCode = CALLER_CODES[code] ?? CALLER_CODES[type];
  if (byCode) return byCode;
  return CONTEXT_LENGTH.test(message) ? "context_length_exceeded" : "invalid_value";
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

/** The wait that an error asks for. An HTTP date (RFC 9110) is read against the answer's own date, so no clock is needed. */
function delayOf(headers: HeaderView): number | undefined {
  const told = retryAfterMs(headers);
  if (told !== undefined) return told;
  const until = Date.parse(headers.get("retry-after") ?? "") - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(until) ? Math.max(0, until) : undefined;
}
