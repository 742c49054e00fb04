// What is known of models beside their price: names, limits, modalities, capabilities. The facts are generated from models.dev
// (scripts/catalogue.ts); models newer than that snapshot come from the price list, with what it says of them.
import type { ModelInfo, Price } from "../core/price";
import text from "./catalogue.gen.json" with { type: "text" };
import { tierOf } from "./catalogue-tier";
import type { LibraryModel } from "./prices-library";

export interface CatalogueRow {
  id: string;
  name: string;
  /** Context window in tokens. */
  context?: number | undefined;
  /** The most output tokens. */
  output?: number | undefined;
  /** Modalities: "text", "image", "audio", "pdf", "video"; out also "embedding". */
  in: readonly string[];
  out: readonly string[];
  /** Capabilities that are known to be there. */
  can: readonly string[];
  /** YYYY-MM-DD or YYYY-MM. */
  released?: string | undefined;
  /** What the snapshot says it costs: only where the price list does not know the model at all. */
  usd?: CatalogueUsd | undefined;
}

/** USD per million tokens, as decimal text. */
export interface CatalogueUsd {
  input: string;
  output: string;
  cacheRead?: string;
  cacheWrite?: string;
  inputAudio?: string;
  /** Rates of requests with more input tokens than this. */
  above?: { tokens: number; usd: Omit<CatalogueUsd, "above"> };
}

export interface CatalogueFile {
  source: string;
  commit: string;
  date: string;
  licence: string;
  /** By our slug. */
  providers: Readonly<Record<string, readonly CatalogueRow[]>>;
}

/** The catalogue. The generated file is parsed at the first question: a start that asks nothing pays nothing. */
export class Catalogue {
  #file: CatalogueFile | undefined;
  readonly #bySlug = new Map<string, ReadonlyMap<string, CatalogueRow>>();
  readonly #newer: (slug: string) => readonly LibraryModel[];
  readonly #listed: ReadonlyMap<string, readonly string[]>;

  /**
   * `newer` lists what the price list knows of a provider; it is asked once for each. `listed`: ids that the operator says are on
   * machines of their own, by provider or endpoint.
   */
  constructor(newer: (slug: string) => readonly LibraryModel[], listed: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#newer = newer;
    this.#listed = listed;
  }

  /** Every model known of a provider; none for a provider that is not known. */
  rows(slug: string): readonly CatalogueRow[] {
    return [...this.#rowsOf(slug).values()];
  }

  /** One model by its exact id. */
  row(slug: string, id: string): CatalogueRow | undefined {
    return this.#rowsOf(slug).get(id);
  }

  /** The row that prices a model, by its id in any case. */
  priced(slug: string, id: string): CatalogueRow | undefined {
    const rows = this.#rowsOf(slug);
    const found = rows.get(id);
    if (found?.usd) return found;
    for (const row of rows.values()) if (row.usd && row.id.toLowerCase() === id) return row;
    return undefined;
  }

  /** What the generated file says: where it is from, and its rows. */
  get file(): CatalogueFile {
    // TypeScript types the import as the JSON it names; `type: "text"` makes it a string.
    this.#file ??= JSON.parse(text as unknown as string) as CatalogueFile;
    return this.#file;
  }

  #rowsOf(slug: string): ReadonlyMap<string, CatalogueRow> {
    const known = this.#bySlug.get(slug);
    if (known) return known;
    const facts = Object.hasOwn(this.file.providers, slug) ? this.file.providers[slug] : undefined;
    const listed = this.#listed.get(slug);
    if (!facts && !listed) return NO_ROWS;
    const rows = new Map([...(facts ?? []), ...(listed ?? []).map(rowOfListed)].map((row) => [row.id, row]));
    const qualified = facts?.every((row) => row.id.includes("/")) ?? false;
    for (const model of this.#newer(slug))
      if (!rows.has(model.id) && isNewChatModel(slug, model, qualified)) rows.set(model.id, rowOfLibrary(model));
    this.#bySlug.set(slug, rows);
    return rows;
  }
}

const NO_ROWS: ReadonlyMap<string, CatalogueRow> = new Map();

/** What the price list also has: speech, images, completions of old, fine-tunes, other people's models. */
const NO_CHAT =
  /embed|moderation|whisper|transcribe|tts|realtime|ocr|image|live|voice|voxtral|guard|computer-use|instruct|vision|^ft:|:|^gpt-oss|^claude-(v?\d|3)|^gemini-(1|pro|flash)/;
/** The price list puts models of others beside a provider's own where another of its services has them. */
const OWN: Readonly<Record<string, RegExp>> = { gemini: /^gem/ };

/**
 * The price list's ids are patterns too. One is taken for a model's own where its context is known, it is not deprecated, and
 * it has the shape of the provider's other ids (`vendor/model`).
 */
const isNewChatModel = (slug: string, model: LibraryModel, qualified: boolean): boolean =>
  model.contextWindow !== undefined &&
  !model.deprecated &&
  (model.id.includes("/") || !qualified) &&
  !NO_CHAT.test(model.id) &&
  (OWN[slug]?.test(model.id) ?? true);

const rowOfLibrary = (model: LibraryModel): CatalogueRow => ({
  id: model.id,
  name: model.name ?? model.id,
  context: model.contextWindow,
  in: ["text"],
  out: ["text"],
  can: [],
});

/** Nothing is known of it but that it is there. */
const rowOfListed = (id: string): CatalogueRow => ({ id, name: id, in: ["text"], out: ["text"], can: [] });

/** A row with the price in force. */
export function modelInfoOf(provider: string, row: CatalogueRow, price: Price | undefined): ModelInfo {
  return {
    provider,
    id: row.id,
    displayName: row.name,
    tier: tierOf(row.id, price),
    contextWindow: row.context,
    maxOutputTokens: row.output,
    inputModalities: row.in,
    outputModalities: row.out,
    capabilities: row.can,
    createdAt: row.released === undefined ? 0 : Math.floor(Date.parse(row.released) / 1000),
    price,
  };
}
