// What a key may see of itself, or of its organization: what is spent and held, what is prepaid, which budgets bind.
import { Failure } from "../core/failure";
import { nanoUsd, usdNumber } from "../core/money";
import type { Ports } from "../core/ports";
import { usdOrNull } from "./account-cost";
import { type Credit, creditsOf } from "./account-credits";
import { budgetLimit, budgetsOf } from "./account-limits";
import { scopesOfViewer, type Viewer } from "./account-viewer";
import { keyDocument } from "./keys";
import { scopeText } from "./scopes";

export function accountDocument(viewer: Viewer, ports: Ports): object {
  const now = ports.clock.now();
  const { key } = viewer;
  if (!key) throw new Failure("invalid_api_key", "No API key came with the request.");
  const whole = viewer.onlyKeyId === undefined;
  const counted = scopesOfViewer(viewer, ports);
  const own = ports.counters.read(`key:${key.id}`, key.mode);
  const organization = ports.counters.read(`organization:${key.organizationId}`, key.mode);
  return {
    object: "account",
    // What others spend is not for a key that only calls.
    organization: {
      id: key.organizationId,
      spent_usd: whole ? usdNumber(organization.spent) : null,
      reserved_usd: whole ? usdNumber(organization.reserved) : null,
    },
    key: { ...keyDocument(key, now), spent_usd: usdNumber(own.spent), reserved_usd: usdNumber(own.reserved) },
    test: key.mode === "test",
    balance: balanceOf(creditsOf(viewer, counted, ports)),
    budgets: budgetsOf(viewer, counted, ports).map((state) => budgetLimit(state, now)),
  };
}

/** null: nothing is prepaid. Of several balances that pay for a call, the one that ends first is what is left. */
function balanceOf(credits: readonly Credit[]): object | null {
  const tightest = tightestOf(credits);
  if (!tightest) return null;
  return {
    remaining_usd: usdOrNull(tightest.left),
    accounts: credits.map(({ account, credited, charged, reserved, left }) => ({
      id: account.id,
      scope: scopeText(account.scope),
      credited_usd: usdNumber(credited),
      charged_usd: usdOrNull(charged),
      reserved_usd: usdOrNull(reserved),
      remaining_usd: usdOrNull(left),
    })),
  };
}

export function tightestOf(credits: readonly Credit[]): Credit | undefined {
  const left = (credit: Credit) => credit.left ?? nanoUsd(credit.credited);
  return credits.reduce<Credit | undefined>((least, credit) => (least && left(least) <= left(credit) ? least : credit), undefined);
}
