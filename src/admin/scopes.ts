// Scopes as administrators write them: `organization[:ID]`, `team:ID`, `project:ID`, `key:ID`, `user:NAME`, `agent:NAME`, `run:NAME`.
import { SCOPE_KINDS, type Scope, type ScopeKind } from "../core/budget";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { type Fields, notFound, quoted } from "./fields";
import { findKey, keysNamed, keysOf } from "./key-find";
import { DEFAULT_ORGANIZATION, organizationNamed } from "./organizations";
import { namedRecord } from "./place";

export interface ScopeRead {
  scope: Scope;
  organizationId: string;
}

/** What calls may carry as a user's, an agent's or a run's name. */
const TAG = /^[A-Za-z0-9_.:-]{1,64}$/;

const FORMS: Readonly<Record<ScopeKind, string>> = {
  organization: "organization",
  team: "team:ID",
  project: "project:ID",
  key: "key:ID",
  user: "user:NAME",
  agent: "agent:NAME",
  run: "run:NAME",
};

/**
 * The field `scope`. Where no organization was named, the scope's own is meant. Teams, projects and keys may be given by their name.
 * Throws 404 for one that is not there.
 */
export async function readScope(
  fields: Fields,
  kinds: readonly ScopeKind[],
  asked: string | undefined,
  noun: string,
  ports: Ports,
): Promise<ScopeRead> {
  return scopeOf(fields.needed("scope", noun), fields.param("scope"), kinds, asked, ports);
}

/** As `readScope`, of a text; `param` is where it stood. */
export async function scopeOf(
  text: string,
  param: string,
  kinds: readonly ScopeKind[],
  asked: string | undefined,
  ports: Ports,
): Promise<ScopeRead> {
  const colon = text.indexOf(":");
  const word = colon === -1 ? text : text.slice(0, colon);
  const id = colon === -1 ? undefined : text.slice(colon + 1);
  const kind = SCOPE_KINDS.find((one) => one === word);
  if (kind === undefined || !kinds.includes(kind) || id === "" || (id === undefined && kind !== "organization")) {
    const forms = kinds.map((one) => FORMS[one]);
    throw new Failure("invalid_value", `${param} takes ${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}.`, { param });
  }
  const organizationId = asked ?? DEFAULT_ORGANIZATION;
  switch (kind) {
    case "organization":
      return organizationScope(id, asked, param, ports);
    case "team":
    case "project":
      return recordScope(kind, id ?? "", asked, param, ports);
    case "key":
      return keyScope(id ?? "", asked, param, ports);
    case "user":
    case "agent":
    case "run":
      if (!TAG.test(id ?? ""))
        throw new Failure("invalid_value", `${param} names a ${kind} with 1 to 64 characters of A-Z a-z 0-9 _ . : -`, { param });
      return { scope: { kind, id: id ?? "" }, organizationId };
  }
}

function organizationScope(id: string | undefined, asked: string | undefined, param: string, ports: Ports): ScopeRead {
  const organization = organizationNamed(id ?? asked ?? DEFAULT_ORGANIZATION, ports, param);
  if (asked !== undefined && asked !== organization.id) throw notFound("organization", id ?? "", param);
  return { scope: { kind: "organization", id: organization.id }, organizationId: organization.id };
}

function recordScope(kind: "team" | "project", id: string, asked: string | undefined, param: string, ports: Ports): ScopeRead {
  const anywhere = asked === undefined ? ports.directory.get(kind, id) : undefined;
  const record = anywhere ?? namedRecord(kind, id, asked ?? DEFAULT_ORGANIZATION, ports);
  if (!record) throw notFound(kind, id, param);
  return { scope: { kind, id: record.id }, organizationId: record.organizationId };
}

async function keyScope(id: string, asked: string | undefined, param: string, ports: Ports): Promise<ScopeRead> {
  const named = async () => {
    const keys = await keysNamed(id, asked ?? DEFAULT_ORGANIZATION, ports);
    if (keys.length > 1)
      throw new Failure("invalid_value", `${param}: ${keys.length} keys have the name ${quoted(id)}. Give the id.`, { param });
    return keys[0];
  };
  const key = (await findKey(id, asked, ports)) ?? (await named());
  if (!key) throw notFound("key", id, param);
  if (key.revokedAt !== undefined) throw new Failure("invalid_value", `${param} names ${key.id}, which is revoked.`, { param });
  return { scope: { kind: "key", id: key.id }, organizationId: key.organizationId };
}

export const scopeText = ({ kind, id }: Scope): string => `${kind}:${id}`;

/** The ids of an organization's test keys: their calls count apart. */
export const testKeysOf = async (organizationId: string, ports: Pick<Ports, "keys">): Promise<ReadonlySet<string>> =>
  new Set((await keysOf(organizationId, ports)).filter((key) => key.mode === "test").map((key) => key.id));
