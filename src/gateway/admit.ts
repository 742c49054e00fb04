// admit: money is held, durably, for the first target that every scope can bear.

import type { AttemptRecord } from "../core/attempt";
import { BudgetRefused, type BudgetState } from "../core/budget";
import type { Admitted, Attempt, Decision, Need, Planned, Target } from "../core/exchange";
import type { Ports } from "../core/ports";
import { refusedEvents } from "../policy/alert";
import { budgetRefusal } from "./budget-refusal";
import { connectionOf } from "./credential";
import type { Door } from "./door";
import { governAgain } from "./govern";
import { plan } from "./plan";
import { enoughIsFree } from "./wait";

/**
 * The first look at the budgets happens before anything is awaited: what fitted when the call was planned fits now. Throws 402 when no
 * target fits, telling of the first, and 503; nothing is held then.
 */
export function admit(planned: Planned, door: Door, ports: Ports, signal: AbortSignal): Promise<Admitted> {
  const need = planned.targets[0]?.need;
  if (!need || !(need.pinched || ports.waiting.blocked(need.budgetId, ports.clock.elapsedMs()))) return admitNow(planned, ports);
  return admitInTurn(planned, need, door, ports, signal);
}

/** Where others hold so much that its answer would be cut short, a call waits for them, for a while, and is planned anew. */
async function admitInTurn(planned: Planned, first: Need, door: Door, ports: Ports, signal: AbortSignal): Promise<Admitted> {
  const sinceMs = ports.clock.elapsedMs();
  let current = planned;
  let need: Need | undefined = first;
  for (let again = true; again && need; ) {
    again = await enoughIsFree(current, need, sinceMs, ports, signal);
    try {
      current = plan(governAgain(current, ports), door, ports);
    } catch (thrown) {
      ports.waiting.freed(planned.counted.organizationId, ports.clock.elapsedMs());
      throw thrown;
    }
    need = current.targets[0]?.need;
    if (!need?.pinched) break;
  }
  const admitting = admitNow(current, ports);
  // It holds by now: what it leaves is for the next who waits.
  ports.waiting.freed(planned.counted.organizationId, ports.clock.elapsedMs());
  return await admitting;
}

async function admitNow(planned: Planned, ports: Ports): Promise<Admitted> {
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
