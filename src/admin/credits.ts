// Prepaid balances: accounts on an organization, a project or a key, and their entries, which are never changed.
import type { ScopeKind } from "../core/budget";
import { Failure } from "../core/failure";
import { nanoUsd, usdNumber, usdText, ZERO_USD } from "../core/money";
import type { Numbered, Page, Ports } from "../core/ports";
import type { AdminEvent, CreditAccount, CreditEntry } from "../core/records";
import { sameScope } from "./budgets";
import { ADMIN, note } from "./events";
import { fieldsOf } from "./fields";
import { newId } from "./organizations";
import { type ListDocument, listDocument, pageOf } from "./page";
import { type Ask, organizationAsked, organizationOr, recordFound } from "./place";
import { readScope, type ScopeRead, scopeOf, scopeText } from "./scopes";

const KINDS = ["organization", "project", "key"] as const satisfies readonly ScopeKind[];
const MOST_MARKUP_PERCENT = 10_000;
const REASON_MAX = 512;
const KEY_MAX = 255;
/** How long an idempotency key is remembered. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;
const EVENTS_PAGE = 500;
const WRITTEN = "credits.added";

/** `{scope, markup_percent?, organization?}`. From here on live calls of the scope need credit. */
export async function createCreditAccount(ask: Ask, ports: Ports): Promise<object> {
  const fields = fieldsOf(ask.body, ["scope", "markup_percent", "organization"], "Credit accounts");
  const { scope, organizationId } = await readScope(fields, KINDS, organizationAsked(ask, fields, ports), "A credit account", ports);
  const other = accountOf({ scope, organizationId }, ports);
  if (other) return fields.fail("scope", `has a credit account already (${other.id}).`);
  const markupBasisPoints = fields.basisPoints("markup_percent", MOST_MARKUP_PERCENT) ?? 0;
  const account: CreditAccount = { id: newId("crd", ports), organizationId, scope, markupBasisPoints, createdAt: ports.clock.now() };
  await ports.directory.put("credit-account", account);
  await noteAccount("created", account, ports);
  return accountDocument(account, ports);
}

const accountOf = ({ scope, organizationId }: ScopeRead, ports: Ports): CreditAccount | undefined =>
  ports.directory.list("credit-account", organizationId).find((account) => sameScope(account.scope, scope));

export const listCreditAccounts = (ask: Ask, page: Page, ports: Ports): ListDocument =>
  listDocument(pageOf("credit-accounts", ports.directory.list("credit-account", organizationOr(ask, undefined, ports)), page), (account) =>
    accountDocument(account, ports),
  );

export const getCreditAccount = (id: string, ask: Ask, ports: Ports): object =>
  accountDocument(recordFound("credit-account", id, ask, ports), ports);

/** Only one that nothing was ever written to: entries stay, and so does what they belong to. */
export async function deleteCreditAccount(id: string, ask: Ask, ports: Ports): Promise<object> {
  const account = recordFound("credit-account", id, ask, ports);
  const entries = await ports.journal.creditEntries(id, { limit: 1 });
  if (entries.data.length > 0)
    throw new Failure("invalid_value", `${id} has entries, which are never deleted: an adjustment can empty it.`, { param: "id" });
  await ports.directory.remove("credit-account", id);
  await noteAccount("deleted", account, ports);
  return { object: "credit_account", id, deleted: true };
}

/**
 * `{scope, amount_usd, kind?: "top_up" | "adjustment", reason?}`. A top-up is above zero; an adjustment may be below it, and has a reason.
 * With an idempotency key a repeat within a day answers the entry that the first one wrote.
 */
export async function addCredits(ask: Ask, idempotencyKey: string | undefined, ports: Ports): Promise<object> {
  const fields = fieldsOf(ask.body, ["scope", "amount_usd", "kind", "reason", "organization"], "Credit entries");
  const asked = await readScope(fields, KINDS, organizationAsked(ask, fields, ports), "A credit entry", ports);
  const account = neededAccount(asked, fields.param("scope"), ports);
  const kind = fields.choice("kind", ["top_up", "adjustment"]) ?? "top_up";
  const amount = fields.usd("amount_usd", true);
  if (amount === undefined) throw new Failure("missing_required_parameter", "A credit entry needs amount_usd.", { param: "amount_usd" });
  if (amount === 0n) fields.fail("amount_usd", "must not be zero.");
  if (amount < 0n && kind === "top_up") fields.fail("amount_usd", "must be above zero in a top-up. An adjustment may be below it.");
  const reason = fields.text("reason")?.trim() ?? "";
  if (reason === "" && kind === "adjustment")
    throw new Failure("missing_required_parameter", "An adjustment needs a reason.", { param: "reason" });
  if (reason.length > REASON_MAX || /\p{Cc}/u.test(reason)) fields.fail("reason", `takes up to ${REASON_MAX} characters of one line.`);
  const key = readIdempotencyKey(idempotencyKey);
  const { organizationId, id: accountId } = account;
  return writeOnce({ organizationId, accountId, kind, amount, reason, actor: ADMIN, at: ports.clock.now() }, account, key, ports);
}

function neededAccount(asked: ScopeRead, param: string, ports: Ports): CreditAccount {
  const account = accountOf(asked, ports);
  if (account) return account;
  throw new Failure("not_found", `${scopeText(asked.scope)} has no credit account. POST /admin/v1/credits/accounts makes one.`, { param });
}

