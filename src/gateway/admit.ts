// admit: money is held, durably, for the first target that every scope can bear.

import type { AttemptRecord } from "../core/attempt";
import { BudgetRefused, type BudgetState } from "../core/budget";
import type { Admitted, Attempt, Decision, Planned, Target } from "../core/exchange";
import type { Ports } from "../core/ports";
import { refusedEvents } from "../policy/alert";
import { budgetRefusal } from "./budget-refusal";
import { connectionOf } from "./credential";

/**
 * The first look at the budgets happens before anything is awaited: what fitted when the call was planned fits now. Throws 402 when no
 * target fits, telling of the first, and 503; nothing is held then.
 */
export async function admit(planned: Planned, ports: Ports): Promise<Admitted> {
  let refused: { state: BudgetState; target: Target } | undefined;
  let left = planned;
  for (const [targetIndex, target] of planned.targets.entries()) {
    const held = await hold(left, target, 1, ports);
    if ("record" in held) return { ...left, attempt: held, targetIndex };
    refused ??= { state: held, target };
    left = { ...left, decision: withoutTarget(left.decision, target) };
  }
  if (!refused) throw new Error("A call was planned without a target");
  const now = ports.clock.now();
  for (const event of refusedEvents(refused.state, planned.key.mode, now)) ports.events.emit(event);
  throw budgetRefusal(refused.state, refused.target.bound, now);
}

/** The decision as it turned out: the target was skipped for want of money. */
const withoutTarget = (decision: Decision, { provider, model }: Target): Decision => ({
  ...decision,
  chosen: decision.chosen.filter((one) => one.provider !== provider || one.model !== model),
  excluded: [...decision.excluded, { provider, model, reason: "budget" }],
});

/**
 * Resolves when the hold is durable; from then on exactly one ledger row will follow. Or with the budget that cannot bear it. Rejects
 * 503, and nothing is held.
 */
export async function hold(planned: Planned, target: Target, number: number, ports: Ports): Promise<Attempt | BudgetState> {
  const record = recordOf(planned, target, number, ports.clock.now());
  const heldMs = ports.clock.elapsedMs();
  try {
    await ports.holds.open(record);
  } catch (thrown) {
    if (thrown instanceof BudgetRefused) return thrown.state;
    throw thrown;
  }
  return { id: record.attemptId, number, target, record, heldMs, connection: connectionOf(planned, target.provider, ports) };
}

function recordOf(planned: Planned, target: Target, number: number, heldAt: number): AttemptRecord {
  const { decision, routed } = planned;
  return {
    attemptId: `${planned.requestId}.${number}`,
    requestId: planned.requestId,
    attemptNumber: number,
    heldAt,
    ...planned.counted,
    mode: planned.key.mode,
    door: planned.door,
    provider: target.provider,
    modelRequested: planned.request.model,
    modelServed: target.model,
    stream: planned.request.stream,
    tag: planned.hints.tag,
    tier: target.tier,
    priceVersion: target.price?.version,
    bound: target.bound,
    decision: number === 1 && (routed || decision.excluded.length > 0) ? JSON.stringify(decision) : undefined,
  };
}
