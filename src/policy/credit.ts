// What a prepaid balance is charged for a call: its cost and the markup, rounded up once for each attempt.
import type { Counted } from "../core/attempt";
import type { Budget, Scope } from "../core/budget";
import { type NanoUsd, nanoUsd, ZERO_USD } from "../core/money";
import type { CreditAccount } from "../core/records";
import { ceilDivide } from "./pricing";

/** Hundredths of a per cent in the whole. */
const WHOLE = 10_000n;

export const withMarkup = (cost: NanoUsd, basisPoints: number): NanoUsd =>
  basisPoints === 0 ? cost : nanoUsd(ceilDivide(cost * (WHOLE + BigInt(basisPoints)), WHOLE));

/** What a cost is on the budget's own counters. */
export const chargeOf = ({ standsFor }: Budget, cost: NanoUsd): NanoUsd => withMarkup(cost, standsFor?.markupBasisPoints ?? 0);

/** The largest cost whose charge is within what is left. */
export function affordable({ standsFor }: Budget, left: NanoUsd): NanoUsd {
  const markup = BigInt(standsFor?.markupBasisPoints ?? 0);
  return left <= 0n ? ZERO_USD : markup === 0n ? left : nanoUsd((left * WHOLE) / (WHOLE + markup));
}

/** The narrowest of the balances that a call is charged to: its markup is the one that callers are shown. */
export function narrowestAccount(
  { keyId, projectId, organizationId }: Pick<Counted, "keyId" | "projectId" | "organizationId">,
  at: (scope: Scope) => CreditAccount | undefined,
): CreditAccount | undefined {
  const project = projectId === undefined ? undefined : at({ kind: "project", id: projectId });
  return at({ kind: "key", id: keyId }) ?? project ?? at({ kind: "organization", id: organizationId });
}
