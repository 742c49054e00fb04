// API keys, all of them in memory: authentication is a map hit on the public id and one HMAC, and never waits for the database.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import { formatKey, type KeyMode, PUBLIC_ID_LENGTH, publicIdFrom, publicIdOf } from "../core/ids";
import type { Clock, KeyChange, Keys, Listing, NewKey, Page, Random } from "../core/ports";
import type { Organization } from "../core/records";
import { Secret } from "../core/secret";
import type { StoredKey } from "./backend";
import { badCursor, cursorOf, readPage } from "./cursor";
import type { Writer } from "./writer";

export const DEFAULT_ORGANIZATION = "default";

const SECRET_BYTES = 32;

const hmac = (pepper: Secret, text: string): Buffer => createHmac("sha256", pepper.reveal()).update(text).digest();

/** Tells whether a database's keys were hashed with this pepper, without telling the pepper. */
export const pepperCheck = (pepper: Secret): string => hmac(pepper, "tollway pepper check").toString("hex");

export interface KeyOptions {
  pepper: Secret;
  /** "tw": what keys begin with. */
  keyPrefix: string;
  clock: Clock;
  random: Random;
}

interface Entry {
  key: ApiKey;
  /** Its place among its organization's. */
  index: number;
  hash: Buffer;
  /** The secret before the last rotation, while both count. */
  older: { hash: Buffer; until: number } | undefined;
}

export class KeyCache implements Keys {
  readonly #options: KeyOptions;
  readonly #writer: Writer;
  readonly #organizations: ReadonlyMap<string, Organization>;
  /** The HMAC with its key already worked in: a copy of it costs a third of a new one, and each call needs one. */
  readonly #hmac: Bun.CryptoHasher;
  /** By key id. */
  readonly #entries = new Map<string, Entry>();
  /** By organization, in the order of their making: a page is cut out of it, however many there are. */
  readonly #byOrganization = new Map<string, Entry[]>();
  /** Compared with when the id is unknown, so that unknown ids and wrong secrets take the same time. */
  readonly #dummy: Buffer;
  #quickstart: Promise<{ key: ApiKey; plain: Secret }> | undefined;

  constructor(stored: readonly StoredKey[], organizations: ReadonlyMap<string, Organization>, writer: Writer, options: KeyOptions) {
    this.#options = options;
    this.#writer = writer;
    this.#organizations = organizations;
    this.#hmac = new Bun.CryptoHasher("sha256", options.pepper.reveal());
    this.#dummy = hmac(options.pepper, "tollway no key");
    for (const { hash, olderHash, olderUntil, ...key } of stored) {
      const older =
        olderHash === undefined || olderUntil === undefined ? undefined : { hash: Buffer.from(olderHash, "hex"), until: olderUntil };
      this.#enter(key, Buffer.from(hash, "hex"), older);
    }
  }

