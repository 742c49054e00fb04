// One queue of writes, committed in groups: everything that asks within one turn of the event loop shares one transaction.
// When the database fails the writer latches: new work is refused at once, settlements wait, a probe opens it again.
import { Failure } from "../core/failure";
import type { Clock, Log } from "../core/ports";
import type { Write, WriteBackend } from "./backend";
import { storageFailure, type Trouble, troubleOf } from "./storage-failure";

export interface WriterLimits {
  /** Writes that may wait; one more is refused with `overloaded`. */
  queue: number;
  /** Writes in one transaction. */
  batch: number;
}

export interface WriterOptions {
  clock: Clock;
  log: Log;
  limits: WriterLimits;
  /** Runs `flush` once, soon. Default: setImmediate, which is one group per turn of the event loop. */
  schedule?: ((flush: () => void) => void) | undefined;
}

/** How long a batch is tried again while someone else holds the file. */
const BUSY_MS = 1_000;
const BUSY_PAUSE_MS = 20;
const PROBE_MS = { first: 250, longest: 5_000 };

const closedFailure = () => new Failure("storage_unavailable", "The gateway is shutting down", { retryAfterMs: 1_000 });

interface Member {
  write: Write;
  /** Survives a latch: it tells what has already happened (a settlement), so it waits instead of failing. */
  kept: boolean;
  resolve(): void;
  reject(failure: Failure): void;
}

export class Writer {
  readonly #backend: WriteBackend;
  readonly #options: WriterOptions;
  #queue: Member[] = [];
  #scheduled = false;
  #flushing = false;
  #closing = false;
  #closed = false;
  #trouble: Failure | undefined;
  /** Another owner has the database: no probe will help. */
  #fenced = false;
  #cancelProbe: (() => void) | undefined;
  #waiters: { target: number; resolve(): void; reject(failure: Failure): void }[] = [];
  #accepted = 0;
  #finished = 0;
  #batches = 0;

