// Teams: projects belong to them, and budgets and limits may stand on them.
import type { Page, Ports } from "../core/ports";
import type { Team } from "../core/records";
import { note } from "./events";
import { fieldsOf } from "./fields";
import { newId } from "./organizations";
import { type ListDocument, listDocument, pageOf } from "./page";
import { type Ask, freeName, organizationOr, recordFound } from "./place";
import { refuseReferred } from "./referrers";

export interface TeamDocument {
  object: "team";
  id: string;
  name: string;
  organization: string;
  /** ISO 8601. */
  created_at: string;
}

/** `{name, organization?}` */
export async function createTeam(ask: Ask, ports: Ports): Promise<TeamDocument> {
  const fields = fieldsOf(ask.body, ["name", "organization"], "Teams", ask.at);
  const organizationId = organizationOr(ask, fields, ports);
  const id = newId("team", ports);
  const name = freeName("team", fields, fields.neededName("A team"), organizationId, id, ports);
  return write("created", { id, organizationId, name, createdAt: ports.clock.now() }, ports);
}

export const listTeams = (ask: Ask, page: Page, ports: Ports): ListDocument =>
  listDocument(pageOf("teams", ports.directory.list("team", organizationOr(ask, undefined, ports)), page), teamDocument);

export const getTeam = (id: string, ask: Ask, ports: Ports): TeamDocument => teamDocument(recordFound("team", id, ask, ports));

/** `{name?}` */
export async function updateTeam(id: string, ask: Ask, ports: Ports): Promise<TeamDocument> {
  const before = recordFound("team", id, ask, ports);
  const fields = fieldsOf(ask.body, ["name"], "Teams", ask.at);
  const name = fields.name();
  if (name === undefined) return teamDocument(before);
  return write("updated", { ...before, name: freeName("team", fields, name, before.organizationId, id, ports) }, ports);
}

/** Throws `invalid_value` while something refers to it. */
export async function deleteTeam(id: string, ask: Ask, ports: Ports): Promise<{ object: "team"; id: string; deleted: true }> {
  const { organizationId, name } = recordFound("team", id, ask, ports);
  await refuseReferred({ kind: "team", id }, organizationId, ports);
  await ports.directory.remove("team", id);
  await note({ organizationId, type: "team.deleted", resource: id, data: { name } }, ports);
  return { object: "team", id, deleted: true };
}

async function write(what: string, team: Team, ports: Ports): Promise<TeamDocument> {
  await ports.directory.put("team", team);
  await note({ organizationId: team.organizationId, type: `team.${what}`, resource: team.id, data: { name: team.name } }, ports);
  return teamDocument(team);
}

const teamDocument = ({ id, name, organizationId, createdAt }: Team): TeamDocument => ({
  object: "team",
  id,
  name,
  organization: organizationId,
  created_at: new Date(createdAt).toISOString(),
});
