// Budgets: made on any scope, changed live, read with what is spent, held and left.
import { type Budget, SCOPE_KINDS, type Scope } from "../core/budget";
import type { KeyMode } from "../core/ids";
import { type NanoUsd, nanoUsd, usdNumber, usdText, ZERO_USD } from "../core/money";
import type { Page, Ports } from "../core/ports";
import { resetAt } from "../policy/window";
import { budgetFields, changedTerms, overlaps, readTerms, type Terms, termsDocument } from "./budget-terms";
import { note } from "./events";
import type { Fields } from "./fields";
import { newId } from "./organizations";
import { type ListDocument, listDocument, pageOf } from "./page";
import { type Ask, organizationAsked, organizationOr, recordFound } from "./place";
import { readScope, scopeOf, scopeText, testKeysOf } from "./scopes";

export interface BudgetDocument {
  object: "budget";
  id: string;
  organization: string;
  scope: string;
  limit_usd: number;
  [more: string]: unknown;
}

/** `{scope, limit_usd, window, rolling?, timezone?, hard?, thresholds?, organization?}` */
export async function createBudget(ask: Ask, ports: Ports): Promise<BudgetDocument> {
  const fields = budgetFields(ask, ["scope", "organization"]);
  const { scope, organizationId } = await readScope(fields, SCOPE_KINDS, organizationAsked(ask, fields, ports), "A budget", ports);
  const budget = newBudget(scope, organizationId, readTerms(fields), ports);
  refuseOverlap(budget, fields, ports);
  await putBudget("created", budget, ports);
  return documentOf(budget, ports);
}

export const newBudget = (scope: Scope, organizationId: string, terms: Terms, ports: Ports): Budget => ({
  id: newId("bdg", ports),
  organizationId,
  scope,
  ...terms,
  createdAt: ports.clock.now(),
});

/** In force, and written down with its event, when it resolves. */
export async function putBudget(what: "created" | "updated", budget: Budget, ports: Ports): Promise<void> {
  await ports.budgets.put(budget);
  const data = { scope: scopeText(budget.scope), limit_usd: usdText(budget.limit), ...termsDocument(budget) };
  await note({ organizationId: budget.organizationId, type: `budget.${what}`, resource: budget.id, data }, ports);
}

/** `?scope=` leaves one scope's. */
export async function listBudgets(ask: Ask & { scope?: string | undefined }, page: Page, ports: Ports): Promise<ListDocument> {
  const asked = organizationAsked(ask, undefined, ports);
  const read = ask.scope === undefined ? undefined : await scopeOf(ask.scope, "scope", SCOPE_KINDS, asked, ports);
  const organizationId = read?.organizationId ?? organizationOr(ask, undefined, ports);
  const wanted = ports.directory.list("budget", organizationId).filter(({ scope }) => !read || sameScope(scope, read.scope));
  const testKeys = await testKeysOf(organizationId, ports);
  return listDocument(pageOf("budgets", wanted, page), (budget) => budgetDocument(budget, testKeys, ports));
}

export const getBudget = (id: string, ask: Ask, ports: Ports): Promise<BudgetDocument> =>
  documentOf(recordFound("budget", id, ask, ports), ports);

/** `{limit_usd?, window?, rolling?, timezone?, hard?, thresholds?}`; its scope stays. In force at once, for calls that are open too. */
export async function updateBudget(id: string, ask: Ask, ports: Ports): Promise<BudgetDocument> {
  const before = recordFound("budget", id, ask, ports);
  const fields = budgetFields(ask, []);
  const budget: Budget = { ...before, ...changedTerms(fields, before) };
  if (!overlaps(before.window, budget.window)) refuseOverlap(budget, fields, ports);
  await putBudget("updated", budget, ports);
  return documentOf(budget, ports);
}

export async function deleteBudget(id: string, ask: Ask, ports: Ports): Promise<{ object: "budget"; id: string; deleted: true }> {
  const budget = recordFound("budget", id, ask, ports);
  await ports.budgets.remove(id);
  const data = { scope: scopeText(budget.scope), limit_usd: usdText(budget.limit) };
  await note({ organizationId: budget.organizationId, type: "budget.deleted", resource: id, data }, ports);
  return { object: "budget", id, deleted: true };
}

export const sameScope = (a: Scope, b: Scope): boolean => a.kind === b.kind && a.id === b.id;

/** The budget of a scope that has this window already. */
export const overlapping = (budget: Pick<Budget, "id" | "organizationId" | "scope" | "window">, ports: Ports): Budget | undefined =>
  ports.directory
    .list("budget", budget.organizationId)
    .find((other) => other.id !== budget.id && sameScope(other.scope, budget.scope) && overlaps(other.window, budget.window));

function refuseOverlap(budget: Budget, fields: Fields, ports: Ports): void {
  const other = overlapping(budget, ports);
  if (!other) return;
  const { window } = other;
  const kind = `${window.rolling ? "rolling " : ""}${window.unit}`;
  fields.fail("window", `overlaps: ${scopeText(budget.scope)} has a budget of a ${kind} already (${other.id}). Change that one.`);
}

const documentOf = async (budget: Budget, ports: Ports): Promise<BudgetDocument> =>
  budgetDocument(budget, budget.scope.kind === "key" ? await testKeysOf(budget.organizationId, ports) : new Set(), ports);

/** Amounts are JSON numbers, and once more as exact decimal text in `exact`. */
export function budgetDocument(budget: Budget, testKeys: ReadonlySet<string>, ports: Ports): BudgetDocument {
  const ofTestKey = budget.scope.kind === "key" && testKeys.has(budget.scope.id);
  const now = ports.clock.now();
  const resets = resetAt(budget.window, now);
  const figures = figuresOf(budget, ofTestKey ? "test" : "live", ports);
  return {
    object: "budget",
    id: budget.id,
    organization: budget.organizationId,
    scope: scopeText(budget.scope),
    limit_usd: usdNumber(budget.limit),
    ...termsDocument(budget),
    ...asNumbers(figures),
    resets_at: resets === undefined ? null : new Date(resets).toISOString(),
    created_at: new Date(budget.createdAt).toISOString(),
    exact: { limit_usd: usdText(budget.limit), ...asTexts(figures) },
    // What test keys spend counts apart, and charges nobody.
    ...(ofTestKey ? { test: true } : budget.scope.kind === "key" ? {} : { of_test_keys: asNumbers(figuresOf(budget, "test", ports)) }),
  };
}

interface Figures {
  spent: NanoUsd;
  reserved: NanoUsd;
  /** Never below zero. */
  remaining: NanoUsd;
}

function figuresOf(budget: Budget, mode: KeyMode, ports: Ports): Figures {
  const { spent, reserved } = ports.budgets.state(budget.id, mode) ?? { spent: ZERO_USD, reserved: ZERO_USD };
  const left = budget.limit - spent - reserved;
  return { spent, reserved, remaining: left > 0n ? nanoUsd(left) : ZERO_USD };
}

const asNumbers = ({ spent, reserved, remaining }: Figures) => ({
  spent_usd: usdNumber(spent),
  reserved_usd: usdNumber(reserved),
  remaining_usd: usdNumber(remaining),
});

const asTexts = ({ spent, reserved, remaining }: Figures) => ({
  spent_usd: usdText(spent),
  reserved_usd: usdText(reserved),
  remaining_usd: usdText(remaining),
});
