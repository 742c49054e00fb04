// Agents' runs as their callers see them: limits, what is used and left, the steps with their decisions; and their end.
import { Failure } from "../core/failure";
import type { OpenRun } from "../core/governance";
import { addUsd, subUsd, usdNumber, ZERO_USD } from "../core/money";
import type { AuditEntry, Ports } from "../core/ports";
import type { Run } from "../core/records";
import { costOfAll, decisionOf, latencyOf, tokensOfAll } from "./account-audit";
import { usdOrNull } from "./account-cost";
import { readLimit, refuseOthers } from "./account-query";
import type { Viewer } from "./account-viewer";

/** Each run of a page may have to be counted first. */
const MAX_RUNS = 100;
const DEFAULT_RUNS = 20;
const DEFAULT_STEPS = 100;

/** `cursor` (the last run's id), `limit`. Newest first. A `call` key's are those that it began. */
export async function runsDocument(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, ["cursor", "limit"]);
  const limit = readLimit(query.get("limit"), DEFAULT_RUNS, MAX_RUNS);
  const runs = ports.runs.list(viewer.organizationId).filter((run) => mayTell(viewer, run));
  const cursor = query.get("cursor");
  const start = cursor === null ? 0 : runs.findIndex((run) => run.name === cursor) + 1;
  if (cursor !== null && start === 0)
    throw new Failure("invalid_value", "The cursor is not one that this listing has given.", { param: "cursor" });
  const page = runs.slice(start, start + limit);
  const data: object[] = [];
  for (const run of page) data.push(runFigures(await ports.runs.open(run), ports));
  return { object: "list", data, next_cursor: start + limit < runs.length ? (page.at(-1)?.name ?? null) : null };
}

/** With its steps, newest first: `cursor`, `limit` are theirs. Throws 404. */
export async function runDocument(viewer: Viewer, name: string, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, ["cursor", "limit"]);
  const run = runNamed(viewer, name, ports);
  const open = await ports.runs.open(run);
  const { organizationId, mode, createdAt } = run;
  const steps = await ports.records.audit({
    organizationId,
    run: { name, mode },
    from: createdAt,
    cursor: query.get("cursor") ?? undefined,
    limit: readLimit(query.get("limit"), DEFAULT_STEPS),
  });
  return { ...runFigures(open, ports), steps: steps.data.map(stepDocument), next_cursor: steps.nextCursor ?? null };
}

/** Ends the run and those below it: their streams break off with an error event, and further calls are refused. Throws 404, 403. */
export async function cancelRun(viewer: Viewer, name: string, ports: Ports): Promise<object> {
  const run = runNamed(viewer, name, ports);
  if (viewer.key?.policy.role === "read") {
    throw new Failure(
      "model_not_allowed",
      `The key "${viewer.key.name}" has the role read: it sees its organization's figures and ends nothing.`,
    );
  }
  const now = ports.clock.now();
  let ended = 0;
  for (const one of withDescendants(run, ports)) {
    // First no more calls, then none that are under way: nothing slips in between.
    const cancelling = one.cancelledAt === undefined ? ports.runs.change({ ...one, cancelledAt: now }) : undefined;
    const why = new Failure("account_inactive", `The run "${one.name}" was cancelled.`, {
      facts: { scope: `run:${one.name}`, limit: "cancelled" },
    });
    const { organizationId, mode } = one;
    ended += ports.live.cut((call) => call.run === one.name && call.organizationId === organizationId && call.mode === mode, why);
    await cancelling;
  }
  return { ...runFigures(await ports.runs.open(run), ports), ended_calls: ended };
}

const mayTell = ({ mode, onlyKeyId }: Viewer, run: Run): boolean =>
  run.mode === mode && (onlyKeyId === undefined || run.keyId === onlyKeyId);

function runNamed(viewer: Viewer, name: string, ports: Ports): Run {
  const run = ports.runs.find(viewer.organizationId, viewer.mode, name);
  if (run && mayTell(viewer, run)) return run;
  throw new Failure("not_found", `There is no run ${JSON.stringify(name.slice(0, 64))}.`, { param: "id" });
}

/** The run and every run that names it as its parent, and so on. A circle ends where it began. */
function withDescendants(first: Run, ports: Ports): Run[] {
  const all = ports.runs.list(first.organizationId).filter((run) => run.mode === first.mode);
  const found = new Map([[first.name, first]]);
  // A map is gone through in the order of its making, and what is added meanwhile too.
  for (const [name] of found) for (const run of all) if (run.parent === name && !found.has(run.name)) found.set(run.name, run);
  return [...found.values()];
}

function runFigures({ run, steps }: OpenRun, ports: Ports): object {
  const now = ports.clock.now();
  const sums = ports.budgets.state(run.id, run.mode);
  const spent = sums?.spent ?? ZERO_USD;
  const reserved = sums?.reserved ?? ZERO_USD;
  const seconds = Math.max(0, Math.floor(((run.cancelledAt ?? now) - run.createdAt) / 1000));
  const { maxUsd, maxSteps, maxSeconds } = run;
  const leftUsd = maxUsd === undefined ? undefined : subUsd(maxUsd, addUsd(spent, reserved));
  return {
    object: "run",
    id: run.name,
    status: run.cancelledAt === undefined ? "open" : "cancelled",
    key_id: run.keyId,
    agent: run.agent ?? null,
    parent: run.parent ?? null,
    created_at: new Date(run.createdAt).toISOString(),
    cancelled_at: run.cancelledAt === undefined ? null : new Date(run.cancelledAt).toISOString(),
    ...(run.mode === "test" ? { test: true } : {}),
    limits: { max_usd: usdOrNull(maxUsd), max_steps: maxSteps ?? null, max_seconds: maxSeconds ?? null },
    used: { usd: usdNumber(spent), reserved_usd: usdNumber(reserved), steps, seconds },
    left: {
      usd: leftUsd === undefined ? null : usdNumber(leftUsd > 0n ? leftUsd : ZERO_USD),
      steps: maxSteps === undefined ? null : Math.max(0, maxSteps - steps),
      seconds: maxSeconds === undefined ? null : Math.max(0, maxSeconds - seconds),
    },
  };
}

function stepDocument(entry: AuditEntry): object {
  const last = entry.attempts.at(-1);
  return {
    object: "run_step",
    request_id: entry.requestId,
    time: new Date(entry.at).toISOString(),
    key_id: entry.keyId,
    door: entry.door,
    status: entry.status,
    error: entry.errorCode ?? null,
    model_requested: entry.modelRequested ?? null,
    model_served: last?.modelServed ?? null,
    provider: last?.provider ?? null,
    tokens: tokensOfAll(entry.attempts),
    cost_usd: usdOrNull(costOfAll(entry.attempts)),
    latency_ms: latencyOf(entry),
    attempts: entry.attempts.length,
    decision: decisionOf(entry),
  };
}
