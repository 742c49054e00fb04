// The Prices port: the library's figures with our overrides on top, kept per model and stretch of time, and the catalogue
// joined with them.
import { undatedId } from "../core/model-id";
import type { Prices } from "../core/ports";
import type { ModelInfo, Price, PriceTier, Rates } from "../core/price";
import type { Connection } from "../core/settings";
import { Catalogue, type CatalogueUsd, modelInfoOf } from "./catalogue";
import { type Figures, FREE, figuresOf, rateFromText, timesRates, versionOf } from "./prices-figures";
import { LIBRARY_DATE, LIBRARY_IDS, LIBRARY_SOURCE, libraryModels, libraryPrice } from "./prices-library";
import { PRICE_OVERRIDES, type PriceOverride, SELF_HOSTED, SELF_HOSTED_SOURCE, type UsdRates } from "./prices-overrides";

/** Other names that providers go by. */
const ALIASES: Readonly<Record<string, string>> = { google: "gemini", "x-ai": "xai", togetherai: "together", "fireworks-ai": "fireworks" };

/** Callers may send any model string: past this many, the oldest answer is forgotten. */
const REMEMBERED_MAX = 4_096;
/** A longer model string is nobody's, and is not remembered: many of them would fill the memory. */
const REMEMBERED_CHARACTERS_MAX = 256;
/** Stretches of time remembered of one model: a dated price and a day's hours. */
const STRETCHES_MAX = 8;
const ALWAYS = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

export interface PricesOptions {
  /** In place of our own table: for tests, and for an operator's contract. */
  overrides?: readonly PriceOverride[];
  /** The operator's own machines: which models are there, and what they cost. */
  endpoints?: readonly Pick<Connection, "provider" | "models" | "price">[];
}

/** Opens the built-in price list. No I/O, no clock: every question names its moment. */
export function openPrices(options: PricesOptions = {}): Prices {
  const { overrides = PRICE_OVERRIDES, endpoints = [] } = options;
  return new BuiltInPrices(
    [...overrides, ...endpoints.flatMap(priceOfEndpoint)],
    new Map(endpoints.map((one) => [one.provider, one.models ?? []])),
  );
}

const priceOfEndpoint = ({ provider, price }: Pick<Connection, "provider" | "price">): PriceOverride[] =>
  price === undefined ? [] : [{ kind: "figures", provider, models: "all", usd: price, source: "the operator", date: LIBRARY_DATE }];

/** A price and the stretch in which it holds: from `from` until before `until`, Unix milliseconds. */
interface Found {
  price: Price | undefined;
  from: number;
  until: number;
}

/** A model's price and description, which hold for the same stretch. */
interface Told extends Found {
  info: ModelInfo | undefined;
}

class BuiltInPrices implements Prices {
  readonly #remembered = new Map<string, Found[]>();
  /** What was last told of a model, by provider and id. */
  readonly #told = new Map<string, Map<string, Told>>();
  #toldModels = 0;
  readonly #overrides: readonly PriceOverride[];
  readonly #catalogue: Catalogue;

  constructor(overrides: readonly PriceOverride[], listed: ReadonlyMap<string, readonly string[]>) {
    this.#overrides = overrides;
    this.#catalogue = new Catalogue((slug) => libraryModels(LIBRARY_IDS[slug] ?? ""), listed);
  }

  price(provider: string, model: string, at: number): Price | undefined {
    const told = this.#told.get(provider)?.get(model);
    if (told && at >= told.from && at < told.until) return told.price;
    return this.#priced(provider, model, at).price;
  }

