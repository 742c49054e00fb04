// Why calls went where they went, with what became of it: the decisions that ledger rows keep, for whoever checks the routing.
import { Failure } from "../core/failure";
import { usdNumber } from "../core/money";
import type { AuditEntry, Ports } from "../core/ports";
import { costOfAll, decisionOf, intentOf, latencyOf } from "./account-audit";
import { readLimit, readValues, readWindow, refuseOthers } from "./account-query";
import { scanAudit } from "./account-scan";
import { administratorOf } from "./account-viewer";
import { DEFAULT_ORGANIZATION } from "./organizations";

const DEFAULT_PAGE = 50;
const FILTERS = ["team", "project", "intent"] as const;

/**
 * `team`, `project`, `intent`, `from`, `to`, `organization`, `mode`, `cursor`, `limit` of the query. Newest first; calls without a
 * decision are left out. Throws 400s that name the field, 404 for an organization that is not there.
 */
export async function decisionsDocument(query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, ["from", "to", "organization", "mode", "cursor", "limit"], FILTERS);
  const mode = query.get("mode") ?? "live";
  if (mode !== "live" && mode !== "test") throw new Failure("invalid_value", 'mode takes "live" or "test".', { param: "mode" });
  const viewer = administratorOf(query.get("organization") ?? DEFAULT_ORGANIZATION, mode, ports);
  const [teams, projects, intents] = FILTERS.map((name) => readValues(query, name));
  const wanted = (entry: AuditEntry): boolean => {
    const first = entry.attempts[0];
    if (first?.decision === undefined) return false;
    return meets(teams, first.teamId) && meets(projects, first.projectId) && meets(intents, intentOf(entry));
  };
  const scan = {
    viewer,
    cursor: query.get("cursor") ?? undefined,
    limit: readLimit(query.get("limit"), DEFAULT_PAGE),
    ...readWindow(query),
  };
  const listing = await scanAudit(scan, wanted, ports);
  return { object: "list", data: listing.data.map(decisionDocument), next_cursor: listing.nextCursor ?? null };
}

const meets = (asked: readonly string[] | undefined, value: string | undefined): boolean =>
  asked === undefined || (value !== undefined && asked.includes(value));

function decisionDocument(entry: AuditEntry): object {
  const { attempts } = entry;
  const [first, last] = [attempts[0], attempts.at(-1)];
  const cost = costOfAll(attempts);
  return {
    object: "decision",
    request_id: entry.requestId,
    time: new Date(entry.at).toISOString(),
    key_id: entry.keyId,
    team_id: first?.teamId ?? null,
    project_id: first?.projectId ?? null,
    tag: entry.tag ?? null,
    intent: intentOf(entry) ?? null,
    model_requested: entry.modelRequested ?? null,
    provider: last?.provider ?? null,
    model_served: last?.modelServed ?? null,
    ...(entry.mode === "test" ? { test: true } : {}),
    decision: decisionOf(entry),
    cost_usd: cost === undefined ? null : usdNumber(cost),
    latency_ms: latencyOf(entry),
    first_chunk_ms: last?.timeToFirstChunkMs === undefined ? null : Math.round(last.timeToFirstChunkMs),
    outcome: { status: entry.status, error: entry.errorCode ?? null, attempts: attempts.length, finish_reason: last?.finishReason ?? null },
  };
}
