// GET /v1/models: one superset document that OpenAI, Anthropic and Codex clients all read, with prices.

import type { Scope } from "../core/budget";
import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import { type NanoUsdPerMillion, nanoUsd } from "../core/money";
import type { Ports } from "../core/ports";
import type { ModelInfo } from "../core/price";
import { mayUseModel } from "../policy/access";
import { narrowestAccount, withMarkup } from "../policy/credit";
import { codexEntry, writesText } from "./models-codex";

/** What this key may call: the models of the providers behind it, and `auto`. */
export interface CatalogueView {
  models: readonly ModelInfo[];
  /** The extension object's key. */
  namespace: string;
  /** What the key's prepaid balance is charged beside the cost. */
  markupBasisPoints: number;
}

/**
 * A test key may call every model of the catalogue, on the simulator; a live one those of the connected providers. A model of several
 * stands there once, as the first of them has it: there it goes.
 */
export function viewFor(key: ApiKey, everyProvider: readonly string[], ports: Ports): CatalogueView {
  const connected = ports.connections.connected(key.organizationId, key.policy.projectId).map((connection) => connection.provider);
  const inOrder = everyProvider.filter((provider) => key.mode === "test" || connected.includes(provider));
  const now = ports.clock.now();
  const models = new Map<string, ModelInfo>();
  for (const provider of new Set([...inOrder, ...connected]))
    for (const model of ports.prices.models(provider, now))
      if (!models.has(model.id) && mayUseModel(key.policy.allowedModels, model.id)) models.set(model.id, model);
  return { models: [...models.values()], namespace: ports.settings.brand.namespace, markupBasisPoints: markupOf(key, ports) };
}

/** Test keys are never charged. */
function markupOf(key: ApiKey, ports: Ports): number {
  if (key.mode === "test") return 0;
  const accounts = ports.directory.list("credit-account", key.organizationId);
  const { organizationId, policy } = key;
  const at = ({ kind, id }: Scope) => accounts.find(({ scope }) => scope.kind === kind && scope.id === id);
  return narrowestAccount({ organizationId, projectId: policy.projectId, keyId: key.id }, at)?.markupBasisPoints ?? 0;
}

/** `query` may hold Anthropic's pagination: `limit`, `after_id`, `before_id`. Throws 400 `invalid_value`. */
export function modelList(view: CatalogueView, query: URLSearchParams): object {
  const entries = [autoEntry(view.namespace), ...view.models.map((model) => modelEntry(model, view))];
  const { data, hasMore } = pageOf(entries, query);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
    models: [AUTO_MODEL, ...view.models.filter(writesText)].map(codexEntry),
  };
}

const PAGE_MAX = 1_000;

/** https://docs.anthropic.com/en/api/models-list; without a limit the whole list is one page, as OpenAI's clients expect it. */
function pageOf(entries: readonly Entry[], query: URLSearchParams): { data: readonly Entry[]; hasMore: boolean } {
  const asked = query.get("limit");
  const limit = asked === null ? entries.length : Number(asked);
  if (asked !== null && !(/^\d{1,4}$/.test(asked) && limit >= 1 && limit <= PAGE_MAX))
    throw new Failure("invalid_value", `limit takes a whole number from 1 to ${PAGE_MAX}.`, { param: "limit" });
  const placeOf = (name: string): number | undefined => {
    const id = query.get(name);
    if (id === null) return undefined;
    const place = entries.findIndex((entry) => entry.id === id);
    if (place < 0) throw new Failure("invalid_value", `${name} is the id of no model here.`, { param: name });
    return place;
  };
  const after = placeOf("after_id");
  const before = placeOf("before_id");
  if (before !== undefined && after === undefined) {
    const start = Math.max(0, before - limit);
    return { data: entries.slice(start, before), hasMore: start > 0 };
  }
  const start = after === undefined ? 0 : after + 1;
  const end = Math.min(start + limit, before ?? entries.length);
  return { data: entries.slice(start, end), hasMore: end < (before ?? entries.length) };
}

/** Throws 404 `model_not_found`. */
export function modelDocument(id: string, view: CatalogueView): object {
  if (id === "auto") return autoEntry(view.namespace);
  const model = view.models.find((one) => one.id === id);
  if (!model)
    throw new Failure("model_not_found", `There is no model ${JSON.stringify(id.slice(0, 128))} that this key may call.`, {
      param: "model",
    });
  return modelEntry(model, view);
}

