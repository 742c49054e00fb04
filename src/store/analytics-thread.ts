// Asks the analytics Worker, and gives a question up when its time is over. If the Worker dies, the reads go on in this thread.
import { Failure } from "../core/failure";
import type { Clock, Log } from "../core/ports";
import { type Analytics, openAnalytics, QUESTION_MS, tooLong } from "./analytics";
import type { AnalyticsAnswer, AnalyticsAsk } from "./analytics-worker";
import type { Db } from "./connection";

export interface ThreadOptions {
  path: string;
  /** The entry of analytics-worker.ts. */
  worker: URL | string;
  clock: Clock;
  log: Log;
  /** The connection to go on with when the Worker is no use. */
  db: Db;
}

interface Waiting {
  /** The same question, answered in this thread. */
  here(): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const CLOSE_WITHIN_MS = 2_000;
/** Questions that may wait; one more is refused. */
const MOST_WAITING = 256;

export class AnalyticsThread implements Analytics {
  readonly #options: ThreadOptions;
  /** Begun with the first question: a start, and a gateway that nobody asks, need none. */
  #worker: Worker | undefined;
  /** What goes on when the Worker is gone. */
  readonly #here: Analytics;
  readonly #givenUp = new SharedArrayBuffer(4);
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #over = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#here = openAnalytics(options.db, options.clock);
  }

  usage: Analytics["usage"] = (query) => this.#within(QUESTION_MS, { type: "usage", query }, () => this.#here.usage(query));
  rows: Analytics["rows"] = (query) => this.#ask({ type: "rows", query }, () => this.#here.rows(query));
  spent: Analytics["spent"] = (query, upTo) => this.#ask({ type: "spent", query, upTo }, () => this.#here.spent(query, upTo));
  nextWrite: Analytics["nextWrite"] = (sizes) => this.#ask({ type: "next-write", sizes }, () => this.#here.nextWrite(sizes));
  proveBlock: Analytics["proveBlock"] = (after, range) =>
    this.#ask({ type: "prove-block", after, range }, () => this.#here.proveBlock(after, range));
  proveFold: Analytics["proveFold"] = (after) => this.#ask({ type: "prove-fold", after }, () => this.#here.proveFold(after));

  /** The Worker's connection is closed when it resolves. */
  async close(): Promise<void> {
    if (this.#over) return;
    if (this.#worker === undefined) {
      this.#over = true;
      return;
    }
    Atomics.store(new Int32Array(this.#givenUp), 0, this.#asked);
    const closed = this.#tell({ type: "close" });
    this.#over = true;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(CLOSE_WITHIN_MS, resolve);
      const done = () => {
        cancel();
        resolve();
      };
      closed.then(done, done);
    });
    this.#worker.terminate();
    const closing = new Failure("storage_unavailable", "The gateway is shutting down", { retryAfterMs: 1_000 });
    for (const waiting of this.#waiting.values()) waiting.reject(closing);
    this.#waiting.clear();
  }

  /** What needs no answer in this thread. */
  #tell(ask: AnalyticsAsk): Promise<void> {
    return this.#ask(ask, async () => undefined);
  }

  #ask<T>(ask: AnalyticsAsk, here: () => Promise<T>): Promise<T> {
    if (this.#over) return here();
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.reject(
        new Failure("overloaded", "More is being asked about usage than can be answered; try again", { retryAfterMs: 1_000 }),
      );
    }
    const worker = this.#worker ?? this.#begin();
    const number = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { here, resolve: resolve as Waiting["resolve"], reject });
      worker.postMessage({ number, ask });
    });
  }

  #begin(): Worker {
    const { worker: entry, path } = this.#options;
    const worker = new Worker(entry);
    this.#worker = worker;
    worker.addEventListener("message", (event: MessageEvent<AnalyticsAnswer>) => this.#hear(event.data));
    worker.addEventListener("error", (event) => this.#fail(event.message));
    this.#tell({ type: "open", path, givenUp: this.#givenUp }).catch((error: unknown) => this.#fail(String(error)));
    return worker;
  }

  /** Later questions have later deadlines, so that giving one up gives up those before it, which are over too. */
  async #within<T>(ms: number, ask: AnalyticsAsk, here: () => Promise<T>): Promise<T> {
    const asking = this.#ask(ask, here);
    const number = this.#asked;
    const cancel = this.#options.clock.after(ms, () => {
      if (!this.#waiting.has(number)) return;
      Atomics.store(new Int32Array(this.#givenUp), 0, number);
      this.#finish(number)?.reject(tooLong());
    });
    try {
      return await asking;
    } finally {
      cancel();
    }
  }

  #finish(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    return waiting;
  }

  #hear(answer: AnalyticsAnswer): void {
    const waiting = this.#finish(answer.number);
    switch (answer.type) {
      case "done":
        waiting?.resolve(answer.value);
        return;
      case "given-up":
        waiting?.reject(tooLong());
        return;
      case "refused":
        waiting?.reject(new Failure(answer.code, answer.message, { param: answer.param }));
        return;
      case "failed":
        waiting?.reject(new Error(answer.message));
        return;
    }
  }

  #fail(message: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.log.write("warn", "store.analytics_worker_failed", { cause: message });
    this.#worker?.terminate();
    for (const waiting of this.#waiting.values()) waiting.here().then(waiting.resolve, waiting.reject);
    this.#waiting.clear();
  }
}
