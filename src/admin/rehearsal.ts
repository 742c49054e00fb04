// Ports on which changes can be tried: what is written is there for whoever reads through them, and nowhere else. A file that is applied
// is rehearsed whole before anything of it is written.
import type { Budget } from "../core/budget";
import type { Events } from "../core/event";
import type { ApiKey } from "../core/exchange";
import { publicIdFrom } from "../core/ids";
import type { Budgets, Directory, Journal, KeyChange, Keys, Listing, NewKey, Page, Ports } from "../core/ports";
import type { Organization, RecordKind, RecordTypes } from "../core/records";
import { Secret } from "../core/secret";
import { findKey } from "./key-find";

export function rehearse(ports: Ports): Ports {
  const directory = new RehearsedDirectory(ports.directory);
  return {
    ...ports,
    directory,
    keys: new RehearsedKeys(ports),
    budgets: rehearsedBudgets(directory),
    journal: silent(ports.journal),
    events: silentEvents(ports.events),
  };
}

class RehearsedDirectory implements Directory {
  readonly revision = 0;
  readonly #real: Directory;
  /** By kind and id; undefined: removed. */
  readonly #written = new Map<RecordKind, Map<string, { id: string; organizationId: string } | undefined>>();
  readonly #organizations = new Map<string, Organization>();

  constructor(real: Directory) {
    this.#real = real;
  }

  get<K extends RecordKind>(kind: K, id: string): RecordTypes[K] | undefined {
    const written = this.#of(kind);
    return written.has(id) ? (written.get(id) as RecordTypes[K] | undefined) : this.#real.get(kind, id);
  }

  list<K extends RecordKind>(kind: K, organizationId: string): readonly RecordTypes[K][] {
    const written = this.#of(kind);
    const kept = this.#real.list(kind, organizationId).filter(({ id }) => !written.has(id));
    const added = [...written.values()].filter((record) => record?.organizationId === organizationId);
    return [...kept, ...(added as RecordTypes[K][])];
  }

  put<K extends RecordKind>(kind: K, record: RecordTypes[K]): Promise<void> {
    this.#of(kind).set(record.id, record);
    return Promise.resolve();
  }

  remove(kind: RecordKind, id: string): Promise<boolean> {
    const there = this.get(kind, id) !== undefined;
    this.#of(kind).set(id, undefined);
    return Promise.resolve(there);
  }

  organizations(): readonly Organization[] {
    return [...this.#real.organizations().filter(({ id }) => !this.#organizations.has(id)), ...this.#organizations.values()];
  }

  putOrganization(organization: Organization): Promise<void> {
    this.#organizations.set(organization.id, organization);
    return Promise.resolve();
  }

  #of(kind: RecordKind) {
    const known = this.#written.get(kind);
    if (known) return known;
    const written = new Map<string, { id: string; organizationId: string } | undefined>();
    this.#written.set(kind, written);
    return written;
  }
}

/** Keys that are made here open nothing. */
class RehearsedKeys implements Keys {
  readonly #real: Ports;
  readonly #made = new Map<string, ApiKey>();
  readonly #changed = new Map<string, ApiKey>();

  constructor(real: Ports) {
    this.#real = real;
  }

  verify(): undefined {
    return undefined;
  }

  create(ask: NewKey): Promise<{ key: ApiKey; plain: Secret }> {
    const { clock, random } = this.#real;
    const { organizationId, name, mode, expiresAt } = ask;
    const id = `key_${publicIdFrom(random.bytes(12))}`;
    const { responseMetadata = "inline", dropParams = false, policy = {} } = ask;
    const key: ApiKey = { id, organizationId, name, mode, createdAt: clock.now(), expiresAt, responseMetadata, dropParams, policy };
    this.#made.set(id, key);
    return Promise.resolve({ key, plain: NO_SECRET });
  }

  quickstart(): Promise<never> {
    return Promise.reject(new Error("Nobody starts during a rehearsal"));
  }

  /** Pages may be longer than asked: whoever rehearses reads them all. */
  async list(organizationId: string, page: Page): Promise<Listing<ApiKey>> {
    const { data, nextCursor } = await this.#real.keys.list(organizationId, page);
    const made = page.cursor === undefined ? [...this.#made.values()].filter((key) => key.organizationId === organizationId) : [];
    return { data: [...made, ...data.map((key) => this.#changed.get(key.id) ?? key)], nextCursor };
  }

  async revoke(organizationId: string, id: string): Promise<boolean> {
    return (await this.#change(organizationId, id, { revokedAt: this.#real.clock.now() })) !== undefined;
  }

  async change(organizationId: string, id: string, change: KeyChange): Promise<{ key: ApiKey; plain: Secret | undefined } | undefined> {
    const { rotateUntil, expiresAt, ...said } = change;
    const named = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
    const end = expiresAt === undefined ? {} : { expiresAt: expiresAt ?? undefined };
    const key = await this.#change(organizationId, id, { ...named, ...end });
    return key && { key, plain: rotateUntil === undefined ? undefined : NO_SECRET };
  }

  async #change(organizationId: string, id: string, change: Partial<ApiKey>): Promise<ApiKey | undefined> {
    const made = this.#made.get(id);
    const before = made ?? this.#changed.get(id) ?? (await findKey(id, organizationId, this.#real));
    if (!before || before.organizationId !== organizationId || before.revokedAt !== undefined) return undefined;
    const key = { ...before, ...change };
    (made ? this.#made : this.#changed).set(id, key);
    return key;
  }
}

const NO_SECRET = new Secret("");

const rehearsedBudgets = (directory: Directory): Budgets => ({
  put: (budget: Budget) => directory.put("budget", budget),
  remove: (id) => directory.remove("budget", id),
  state: () => undefined,
  states: () => [],
  room: () => undefined,
  onCrossing: () => undefined,
});

/** Nothing is noted of what only might happen. */
const silent = (real: Journal): Journal => ({
  credit: () => Promise.resolve(),
  note: () => Promise.resolve(),
  credited: (accountId) => real.credited(accountId),
  creditEntries: (accountId, page) => real.creditEntries(accountId, page),
  adminEvents: (organizationId, page) => real.adminEvents(organizationId, page),
});

const silentEvents = (real: Events): Events => ({
  emit: () => undefined,
  sendTo: (webhook, event) => real.sendTo(webhook, event),
  again: (delivery) => real.again(delivery),
});
