// The calls that are being answered: who cancels a run or revokes a key may end them.
import type { Failure } from "../core/failure";
import type { AnswerLengths, LiveCall, LiveCalls, Rates, Waiting } from "../core/governance";
import { LengthBook } from "../policy/answer-lengths";
import { RateBook } from "../policy/rate-limit";
import { WaitingLines } from "../policy/waiting";

interface Entered {
  readonly call: LiveCall;
  readonly cut: (why: Failure) => void;
}

export class LiveBook implements LiveCalls {
  readonly #entered = new Set<Entered>();

  enter(call: LiveCall, cut: (why: Failure) => void): () => void {
    const entered: Entered = { call, cut };
    this.#entered.add(entered);
    return () => void this.#entered.delete(entered);
  }

  cut(chosen: (call: LiveCall) => boolean, why: Failure): number {
    // Listed first: what is cut leaves the set.
    const found = [...this.#entered].filter(({ call }) => chosen(call));
    for (const entered of found) if (this.#entered.delete(entered)) entered.cut(why);
    return found.length;
  }
}

/** What a process remembers of its calls and never writes down. */
export const lineMemory = (): { rates: Rates; live: LiveCalls; lengths: AnswerLengths; waiting: Waiting } => ({
  rates: new RateBook(),
  live: new LiveBook(),
  lengths: new LengthBook(),
  waiting: new WaitingLines(),
});
