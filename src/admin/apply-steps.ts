// One entry of an applied file at a time: found by its name or its scope, then made or changed through the same use-cases as over HTTP.
import { SCOPE_KINDS } from "../core/budget";
import { usdText } from "../core/money";
import type { Ports } from "../core/ports";
import { budgetFields, readTerms, termsDocument } from "./budget-terms";
import { createBudget, overlapping, updateBudget } from "./budgets";
import { fieldsOf } from "./fields";
import { keysNamed } from "./key-find";
import { KEY_TERMS, type KnownModels } from "./key-terms";
import { createKey, keyDocument, updateKey } from "./keys";
import { createLimit, getLimit, limitOf, RATES, updateLimit } from "./limits";
import { createOrganization, getOrganization, updateOrganization } from "./organizations";
import { organizationAsked, organizationOr } from "./place";
import { createProject, getProject, updateProject } from "./projects";
import { readScope, scopeText } from "./scopes";
import { createTeam, getTeam, updateTeam } from "./teams";
import { isoTime } from "./time-text";

export interface StepAsk {
  entry: unknown;
  /** "teams[0]" */
  at: string;
  models: KnownModels;
  ports: Ports;
}

export interface Changed {
  action: "create" | "update" | "unchanged";
  id: string;
  name: string;
  organization: string;
  changed: readonly string[];
  /** Of a key that was made. */
  secret?: string | undefined;
}

export type ApplyStep = (ask: StepAsk) => Promise<Changed>;

async function applyOrganization({ entry, at, ports }: StepAsk): Promise<Changed> {
  const fields = fieldsOf(entry, ["name", "status"], "Organizations", at);
  const name = fields.neededName("An organization");
  const existing = ports.directory.organizations().find((one) => one.name === name);
  if (!existing) {
    const { id } = await createOrganization({ body: entry, at }, ports);
    return made(id, name, id);
  }
  const look = () => getOrganization(existing.id, {}, ports);
  return compared(existing.id, name, existing.id, look, () => updateOrganization(existing.id, { body: entry, at }, ports));
}

async function applyTeam({ entry, at, ports }: StepAsk): Promise<Changed> {
  const fields = fieldsOf(entry, ["name", "organization"], "Teams", at);
  const name = fields.neededName("A team");
  const organization = organizationOr({}, fields, ports);
  const existing = ports.directory.list("team", organization).find((team) => team.name === name);
  if (!existing) return made((await createTeam({ body: entry, at }, ports)).id, name, organization);
  const { id } = existing;
  const look = () => getTeam(id, {}, ports);
  return compared(id, name, organization, look, () => updateTeam(id, { body: without(entry, ["organization"]), at }, ports));
}

async function applyProject({ entry, at, ports }: StepAsk): Promise<Changed> {
  const fields = fieldsOf(entry, ["name", "team", "organization"], "Projects", at);
  const name = fields.neededName("A project");
  const organization = organizationOr({}, fields, ports);
  const existing = ports.directory.list("project", organization).find((project) => project.name === name);
  if (!existing) return made((await createProject({ body: entry, at }, ports)).id, name, organization);
  const { id } = existing;
  const look = () => getProject(id, {}, ports);
  return compared(id, name, organization, look, () => updateProject(id, { body: without(entry, ["organization"]), at }, ports));
}

