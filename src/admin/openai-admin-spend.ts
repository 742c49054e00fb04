// OpenAI's hard spend limit of an organization or a project: the hard budget of a calendar month in UTC that stands on it.
import type { Budget } from "../core/budget";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Viewer } from "./account-viewer";
import { createBudget, deleteBudget, updateBudget } from "./budgets";
import { fieldsOf } from "./fields";
import { projectOf } from "./openai-admin";

const NANO_PER_CENT = 10_000_000n;

/** `projectId` undefined: the organization's. Throws 404 where there is none. */
export const spendLimitDocument = (viewer: Viewer, projectId: string | undefined, ports: Ports): object =>
  entryOf(limitOf(viewer, projectId, ports), projectId);

/** `{threshold_amount, currency: "USD", interval: "month"}`, the amount in whole cents. In force at once. */
export async function spendLimitSet(viewer: Viewer, projectId: string | undefined, body: unknown, ports: Ports): Promise<object> {
  const scope = scopeOf(viewer, projectId, ports);
  const fields = fieldsOf(body, ["threshold_amount", "currency", "interval"], "Spend limits");
  fields.choice("currency", ["USD"]);
  fields.choice("interval", ["month"]);
  const cents = fields.whole("threshold_amount", 1, Number.MAX_SAFE_INTEGER);
  if (cents === undefined)
    throw new Failure("missing_required_parameter", "A spend limit needs threshold_amount, in cents.", { param: "threshold_amount" });
  const text = cents.toString().padStart(3, "0");
  const limit = `${text.slice(0, -2)}.${text.slice(-2)}`;
  const known = find(viewer, projectId, ports);
  const organization = viewer.organizationId;
  if (known) await updateBudget(known.id, { body: { limit_usd: limit }, organization }, ports);
  else await createBudget({ body: { scope, limit_usd: limit, window: "month", hard: true }, organization }, ports);
  return spendLimitDocument(viewer, projectId, ports);
}

export async function spendLimitDeleted(viewer: Viewer, projectId: string | undefined, ports: Ports): Promise<object> {
  const { id } = limitOf(viewer, projectId, ports);
  await deleteBudget(id, { organization: viewer.organizationId }, ports);
  return { object: `${nameOf(projectId)}.deleted`, deleted: true };
}

const nameOf = (projectId: string | undefined): string => `${projectId === undefined ? "organization" : "project"}.spend_limit`;

const scopeOf = (viewer: Viewer, projectId: string | undefined, ports: Ports): string =>
  projectId === undefined ? `organization:${viewer.organizationId}` : `project:${projectOf(viewer, projectId, ports).id}`;

function limitOf(viewer: Viewer, projectId: string | undefined, ports: Ports): Budget {
  const found = find(viewer, projectId, ports);
  if (!found) throw new Failure("not_found", "There is no hard budget of a month here.");
  return found;
}

function find(viewer: Viewer, projectId: string | undefined, ports: Ports): Budget | undefined {
  const [kind, id] =
    projectId === undefined ? ["organization", viewer.organizationId] : ["project", projectOf(viewer, projectId, ports).id];
  return ports.directory
    .list("budget", viewer.organizationId)
    .find(
      ({ scope, window, hard }) =>
        hard && scope.kind === kind && scope.id === id && window.unit === "month" && !window.rolling && window.zone === "UTC",
    );
}

/** The amount is rounded down to a cent. */
const entryOf = ({ limit }: Budget, projectId: string | undefined): object => ({
  object: nameOf(projectId),
  threshold_amount: Number(limit / NANO_PER_CENT),
  currency: "USD",
  interval: "month",
  enforcement: { status: "enforcing" },
});
