// A hold whose process is gone. The call had been dispatched, so the provider may have billed it: charged at its bound, never released.
import type { AttemptRecord } from "../core/attempt";
import type { Outcome } from "../core/ports";

/** What becomes of it. `now` in Unix milliseconds: the latency includes the time the process was away. */
export const orphanOutcome = (attempt: AttemptRecord, now: number): Outcome => ({
  settlement: "ceiling",
  usage: undefined,
  usageSource: "none",
  cost: attempt.bound,
  upstreamStatus: undefined,
  errorCode: "outcome_unknown",
  finishReason: undefined,
  // The wall clock may have been set back in between.
  latencyMs: Math.max(0, now - attempt.heldAt),
  timeToFirstChunkMs: undefined,
  flags: ["orphan", "maybe_billed"],
});
