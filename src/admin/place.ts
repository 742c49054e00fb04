// Where an administrator's request looks: in the organization that it names, or, where it names none, at the id itself. Ids are unique
// everywhere; what the named organization does not have is not there, whoever else has it.
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { RecordKind, RecordTypes } from "../core/records";
import { type Fields, nameText, notFound, quoted } from "./fields";
import { DEFAULT_ORGANIZATION, organizationNamed } from "./organizations";

/** A request: its body, and `?organization=`. */
export interface Ask {
  readonly body?: unknown;
  /** Where the body stands in a larger one ("teams[0]"). */
  readonly at?: string | undefined;
  readonly organization?: string | undefined;
}

/** The id of the organization that the body or the query names; undefined: neither does. Throws 404 for one that is not there. */
export function organizationAsked(ask: Ask, fields: Fields | undefined, ports: Pick<Ports, "directory">): string | undefined {
  const inBody = fields?.text("organization");
  const param = fields?.param("organization") ?? "organization";
  const inQuery = ask.organization === undefined ? undefined : organizationNamed(ask.organization, ports).id;
  const named = inBody === undefined ? undefined : organizationNamed(inBody, ports, param).id;
  if (named !== undefined && inQuery !== undefined && named !== inQuery)
    throw new Failure("invalid_value", `${param} is another organization than the query's.`, { param });
  return named ?? inQuery;
}

/** As `organizationAsked`, with the default where none is named. */
export const organizationOr = (ask: Ask, fields: Fields | undefined, ports: Pick<Ports, "directory">): string =>
  organizationAsked(ask, fields, ports) ?? DEFAULT_ORGANIZATION;

/** What people call each kind of record. */
const NOUNS: Readonly<Record<RecordKind, string>> = {
  team: "team",
  project: "project",
  budget: "budget",
  "scope-limits": "limit",
  credential: "credential",
  webhook: "webhook",
  "credit-account": "credit account",
  run: "run",
};

/** Throws 404 where it is not there, or in another organization than the named one. */
export function recordFound<K extends RecordKind>(kind: K, id: string, ask: Ask, ports: Pick<Ports, "directory">): RecordTypes[K] {
  const organizationId = organizationAsked(ask, undefined, ports);
  const found = ports.directory.get(kind, id);
  if (!found || (organizationId !== undefined && found.organizationId !== organizationId)) throw notFound(NOUNS[kind], id, "id");
  return found;
}

/** A team or a project by its id, or by its name in the organization. undefined: there is none. */
export function namedRecord<K extends "team" | "project">(
  kind: K,
  asked: string,
  organizationId: string,
  ports: Pick<Ports, "directory">,
): RecordTypes[K] | undefined {
  const byId = ports.directory.get(kind, asked);
  if (byId && byId.organizationId === organizationId) return byId;
  const wanted = nameText(asked);
  return ports.directory.list(kind, organizationId).find(({ name }) => name === wanted);
}

/** The id of the one that a field names, by id or by name. undefined: the field is absent. Throws 404 by the field's name. */
export function readNamed(
  kind: "team" | "project",
  fields: Fields,
  organizationId: string,
  ports: Pick<Ports, "directory">,
): string | undefined {
  const asked = fields.text(kind);
  if (asked === undefined) return undefined;
  const record = namedRecord(kind, asked, organizationId, ports);
  if (!record) throw notFound(kind, asked, fields.param(kind));
  return record.id;
}

/** The name, if no other record of the kind has it in the organization. */
export function freeName(
  kind: "team" | "project",
  fields: Fields,
  name: string,
  organizationId: string,
  own: string,
  ports: Ports,
): string {
  const other = ports.directory.list(kind, organizationId).find((record) => record.name === name && record.id !== own);
  return other ? fields.fail("name", `${quoted(name)} is the name of ${other.id} already.`) : name;
}
