// What a caller says of its run's limits, in headers or in the body: the same rules in both.
import type { RunLimits } from "../core/exchange";
import { Failure } from "../core/failure";
import { parseUsd } from "../core/money";
import { tagOf } from "./tag";

export const RUN_LIMITS = ["run-budget-usd", "run-max-steps", "run-max-seconds", "run-parent"] as const;
export type RunLimitName = (typeof RUN_LIMITS)[number];

const WHOLE = /^[1-9]\d{0,8}$/;

/** One limit, from its text. `param` is what the caller calls it. Throws 400 `invalid_value`, `invalid_tag`. */
export function runLimitOf(name: RunLimitName, text: string, param: string): RunLimits {
  switch (name) {
    case "run-budget-usd": {
      const maxUsd = parseUsd(text);
      if (maxUsd === undefined) throw new Failure("invalid_value", `${param} takes an amount in USD such as 0.50.`, { param });
      return { maxUsd };
    }
    case "run-max-steps":
      return { maxSteps: wholeOf(text, param) };
    case "run-max-seconds":
      return { maxSeconds: wholeOf(text, param) };
    case "run-parent":
      return { parent: tagOf(text, param) };
  }
}

function wholeOf(text: string, param: string): number {
  if (!WHOLE.test(text)) throw new Failure("invalid_value", `${param} takes a whole number from 1 to 999999999.`, { param });
  return Number(text);
}

/** The limits together, later ones first; undefined: none was said. */
export const joinedLimits = (said: readonly RunLimits[]): RunLimits | undefined =>
  said.length === 0 ? undefined : Object.assign({}, ...said);
