// Keys: minted, listed, revoked. Plain functions over the ports; the HTTP and command-line doors only call these.
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import type { KeyMode } from "../core/ids";
import type { Ports } from "../core/ports";

export const DEFAULT_ORGANIZATION = "default";

/** A key as the operator sees it. */
export interface KeyDocument {
  object: "api_key";
  id: string;
  name: string;
  mode: KeyMode;
  organization: string;
  status: "active" | "revoked" | "expired";
  /** ISO 8601. */
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

const FIELDS = new Set(["name", "mode", "expires_at"]);
const MAX_NAME = 128;

/** `{name, mode?: "live" | "test", expires_at?: ISO 8601}` → the key's document and, this once, the key itself. */
export async function createKey(ask: unknown, ports: Ports): Promise<KeyDocument & { key: string }> {
  const fields = asObject(ask);
  for (const name of Object.keys(fields)) {
    if (!FIELDS.has(name)) throw new Failure("unsupported_parameter", `Keys have no "${name}" here.`, { param: name });
  }
  const { key, plain } = await ports.keys.create({
    organizationId: DEFAULT_ORGANIZATION,
    name: readName(fields["name"]),
    mode: readMode(fields["mode"]),
    expiresAt: readExpiry(fields["expires_at"], ports.clock.now()),
  });
  return { ...keyDocument(key, ports.clock.now()), key: plain.reveal() };
}

export async function listKeys(
  page: { cursor?: string | undefined; limit: number },
  ports: Ports,
): Promise<{ object: "list"; data: KeyDocument[]; next_cursor: string | null }> {
  const listing = await ports.keys.list(DEFAULT_ORGANIZATION, page);
  return { object: "list", data: listing.data.map((key) => keyDocument(key, ports.clock.now())), next_cursor: listing.nextCursor ?? null };
}

/** Effective at once. Throws 404 for an id that is not there. */
export async function revokeKey(id: string, ports: Ports): Promise<{ object: "api_key"; id: string; revoked: true }> {
  if (!(await ports.keys.revoke(DEFAULT_ORGANIZATION, id)))
    throw new Failure("not_found", `There is no key ${JSON.stringify(id.slice(0, 64))}.`, { param: "id" });
  return { object: "api_key", id, revoked: true };
}

export function keyDocument(key: ApiKey, now: number): KeyDocument {
  const expired = key.expiresAt !== undefined && key.expiresAt <= now;
  return {
    object: "api_key",
    id: key.id,
    name: key.name,
    mode: key.mode,
    organization: key.organizationId,
    status: key.revokedAt !== undefined ? "revoked" : expired ? "expired" : "active",
    created_at: new Date(key.createdAt).toISOString(),
    expires_at: isoOrNull(key.expiresAt),
    revoked_at: isoOrNull(key.revokedAt),
  };
}

const isoOrNull = (unixMs: number | undefined): string | null => (unixMs === undefined ? null : new Date(unixMs).toISOString());

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Failure("invalid_type", "The body must be a JSON object.");
  return value as Record<string, unknown>;
}

function readName(value: unknown): string {
  if (value === undefined) throw new Failure("missing_required_parameter", "A key needs a name.", { param: "name" });
  if (typeof value !== "string") throw new Failure("invalid_type", "name takes a string.", { param: "name" });
  const name = value.trim();
  if (name === "" || name.length > MAX_NAME)
    throw new Failure("invalid_value", `name takes 1 to ${MAX_NAME} characters.`, { param: "name" });
  if (/\p{Cc}/u.test(name)) throw new Failure("invalid_value", "name takes no control characters.", { param: "name" });
  return name;
}

function readMode(value: unknown): KeyMode {
  if (value === undefined || value === "live") return "live";
  if (value === "test") return "test";
  throw new Failure("invalid_value", 'mode takes "live" or "test".', { param: "mode" });
}

function readExpiry(value: unknown, now: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at))
    throw new Failure("invalid_value", "expires_at takes a time such as 2027-01-31T00:00:00Z.", { param: "expires_at" });
  if (at <= now) throw new Failure("invalid_value", "expires_at is in the past.", { param: "expires_at" });
  return at;
}
