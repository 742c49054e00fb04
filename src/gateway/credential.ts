// The operator's credential of a provider, and that it never comes back: what a provider says is searched for the very value that
// was sent to it, whatever shape that has.
import type { ApiKey, Planned } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Connection } from "../core/settings";

/** Providers that a key's calls may go to, each with the account that pays: the project's own, the organization's own, or the operator's. */
export const connectedFor = (key: ApiKey, ports: Ports): readonly Connection[] =>
  ports.connections.connected(key.organizationId, key.policy.projectId);

export const connectionOf = (planned: Planned, provider: string, ports: Ports): Connection | undefined =>
  connectedFor(planned.key, ports).find((one) => one.provider === provider);

/** Shorter values would be found in ordinary words. */
const SHORTEST = 8;

/** What the connection may be asked with: during a rotation two of them. */
const valuesOf = (connection: Connection | undefined): string[] =>
  [connection?.credential, connection?.older].flatMap((secret) => secret?.reveal() ?? []);

export const holdsCredential = (text: string, connection: Connection | undefined): boolean =>
  valuesOf(connection).some((value) => value.length >= SHORTEST && text.includes(value));

/** The same failure, its message without the credential. */
export function withoutCredential(failure: Failure, connection: Connection | undefined): Failure {
  if (!holdsCredential(failure.message, connection)) return failure;
  const { param, cause, retryAfterMs, says, headers, facts } = failure;
  const message = valuesOf(connection).reduce((text, value) => text.replaceAll(value, "[redacted]"), failure.message);
  return new Failure(failure.code, message, { param, cause, retryAfterMs, says, headers, facts });
}
