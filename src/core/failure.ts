// Every way a call can fail, as one table. Thrown, never logged on the way; written to the caller in one place.

/** Who is to blame: decides what is alerted. */
export type Fault = "caller" | "gateway" | "provider";

export interface FailureRow {
  status: number;
  type: string;
  fault: Fault;
  /** What the gateway itself may do: try the same target, another one, or nothing. */
  retry: "never" | "same" | "elsewhere";
  /** What the caller is told: `no` sends x-should-retry: false, `after` sends retry-after. */
  callerRetry: "no" | "yes" | "after" | "unsaid";
  /** The code on native gateways. `NAMESPACE` is replaced by the brand's. */
  native: string;
}

const request = (status: number, native: string) =>
  ({ status, type: "invalid_request_error", fault: "caller", retry: "never", callerRetry: "unsaid", native }) as const;
const money = (native: string) =>
  ({ status: 402, type: "insufficient_quota", fault: "caller", retry: "elsewhere", callerRetry: "no", native }) as const;
const permission = (native: string) =>
  ({ status: 403, type: "permission_error", fault: "caller", retry: "never", callerRetry: "unsaid", native }) as const;
const upstream = (status: number) =>
  ({ status, type: "server_error", fault: "provider", retry: "elsewhere", callerRetry: "no", native: "PROVIDER_ERROR" }) as const;

export const FAILURES = {
  invalid_json: request(400, "INVALID_JSON"),
  invalid_type: request(400, "INVALID_TYPE"),
  invalid_value: request(400, "INVALID_VALUE"),
  missing_required_parameter: request(400, "MISSING_REQUIRED_PARAMETER"),
  unsupported_parameter: request(400, "UNSUPPORTED_PARAMETER"),
  context_length_exceeded: request(400, "CONTEXT_LENGTH_EXCEEDED"),
  model_not_priced: request(400, "MODEL_NOT_PRICED"),
  unbounded_request: request(400, "UNBOUNDED_REQUEST"),
  pii_detected: request(400, "PII_DETECTED"),
  invalid_tag: request(400, "INVALID_TAG"),
  missing_key: request(400, "MISSING_NAMESPACE_KEY"),
  missing_auth: request(400, "MISSING_AUTH"),
  unknown_provider: request(400, "UNKNOWN_PROVIDER"),
  invalid_api_key: {
    status: 401,
    type: "authentication_error",
    fault: "caller",
    retry: "never",
    callerRetry: "unsaid",
    native: "INVALID_NAMESPACE_KEY",
  },
  key_expired: {
    status: 401,
    type: "authentication_error",
    fault: "caller",
    retry: "never",
    callerRetry: "unsaid",
    native: "INVALID_NAMESPACE_KEY",
  },
  insufficient_quota: money("PAYMENT_REQUIRED"),
  budget_exceeded: money("PAYMENT_REQUIRED"),
  model_not_allowed: permission("FORBIDDEN"),
  key_disabled: permission("FORBIDDEN"),
  region_not_allowed: permission("FORBIDDEN"),
  ip_not_allowed: permission("FORBIDDEN"),
  account_inactive: permission("ACCOUNT_INACTIVE"),
  model_not_found: request(404, "NOT_FOUND"),
  unknown_url: request(404, "NOT_FOUND"),
  not_found: request(404, "NOT_FOUND"),
  request_timeout: request(408, "REQUEST_TIMEOUT"),
  request_too_large: request(413, "REQUEST_TOO_LARGE"),
  unscannable_content: request(415, "UNSCANNABLE_CONTENT"),
  idempotency_in_progress: {
    status: 409,
    type: "idempotency_error",
    fault: "caller",
    retry: "never",
    callerRetry: "after",
    native: "IDEMPOTENCY_IN_PROGRESS",
  },
  outcome_unknown: {
    status: 409,
    type: "idempotency_error",
    fault: "caller",
    retry: "never",
    callerRetry: "no",
    native: "OUTCOME_UNKNOWN",
  },
  idempotency_mismatch: {
    status: 422,
    type: "idempotency_error",
    fault: "caller",
    retry: "never",
    callerRetry: "unsaid",
    native: "IDEMPOTENCY_MISMATCH",
  },
  rate_limit_exceeded: {
    status: 429,
    type: "rate_limit_error",
    fault: "caller",
    retry: "elsewhere",
    callerRetry: "after",
    native: "RATE_LIMITED",
  },
  upstream_error: upstream(502),
  stream_truncated: upstream(502),
  provider_auth_failed: upstream(502),
  upstream_timeout: upstream(504),
  no_available_provider: {
    status: 503,
    type: "server_error",
    fault: "provider",
    retry: "elsewhere",
    callerRetry: "after",
    native: "PROVIDER_ERROR",
  },
  overloaded: { status: 503, type: "server_error", fault: "gateway", retry: "never", callerRetry: "after", native: "UNAVAILABLE" },
  storage_unavailable: { status: 503, type: "server_error", fault: "gateway", retry: "never", callerRetry: "after", native: "UNAVAILABLE" },
  internal_error: { status: 500, type: "server_error", fault: "gateway", retry: "never", callerRetry: "unsaid", native: "INTERNAL" },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof FAILURES;

/** What the provider itself said, kept where the caller is better served by it than by our words. */
export interface ProviderSays {
  status: number;
  code?: string | undefined;
  type?: string | undefined;
  param?: string | undefined;
}

export interface FailureOptions {
  /** The request field at fault, in the caller's dialect ("messages[0].content"). */
  param?: string | undefined;
  /** Never shown to the caller. */
  cause?: unknown;
  /** Delay after which a repeat may work. */
  retryAfterMs?: number | undefined;
  says?: ProviderSays | undefined;
  /** The provider's own headers that go on to the caller (rate limits), by lower-case name. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Facts for the caller's `error.tollway`. Never a secret, never a prompt. */
  facts?: Readonly<Record<string, unknown>> | undefined;
}

/** The one error that reaches callers. Its message is safe to show. Everything else becomes `internal_error`. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly says: ProviderSays | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly facts: Readonly<Record<string, unknown>> | undefined;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Failure";
    this.code = code;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
    this.says = options.says;
    this.headers = options.headers;
    this.facts = options.facts;
  }

  /** The same failure with more said of it. */
  with(more: FailureOptions): Failure {
    const { param, cause, retryAfterMs, says, headers, facts } = this;
    return new Failure(this.code, this.message, { param, cause, retryAfterMs, says, headers, ...more, facts: { ...facts, ...more.facts } });
  }

  get row(): FailureRow {
    return FAILURES[this.code];
  }
}

/** The failure behind anything thrown: itself, or `internal_error` with a fixed message and the cause kept for the log. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure("internal_error", "Something went wrong in the gateway. The request id finds the details in its log.", {
    cause: thrown,
  });
}
