// Agents' runs: a record each, and counters in memory that are filled from the ledger when a run is seen for the first time. A start
// reads none of them: there may be many, and most are over.
import type { Budget } from "../core/budget";
import type { OpenRun, Runs } from "../core/governance";
import type { KeyMode } from "../core/ids";
import { ZERO_USD } from "../core/money";
import type { Run } from "../core/records";
import type { Backend } from "./backend";
import { type FillParts, fillBudget } from "./budget-fill";
import type { RecordDirectory } from "./directory";
import { storageFailure } from "./storage-failure";

export interface RunParts extends FillParts {
  directory: RecordDirectory;
  reader: Pick<Backend, "spentBefore" | "callsOfRun">;
}

/** So many of each organization are kept. Callers name them as they like: beyond it one that was not used for long is forgotten. */
const RUNS_MAX = 20_000;
/** Among so many that were not used for longest, one is forgotten first that has no limit to keep and was not cancelled. */
const LOOKED_AT = 64;

/** Names hold no slash. */
const organizationOf = (id: string): string => id.slice(0, id.indexOf("/"));
const idOf = (organizationId: string, mode: KeyMode, name: string): string => `${organizationId}/${mode}/${name}`;

export class RunKeeper implements Runs {
  readonly #parts: RunParts;
  readonly #most: number;
  /** Of each organization by id, the one used last at the end. undefined: known, and not counted yet. */
  readonly #runs = new Map<string, Map<string, OpenRun | undefined>>();
  readonly #opening = new Map<string, Promise<OpenRun>>();

  constructor(parts: RunParts, stored: Iterable<Run>, most = RUNS_MAX) {
    this.#parts = parts;
    this.#most = most;
    for (const run of stored) this.#of(run.id).set(run.id, undefined);
  }

  open(first: Omit<Run, "id">): Promise<OpenRun> {
    const id = idOf(first.organizationId, first.mode, first.name);
    const known = this.#used(id);
    if (known) return Promise.resolve(known);
    let opening = this.#opening.get(id);
    if (!opening) {
      // Callers that come at once share one opening: none of them is let through before it is counted.
      opening = this.#begin({ ...first, id }).finally(() => this.#opening.delete(id));
      this.#opening.set(id, opening);
    }
    return opening;
  }

  opened(organizationId: string, mode: KeyMode, name: string): OpenRun | undefined {
    return this.#used(idOf(organizationId, mode, name));
  }

  find(organizationId: string, mode: KeyMode, name: string): Run | undefined {
    const id = idOf(organizationId, mode, name);
    return this.#of(id).get(id)?.run ?? this.#parts.directory.get("run", id);
  }

  list(organizationId: string): readonly Run[] {
    const { directory } = this.#parts;
    return directory
      .list("run", organizationId)
      .map((run) => this.#of(run.id).get(run.id)?.run ?? run)
      .toReversed();
  }

  async change(run: Run): Promise<void> {
    const { directory, reservations } = this.#parts;
    const open = this.#of(run.id).get(run.id);
    if (open) {
      open.run = run;
      reservations.change(budgetOf(run));
    }
    await directory.put("run", run);
    // It was opened in the meantime, from what stood before.
    const since = open ? undefined : this.#of(run.id).get(run.id);
    if (since) {
      since.run = run;
      reservations.change(budgetOf(run));
    }
  }

  #used(id: string): OpenRun | undefined {
    const runs = this.#of(id);
    const open = runs.get(id);
    if (!open) return undefined;
    runs.delete(id);
    runs.set(id, open);
    return open;
  }

  #of(id: string): Map<string, OpenRun | undefined> {
    const organizationId = organizationOf(id);
    const known = this.#runs.get(organizationId);
    if (known) return known;
    const runs = new Map<string, OpenRun | undefined>();
    this.#runs.set(organizationId, runs);
    return runs;
  }

  async #begin(first: Run): Promise<OpenRun> {
    const { directory, reservations, reader } = this.#parts;
    const stored = directory.get("run", first.id);
    let steps = 0;
    if (stored) {
      await fillBudget(budgetOf(stored), this.#parts);
      const { organizationId, name, mode, createdAt } = stored;
      steps = await reader.callsOfRun({ organizationId, run: name, mode, from: createdAt }).catch((error: unknown) => {
        throw storageFailure(error);
      });
    } else {
      await directory.put("run", first);
      reservations.begin(budgetOf(first), []);
      reservations.fill(first.id, []);
    }
    const open: OpenRun = { run: directory.get("run", first.id) ?? first, steps };
    const runs = this.#of(first.id);
    runs.delete(first.id);
    runs.set(first.id, open);
    await this.#forgetOne(runs);
    return open;
  }

  async #forgetOne(runs: Map<string, OpenRun | undefined>): Promise<void> {
    if (runs.size <= this.#most) return;
    const oldest = runs
      .keys()
      .take(Math.min(LOOKED_AT, runs.size - 1))
      .toArray();
    const id = oldest.find((one) => !this.#binds(one)) ?? oldest[0];
    if (id === undefined) return;
    runs.delete(id);
    this.#parts.reservations.remove(id);
    await this.#parts.directory.remove("run", id);
  }

  /** Whether forgetting it would let calls through that it refuses, or will. */
  #binds(id: string): boolean {
    const run = this.#of(id).get(id)?.run ?? this.#parts.directory.get("run", id);
    if (!run) return false;
    return [run.maxUsd, run.maxSteps, run.maxSeconds, run.cancelledAt].some((said) => said !== undefined);
  }
}

/** A run without a limit of its own is counted all the same: its cost is asked for. */
const budgetOf = ({ id, organizationId, name, mode, maxUsd, createdAt }: Run): Budget => ({
  id,
  organizationId,
  scope: { kind: "run", id: name },
  limit: maxUsd ?? ZERO_USD,
  window: { unit: "lifetime", rolling: false, zone: "UTC" },
  hard: maxUsd !== undefined,
  thresholds: [],
  createdAt,
  standsFor: { kind: "run", mode, markupBasisPoints: 0 },
});
