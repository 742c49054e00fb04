// How often the same target may be asked again: a bucket that calls fill and retries empty, so that a storm of errors
// is never multiplied. Retries stay at or under a fifth of the calls that went to the target.
import type { Retries } from "../core/ports";

const FILL = 0.2;
const CAPACITY = 10;

/** One bucket per provider + model. Bounded: the oldest target is forgotten, and starts empty again. */
export class RetryBudget implements Retries {
  readonly #tokens = new Map<string, number>();
  constructor(readonly maxTargets = 4096) {}

  deposit(target: string): void {
    const tokens = Math.min(CAPACITY, (this.#tokens.get(target) ?? 0) + FILL);
    this.#tokens.delete(target);
    this.#tokens.set(target, tokens);
    if (this.#tokens.size <= this.maxTargets) return;
    const oldest = this.#tokens.keys().next();
    if (!oldest.done) this.#tokens.delete(oldest.value);
  }

  withdraw(target: string): boolean {
    const tokens = this.#tokens.get(target) ?? 0;
    if (tokens < 1 - 1e-9) return false;
    this.#tokens.set(target, tokens - 1);
    return true;
  }
}

/** The longest delay that is worth waiting for on the same target: longer ones go elsewhere or back to the caller. */
const LONGEST_WAIT_MS = 2_000;
const FIRST_WAIT_MS = 100;
/** Repeats of one call on one target: it must not use up what all calls there share. */
const MOST_RETRIES = 2;

/** Milliseconds to wait before retry number `retry` (from 1), or undefined: do not wait for this target. */
export function retryDelayMs(retry: number, told: number | undefined, jitter: number): number | undefined {
  if (retry > MOST_RETRIES) return undefined;
  if (told !== undefined) return told <= LONGEST_WAIT_MS ? told : undefined;
  const delay = FIRST_WAIT_MS * 2 ** (retry - 1);
  return delay > LONGEST_WAIT_MS ? undefined : delay * (0.5 + jitter / 2);
}
