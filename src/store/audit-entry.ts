// One call out of its attempts and its refusal: the same grouping for every backend.
import type { AuditEntry, LedgerRow, Refusal } from "../core/ports";

/** `attempts` in their order. undefined: there is neither an attempt nor a refusal. */
export function auditEntryOf(requestId: string, attempts: readonly LedgerRow[], refusal: Refusal | undefined): AuditEntry | undefined {
  const first = attempts[0];
  const origin = first ?? refusal;
  const at = first?.heldAt ?? refusal?.at;
  if (origin === undefined || at === undefined) return undefined;
  // A call may be refused after a failed attempt (no budget for the next target): then the refusal is how it ended.
  const errorCode = refusal !== undefined ? refusal.errorCode : attempts.at(-1)?.errorCode;
  return {
    requestId,
    at,
    keyId: origin.keyId,
    mode: origin.mode,
    door: origin.door,
    status: refusal !== undefined ? "refused" : errorCode === undefined ? "ok" : "error",
    errorCode,
    modelRequested: origin.modelRequested,
    tag: origin.tag,
    attempts,
  };
}
