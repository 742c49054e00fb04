// Stretches of the ledger: by its numbers, and by time through the ids of requests.

/** No attempt is held later than this after its request came. */
export const LONGEST_CALL_MS = 86_400_000;

/** The lowest UUIDv7 of a millisecond: ids in order are calls in order, so a stretch of time is a stretch of their index. */
export function firstIdAt(unixMs: number): string {
  const hex = Math.max(0, Math.floor(unixMs)).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** A stretch of the ledger's numbers, both ends included. */
export interface LedgerSpan {
  first: number;
  last: number;
}
