// The store as the gateway sees it: the ports over any backend, with one writer and one set of sums.
import { Failure } from "../core/failure";
import type { Runs } from "../core/governance";
import { publicIdFrom } from "../core/ids";
import type { Inspection } from "../core/inspection";
import type {
  Budgets,
  Clock,
  Counters,
  Directory,
  Holds,
  Journal,
  Keys,
  Ledger,
  Log,
  Outbox,
  Prices,
  Random,
  Records,
  Rollups,
} from "../core/ports";
import type { Organization, Run } from "../core/records";
import type { Reservations } from "../core/reservations";
import type { Secret } from "../core/secret";
import type { Analytics } from "./analytics";
import { type AttemptParts, Attempts } from "./attempts";
import type { Backend, Loaded, ReadBackend } from "./backend";
import { BudgetKeeper } from "./budgets";
import { CreditKeeper } from "./credits";
import { RecordDirectory } from "./directory";
import { HoldBook } from "./hold-book";
import { BookInspection } from "./inspection";
import { EntryJournal, MessageOutbox } from "./journal";
import { KeyCache } from "./keys";
import { PriceRecord } from "./price-record";
import { RecordLog, type RefusalLimits } from "./record-log";
import type { RollupSizes } from "./rollup-due";
import { FOLD_BLOCKS } from "./rollup-fold";
import { RollupKeeper } from "./rollup-keeper";
import { RollupPort } from "./rollup-port";
import { BLOCK_ROWS } from "./rollup-shape";
import { RunKeeper } from "./runs";
import { Writer, type WriterLimits } from "./writer";

export interface StoreLimits extends WriterLimits {
  refusals: RefusalLimits;
  rollups: RollupSizes;
}

export const STORE_LIMITS: StoreLimits = {
  queue: 10_000,
  batch: 256,
  refusals: { burst: 2_000, perSecond: 10, waiting: 5_000 },
  rollups: { blockRows: BLOCK_ROWS, foldBlocks: FOLD_BLOCKS },
};

export interface StoreStats {
  /** Writes that wait or are being written. */
  queued: number;
  /** Transactions so far. */
  batches: number;
  openHolds: number;
  /** Refusals counted and not stored. */
  refusalsDropped: number;
}

/** Organizations, as far as the store itself needs them: keys belong to one. `default` is there from the start. */
export interface Organizations {
  list(): readonly Organization[];
  /** Durable when it resolves. */
  create(name: string): Promise<Organization>;
}

export interface Store {
  readonly keys: Keys;
  readonly holds: Holds;
  readonly ledger: Ledger;
  readonly records: Records;
  readonly rollups: Rollups;
  readonly counters: Counters;
  readonly organizations: Organizations;
  readonly directory: Directory;
  readonly budgets: Budgets;
  readonly journal: Journal;
  readonly runs: Runs;
  readonly outbox: Outbox;
  readonly inspection: Inspection;
  /** The prices that ledger rows name. */
  readonly priceVersions: PriceRecord;
  /** Why writes are refused at the moment (`/readyz` 503); undefined: all is well. */
  trouble(): Failure | undefined;
  stats(): StoreStats;
  /** Writes what is queued, refuses everything after, and lets the next owner in. Never rejects for want of a database. */
  close(): Promise<void>;
}

export interface StoreOptions {
  pepper: Secret;
  keyPrefix: string;
  clock: Clock;
  random: Random;
  log: Log;
  limits: StoreLimits;
  /** What budgets have spent and hold: decided elsewhere, driven here. */
  reservations: Reservations;
  schedule?: ((flush: () => void) => void) | undefined;
}