function readIdempotencyKey(text: string | undefined): string | undefined {
  if (text === undefined || /^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new Failure("invalid_value", `idempotency-key takes 1 to ${KEY_MAX} visible characters.`, { param: "idempotency-key" });
}

/**
 * The event goes first, with all that the entry says: a repeat finds it, and writes the entry if the process ended in between. Changes
 * happen one after the other (turn.ts), so that two repeats at once are one.
 */
async function writeOnce(entry: CreditEntry, account: CreditAccount, key: string | undefined, ports: Ports): Promise<object> {
  const before = key === undefined ? undefined : await remembered(key, entry, ports);
  const due = before === undefined ? entry : { ...entry, at: before.at };
  if (before === undefined) await noteEntry(entry, account, key, ports);
  else {
    if (!samePayload(before, entry))
      throw new Failure("idempotency_mismatch", "This idempotency-key came with another entry before.", { param: "idempotency-key" });
    const written = await findWritten(due, ports);
    if (written) return entryDocument(written, account);
  }
  await ports.journal.credit(due);
  const written = await findWritten(due, ports);
  if (!written) throw new Error("A credit entry was written and cannot be read");
  return entryDocument(written, account);
}

const noteEntry = (
  { organizationId, amount, kind, reason }: CreditEntry,
  account: CreditAccount,
  key: string | undefined,
  ports: Ports,
) => {
  const told = { account: account.id, scope: scopeText(account.scope), kind, amount_usd: usdText(amount), reason };
  const data = key === undefined ? told : { ...told, idempotency_key: key };
  return note({ organizationId, type: WRITTEN, resource: account.id, data }, ports);
};

const samePayload = ({ data }: AdminEvent, entry: CreditEntry): boolean =>
  data["account"] === entry.accountId &&
  data["kind"] === entry.kind &&
  data["amount_usd"] === usdText(entry.amount) &&
  data["reason"] === entry.reason;

/** The event of an earlier request with this key, within a day. */
async function remembered(key: string, { organizationId, at }: CreditEntry, ports: Ports): Promise<AdminEvent | undefined> {
  let cursor: string | undefined;
  do {
    const page = await ports.journal.adminEvents(organizationId, { cursor, limit: EVENTS_PAGE });
    for (const event of page.data) {
      if (event.at < at - REMEMBERED_MS) return undefined;
      if (event.type === WRITTEN && event.data["idempotency_key"] === key) return event;
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return undefined;
}

async function findWritten(entry: CreditEntry, ports: Ports): Promise<Numbered<CreditEntry> | undefined> {
  let cursor: string | undefined;
  do {
    const page = await ports.journal.creditEntries(entry.accountId, { cursor, limit: EVENTS_PAGE });
    for (const other of page.data) {
      // A clock that was set back must not hide it.
      if (other.at < entry.at - REMEMBERED_MS) return undefined;
      if (other.at === entry.at && other.amount === entry.amount && other.reason === entry.reason && other.kind === entry.kind)
        return other;
    }
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return undefined;
}

/** `?scope=`: which account's; the organization's where it is not said. Newest first. */
export async function listCredits(ask: Ask & { scope?: string | undefined }, page: Page, ports: Ports): Promise<ListDocument> {
  const asked = await scopeOf(ask.scope ?? "organization", "scope", KINDS, organizationAsked(ask, undefined, ports), ports);
  const account = neededAccount(asked, "scope", ports);
  return listDocument(await ports.journal.creditEntries(account.id, page), (entry) => entryDocument(entry, account));
}

const noteAccount = (what: string, { organizationId, id, scope, markupBasisPoints }: CreditAccount, ports: Ports): Promise<void> => {
  const data = { scope: scopeText(scope), markup_percent: markupBasisPoints / 100 };
  return note({ organizationId, type: `credit_account.${what}`, resource: id, data }, ports);
};

function accountDocument(account: CreditAccount, ports: Ports): object {
  const credited = ports.journal.credited(account.id);
  // Counted as a budget is, under the account's own id; test keys never charge.
  const { spent, reserved } = ports.budgets.state(account.id, "live") ?? { spent: ZERO_USD, reserved: ZERO_USD };
  const balance = nanoUsd(credited - spent - reserved);
  return {
    object: "credit_account",
    id: account.id,
    organization: account.organizationId,
    scope: scopeText(account.scope),
    markup_percent: account.markupBasisPoints / 100,
    credited_usd: usdNumber(credited),
    charged_usd: usdNumber(spent),
    reserved_usd: usdNumber(reserved),
    balance_usd: usdNumber(balance),
    created_at: new Date(account.createdAt).toISOString(),
    exact: { credited_usd: usdText(credited), charged_usd: usdText(spent), reserved_usd: usdText(reserved), balance_usd: usdText(balance) },
  };
}

const entryDocument = (entry: Numbered<CreditEntry>, account: CreditAccount): object => ({
  object: "credit_entry",
  id: `cre_${entry.id}`,
  account: entry.accountId,
  organization: entry.organizationId,
  scope: scopeText(account.scope),
  kind: entry.kind,
  amount_usd: usdNumber(entry.amount),
  reason: entry.reason,
  actor: entry.actor,
  created_at: new Date(entry.at).toISOString(),
  exact: { amount_usd: usdText(entry.amount) },
});
