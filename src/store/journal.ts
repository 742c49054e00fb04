// What is written once beside the ledger: entries of prepaid balances, what administrators did; and webhooks on their way.
import { addUsd, type NanoUsd, ZERO_USD } from "../core/money";
import type { Journal, Listing, Numbered, Outbox, Page } from "../core/ports";
import type { AdminEvent, CreditEntry, Delivery } from "../core/records";
import type { Loaded, ReadBackend } from "./backend";
import { cursorOf, readPage } from "./cursor";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

type Reader = Pick<ReadBackend, "adminEvents" | "creditEntries">;

/** Adjustments in a row behind which a top-up is not looked for. */
const RECALLED_ENTRIES = 100;

export class EntryJournal implements Journal {
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #credited = new Map<string, NanoUsd>();
  readonly #topUps = new Map<string, NanoUsd>();
  /** Hears of an account whose sum changed. */
  onCredit: ((accountId: string) => void) | undefined;

  constructor(credits: Loaded["credits"], writer: Writer, reader: Reader) {
    this.#writer = writer;
    this.#reader = reader;
    for (const { accountId, amount } of credits) this.#credited.set(accountId, amount);
  }

  async credit(entry: CreditEntry): Promise<void> {
    await this.#writer.submit({ type: "credit", entry });
    this.#credited.set(entry.accountId, addUsd(this.credited(entry.accountId), entry.amount));
    if (entry.kind === "top_up") this.#topUps.set(entry.accountId, entry.amount);
    this.onCredit?.(entry.accountId);
  }

  credited(accountId: string): NanoUsd {
    return this.#credited.get(accountId) ?? ZERO_USD;
  }

  /** undefined: there was none, or none was recalled. */
  lastTopUp(accountId: string): NanoUsd | undefined {
    return this.#topUps.get(accountId);
  }

  /** Looks the last top-up up, at the start. */
  async recall(accountId: string): Promise<void> {
    const entries = await stored(this.#reader.creditEntries(accountId, undefined, RECALLED_ENTRIES));
    const last = entries.find(({ kind }) => kind === "top_up");
    if (last) this.#topUps.set(accountId, last.amount);
  }

  creditEntries(accountId: string, page: Page): Promise<Listing<Numbered<CreditEntry>>> {
    return listed("credit-entries", page, (before) => this.#reader.creditEntries(accountId, before, page.limit));
  }

  note(event: AdminEvent): Promise<void> {
    return this.#writer.submit({ type: "admin-event", event });
  }

  adminEvents(organizationId: string, page: Page): Promise<Listing<Numbered<AdminEvent>>> {
    return listed("admin-events", page, (before) => this.#reader.adminEvents(organizationId, before, page.limit));
  }
}

async function listed<T>(
  kind: string,
  page: Page,
  read: (before: number | undefined) => Promise<Numbered<T>[]>,
): Promise<Listing<Numbered<T>>> {
  const after = readPage(kind, page);
  const rows = await stored(read(after === undefined ? undefined : Number(after)));
  const data = rows.slice(0, page.limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > page.limit && last ? cursorOf(kind, String(last.id)) : undefined };
}

const stored = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch((error: unknown) => {
    throw storageFailure(error);
  });

export class MessageOutbox implements Outbox {
  readonly #writer: Writer;
  readonly #reader: Pick<ReadBackend, "deliveries" | "dueDeliveries">;

  constructor(writer: Writer, reader: Pick<ReadBackend, "deliveries" | "dueDeliveries">) {
    this.#writer = writer;
    this.#reader = reader;
  }

  put(delivery: Delivery): Promise<void> {
    return this.#writer.submit({ type: "delivery", delivery });
  }

  due(now: number, limit: number): Promise<readonly Delivery[]> {
    return stored(this.#reader.dueDeliveries(now, limit));
  }

  list(webhookId: string, limit: number): Promise<readonly Delivery[]> {
    return stored(this.#reader.deliveries(webhookId, limit));
  }
}
