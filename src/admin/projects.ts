// Projects: keys belong to them, they may belong to a team, and budgets, limits and credits may stand on them.
import type { Page, Ports } from "../core/ports";
import type { Project } from "../core/records";
import { note } from "./events";
import { fieldsOf } from "./fields";
import { newId } from "./organizations";
import { type ListDocument, listDocument, pageOf } from "./page";
import { type Ask, freeName, organizationOr, readNamed, recordFound } from "./place";
import { refuseReferred } from "./referrers";

export interface ProjectDocument {
  object: "project";
  id: string;
  name: string;
  organization: string;
  /** The team's id. */
  team: string | null;
  /** ISO 8601. */
  created_at: string;
}

/** `{name, team?, organization?}`; a team by its id or its name. */
export async function createProject(ask: Ask, ports: Ports): Promise<ProjectDocument> {
  const fields = fieldsOf(ask.body, ["name", "team", "organization"], "Projects", ask.at);
  const organizationId = organizationOr(ask, fields, ports);
  const id = newId("proj", ports);
  const name = freeName("project", fields, fields.neededName("A project"), organizationId, id, ports);
  const teamId = readNamed("team", fields, organizationId, ports);
  return write("created", { id, organizationId, name, teamId, createdAt: ports.clock.now() }, ports);
}

export const listProjects = (ask: Ask, page: Page, ports: Ports): ListDocument =>
  listDocument(pageOf("projects", ports.directory.list("project", organizationOr(ask, undefined, ports)), page), projectDocument);

export const getProject = (id: string, ask: Ask, ports: Ports): ProjectDocument => projectDocument(recordFound("project", id, ask, ports));

/** `{name?, team?}`; `team: null` takes it out of its team. Calls count for the new team from here on. */
export async function updateProject(id: string, ask: Ask, ports: Ports): Promise<ProjectDocument> {
  const before = recordFound("project", id, ask, ports);
  const { organizationId } = before;
  const fields = fieldsOf(ask.body, ["name", "team"], "Projects", ask.at);
  const name = fields.name();
  const project: Project = {
    ...before,
    name: name === undefined ? before.name : freeName("project", fields, name, organizationId, id, ports),
    teamId: fields.has("team") ? readNamed("team", fields, organizationId, ports) : before.teamId,
  };
  return write("updated", project, ports);
}

/** Throws `invalid_value` while something refers to it. */
export async function deleteProject(id: string, ask: Ask, ports: Ports): Promise<{ object: "project"; id: string; deleted: true }> {
  const { organizationId, name } = recordFound("project", id, ask, ports);
  await refuseReferred({ kind: "project", id }, organizationId, ports);
  await ports.directory.remove("project", id);
  await note({ organizationId, type: "project.deleted", resource: id, data: { name } }, ports);
  return { object: "project", id, deleted: true };
}

async function write(what: string, project: Project, ports: Ports): Promise<ProjectDocument> {
  const { organizationId, id, name, teamId } = project;
  await ports.directory.put("project", project);
  await note({ organizationId, type: `project.${what}`, resource: id, data: { name, team: teamId ?? null } }, ports);
  return projectDocument(project);
}

const projectDocument = ({ id, name, organizationId, teamId, createdAt }: Project): ProjectDocument => ({
  object: "project",
  id,
  name,
  organization: organizationId,
  team: teamId ?? null,
  created_at: new Date(createdAt).toISOString(),
});
