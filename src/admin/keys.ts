// Keys: minted, changed, rotated, revoked. Plain functions over the ports; the HTTP and command-line doors only call these.
import type { Budget } from "../core/budget";
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import type { KeyMode } from "../core/ids";
import type { Page, Ports } from "../core/ports";
import { keyEvent } from "../policy/alert";
import { readTermsList, type Terms } from "./budget-terms";
import { type BudgetDocument, budgetDocument, newBudget, putBudget, sameScope } from "./budgets";
import { note } from "./events";
import { type Fields, fieldsOf, notFound, quoted } from "./fields";
import { findKey, keysNamed } from "./key-find";
import { KEY_TERMS, type KnownModels, policyDocument, readPolicy, readResponseMetadata } from "./key-terms";
import { type ListDocument, listDocument } from "./page";
import { type Ask, organizationAsked, organizationOr } from "./place";

/** A key as the operator sees it. */
export interface KeyDocument extends ReturnType<typeof policyDocument> {
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
  response_metadata: ApiKey["responseMetadata"];
  drop_params: boolean;
}

const BUDGETS_MAX = 20;
const DAY_SECONDS = 86_400;
const GRACE_MAX_SECONDS = 30 * DAY_SECONDS;

/**
 * `{name, mode?, organization?, budgets?, …KEY_TERMS}` → the key's document and, this once, the key itself. Its budgets are in force
 * before anybody knows the key.
 */
export async function createKey(ask: Ask, models: KnownModels, ports: Ports): Promise<KeyDocument & { key: string; budgets: object[] }> {
  const fields = fieldsOf(ask.body, [...KEY_TERMS, "mode", "organization", "budgets"], "Keys", ask.at);
  const name = fields.neededName("A key");
  const mode = fields.choice("mode", ["live", "test"]) ?? "live";
  const organizationId = organizationOr(ask, fields, ports);
  const terms = readTermsList(fields, "budgets", BUDGETS_MAX);
  await freeKeyName(fields, name, { organizationId }, ports);
  const { key, plain } = await ports.keys.create({
    organizationId,
    name,
    mode,
    expiresAt: fields.laterTime("expires_at", ports.clock.now()),
    responseMetadata: readResponseMetadata(fields),
    dropParams: fields.flag("drop_params"),
    policy: readPolicy(fields, {}, organizationId, models, ports),
  });
  const budgets = await withBudgets(key, terms, ports);
  await noteKey("created", key, { mode }, ports);
  ports.events.emit(keyEvent("key.created", key, ports.clock.now()));
  const testKeys = new Set(mode === "test" ? [key.id] : []);
  const shown = budgets.map((budget) => budgetDocument(budget, testKeys, ports));
  return { ...keyDocument(key, ports.clock.now()), key: plain.reveal(), budgets: shown };
}

/** A key is named where budgets and `tollway apply` mean it: two of a name would be a guess. Revoked keys give theirs up. */
async function freeKeyName(fields: Fields, name: string, own: { organizationId: string; id?: string }, ports: Ports): Promise<void> {
  const other = (await keysNamed(name, own.organizationId, ports)).find(({ id }) => id !== own.id);
  if (other) fields.fail("name", `${quoted(name)} is the name of ${other.id} already: rotate or revoke that one, or choose another name.`);
}

/** All of them or no key: where one cannot be written, the key, which nobody has seen, is revoked. */
async function withBudgets(key: ApiKey, terms: readonly Terms[], ports: Ports): Promise<readonly Budget[]> {
  const budgets = terms.map((each) => newBudget({ kind: "key", id: key.id }, key.organizationId, each, ports));
  try {
    for (const budget of budgets) await putBudget("created", budget, ports);
  } catch (thrown) {
    await ports.keys.revoke(key.organizationId, key.id);
    for (const { id } of budgets) await ports.budgets.remove(id);
    throw thrown;
  }
  return budgets;
}

export const listKeys = async (ask: Ask, page: Page, ports: Ports): Promise<ListDocument> =>
  listDocument(await ports.keys.list(organizationOr(ask, undefined, ports), page), (key) => keyDocument(key, ports.clock.now()));

/** The key with its budgets. */
export async function getKey(id: string, ask: Ask, ports: Ports): Promise<KeyDocument & { budgets: BudgetDocument[] }> {
  const key = await keyAsked(id, ask, ports);
  const testKeys = new Set(key.mode === "test" ? [key.id] : []);
  const own = ports.directory.list("budget", key.organizationId).filter(({ scope }) => sameScope(scope, { kind: "key", id }));
  return { ...keyDocument(key, ports.clock.now()), budgets: own.map((budget) => budgetDocument(budget, testKeys, ports)) };
}

