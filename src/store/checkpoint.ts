// Tells the checkpoint Worker when to work, and falls back to SQLite's own checkpoints when it cannot.
import type { Clock, Log } from "../core/ports";
import type { CheckpointAnswer, CheckpointAsk } from "./checkpoint-worker";

const EVERY_MS = 500;
/** Frames of 4 KiB (64 MiB). A log that long was never copied whole: then it is cut on the event loop, once. */
const LOG_FRAMES_MAX = 16_384;
const CLOSE_WITHIN_MS = 2_000;

export interface CheckpointOptions {
  path: string;
  worker: URL | string;
  clock: Clock;
  log: Log;
  /** Back to SQLite's own checkpoints: the Worker is no use. */
  fallBack(): void;
  /** The log is too long: cut it now. */
  truncate(): void;
}

export class Checkpoints {
  readonly #options: CheckpointOptions;
  readonly #worker: Worker;
  #dirty = false;
  #busy = false;
  #over = false;
  /** The last checkpoint failed, and that has been logged. */
  #failing = false;
  #cancel = () => {};
  #closed: (() => void) | undefined;
  /** Those who wait to hear of the file's faults; undefined: the Worker cannot say. */
  #checking: ((faults: readonly string[] | undefined) => void)[] = [];

  constructor(options: CheckpointOptions) {
    this.#options = options;
    this.#worker = new Worker(options.worker);
    this.#worker.addEventListener("message", (event: MessageEvent<CheckpointAnswer>) => this.#hear(event.data));
    this.#worker.addEventListener("error", (event) => this.#fail(event.message));
    this.#tell({ type: "open", path: options.path });
    this.#next();
  }

  /** There is something to copy. */
  wrote(): void {
    this.#dirty = true;
  }

  /** What is wrong with the file. undefined: the Worker is no use. */
  check(): Promise<readonly string[] | undefined> {
    if (this.#over) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#checking.push(resolve);
      this.#tell({ type: "check" });
    });
  }

  /** The Worker's connection is closed when it resolves. */
  async stop(): Promise<void> {
    this.#cancel();
    if (this.#over) return;
    this.#over = true;
    for (const resolve of this.#checking.splice(0)) resolve(undefined);
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(CLOSE_WITHIN_MS, resolve);
      this.#closed = () => {
        cancel();
        resolve();
      };
      this.#tell({ type: "close" });
    });
    this.#worker.terminate();
  }

  #next(): void {
    this.#cancel = this.#options.clock.after(EVERY_MS, () => {
      if (this.#over) return;
      if (this.#dirty && !this.#busy) {
        this.#dirty = false;
        this.#busy = true;
        this.#tell({ type: "checkpoint" });
      }
      this.#next();
    });
  }

  #tell(ask: CheckpointAsk): void {
    this.#worker.postMessage(ask);
  }

  #hear(heard: CheckpointAnswer): void {
    switch (heard.type) {
      case "done":
        this.#busy = false;
        this.#failing = false;
        if (heard.logFrames > LOG_FRAMES_MAX) this.#truncate();
        return;
      case "checked":
        this.#checking.shift()?.(heard.faults);
        return;
      case "failed":
        if (heard.at === "check") this.#checking.shift()?.([heard.message]);
        else if (heard.at === "checkpoint") this.#retry(heard.message);
        else this.#fail(heard.message);
        return;
      case "closed":
        this.#closed?.();
        return;
    }
  }

  #truncate(): void {
    try {
      this.#options.truncate();
    } catch (error) {
      this.#options.log.write("warn", "store.checkpoint_failed", { cause: String(error) });
    }
  }

  /** One checkpoint failed (a full disk, a locked file): the log keeps everything, the next one may work. */
  #retry(message: string): void {
    this.#busy = false;
    this.#dirty = true;
    if (!this.#failing) this.#options.log.write("warn", "store.checkpoint_failed", { cause: message });
    this.#failing = true;
  }

  #fail(message: string): void {
    this.#closed?.();
    for (const resolve of this.#checking.splice(0)) resolve(undefined);
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#options.log.write("warn", "store.checkpoint_worker_failed", { cause: message });
    this.#options.fallBack();
    this.#worker.terminate();
  }
}
