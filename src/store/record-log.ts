// The audit. Refusals are cheap for a caller to cause, so writing them down is rationed per key: a burst, then a trickle.
import type { AuditEntry, AuditQuery, Clock, Listing, Records, Refusal } from "../core/ports";
import type { ReadBackend } from "./backend";
import { cursorOf, readPage } from "./cursor";
import { storageFailure } from "./storage-failure";
import type { Writer } from "./writer";

export interface RefusalLimits {
  /** Refusals of one key that are written at any pace. */
  burst: number;
  /** Refusals of one key a second after that. */
  perSecond: number;
  /** Refusals that may wait to be written, of all keys. */
  waiting: number;
}

interface Ration {
  left: number;
  /** Monotonic milliseconds of the last refill. */
  at: number;
}

export class RecordLog implements Records {
  readonly #writer: Writer;
  readonly #reader: Pick<ReadBackend, "audit">;
  readonly #clock: Clock;
  readonly #limits: RefusalLimits;
  /** By key id: bounded by the number of keys, for a refusal names a key that exists. */
  readonly #rations = new Map<string, Ration>();
  #waiting = 0;
  #dropped = 0;

  constructor(writer: Writer, reader: Pick<ReadBackend, "audit">, clock: Clock, limits: RefusalLimits) {
    this.#writer = writer;
    this.#reader = reader;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Refusals that were counted and not stored. */
  get dropped(): number {
    return this.#dropped;
  }

  refuse(refusal: Refusal): void {
    if (this.#waiting >= this.#limits.waiting || !this.#spend(refusal.keyId)) {
      this.#dropped++;
      return;
    }
    this.#waiting++;
    this.#writer.submit({ type: "refusal", refusal }).then(
      () => {
        this.#waiting--;
      },
      () => {
        this.#waiting--;
        this.#dropped++;
      },
    );
  }

  async audit(query: AuditQuery): Promise<Listing<AuditEntry>> {
    const after = readPage("audit", query);
    const found = await this.#reader.audit(query, after).catch((error: unknown) => {
      throw storageFailure(error);
    });
    const data = found.slice(0, query.limit);
    const last = data.at(-1);
    return { data, nextCursor: found.length > query.limit && last !== undefined ? cursorOf("audit", last.requestId) : undefined };
  }

  #spend(keyId: string): boolean {
    const now = this.#clock.elapsedMs();
    const ration = this.#rations.get(keyId) ?? { left: this.#limits.burst, at: now };
    ration.left = Math.min(this.#limits.burst, ration.left + ((now - ration.at) / 1_000) * this.#limits.perSecond);
    ration.at = now;
    this.#rations.set(keyId, ration);
    if (ration.left < 1) return false;
    ration.left -= 1;
    return true;
  }
}
