// What binds a caller: every budget, rate limit and prepaid balance of its scopes, with what is left and when it begins anew.
import type { BudgetState, Scope } from "../core/budget";
import { type NanoUsd, nanoUsd, usdNumber } from "../core/money";
import type { Counted, Ports } from "../core/ports";
import { leftOf } from "../policy/budget";
import { resetAt } from "../policy/window";
import { usdOrNull } from "./account-cost";
import { creditsOf } from "./account-credits";
import { refuseOthers } from "./account-query";
import { covers } from "./account-scope";
import { scopesOfViewer, type Viewer } from "./account-viewer";
import { scopeText } from "./scopes";

/** Names that only a call brings: whoever asks with one sees what would bind a call with it. */
const CALL_NAMES = ["user", "agent", "run"] as const;

/** `user`, `agent`, `run` of the query add the limits of those names. */
export function limitsDocument(viewer: Viewer, query: URLSearchParams, ports: Ports): object {
  refuseOthers(query, CALL_NAMES);
  const counted = withNames(scopesOfViewer(viewer, ports), query);
  const now = ports.clock.now();
  const budgets = budgetsOf(viewer, counted, ports).map((state) => budgetLimit(state, now));
  const credits = creditsOf(viewer, counted, ports).map((credit) => ({
    object: "limit",
    kind: "credits",
    scope: scopeText(credit.account.scope),
    limit_usd: usdNumber(credit.credited),
    spent_usd: usdOrNull(credit.charged),
    reserved_usd: usdOrNull(credit.reserved),
    remaining_usd: usdOrNull(credit.left),
    resets_at: null,
  }));
  return { object: "list", data: [...budgets, ...credits, ...rateLimitsOf(viewer, counted, ports)] };
}

/** A name that the key is bound to wins over the query's, as it does over a call's header. */
function withNames(counted: Counted, query: URLSearchParams): Counted {
  const { agent } = counted;
  return {
    ...counted,
    user: query.get("user") ?? undefined,
    agent: agent ?? query.get("agent") ?? undefined,
    run: query.get("run") ?? undefined,
  };
}

/** Those of one key's scopes; of an organization, all it has. */
export function budgetsOf(viewer: Viewer, counted: Counted, ports: Ports): readonly BudgetState[] {
  if (viewer.onlyKeyId !== undefined) return ports.budgets.states(counted, viewer.mode);
  return ports.directory.list("budget", viewer.organizationId).flatMap(({ id }) => ports.budgets.state(id, viewer.mode) ?? []);
}

export function budgetLimit(state: BudgetState, now: number): object {
  const { budget, spent, reserved } = state;
  const resets = resetAt(budget.window, now);
  return {
    object: "limit",
    kind: "budget",
    id: budget.id,
    scope: scopeText(budget.scope),
    window: budget.window.unit,
    rolling: budget.window.rolling,
    timezone: budget.window.zone,
    hard: budget.hard,
    limit_usd: usdNumber(budget.limit),
    spent_usd: usdNumber(spent),
    reserved_usd: usdNumber(reserved),
    remaining_usd: usdNumber(remainingOf(state)),
    resets_at: resets === undefined ? null : new Date(resets).toISOString(),
    thresholds: budget.thresholds.map(({ percent, action }) => ({ percent, action })),
  };
}

/** A soft budget may be overshot; nothing is left of it then, and never less. */
export function remainingOf(state: BudgetState): NanoUsd {
  const { budget, spent, reserved } = state;
  const rest = budget.limit - spent - reserved;
  return leftOf(state) ?? nanoUsd(rest > 0n ? rest : 0n);
}

interface RateLimited {
  readonly scope: Scope;
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: number | undefined;
}

function rateLimitsOf(viewer: Viewer, counted: Counted, ports: Ports): object[] {
  const own = viewer.key && { scope: { kind: "key", id: viewer.key.id } as const, ...viewer.key.policy };
  const records = ports.directory.list("scope-limits", viewer.organizationId);
  const binding: readonly RateLimited[] = viewer.onlyKeyId === undefined ? records : records.filter(({ scope }) => covers(scope, counted));
  return [...(own ? [own] : []), ...binding].flatMap(rateLimits);
}

function rateLimits({ scope, requestsPerMinute, tokensPerMinute, concurrency }: RateLimited): object[] {
  const kinds = [
    ["requests_per_minute", requestsPerMinute],
    ["tokens_per_minute", tokensPerMinute],
    ["concurrency", concurrency],
  ] as const;
  return kinds.flatMap(([kind, limit]) => (limit === undefined ? [] : [{ object: "limit", kind, scope: scopeText(scope), limit }]));
}
