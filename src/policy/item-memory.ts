// Items of answers that a caller may name by their ids in its next request, as some clients do unless they are told not to. Only in
// memory, bounded in bytes and time, and only what a key was answered itself: the oldest is forgotten first.
import type { Clock, Items } from "../core/ports";

interface Kept {
  item: unknown;
  bytes: number;
  /** Monotonic milliseconds. */
  at: number;
}

export interface ItemLimits {
  /** Of all items, as JSON text. */
  bytes: number;
  ms: number;
}

const LIMITS: ItemLimits = { bytes: 32 * 1024 * 1024, ms: 60 * 60 * 1000 };

export class ItemMemory implements Items {
  readonly #clock: Pick<Clock, "elapsedMs">;
  readonly #limits: ItemLimits;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(clock: Pick<Clock, "elapsedMs">, limits: ItemLimits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  keep(keyId: string, id: string, item: unknown): void {
    const bytes = JSON.stringify(item).length;
    const name = nameOf(keyId, id);
    this.#forget(name);
    if (bytes > this.#limits.bytes) return;
    this.#kept.set(name, { item, bytes, at: this.#clock.elapsedMs() });
    this.#bytes += bytes;
    for (const [oldest, { at }] of this.#kept) {
      if (this.#bytes <= this.#limits.bytes && this.#clock.elapsedMs() - at < this.#limits.ms) return;
      this.#forget(oldest);
    }
  }

  find(keyId: string, id: string): unknown {
    const kept = this.#kept.get(nameOf(keyId, id));
    return kept && this.#clock.elapsedMs() - kept.at < this.#limits.ms ? kept.item : undefined;
  }

  #forget(name: string): void {
    this.#bytes -= this.#kept.get(name)?.bytes ?? 0;
    this.#kept.delete(name);
  }
}

const nameOf = (keyId: string, id: string): string => `${keyId} ${id}`;
