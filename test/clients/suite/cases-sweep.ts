// Every recorded chat answer of the three providers through the SDK: text, tool calls, finish reason and usage are the provider's.
import assert from "node:assert/strict";
import { type IndexEntry, recordingIndex } from "../../upstream/recording";
import { assertCompletion, recorded } from "./answers";
import { type Case, PROVIDERS, type ProviderUnderTest, thrownBy, type World } from "./harness";

const FORMATS: Readonly<Record<string, ProviderUnderTest["name"]>> = {
  "openai-chat": "openai",
  "anthropic-messages": "anthropic",
  gemini: "gemini",
};

/** Ends without an answer: a garbled call, or no reason given. */
const FAILED_FINISH: ReadonlySet<string> = new Set(["fin:MALFORMED_FUNCTION_CALL", "fin:OTHER"]);

async function replay({ client }: World, { model }: ProviderUnderTest, entry: IndexEntry): Promise<void> {
  const expected = recorded(entry.id);
  const ask = {
    model,
    messages: [{ role: "user" as const, content: "Hello" }],
    ...(expected.choices.length > 1 ? { n: expected.choices.length } : {}),
  };
  const { chat } = client().openai;
  const completion = entry.stream
    ? await chat.completions.stream({ ...ask, stream_options: { include_usage: true } }).finalChatCompletion()
    : await chat.completions.create(ask);
  assertCompletion(completion, expected, model);
}

/** An end without an answer is the provider's failure, not an empty success. */
async function unanswered(world: World, { model }: ProviderUnderTest): Promise<void> {
  const { openai } = world.client();
  const error = await thrownBy(() => openai.chat.completions.create({ model, messages: [{ role: "user", content: "Hello" }] }));
  assert.ok(error instanceof world.sdk.InternalServerError, `an InternalServerError, not ${String(error)}`);
}

/** Empty where there are no recordings. */
export function sweepCases(present: boolean): Case[] {
  if (!present) return [];
  return recordingIndex().flatMap((entry): Case[] => {
    const provider = PROVIDERS.find(({ name }) => name === FORMATS[entry.format] && name === entry.provider);
    if (!provider || entry.status !== 200) return [];
    const broken = entry.tags.some((tag) => FAILED_FINISH.has(tag));
    return [
      {
        name: `recording ${entry.id}`,
        recorded: true,
        models: { [provider.model]: entry.id },
        run: (world) => (broken ? unanswered(world, provider) : replay(world, provider, entry)),
      },
    ];
  });
}
