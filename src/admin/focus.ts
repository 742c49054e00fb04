// The ledger as FOCUS 1.2 has it: one charge a row, its 21 mandatory columns, those that FOCUS recommends and we know, and our own
// behind x_. https://focus.finops.org/focus-specification/v1-2/
import { type NanoUsd, usdText } from "../core/money";
import type { LedgerRow } from "../core/ports";

/** What the ledger names by id. */
export interface FocusNames {
  organization: string;
  /** By project id. */
  projects: ReadonlyMap<string, string>;
  /** By key id. */
  keys: ReadonlyMap<string, string>;
}

/** null: FOCUS's null, an empty cell. */
type Cell = (row: LedgerRow, names: FocusNames) => string | null;

const CURRENCY = "USD";
/** A call is priced by several kinds of tokens at once, so that what has one unit price is the call. */
const PRICING_UNIT = "Requests";

const cost: Cell = (row) => usdText(row.cost ?? (0n as NanoUsd));
/** "2026-11-23T14:05:09Z": FOCUS counts in whole seconds. */
const second = (unixMs: number): string => `${new Date(unixMs).toISOString().slice(0, 19)}Z`;
const count = (value: number | undefined): string | null => (value === undefined ? null : String(value));

/** A charge's end is exclusive, and after its beginning. */
const endOf = (row: LedgerRow): number => Math.floor(Math.max(row.settledAt, row.heldAt) / 1_000) * 1_000 + 1_000;

function monthOf(unixMs: number, later: number): string {
  const date = new Date(unixMs);
  return second(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1));
}

/** Of "vendor/model" the vendor; else who serves a model is taken for who made it. */
const publisherOf = ({ modelServed, provider }: LedgerRow): string =>
  modelServed.includes("/") ? modelServed.slice(0, modelServed.indexOf("/")) : provider;

function tokensOf({ usage }: LedgerRow): string | null {
  if (usage?.inputTokens === undefined && usage?.outputTokens === undefined) return null;
  return String((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0));
}

function tagsOf(row: LedgerRow): string | null {
  const tags = { tag: row.tag, user: row.user, agent: row.agent, run: row.run, team: row.teamId, intent: row.intent, tier: row.tier };
  return Object.values(tags).every((value) => value === undefined) ? null : JSON.stringify(tags);
}

/** By their names, in the order of the file. */
export const FOCUS_COLUMNS: Readonly<Record<string, Cell>> = {
  BilledCost: cost,
  BillingAccountId: (row) => row.organizationId,
  BillingAccountName: (_, names) => names.organization,
  BillingAccountType: () => "Organization",
  BillingCurrency: () => CURRENCY,
  BillingPeriodEnd: (row) => monthOf(row.heldAt, 1),
  BillingPeriodStart: (row) => monthOf(row.heldAt, 0),
  ChargeCategory: () => "Usage",
  // Nothing here corrects an earlier invoice.
  ChargeClass: () => null,
  ChargeDescription: (row) => `${row.modelServed} at ${row.provider}, ${row.door}`,
  ChargeFrequency: () => "Usage-Based",
  ChargePeriodEnd: (row) => second(endOf(row)),
  ChargePeriodStart: (row) => second(row.heldAt),
  ConsumedQuantity: tokensOf,
  ConsumedUnit: (row) => (tokensOf(row) === null ? null : "Tokens"),
  ContractedCost: cost,
  ContractedUnitPrice: (row) => (row.cost === undefined ? null : usdText(row.cost)),
  EffectiveCost: cost,
  InvoiceIssuerName: (row) => row.provider,
  ListCost: cost,
  ListUnitPrice: (row) => (row.cost === undefined ? null : usdText(row.cost)),
  PricingCategory: () => "Standard",
  PricingCurrency: () => CURRENCY,
  PricingQuantity: () => "1",
  PricingUnit: () => PRICING_UNIT,
  ProviderName: (row) => row.provider,
  PublisherName: publisherOf,
  ResourceId: (row) => row.keyId,
  ResourceName: (row, names) => names.keys.get(row.keyId) ?? null,
  ResourceType: () => "API key",
  ServiceCategory: () => "AI and Machine Learning",
  ServiceName: (row) => `${row.provider} API`,
  ServiceSubcategory: () => "Generative AI",
  SkuId: (row) => `${row.provider}/${row.modelServed}`,
  SkuPriceId: (row) => row.priceVersion ?? null,
  SubAccountId: (row) => row.projectId ?? null,
  SubAccountName: (row, names) => (row.projectId === undefined ? null : (names.projects.get(row.projectId) ?? null)),
  SubAccountType: (row) => (row.projectId === undefined ? null : "Project"),
  Tags: tagsOf,
  x_RequestId: (row) => row.requestId,
  x_AttemptNumber: (row) => String(row.attemptNumber),
  x_LedgerId: (row) => String(row.id),
  // FOCUS has no cost that is not known: such a row says 0 above and "false" here.
  x_CostKnown: (row) => String(row.cost !== undefined),
  x_Door: (row) => row.door,
  x_ModelRequested: (row) => row.modelRequested,
  x_Settlement: (row) => row.settlement,
  x_Status: (row) => (row.errorCode === undefined ? "ok" : "error"),
  x_InputTokens: (row) => count(row.usage?.inputTokens),
  x_OutputTokens: (row) => count(row.usage?.outputTokens),
  x_CacheReadInputTokens: (row) => count(row.usage?.cacheReadInputTokens),
  x_CacheCreationInputTokens: (row) => count(row.usage?.cacheCreationInputTokens),
  x_ReasoningOutputTokens: (row) => count(row.usage?.reasoningOutputTokens),
};

/** Amounts that add up to what the ledger says, to the nano-USD. */
export const FOCUS_COSTS = ["BilledCost", "ContractedCost", "EffectiveCost", "ListCost"] as const;
