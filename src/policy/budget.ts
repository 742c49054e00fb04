// May this much be held? A pure decision over what every budget of a call's scopes has spent and holds at the moment.
import type { Budget, BudgetState, Threshold } from "../core/budget";
import { type NanoUsd, nanoUsd, ZERO_USD } from "../core/money";

/** The most that a budget lets spent and held money come to. undefined: it sets no cap. */
export function capOf(budget: Budget): NanoUsd | undefined {
  if (!budget.hard) return undefined;
  let cap: bigint = budget.limit;
  for (const { percent, action } of budget.thresholds) {
    const at = share(budget.limit, percent);
    if (action === "block" && at < cap) cap = at;
  }
  return nanoUsd(cap);
}

/** Whether a soft budget has come to a threshold that blocks: what is held does not count, so it may be overshot. */
export const softBlocked = ({ budget, spent }: BudgetState): boolean =>
  !budget.hard && budget.thresholds.some(({ percent, action }) => action === "block" && spent >= share(budget.limit, percent));

/** Whether the budget cannot bear `amount`. All or nothing: the caller adds to every counter or to none, with no await between. */
export const refuses = (state: BudgetState, amount: NanoUsd): boolean => softBlocked(state) || amount > (leftOf(state) ?? amount);

/** What a hard budget can still hold, never below zero. undefined: a soft one. */
export function leftOf({ budget, spent, reserved }: BudgetState): NanoUsd | undefined {
  const cap = capOf(budget);
  if (cap === undefined) return undefined;
  const left = cap - spent - reserved;
  return left > 0n ? nanoUsd(left) : ZERO_USD;
}

const FULL: Threshold = { percent: 100, action: "alert" };

/** The thresholds that are reached by this step and were not before it. The limit itself is one, whether it was set as one or not. */
export function crossed(budget: Budget, before: NanoUsd, after: NanoUsd): readonly Threshold[] {
  const { limit, thresholds, standsFor } = budget;
  if (standsFor) return isLow(budget, after) && !isLow(budget, before) ? [FULL] : [];
  const all = thresholds.some(({ percent }) => percent === FULL.percent) ? thresholds : [...thresholds, FULL];
  return all.filter(({ percent }) => {
    const at = share(limit, percent);
    return before < at && after >= at;
  });
}

const isLow = ({ limit, standsFor }: Budget, spent: NanoUsd): boolean => standsFor?.lowAt !== undefined && limit - spent <= standsFor.lowAt;

/** Rounded down: a cap of 33 % of one nano-USD is nothing. */
const share = (limit: NanoUsd, percent: number): bigint => (limit * BigInt(percent)) / 100n;
