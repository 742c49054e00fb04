// A failure as the caller reads it. Made here, for every door and every other route.
import { FAILURES, type Failure } from "../core/failure";
import type { Settings } from "../core/settings";
import type { FailureBody } from "../dialects/dialect";

export function failureBody(failure: Failure, requestId: string): FailureBody {
  const { says } = failure;
  return {
    status: failure.row.status,
    message: failure.message,
    type: (failure.row.fault === "caller" ? says?.type : undefined) ?? FAILURES[failure.code].type,
    param: failure.param ?? says?.param ?? null,
    // The provider's own code is what the caller's program looks for, where the fault is the caller's.
    code: (failure.row.fault === "caller" ? says?.code : undefined) ?? failure.code,
    facts: {
      request_id: requestId,
      source: says ? "upstream" : "gateway",
      ...failure.facts,
      ...(says ? { upstream_status: says.status } : {}),
    },
  };
}

/** Headers that every failure carries: who may ask again, and when. */
export function failureHeaders(failure: Failure, requestId: string, settings: Settings): Headers {
  const headers = new Headers({ ...failure.headers, "content-type": "application/json" });
  const { namespace } = settings.brand;
  headers.set("x-request-id", requestId);
  headers.set(`x-${namespace}-request-id`, requestId);
  headers.set(`x-${namespace}-source`, failure.says ? "upstream" : "gateway");
  switch (failure.row.callerRetry) {
    case "no":
      headers.set("x-should-retry", "false");
      break;
    case "after":
      setRetryAfter(headers, failure.retryAfterMs ?? 1_000);
      break;
    case "yes":
    case "unsaid":
      break;
  }
  return headers;
}

function setRetryAfter(headers: Headers, ms: number): void {
  headers.set("retry-after", String(Math.max(1, Math.ceil(ms / 1000))));
  headers.set("retry-after-ms", String(Math.ceil(ms)));
}
