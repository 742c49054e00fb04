// Whose figures an account route shows: a key's own, or its organization's. Everything below asks this, and nothing else.
import type { Scope } from "../core/budget";
import type { ApiKey } from "../core/exchange";
import type { KeyMode } from "../core/ids";
import type { Counted, Ports } from "../core/ports";
import { namedScopes } from "../policy/budget-book";
import { sameScope } from "./budgets";
import { organizationNamed } from "./organizations";

export interface Viewer {
  readonly organizationId: string;
  /** Test and live figures are never mixed. */
  readonly mode: KeyMode;
  /** The key that looks; undefined: the administrator. */
  readonly key: ApiKey | undefined;
  /** The key that all figures are narrowed to; undefined: the whole organization. */
  readonly onlyKeyId: string | undefined;
}

/** A `call` key sees itself; a `read` key sees its organization. */
export const viewerOf = (key: ApiKey): Viewer => ({
  organizationId: key.organizationId,
  mode: key.mode,
  key,
  onlyKeyId: key.policy.role === "read" ? undefined : key.id,
});

/** The administrator's look at one organization. Throws 404 for one that is not there. */
export function administratorOf(organization: string, mode: KeyMode, ports: Ports): Viewer {
  return { organizationId: organizationNamed(organization, ports).id, mode, key: undefined, onlyKeyId: undefined };
}

/** What a call of this viewer's key counts against, beside the names that only a call brings. */
export function scopesOfViewer(viewer: Viewer, ports: Ports): Counted {
  const { key, organizationId } = viewer;
  const projectId = key?.policy.projectId;
  return {
    organizationId,
    projectId,
    teamId: projectId === undefined ? undefined : ports.directory.get("project", projectId)?.teamId,
    keyId: key?.id ?? "",
    agent: key?.policy.agent,
  };
}

/** Whether what counts as `counted` counts against the scope. */
export const covers = (scope: Scope, counted: Counted): boolean => namedScopes(counted).some((one) => sameScope(one, scope));
