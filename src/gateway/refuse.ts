// What goes wrong is written to the caller and recorded, once, here.
import type { Accepted, Arrived, Authenticated, Governed } from "../core/exchange";
import { asFailure, type Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Door } from "./door";
import { failureBody, failureHeaders } from "./failure-body";

export function refuse(thrown: unknown, reached: Arrived | Accepted | Authenticated | Governed, door: Door, ports: Ports): Response {
  const failure = asFailure(thrown);
  record(failure, reached, ports);
  if ("claim" in reached) reached.claim?.end(failure.row.status === 402);
  const { requestId } = reached;
  const body = door.dialect.encodeFailure(failureBody(failure, requestId), ports.settings.brand.namespace);
  const headers = failureHeaders(failure, requestId, ports.settings);
  if (door.dialect.requestIdHeader !== undefined) headers.set(door.dialect.requestIdHeader, requestId);
  const attempts = failure.facts?.["attempts"];
  if (attempts !== undefined) headers.set(`x-${ports.settings.brand.namespace}-attempts`, String(attempts));
  return new Response(body, { status: failure.row.status, headers });
}

function record(failure: Failure, reached: Arrived | Accepted | Authenticated | Governed, ports: Ports): void {
  const facts = { request_id: reached.requestId, door: reached.door, status: failure.row.status, error: failure.code };
  if (failure.code === "internal_error") {
    const cause = failure.cause instanceof Error ? (failure.cause.stack ?? failure.cause.message) : String(failure.cause);
    ports.log.write("error", "internal_error", { ...facts, cause });
  }
  const key = "key" in reached ? reached.key : undefined;
  const modelRequested = "request" in reached ? reached.request.model : undefined;
  ports.log.write("info", "refused", { ...facts, key_id: key?.id, model: modelRequested });
  // A call that had attempts is in the ledger already.
  if (!key || failure.facts?.["attempts"] !== undefined) return;
  ports.records.refuse({
    requestId: reached.requestId,
    at: reached.receivedAt,
    organizationId: key.organizationId,
    keyId: key.id,
    mode: key.mode,
    door: reached.door,
    modelRequested: modelRequested?.slice(0, 256),
    status: failure.row.status,
    errorCode: failure.code,
    tag: "hints" in reached ? reached.hints.tag : undefined,
  });
}
