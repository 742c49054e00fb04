// Sums the ledger up as it grows: whenever there are rows enough for a block, or blocks enough for a fold, one is made off the hot
// path, and written whole in one transaction. What was made and not written is made again, the same.
import type { Clock, Log } from "../core/ports";
import type { RollupDue, RollupSizes } from "./rollup-due";
import type { Writer } from "./writer";

export interface KeeperParts {
  analytics: { nextWrite(sizes: RollupSizes): Promise<RollupDue> };
  writer: Writer;
  clock: Clock;
  log: Log;
  sizes: RollupSizes;
}

/** After each write, so that a long ledger is summed up without pressing on calls. */
const PAUSE_MS = 5;
const RETRY_MS = 5_000;

export class RollupKeeper {
  readonly #parts: KeeperParts;
  /** Rows that no block has, as far as is known. */
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
    if (this.#due()) this.#work();
  }

  /** The ledger has one more row. */
  wrote(): void {
    this.#unsummed++;
    if (this.#due()) this.#work();
  }

  /** Nothing is read or written any more when it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#working;
  }

  #due(): boolean {
    return this.#unsummed >= this.#parts.sizes.blockRows;
  }

  #work(): void {
    if (this.#stopped || this.#working !== undefined) return;
    this.#working = this.#one()
      .catch((error: unknown) => this.#again(error))
      .finally(() => {
        this.#working = undefined;
      });
  }

  /** One block or fold; the next one follows after a pause, until nothing is due. */
  async #one(): Promise<void> {
    const { analytics, writer, clock, sizes } = this.#parts;
    const before = this.#unsummed;
    const { write, unsummed } = await analytics.nextWrite(sizes);
    if (this.#stopped) return;
    // Rows that came while this looked may be counted twice: at worst it looks too early the next time.
    this.#unsummed = unsummed + this.#unsummed - before;
    if (write === undefined) return;
    await writer.submit(write);
    this.#cancel = clock.after(PAUSE_MS, () => this.#work());
  }

  #again(error: unknown): void {
    if (this.#stopped) return;
    this.#parts.log.write("warn", "store.rollup_failed", { cause: String(error) });
    this.#cancel = this.#parts.clock.after(RETRY_MS, () => this.#work());
  }
}
