// What operators set up, arranged for calls: looked up by each of them, arranged anew only after a change.
import type { RateLimits } from "../core/governance";
import type { Directory } from "../core/ports";
import type { CreditAccount, Organization } from "../core/records";
import { scopeName } from "../policy/budget-book";
import { tightest } from "../policy/rate-limit";

export interface DirectoryView {
  readonly organizations: ReadonlyMap<string, Organization>;
  /** By the name of the scope (`scopeName`). */
  readonly limits: ReadonlyMap<string, RateLimits>;
  readonly accounts: ReadonlyMap<string, CreditAccount>;
}

const VIEWS = new WeakMap<Directory, { revision: number; view: DirectoryView }>();

export function viewOf(directory: Directory): DirectoryView {
  const known = VIEWS.get(directory);
  if (known?.revision === directory.revision) return known.view;
  const view = arranged(directory);
  VIEWS.set(directory, { revision: directory.revision, view });
  return view;
}

function arranged(directory: Directory): DirectoryView {
  const organizations = new Map<string, Organization>();
  const limits = new Map<string, RateLimits>();
  const accounts = new Map<string, CreditAccount>();
  for (const organization of directory.organizations()) {
    organizations.set(organization.id, organization);
    for (const { scope, organizationId, ...each } of directory.list("scope-limits", organization.id)) {
      const name = scopeName(scope.kind, scope.id, organizationId);
      limits.set(name, tightest(limits.get(name), each));
    }
    for (const account of directory.list("credit-account", organization.id)) {
      accounts.set(scopeName(account.scope.kind, account.scope.id, account.organizationId), account);
    }
  }
  return { organizations, limits, accounts };
}