/** The ports over a backend that is ready: orphans are charged, sums are rebuilt before they are handed out. */
export async function assembleStore(backend: Backend, options: StoreOptions): Promise<Store> {
  const { clock, log, limits } = options;
  const loaded = await backend.load();
  const writer = new Writer(backend, { clock, log, limits, schedule: options.schedule });
  const organizations = new Map(loaded.organizations.map((organization) => [organization.id, organization]));
  const book = new HoldBook();
  book.load(loaded.spent);
  const reader = whileOpen(backend);
  const { reservations } = options;
  const directory = new RecordDirectory(organizations, loaded.records, writer);
  const budgets = new BudgetKeeper({ directory, reservations, book, writer, reader, clock });
  await budgets.load([...organizations.keys()]);
  const journal = new EntryJournal(loaded.credits, writer, reader);
  const credits = new CreditKeeper({ directory, journal, reservations, book, writer, reader, clock });
  await credits.load([...organizations.keys()]);
  directory.onChange = (kind, id) => (kind === "credit-account" ? credits.changed(id) : undefined);
  journal.onCredit = (accountId) => credits.credited(accountId);
  const runs = new RunKeeper({ directory, reservations, book, writer, reader, clock }, runsOf(loaded));
  const crossed: AttemptParts["crossed"] = (crossings, mode) => budgets.tell(crossings, mode);
  const keeper = new RollupKeeper({ analytics: reader.analytics, writer, clock, log, sizes: limits.rollups });
  const attempts = new Attempts({ book, reservations, writer, reader, clock, log, crossed, wrote: () => keeper.wrote() });
  const records = new RecordLog(writer, reader, clock, limits.refusals);
  backend.watch((cause) => writer.fence(cause));
  let closing: Promise<void> | undefined;
  keeper.start(loaded.unsummed);
  const close = async () => {
    await keeper.stop();
    await writer.close();
    reader.close();
    await backend.close();
  };
  return {
    keys: new KeyCache(loaded.keys, organizations, writer, options),
    holds: attempts,
    ledger: attempts,
    records,
    rollups: new RollupPort(reader.analytics),
    counters: book,
    directory,
    budgets,
    journal,
    runs,
    outbox: new MessageOutbox(writer, reader),
    organizations: {
      list: () => [...organizations.values()],
      create: (name) => createOrganization(name, organizations, writer, options),
    },
    inspection: new BookInspection({ directory, reservations, book, writer, reader, reads: backend.inspection, clock }),
    priceVersions: new PriceRecord(loaded.priceVersions, writer, reader, () => clock.now(), log),
    trouble: () => writer.trouble,
    stats: () => ({ queued: writer.queued, batches: writer.batches, openHolds: book.size, refusalsDropped: records.dropped }),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

const runsOf = (loaded: Loaded): Run[] => loaded.records.flatMap((stored) => (stored.kind === "run" ? [stored.record] : []));

type Reader = Omit<ReadBackend, "load"> & { analytics: Omit<Analytics, "close"> };

/** The backend's reads, refused once it is closed. */
function whileOpen(backend: Backend): Reader & { close(): void } {
  let open = true;
  const read = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (!open) throw new Failure("storage_unavailable", "The gateway is shutting down", { retryAfterMs: 1_000 });
    return ask();
  };
  return {
    settled: (attempt) => read(() => backend.settled(attempt)),
    price: (version) => read(() => backend.price(version)),
    audit: (query, after) => read(() => backend.audit(query, after)),
    callsOfRun: (query) => read(() => backend.callsOfRun(query)),
    analytics: {
      usage: (query) => read(() => backend.analytics.usage(query)),
      rows: (query) => read(() => backend.analytics.rows(query)),
      spent: (query, upTo) => read(() => backend.analytics.spent(query, upTo)),
      nextWrite: (sizes) => read(() => backend.analytics.nextWrite(sizes)),
      proveBlock: (after, range) => read(() => backend.analytics.proveBlock(after, range)),
      proveFold: (after) => read(() => backend.analytics.proveFold(after)),
    },
    spentBefore: (query, without) => read(() => backend.spentBefore(query, without)),
    adminEvents: (organizationId, before, limit) => read(() => backend.adminEvents(organizationId, before, limit)),
    creditEntries: (accountId, before, limit) => read(() => backend.creditEntries(accountId, before, limit)),
    deliveries: (webhookId, limit) => read(() => backend.deliveries(webhookId, limit)),
    dueDeliveries: (now, limit) => read(() => backend.dueDeliveries(now, limit)),
    close: () => {
      open = false;
    },
  };
}

async function createOrganization(
  name: string,
  organizations: Map<string, Organization>,
  writer: Writer,
  options: StoreOptions,
): Promise<Organization> {
  const organization: Organization = {
    id: `org_${publicIdFrom(options.random.bytes(12))}`,
    name,
    status: "active",
    createdAt: options.clock.now(),
  };
  await writer.submit({ type: "organization", organization });
  organizations.set(organization.id, organization);
  return organization;
}

/** The ports that a store stands behind; prices come from `prices`, and what ledger rows name of them is kept. */
export const storePorts = (store: Store, prices: Prices) => ({
  prices: store.priceVersions.keeping(prices),
  priceVersions: store.priceVersions,
  keys: store.keys,
  holds: store.holds,
  ledger: store.ledger,
  records: store.records,
  rollups: store.rollups,
  counters: store.counters,
  directory: store.directory,
  budgets: store.budgets,
  journal: store.journal,
  runs: store.runs,
  outbox: store.outbox,
  inspection: store.inspection,
});
