// call: attempts, one after another, until one answers. Another attempt is made only while no byte went to the caller,
// and every attempt has a hold of its own before its first byte goes out.
import type { Admitted, Attempt, Planned, Target } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Ports } from "../core/ports";
import { retryDelayMs } from "../policy/retry";
import { hold } from "./admit";
import { withHold } from "./attempt-hold";
import { type FirstAnswer, failedAttempt, openAnswer } from "./attempt-open";
import type { Door } from "./door";

export type GoodAnswer = Exclude<FirstAnswer, { kind: "failed" }>;

export interface Called extends Planned {
  readonly attempt: Attempt;
  readonly targetIndex: number;
  readonly answer: GoodAnswer;
}

/** Throws the last attempt's failure when none answered. */
export async function call(admitted: Admitted, door: Door, ports: Ports, signal: AbortSignal): Promise<Called> {
  let place: Place = { attempt: admitted.attempt, targetIndex: admitted.targetIndex, retries: 0 };
  ports.retries.deposit(targetName(place.attempt.target));
  for (;;) {
    const answer = await begin(admitted, place.attempt, door, ports, signal);
    if (answer.kind !== "failed") return { ...admitted, attempt: place.attempt, targetIndex: place.targetIndex, answer };
    const next = signal.aborted ? undefined : await nextPlace(admitted, place, answer, ports, signal);
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

/** Starts an attempt inside its hold. Resolves with the first that is known of it; the hold lives until the answer is over. */
function begin(planned: Planned, attempt: Attempt, door: Door, ports: Ports, signal: AbortSignal): Promise<FirstAnswer> {
  return new Promise((resolve) => {
    void withHold(planned, attempt, ports, async (meter) => {
      try {
        const answer = await openAnswer({ planned, attempt, door, meter }, ports, signal);
        resolve(answer);
        if (answer.kind === "stream") await answer.live.finished;
      } catch (thrown) {
        resolve(failedAttempt(thrown, meter));
      }
    });
  });
}

type Failed = Extract<FirstAnswer, { kind: "failed" }>;

async function nextPlace(planned: Planned, place: Place, failed: Failed, ports: Ports, signal: AbortSignal): Promise<Place | undefined> {
  if (failed.retry === "never") return undefined;
  const again = failed.retry === "same" ? await sameTarget(planned, place, failed.failure, ports, signal) : undefined;
  if (again) return again;
  const targetIndex = place.targetIndex + 1;
  const target = planned.targets[targetIndex];
  if (!target) return undefined;
  ports.retries.deposit(targetName(target));
  return { attempt: await hold(planned, target, place.attempt.number + 1, ports), targetIndex, retries: 0 };
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
  return { attempt: await hold(planned, target, number + 1, ports), targetIndex: place.targetIndex, retries: place.retries + 1 };
}

const targetName = (target: Target): string => `${target.provider}/${target.model}`;