/** By its name among the keys that are not revoked. Its secret is never in a file: a key that is made is answered this once. */
async function applyKey({ entry, at, models, ports }: StepAsk): Promise<Changed> {
  const fields = fieldsOf(entry, [...KEY_TERMS, "mode", "organization"], "Keys of a file", at);
  const name = fields.neededName("A key");
  const organization = organizationOr({}, fields, ports);
  const [existing, other] = await keysNamed(name, organization, ports);
  if (other) return fields.fail("name", `is the name of several keys (${existing?.id}, ${other.id}): revoke or rename one.`);
  if (!existing) {
    const { id, key } = await createKey({ body: entry, at }, models, ports);
    return { ...made(id, name, organization), secret: key };
  }
  const { id } = existing;
  const mode = fields.choice("mode", ["live", "test"]);
  if (mode !== undefined && mode !== existing.mode) return fields.fail("mode", `cannot change: ${id} is a ${existing.mode} key.`);
  // The end that it has already may be over by now.
  const sameEnd = existing.expiresAt !== undefined && isoTime(String(fields.value("expires_at"))) === existing.expiresAt;
  const body = without(entry, ["organization", "mode", ...(sameEnd ? ["expires_at"] : [])]);
  const look = async () => keyDocument((await keysNamed(name, organization, ports))[0] ?? existing, ports.clock.now());
  return compared(id, name, organization, look, () => updateKey(id, { body, at, organization: organization }, models, ports));
}

/** By its scope. */
async function applyLimit({ entry, at, ports }: StepAsk): Promise<Changed> {
  const fields = fieldsOf(entry, ["scope", "organization", ...RATES], "Limits", at);
  if (String(fields.value("scope")).startsWith("key:")) return made((await createLimit({ body: entry, at }, ports)).id, "", "");
  const found = await readScope(fields, SCOPE_KINDS, organizationAsked({}, fields, ports), "A limit", ports);
  const existing = limitOf(found, ports);
  const name = scopeText(found.scope);
  if (!existing) return made((await createLimit({ body: entry, at }, ports)).id, name, found.organizationId);
  const { id } = existing;
  const body = without(entry, ["scope", "organization"]);
  return compared(
    id,
    name,
    found.organizationId,
    () => getLimit(id, {}, ports),
    () => updateLimit(id, { body, at }, ports),
  );
}

/** By its scope and its window. */
async function applyBudget({ entry, at, ports }: StepAsk): Promise<Changed> {
  const fields = budgetFields({ body: entry, at }, ["scope", "organization"]);
  const { scope, organizationId } = await readScope(fields, SCOPE_KINDS, organizationAsked({}, fields, ports), "A budget", ports);
  const { window } = readTerms(fields);
  const existing = overlapping({ id: "", organizationId, scope, window }, ports);
  const name = `${scopeText(scope)} ${window.rolling ? "rolling " : ""}${window.unit}`;
  if (!existing) return made((await createBudget({ body: entry, at }, ports)).id, name, organizationId);
  const { id } = existing;
  const look = () => {
    const now = ports.directory.get("budget", id) ?? existing;
    return { limit_usd: usdText(now.limit), ...termsDocument(now) };
  };
  return compared(id, name, organizationId, look, () => updateBudget(id, { body: without(entry, ["scope", "organization"]), at }, ports));
}

/** In the order in which they refer to each other. */
export const SECTIONS = {
  organizations: applyOrganization,
  teams: applyTeam,
  projects: applyProject,
  keys: applyKey,
  limits: applyLimit,
  budgets: applyBudget,
} as const satisfies Record<string, ApplyStep>;

export type SectionName = keyof typeof SECTIONS;

const made = (id: string, name: string, organization: string): Changed => ({ action: "create", id, name, organization, changed: [] });

/** Changes it, and says which of its document's fields are others now. */
async function compared(
  id: string,
  name: string,
  organization: string,
  look: () => object | Promise<object>,
  change: () => Promise<unknown>,
): Promise<Changed> {
  const before = new Map(Object.entries(await look()).map(([field, value]) => [field, stable(value)]));
  await change();
  const after = Object.entries(await look());
  const changed = after.filter(([field, value]) => before.get(field) !== stable(value)).map(([field]) => field);
  return { action: changed.length === 0 ? "unchanged" : "update", id, name, organization, changed };
}

/** As text, whatever the order of an object's fields. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort()) : each,
  );

const without = (entry: unknown, names: readonly string[]): unknown =>
  Object.fromEntries(Object.entries(entry as object).filter(([name]) => !names.includes(name)));
