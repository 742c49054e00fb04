// A file of organizations, teams, projects, keys, limits and budgets, applied: what is missing is made, what differs is changed, what the
// file does not name stays as it is. All of it is rehearsed before anything is written, and a second run changes nothing.
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { type ApplyStep, type Changed, SECTIONS, type SectionName } from "./apply-steps";
import { type Fields, fieldsOf } from "./fields";
import type { KnownModels } from "./key-terms";
import { rehearse } from "./rehearsal";

const ENTRIES_MAX = 1000;
const FAULTS_MAX = 50;

export interface Change {
  section: SectionName;
  /** "teams[0]" */
  at: string;
  name: string;
  organization: string;
  action: Changed["action"];
  /** null: it is not made yet. */
  id: string | null;
  /** The fields that differ. */
  changed: readonly string[];
}

export interface ApplyDocument {
  object: "apply";
  dry_run: boolean;
  created: number;
  updated: number;
  unchanged: number;
  changes: Change[];
  /** Keys that were made, this once. */
  keys: { id: string; name: string; key: string }[];
}

interface Fault {
  param: string;
  code: string;
  message: string;
}

/** `{dry_run?, organizations?, teams?, projects?, keys?, limits?, budgets?}`. Throws the first fault; `faults` of its facts are all. */
export async function applyDocument(body: unknown, models: KnownModels, ports: Ports): Promise<ApplyDocument> {
  const sections = Object.keys(SECTIONS) as SectionName[];
  const fields = fieldsOf(body, ["dry_run", ...sections], "Files that are applied");
  const dryRun = fields.flag("dry_run") ?? false;
  const steps = sections.flatMap((section) => stepsOf(section, fields));
  const planned = await rehearsed(steps, models, rehearse(ports));
  const done = dryRun ? planned : await performed(steps, planned, models, ports);
  const count = (action: Changed["action"]): number => done.filter((one) => one.action === action).length;
  return {
    object: "apply",
    dry_run: dryRun,
    created: count("create"),
    updated: count("update"),
    unchanged: count("unchanged"),
    changes: done.map((changed, i) => changeOf(steps[i], changed, dryRun)),
    keys: done.flatMap(({ id, name, secret }) => (dryRun || secret === undefined ? [] : [{ id, name, key: secret }])),
  };
}

interface Placed {
  section: SectionName;
  at: string;
  entry: unknown;
}

function stepsOf(section: SectionName, fields: Fields): Placed[] {
  return (fields.list(section, ENTRIES_MAX) ?? []).map((entry, i) => ({ section, at: `${section}[${i}]`, entry }));
}

async function rehearsed(steps: readonly Placed[], models: KnownModels, ports: Ports): Promise<Changed[]> {
  const changes: Changed[] = [];
  const faults: Fault[] = [];
  const seen = new Map<string, string>();
  for (const { section, at, entry } of steps) {
    try {
      const changed = await stepOf(section)({ entry, at, models, ports });
      refuseTwin(section, at, changed, seen);
      changes.push(changed);
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.row.fault !== "caller") throw thrown;
      faults.push({ param: thrown.param ?? at, code: thrown.code, message: thrown.message });
      if (faults.length >= FAULTS_MAX) break;
    }
  }
  const [first] = faults;
  if (first) throw new Failure("invalid_value", first.message, { param: first.param, facts: { faults } });
  return changes;
}

const stepOf = (section: SectionName): ApplyStep => SECTIONS[section];

/** One thing named twice would be changed back and forth. */
function refuseTwin(section: SectionName, at: string, { id }: Changed, seen: Map<string, string>): void {
  const first = seen.get(`${section} ${id}`);
  seen.set(`${section} ${id}`, at);
  if (first !== undefined) throw new Failure("invalid_value", `${at} is ${first} once more.`, { param: at });
}

async function performed(steps: readonly Placed[], planned: readonly Changed[], models: KnownModels, ports: Ports): Promise<Changed[]> {
  const changes: Changed[] = [];
  for (const [i, { section, at, entry }] of steps.entries()) {
    const plan = planned[i];
    changes.push(plan?.action === "unchanged" ? plan : await stepOf(section)({ entry, at, models, ports }));
  }
  return changes;
}

const changeOf = (step: Placed | undefined, { action, id, name, organization, changed }: Changed, dryRun: boolean): Change => ({
  section: step?.section ?? "organizations",
  at: step?.at ?? "",
  name,
  organization,
  action,
  id: dryRun && action === "create" ? null : id,
  changed,
});
