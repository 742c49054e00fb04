// Requests and tokens a minute, and calls at once, per scope. Kept in memory in sixty buckets of a second, the oldest counted whole, so
// that no minute ever holds more than the limit. Looking and taking happen with no await between.

import type { LimitedScope, RateLimits, RateRefusal, RateStanding, Rates, Slot, Standing } from "../core/governance";
import type { KeyMode } from "../core/ids";

/** The name of a scope's counters: test keys have some of their own. */
export const rateName = (scope: string, mode: KeyMode): string => (mode === "test" ? `test ${scope}` : scope);

/** The stricter of each limit. */
export const tightest = (a: RateLimits | undefined, b: RateLimits): RateLimits => ({
  requestsPerMinute: least(a?.requestsPerMinute, b.requestsPerMinute),
  tokensPerMinute: least(a?.tokensPerMinute, b.tokensPerMinute),
  concurrency: least(a?.concurrency, b.concurrency),
});

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

const SECOND = 1_000;
const BUCKETS = 60;
/** How long a caller waits for a free place before it asks again. */
const CONCURRENCY_RETRY_MS = 1_000;
/** Scopes that were not asked about for a minute are forgotten at most this often. */
const SWEEP_MS = 60_000;

/** Sums of the last minute, by second. */
class Minute {
  readonly #sums = new Array<number>(BUCKETS + 1).fill(0);
  #last = 0;
  total = 0;

  /** Adds to the second of `when`; what belongs to one that is over and gone counts no more. */
  add(when: number, amount: number): void {
    this.roll(when);
    const second = Math.floor(when / SECOND);
    if (second < this.#last - BUCKETS) return;
    const at = second % this.#sums.length;
    this.#sums[at] = (this.#sums[at] ?? 0) + amount;
    this.total += amount;
  }

  /** Forgets the seconds that are over. */
  roll(now: number): void {
    const second = Math.floor(now / SECOND);
    const passed = Math.min(second - this.#last, this.#sums.length);
    for (let i = 1; i <= passed; i++) {
      const at = (this.#last + i) % this.#sums.length;
      this.total -= this.#sums[at] ?? 0;
      this.#sums[at] = 0;
    }
    if (second > this.#last) this.#last = second;
  }

  /** Milliseconds until the sum is at most `most`. */
  waitFor(now: number, most: number): number {
    this.roll(now);
    let left = this.total;
    for (let age = BUCKETS; age >= 0 && left > most; age--) {
      const second = this.#last - age;
      left -= this.#sums[((second % this.#sums.length) + this.#sums.length) % this.#sums.length] ?? 0;
      if (left <= most) return Math.max(1, (second + BUCKETS + 1) * SECOND - now);
    }
    return left > most ? BUCKETS * SECOND : 0;
  }
}

interface Counters {
  requests: Minute;
  tokens: Minute;
  running: number;
  seenAt: number;
}

export class RateBook implements Rates {
  readonly #scopes = new Map<string, Counters>();
  #sweptAt = 0;

  take(scopes: readonly LimitedScope[], tokens: number, now: number): Slot | RateRefusal {
    const places = scopes.map((scope) => ({ scope, counters: this.#of(scope.name, now) }));
    for (const { scope, counters } of places) {
      const refusal = refusalOf(scope, counters, tokens, now);
      if (refusal) return refusal;
    }
    for (const { counters } of places) {
      counters.requests.add(now, 1);
      counters.tokens.add(now, tokens);
      counters.running++;
    }
    return slotOf(
      places.map(({ counters }) => counters),
      tokens,
      now,
    );
  }

  standing(scopes: readonly LimitedScope[], now: number): RateStanding {
    let requests: Standing | undefined;
    let tokens: Standing | undefined;
    for (const { name, limits } of scopes) {
      const counters = this.#of(name, now);
      requests = tighter(requests, standingOf(counters.requests, limits.requestsPerMinute, now));
      tokens = tighter(tokens, standingOf(counters.tokens, limits.tokensPerMinute, now));
    }
    return { requests, tokens };
  }

  running(name: string): number {
    return this.#scopes.get(name)?.running ?? 0;
  }

  #of(name: string, now: number): Counters {
    this.#sweep(now);
    const known = this.#scopes.get(name);
    if (known) {
      known.seenAt = now;
      return known;
    }
    const counters: Counters = { requests: new Minute(), tokens: new Minute(), running: 0, seenAt: now };
    this.#scopes.set(name, counters);
    return counters;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [name, { running, seenAt }] of this.#scopes) {
      if (running === 0 && now - seenAt > (BUCKETS + 1) * SECOND) this.#scopes.delete(name);
    }
  }
}

function refusalOf({ name, limits }: LimitedScope, counters: Counters, tokens: number, now: number): RateRefusal | undefined {
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
  counters.requests.roll(now);
  counters.tokens.roll(now);
  if (concurrency !== undefined && counters.running >= concurrency)
    return { scope: name, kind: "concurrency", limit: concurrency, retryAfterMs: CONCURRENCY_RETRY_MS };
  if (requestsPerMinute !== undefined && counters.requests.total + 1 > requestsPerMinute) {
    return { scope: name, kind: "requests", limit: requestsPerMinute, retryAfterMs: counters.requests.waitFor(now, requestsPerMinute - 1) };
  }
  // A call of more tokens than a minute has passes an empty minute: refused for ever it would be no rate limit.
  if (tokensPerMinute !== undefined && counters.tokens.total > 0 && counters.tokens.total + tokens > tokensPerMinute) {
    const retryAfterMs = counters.tokens.waitFor(now, Math.max(0, tokensPerMinute - tokens));
    return { scope: name, kind: "tokens", limit: tokensPerMinute, retryAfterMs };
  }
  return undefined;
}

function slotOf(places: readonly Counters[], tokens: number, takenAt: number): Slot {
  let open = true;
  const close = (): boolean => {
    if (!open) return false;
    open = false;
    for (const counters of places) counters.running--;
    return true;
  };
  return {
    release(actual) {
      if (!close() || actual === undefined || actual === tokens) return;
      for (const counters of places) counters.tokens.add(takenAt, actual - tokens);
    },
    giveBack() {
      if (!close()) return;
      for (const counters of places) {
        counters.requests.add(takenAt, -1);
        counters.tokens.add(takenAt, -tokens);
      }
    },
  };
}

function standingOf(minute: Minute, limit: number | undefined, now: number): Standing | undefined {
  if (limit === undefined) return undefined;
  const resetMs = minute.waitFor(now, 0);
  return { limit, remaining: Math.max(0, limit - minute.total), resetMs };
}

const tighter = (a: Standing | undefined, b: Standing | undefined): Standing | undefined =>
  a === undefined || b === undefined ? (a ?? b) : b.remaining / b.limit < a.remaining / a.limit ? b : a;

export const isRefusal = (taken: Slot | RateRefusal): taken is RateRefusal => "retryAfterMs" in taken;
