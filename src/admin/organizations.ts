// Organizations: made, renamed, suspended. One named `default` is there from the start.
import { publicIdFrom } from "../core/ids";
import type { Page, Ports } from "../core/ports";
import type { Organization, OrganizationStatus } from "../core/records";
import { note } from "./events";
import { fieldsOf, nameText, notFound } from "./fields";
import { type ListDocument, listDocument, pageOf } from "./page";

export const DEFAULT_ORGANIZATION = "default";

const STATUSES = ["active", "suspended", "cancelled"] as const satisfies readonly OrganizationStatus[];

export interface OrganizationDocument {
  object: "organization";
  id: string;
  name: string;
  status: OrganizationStatus;
  /** ISO 8601. */
  created_at: string;
}

/** As `Ask` of place.ts, which builds on this file. */
interface Body {
  readonly body?: unknown;
  readonly organization?: string | undefined;
  /** Where it stands in a larger one. */
  readonly at?: string | undefined;
}

/** A new id of a kind: `team_` + 12 public characters. */
export const newId = (prefix: string, ports: Pick<Ports, "random">): string => `${prefix}_${publicIdFrom(ports.random.bytes(12))}`;

/** The organization of an id, or else of a name. Throws 404 that names `param`. */
export function organizationNamed(asked: string, ports: Pick<Ports, "directory">, param = "organization"): Organization {
  const all = ports.directory.organizations();
  const wanted = nameText(asked);
  const found = all.find(({ id }) => id === asked) ?? all.find(({ name }) => name === wanted);
  if (!found) throw notFound("organization", asked, param);
  return found;
}

/** `{name, status?}` */
export async function createOrganization({ body, at }: Body, ports: Ports): Promise<OrganizationDocument> {
  const fields = fieldsOf(body, ["name", "status"], "Organizations", at);
  const organization: Organization = {
    id: newId("org", ports),
    name: freeName(fields.neededName("An organization"), undefined, ports, (says) => fields.fail("name", says)),
    status: fields.choice("status", STATUSES) ?? "active",
    createdAt: ports.clock.now(),
  };
  await ports.directory.putOrganization(organization);
  await noteChange("created", organization, ports);
  return organizationDocument(organization);
}

export const listOrganizations = (page: Page, ports: Ports): ListDocument =>
  listDocument(pageOf("organizations", ports.directory.organizations(), page), organizationDocument);

export const getOrganization = (id: string, ask: Body, ports: Ports): OrganizationDocument =>
  organizationDocument(existing(id, ask.organization, ports));

/** `{name?, status?}`. A suspended or cancelled organization's keys call nothing from here on. */
export async function updateOrganization(id: string, { body, at, organization: asked }: Body, ports: Ports): Promise<OrganizationDocument> {
  const before = existing(id, asked, ports);
  const fields = fieldsOf(body, ["name", "status"], "Organizations", at);
  const name = fields.name();
  const organization: Organization = {
    ...before,
    name: name === undefined ? before.name : freeName(name, id, ports, (says) => fields.fail("name", says)),
    status: fields.choice("status", STATUSES) ?? before.status,
  };
  await ports.directory.putOrganization(organization);
  await noteChange("updated", organization, ports);
  return organizationDocument(organization);
}

/** `asked`: the organization that the request means; another one is not there for it. */
function existing(id: string, asked: string | undefined, ports: Ports): Organization {
  const found = ports.directory.organizations().find((organization) => organization.id === id);
  if (!found || (asked !== undefined && organizationNamed(asked, ports).id !== id)) throw notFound("organization", id, "id");
  return found;
}

/** The name, if no other organization has it as its name or its id: either finds one. */
function freeName(name: string, own: string | undefined, ports: Ports, fail: (says: string) => never): string {
  const taken = ports.directory.organizations().some((other) => other.id !== own && (other.name === name || other.id === name));
  return taken ? fail("is the name of another organization.") : name;
}

const noteChange = (what: string, { id, name, status }: Organization, ports: Ports): Promise<void> =>
  note({ organizationId: id, type: `organization.${what}`, resource: id, data: { name, status } }, ports);

const organizationDocument = ({ id, name, status, createdAt }: Organization): OrganizationDocument => ({
  object: "organization",
  id,
  name,
  status,
  created_at: new Date(createdAt).toISOString(),
});
