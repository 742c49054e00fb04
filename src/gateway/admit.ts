// admit: money is held, durably, for the first target that every scope can bear.
import type { Admitted, Attempt, Planned, Target } from "../core/exchange";
import type { AttemptRecord, Ports } from "../core/ports";

export async function admit(planned: Planned, ports: Ports): Promise<Admitted> {
  const target = planned.targets[0] as Target;
  return { ...planned, attempt: await hold(planned, target, 1, ports), targetIndex: 0 };
}

/** Resolves when the hold is durable; from then on exactly one ledger row will follow. Rejects 503, and nothing is held. */
export async function hold(planned: Planned, target: Target, number: number, ports: Ports): Promise<Attempt> {
  const attempt: Attempt = {
    id: `${planned.requestId}.${number}`,
    number,
    target,
    heldAt: ports.clock.now(),
    heldMs: ports.clock.elapsedMs(),
  };
  await ports.holds.open(attemptRecord(planned, attempt));
  return attempt;
}

export function attemptRecord(planned: Planned, attempt: Attempt): AttemptRecord {
  const { target } = attempt;
  return {
    attemptId: attempt.id,
    requestId: planned.requestId,
    attemptNumber: attempt.number,
    heldAt: attempt.heldAt,
    organizationId: planned.key.organizationId,
    keyId: planned.key.id,
    mode: planned.key.mode,
    door: planned.door,
    provider: target.provider,
    modelRequested: planned.request.model,
    modelServed: target.model,
    stream: planned.request.stream,
    tag: planned.hints.tag,
    agent: planned.hints.agent,
    run: planned.hints.run,
    user: planned.hints.user ?? planned.request.user?.slice(0, 256),
    priceVersion: target.price?.version,
    bound: target.bound,
    decision: attempt.number === 1 && planned.routed ? JSON.stringify(planned.decision) : undefined,
  };
}
