// OpenAI's audit log: what administrators did, newest first. https://platform.openai.com/docs/api-reference/audit-logs
import { Failure } from "../core/failure";
import type { Numbered, Ports } from "../core/ports";
import type { AdminEvent } from "../core/records";
import { readLimit, readValues, refuseOthers } from "./account-query";
import type { Viewer } from "./account-viewer";
import { giveWay } from "./give-way";
import { listOf } from "./openai-admin";

const DEFAULT_PAGE = 20;
const MAX_PAGE = 100;
const SCAN_PAGE = 200;
/** Events looked at for one page. */
const SCAN_MAX = 20_000;
const ID = /^audit_log-(\d{1,15})$/;

/** `event_types[]`, `actor_ids[]`, `resource_ids[]`, `project_ids[]`, `effective_at[gt|gte|lt|lte]`, `after`, `before`, `limit`. */
export async function auditLogList(viewer: Viewer, query: URLSearchParams, ports: Ports): Promise<object> {
  refuseOthers(query, ["after", "before", "limit"], ["event_types", "actor_ids", "resource_ids", "project_ids"], ["effective_at"]);
  const limit = readLimit(query.get("limit"), DEFAULT_PAGE, MAX_PAGE);
  const [after, before] = [readId(query, "after"), readId(query, "before")];
  const matches = readFilter(query);
  const found: Numbered<AdminEvent>[] = [];
  // One more than the page tells whether there is another.
  const enough = () => before === undefined && found.length > limit;
  let cursor: string | undefined;
  for (let seen = 0; seen < SCAN_MAX && !enough(); seen += SCAN_PAGE) {
    const page = await ports.journal.adminEvents(viewer.organizationId, { cursor, limit: SCAN_PAGE });
    for (const event of page.data) {
      const between = (after === undefined || event.id < after) && (before === undefined || event.id > before);
      if (between && matches(event)) found.push(event);
    }
    cursor = page.nextCursor;
    if (cursor === undefined || (before !== undefined && (page.data.at(-1)?.id ?? 0) <= before)) break;
    await giveWay();
  }
  // Before an entry stand the newer ones: of those, the nearest.
  const data = before === undefined ? found.slice(0, limit) : found.slice(-limit);
  return listOf(
    data.map((event) => entryOf(event, ports)),
    found.length > data.length,
  );
}

function readId(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const number = ID.exec(text)?.[1];
  if (number === undefined) throw new Failure("invalid_value", `${name} takes the id of an entry of this list.`, { param: name });
  return Number(number);
}

const COMPARED = {
  gt: (at: number, than: number) => at > than,
  gte: (at: number, than: number) => at >= than,
  lt: (at: number, than: number) => at < than,
  lte: (at: number, than: number) => at <= than,
} as const satisfies Record<string, (at: number, than: number) => boolean>;

function readFilter(query: URLSearchParams): (event: AdminEvent) => boolean {
  const listed: readonly (readonly [readonly string[] | undefined, (event: AdminEvent) => string | undefined])[] = [
    [readValues(query, "event_types"), (event) => event.type],
    [readValues(query, "actor_ids"), (event) => event.actor],
    [readValues(query, "resource_ids"), (event) => event.resource],
    [readValues(query, "project_ids"), projectIdOf],
  ];
  const times = Object.entries(COMPARED).flatMap(([word, holds]) => {
    const param = `effective_at[${word}]`;
    const text = query.get(param);
    if (text === null) return [];
    if (!/^\d{1,11}$/.test(text)) throw new Failure("invalid_value", `${param} takes Unix seconds.`, { param });
    return [(event: AdminEvent) => holds(Math.floor(event.at / 1000), Number(text))];
  });
  return (event) =>
    listed.every(([values, of]) => values === undefined || values.includes(of(event) ?? "")) && times.every((holds) => holds(event));
}

/** Of what was done to a project itself. */
const projectIdOf = (event: AdminEvent): string | undefined => (event.type.startsWith("project.") ? event.resource : undefined);

function entryOf(event: Numbered<AdminEvent>, ports: Ports) {
  const { type, resource, data, actor } = event;
  const projectId = projectIdOf(event);
  const project = projectId === undefined ? undefined : ports.directory.get("project", projectId);
  return {
    id: `audit_log-${event.id}`,
    object: "organization.audit_log",
    type,
    effective_at: Math.floor(event.at / 1000),
    ...(projectId === undefined ? {} : { project: { id: projectId, name: project?.name ?? data["name"] ?? null } }),
    actor: { type: "api_key", api_key: { id: actor, type: "service_account", service_account: { id: actor } } },
    [type]: { id: resource, data },
  };
}
