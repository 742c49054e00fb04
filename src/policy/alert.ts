// What happened, as the events that webhooks carry (docs/webhooks.md). Pure; whoever sees it happen emits them.
import type { AttemptRecord } from "../core/attempt";
import type { Budget, BudgetState, Crossing, Scope } from "../core/budget";
import type { GatewayEvent } from "../core/event";
import type { ApiKey } from "../core/exchange";
import type { KeyMode } from "../core/ids";
import { type NanoUsd, nanoUsd, usdText, ZERO_USD } from "../core/money";
import { periodAt, resetAt } from "./window";

const FULL_PERCENT = 100;

const iso = (unixMs: number | undefined): string | null => (unixMs === undefined ? null : new Date(unixMs).toISOString());

export const scopeText = ({ kind, id }: Scope): string => `${kind}:${id}`;

/** The events of one threshold that was reached: the threshold's own where the operator set it, and that of a whole budget. */
export function crossingEvents(crossing: Crossing, mode: KeyMode, now: number): GatewayEvent[] {
  const { budget, percent, action, spent, periodStart } = crossing;
  if (budget.standsFor) return standInEvents(budget, { spent, reserved: ZERO_USD }, false);
  const events: GatewayEvent[] = [];
  if (budget.thresholds.some((threshold) => threshold.percent === percent)) {
    const data = { ...budgetFacts(budget, mode, now), percent, action, spent_usd: usdText(spent), period_start: iso(periodStart) };
    events.push({ type: "budget.threshold", organizationId: budget.organizationId, data });
  }
  if (percent >= FULL_PERCENT) events.push(exceeded(budget, mode, now, { spent_usd: usdText(spent), reserved_usd: null, refused: false }));
  return events;
}

/** A call was refused because the budget cannot bear it. Told once a period, however many are. */
export function refusedEvents({ budget, spent, reserved }: BudgetState, mode: KeyMode, now: number): GatewayEvent[] {
  if (budget.standsFor) return standInEvents(budget, { spent, reserved }, true);
  return [exceeded(budget, mode, now, { spent_usd: usdText(spent), reserved_usd: usdText(reserved), refused: true })];
}

/** A prepaid balance is low, told once between two of its entries. A run that came to its own limit is nobody's business but its caller's. */
function standInEvents(
  { id, organizationId, scope, limit, standsFor }: Budget,
  { spent, reserved }: { spent: NanoUsd; reserved: NanoUsd },
  refused: boolean,
): GatewayEvent[] {
  if (standsFor?.kind !== "credit-account") return [];
  const available = usdText(nanoUsd(limit - spent - reserved));
  const data = {
    account_id: id,
    organization: organizationId,
    scope: scopeText(scope),
    available_usd: available,
    credited_usd: usdText(limit),
    refused,
  };
  return [{ type: "credits.low", organizationId, data, once: `low_${id}_${limit < 0n ? `minus${-limit}` : limit}` }];
}

function exceeded(budget: Budget, mode: KeyMode, now: number, facts: Readonly<Record<string, unknown>>): GatewayEvent {
  return {
    type: "budget.exceeded",
    organizationId: budget.organizationId,
    data: { ...budgetFacts(budget, mode, now), ...facts },
    // With the limit: one that was raised can be exceeded again.
    once: `exceeded_${budget.id}_${mode}_${periodNumber(budget, now)}_${budget.limit}`,
  };
}

/** A rolling window has no periods: it is told once in its length. */
function periodNumber({ window }: Budget, now: number): number {
  if (window.unit === "lifetime") return 0;
  return window.rolling ? Math.floor(now / (resetAt(window, 0) ?? 1)) : periodAt(window, now).start;
}

const budgetFacts = ({ id, organizationId, scope, limit, window, hard }: Budget, mode: KeyMode, now: number): Record<string, unknown> => ({
  budget_id: id,
  organization: organizationId,
  scope: scopeText(scope),
  mode,
  limit_usd: usdText(limit),
  hard,
  window: window.unit,
  rolling: window.rolling,
  timezone: window.zone,
  resets_at: iso(resetAt(window, now)),
});

/** The provider billed more than was held: a bound was wrong, and whoever runs the gateway should know. */
export const overrunEvent = (attempt: AttemptRecord, cost: NanoUsd | undefined): GatewayEvent => ({
  type: "overrun",
  organizationId: attempt.organizationId,
  data: {
    request_id: attempt.requestId,
    attempt: attempt.attemptNumber,
    organization: attempt.organizationId,
    key_id: attempt.keyId,
    mode: attempt.mode,
    provider: attempt.provider,
    model: attempt.modelServed,
    held_usd: attempt.bound === undefined ? null : usdText(attempt.bound),
    cost_usd: cost === undefined ? null : usdText(cost),
  },
});

export const keyEvent = (type: "key.created" | "key.revoked", key: ApiKey, at: number): GatewayEvent => ({
  type,
  organizationId: key.organizationId,
  data: {
    key_id: key.id,
    organization: key.organizationId,
    name: key.name,
    mode: key.mode,
    project: key.policy.projectId ?? null,
    role: key.policy.role ?? "call",
    expires_at: iso(key.expiresAt),
    created_at: iso(key.createdAt),
    ...(type === "key.revoked" ? { revoked_at: iso(key.revokedAt ?? at) } : {}),
  },
});
