// Prepaid balances as their holders see them.
import { type NanoUsd, nanoUsd, ZERO_USD } from "../core/money";
import type { Counted, Ports, Sums } from "../core/ports";
import type { CreditAccount } from "../core/records";
import { ceilDivide } from "../policy/pricing";
import { covers } from "./account-scope";
import type { Viewer } from "./account-viewer";

export interface Credit {
  readonly account: CreditAccount;
  /** Every entry of the account together. */
  readonly credited: NanoUsd;
  /** Costs with the account's markup. undefined: not known. */
  readonly charged: NanoUsd | undefined;
  readonly reserved: NanoUsd | undefined;
  /** undefined: not known. May be below zero. */
  readonly left: NanoUsd | undefined;
}

/** Those that pay for one key's calls; of an organization, all it has. */
export function creditsOf(viewer: Viewer, counted: Counted, ports: Ports): readonly Credit[] {
  const accounts = ports.directory.list("credit-account", viewer.organizationId);
  return accounts
    .filter(({ scope }) => viewer.onlyKeyId === undefined || covers(scope, counted))
    .map((account) => creditOf(account, viewer, ports));
}

const BASIS_POINTS = 10_000n;

function creditOf(account: CreditAccount, viewer: Viewer, ports: Ports): Credit {
  const credited = ports.journal.credited(account.id);
  const sums = sumsOf(account, viewer, ports);
  const charge = (cost: NanoUsd): NanoUsd => nanoUsd(ceilDivide(cost * (BASIS_POINTS + BigInt(account.markupBasisPoints)), BASIS_POINTS));
  const charged = sums && charge(sums.spent);
  const reserved = sums && charge(sums.reserved);
  const left = charged === undefined || reserved === undefined ? undefined : nanoUsd(credited - charged - reserved);
  return { account, credited, charged, reserved, left };
}

/** Test keys are never charged. undefined: no sums are kept for such a scope. */
function sumsOf({ scope }: CreditAccount, { mode }: Viewer, ports: Ports): Sums | undefined {
  if (mode === "test") return { spent: ZERO_USD, reserved: ZERO_USD };
  return scope.kind === "organization" || scope.kind === "key" ? ports.counters.read(`${scope.kind}:${scope.id}`, mode) : undefined;
}
