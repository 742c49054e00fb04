// Makes src/store/catalogue.gen.json: what models.dev says of models. Its prices only where genai-prices does not know the model.
// Run: bun scripts/catalogue.ts, with the snapshot in TOLLWAY_SHARED (default ../shared).
import { join, resolve } from "node:path";
import { z } from "zod";
import type { CatalogueFile, CatalogueRow, CatalogueUsd } from "../src/store/catalogue";
import { LIBRARY_DATE, LIBRARY_IDS, libraryPrice } from "../src/store/prices-library";

const PROJECT = resolve(import.meta.dir, "..");
const SNAPSHOT = join(resolve(PROJECT, process.env.TOLLWAY_SHARED ?? "../shared"), "catalogue/models-dev-subset.json");
const TARGET = join(PROJECT, "src/store/catalogue.gen.json");

/** models.dev's name of a provider → ours. */
const PROVIDERS: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  google: "gemini",
  mistral: "mistral",
  groq: "groq",
  deepseek: "deepseek",
  xai: "xai",
  perplexity: "perplexity",
  togetherai: "together",
  "fireworks-ai": "fireworks",
  cohere: "cohere",
  openrouter: "openrouter",
};

const modelSchema = z.looseObject({
  name: z.string(),
  family: z.string().optional(),
  release_date: z.string().optional(),
  attachment: z.boolean().optional(),
  reasoning: z.boolean().optional(),
  temperature: z.boolean().optional(),
  tool_call: z.boolean().optional(),
  structured_output: z.boolean().optional(),
  cost: z.record(z.string(), z.union([z.number(), z.looseObject({}), z.array(z.looseObject({}))])).optional(),
  limit: z.looseObject({ context: z.number(), output: z.number() }),
  modalities: z.looseObject({ input: z.array(z.string()), output: z.array(z.string()) }),
});
type Model = z.infer<typeof modelSchema>;

const snapshotSchema = z.looseObject({
  source: z.string(),
  commit: z.string(),
  commitDate: z.string(),
  license: z.string(),
  providers: z.record(z.string(), z.record(z.string(), modelSchema)),
});

const isEmbedding = (id: string, model: Model): boolean => /embed/i.test(`${id} ${model.name} ${model.family ?? ""}`);

/** Answers in text within a context. Speech, image and video makers, and entries without limits, are none. */
const isChat = (model: Model): boolean => model.modalities.output.includes("text") && model.limit.context > 0 && model.limit.output > 0;

const CAPABILITIES = [
  ["tools", "tool_call"],
  ["reasoning", "reasoning"],
  ["json_schema", "structured_output"],
  ["attachment", "attachment"],
  ["temperature", "temperature"],
] as const;

/** The snapshot's rates and ours. A price with any other part (and with a fee that is told nowhere) is none. */
const RATES: Readonly<Record<string, "input" | "output" | "cacheRead" | "cacheWrite" | "inputAudio">> = {
  input: "input",
  output: "output",
  cache_read: "cacheRead",
  cached_input: "cacheRead",
  cache_write: "cacheWrite",
  input_audio: "inputAudio",
};
const HAS_FEES = /search|^groq\/compound/;

type Cost = Readonly<Record<string, unknown>>;

function ratesOf(cost: Cost): CatalogueUsd | undefined {
  const rates: Record<string, string> = {};
  for (const [name, amount] of Object.entries(cost)) {
    const rate = RATES[name];
    if (rate === undefined || typeof amount !== "number") return undefined;
    rates[rate] = String(amount);
  }
  return rates["input"] === undefined || rates["output"] === undefined ? undefined : (rates as unknown as CatalogueUsd);
}

/** One tier at most, by its size: `{tier: {size}, input, …}`. */
function usdOf({ tiers, context_over_200k: _, ...cost }: Cost): CatalogueUsd | undefined {
  const base = ratesOf(cost);
  if (!base || !Array.isArray(tiers)) return base;
  const [first, more] = tiers as (Cost & { tier?: { size?: number } })[];
  const { tier, ...rates } = first ?? {};
  const above = ratesOf(rates);
  return more === undefined && above && tier?.size !== undefined ? { ...base, above: { tokens: tier.size, usd: above } } : undefined;
}

/** Only where the price list does not know the model. */
function gapOf(slug: string, id: string, model: Model): { usd?: CatalogueUsd } {
  const known = libraryPrice(LIBRARY_IDS[slug] ?? "", id.toLowerCase(), Date.parse(LIBRARY_DATE)) !== undefined;
  const text = model.modalities.output.every((modality) => modality === "text");
  if (known || !text || !model.cost || HAS_FEES.test(id)) return {};
  const usd = usdOf(model.cost);
  const free = usd && Number(usd.input) === 0 && Number(usd.output) === 0;
  return usd && !free ? { usd } : {};
}

function rowOf(slug: string, id: string, model: Model): CatalogueRow {
  const embedding = isEmbedding(id, model);
  return {
    id,
    name: model.name,
    context: model.limit.context,
    // Of an embedding model this is its number of dimensions.
    ...(embedding ? {} : { output: model.limit.output }),
    in: model.modalities.input,
    out: embedding ? ["embedding"] : model.modalities.output,
    can: CAPABILITIES.filter(([, field]) => model[field] === true).map(([capability]) => capability),
    ...(model.release_date === undefined ? {} : { released: model.release_date }),
    ...gapOf(slug, id, model),
  };
}

const snapshot = snapshotSchema.parse(await Bun.file(SNAPSHOT).json());
const file: CatalogueFile = {
  source: snapshot.source,
  commit: snapshot.commit,
  date: snapshot.commitDate,
  licence: snapshot.license,
  providers: Object.fromEntries(
    Object.entries(PROVIDERS).map(([name, slug]) => {
      const models = Object.entries(snapshot.providers[name] ?? {});
      const rows = models.filter(([id, model]) => isChat(model) || isEmbedding(id, model)).map(([id, model]) => rowOf(slug, id, model));
      return [slug, rows.sort((a, b) => (a.id < b.id ? -1 : 1))];
    }),
  ),
};

// One model a line: a change of the snapshot reads as a diff.
const { providers, ...header } = file;
const blocks = Object.entries(providers).map(
  ([slug, rows]) => `${JSON.stringify(slug)}:[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]`,
);
const text = `${JSON.stringify(header).slice(0, -1)},"providers":{\n${blocks.join(",\n")}\n}}\n`;
await Bun.write(TARGET, text);
const count = Object.values(providers).reduce((sum, rows) => sum + rows.length, 0);
console.log(`${count} models of ${Object.keys(providers).length} providers, ${text.length} bytes`);
