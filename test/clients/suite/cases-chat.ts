// Chat, streams, structured output and vision, against each provider's recordings.
import assert from "node:assert/strict";
import { z } from "zod";
import { assertCompletion, assertUsage, readAll, recorded, textOf } from "./answers";
import { expectedOf } from "./expected";
import { type Case, PROVIDERS, type ProviderUnderTest, type World } from "./harness";
import { OPENAI_STRUCTURED, SAMPLES } from "./samples";

const USER = [{ role: "user" as const, content: "What do you say?" }];
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const RECORDINGS = {
  openai: { whole: "openai/chat.tool-result.1", stream: "openai/chat.text-stream.1", vision: "openai/chat.image-url.1" },
  anthropic: {
    whole: "anthropic/messages.citations.1",
    stream: "anthropic/messages.text-stream.1",
    vision: "anthropic/messages.image-base64.1",
  },
  gemini: { whole: "gemini/gemini.pdf-input.1", stream: "gemini/gemini.text-stream.1", vision: "gemini/gemini.image-base64.1" },
} as const;

const LATE_CHUNK = "openai/chat.text-stream.2";

const STRUCTURED = {
  openai: OPENAI_STRUCTURED,
  anthropic: "anthropic/messages.json-schema.1",
  gemini: "gemini/gemini.json-schema.2",
} as const;

