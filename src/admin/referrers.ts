// What refers to a team or a project: while something does, it is not deleted.
import type { Scope } from "../core/budget";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { keysOf } from "./key-find";

const SHOWN = 5;

/** Throws `invalid_value` that names what still refers to it. */
export async function refuseReferred(scope: Scope & { kind: "team" | "project" }, organizationId: string, ports: Ports): Promise<void> {
  const { directory } = ports;
  const ofScope = (record: { scope: Scope }): boolean => record.scope.kind === scope.kind && record.scope.id === scope.id;
  const groups: [noun: string, referring: readonly { id: string }[]][] = [
    ["project", scope.kind === "team" ? directory.list("project", organizationId).filter(({ teamId }) => teamId === scope.id) : []],
    ["key", scope.kind === "project" ? await liveKeys(scope.id, organizationId, ports) : []],
    [
      "credential",
      scope.kind === "project" ? directory.list("credential", organizationId).filter((one) => one.projectId === scope.id) : [],
    ],
    ["budget", directory.list("budget", organizationId).filter(ofScope)],
    ["limit", directory.list("scope-limits", organizationId).filter(ofScope)],
    ["credit account", directory.list("credit-account", organizationId).filter(ofScope)],
  ];
  const told = groups.filter(([, referring]) => referring.length > 0).map(([noun, referring]) => counted(noun, referring));
  if (told.length === 0) return;
  throw new Failure("invalid_value", `${scope.id} is in use by ${told.join(", ")}. Move or delete what uses it first.`, { param: "id" });
}

/** A revoked key calls nothing and is never deleted: it holds no project back. */
const liveKeys = async (projectId: string, organizationId: string, ports: Ports) =>
  (await keysOf(organizationId, ports)).filter((key) => key.policy.projectId === projectId && key.revokedAt === undefined);

function counted(noun: string, referring: readonly { id: string }[]): string {
  const shown = referring.slice(0, SHOWN).map(({ id }) => id);
  const more = referring.length > SHOWN ? ", …" : "";
  return `${referring.length} ${noun}${referring.length === 1 ? "" : "s"} (${shown.join(", ")}${more})`;
}