  constructor(backend: WriteBackend, options: WriterOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  /** Why writes are refused at the moment; undefined: they go through. */
  get trouble(): Failure | undefined {
    return this.#trouble;
  }

  /** Writes that wait or are being written. */
  get queued(): number {
    return this.#accepted - this.#finished;
  }

  /** Transactions committed so far. */
  get batches(): number {
    return this.#batches;
  }

  /** Resolves when durable. Rejects `overloaded` (queue full) or `storage_unavailable`, and then nothing is written. */
  submit(write: Write): Promise<void> {
    if (this.#closing) return Promise.reject(closedFailure());
    if (this.#trouble !== undefined) return Promise.reject(this.#trouble);
    if (this.queued >= this.#options.limits.queue) {
      return Promise.reject(
        new Failure("overloaded", "The gateway has more work than it can write down; try again", { retryAfterMs: 1_000 }),
      );
    }
    return this.#enqueue(write, false);
  }

  /** As `submit`, for what must not be lost: it is never refused for want of room, and waits while the database is away. */
  submitKept(write: Write): Promise<void> {
    if (this.#trouble !== undefined && (this.#closed || this.#fenced)) return Promise.reject(this.#trouble);
    return this.#enqueue(write, true);
  }

  /** Resolves when everything accepted so far is durable. Rejects while the writer is latched. */
  drain(): Promise<void> {
    if (this.#finished >= this.#accepted) return Promise.resolve();
    if (this.#trouble !== undefined) return Promise.reject(this.#trouble);
    return new Promise((resolve, reject) => this.#waiters.push({ target: this.#accepted, resolve, reject }));
  }

  /** Writes what is queued, then refuses everything. What cannot be written is rejected. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    try {
      await this.drain();
    } catch (error) {
      this.#options.log.write("error", "store.close_incomplete", { queued: this.queued, cause: String(storageFailure(error).cause) });
    }
    this.#closed = true;
    this.#cancelProbe?.();
    this.#trouble ??= closedFailure();
    this.#rejectAll(this.#trouble);
  }

  /** The lease is gone: from here every write of this process would abort. */
  fence(cause: unknown): void {
    this.#latch("fenced", cause, []);
  }

  #enqueue(write: Write, kept: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ write, kept, resolve, reject });
      this.#accepted++;
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#scheduled || this.#flushing || this.#trouble !== undefined || this.#queue.length === 0) return;
    this.#scheduled = true;
    const flush = () => {
      this.#scheduled = false;
      this.#flush().catch((error: unknown) => this.#latch("down", error, []));
    };
    if (this.#options.schedule === undefined) setImmediate(flush);
    else this.#options.schedule(flush);
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (this.#queue.length > 0 && this.#trouble === undefined) {
        await this.#commit(this.#queue.splice(0, this.#options.limits.batch));
      }
    } finally {
      this.#flushing = false;
    }
    this.#wake();
  }

  async #commit(members: readonly Member[]): Promise<void> {
    const failed = await this.#attempt(members);
    if (failed === undefined) {
      for (const member of members) this.#finish(member, undefined);
      return;
    }
    const trouble = troubleOf(failed);
    if (trouble !== "value") {
      this.#latch(trouble, failed, members);
      return;
    }
    if (members.length > 1) {
      // One bad row must not sink the others: each goes alone.
      for (const [at, member] of members.entries()) {
        if (this.#trouble !== undefined) {
          this.#putBack(members.slice(at));
          return;
        }
        await this.#commit([member]);
      }
      return;
    }
    for (const member of members) {
      this.#options.log.write("error", "store.write_refused", { write: member.write.type, cause: String(failed) });
      this.#finish(member, storageFailure(failed));
    }
  }

  /** The error that stands in the way; undefined: durable. Waits while the file is busy. */
  async #attempt(members: readonly Member[]): Promise<unknown> {
    const { clock } = this.#options;
    const writes = members.map((member) => member.write);
    const start = clock.elapsedMs();
    for (;;) {
      try {
        const written = this.#backend.apply(writes);
        if (written !== undefined) await written;
        this.#batches++;
        return undefined;
      } catch (error) {
        if (troubleOf(error) !== "busy" || clock.elapsedMs() - start >= BUSY_MS) return error;
        await clock.sleep(BUSY_PAUSE_MS);
      }
    }
  }

  #finish(member: Member, failure: Failure | undefined): void {
    this.#finished++;
    if (failure === undefined) member.resolve();
    else member.reject(failure);
    if (this.#waiters.length === 0) return;
    const reached = this.#waiters.filter((waiter) => waiter.target <= this.#finished);
    this.#waiters = this.#waiters.filter((waiter) => waiter.target > this.#finished);
    for (const waiter of reached) waiter.resolve();
  }

  #latch(trouble: Trouble, cause: unknown, members: readonly Member[]): void {
    const failure = storageFailure(cause);
    if (this.#fenced || this.#closed) {
      this.#rejectMembers(members, this.#trouble ?? failure);
      return;
    }
    this.#fenced = trouble === "fenced";
    this.#trouble = failure;
    this.#options.log.write("error", "store.latched", { trouble, cause: String(cause) });
    // Before the members: a drain must not take their end for a commit.
    for (const waiter of this.#waiters.splice(0)) waiter.reject(failure);
    this.#putBack(members);
    if (this.#fenced) this.#rejectAll(failure);
    else this.#probeAfter(PROBE_MS.first);
  }

  /** During a latch: what is kept goes back to the head of the queue, the rest of it and of the queue is rejected. */
  #putBack(members: readonly Member[]): void {
    const failure = this.#trouble;
    if (failure === undefined) return;
    const undone = members.filter((member) => member.write.type === "hold");
    const waiting = [...members, ...this.#queue];
    this.#queue = waiting.filter((member) => member.kept);
    this.#rejectMembers(
      waiting.filter((member) => !member.kept),
      failure,
    );
    // A remote commit whose answer was lost may have happened: without this the hold would be charged as an orphan.
    for (const { write } of undone) {
      if (write.type === "hold") this.#forget(write.attempt.attemptId);
    }
  }

  #forget(attemptId: string): void {
    if (this.#fenced) return;
    this.#enqueue({ type: "unhold", attemptId }, true).catch((error: unknown) => {
      this.#options.log.write("warn", "store.hold_in_doubt", { attemptId, cause: String(error) });
    });
  }

  #rejectMembers(members: readonly Member[], failure: Failure): void {
    for (const member of members) this.#finish(member, failure);
  }

  #rejectAll(failure: Failure): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(failure);
    this.#rejectMembers(this.#queue.splice(0), failure);
  }

  #probeAfter(ms: number): void {
    this.#cancelProbe = this.#options.clock.after(ms, () => {
      this.#probe(ms).catch((error: unknown) => this.#latch("down", error, []));
    });
  }

  async #probe(ms: number): Promise<void> {
    if (this.#closed || this.#fenced) return;
    try {
      await this.#backend.probe();
    } catch (error) {
      if (troubleOf(error) === "fenced") this.#latch("fenced", error, []);
      else this.#probeAfter(Math.min(ms * 2, PROBE_MS.longest));
      return;
    }
    // Closed or fenced while the probe was under way: it stays shut.
    if (this.#closed || this.#fenced) return;
    this.#trouble = undefined;
    this.#options.log.write("info", "store.recovered", { queued: this.queued });
    this.#wake();
  }
}