  verify(presented: string): ApiKey | undefined {
    const publicId = publicIdOf(this.#options.keyPrefix, presented);
    if (publicId === undefined) return undefined;
    const entry = this.#entries.get(`key_${publicId}`);
    const hash = this.#hmac.copy().update(presented).digest();
    if (timingSafeEqual(hash, entry?.hash ?? this.#dummy)) return entry?.key;
    const older = entry?.older;
    return older && older.until > this.#options.clock.now() && timingSafeEqual(hash, older.hash) ? entry.key : undefined;
  }

  async create(ask: NewKey): Promise<{ key: ApiKey; plain: Secret }> {
    if (!this.#organizations.has(ask.organizationId)) {
      throw new Failure("not_found", "There is no such organization", { param: "organization_id" });
    }
    let publicId = publicIdFrom(this.#options.random.bytes(PUBLIC_ID_LENGTH));
    while (this.#entries.has(`key_${publicId}`)) publicId = publicIdFrom(this.#options.random.bytes(PUBLIC_ID_LENGTH));
    return this.#add(ask, publicId, this.#options.random.bytes(SECRET_BYTES));
  }

  quickstart(): Promise<{ key: ApiKey; plain: Secret }> {
    // Two callers at once share one making; nothing is remembered after it, so that a later revocation shows.
    this.#quickstart ??= this.#makeQuickstart().finally(() => {
      this.#quickstart = undefined;
    });
    return this.#quickstart;
  }

  async list(organizationId: string, page: Page): Promise<Listing<ApiKey>> {
    const after = readPage("keys", page);
    const entries = this.#byOrganization.get(organizationId) ?? [];
    const before = after === undefined ? undefined : this.#entries.get(after);
    if (after !== undefined && before?.key.organizationId !== organizationId) throw badCursor();
    const end = before?.index ?? entries.length;
    const start = Math.max(0, end - page.limit);
    const data = entries
      .slice(start, end)
      .reverse()
      .map(({ key }) => key);
    const last = data.at(-1);
    return { data, nextCursor: last !== undefined && start > 0 ? cursorOf("keys", last.id) : undefined };
  }

  async revoke(organizationId: string, id: string): Promise<boolean> {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.key.organizationId !== organizationId) return false;
    const revokedAt = entry.key.revokedAt ?? this.#options.clock.now();
    // Refused from here on, before the row is written and even if it cannot be: the caller hears of that and asks again.
    entry.key = { ...entry.key, revokedAt };
    await this.#writer.submit({ type: "revoke", organizationId, keyId: id, revokedAt });
    return true;
  }

  async change(organizationId: string, id: string, change: KeyChange): Promise<{ key: ApiKey; plain: Secret | undefined } | undefined> {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.key.organizationId !== organizationId || entry.key.revokedAt !== undefined) return undefined;
    const key = changedKey(entry.key, change);
    const rotated = change.rotateUntil === undefined ? undefined : this.#newSecret(key);
    const hash = rotated?.hash ?? entry.hash;
    const older = rotated && change.rotateUntil !== undefined ? { hash: entry.hash, until: change.rotateUntil } : entry.older;
    await this.#writer.submit({
      type: "key-change",
      key: { ...key, hash: hash.toString("hex"), olderHash: older?.hash.toString("hex"), olderUntil: older?.until },
    });
    // Revoked meanwhile: that stands.
    entry.key = { ...key, revokedAt: entry.key.revokedAt };
    entry.hash = hash;
    entry.older = older;
    return { key: entry.key, plain: rotated?.plain };
  }

  #newSecret(key: ApiKey): { plain: Secret; hash: Buffer } {
    const { pepper, keyPrefix, random } = this.#options;
    const plain = formatKey(keyPrefix, key.mode, key.id.slice("key_".length), random.bytes(SECRET_BYTES));
    return { plain: new Secret(plain), hash: hmac(pepper, plain) };
  }

  /** The key, made from the pepper: nothing but its hash is stored, and it can be shown at every start. */
  async #makeQuickstart(): Promise<{ key: ApiKey; plain: Secret }> {
    const { pepper, keyPrefix } = this.#options;
    const mode: KeyMode = "test";
    const publicId = publicIdFrom(hmac(pepper, `quickstart id ${keyPrefix}`));
    const secret = hmac(pepper, "quickstart");
    const known = this.#entries.get(`key_${publicId}`);
    if (known !== undefined) return { key: known.key, plain: new Secret(formatKey(keyPrefix, mode, publicId, secret)) };
    return this.#add({ organizationId: DEFAULT_ORGANIZATION, name: "quickstart", mode }, publicId, secret);
  }

  async #add(ask: NewKey, publicId: string, secret: Uint8Array): Promise<{ key: ApiKey; plain: Secret }> {
    const { pepper, keyPrefix, clock } = this.#options;
    const plain = formatKey(keyPrefix, ask.mode, publicId, secret);
    const hash = hmac(pepper, plain);
    const key: ApiKey = {
      id: `key_${publicId}`,
      organizationId: ask.organizationId,
      name: ask.name,
      mode: ask.mode,
      createdAt: clock.now(),
      expiresAt: ask.expiresAt,
      responseMetadata: ask.responseMetadata ?? "inline",
      dropParams: ask.dropParams ?? false,
      policy: ask.policy ?? {},
    };
    await this.#writer.submit({ type: "key", key: { ...key, hash: hash.toString("hex") } });
    this.#enter(key, hash, undefined);
    return { key, plain: new Secret(plain) };
  }

  #enter(key: ApiKey, hash: Buffer, older: Entry["older"]): void {
    const own = this.#byOrganization.get(key.organizationId) ?? [];
    const entry: Entry = { key, index: own.length, hash, older };
    own.push(entry);
    this.#byOrganization.set(key.organizationId, own);
    this.#entries.set(key.id, entry);
  }
}

function changedKey(key: ApiKey, change: KeyChange): ApiKey {
  return {
    ...key,
    name: change.name ?? key.name,
    expiresAt: change.expiresAt === null ? undefined : (change.expiresAt ?? key.expiresAt),
    responseMetadata: change.responseMetadata ?? key.responseMetadata,
    dropParams: change.dropParams ?? key.dropParams,
    policy: change.policy ?? key.policy,
  };
}
