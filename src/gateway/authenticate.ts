// authenticate: whose call is this? A map hit and one HMAC; the database is never asked, so its trouble is never a 401.
import type { Accepted, ApiKey, Authenticated } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import type { Secret } from "../core/secret";

export function authenticate(accepted: Accepted, ports: Ports): Authenticated {
  return { ...accepted, key: verifyKey(accepted.presentedKey, ports) };
}

/** Throws `invalid_api_key`, `key_disabled`, `key_expired`. A revoked key is told so only to who holds its secret. */
export function verifyKey(presented: Secret, ports: Ports): ApiKey {
  const key = ports.keys.verify(presented.reveal());
  if (!key) throw new Failure("invalid_api_key", "This API key is not known here.");
  if (key.revokedAt !== undefined) throw new Failure("key_disabled", `The key "${key.name}" was revoked.`);
  if (key.expiresAt !== undefined && key.expiresAt <= ports.clock.now())
    throw new Failure("key_expired", `The key "${key.name}" has expired.`);
  return key;
}
