// Steers the replay upstream from another process (test/upstream/control.ts).
import type { ControlRequest } from "../../upstream/control";
import type { Answer, ByModel } from "../../upstream/script";
import type { PlayOptions } from "../../upstream/upstream";

export interface Control {
  /** Forgets queue and requests, and sets which model is answered with what. */
  reset(byModel: ByModel): Promise<void>;
  play(answer: Answer, options?: PlayOptions): Promise<void>;
  /** What reached the upstream so far, and what it had no answer for. */
  seen(): Promise<{ requests: ControlRequest[]; problems: string[] }>;
  /** Request number `order`, as soon as it has arrived. */
  arrived(order: number): Promise<ControlRequest>;
  /** The same when the exchange is over: played to its end, or left by the gateway at `goneAt`. */
  ended(order: number): Promise<ControlRequest & { ended: string }>;
}

export function openControl(url: string): Control {
  const call = async <T>(method: string, word: string, body?: unknown): Promise<T> => {
    const answer = await fetch(`${url}/__control/${word}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the upstream refuses ${method} ${word}: ${text}`);
    return JSON.parse(text);
  };
  return {
    reset: async (byModel) => {
      await call("POST", "forget");
      await call("PUT", "models", byModel);
    },
    play: async (answer, options = {}) => call("POST", "play", { answer, ...options }),
    seen: () => call("GET", "requests"),
    arrived: (order) => call("GET", `request/${order}`),
    ended: (order) => call("GET", `ended/${order}`),
  };
}
