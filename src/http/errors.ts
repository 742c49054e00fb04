// Failures of routes that are not the line, written in OpenAI's shape.
import { asFailure, type Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { failureBody, failureHeaders } from "../gateway/failure-body";

export function failureResponse(thrown: unknown, requestId: string, ports: Ports): Response {
  const failure = asFailure(thrown);
  if (failure.code === "internal_error") logBug(failure, requestId, ports);
  const { message, type, param, code, facts } = failureBody(failure, requestId);
  const error = { message, type, param, code, [ports.settings.brand.namespace]: facts };
  return new Response(JSON.stringify({ error }), {
    status: failure.row.status,
    headers: failureHeaders(failure, requestId, ports.settings),
  });
}

function logBug(failure: Failure, requestId: string, ports: Ports): void {
  const cause = failure.cause instanceof Error ? (failure.cause.stack ?? failure.cause.message) : String(failure.cause);
  ports.log.write("error", "internal_error", { request_id: requestId, cause });
}
