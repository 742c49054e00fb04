// The same facts in OpenRouter's shapes, so that its SDKs and the tools that read a balance from it need only another base URL.
// https://openrouter.ai/docs/api-reference
import type { BudgetState, WindowUnit } from "../core/budget";
import { Failure } from "../core/failure";
import { type NanoUsd, usdNumber } from "../core/money";
import type { AuditEntry, Ports } from "../core/ports";
import { periodAt } from "../policy/window";
import { tightestOf } from "./account";
import { callNamed, costOfAll, latencyOf, tokensOfAll } from "./account-audit";
import { usdOrNull } from "./account-cost";
import { creditsOf } from "./account-credits";
import { remainingOf } from "./account-limits";
import { spentSince } from "./account-usage";
import { scopesOfViewer, type Viewer } from "./account-viewer";

/** `id` of the query: the call's request id. Throws 404 for a call that this viewer may not see. */
export async function generationDocument(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  const id = query.get("id");
  if (id === null || id === "") throw new Failure("missing_required_parameter", "id takes the request id of a call.", { param: "id" });
  return { data: generation(await callNamed(viewer, id, "id", ports)) };
}

function generation(entry: AuditEntry): object {
  const { attempts } = entry;
  const last = attempts.at(-1);
  const tokens = tokensOfAll(attempts);
  const cost = usdOrNull(costOfAll(attempts));
  const latency = latencyOf(entry);
  const firstChunk = last?.timeToFirstChunkMs;
  return {
    id: entry.requestId,
    request_id: entry.requestId,
    created_at: new Date(entry.at).toISOString(),
    model: last?.modelServed ?? entry.modelRequested ?? null,
    provider_name: last?.provider ?? null,
    total_cost: cost,
    usage: cost,
    upstream_inference_cost: cost,
    cache_discount: null,
    tokens_prompt: tokens.input,
    tokens_completion: tokens.output,
    native_tokens_prompt: tokens.input,
    native_tokens_completion: tokens.output,
    native_tokens_reasoning: tokens.reasoning,
    native_tokens_cached: tokens.cache_read,
    latency: firstChunk === undefined ? latency : Math.round(firstChunk),
    generation_time: last === undefined ? null : Math.round(last.latencyMs - (firstChunk ?? 0)),
    moderation_latency: null,
    streamed: last?.stream ?? null,
    cancelled: last === undefined ? null : last.flags.includes("caller_gone"),
    finish_reason: last?.finishReason ?? null,
    native_finish_reason: last?.finishReason ?? null,
    provider_responses: attempts.map((row) => ({
      provider_name: row.provider,
      model_permaslug: row.modelServed,
      status: row.upstreamStatus ?? null,
      latency: Math.round(row.latencyMs),
      is_byok: true,
    })),
    // Every provider account here is the operator's own.
    is_byok: true,
    external_user: attempts[0]?.user ?? null,
    session_id: attempts[0]?.run ?? null,
    router: attempts[0]?.decision === undefined ? null : "auto",
    app_id: null,
    origin: null,
    user_agent: null,
    ...(entry.mode === "test" ? { test: true } : {}),
  };
}

const RESETS: Partial<Readonly<Record<WindowUnit, string>>> = { day: "daily", week: "weekly", month: "monthly" };

/** What the asking key has spent, and the tightest hard budget of its own. */
export async function keyDocumentOfOpenRouter(viewer: Viewer, ports: Ports): Promise<object> {
  const { key } = viewer;
  if (!key) throw new Failure("invalid_api_key", "No API key came with the request.");
  const own: Viewer = { ...viewer, onlyKeyId: key.id };
  const now = ports.clock.now();
  const budget = tightestBudget(ports.budgets.states(scopesOfViewer(own, ports), key.mode), key.id);
  const since = (unit: "day" | "week" | "month"): Promise<NanoUsd> =>
    spentSince(own, periodAt({ unit, rolling: false, zone: "UTC" }, now).start, ports);
  const [daily, weekly, monthly] = await Promise.all([since("day"), since("week"), since("month")]);
  return {
    data: {
      label: key.name,
      limit: budget === undefined ? null : usdNumber(budget.budget.limit),
      limit_remaining: budget === undefined ? null : usdNumber(remainingOf(budget)),
      limit_reset: budget === undefined ? null : (RESETS[budget.budget.window.unit] ?? null),
      usage: usdNumber(ports.counters.read(`key:${key.id}`, key.mode).spent),
      usage_daily: usdNumber(daily),
      usage_weekly: usdNumber(weekly),
      usage_monthly: usdNumber(monthly),
      byok_usage: 0,
      is_free_tier: false,
      is_management_key: key.policy.role === "read",
      expires_at: key.expiresAt === undefined ? null : new Date(key.expiresAt).toISOString(),
    },
  };
}

/** A limit of OpenRouter's is the key's own. */
function tightestBudget(states: readonly BudgetState[], keyId: string): BudgetState | undefined {
  const own = states.filter(({ budget }) => budget.hard && budget.scope.kind === "key" && budget.scope.id === keyId);
  return own.reduce<BudgetState | undefined>(
    (least, state) => (least && remainingOf(least) <= remainingOf(state) ? least : state),
    undefined,
  );
}

/** `total_credits` is null where nothing is prepaid: there is no balance to run out. */
export function creditsDocument(viewer: Viewer, ports: Ports): object {
  const credit = tightestOf(creditsOf(viewer, scopesOfViewer(viewer, ports), ports));
  const scope = viewer.onlyKeyId === undefined ? `organization:${viewer.organizationId}` : `key:${viewer.onlyKeyId}`;
  const used = credit ? credit.charged : ports.counters.read(scope, viewer.mode).spent;
  return { data: { total_credits: credit === undefined ? null : usdNumber(credit.credited), total_usage: usdOrNull(used) } };
}
