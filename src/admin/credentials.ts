// Providers' credentials of organizations and projects: sealed by the vault, shown by their last four characters, never read back.
import { Failure } from "../core/failure";
import { NotifyError } from "../core/notify";
import type { Page, Ports } from "../core/ports";
import type { StoredCredential } from "../core/records";
import { Secret } from "../core/secret";
import { baseUrlFault } from "../core/settings";
import { credentialPlace, olderCredentialPlace } from "../core/vault";
import { note } from "./events";
import { type Fields, fieldsOf, notFound, quoted } from "./fields";
import { newId } from "./organizations";
import { type ListDocument, listDocument, pageOf } from "./page";
import { type Ask, namedRecord, organizationOr, readNamed, recordFound } from "./place";

/** The slug of a name that an administrator gives a provider; undefined: none. */
export type SlugOf = (text: string) => string | undefined;

const SECRET_CHARACTERS_MIN = 8;
const SECRET_CHARACTERS_MAX = 4_096;
/** What a header can carry, without spaces. */
const NO_SECRET = /[^\x21-\x7e]/;
const SHOWN_CHARACTERS = 4;
const URL_CHARACTERS_MAX = 2_048;
const DAY_SECONDS = 86_400;
const GRACE_SECONDS_MAX = 30 * DAY_SECONDS;

export interface CredentialDocument {
  object: "credential";
  id: string;
  name: string;
  provider: string;
  organization: string;
  project: string | null;
  last_four: string;
  /** null: the provider's usual address. */
  base_url: string | null;
  /** Which master key seals it. */
  master_key: string;
  /** The one before the last rotation, while it is asked with too. */
  older: { last_four: string; retires_at: string } | null;
  created_at: string;
}

/** `{provider, secret, name?, project?, base_url?, organization?}`. In use when it resolves, in place of an account further out. */
export async function createCredential(ask: Ask, slugOf: SlugOf, ports: Ports): Promise<CredentialDocument> {
  const fields = fieldsOf(ask.body, ["provider", "secret", "name", "project", "base_url", "organization"], "Credentials");
  const organizationId = organizationOr(ask, fields, ports);
  const provider = readProvider(fields, slugOf);
  const secret = readSecret(fields);
  const name = fields.name() ?? provider;
  const projectId = readNamed("project", fields, organizationId, ports);
  refuseSecond(fields, { organizationId, projectId, provider }, ports);
  const baseUrl = await readBaseUrl(fields, provider, ports);
  const id = newId("cred", ports);
  const record: StoredCredential = {
    id,
    organizationId,
    createdAt: ports.clock.now(),
    name,
    provider,
    projectId,
    baseUrl,
    ...ports.vault.seal(secret, credentialPlace({ id, organizationId })),
    lastFour: lastFourOf(secret),
  };
  return write("created", record, ports);
}

/** `?project=` narrows it to one project's own. */
export function listCredentials(ask: Ask & { project?: string | undefined }, page: Page, ports: Ports): ListDocument {
  const organizationId = organizationOr(ask, undefined, ports);
  const project = ask.project === undefined ? undefined : namedRecord("project", ask.project, organizationId, ports);
  if (ask.project !== undefined && !project) throw notFound("project", ask.project, "project");
  const records = ports.directory.list("credential", organizationId).filter((one) => !project || one.projectId === project.id);
  return listDocument(pageOf("credentials", records, page), (record) => credentialDocument(record, ports.clock.now()));
}

export const getCredential = (id: string, ask: Ask, ports: Ports): CredentialDocument =>
  credentialDocument(recordFound("credential", id, ask, ports), ports.clock.now());

/** `{secret, grace_seconds?}`: calls go with the new one at once; for the grace the older is asked with where the new one is refused. */
export async function rotateCredential(id: string, ask: Ask, ports: Ports): Promise<CredentialDocument> {
  const before = recordFound("credential", id, ask, ports);
  const fields = fieldsOf(ask.body, ["secret", "grace_seconds"], "Rotations");
  const secret = readSecret(fields);
  const grace = fields.whole("grace_seconds", 0, GRACE_SECONDS_MAX) ?? DAY_SECONDS;
  const record: StoredCredential = {
    ...before,
    ...ports.vault.seal(secret, credentialPlace(before)),
    lastFour: lastFourOf(secret),
    older: grace === 0 ? undefined : olderOf(before, ports.clock.now() + grace * 1000, ports),
  };
  return write("rotated", record, ports);
}

