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

/** So many are kept. Callers name them as they like: beyond it the one that was not used for longest is forgotten, limits and all. */
const RUNS_MAX = 20_000;

/** Names hold no slash. */
const idOf = (organizationId: string, mode: KeyMode, name: string): string => `${organizationId}/${mode}/${name}`;

export class RunKeeper implements Runs {
  readonly #parts: RunParts;
  readonly #most: number;
  /** By id, the one used last at the end. undefined: known, and not counted yet. */
  readonly #runs = new Map<string, OpenRun | undefined>();
  readonly #opening = new Map<string, Promise<OpenRun>>();

  constructor(parts: RunParts, stored: Iterable<Run>, most = RUNS_MAX) {
    this.#parts = parts;
    this.#most = most;
    for (const run of stored) this.#runs.set(run.id, undefined);
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
    return this.#runs.get(id)?.run ?? this.#parts.directory.get("run", id);
  }

  list(organizationId: string): readonly Run[] {
    const { directory } = this.#parts;
    return directory
      .list("run", organizationId)
      .map((run) => this.#runs.get(run.id)?.run ?? run)
      .toReversed();
  }

  async change(run: Run): Promise<void> {
    const { directory, reservations } = this.#parts;
    const open = this.#runs.get(run.id);
    if (open) {
      open.run = run;
      reservations.change(budgetOf(run));
    }
    await directory.put("run", run);
    // It was opened in the meantime, from what stood before.
    const since = open ? undefined : this.#runs.get(run.id);
    if (since) {
      since.run = run;
      reservations.change(budgetOf(run));
    }
  }

  #used(id: string): OpenRun | undefined {
    const open = this.#runs.get(id);
    if (!open) return undefined;
    this.#runs.delete(id);
    this.#runs.set(id, open);
    return open;
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
    this.#runs.delete(first.id);
    this.#runs.set(first.id, open);
    await this.#forgetOldest();
    return open;
  }

  async #forgetOldest(): Promise<void> {
    if (this.#runs.size <= this.#most) return;
    const oldest = this.#runs.keys().next();
    if (oldest.done) return;
    this.#runs.delete(oldest.value);
    this.#parts.reservations.remove(oldest.value);
    await this.#parts.directory.remove("run", oldest.value);
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
