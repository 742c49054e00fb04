// The accounts that calls may use: what operators stored for an organization or a project, over what the environment connects for all.
// Secrets are opened when the first call needs them and live in memory alone. Every call asks several times: an answer is kept until a
// stored credential of the organization changes, or one of two in a rotation ends.
import type { Clock, Directory, Log } from "../core/ports";
import type { StoredCredential } from "../core/records";
import type { Secret } from "../core/secret";
import type { Connection, Connections } from "../core/settings";
import { credentialPlace, olderCredentialPlace, type Vault } from "../core/vault";

export interface ConnectionOptions {
  /** The operator's own: they serve every organization that has none of its own. */
  fromEnvironment: readonly Connection[];
  /** Where each provider is, as the operator set it or as its row has it. */
  addresses: Readonly<Record<string, string>>;
  directory: Pick<Directory, "list">;
  vault: Vault;
  clock: Pick<Clock, "now">;
  log: Log;
}

interface Kept {
  connections: readonly Connection[];
  /** Unix milliseconds: from then on it is another answer. */
  until: number;
}

interface KeptOfOrganization {
  /** The list that the answers were made from: another one means that something changed. */
  rows: readonly StoredCredential[];
  /** By project; "" for the keys of none, and of those that have no credential of their own. */
  byProject: Map<string, Kept>;
}

/** An opened row; undefined: it does not open. */
type Opened = { current: Secret; older: Secret | undefined } | undefined;

export class AccountConnections implements Connections {
  readonly #options: ConnectionOptions;
  readonly #kept = new Map<string, KeptOfOrganization>();
  readonly #opened = new WeakMap<StoredCredential, { opened: Opened }>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  connected(organizationId: string, projectId?: string): readonly Connection[] {
    const { directory, fromEnvironment, clock } = this.#options;
    const rows = directory.list("credential", organizationId);
    if (rows.length === 0) return fromEnvironment;
    const kept = this.#keptOf(organizationId, rows);
    const project = projectId !== undefined && rows.some((row) => row.projectId === projectId) ? projectId : "";
    const now = clock.now();
    const known = kept.byProject.get(project);
    if (known !== undefined && now < known.until) return known.connections;
    const made = this.#make(rows, project, now);
    kept.byProject.set(project, made);
    return made.connections;
  }

  address(provider: string): string | undefined {
    return this.#options.addresses[provider];
  }

  #keptOf(organizationId: string, rows: readonly StoredCredential[]): KeptOfOrganization {
    const known = this.#kept.get(organizationId);
    if (known?.rows === rows) return known;
    const kept: KeptOfOrganization = { rows, byProject: new Map() };
    this.#kept.set(organizationId, kept);
    return kept;
  }

  #make(rows: readonly StoredCredential[], project: string, now: number): Kept {
    const own = new Map<string, StoredCredential>();
    for (const row of rows) if (row.projectId === undefined) own.set(row.provider, row);
    for (const row of rows) if (row.projectId === project) own.set(row.provider, row);
    const { fromEnvironment } = this.#options;
    const connections = fromEnvironment.filter((connection) => !own.has(connection.provider));
    let until = Number.POSITIVE_INFINITY;
    for (const row of own.values()) {
      const connection = this.#connection(row, now);
      // One that does not open is not replaced by another account: that would be billed for calls that are not its own.
      if (connection === undefined) continue;
      connections.push(connection);
      if (row.older !== undefined && row.older.until > now) until = Math.min(until, row.older.until);
    }
    return { connections, until };
  }

  #connection(row: StoredCredential, now: number): Connection | undefined {
    const base = this.#options.fromEnvironment.find((connection) => connection.provider === row.provider);
    const baseUrl = row.baseUrl ?? base?.baseUrl ?? this.address(row.provider);
    const opened = this.#open(row);
    if (opened === undefined || baseUrl === undefined) return undefined;
    const older = row.older !== undefined && row.older.until > now ? opened.older : undefined;
    return { ...base, provider: row.provider, baseUrl, credential: opened.current, older, credentialId: row.id };
  }

  /** A row is opened once: a changed one is another object. */
  #open(row: StoredCredential): Opened {
    const known = this.#opened.get(row);
    if (known) return known.opened;
    const opened = this.#unsealed(row);
    this.#opened.set(row, { opened });
    return opened;
  }

  #unsealed(row: StoredCredential): Opened {
    const { vault, log } = this.#options;
    try {
      const current = vault.open(row, credentialPlace(row));
      return { current, older: row.older && vault.open(row.older, olderCredentialPlace(row)) };
    } catch (thrown) {
      log.write("error", "credential_not_opened", { credential: row.id, provider: row.provider, cause: String(thrown) });
      return undefined;
    }
  }
}
