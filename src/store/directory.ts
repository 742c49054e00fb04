// What operators set up, in memory whole: read by every call without asking the database, written through the one writer.
import type { Directory } from "../core/ports";
import type { Organization, RecordKind, RecordTypes } from "../core/records";
import type { StoredRecord } from "./backend";
import type { Writer } from "./writer";

type Records = { [K in RecordKind]: Map<string, RecordTypes[K]> };

const noRecords = (): Records => ({
  team: new Map(),
  project: new Map(),
  budget: new Map(),
  "scope-limits": new Map(),
  credential: new Map(),
  webhook: new Map(),
  "credit-account": new Map(),
  run: new Map(),
});

export class RecordDirectory implements Directory {
  readonly #writer: Writer;
  readonly #organizations: Map<string, Organization>;
  readonly #records = noRecords();
  /** By kind and organization: calls ask for the same lists again and again, and get the same one until it changes. */
  readonly #lists = new Map<RecordKind, Map<string, readonly RecordTypes[RecordKind][]>>();
  revision = 0;
  /** Hears of each change, and is waited for. */
  onChange: ((kind: RecordKind, id: string) => Promise<void> | undefined) | undefined;

  constructor(organizations: Map<string, Organization>, stored: readonly StoredRecord[], writer: Writer) {
    this.#organizations = organizations;
    this.#writer = writer;
    for (const { kind, record } of stored) this.#mapOf(kind).set(record.id, record);
  }

  get<K extends RecordKind>(kind: K, id: string): RecordTypes[K] | undefined {
    return this.#mapOf(kind).get(id);
  }

  list<K extends RecordKind>(kind: K, organizationId: string): readonly RecordTypes[K][] {
    const lists = this.#lists.get(kind) ?? new Map<string, readonly RecordTypes[RecordKind][]>();
    this.#lists.set(kind, lists);
    const known = lists.get(organizationId) as readonly RecordTypes[K][] | undefined;
    if (known !== undefined) return known;
    const list = [...this.#mapOf(kind).values()].filter((record) => record.organizationId === organizationId);
    if (this.#organizations.has(organizationId)) lists.set(organizationId, list);
    return list;
  }

  async put<K extends RecordKind>(kind: K, record: RecordTypes[K]): Promise<void> {
    await this.#writer.submit({ type: "record", kind, record } as { type: "record" } & StoredRecord);
    this.#mapOf(kind).set(record.id, record);
    await this.#changed(kind, record.id);
  }

  async remove(kind: RecordKind, id: string): Promise<boolean> {
    if (!this.#mapOf(kind).has(id)) return false;
    await this.#writer.submit({ type: "unrecord", kind, id });
    const removed = this.#mapOf(kind).delete(id);
    await this.#changed(kind, id);
    return removed;
  }

  organizations(): readonly Organization[] {
    return [...this.#organizations.values()];
  }

  async putOrganization(organization: Organization): Promise<void> {
    await this.#writer.submit({ type: "organization", organization });
    this.#organizations.set(organization.id, organization);
    this.revision++;
  }

  #changed(kind: RecordKind, id: string): Promise<void> | undefined {
    this.#lists.delete(kind);
    if (kind !== "run") this.revision++;
    return this.onChange?.(kind, id);
  }

  #mapOf<K extends RecordKind>(kind: K): Map<string, RecordTypes[K]> {
    return this.#records[kind];
  }
}
