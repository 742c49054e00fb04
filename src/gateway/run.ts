// An agent's run: its first call makes the record and fixes the limits, each call is a step, and what is cancelled takes no more.
import type { Governed, RunLimits } from "../core/exchange";
import { Failure } from "../core/failure";
import type { OpenRun } from "../core/governance";
import type { NanoUsd } from "../core/money";
import type { Ports } from "../core/ports";
import type { Run } from "../core/records";
import { brandHeaders } from "./brand-headers";

/** A run's ancestors are looked up so far. */
const DEPTH_MAX = 16;

/**
 * Takes a step of the call's run. Throws 400 for limits of no run, 402 `budget_exceeded` when the run's steps or seconds are used up
 * (its money is the hold's to refuse), 403 `account_inactive` when it or a run above it was cancelled. `unheeded`: headers that would
 * have loosened what stands.
 */
export async function stepOfRun(governed: Governed, ports: Ports): Promise<{ run: OpenRun; unheeded: readonly string[] }> {
  const { key, hints } = governed;
  const names = brandHeaders(ports.settings.brand);
  if (hints.run === undefined) {
    throw new Failure("missing_required_parameter", `Limits of a run need the run's name in ${names.run}.`, { param: names.run });
  }
  const said = hints.runLimits ?? {};
  const { organizationId, mode } = key;
  const run =
    ports.runs.opened(organizationId, mode, hints.run) ??
    (await ports.runs.open({
      organizationId,
      mode,
      name: hints.run,
      keyId: key.id,
      agent: governed.counted.agent,
      createdAt: ports.clock.now(),
      ...said,
      // A run above itself would never end.
      parent: said.parent === hints.run ? undefined : said.parent,
    }));
  const { lowered, unheeded } = lower(run.run, said, names);
  if (lowered) await ports.runs.change(lowered);
  requireOpen(run, ports);
  run.steps++;
  return { run, unheeded };
}

/** The run with the stricter of each limit; undefined: as it is. */
function lower(run: Run, said: RunLimits, names: ReturnType<typeof brandHeaders>): { lowered: Run | undefined; unheeded: string[] } {
  const unheeded: string[] = [];
  const stricter = <T extends number | NanoUsd>(stands: T | undefined, wish: T | undefined, name: string): T | undefined => {
    if (wish === undefined || stands === undefined) return wish ?? stands;
    if (wish > stands) unheeded.push(name);
    return wish < stands ? wish : stands;
  };
  const maxUsd = stricter(run.maxUsd, said.maxUsd, names.runBudgetUsd);
  const maxSteps = stricter(run.maxSteps, said.maxSteps, names.runMaxSteps);
  const maxSeconds = stricter(run.maxSeconds, said.maxSeconds, names.runMaxSeconds);
  if (said.parent !== undefined && said.parent !== run.parent) unheeded.push(names.runParent);
  const same = maxUsd === run.maxUsd && maxSteps === run.maxSteps && maxSeconds === run.maxSeconds;
  return { lowered: same ? undefined : { ...run, maxUsd, maxSteps, maxSeconds }, unheeded };
}

function requireOpen({ run, steps }: OpenRun, ports: Ports): void {
  const scope = `run:${run.name}`;
  const cancelled = cancelledAbove(run, ports);
  if (cancelled) {
    const which = cancelled.name === run.name ? "" : ` with the run "${cancelled.name}" above it`;
    throw new Failure("account_inactive", `The run "${run.name}" was cancelled${which}: it makes no more calls.`, {
      facts: { scope, limit: "cancelled" },
    });
  }
  if (run.maxSeconds !== undefined && ports.clock.now() - run.createdAt >= run.maxSeconds * 1000) {
    throw new Failure("budget_exceeded", `The run "${run.name}" has used up its ${run.maxSeconds} seconds.`, {
      facts: { scope, limit: "max_seconds", max_seconds: run.maxSeconds, resets_at: null },
    });
  }
  if (run.maxSteps !== undefined && steps >= run.maxSteps) {
    throw new Failure("budget_exceeded", `The run "${run.name}" has used up its ${run.maxSteps} steps.`, {
      facts: { scope, limit: "max_steps", max_steps: run.maxSteps, steps, resets_at: null },
    });
  }
}

function cancelledAbove(run: Run, ports: Ports): Run | undefined {
  let above: Run | undefined = run;
  for (let depth = 0; above && depth < DEPTH_MAX; depth++) {
    if (above.cancelledAt !== undefined) return above;
    above = above.parent === undefined ? undefined : ports.runs.find(run.organizationId, run.mode, above.parent);
  }
  return undefined;
}
