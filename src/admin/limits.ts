// Rate limits of scopes other than keys, which carry their own.
import type { ScopeKind } from "../core/budget";
import { Failure } from "../core/failure";
import type { Page, Ports } from "../core/ports";
import type { ScopeLimits } from "../core/records";
import { sameScope } from "./budgets";
import { note } from "./events";
import { type Fields, fieldsOf } from "./fields";
import { newId } from "./organizations";
import { type ListDocument, listDocument, pageOf } from "./page";
import { type Ask, organizationAsked, organizationOr, recordFound } from "./place";
import { readScope, scopeText } from "./scopes";

const KINDS = ["organization", "team", "project", "user", "agent"] as const satisfies readonly ScopeKind[];
export const RATES = ["rate_limit", "tpm_limit", "concurrency"] as const;
/** A limit above these is none. */
const MOST_REQUESTS = 10_000_000;
const MOST_TOKENS = 100_000_000_000;
const MOST_CALLS = 1_000_000;

export interface LimitDocument {
  object: "limit";
  id: string;
  organization: string;
  scope: string;
  /** Requests a minute. */
  rate_limit: number | null;
  /** Tokens a minute. */
  tpm_limit: number | null;
  /** Calls at once. */
  concurrency: number | null;
  /** ISO 8601. */
  created_at: string;
}

export interface Rates {
  requestsPerMinute: number | undefined;
  tokensPerMinute: number | undefined;
  concurrency: number | undefined;
}

/** `rate_limit`, `tpm_limit`, `concurrency`: what is absent stays as `before` has it, null takes it away. */
export function readRates(fields: Fields, before: Partial<Rates> = {}): Rates {
  const read = (name: (typeof RATES)[number], most: number, was: number | undefined): number | undefined =>
    fields.has(name) ? fields.whole(name, 1, most) : was;
  return {
    requestsPerMinute: read("rate_limit", MOST_REQUESTS, before.requestsPerMinute),
    tokensPerMinute: read("tpm_limit", MOST_TOKENS, before.tokensPerMinute),
    concurrency: read("concurrency", MOST_CALLS, before.concurrency),
  };
}

export const ratesDocument = ({ requestsPerMinute, tokensPerMinute, concurrency }: Partial<Rates>) => ({
  rate_limit: requestsPerMinute ?? null,
  tpm_limit: tokensPerMinute ?? null,
  concurrency: concurrency ?? null,
});

/** `{scope, rate_limit?, tpm_limit?, concurrency?, organization?}`: at least one of the three. */
export async function createLimit(ask: Ask, ports: Ports): Promise<LimitDocument> {
  const fields = fieldsOf(ask.body, ["scope", "organization", ...RATES], "Limits", ask.at);
  const asked = organizationAsked(ask, fields, ports);
  if (String(fields.value("scope")).startsWith("key:"))
    return fields.fail("scope", "names a key, which carries its own limits: change the key.");
  const { scope, organizationId } = await readScope(fields, KINDS, asked, "A limit", ports);
  const other = limitOf({ scope, organizationId }, ports);
  if (other) return fields.fail("scope", `has its limits already (${other.id}). Change those.`);
  const rates = someRate(readRates(fields), fields);
  return write("created", { id: newId("lim", ports), organizationId, scope, ...rates, createdAt: ports.clock.now() }, ports);
}

/** The limits of a scope. */
export const limitOf = ({ scope, organizationId }: Pick<ScopeLimits, "scope" | "organizationId">, ports: Ports): ScopeLimits | undefined =>
  ports.directory.list("scope-limits", organizationId).find((other) => sameScope(other.scope, scope));

export const listLimits = (ask: Ask, page: Page, ports: Ports): ListDocument =>
  listDocument(pageOf("limits", ports.directory.list("scope-limits", organizationOr(ask, undefined, ports)), page), limitDocument);

export const getLimit = (id: string, ask: Ask, ports: Ports): LimitDocument => limitDocument(recordFound("scope-limits", id, ask, ports));

/** `{rate_limit?, tpm_limit?, concurrency?}`; null takes one away. In force for the next call. */
export async function updateLimit(id: string, ask: Ask, ports: Ports): Promise<LimitDocument> {
  const before = recordFound("scope-limits", id, ask, ports);
  const fields = fieldsOf(ask.body, RATES, "Limits", ask.at);
  return write("updated", { ...before, ...someRate(readRates(fields, before), fields) }, ports);
}

export async function deleteLimit(id: string, ask: Ask, ports: Ports): Promise<{ object: "limit"; id: string; deleted: true }> {
  const { organizationId, scope } = recordFound("scope-limits", id, ask, ports);
  await ports.directory.remove("scope-limits", id);
  await note({ organizationId, type: "limit.deleted", resource: id, data: { scope: scopeText(scope) } }, ports);
  return { object: "limit", id, deleted: true };
}

function someRate(rates: Rates, fields: Fields): Rates {
  if (Object.values(rates).some((rate) => rate !== undefined)) return rates;
  const param = fields.param("rate_limit");
  throw new Failure("missing_required_parameter", `A limit needs ${param}, tpm_limit or concurrency.`, { param });
}

async function write(what: string, limits: ScopeLimits, ports: Ports): Promise<LimitDocument> {
  const { organizationId, id, scope } = limits;
  await ports.directory.put("scope-limits", limits);
  const data = { scope: scopeText(scope), ...ratesDocument(limits) };
  await note({ organizationId, type: `limit.${what}`, resource: id, data }, ports);
  return limitDocument(limits);
}

const limitDocument = (limits: ScopeLimits): LimitDocument => ({
  object: "limit",
  id: limits.id,
  organization: limits.organizationId,
  scope: scopeText(limits.scope),
  ...ratesDocument(limits),
  created_at: new Date(limits.createdAt).toISOString(),
});
