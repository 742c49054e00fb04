// Makes src/store/catalogue.gen.json: what models.dev says of models, without its prices (those are genai-prices').
// Run: bun scripts/catalogue.ts, with the snapshot in TOLLWAY_SHARED (default ../shared).
import { join, resolve } from "node:path";
import { z } from "zod";
import type { CatalogueFile, CatalogueRow } from "../src/store/catalogue";

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

function rowOf(id: string, model: Model): CatalogueRow {
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
      const rows = models.filter(([id, model]) => isChat(model) || isEmbedding(id, model)).map(([id, model]) => rowOf(id, model));
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
