// The same cases for every client, door and provider: answers, streams, tools, structured output, errors, and streams that break.
import assert from "node:assert/strict";
import type { Ending, Script } from "../../upstream/script";
import { type Ask, type Asker, type DoorName, STRUCTURED, TOOL, type Told, type ToolRun, type Way } from "./asker";
import { type Case, type Ground, PROVIDERS, type ProviderUnderTest, thrownBy } from "./harness";
import { CALL, CITY, HELLO, OBJECT, OBJECT_TOLD, RESULT, TEXT } from "./samples";
import { type Content, refused, type Sample, said, type UpstreamDialect, USAGE } from "./upstream-answers";

const PATHS: Readonly<Record<DoorName, string>> = { chat: "chat/completions", responses: "responses", messages: "messages" };

/** How a provider is asked: in the caller's own dialect where it speaks it. */
export function upstreamDialect(door: DoorName, provider: ProviderUnderTest["name"]): UpstreamDialect {
  if (provider === "anthropic") return "messages";
  if (provider === "gemini") return "gemini";
  return door === "responses" ? "responses" : "chat";
}

/** One client asking one provider. */
interface Cell {
  asker: Asker;
  provider: ProviderUnderTest;
  tell(content: Content): Sample;
}

const ask = (model: string): Ask => ({ model, prompt: "What do you say?" });

function assertTold(told: Told): void {
  assert.equal(told.text, TEXT, "the text");
  assert.deepEqual(told.usage, USAGE, "usage");
}

/** Two turns: the model calls the tool, the client runs it and sends the result, the model answers. */
async function toolTrip(ground: Ground, { asker, tell, provider }: Cell, way: Way): Promise<void> {
  const ran: string[] = [];
  const run: ToolRun = (city) => {
    ran.push(city);
    return RESULT;
  };
  for (const content of [CALL, HELLO]) {
    await ground.upstream.play(tell(content).answers[way], { model: provider.model });
  }
  const told = await asker.useTool(ground, ask(provider.model), run, way);
  assert.deepEqual(ran, [CITY], "the tool ran once, with its argument");
  assert.equal(told.text, TEXT);
  const { requests } = await ground.upstream.seen();
  assert.equal(requests.length, 2, "requests that reached the provider");
  assert.ok(requests[0]?.body.includes(TOOL.description), "the tool went to the provider");
  assert.ok(requests[1]?.body.includes(RESULT), "its result too");
}

async function structured(ground: Ground, { asker, provider }: Cell): Promise<void> {
  assert.deepEqual(await asker.structured?.(ground, ask(provider.model)), OBJECT);
  const { requests } = await ground.upstream.seen();
  assert.ok(requests[0]?.body.includes(`"${STRUCTURED.field}"`), "the schema went to the provider");
}

/** The message that the gateway sends for this, read without any client. */
async function ourWords({ gateway, key }: Ground, { door }: Asker, { model, prompt, apiKey = key }: Ask): Promise<string> {
  const body = door === "responses" ? { input: prompt } : { messages: [{ role: "user", content: prompt }], max_tokens: 100 };
  const answer = await fetch(`${gateway}/v1/${PATHS[door]}`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, ...body }),
  });
  const text = await answer.text();
  assert.ok(answer.status >= 400, `an error, not ${answer.status}: ${text.slice(0, 300)}`);
  const message: unknown = JSON.parse(text)?.error?.message;
  assert.ok(typeof message === "string" && message.length > 0, `a message in ${text.slice(0, 300)}`);
  return message;
}

/** Everything that an error shows: its own words and those of what caused it. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "object" ? JSON.stringify(error) : String(error);
  return `${error.name}: ${error.message} ${error.cause === undefined ? "" : shown(error.cause)}`;
}

async function assertShowsOurWords(ground: Ground, asker: Asker, asked: Ask): Promise<void> {
  const words = await ourWords(ground, asker, asked);
  for (const way of ["whole", "stream"] as const) {
    const error = await thrownBy(() => asker[way](ground, asked));
    // Some SDKs show the body as JSON, with its escapes.
    const forms = [words, JSON.stringify(words).slice(1, -1)];
    const seen = shown(error);
    assert.ok(
      forms.some((form) => seen.includes(form)),
      `${way}: "${words}" is not in: ${seen}`,
    );
  }
}

/** Some of the answer may come; then an error must, and never an answer that looks whole. */
async function assertRaises(ground: Ground, call: () => Promise<Told>): Promise<void> {
  const error = await thrownBy(async () => {
    const { text } = await call();
    throw new assert.AssertionError({ message: `a broken stream was taken for a success: ${JSON.stringify(text)}` });
  });
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(shown(error).length > 10, "an error that says something");
  assert.equal((await ground.upstream.seen()).requests.length, 1, "requests that reached the provider");
}

const ENDINGS: readonly [string, (headBytes: number) => Ending][] = [
  ["cut off", (headBytes) => ({ kind: "cut", afterBytes: headBytes })],
  ["cut off inside an event", (headBytes) => ({ kind: "cut", afterBytes: headBytes + 12 })],
  ["reset", (headBytes) => ({ kind: "reset", afterBytes: headBytes })],
  ["that ends cleanly without its terminator", (headBytes) => ({ kind: "clean-end", afterBytes: headBytes })],
];

