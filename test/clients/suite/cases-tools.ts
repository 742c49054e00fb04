// Tools: one call, parallel calls, streamed calls, and results that go back.
import assert from "node:assert/strict";
import { assertCompletion, recorded } from "./answers";
import { type Case, PROVIDERS, type ProviderUnderTest, type World } from "./harness";

const USER = { role: "user" as const, content: "Use the tools." };
const TOOLS = [
  {
    type: "function" as const,
    function: {
      name: "get_weather",
      description: "The weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

const RECORDINGS = {
  openai: {
    single: "openai/chat.stop-sequence.1",
    singleStream: "openai/chat.parallel-flag.1",
    parallel: "openai/chat.parallel-tool-calls.1",
    parallelStream: "openai/chat.parallel-tool-calls-stream.2",
    after: "openai/chat.tool-result.2",
  },
  anthropic: {
    single: "anthropic/messages.signature-with-tool.2",
    singleStream: "anthropic/messages.json-schema-stream.1",
    parallel: "anthropic/messages.parallel-tool-calls.2",
    parallelStream: "anthropic/messages.parallel-tool-calls-stream.2",
    after: "anthropic/messages.service-tier.1",
  },
  gemini: {
    single: "gemini/gemini.tool-call.1",
    singleStream: "gemini/gemini.json-schema-stream.2",
    parallel: "gemini/gemini.parallel-tool-calls.2",
    parallelStream: "gemini/gemini.parallel-tool-calls-stream.1",
    after: "gemini/gemini.pdf-input.1",
  },
} as const;

async function whole({ client, upstream }: World, { model }: ProviderUnderTest, recording: string): Promise<void> {
  const completion = await client().openai.chat.completions.create({ model, messages: [USER], tools: TOOLS });
  assertCompletion(completion, recorded(recording), model);
  const { requests } = await upstream.seen();
  assert.match(requests[0]?.body ?? "", /get_weather/, "the tools went to the provider");
}

async function streamed({ client }: World, { model }: ProviderUnderTest, recording: string): Promise<void> {
  const stream = client().openai.chat.completions.stream({
    model,
    messages: [USER],
    tools: TOOLS,
    stream_options: { include_usage: true },
  });
  assertCompletion(await stream.finalChatCompletion(), recorded(recording), model);
}

/** The assistant's calls as they were received, then one result each: the provider must get them in its own form, and the ids must match. */
async function resultsGoBack({ client, upstream }: World, { name, model }: ProviderUnderTest): Promise<void> {
  const { openai } = client();
  const asked = await openai.chat.completions.create({ model, messages: [USER], tools: TOOLS });
  const message = asked.choices[0]?.message;
  assert.ok(message?.tool_calls && message.tool_calls.length > 1);
  const results = message.tool_calls.map((call, at) => ({ role: "tool" as const, tool_call_id: call.id, content: `result number ${at}` }));
  await upstream.reset({ [model]: RECORDINGS[name].after });
  const completion = await openai.chat.completions.create({ model, messages: [USER, message, ...results], tools: TOOLS });
  assertCompletion(completion, recorded(RECORDINGS[name].after), model);
  const { requests } = await upstream.seen();
  const body = requests[0]?.body ?? "";
  for (const { content } of results) assert.ok(body.includes(content), `${content} went to the provider`);
  for (const call of message.tool_calls) if (call.type === "function") assert.ok(body.includes(call.function.name));
}

export const toolCases: readonly Case[] = PROVIDERS.flatMap((provider): Case[] => {
  const { name, model } = provider;
  const recordings = RECORDINGS[name];
  const wholeCase = (title: string, recording: string): Case => ({
    name: `${name}: ${title}`,
    recorded: true,
    models: { [model]: recording },
    run: (world) => whole(world, provider, recording),
  });
  const streamCase = (title: string, recording: string): Case => ({
    name: `${name}: ${title}`,
    recorded: true,
    models: { [model]: recording },
    run: (world) => streamed(world, provider, recording),
  });
  return [
    wholeCase("a tool call", recordings.single),
    wholeCase("parallel tool calls", recordings.parallel),
    streamCase("a streamed tool call", recordings.singleStream),
    streamCase("streamed parallel tool calls", recordings.parallelStream),
    {
      name: `${name}: results of parallel tool calls go back`,
      recorded: true,
      models: { [model]: recordings.parallel },
      run: (world) => resultsGoBack(world, provider),
    },
  ];
});