  #priced(provider: string, model: string, at: number): Found {
    const key = `${slugOf(provider)} ${model}`;
    const known = this.#remembered.get(key);
    const hit = known?.find((found) => at >= found.from && at < found.until);
    if (hit) return hit;
    const found = this.#find(slugOf(provider), model, at);
    if (model.length > REMEMBERED_CHARACTERS_MAX) return found;
    this.#remembered.set(key, [found, ...(known ?? [])].slice(0, STRETCHES_MAX));
    const oldest = this.#remembered.size > REMEMBERED_MAX ? this.#remembered.keys().next() : undefined;
    if (oldest && !oldest.done) this.#remembered.delete(oldest.value);
    return found;
  }

  /** Asked for the same model again within the same stretch of time, the answer is the same: calls ask three times each. */
  #tell(provider: string, id: string, told: Told): void {
    if (id.length > REMEMBERED_CHARACTERS_MAX) return;
    if (this.#toldModels >= REMEMBERED_MAX) {
      this.#told.clear();
      this.#toldModels = 0;
    }
    const models = this.#told.get(provider) ?? new Map<string, Told>();
    this.#told.set(provider, models);
    if (!models.has(id)) this.#toldModels++;
    models.set(id, told);
  }

  models(provider: string, at: number): readonly ModelInfo[] {
    const slug = slugOf(provider);
    return this.#catalogue.rows(slug).map((row) => modelInfoOf(slug, row, this.price(slug, row.id, at)));
  }

  model(provider: string, id: string, at: number): ModelInfo | undefined {
    const told = this.#told.get(provider)?.get(id);
    if (told && at >= told.from && at < told.until) return told.info;
    const { price, from, until } = this.#priced(provider, id, at);
    const info = this.#described(slugOf(provider), id, price);
    this.#tell(provider, id, { info, price, from, until });
    return info;
  }

  #described(slug: string, id: string, price: Price | undefined): ModelInfo | undefined {
    // By its own id, without its date, or by the id under which the price list knows it ("grok-4" is "grok-4-0709").
    for (const name of [id, undatedId(id), price?.model]) {
      const row = name === undefined ? undefined : this.#catalogue.row(slug, name);
      if (row) return modelInfoOf(slug, { ...row, id }, price);
    }
    return undefined;
  }

  #find(slug: string, model: string, at: number): Found {
    if (SELF_HOSTED.includes(slug)) return { price: freePrice(slug, model), ...ALWAYS };
    const id = model.toLowerCase().trim();
    const rows = rowsFor(this.#overrides, slug, id);
    const base = this.#base(slug, id, rows, at);
    if (!base.figures) return { price: undefined, from: base.from, until: base.until };
    const unversioned = { provider: slug, model: base.model, source: base.source, date: base.date, ...withOverrides(base.figures, rows) };
    return { price: { ...unversioned, version: versionOf(unversioned) }, from: base.from, until: base.until };
  }

  /** The base figures: our own, another model's, or the library's. */
  #base(slug: string, id: string, rows: readonly PriceOverride[], at: number): Base {
    const own = rows.findLast((row) => row.kind === "figures");
    if (own?.kind === "figures") {
      return { figures: ownFigures(own.usd), model: id, source: `tollway override: ${own.source}`, date: own.date, ...ALWAYS };
    }
    const alias = rows.findLast((row) => row.kind === "alias");
    if (alias?.kind !== "alias") return libraryBase(slug, id, at) ?? this.#snapshotBase(slug, id);
    const start = alias.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(alias.from);
    const of = at >= start ? alias.of : id;
    const base = libraryBase(slug, of, at) ?? this.#snapshotBase(slug, of);
    return at >= start ? { ...base, from: Math.max(base.from, start) } : { ...base, until: Math.min(base.until, start) };
  }

  /** What the catalogue's snapshot says of a model that the library does not know at all. */
  #snapshotBase(slug: string, id: string): Base {
    const row = this.#catalogue.priced(slug, id);
    const { commit, date } = this.#catalogue.file;
    return {
      figures: row?.usd && snapshotFigures(row.usd),
      model: row?.id ?? id,
      source: `models.dev ${commit.slice(0, 7)}`,
      date,
      ...ALWAYS,
    };
  }
}

interface Base {
  figures: Figures | undefined;
  model: string;
  source: string;
  date: string;
  from: number;
  until: number;
}

