// OpenAI's Admin API over our own records: projects, their keys and rate limits, keys that read, the spend limit. The shapes are those of
// its SDK (openai 7.57, resources/admin/organization); what stands behind them are the same use-cases as behind /admin/v1.
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Project, ScopeLimits } from "../core/records";
import { readLimit, refuseOthers } from "./account-query";
import { administratorOf, type Viewer, viewerOf } from "./account-viewer";
import { fieldsOf, notFound } from "./fields";
import { findKey, keysOf } from "./key-find";
import type { KnownModels } from "./key-terms";
import { createKey, revokeKey } from "./keys";
import { DEFAULT_ORGANIZATION, organizationNamed } from "./organizations";
import { createProject, updateProject } from "./projects";

/** `asked`: the OpenAI-Organization header, an id or a name. A key that reads sees its own; every other one is not there. */
export function adminViewer(key: ApiKey | undefined, asked: string | null, ports: Ports): Viewer {
  if (!key) return administratorOf(asked ?? DEFAULT_ORGANIZATION, "live", ports);
  if (asked !== null && organizationNamed(key.organizationId, ports).name !== asked && key.organizationId !== asked)
    throw notFound("organization", asked, "organization");
  return viewerOf(key);
}

/** Whoever changes something is the administrator. */
export function refuseReader(viewer: Viewer): void {
  if (viewer.key) throw new Failure("invalid_api_key", "This route takes the admin key: a key of role read changes nothing.");
}

interface Listed {
  readonly id: string;
}

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;

/** One page by `after`, `before`, `limit`, `order` (of the time of making). `more`: other parameters that the route knows. */
function listPage<T extends Listed>(
  newestFirst: readonly T[],
  query: URLSearchParams,
  otherwise: "asc" | "desc",
  more: readonly string[] = [],
): object {
  refuseOthers(query, ["after", "before", "limit", "order", ...more]);
  const order = query.get("order") ?? otherwise;
  if (order !== "asc" && order !== "desc") throw new Failure("invalid_value", "order takes asc or desc.", { param: "order" });
  const limit = readLimit(query.get("limit"), DEFAULT_PAGE, MAX_PAGE);
  const all = order === "desc" ? newestFirst : newestFirst.toReversed();
  const place = (name: "after" | "before"): number | undefined => {
    const id = query.get(name);
    if (id === null) return undefined;
    const at = all.findIndex((one) => one.id === id);
    if (at === -1) throw new Failure("invalid_value", `${name} takes the id of an entry of this list.`, { param: name });
    return at;
  };
  const [after, before] = [place("after"), place("before")];
  const end = before ?? all.length;
  const start = after === undefined ? (before === undefined ? 0 : Math.max(0, end - limit)) : after + 1;
  const data = all.slice(start, Math.min(end, start + limit));
  const hasMore = after === undefined && before !== undefined ? start > 0 : start + data.length < end;
  return listOf(data, hasMore);
}

export const listOf = <T extends Listed>(data: readonly T[], hasMore: boolean): object => ({
  object: "list",
  data,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
  has_more: hasMore,
});

const seconds = (unixMs: number): number => Math.floor(unixMs / 1000);
const secondsOrNull = (unixMs: number | undefined): number | null => (unixMs === undefined ? null : seconds(unixMs));

/** In the order of their making, newest last, as OpenAI lists them. */
export function projectList(viewer: Viewer, query: URLSearchParams, ports: Ports): object {
  const projects = ports.directory.list("project", viewer.organizationId).map(projectEntry);
  return listPage(projects.toReversed(), query, "asc", ["include_archived"]);
}

export const projectDocument = (viewer: Viewer, id: string, ports: Ports): object => projectEntry(projectOf(viewer, id, ports));

/** `{name}` */
export async function projectCreated(viewer: Viewer, body: unknown, ports: Ports): Promise<object> {
  const { id } = await createProject({ body, organization: viewer.organizationId }, ports);
  return projectDocument(viewer, id, ports);
}

/** `{name}` */
export async function projectUpdated(viewer: Viewer, id: string, body: unknown, ports: Ports): Promise<object> {
  projectOf(viewer, id, ports);
  await updateProject(id, { body, organization: viewer.organizationId }, ports);
  return projectDocument(viewer, id, ports);
}

export function projectOf(viewer: Viewer, id: string, ports: Ports): Project {
  const project = ports.directory.get("project", id);
  if (!project || project.organizationId !== viewer.organizationId) throw notFound("project", id, "project_id");
  return project;
}

const projectEntry = ({ id, name, createdAt }: Project) => ({
  object: "organization.project",
  id,
  name,
  created_at: seconds(createdAt),
  archived_at: null,
  status: "active",
});

/** Live and test keys alike: what is told of a key is no figure of its calls. */
export async function projectKeyList(viewer: Viewer, projectId: string, query: URLSearchParams, ports: Ports): Promise<object> {
  const project = projectOf(viewer, projectId, ports);
  const keys = (await keysOf(viewer.organizationId, ports)).filter((key) => isLive(key) && key.policy.projectId === project.id);
  return listPage(
    keys.map((key) => projectKeyEntry(key, ports)),
    query,
    "asc",
    ["owner_project_access"],
  );
}

