// wait: a call whose limit is ours to choose waits for money that others hold, instead of being cut short or refused.
import type { Need, Planned } from "../core/exchange";
import { Failure } from "../core/failure";
import type { Clock, Ports } from "../core/ports";
import { onStopping } from "./stopping";

/** As long as all but the longest answers take; from then on the call makes do with what is there. */
const LONGEST_MS = 60_000;
/** Money comes free by itself too: a period ends, a limit is raised. */
const LOOK_MS = 1_000;

/**
 * Resolves with true when it is the call's turn and the budgets can bear what it needs, or never will; with false when it has waited
 * long enough, or too many wait. Rejects when the call is ended meanwhile, its caller leaves or the gateway stops.
 */
export function enoughIsFree(planned: Planned, need: Need, sinceMs: number, ports: Ports, signal: AbortSignal): Promise<boolean> {
  const { counted, key } = planned;
  return new Promise((resolve, reject) => {
    const ends: (() => void)[] = [];
    const finish = (settle: () => void): void => {
      for (const end of ends.splice(0)) end();
      settle();
    };
    const gone = (): void => finish(() => reject(new Failure("upstream_error", "The caller left while the call waited for its budget.")));
    const stop = (): void => finish(() => reject(new Failure("overloaded", "The gateway is stopping.")));
    if (signal.aborted) return gone();
    if (ports.stopping.aborted) return stop();
    const ready = (): boolean => {
      const room = ports.budgets.room(counted, key.mode);
      return room === undefined || need.enough <= room.left || need.enough > room.unheld;
    };
    const come = (): void => finish(() => resolve(true));
    const leave = ports.waiting.join({ organizationId: counted.organizationId, line: need.budgetId, sinceMs, ready, come });
    if (!leave) return resolve(false);
    signal.addEventListener("abort", gone, { once: true });
    ends.push(
      leave,
      () => signal.removeEventListener("abort", gone),
      onStopping(ports.stopping, stop),
      lookNowAndThen(ports.clock, sinceMs + LONGEST_MS, (over) => (ready() ? come() : over && finish(() => resolve(false)))),
      ports.live.enter({ organizationId: counted.organizationId, keyId: counted.keyId, mode: key.mode, run: counted.run }, (why) =>
        finish(() => reject(why)),
      ),
    );
  });
}

/** `look` hears whether `untilMs` (monotonic) has come. The result ends it. */
function lookNowAndThen(clock: Clock, untilMs: number, look: (over: boolean) => void): () => void {
  let cancel = (): void => undefined;
  const arm = (): void => {
    const leftMs = untilMs - clock.elapsedMs();
    cancel = clock.after(Math.max(0, Math.min(LOOK_MS, leftMs)), () => {
      if (leftMs > LOOK_MS) arm();
      look(leftMs <= LOOK_MS);
    });
  };
  arm();
  return () => cancel();
}
