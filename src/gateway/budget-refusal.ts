// A refusal for money, as the caller reads it: which scope, what it may spend, what it has spent and holds, when it begins anew.
import type { BudgetState, Window } from "../core/budget";
import { Failure } from "../core/failure";
import { addUsd, type NanoUsd, subUsd, usdNumber, usdText, ZERO_USD } from "../core/money";
import { chargeOf } from "../policy/credit";
import { resetAt } from "../policy/window";

/** 402. `bound`: the most that the call could cost. `now`: Unix milliseconds. */
export function budgetRefusal({ budget, spent, reserved }: BudgetState, bound: NanoUsd | undefined, now: number): Failure {
  const scope = `${budget.scope.kind}:${budget.scope.id}`;
  const needed = chargeOf(budget, bound ?? ZERO_USD);
  const resets = resetAt(budget.window, now);
  const resetsAt = resets === undefined ? undefined : new Date(resets).toISOString();
  const facts = {
    scope,
    [budget.standsFor?.kind === "credit-account" ? "account_id" : "budget_id"]: budget.id,
    limit_usd: usdNumber(budget.limit),
    spent_usd: usdNumber(spent),
    reserved_usd: usdNumber(reserved),
    needed_usd: usdNumber(needed),
    resets_at: resetsAt ?? null,
  };
  const figures = `$${usdText(spent)} spent and $${usdText(reserved)} reserved of $${usdText(budget.limit)}`;
  const wanted = `this call may cost up to $${usdText(needed)}`;
  if (budget.standsFor?.kind === "credit-account") {
    const left = subUsd(budget.limit, addUsd(spent, reserved));
    const says = `The prepaid balance of ${scope} cannot bear this call: $${usdText(left)} left (${figures}), and ${wanted}. Top it up to go on.`;
    return new Failure("insufficient_quota", says, { facts });
  }
  const whole = budget.standsFor ? `The limit of ${scope}` : `The ${periodOf(budget.window)} budget of ${scope}`;
  const again = resetsAt === undefined ? "It never resets." : `It resets at ${resetsAt}.`;
  return new Failure("budget_exceeded", `${whole} cannot bear this call: ${figures}, and ${wanted}. ${again}`, { facts });
}

const periodOf = ({ unit, rolling }: Window): string => (rolling && unit !== "lifetime" ? `rolling ${unit}` : unit);
