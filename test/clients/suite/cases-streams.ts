// What goes wrong after the start: callers that leave, providers that break off, retries. A cut answer is never a short success.
import assert from "node:assert/strict";
import type { Ending, Script } from "../../upstream/script";
import { assertCompletion } from "./answers";
import { type Case, PROVIDERS, type ProviderUnderTest, thrownBy, type World } from "./harness";
import { SAMPLES } from "./samples";

const USER = [{ role: "user" as const, content: "Hello" }];
const DISCONNECT_WITHIN_MS = 1_000;

/** Reads until the first text, lets `leave` go, and checks that the provider saw it in time. */
async function leaveMidStream(world: World, { model }: ProviderUnderTest, leave: "abort" | "break"): Promise<void> {
  const controller = new AbortController();
  const stream = await world
    .client()
    .openai.chat.completions.create({ model, messages: USER, stream: true }, { signal: controller.signal });
  let leftAt = 0;
  for await (const chunk of stream) {
    if (!chunk.choices[0]?.delta.content) continue;
    leftAt = Date.now();
    if (leave === "break") break;
    controller.abort();
  }
  assert.ok(leftAt > 0, "some text came before");
  const exchange = await world.upstream.ended(1);
  assert.equal(exchange.ended, "gone");
  const after = (exchange.goneAt ?? Number.POSITIVE_INFINITY) - leftAt;
  assert.ok(after <= DISCONNECT_WITHIN_MS, `the provider saw it after ${after} ms`);
}

async function leaveBeforeAnswer(world: World, { model }: ProviderUnderTest): Promise<void> {
  const controller = new AbortController();
  const { openai } = world.client();
  const call = thrownBy(() => openai.chat.completions.create({ model, messages: USER }, { signal: controller.signal }));
  await world.upstream.arrived(1);
  const leftAt = Date.now();
  controller.abort();
  assert.ok((await call) instanceof world.sdk.APIUserAbortError);
  const exchange = await world.upstream.ended(1);
  assert.equal(exchange.ended, "gone");
  assert.ok((exchange.goneAt ?? Number.POSITIVE_INFINITY) - leftAt <= DISCONNECT_WITHIN_MS);
}

/** Reads a stream that breaks: some of the text may come, then an error must. */
async function readBroken(world: World, { name, troubled }: ProviderUnderTest): Promise<void> {
  const { openai, sent } = world.client({ maxRetries: 2 });
  let text = "";
  const error = await thrownBy(async () => {
    const stream = await openai.chat.completions.create({ model: troubled, messages: USER, stream: true });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      assert.ok(!chunk.choices[0]?.finish_reason, "no finish reason on a broken stream");
    }
  });
  assert.ok(error instanceof world.sdk.APIError, `an APIError, not ${String(error)}`);
  assert.equal(text, SAMPLES[name].head, "exactly what the provider had said");
  assert.equal(sent(), 1);
}

async function helperRaises(world: World, { troubled }: ProviderUnderTest): Promise<void> {
  const stream = world.client().openai.chat.completions.stream({ model: troubled, messages: USER });
  const error = await thrownBy(() => stream.finalChatCompletion());
  assert.ok(error instanceof world.sdk.OpenAIError);
}

async function wholeCut(world: World, { troubled }: ProviderUnderTest): Promise<void> {
  const { openai, sent } = world.client({ maxRetries: 2 });
  const error = await thrownBy(() => openai.chat.completions.create({ model: troubled, messages: USER }));
  assert.ok(error instanceof world.sdk.InternalServerError, `an InternalServerError, not ${String(error)}`);
  assert.equal(sent(), 1);
}

async function retried(world: World, { name, model }: ProviderUnderTest): Promise<void> {
  await world.upstream.play({ status: 429, headers: { "retry-after": "0", "retry-after-ms": "20" }, body: "{}" }, { model });
  const { openai } = world.client({ maxRetries: 2 });
  const completion = await openai.chat.completions.create({ model, messages: USER });
  assertCompletion(
    completion,
    { choices: [{ text: SAMPLES[name].text, toolCalls: [], finish: "stop" }], usage: { prompt: 9, completion: 5 } },
    model,
  );
  const { requests } = await world.upstream.seen();
  assert.equal(requests.length, 2, "requests that reached the provider");
}

export const streamCases: readonly Case[] = PROVIDERS.flatMap((provider): Case[] => {
  const { name, model, troubled } = provider;
  const { answers, headBytes } = SAMPLES[name];
  const { stream, whole } = answers;
  const stalled: Script = { ...stream, pauses: [{ afterBytes: headBytes, until: "never" }] };
  const broken = (end: Ending): Script => ({ ...stream, pauses: [{ afterBytes: headBytes, until: { ms: 30 } }], end });
  const endings: readonly [string, Ending][] = [
    ["cut off", { kind: "cut", afterBytes: headBytes }],
    ["cut off inside an event", { kind: "cut", afterBytes: headBytes + 12 }],
    ["reset", { kind: "reset", afterBytes: headBytes }],
    ["that ends cleanly without a finish", { kind: "clean-end", afterBytes: headBytes }],
    ["with a torn chunk", { kind: "torn-chunk", afterBytes: headBytes }],
  ];
  return [
    {
      name: `${name}: abort() mid-stream reaches the provider within 1 s`,
      models: { [model]: stalled },
      run: (world) => leaveMidStream(world, provider, "abort"),
    },
    {
      name: `${name}: leaving the loop mid-stream reaches the provider within 1 s`,
      models: { [model]: stalled },
      run: (world) => leaveMidStream(world, provider, "break"),
    },
    {
      name: `${name}: abort() before the answer reaches the provider within 1 s`,
      models: { [model]: { beforeHeaders: "never" } },
      run: (world) => leaveBeforeAnswer(world, provider),
    },
    ...endings.map(
      ([title, end]): Case => ({
        name: `${name}: a stream ${title} raises`,
        models: { [troubled]: broken(end) },
        run: (world) => readBroken(world, provider),
      }),
    ),
    {
      name: `${name}: a broken stream raises in the stream helper too`,
      models: { [troubled]: broken({ kind: "clean-end", afterBytes: headBytes }) },
      run: (world) => helperRaises(world, provider),
    },
    {
      name: `${name}: a whole answer cut off raises`,
      models: { [troubled]: { ...whole, end: { kind: "cut", afterBytes: 40 } } },
      run: (world) => wholeCut(world, provider),
    },
    {
      name: `${name}: 429, then success: two requests reach the provider`,
      models: { [model]: SAMPLES[name].answers },
      run: (world) => retried(world, provider),
    },
  ];
});
