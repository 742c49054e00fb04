// A manual clock that tells when a timer of some length was set: how the gateway shows that it has noticed something.
import { ManualClock, turn } from "../contract/manual-clock";

export class WatchedClock extends ManualClock {
  #set: number[] = [];

  override after(ms: number, fire: () => void): () => void {
    this.#set.push(ms);
    return super.after(ms, fire);
  }

  /** Forgets the timers so far. */
  forget(): void {
    this.#set = [];
  }

  /** Resolves when one of this length was set. */
  async timerOf(ms: number): Promise<void> {
    while (!this.#set.includes(ms)) await turn();
  }
}
