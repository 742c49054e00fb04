// What the over-blocking bar is measured on: lengths of the recorded answers, by model, on cheap and dear models.
import { isServed, usageOfRecording } from "../policy/recorded-usage";
import { type Recording, recordings } from "../recordings/load";
import type { Length, Mix } from "./over-blocking";

/** A question of a line. */
const SHORT_INPUT_TOKENS = 20;

/** Lengths of recorded answers, by the model that was asked, and of all together. */
function recordedLengths(): ReadonlyMap<string, readonly Length[]> {
  const lengths = new Map<string, Length[]>();
  for (const recording of recordings()) {
    const length = lengthOf(recording);
    if (!length) continue;
    for (const name of ["all", recording.provider, askedModel(recording)]) lengths.set(name, [...(lengths.get(name) ?? []), length]);
  }
  return lengths;
}

function lengthOf(recording: Recording): Length | undefined {
  if (!isServed(recording) || recording.status !== 200) return undefined;
  try {
    const { inputTokens, outputTokens } = usageOfRecording(recording) ?? {};
    return inputTokens === undefined || !outputTokens ? undefined : { inputTokens, outputTokens };
  } catch (error) {
    // An answer in which the provider failed.
    if (error instanceof Error && error.name === "Failure") return undefined;
    throw error;
  }
}

const askedModel = ({ request }: Recording): string =>
  typeof request === "object" && request !== null && "model" in request && typeof request.model === "string" ? request.model : "";

/** `inputs`: as long as they were, or short ones. */
export function mixes(inputs: "recorded" | "short", tokenMs: number): readonly Mix[] {
  const all = recordedLengths();
  const of = (name: string): readonly Length[] => {
    const lengths = all.get(name);
    if (!lengths) throw new Error(`No recorded answer of ${name}`);
    return inputs === "recorded" ? lengths : lengths.map((one) => ({ ...one, inputTokens: SHORT_INPUT_TOKENS }));
  };
  const streamed = 50;
  return [
    {
      name: "gpt-4o-mini, answers of every model",
      models: [{ id: "gpt-4o-mini", lengths: of("all") }],
      streamed,
      threeScopes: false,
      cold: false,
      tokenMs,
    },
    {
      name: "the same, new to every cap, three scopes",
      models: [{ id: "gpt-4o-mini", lengths: of("all") }],
      streamed,
      threeScopes: true,
      cold: true,
      tokenMs,
    },
    {
      name: "gpt-4o, its own answers, three scopes",
      models: [{ id: "gpt-4o", lengths: of("gpt-4o") }],
      streamed: 0,
      threeScopes: true,
      cold: false,
      tokenMs,
    },
    {
      name: "gpt-5, its own answers, streamed",
      models: [{ id: "gpt-5", lengths: of("gpt-5") }],
      streamed: 100,
      threeScopes: false,
      cold: false,
      tokenMs,
    },
    {
      name: "gpt-5, answers of every model, new to every cap",
      models: [{ id: "gpt-5", lengths: of("all") }],
      streamed,
      threeScopes: true,
      cold: true,
      tokenMs,
    },
    {
      name: "five models, cheap and dear, three scopes",
      models: [
        { id: "gpt-5", lengths: of("gpt-5") },
        { id: "gpt-4o", lengths: of("gpt-4o") },
        { id: "gpt-4o-mini", lengths: of("gpt-4o-mini") },
        { id: "gpt-4.1", lengths: of("claude-haiku-4-5-20251001") },
        { id: "gpt-4.1-mini", lengths: of("gemini") },
      ],
      streamed,
      threeScopes: true,
      cold: false,
      tokenMs,
    },
  ];
}
