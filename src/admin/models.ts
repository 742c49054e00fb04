// GET /v1/models: one superset document that OpenAI, Anthropic and Codex clients all read, with prices.

import type { ApiKey } from "../core/exchange";
import { Failure } from "../core/failure";
import type { NanoUsdPerMillion } from "../core/money";
import type { Ports } from "../core/ports";
import type { ModelInfo } from "../core/price";

/** What this key may call: the models of the providers behind it, and `auto`. */
export interface CatalogueView {
  models: readonly ModelInfo[];
  /** The extension object's key. */
  namespace: string;
}

/** A test key may call every model of the catalogue, on the simulator; a live one those of the connected providers. */
export function viewFor(key: ApiKey, everyProvider: readonly string[], ports: Ports): CatalogueView {
  const connected = ports.connections.connected(key.organizationId).map((connection) => connection.provider);
  const providers = key.mode === "test" ? everyProvider : connected;
  const now = ports.clock.now();
  return { models: providers.flatMap((provider) => ports.prices.models(provider, now)), namespace: ports.settings.brand.namespace };
}

export function modelList(view: CatalogueView): object {
  const data = [autoEntry(view.namespace), ...view.models.map((model) => modelEntry(model, view.namespace))];
  return {
    object: "list",
    data,
    // Anthropic's pagination, in one page.
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: false,
    // Codex refuses an answer without it.
    models: view.models.map(codexEntry),
  };
}

/** Throws 404 `model_not_found`. */
export function modelDocument(id: string, view: CatalogueView): object {
  if (id === "auto") return autoEntry(view.namespace);
  const model = view.models.find((one) => one.id === id);
  if (!model)
    throw new Failure("model_not_found", `There is no model ${JSON.stringify(id.slice(0, 128))} that this key may call.`, {
      param: "model",
    });
  return modelEntry(model, view.namespace);
}

interface Entry {
  id: string;
  [field: string]: unknown;
}

function autoEntry(namespace: string): Entry {
  return {
    id: "auto",
    object: "model",
    type: "model",
    created: 0,
    created_at: new Date(0).toISOString(),
    owned_by: namespace,
    display_name: "Auto",
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

function modelEntry(model: ModelInfo, namespace: string): Entry {
  const rates = model.price?.rates;
  return {
    id: model.id,
    object: "model",
    type: "model",
    created: model.createdAt,
    created_at: new Date(model.createdAt * 1000).toISOString(),
    owned_by: model.provider,
    display_name: model.displayName,
    context_length: model.contextWindow ?? null,
    ...(rates ? { pricing: pricing(model) } : {}),
    [namespace]: {
      display_name: model.displayName,
      provider: model.provider,
      tier: model.tier,
      context_window: model.contextWindow ?? null,
      // One credit is one US dollar; no markup is set for keys yet.
      input_price_per_m_credits: perMillionUsd(rates?.input),
      output_price_per_m_credits: perMillionUsd(rates?.output),
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

const perMillionUsd = (rate: NanoUsdPerMillion | undefined): number | null => (rate === undefined ? null : Number(rate) / 1e9);

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

const codexEntry = (model: ModelInfo): object => ({
  slug: model.id,
  display_name: model.displayName,
  context_window: model.contextWindow ?? null,
});