export const projectKeyDocument = async (viewer: Viewer, projectId: string, id: string, ports: Ports): Promise<object> =>
  projectKeyEntry(await projectKeyOf(viewer, projectId, id, ports), ports);

/** Revoked, at once. */
export async function projectKeyDeleted(viewer: Viewer, projectId: string, id: string, ports: Ports): Promise<object> {
  const key = await projectKeyOf(viewer, projectId, id, ports);
  await revokeKey(key.id, { organization: viewer.organizationId }, undefined, ports);
  return { object: "organization.project.api_key.deleted", id: key.id, deleted: true };
}

async function projectKeyOf(viewer: Viewer, projectId: string, id: string, ports: Ports): Promise<ApiKey> {
  const project = projectOf(viewer, projectId, ports);
  const key = await findKey(id, viewer.organizationId, ports);
  if (!key || !isLive(key) || key.policy.projectId !== project.id) throw notFound("key", id, "api_key_id");
  return key;
}

/** Deleted keys are not in OpenAI's lists. */
const isLive = (key: ApiKey): boolean => key.revokedAt === undefined;

/** The public part of a key: its secret is nowhere. */
const redacted = (key: ApiKey, ports: Ports): string => `${ports.settings.brand.keyPrefix}_${key.mode}_${key.id.slice("key_".length)}***`;

const projectKeyEntry = (key: ApiKey, ports: Ports) => ({
  object: "organization.project.api_key",
  id: key.id,
  name: key.name,
  redacted_value: redacted(key, ports),
  created_at: seconds(key.createdAt),
  expires_at: secondsOrNull(key.expiresAt),
  // When a key was last used is not kept.
  last_used_at: null,
  owner: { type: "service_account", service_account: { id: key.id, name: key.name, created_at: seconds(key.createdAt), role: "member" } },
  owner_project_access: "active",
});

/** A project's limits hold for all models together: one entry, with "*" for its model. */
export function projectRateLimits(viewer: Viewer, projectId: string, query: URLSearchParams, ports: Ports): object {
  const project = projectOf(viewer, projectId, ports);
  const limits = ports.directory
    .list("scope-limits", viewer.organizationId)
    .filter(({ scope }) => scope.kind === "project" && scope.id === project.id);
  return listPage(limits.map(rateLimitEntry), query, "asc");
}

/** null: not limited. */
const rateLimitEntry = ({ id, requestsPerMinute, tokensPerMinute }: ScopeLimits) => ({
  object: "project.rate_limit",
  id,
  model: "*",
  max_requests_per_1_minute: requestsPerMinute ?? null,
  max_tokens_per_1_minute: tokensPerMinute ?? null,
});

/** Keys of role `read`. The administrator's own key is no record: it stands in the gateway's environment. */
export async function adminKeyList(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  const keys = (await keysOf(viewer.organizationId, ports)).filter((key) => isLive(key) && key.policy.role === "read");
  return listPage(
    keys.map((key) => adminKeyEntry(key, ports)),
    query,
    "asc",
  );
}

export const adminKeyDocument = async (viewer: Viewer, id: string, ports: Ports): Promise<object> =>
  adminKeyEntry(await readingKeyOf(viewer, id, ports), ports);

const YEAR_SECONDS = 365 * 86_400;

/** `{name, expires_in_seconds?}` → a key that reads this organization, with its value, this once. */
export async function adminKeyCreated(viewer: Viewer, body: unknown, models: KnownModels, ports: Ports): Promise<object> {
  const fields = fieldsOf(body, ["name", "expires_in_seconds"], "Keys that read");
  const expires = fields.whole("expires_in_seconds", 1, 100 * YEAR_SECONDS);
  const expiresAt = expires === undefined ? null : new Date(ports.clock.now() + expires * 1000).toISOString();
  const ask = { body: { name: fields.neededName("A key"), expires_at: expiresAt, role: "read" }, organization: viewer.organizationId };
  const { id, key } = await createKey(ask, models, ports);
  return { ...adminKeyEntry(await readingKeyOf(viewer, id, ports), ports), value: key };
}

export async function adminKeyDeleted(viewer: Viewer, id: string, ports: Ports): Promise<object> {
  const key = await readingKeyOf(viewer, id, ports);
  await revokeKey(key.id, { organization: viewer.organizationId }, undefined, ports);
  return { object: "organization.admin_api_key.deleted", id: key.id, deleted: true };
}

async function readingKeyOf(viewer: Viewer, id: string, ports: Ports): Promise<ApiKey> {
  const key = await findKey(id, viewer.organizationId, ports);
  if (!key || !isLive(key) || key.policy.role !== "read") throw notFound("key", id, "key_id");
  return key;
}

const adminKeyEntry = (key: ApiKey, ports: Ports) => ({
  object: "organization.admin_api_key",
  id: key.id,
  name: key.name,
  redacted_value: redacted(key, ports),
  created_at: seconds(key.createdAt),
  expires_at: secondsOrNull(key.expiresAt),
  last_used_at: null,
  owner: {
    type: "service_account",
    object: "organization.service_account",
    id: key.id,
    name: key.name,
    created_at: seconds(key.createdAt),
    role: "reader",
  },
});
