// The table of product.md, "Errors", written out once more by hand: neither may change without the other.
import { describe, expect, test } from "bun:test";
import { asFailure, FAILURES, Failure, type FailureCode } from "../../src/core/failure";

/** status, type, code on native gateways, what the caller is told about repeating. */
type Row = readonly [status: number, type: string, native: string, callerRetry: "no" | "after" | "unsaid"];

const EXPECTED: Readonly<Record<string, Row>> = {
  invalid_json: [400, "invalid_request_error", "INVALID_JSON", "unsaid"],
  invalid_type: [400, "invalid_request_error", "INVALID_TYPE", "unsaid"],
  invalid_value: [400, "invalid_request_error", "INVALID_VALUE", "unsaid"],
  missing_required_parameter: [400, "invalid_request_error", "MISSING_REQUIRED_PARAMETER", "unsaid"],
  unsupported_parameter: [400, "invalid_request_error", "UNSUPPORTED_PARAMETER", "unsaid"],
  context_length_exceeded: [400, "invalid_request_error", "CONTEXT_LENGTH_EXCEEDED", "unsaid"],
  model_not_priced: [400, "invalid_request_error", "MODEL_NOT_PRICED", "unsaid"],
  unbounded_request: [400, "invalid_request_error", "UNBOUNDED_REQUEST", "unsaid"],
  pii_detected: [400, "invalid_request_error", "PII_DETECTED", "unsaid"],
  invalid_tag: [400, "invalid_request_error", "INVALID_TAG", "unsaid"],
  missing_key: [400, "invalid_request_error", "MISSING_NAMESPACE_KEY", "unsaid"],
  missing_auth: [400, "invalid_request_error", "MISSING_AUTH", "unsaid"],
  unknown_provider: [400, "invalid_request_error", "UNKNOWN_PROVIDER", "unsaid"],
  invalid_api_key: [401, "authentication_error", "INVALID_NAMESPACE_KEY", "unsaid"],
  key_expired: [401, "authentication_error", "INVALID_NAMESPACE_KEY", "unsaid"],
  insufficient_quota: [402, "insufficient_quota", "PAYMENT_REQUIRED", "no"],
  budget_exceeded: [402, "insufficient_quota", "PAYMENT_REQUIRED", "no"],
  model_not_allowed: [403, "permission_error", "FORBIDDEN", "unsaid"],
  key_disabled: [403, "permission_error", "FORBIDDEN", "unsaid"],
  region_not_allowed: [403, "permission_error", "FORBIDDEN", "unsaid"],
  ip_not_allowed: [403, "permission_error", "FORBIDDEN", "unsaid"],
  account_inactive: [403, "permission_error", "ACCOUNT_INACTIVE", "unsaid"],
  model_not_found: [404, "invalid_request_error", "NOT_FOUND", "unsaid"],
  unknown_url: [404, "invalid_request_error", "NOT_FOUND", "unsaid"],
  not_found: [404, "invalid_request_error", "NOT_FOUND", "unsaid"],
  request_timeout: [408, "invalid_request_error", "REQUEST_TIMEOUT", "unsaid"],
  request_too_large: [413, "invalid_request_error", "REQUEST_TOO_LARGE", "unsaid"],
  unscannable_content: [415, "invalid_request_error", "UNSCANNABLE_CONTENT", "unsaid"],
  idempotency_in_progress: [409, "idempotency_error", "IDEMPOTENCY_IN_PROGRESS", "after"],
  outcome_unknown: [409, "idempotency_error", "OUTCOME_UNKNOWN", "no"],
  idempotency_mismatch: [422, "idempotency_error", "IDEMPOTENCY_MISMATCH", "unsaid"],
  rate_limit_exceeded: [429, "rate_limit_error", "RATE_LIMITED", "after"],
  upstream_error: [502, "server_error", "PROVIDER_ERROR", "no"],
  stream_truncated: [502, "server_error", "PROVIDER_ERROR", "no"],
  provider_auth_failed: [502, "server_error", "PROVIDER_ERROR", "no"],
  upstream_timeout: [504, "server_error", "PROVIDER_ERROR", "no"],
  no_available_provider: [503, "server_error", "PROVIDER_ERROR", "after"],
  overloaded: [503, "server_error", "UNAVAILABLE", "after"],
  storage_unavailable: [503, "server_error", "UNAVAILABLE", "after"],
  internal_error: [500, "server_error", "INTERNAL", "unsaid"],
};

const codes = Object.keys(FAILURES) as FailureCode[];

describe("the table of failures", () => {
  test("has the codes of the documented one, and no other", () => {
    expect<string[]>([...codes].sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(codes)("%s stands there with its status, type, native code and word about repeating", (code) => {
    const { status, type, native, callerRetry } = FAILURES[code];
    expect([status, type, native, callerRetry]).toEqual([...(EXPECTED[code] as Row)]);
  });

  test("blames nobody but the caller for a 4xx, and never the caller for a 5xx", () => {
    for (const code of codes) {
      const { status, fault } = FAILURES[code];
      expect({ code, fault: fault === "caller" }).toEqual({ code, fault: status < 500 });
    }
  });

  test("asks no other target after a fault of the request, and one after a fault of the provider", () => {
    for (const code of codes) {
      const { fault, retry, status } = FAILURES[code];
      if (fault === "provider") expect({ code, retry }).toEqual({ code, retry: "elsewhere" });
      if (status === 400 || status === 401 || status === 403 || status === 404) expect({ code, retry }).toEqual({ code, retry: "never" });
    }
  });
});

describe("Failure", () => {
  test("carries what the caller may know, its row, and a cause that its message does not show", () => {
    const cause = new Error("sk-canary");
    const failure = new Failure("rate_limit_exceeded", "Slow down.", {
      param: "model",
      cause,
      retryAfterMs: 3_890,
      says: { status: 429, code: "x" },
      facts: { limit: 3 },
    });
    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject({
      code: "rate_limit_exceeded",
      message: "Slow down.",
      param: "model",
      retryAfterMs: 3_890,
      facts: { limit: 3 },
    });
    expect(failure.row).toBe(FAILURES.rate_limit_exceeded);
    expect(failure.cause).toBe(cause);
    expect(failure.message).not.toContain("canary");
  });

  test("what was not said is undefined, not a default", () => {
    const { param, retryAfterMs, says, facts, cause } = new Failure("invalid_json", "No.");
    expect([param, retryAfterMs, says, facts, cause]).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });
});

describe("asFailure()", () => {
  test("leaves a failure as it is", () => {
    const failure = new Failure("invalid_json", "No.");
    expect(asFailure(failure)).toBe(failure);
  });

  test.each<[string, unknown]>([
    ["an error", new Error("secret words: sk-canary")],
    ["a text", "sk-canary"],
    ["nothing", undefined],
    ["null", null],
    ["an object", { message: "sk-canary", code: "invalid_api_key" }],
  ])("makes internal_error of %s, with a fixed message and the thrown as cause", (_, thrown) => {
    const failure = asFailure(thrown);
    expect(failure.code).toBe("internal_error");
    expect(failure.message).not.toContain("canary");
    expect(failure.message).toBe(asFailure(new Error("another")).message);
    expect(failure.cause).toBe(thrown);
  });
});