/** undefined: the library does not know the model. Known and without figures, it bills what our usage does not count. */
function libraryBase(slug: string, id: string, at: number): Base | undefined {
  const libraryId = Object.hasOwn(LIBRARY_IDS, slug) ? LIBRARY_IDS[slug] : undefined;
  const found = libraryId === undefined ? undefined : libraryPrice(libraryId, id, at);
  return (
    found && {
      figures: figuresOf(id, found.figures),
      model: found.model,
      source: LIBRARY_SOURCE,
      date: found.startDate ?? LIBRARY_DATE,
      from: found.from,
      until: found.until,
    }
  );
}

const slugOf = (provider: string): string => (Object.hasOwn(ALIASES, provider) ? (ALIASES[provider] ?? provider) : provider);

/** The rows of a model, the loosest fit first: a later one goes over an earlier one. */
function rowsFor(overrides: readonly PriceOverride[], slug: string, id: string): readonly PriceOverride[] {
  const undated = undatedId(id);
  const fit = ({ models }: PriceOverride): number => {
    if (models === "all") return 1;
    if (models instanceof RegExp) return models.test(id) ? 2 : 0;
    if (models.includes(id)) return 4;
    return undated !== undefined && models.includes(undated) ? 3 : 0;
  };
  return overrides
    .filter((row) => row.provider === slug && fit(row) > 0)
    .map((row) => ({ row, fit: fit(row) }))
    .sort((a, b) => a.fit - b.fit)
    .map(({ row }) => row);
}

/** Everything but the base: rates and fees beside it, thresholds, and service tiers as multiples of the result. */
function withOverrides(base: Figures, rows: readonly PriceOverride[]): Figures {
  let { rates, tiers, feesPerThousand } = base;
  let times: Record<string, readonly [number, number]> = {};
  for (const row of rows) {
    switch (row.kind) {
      case "alias":
      case "figures":
        break;
      case "rates": {
        const more = ratesFromText(row.usd);
        rates = { ...rates, ...more };
        tiers = tiers.map((tier) => ({ ...tier, rates: { ...tier.rates, ...more } }));
        break;
      }
      case "fees":
        feesPerThousand = { ...feesPerThousand, ...fromText(row.usdPerThousand) };
        break;
      case "threshold": {
        const [is, shouldBe] = row.aboveInputTokens;
        tiers = tiers.map((tier) => (tier.aboveInputTokens === is ? { ...tier, aboveInputTokens: shouldBe } : tier));
        break;
      }
      case "tiers":
        times = { ...times, ...row.times };
        break;
    }
  }
  const serviceTiers = Object.fromEntries(Object.entries(times).map(([word, by]) => [word, timesTable(rates, tiers, by)]));
  return { rates, tiers, feesPerThousand, serviceTiers };
}

const timesTable = (rates: Rates, tiers: readonly PriceTier[], by: readonly [number, number]) => ({
  rates: timesRates(rates, by),
  tiers: tiers.map((tier) => ({ ...tier, rates: timesRates(tier.rates, by) })),
});

const fromText = (usd: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(usd).map(([name, text]) => [name, rateFromText(text)]));

const ratesFromText = (usd: Partial<UsdRates>): Partial<Rates> => fromText({ ...usd });

function snapshotFigures({ above, ...usd }: CatalogueUsd): Figures {
  const base = ownFigures(usd);
  return above === undefined ? base : { ...base, tiers: [{ aboveInputTokens: above.tokens, rates: ownFigures(above.usd).rates }] };
}

const ownFigures = (usd: UsdRates): Figures => ({
  rates: { input: rateFromText(usd.input), output: rateFromText(usd.output), ...ratesFromText(usd) },
  tiers: [],
  serviceTiers: {},
  feesPerThousand: {},
});

function freePrice(provider: string, model: string): Price {
  const free = { provider, model, source: SELF_HOSTED_SOURCE, date: LIBRARY_DATE, ...FREE };
  return { ...free, version: versionOf(free) };
}