/** Any of KEY_TERMS: what is absent stays, null takes a limit away. In force for the next call. */
export async function updateKey(id: string, ask: Ask, models: KnownModels, ports: Ports): Promise<KeyDocument> {
  const before = await keyAsked(id, ask, ports);
  const { organizationId } = before;
  const fields = fieldsOf(ask.body, KEY_TERMS, "Keys that exist", ask.at);
  const now = ports.clock.now();
  const name = fields.name();
  if (name !== undefined) await freeKeyName(fields, name, before, ports);
  const changed = await ports.keys.change(organizationId, id, {
    name,
    expiresAt: fields.isNull("expires_at") ? null : fields.laterTime("expires_at", now),
    responseMetadata: readResponseMetadata(fields),
    dropParams: fields.flag("drop_params"),
    policy: readPolicy(fields, before.policy, organizationId, models, ports),
  });
  if (!changed) throw revoked(id);
  await noteKey("updated", changed.key, { changed: fields.names() }, ports);
  return keyDocument(changed.key, now);
}

/** `{grace_seconds?}` → a new secret, this once. The one before counts for the grace, a day where none is said. */
export async function rotateKey(
  id: string,
  ask: Ask,
  ports: Ports,
): Promise<KeyDocument & { key: string; previous_valid_until: string | null }> {
  const { organizationId } = await keyAsked(id, ask, ports);
  const fields = fieldsOf(ask.body, ["grace_seconds"], "Rotations");
  const grace = fields.whole("grace_seconds", 0, GRACE_MAX_SECONDS) ?? DAY_SECONDS;
  const now = ports.clock.now();
  const until = now + grace * 1000;
  const changed = await ports.keys.change(organizationId, id, { rotateUntil: until });
  if (!changed?.plain) throw revoked(id);
  const previous = grace === 0 ? null : new Date(until).toISOString();
  await noteKey("rotated", changed.key, { previous_valid_until: previous }, ports);
  return { ...keyDocument(changed.key, now), key: changed.plain.reveal(), previous_valid_until: previous };
}

/** Effective at once. With `cutCalls`, calls that are being answered end too, each with an error; without it they run to their end. */
export async function revokeKey(
  id: string,
  ask: Ask,
  cutCalls: boolean | undefined,
  ports: Ports,
): Promise<{ object: "api_key"; id: string; revoked: true; calls_cut?: number }> {
  const key = await keyAsked(id, ask, ports);
  await ports.keys.revoke(key.organizationId, id);
  const why = new Failure("key_disabled", `The key "${key.name}" was revoked.`);
  const cut = cutCalls ? ports.live.cut((call) => call.keyId === id, why) : undefined;
  if (key.revokedAt === undefined) {
    await noteKey("revoked", key, cut === undefined ? {} : { calls_cut: cut }, ports);
    ports.events.emit(keyEvent("key.revoked", key, ports.clock.now()));
  }
  return { object: "api_key", id, revoked: true, ...(cut === undefined ? {} : { calls_cut: cut }) };
}

async function keyAsked(id: string, ask: Ask, ports: Ports): Promise<ApiKey> {
  const key = await findKey(id, organizationAsked(ask, undefined, ports), ports);
  if (key) return key;
  // A name can change hands: what is changed or revoked is named by its id, which is told here.
  const named = await keysNamed(id, organizationOr(ask, undefined, ports), ports);
  if (named.length === 0) throw notFound("key", id, "id");
  const ids = named.map((one) => one.id).join(" and ");
  throw new Failure("not_found", `There is no key with the id ${quoted(id)}. It is the name of ${ids}: give the id.`, { param: "id" });
}

const revoked = (id: string): Failure => new Failure("invalid_value", `The key ${id} is revoked.`, { param: "id" });

const noteKey = (what: string, key: ApiKey, data: Readonly<Record<string, unknown>>, ports: Ports): Promise<void> =>
  note({ organizationId: key.organizationId, type: `api_key.${what}`, resource: key.id, data: { name: key.name, ...data } }, ports);

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
    ...policyDocument(key.policy),
    response_metadata: key.responseMetadata,
    drop_params: key.dropParams,
  };
}

const isoOrNull = (unixMs: number | undefined): string | null => (unixMs === undefined ? null : new Date(unixMs).toISOString());
