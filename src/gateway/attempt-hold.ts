// withHold: the one place where an attempt is settled, exactly once, whatever happened inside.
import type { Attempt, Planned } from "../core/exchange";
import { asFailure } from "../core/failure";
import type { Outcome, Ports } from "../core/ports";
import { overrunEvent } from "../policy/alert";
import { type Settled, settle } from "../policy/settlement";
import { inputTokensOf } from "./input-count";
import { Meter } from "./meter";

/** Runs `run` with the attempt's meter and settles the attempt when it is over. Never rejects; the caller never waits for the ledger. */
export async function withHold(planned: Planned, attempt: Attempt, ports: Ports, run: (meter: Meter) => Promise<void>): Promise<void> {
  const meter = new Meter();
  try {
    await run(meter);
  } catch (thrown) {
    // `run` reports its failures itself; what arrives here is a bug, and the provider may have billed.
    meter.errorCode = asFailure(thrown).code;
    if (meter.ending === "complete") meter.ending = "broken";
    ports.log.write("error", "attempt_bug", { request_id: planned.requestId, attempt: attempt.number, error: String(thrown) });
  } finally {
    settleAttempt(planned, attempt, meter, ports);
  }
}

/** What the attempt costs as far as it is known now. */
export function settledNow(planned: Planned, attempt: Attempt, meter: Meter): Settled {
  const { target } = attempt;
  return settle(
    {
      ending: meter.ending,
      stream: planned.request.stream,
      reasons: target.reasons,
      blocked: meter.blocked,
      usage: meter.usage,
      countInputTokens: () => inputTokensOf(planned),
      countOutputTokens: () => meter.countOutputTokens(),
    },
    target.price,
    target.bound,
  );
}

/** Tokens that a rate limit counts. undefined: nobody knows. */
function tokensOf({ settlement, usage }: Settled): number | undefined {
  if (settlement === "released") return 0;
  return usage?.inputTokens === undefined ? undefined : usage.inputTokens + (usage.outputTokens ?? 0);
}

/** What a limit that is put in must leave room for: whole answers only, and the provider's own figures. */
function noteLength(planned: Planned, { target }: Attempt, meter: Meter, { usage, usageSource }: Settled, ports: Ports): void {
  if (meter.ending !== "complete" || usageSource !== "provider" || usage?.outputTokens === undefined) return;
  const length = Math.ceil(usage.outputTokens / (planned.request.choices ?? 1));
  const cut = target.injectedMaxTokens !== undefined && length >= target.injectedMaxTokens;
  ports.lengths.saw(target.provider, target.model, length, cut);
}

function settleAttempt(planned: Planned, attempt: Attempt, meter: Meter, ports: Ports): void {
  const settled = meter.final ?? settledNow(planned, attempt, meter);
  if (settled.overrun) {
    meter.flags.add("overrun");
    ports.events.emit(overrunEvent(attempt.record, settled.cost));
  }
  planned.claim?.used(tokensOf(settled));
  noteLength(planned, attempt, meter, settled, ports);
  const outcome: Outcome = {
    settlement: settled.settlement,
    usage: settled.usage,
    usageSource: settled.usageSource,
    cost: settled.cost,
    upstreamStatus: meter.upstreamStatus,
    errorCode: meter.errorCode,
    finishReason: meter.finishReason,
    latencyMs: ports.clock.elapsedMs() - attempt.heldMs,
    timeToFirstChunkMs: meter.firstChunkMs === undefined ? undefined : meter.firstChunkMs - attempt.heldMs,
    flags: meter.raised,
  };
  const { record } = attempt;
  const settling = ports.ledger.settle(record, outcome);
  // From that call on the rest of the hold is free.
  ports.waiting.freed(record.organizationId, ports.clock.elapsedMs());
  settling.catch((error: unknown) => {
    // The hold stays in the database and is charged at the next start: nothing is lost, and the operator must know.
    ports.log.write("error", "settle_failed", { request_id: planned.requestId, attempt: attempt.number, error: String(error) });
  });
  ports.log.write("info", "attempt", {
    request_id: planned.requestId,
    attempt: attempt.number,
    key_id: record.keyId,
    provider: record.provider,
    model: record.modelServed,
    status: outcome.upstreamStatus,
    error: outcome.errorCode,
    settlement: outcome.settlement,
    cost_nano_usd: outcome.cost?.toString(),
    latency_ms: Math.round(outcome.latencyMs),
  });
}
