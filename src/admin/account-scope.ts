// Which scopes a call counts against.
import { SCOPE_KINDS, type Scope, type ScopeKind } from "../core/budget";
import type { Counted } from "../core/ports";

const ID_OF: Readonly<Record<ScopeKind, (counted: Counted) => string | undefined>> = {
  organization: (counted) => counted.organizationId,
  team: (counted) => counted.teamId,
  project: (counted) => counted.projectId,
  key: (counted) => counted.keyId,
  user: (counted) => counted.user,
  agent: (counted) => counted.agent,
  run: (counted) => counted.run,
};

/** Whether what counts as `counted` counts against the scope. */
export const covers = ({ kind, id }: Scope, counted: Counted): boolean => SCOPE_KINDS.includes(kind) && ID_OF[kind](counted) === id;