/** At once: no call begins with it any more. */
export async function deleteCredential(id: string, ask: Ask, ports: Ports): Promise<{ object: "credential"; id: string; deleted: true }> {
  const record = recordFound("credential", id, ask, ports);
  await ports.directory.remove("credential", id);
  await noteChange("deleted", record, ports);
  return { object: "credential", id, deleted: true };
}

function olderOf(before: StoredCredential, until: number, ports: Ports): StoredCredential["older"] {
  const { lastFour } = before;
  try {
    const secret = ports.vault.open(before, credentialPlace(before));
    return { ...ports.vault.seal(secret, olderCredentialPlace(before)), lastFour, until };
  } catch (thrown) {
    // One that cannot be read is of no use beside the new one: the rotation is what mends it.
    ports.log.write("warn", "older_credential_lost", { credential: before.id, cause: String(thrown) });
    return undefined;
  }
}

function readProvider(fields: Fields, slugOf: SlugOf): string {
  const asked = fields.needed("provider", "A credential");
  return (
    slugOf(asked) ?? fields.fail("provider", `takes a provider's slug, or byo:<name> of a-z 0-9 and dashes: ${quoted(asked)} is none.`)
  );
}

/** The value never stands in a message. */
function readSecret(fields: Fields): Secret {
  const text = fields.needed("secret", "A credential").trim();
  if (text.length < SECRET_CHARACTERS_MIN || text.length > SECRET_CHARACTERS_MAX)
    return fields.fail("secret", `takes ${SECRET_CHARACTERS_MIN} to ${SECRET_CHARACTERS_MAX} characters.`);
  return NO_SECRET.test(text) ? fields.fail("secret", "holds a space or a character that no key has.") : new Secret(text);
}

const lastFourOf = (secret: Secret): string => secret.reveal().slice(-SHOWN_CHARACTERS);

type Spot = Pick<StoredCredential, "organizationId" | "projectId" | "provider">;

function refuseSecond(fields: Fields, { organizationId, projectId, provider }: Spot, ports: Ports): void {
  const same = (one: StoredCredential): boolean => one.provider === provider && one.projectId === projectId;
  const other = ports.directory.list("credential", organizationId).find(same);
  if (other) fields.fail("provider", `has the credential ${other.id} here already. Rotate that one, or delete it first.`);
}

/** Throws where the address may not be asked, or the provider would be nowhere. */
async function readBaseUrl(fields: Fields, provider: string, ports: Ports): Promise<string | undefined> {
  const text = fields.text("base_url")?.trim();
  if (text === undefined) {
    if (ports.connections.address(provider) !== undefined) return undefined;
    throw new Failure("missing_required_parameter", `${provider} has no address here: it needs base_url.`, { param: "base_url" });
  }
  if (text.length > URL_CHARACTERS_MAX) return fields.fail("base_url", `takes at most ${URL_CHARACTERS_MAX} characters.`);
  // A URL's reader passes over some of them: what was checked would not be what is stored.
  if (/\p{Cc}/u.test(text)) return fields.fail("base_url", "takes no control characters.");
  const fault = baseUrlFault(text);
  if (fault !== undefined) return fields.fail("base_url", `${fault}.`);
  const { origin, pathname, href } = new URL(text);
  try {
    await ports.notify.check(href);
  } catch (thrown) {
    // A name that does not resolve just now may tomorrow; an address inside is refused, now and at each call.
    if (!(thrown instanceof NotifyError)) throw thrown;
    if (thrown.kind === "address") return fields.fail("base_url", `may not be asked: ${thrown.message}`);
  }
  return (origin + pathname).replace(/\/+$/, "");
}

async function write(what: string, record: StoredCredential, ports: Ports): Promise<CredentialDocument> {
  await ports.directory.put("credential", record);
  await noteChange(what, record, ports);
  return credentialDocument(record, ports.clock.now());
}

function noteChange(
  what: string,
  { organizationId, id, name, provider, projectId, lastFour }: StoredCredential,
  ports: Ports,
): Promise<void> {
  const data = { name, provider, project: projectId ?? null, last_four: lastFour };
  return note({ organizationId, type: `credential.${what}`, resource: id, data }, ports);
}

function credentialDocument(record: StoredCredential, now: number): CredentialDocument {
  const { id, name, provider, organizationId, projectId, lastFour, baseUrl, masterKeyId, older, createdAt } = record;
  return {
    object: "credential",
    id,
    name,
    provider,
    organization: organizationId,
    project: projectId ?? null,
    last_four: lastFour,
    base_url: baseUrl ?? null,
    master_key: masterKeyId,
    older: older && older.until > now ? { last_four: older.lastFour, retires_at: new Date(older.until).toISOString() } : null,
    created_at: new Date(createdAt).toISOString(),
  };
}
