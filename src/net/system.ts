// Time, chance and names of this machine, as ports. The only place that asks the machine for them.
import type { Clock, Ids, Random } from "../core/ports";

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

/** Random bytes are drawn in pools: one system call for a few hundred ids. */
const POOL_BYTES = 4096;

function openRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    bytes(length) {
      if (length > POOL_BYTES) return crypto.getRandomValues(new Uint8Array(length));
      if (used + length > POOL_BYTES) {
        crypto.getRandomValues(pool);
        used = 0;
      }
      used += length;
      return pool.slice(used - length, used);
    },
    next: () => Math.random(),
  };
}

export const systemRandom: Random = openRandom();

/** Bun's own UUIDv7. Ids stand in the order of their milliseconds; within one, the count that Bun keeps may wrap. */
export const idsFrom = (clock: Clock): Ids => ({ requestId: () => Bun.randomUUIDv7("hex", clock.now()) });
