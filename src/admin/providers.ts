// Providers, and who pays for the calls to each: the project's own account, the organization's, or the operator's of the environment.
import type { Ports } from "../core/ports";
import type { Connection } from "../core/settings";
import { notFound } from "./fields";
import type { ListDocument } from "./page";
import { type Ask, namedRecord, organizationOr } from "./place";

/** What is known of a provider's row. */
export interface ProviderFacts {
  readonly name: string;
  readonly displayName: string;
  readonly keyVariable: string;
}

/** Every provider, connected or not, and the endpoints. `?project=` shows them as that project's keys have them. */
export function listProviders(ask: Ask & { project?: string | undefined }, facts: readonly ProviderFacts[], ports: Ports): ListDocument {
  const organizationId = organizationOr(ask, undefined, ports);
  const project = ask.project === undefined ? undefined : namedRecord("project", ask.project, organizationId, ports);
  if (ask.project !== undefined && !project) throw notFound("project", ask.project, "project");
  const connections = ports.connections.connected(organizationId, project?.id);
  const stored = ports.directory
    .list("credential", organizationId)
    .filter((one) => one.projectId === undefined || one.projectId === project?.id);
  const known = facts.map(({ name }) => name);
  const endpoints = [...connections, ...stored].map(({ provider }) => provider).filter((name) => !known.includes(name));
  const data = [...known, ...new Set(endpoints)].map((name) => {
    const connection = connections.find((one) => one.provider === name);
    const row = facts.find((one) => one.name === name);
    return {
      object: "provider",
      provider: name,
      display_name: row?.displayName ?? name,
      // Stored and not connected: its secret does not open, or it has no address.
      state: connection ? "connected" : stored.some((one) => one.provider === name) ? "unusable" : "not_connected",
      source: connection === undefined ? null : sourceOf(connection, ports),
      credential: connection?.credentialId ?? null,
      base_url: connection?.baseUrl ?? ports.connections.address(name) ?? null,
      key_variable: row?.keyVariable ?? null,
    };
  });
  return { object: "list", data, next_cursor: null };
}

function sourceOf({ credentialId }: Connection, { directory }: Ports): "environment" | "organization" | "project" {
  if (credentialId === undefined) return "environment";
  return directory.get("credential", credentialId)?.projectId === undefined ? "organization" : "project";
}