async function wholeAnswer({ client }: World, provider: ProviderUnderTest): Promise<void> {
  const completion = client().openai.chat.completions.create({ model: provider.model, messages: USER });
  const { data, response, request_id } = await completion.withResponse();
  assertCompletion(data, recorded(RECORDINGS[provider.name].whole), provider.model);
  assert.equal(data.object, "chat.completion");
  assert.ok(data.id.length > 0);
  assert.match(request_id ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(response.headers.get("x-tollway-request-id"), request_id);
  assert.equal(response.headers.get("x-tollway-provider"), provider.name);
  assert.match(response.headers.get("x-tollway-cost-usd") ?? "", /^0\.\d+$/);
}

async function streamWithUsage({ client }: World, provider: ProviderUnderTest): Promise<void> {
  const expected = recorded(RECORDINGS[provider.name].stream);
  const stream = await client().openai.chat.completions.create({
    model: provider.model,
    messages: USER,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await readAll(stream);
  assert.equal(textOf(chunks), expected.choices[0]?.text);
  const last = chunks.at(-1);
  assert.ok(last);
  assert.deepEqual(last.choices, [], "the usage chunk has no choices");
  assert.ok(expected.usage);
  assertUsage(last.usage, expected.usage);
  assert.equal(chunks.filter((chunk) => chunk.usage).length, 1, "one chunk has usage");
  assert.ok(
    chunks.every((chunk) => chunk.model === provider.model),
    "every chunk has the model that was asked for",
  );
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1, "every chunk has the same id");
}

async function streamWithoutUsage({ client, upstream }: World, provider: ProviderUnderTest): Promise<void> {
  const expected = recorded(RECORDINGS[provider.name].stream);
  const stream = await client().openai.chat.completions.create({ model: provider.model, messages: USER, stream: true });
  const chunks = await readAll(stream);
  assert.equal(textOf(chunks), expected.choices[0]?.text);
  assert.ok(
    chunks.every((chunk) => chunk.choices.length > 0),
    "no usage chunk unless asked for",
  );
  const last = chunks.at(-1);
  assert.ok(last && "tollway" in last, "the extension rides in the last chunk");
  assert.equal(last.choices[0]?.finish_reason, expected.choices[0]?.finish);
  const { requests } = await upstream.seen();
  if (provider.name === "openai") assert.match(requests[0]?.body ?? "", /"include_usage":true/, "usage is always asked for upstream");
}

/** OpenAI sends its moderation results after the usage chunk. Usage is told once all the same: who adds chunks up must not pay twice. */
async function usageOnce({ client }: World): Promise<void> {
  const stream = await client().openai.chat.completions.create({
    model: "gpt-4o-mini",
    messages: USER,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await readAll(stream);
  const told = chunks.filter((chunk) => chunk.usage);
  assert.equal(told.length, 1, "one chunk has usage");
  const { usage } = recorded(LATE_CHUNK);
  assert.ok(usage);
  assertUsage(told[0]?.usage, usage);
  assert.ok(
    chunks.some((chunk) => "moderation" in chunk),
    "the provider's own chunk goes through",
  );
}

async function structured({ client, upstream, zodResponseFormat }: World, provider: ProviderUnderTest): Promise<void> {
  const field = provider.name === "gemini" ? "result" : "output";
  const Answer = z.object({ [field]: z.number() });
  const completion = await client().openai.chat.completions.parse({
    model: provider.model,
    messages: USER,
    response_format: zodResponseFormat(Answer, "answer"),
  });
  const script = STRUCTURED[provider.name];
  const expected = typeof script === "string" ? recorded(script) : expectedOf("openai-chat", String(script.body), false);
  assert.deepEqual(completion.choices[0]?.message.parsed, JSON.parse(expected.choices[0]?.text ?? ""));
  const { requests } = await upstream.seen();
  assert.ok(requests[0]?.body.includes(`"${field}"`), "the schema went to the provider");
}

async function vision({ client, upstream }: World, provider: ProviderUnderTest): Promise<void> {
  const url = `data:image/png;base64,${PIXEL}`;
  const content = [
    { type: "text" as const, text: "What is it?" },
    { type: "image_url" as const, image_url: { url } },
  ];
  const completion = await client().openai.chat.completions.create({ model: provider.model, messages: [{ role: "user", content }] });
  assertCompletion(completion, recorded(RECORDINGS[provider.name].vision), provider.model);
  const { requests } = await upstream.seen();
  assert.ok(requests[0]?.body.includes(PIXEL), "the image went to the provider");
  assert.ok(requests[0]?.body.includes("image/png"), "with its media type");
}

async function ownSamples({ client }: World, provider: ProviderUnderTest): Promise<void> {
  const { text } = SAMPLES[provider.name];
  const { openai } = client();
  const whole = await openai.chat.completions.create({ model: provider.model, messages: USER });
  assertCompletion(whole, { choices: [{ text, toolCalls: [], finish: "stop" }], usage: { prompt: 9, completion: 5 } }, provider.model);
  const stream = openai.chat.completions.stream({ model: provider.model, messages: USER, stream_options: { include_usage: true } });
  const accumulated = await stream.finalChatCompletion();
  assertCompletion(
    accumulated,
    { choices: [{ text, toolCalls: [], finish: "stop" }], usage: { prompt: 9, completion: 5 } },
    provider.model,
  );
}

const providerCases = (provider: ProviderUnderTest): Case[] => {
  const { name, model } = provider;
  const { whole, stream, vision: seen } = RECORDINGS[name];
  const streamed = { [model]: { whole, stream } };
  return [
    {
      name: `${name}: a small answer of our own, whole and streamed`,
      models: { [model]: SAMPLES[name].answers },
      run: (world) => ownSamples(world, provider),
    },
    { name: `${name}: a recorded chat answer`, recorded: true, models: { [model]: whole }, run: (world) => wholeAnswer(world, provider) },
    { name: `${name}: a stream with include_usage`, recorded: true, models: streamed, run: (world) => streamWithUsage(world, provider) },
    {
      name: `${name}: a stream without include_usage`,
      recorded: true,
      models: streamed,
      run: (world) => streamWithoutUsage(world, provider),
    },
    {
      name: `${name}: structured output with parse()`,
      recorded: true,
      models: { [model]: STRUCTURED[name] },
      run: (world) => structured(world, provider),
    },
    { name: `${name}: vision by data URL`, recorded: true, models: { [model]: seen }, run: (world) => vision(world, provider) },
  ];
};

export const chatCases: readonly Case[] = [
  ...PROVIDERS.flatMap(providerCases),
  { name: "openai: a chunk after the usage chunk", recorded: true, models: { "gpt-4o-mini": LATE_CHUNK }, run: usageOnce },
];
