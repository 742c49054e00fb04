// call: attempts, one after another, until one answers. Another attempt is made only while no byte went to the caller,
// and every attempt has a hold of its own before its first byte goes out.
import type { Admitted, Attempt, Planned, Target } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { retryDelayMs } from "../policy/retry";
import { hold } from "./admit";
import { withHold } from "./attempt-hold";
import { type FailedAnswer, type FirstAnswer, failedAttempt, openAnswer } from "./attempt-open";
import { CutSwitch } from "./cut";
import type { Door } from "./door";

export type GoodAnswer = Exclude<FirstAnswer, { kind: "failed" }>;

export interface Called extends Planned {
  readonly attempt: Attempt;
  readonly targetIndex: number;
  readonly answer: GoodAnswer;
}

/** Throws the last attempt's failure when none answered. What the call takes up is given back when its answer is over. */
export async function call(admitted: Admitted, door: Door, ports: Ports, signal: AbortSignal): Promise<Called> {
  const cut = new CutSwitch();
  const { organizationId, keyId, run } = admitted.counted;
  const leave = ports.live.enter({ organizationId, keyId, mode: admitted.key.mode, run }, (why) => cut.cut(why));
  const over = (): void => {
    leave();
    admitted.claim?.end(false);
  };
  try {
    return await attempts(admitted, { door, ports, signal, cut, over });
  } catch (thrown) {
    over();
    throw thrown;
  }
}

interface Surroundings {
  readonly door: Door;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  readonly cut: CutSwitch;
  /** The answer has left whole, or broke. */
  over(): void;
}

async function attempts(admitted: Admitted, around: Surroundings): Promise<Called> {
  const { ports, signal, cut } = around;
  let place: Place = { attempt: admitted.attempt, targetIndex: admitted.targetIndex, retries: 0 };
  ports.retries.deposit(targetName(place.attempt.target));
  for (;;) {
    const answer = await begin(admitted, place.attempt, around);
    if (answer.kind !== "failed") return { ...admitted, attempt: place.attempt, targetIndex: place.targetIndex, answer };
    const next = signal.aborted || cut.why ? undefined : await nextPlace(admitted, place, answer, ports, signal);
    if (!next) throw answer.failure.with({ facts: { attempts: place.attempt.number } });
    place = next;
  }
}

/** Where the call stands: which attempt, on which target, after how many repeats there. */
interface Place {
  attempt: Attempt;
  targetIndex: number;
  retries: number;
}

/**
 * Starts an attempt inside its hold. Resolves with the first that is known of an answer, whose hold lives until it is over; with a
 * failure when that is settled, so that its money is free for the next attempt.
 */
function begin(planned: Planned, attempt: Attempt, around: Surroundings): Promise<FirstAnswer> {
  const { door, ports, signal, cut, over } = around;
  return new Promise((resolve) => {
    let failed: FailedAnswer | undefined;
    const settled = withHold(planned, attempt, ports, async (meter) => {
      try {
        const answer = await openAnswer({ planned, attempt, door, meter, cut }, ports, signal);
        if (answer.kind === "failed") failed = answer;
        else resolve(answer);
        if (answer.kind === "stream") await answer.live.finished;
      } catch (thrown) {
        failed = failedAttempt(thrown, meter);
      }
    });
    void settled.then(() => (failed ? resolve(failed) : over()));
  });
}

async function nextPlace(
  planned: Planned,
  place: Place,
  failed: FailedAnswer,
  ports: Ports,
  signal: AbortSignal,
): Promise<Place | undefined> {
  if (failed.retry === "never") return undefined;
  const again = failed.retry === "same" ? await sameTarget(planned, place, failed.failure, ports, signal) : undefined;
  if (again) return again;
  for (let targetIndex = place.targetIndex + 1; ; targetIndex++) {
    const target = planned.targets[targetIndex];
    if (!target) return undefined;
    const held = await hold(planned, target, place.attempt.number + 1, ports);
    // One that no budget can bear any more is passed over.
    if (!("record" in held)) continue;
    ports.retries.deposit(targetName(target));
    return { attempt: held, targetIndex, retries: 0 };
  }
}

async function sameTarget(planned: Planned, place: Place, failure: Failure, ports: Ports, signal: AbortSignal): Promise<Place | undefined> {
  const { target, number } = place.attempt;
  const delay = retryDelayMs(place.retries + 1, failure.retryAfterMs, ports.random.next());
  if (delay === undefined || !ports.retries.withdraw(targetName(target))) return undefined;
  try {
    await ports.clock.sleep(delay, signal);
  } catch (cause) {
    throw new Failure("upstream_error", "The caller left while the gateway waited to try again.", { cause });
  }
  const held = await hold(planned, target, number + 1, ports);
  return "record" in held ? { attempt: held, targetIndex: place.targetIndex, retries: place.retries + 1 } : undefined;
}

const targetName = (target: Target): string => `${target.provider}/${target.model}`;
