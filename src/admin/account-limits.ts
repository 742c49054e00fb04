// What binds a caller: every budget, rate limit and prepaid balance of its scopes, with what is left and when it begins anew.
import type { BudgetState, Scope } from "../core/budget";
import type { RateLimits, Standing } from "../core/governance";
import { type NanoUsd, nanoUsd, usdNumber } from "../core/money";
import type { Counted, Ports } from "../core/ports";
import { leftOf } from "../policy/budget";
import { scopeName } from "../policy/budget-book";
import { rateName } from "../policy/rate-limit";
import { resetAt } from "../policy/window";
import { usdOrNull } from "./account-cost";
import { creditsOf } from "./account-credits";
import { refuseOthers } from "./account-query";
import { covers, scopesOfViewer, type Viewer } from "./account-viewer";
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
  readonly limits: RateLimits;
}

function rateLimitsOf(viewer: Viewer, counted: Counted, ports: Ports): object[] {
  const own: RateLimited[] = viewer.key ? [{ scope: { kind: "key", id: viewer.key.id }, limits: viewer.key.policy }] : [];
  const records = ports.directory.list("scope-limits", viewer.organizationId).map(({ scope, ...limits }) => ({ scope, limits }));
  const binding = records.filter(({ scope }) => viewer.onlyKeyId === undefined || covers(scope, counted));
  return [...own, ...binding].flatMap((limited) => rateLimits(limited, viewer, ports));
}

function rateLimits({ scope, limits }: RateLimited, { organizationId, mode }: Viewer, ports: Ports): object[] {
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
  const name = rateName(scopeName(scope.kind, scope.id, organizationId), mode);
  const standing = ports.rates.standing([{ name, limits }], ports.clock.elapsedMs());
  const now = ports.clock.now();
  const minute = (kind: string, of: Standing | undefined) => ({
    kind,
    limit: of?.limit,
    remaining: of?.remaining,
    resets_at: of === undefined || of.resetMs === 0 ? null : new Date(now + of.resetMs).toISOString(),
  });
  const atOnce = concurrency === undefined ? undefined : Math.max(0, concurrency - ports.rates.running(name));
  return [
    minute("requests_per_minute", requestsPerMinute === undefined ? undefined : standing.requests),
    minute("tokens_per_minute", tokensPerMinute === undefined ? undefined : standing.tokens),
    { kind: "concurrency", limit: concurrency, remaining: atOnce, resets_at: null },
  ].flatMap((entry) => (entry.limit === undefined ? [] : [{ object: "limit", scope: scopeText(scope), ...entry }]));
}
