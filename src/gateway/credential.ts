// The operator's credential of a provider, and that it never comes back: what a provider says is searched for the very value that
// was sent to it, whatever shape that has.
import type { Planned } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Connection } from "../core/settings";

export const connectionOf = (planned: Planned, provider: string, ports: Ports): Connection | undefined =>
  ports.connections.connected(planned.key.organizationId).find((one) => one.provider === provider);

/** Shorter values would be found in ordinary words. */
const SHORTEST = 8;

export function holdsCredential(text: string, connection: Connection | undefined): boolean {
  const value = connection?.credential?.reveal() ?? "";
  return value.length >= SHORTEST && text.includes(value);
}

/** The same failure, its message without the credential. */
export function withoutCredential(failure: Failure, connection: Connection | undefined): Failure {
  const value = connection?.credential?.reveal();
  if (value === undefined || !holdsCredential(failure.message, connection)) return failure;
  const { param, cause, retryAfterMs, says, headers, facts } = failure;
  const message = failure.message.replaceAll(value, "[redacted]");
  return new Failure(failure.code, message, { param, cause, retryAfterMs, says, headers, facts });
}
