// A call that somebody else may end: whoever does its work at the moment hears of it.
import type { Failure } from "../core/failure";

export class CutSwitch {
  #why: Failure | undefined;
  #hear: ((why: Failure) => void) | undefined;

  /** Set from the moment on that the call was ended. */
  get why(): Failure | undefined {
    return this.#why;
  }

  /** Takes the place of whoever listened before. Called at once where the call is ended already. */
  hear(hear: (why: Failure) => void): void {
    this.#hear = hear;
    if (this.#why) hear(this.#why);
  }

  cut(why: Failure): void {
    if (this.#why) return;
    this.#why = why;
    this.#hear?.(why);
  }
}
