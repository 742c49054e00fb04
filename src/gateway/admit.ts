// admit: money is held, durably, for the first target that every scope can bear.

import type { AttemptRecord } from "../core/attempt";
import type { Admitted, Attempt, Planned, Target } from "../core/exchange";
import type { Ports } from "../core/ports";
import { connectionOf } from "./credential";

export async function admit(planned: Planned, ports: Ports): Promise<Admitted> {
  const target = planned.targets[0] as Target;
  return { ...planned, attempt: await hold(planned, target, 1, ports), targetIndex: 0 };
}

/** Resolves when the hold is durable; from then on exactly one ledger row will follow. Rejects 503, and nothing is held. */
export async function hold(planned: Planned, target: Target, number: number, ports: Ports): Promise<Attempt> {
  const record = recordOf(planned, target, number, ports.clock.now());
  const heldMs = ports.clock.elapsedMs();
  await ports.holds.open(record);
  return { id: record.attemptId, number, target, record, heldMs, connection: connectionOf(planned, target.provider, ports) };
}

function recordOf(planned: Planned, target: Target, number: number, heldAt: number): AttemptRecord {
  return {
    attemptId: `${planned.requestId}.${number}`,
    requestId: planned.requestId,
    attemptNumber: number,
    heldAt,
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
    tier: target.tier,
    priceVersion: target.price?.version,
    bound: target.bound,
    decision: number === 1 && planned.routed ? JSON.stringify(planned.decision) : undefined,
  };
}