function brokenCases({ asker, provider, tell }: Cell): Case<Ground>[] {
  const { troubled } = provider;
  const broken = (content: Content, end: (headBytes: number) => Ending): Script => {
    const { answers, headBytes } = tell(content);
    return { ...answers.stream, pauses: [{ afterBytes: headBytes, until: { ms: 20 } }], end: end(headBytes) };
  };
  return ENDINGS.flatMap(([title, end]): Case<Ground>[] => [
    {
      name: `${asker.title}, ${provider.name}: a stream ${title} raises`,
      models: { [troubled]: broken(HELLO, end) },
      run: (ground) => assertRaises(ground, () => asker.stream(ground, ask(troubled))),
    },
    {
      name: `${asker.title}, ${provider.name}: a streamed tool call ${title} raises, and the tool does not run`,
      models: { [troubled]: broken(CALL, end) },
      run: (ground) => assertRaises(ground, () => neverRuns(asker, ground, troubled)),
    },
  ]);
}

async function neverRuns(asker: Asker, ground: Ground, model: string): Promise<Told> {
  let ran = false;
  const run: ToolRun = () => {
    ran = true;
    return RESULT;
  };
  try {
    return await asker.useTool(ground, ask(model), run, "stream");
  } finally {
    assert.ok(!ran, "half a call was run");
  }
}

function answerCases(cell: Cell): Case<Ground>[] {
  const { asker, provider, tell } = cell;
  const { model } = provider;
  const title = `${asker.title}, ${provider.name}:`;
  return [
    {
      name: `${title} a whole answer and its usage`,
      models: { [model]: tell(HELLO).answers.whole },
      run: async (ground) => assertTold(await asker.whole(ground, ask(model))),
    },
    {
      name: `${title} a stream and its usage`,
      models: { [model]: tell(HELLO).answers.stream },
      run: async (ground) => assertTold(await asker.stream(ground, ask(model))),
    },
    { name: `${title} a tool call and its result`, run: (ground) => toolTrip(ground, cell, "whole") },
    { name: `${title} a streamed tool call and its result`, run: (ground) => toolTrip(ground, cell, "stream") },
    ...(asker.structured
      ? [
          {
            name: `${title} structured output`,
            models: { [model]: tell(OBJECT_TOLD).answers },
            run: (ground: Ground) => structured(ground, cell),
          },
        ]
      : []),
  ];
}

function errorCases({ asker, provider }: Cell): Case<Ground>[] {
  const dialect = upstreamDialect(asker.door, provider.name);
  const { troubled } = provider;
  const upstreamSays = (title: string, script: Script): Case<Ground> => ({
    name: `${asker.title}, ${provider.name}: the client shows our words for ${title}`,
    run: async (ground) => {
      await ground.upstream.play(script, { times: "always" });
      await assertShowsOurWords(ground, asker, ask(troubled));
    },
  });
  return Object.entries(refusalsIn(dialect)).map(([status, script]) => upstreamSays(`a provider's ${status}`, script));
}

/** By status: what a provider of that dialect says of a request that it refuses, of money, of too many requests, and of its own failure. */
export const refusalsIn = (dialect: UpstreamDialect): Record<"400" | "402" | "429" | "500", Script> => ({
  400: refused(dialect, 400, "invalid_request_error", "temperature: range: 0..1"),
  402: refused(dialect, 402, "billing_error", "the credit balance is too low"),
  429: { ...refused(dialect, 429, "rate_limit_error", "slow down"), headers: { "retry-after": "0", "retry-after-ms": "20" } },
  500: refused(dialect, 500, "api_error", "boom"),
});

const gatewayCases = (asker: Asker): Case<Ground>[] => [
  {
    name: `${asker.title}: the client shows our words for a wrong key, and no provider is asked`,
    run: async (ground) => {
      await assertShowsOurWords(ground, asker, { ...ask("gpt-4o-mini"), apiKey: "sk-wrong" });
      assert.equal((await ground.upstream.seen()).requests.length, 0);
    },
  },
  {
    name: `${asker.title}: the client shows our words for a model that nobody has, and no provider is asked`,
    run: async (ground) => {
      await assertShowsOurWords(ground, asker, ask("no-such-model-at-all"));
      assert.equal((await ground.upstream.seen()).requests.length, 0);
    },
  },
];

/** Every case that these adapters can run; `short`: the answers only. */
export const matrixCases = (askers: readonly Asker[], length: "all" | "short" = "all"): Case<Ground>[] =>
  askers.flatMap((asker) => [
    ...(length === "all" ? gatewayCases(asker) : []),
    ...PROVIDERS.flatMap((provider): Case<Ground>[] => {
      const cell: Cell = { asker, provider, tell: (content) => said(upstreamDialect(asker.door, provider.name), content) };
      return [...answerCases(cell), ...(length === "all" ? [...errorCases(cell), ...brokenCases(cell)] : [])];
    }),
  ]);
