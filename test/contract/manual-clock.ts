// Time and chance under the test's control: nothing passes unless `advance` says so.
import type { Clock, Log, Random } from "../../src/core/ports";

interface Timer {
  at: number;
  fire: () => void;
}

export class ManualClock implements Clock {
  #elapsed = 0;
  #timers: Timer[] = [];
  readonly #start: number;
  /** Calls of `sleep` that wait. */
  sleepers = 0;

  constructor(start = Date.UTC(2026, 10, 23)) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  elapsedMs(): number {
    return this.#elapsed;
  }

  sleep(ms: number): Promise<void> {
    this.sleepers++;
    return new Promise((resolve) =>
      this.after(ms, () => {
        this.sleepers--;
        resolve();
      }),
    );
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.#elapsed + ms, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** Lets time pass, firing what is due in its order, and gives promises their turn between. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.fire();
      await turn();
    }
    this.#elapsed = end;
    await turn();
  }

  /** Time passes and nothing fires: the process was busy. */
  jump(ms: number): void {
    this.#elapsed += ms;
  }
}

/** One turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The same bytes for the same seed (a linear congruential generator: nothing here is secret). */
export function seededRandom(seed = 1): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

export interface KeptLog extends Log {
  readonly lines: { level: string; event: string; facts: Readonly<Record<string, unknown>> }[];
}

export function keptLog(): KeptLog {
  const lines: KeptLog["lines"] = [];
  return { lines, write: (level, event, facts) => void lines.push({ level, event, facts }) };
}
