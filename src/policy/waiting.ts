// Calls that a hard budget could pay for if others did not hold so much: they wait, in the order in which they came, for what the
// others leave. Only who sent no limit waits: the limits that are put in are ours, and so is what they hold. Who needs
// less may overtake, for a while: of one dear call and many cheap ones, the dear one would never find enough.
import type { Waiting, WaitingCall } from "../core/governance";

/** Whoever comes when so many wait is answered at once. */
const MOST = 256;
/** Who has waited so long is not overtaken any more. */
const OVERTAKEN_MS = 20_000;

export class WaitingLines implements Waiting {
  readonly #lines = new Map<string, readonly WaitingCall[]>();
  #waiting = 0;
  constructor(readonly most = MOST) {}

  join(call: WaitingCall): (() => void) | undefined {
    if (this.#waiting >= this.most) return undefined;
    const line = this.#lines.get(call.line) ?? [];
    const behind = line.findIndex(({ sinceMs }) => sinceMs > call.sinceMs);
    this.#lines.set(call.line, line.toSpliced(behind < 0 ? line.length : behind, 0, call));
    this.#waiting++;
    return () => void this.#leave(call);
  }

  blocked(line: string, now: number): boolean {
    const first = this.#lines.get(line)?.[0];
    return first !== undefined && isOld(first, now);
  }

  freed(organizationId: string, now: number): void {
    for (const line of [...this.#lines.values()]) {
      if (line[0]?.organizationId !== organizationId) continue;
      const next = readyOf(line, now);
      if (next && this.#leave(next)) next.come();
    }
  }

  /** false: it had left already. */
  #leave(call: WaitingCall): boolean {
    const line = this.#lines.get(call.line) ?? [];
    const rest = line.filter((one) => one !== call);
    if (rest.length === line.length) return false;
    if (rest.length > 0) this.#lines.set(call.line, rest);
    else this.#lines.delete(call.line);
    this.#waiting--;
    return true;
  }
}

const isOld = ({ sinceMs }: WaitingCall, now: number): boolean => now - sinceMs >= OVERTAKEN_MS;

function readyOf(line: readonly WaitingCall[], now: number): WaitingCall | undefined {
  for (const call of line) {
    if (call.ready()) return call;
    if (isOld(call, now)) return undefined;
  }
  return undefined;
}