interface Entry {
  id: string;
  [field: string]: unknown;
}

/** Takes what any model takes. */
const AUTO_MODEL = {
  id: "auto",
  displayName: "Auto",
  contextWindow: undefined,
  inputModalities: ["text", "image"],
  capabilities: ["tools"],
} satisfies Partial<ModelInfo>;

function autoEntry(namespace: string): Entry {
  return {
    id: "auto",
    object: "model",
    type: "model",
    created: 0,
    created_at: new Date(0).toISOString(),
    owned_by: namespace,
    display_name: "Auto",
    ...anthropicFacts(undefined, undefined),
    [namespace]: {
      display_name: "Auto",
      provider: namespace,
      tier: null,
      context_window: null,
      input_price_per_m_credits: null,
      output_price_per_m_credits: null,
    },
  };
}

function modelEntry(model: ModelInfo, { namespace, markupBasisPoints }: CatalogueView): Entry {
  const rates = model.price?.rates;
  return {
    id: model.id,
    object: "model",
    type: "model",
    created: model.createdAt,
    // 1970 where the release is not known, as Anthropic's own list says it.
    created_at: new Date(model.createdAt * 1000).toISOString(),
    owned_by: model.provider,
    display_name: model.displayName,
    context_length: model.contextWindow ?? null,
    ...anthropicFacts(model.contextWindow, model.maxOutputTokens),
    ...(rates ? { pricing: pricing(model) } : {}),
    [namespace]: {
      display_name: model.displayName,
      provider: model.provider,
      tier: model.tier,
      context_window: model.contextWindow ?? null,
      // One credit is one US dollar.
      input_price_per_m_credits: perMillionCredits(rates?.input, markupBasisPoints),
      output_price_per_m_credits: perMillionCredits(rates?.output, markupBasisPoints),
      input_price_per_m_usd: perMillionUsd(rates?.input),
      output_price_per_m_usd: perMillionUsd(rates?.output),
      max_output_tokens: model.maxOutputTokens ?? null,
      input_modalities: model.inputModalities,
      output_modalities: model.outputModalities,
      capabilities: model.capabilities,
      regions: [],
      price_source: model.price?.source ?? null,
      price_date: model.price?.date ?? null,
    },
  };
}

/** What Anthropic's entries have beside name and date; null is its word for not known. */
const anthropicFacts = (contextWindow: number | undefined, maxOutputTokens: number | undefined): object => ({
  max_input_tokens: contextWindow ?? null,
  max_tokens: maxOutputTokens ?? null,
  capabilities: null,
  lifecycle: "active",
  deprecated_at: null,
  retires_at: null,
  line: null,
});

const perMillionUsd = (rate: NanoUsdPerMillion | undefined): number | null => (rate === undefined ? null : Number(rate) / 1e9);

const perMillionCredits = (rate: NanoUsdPerMillion | undefined, markupBasisPoints: number): number | null =>
  rate === undefined ? null : Number(withMarkup(nanoUsd(rate), markupBasisPoints)) / 1e9;

/** OpenRouter's shape: decimal strings in USD per token. */
function pricing(model: ModelInfo): object {
  const rates = model.price?.rates;
  if (!rates) return {};
  return {
    prompt: perTokenText(rates.input),
    completion: perTokenText(rates.output),
    ...(rates.cacheRead === undefined ? {} : { input_cache_read: perTokenText(rates.cacheRead) }),
    ...(rates.cacheWrite === undefined ? {} : { input_cache_write: perTokenText(rates.cacheWrite) }),
    ...(rates.cacheWrite1h === undefined ? {} : { input_cache_write_1h: perTokenText(rates.cacheWrite1h) }),
    ...(rates.inputAudio === undefined ? {} : { audio: perTokenText(rates.inputAudio) }),
  };
}

/** nano-USD per million tokens is 1e-15 USD per token: written out, so that no digit passes through a float. */
function perTokenText(rate: NanoUsdPerMillion): string {
  const digits = rate.toString().padStart(16, "0");
  const fraction = digits.slice(-15).replace(/0+$/, "");
  const whole = digits.slice(0, -15);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
