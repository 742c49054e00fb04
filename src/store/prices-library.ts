// genai-prices behind one door: which model a string means there, which of its prices is in force when, and until when that
// answer holds. Only its figures are used, never its arithmetic (floats).
import { calcPrice, findProvider } from "@pydantic/genai-prices";

export const LIBRARY_SOURCE = "genai-prices 0.1.8";
/** The day on which the package was published. */
export const LIBRARY_DATE = "2026-09-23";

/** The library's ids of our providers. */
export const LIBRARY_IDS: Readonly<Record<string, string>> = {
  openai: "openai",
  anthropic: "anthropic",
  gemini: "google",
  mistral: "mistral",
  groq: "groq",
  deepseek: "deepseek",
  xai: "x-ai",
  together: "together",
  fireworks: "fireworks",
  perplexity: "perplexity",
  openrouter: "openrouter",
  cohere: "cohere",
};

/** USD per the unit in the key's suffix; tiers apply above `start` input tokens. */
export type LibraryFigures = Readonly<Record<string, number | LibraryTiers | undefined>>;

export interface LibraryTiers {
  base: number;
  tiers: readonly { start: number; price: number }[];
}

export interface LibraryPrice {
  /** The library's own id of the model. */
  model: string;
  figures: LibraryFigures;
  /** First day of a dated price, YYYY-MM-DD. */
  startDate: string | undefined;
  /** Unix milliseconds; this answer holds from `from` until before `until`. */
  from: number;
  until: number;
}

export interface LibraryModel {
  id: string;
  name: string | undefined;
  contextWindow: number | undefined;
  deprecated: boolean;
}

/** A model string longer than this is nobody's. */
const MODEL_CHARACTERS_MAX = 256;
const DAY_MS = 86_400_000;

/** The library's price of a model at `at` (Unix ms); `provider` is the library's id. undefined: it has none. */
export function libraryPrice(provider: string, model: string, at: number): LibraryPrice | undefined {
  if (model.length > MODEL_CHARACTERS_MAX) return undefined;
  const found = calcPrice({ input_tokens: 0, output_tokens: 0 }, model, { providerId: provider, timestamp: new Date(at) });
  // A provider may fall back on another's list (Vertex serves Claude); ours does not.
  if (!found?.provider.models.includes(found.model)) return undefined;
  const { prices } = found.model;
  const chosen = Array.isArray(prices) ? prices.find((each) => each.prices === found.model_price)?.constraint : undefined;
  const constraints = Array.isArray(prices) ? prices.flatMap((each) => each.constraint ?? []) : [];
  return {
    model: found.model.id,
    figures: found.model_price,
    startDate: chosen && "start_date" in chosen ? chosen.start_date : undefined,
    ...period(constraints, at),
  };
}

type Constraint = { start_date: string } | { start_time: string; end_time: string };

/** The stretch around `at` in which no constraint begins or ends. */
function period(constraints: readonly Constraint[], at: number): { from: number; until: number } {
  let from = Number.NEGATIVE_INFINITY;
  let until = Number.POSITIVE_INFINITY;
  const midnight = Math.floor(at / DAY_MS) * DAY_MS;
  for (const constraint of constraints) {
    const times =
      "start_date" in constraint
        ? [Date.parse(constraint.start_date)]
        : [-1, 0, 1].flatMap((day) =>
            [constraint.start_time, constraint.end_time].map((time) => midnight + day * DAY_MS + timeOfDay(time)),
          );
    for (const time of times) {
      if (time <= at) from = Math.max(from, time);
      else until = Math.min(until, time);
    }
  }
  return { from, until };
}

/** "16:30:00Z" in milliseconds after midnight UTC. */
const timeOfDay = (time: string): number => Date.parse(`1970-01-01T${time}`);

/** Every model that the library lists of a provider. */
export function libraryModels(provider: string): readonly LibraryModel[] {
  const models = findProvider({ providerId: provider })?.models ?? [];
  return models.map((model) => ({
    id: model.id,
    name: model.name,
    contextWindow: model.context_window,
    deprecated: model.deprecated === true,
  }));
}
