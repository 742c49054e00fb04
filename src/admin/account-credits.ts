// Prepaid balances as their holders see them.
import { type NanoUsd, nanoUsd, ZERO_USD } from "../core/money";
import type { Counted, Ports } from "../core/ports";
import type { CreditAccount } from "../core/records";
import { covers, type Viewer } from "./account-viewer";

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

/** Calls that came after the account was made are charged; those of test keys never are. */
function creditOf(account: CreditAccount, { mode }: Viewer, ports: Ports): Credit {
  const credited = ports.journal.credited(account.id);
  const state = mode === "test" ? { spent: ZERO_USD, reserved: ZERO_USD } : ports.budgets.state(account.id, mode);
  const left = state && nanoUsd(credited - state.spent - state.reserved);
  return { account, credited, charged: state?.spent, reserved: state?.reserved, left };
}
