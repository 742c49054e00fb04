// When a webhook's message is sent again, and when it is given up. Pure: the courier (admin/courier.ts) keeps the time.

/** Waits after the first, second, … failed attempt, in milliseconds: eight attempts within about a day. */
const WAITS_MS = [5_000, 60_000, 5 * 60_000, 30 * 60_000, 2 * 3_600_000, 6 * 3_600_000, 14 * 3_600_000] as const;
export const MAX_ATTEMPTS = WAITS_MS.length + 1;
/** However few attempts it had: an endpoint that is away for long leaves more waiting than it is asked about. */
export const MAX_AGE_MS = 3 * 24 * 3_600_000;
/** An endpoint may ask for this much patience. */
const MAX_RETRY_AFTER_MS = 6 * 3_600_000;
/** Each wait is drawn from this part of it, so that what failed together does not come again together. */
const LEAST_TENTHS = 8;
const SPAN_TENTHS = 4;

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 5 * 60_000;

const jittered = (ms: number, chance: number): number => Math.round((ms * (LEAST_TENTHS + SPAN_TENTHS * chance)) / 10);

export type Verdict =
  | "delivered"
  | "again"
  /** The endpoint wants no more of any. */
  | "gone";

/** What a status says, as Standard Webhooks has it: 2xx is the only yes, and 410 the only last word. */
export function verdictOf(status: number): Verdict {
  if (status >= 200 && status <= 299) return "delivered";
  return status === 410 ? "gone" : "again";
}

/**
 * Milliseconds until a message is sent again. undefined: it is given up.
 * `attempts`: how many there were. `chance`: in [0, 1). `retryAfterMs`: what the endpoint asked for.
 */
export function retryInMs(
  message: { attempts: number; ageMs: number; retryAfterMs?: number | undefined },
  chance: number,
): number | undefined {
  const wait = WAITS_MS[message.attempts - 1];
  if (wait === undefined || message.ageMs >= MAX_AGE_MS) return undefined;
  return Math.max(jittered(wait, chance), Math.min(message.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

/**
 * Milliseconds that an endpoint rests after so many failures in a row, whatever waits for it: a thousand messages that wait for an
 * endpoint which is down are one attempt at a time, and soon one in five minutes.
 */
export const restMs = (failures: number, chance: number): number =>
  failures <= 0 ? 0 : jittered(Math.min(FIRST_REST_MS * 2 ** Math.min(failures - 1, 30), LONGEST_REST_MS), chance);
