// Sums the ledger up as it grows: whenever there are rows enough for a block, one is made off the hot path, and written with its
// numbers in one transaction. A block that was made and not written is made again, the same.
import type { Clock, Log } from "../core/ports";
import type { Analytics } from "./analytics";
import type { Writer } from "./writer";

export interface KeeperParts {
  analytics: Pick<Analytics, "nextBlock" | "unsummed">;
  writer: Writer;
  clock: Clock;
  log: Log;
  /** Ledger rows in a block. */
  blockRows: number;
}

/** After a block, so that a long ledger is summed up without pressing on calls. */
const PAUSE_MS = 5;
const RETRY_MS = 5_000;

export class RollupKeeper {
  readonly #parts: KeeperParts;
  /** Rows that are not in a block yet, as far as is known. */
  #unsummed = 0;
  #working: Promise<void> | undefined;
  #stopped = false;
  #cancel = () => {};

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** `unsummed`: rows that the ledger has already and no block has. */
  start(unsummed: number): void {
    this.#unsummed = unsummed;
    this.#work();
  }

  /** The ledger has one more row. */
  wrote(): void {
    this.#unsummed++;
    this.#work();
  }

  /** Nothing is read or written any more when it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#working;
  }

  #work(): void {
    if (this.#stopped || this.#working !== undefined || this.#unsummed < this.#parts.blockRows) return;
    this.#working = this.#block()
      .catch((error: unknown) => this.#again(error))
      .finally(() => {
        this.#working = undefined;
      });
  }

  /** One block; the next one follows after a pause. */
  async #block(): Promise<void> {
    const { analytics, writer, clock, blockRows } = this.#parts;
    const block = await analytics.nextBlock(blockRows);
    if (this.#stopped) return;
    if (block !== undefined) await writer.submit({ type: "rollup", block });
    this.#unsummed = await analytics.unsummed(blockRows);
    if (this.#unsummed >= blockRows) this.#cancel = clock.after(PAUSE_MS, () => this.#work());
  }

  #again(error: unknown): void {
    if (this.#stopped) return;
    this.#parts.log.write("warn", "store.rollup_failed", { cause: String(error) });
    this.#cancel = this.#parts.clock.after(RETRY_MS, () => this.#work());
  }
}
