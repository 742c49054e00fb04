import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020";
import { DialError, type DialResponse } from "../../src/core/ports";
import { simulator } from "../../src/providers/registry";
import { ManualClock, turn } from "../contract/manual-clock";

interface ToolCall {
  index?: number;
  id: string;
  type: string;
  function: { name: string; arguments: string };
}

interface Whole {
  id: string;
  object: string;
  created: number;
  model: string;
  choices: { index: number; finish_reason: string; message: { role: string; content: string | null; tool_calls?: ToolCall[] } }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

interface Chunk {
  object: string;
  choices: { index: number; finish_reason: string | null; delta: { role?: string; content?: string | null; tool_calls?: ToolCall[] } }[];
  usage?: Whole["usage"] | null;
}

const WEATHER = {
  type: "function",
  function: {
    name: "weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 3 } },
      required: ["city", "days"],
    },
  },
};
const TIME = {
  type: "function",
  function: { name: "time", parameters: { type: "object", properties: { zone: { enum: ["utc", "cet"] } } } },
};
const BARE = { type: "function", function: { name: "bare" } };

const say = (content: unknown, more: object = {}): object => ({ model: "gpt-4o-mini", messages: [{ role: "user", content }], ...more });

function ask(body: object, clock = new ManualClock(), signal = new AbortController().signal): Promise<DialResponse> {
  const { inProcess } = simulator;
  if (!inProcess) throw new Error("The simulator is not in this process");
  const request = { url: "simulator:/chat/completions", method: "POST", headers: {}, credential: undefined, body: JSON.stringify(body) };
  return inProcess(request, clock, signal);
}

async function whole(body: object): Promise<Whole> {
  const response = await ask(body);
  expect(response.status).toBe(200);
  return JSON.parse(new TextDecoder().decode(await response.bytes(1_000_000))) as Whole;
}

/** A stream's text; `pace=0` is added, so that no time has to pass. */
async function streamText(content: string, more: object = {}): Promise<string> {
  const paced = content.includes("[[") ? content : `${content} [[simulate: pace=0]]`;
  return new Response((await ask(say(paced, { stream: true, ...more }))).body).text();
}

const chunksOf = (text: string): Chunk[] =>
  text
    .split("\n\n")
    .filter((frame) => frame !== "" && frame !== "data: [DONE]")
    .map((frame) => JSON.parse(frame.slice("data: ".length)) as Chunk);

const textOf = (answer: Whole): string => answer.choices[0]?.message.content ?? "";
const callsOf = (answer: Whole): ToolCall[] => answer.choices[0]?.message.tool_calls ?? [];

describe("the simulator's answer", () => {
  test("is a chat completion that says what it is and what it heard", async () => {
    const answer = await whole(say("Hello, you"));
    expect(answer).toMatchObject({ object: "chat.completion", model: "gpt-4o-mini", choices: [{ index: 0, finish_reason: "stop" }] });
    expect(textOf(answer)).toContain("simulator");
    expect(textOf(answer)).toContain("Hello, you");
    expect(answer.created).toBe(Math.floor(new ManualClock().now() / 1000));
  });

  test("is the same for the same question, and another for another", async () => {
    expect(await whole(say("One"))).toEqual(await whole(say("One")));
    expect(await streamText("One")).toBe(await streamText("One"));
    expect((await whole(say("One"))).id).not.toBe((await whole(say("Two"))).id);
  });

  test("is the same text whole and streamed", async () => {
    const said = chunksOf(await streamText("Hello, you")).map((chunk) => chunk.choices[0]?.delta.content ?? "");
    expect(said.join("")).toBe(textOf(await whole(say("Hello, you"))));
  });

  test("hears parts as it hears a text, and sees no images", async () => {
    const parts = [
      { type: "text", text: "Look: " },
      { type: "image_url", image_url: { url: "https://example.com/x.png" } },
      { type: "text", text: "here" },
    ];
    expect(textOf(await whole(say(parts)))).toContain("Look: here");
  });

  test("tells usage that adds up", async () => {
    const { usage } = await whole(say("Hello"));
    expect(usage?.prompt_tokens).toBeGreaterThan(0);
    expect(usage?.completion_tokens).toBeGreaterThan(0);
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  });

  test("is as long as a limit allows, and says that it was cut", async () => {
    for (const limit of ["max_tokens", "max_completion_tokens"]) {
      const answer = await whole(say("Hello", { [limit]: 3 }));
      expect(textOf(answer).trim().split(/\s+/)).toHaveLength(3);
      expect(answer).toMatchObject({ choices: [{ finish_reason: "length" }], usage: { completion_tokens: 3 } });
    }
    expect(await whole(say("Hello", { max_tokens: 1_000 }))).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  });

  test("comes as many times as n says, whole and streamed, and is counted as often", async () => {
    const one = await whole(say("Hello"));
    const three = await whole(say("Hello", { n: 3 }));
    expect(three.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(three.usage?.completion_tokens).toBe(3 * (one.usage?.completion_tokens ?? 0));
    const chunks = chunksOf(await streamText("Hello", { n: 3 }));
    const finished = chunks.filter((chunk) => chunk.choices[0]?.finish_reason === "stop").map((chunk) => chunk.choices[0]?.index);
    expect(finished).toEqual([0, 1, 2]);
  });
});

describe("a stream", () => {
  test("opens with the role, closes with a finish reason and [DONE]", async () => {
    const text = await streamText("Hello");
    expect(text).toEndWith("data: [DONE]\n\n");
    const chunks = chunksOf(text);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "", refusal: null } as never);
    expect(chunks.at(-1)?.choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
    expect(chunks.every((chunk) => chunk.object === "chat.completion.chunk")).toBe(true);
  });

  test("tells usage where it was asked for, and not where it was not", async () => {
    const told = chunksOf(await streamText("Hello", { stream_options: { include_usage: true } }));
    expect(told.at(-1)).toMatchObject({ choices: [], usage: (await whole(say("Hello [[simulate: pace=0]]"))).usage as object });
    expect(told.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(await streamText("Hello")).not.toContain("usage");
  });

  test("keeps its pace by the clock that it was given: a chunk each 16 ms, or as told", async () => {
    for (const [question, pace] of [
      ["Hello", 16],
      ["Hello [[simulate: pace=250]]", 250],
    ] as const) {
      const clock = new ManualClock();
      const { body } = await ask(say(question, { stream: true }), clock);
      const reader = (body as ReadableStream<Uint8Array>).getReader();
      expect((await reader.read()).done).toBe(false);
      for (let n = 0; n < 3; n++) {
        let arrived = false;
        const next = reader.read().then(() => {
          arrived = true;
        });
        await clock.advance(pace - 1);
        expect(arrived).toBe(false);
        await clock.advance(1);
        await next;
      }
      await reader.cancel();
    }
  });

  test("waits for its reader: nothing is made ahead", async () => {
    const clock = new ManualClock();
    const { body } = await ask(say("Hello", { stream: true }), clock);
    await turn();
    await clock.advance(10_000);
    expect(clock.sleepers).toBe(0);
    await (body as ReadableStream<Uint8Array>).cancel();
  });
});

describe("tools:", () => {
  test("the first that is offered is called, with arguments that fit its schema", async () => {
    const answer = await whole(say("What is the weather?", { tools: [WEATHER, TIME] }));
    expect(answer).toMatchObject({ choices: [{ finish_reason: "tool_calls", message: { content: null } }] });
    const [call, ...others] = callsOf(answer);
    expect(others).toEqual([]);
    expect(call).toMatchObject({ type: "function", function: { name: "weather" } });
    expect(new Ajv2020().compile(WEATHER.function.parameters)(JSON.parse(call?.function.arguments ?? ""))).toBe(true);
  });

  test("one without a schema is called with an empty object", async () => {
    expect(callsOf(await whole(say("Go", { tools: [BARE] })))[0]?.function.arguments).toBe("{}");
  });

  test("all are called for a question in parallel, each with an id of its own", async () => {
    const calls = callsOf(await whole(say("Both in parallel, please", { tools: [WEATHER, TIME] })));
    expect(calls.map((call) => call.function.name)).toEqual(["weather", "time"]);
    expect(new Set(calls.map((call) => call.id)).size).toBe(2);
  });

  test("tool_choice names one, or forbids all", async () => {
    const named = await whole(say("Go", { tools: [WEATHER, TIME], tool_choice: { type: "function", function: { name: "time" } } }));
    expect(callsOf(named).map((call) => call.function.name)).toEqual(["time"]);
    const none = await whole(say("Go", { tools: [WEATHER], tool_choice: "none" }));
    expect(none).toMatchObject({ choices: [{ finish_reason: "stop" }] });
    expect(callsOf(none)).toEqual([]);
    for (const choice of ["auto", "required"])
      expect(callsOf(await whole(say("Go", { tools: [WEATHER], tool_choice: choice })))).toHaveLength(1);
  });

  test("after a tool's result the answer is a text", async () => {
    const messages = [
      { role: "user", content: "What is the weather?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "Rain" },
    ];
    const answer = await whole({ model: "m", messages, tools: [WEATHER] });
    expect(answer).toMatchObject({ choices: [{ finish_reason: "stop" }] });
    expect(textOf(answer)).toContain("Rain");
  });

  test("streamed calls put together are the whole ones", async () => {
    const question = "Both in parallel [[simulate: pace=0]]";
    const calls = new Map<number, { id: string; name: string; arguments: string }>();
    for (const chunk of chunksOf(await streamText(question, { tools: [WEATHER, TIME] }))) {
      for (const piece of chunk.choices[0]?.delta.tool_calls ?? []) {
        const index = piece.index ?? -1;
        const call = calls.get(index) ?? { id: piece.id, name: piece.function.name, arguments: "" };
        calls.set(index, { ...call, arguments: call.arguments + piece.function.arguments });
      }
    }
    const expected = callsOf(await whole(say(question, { tools: [WEATHER, TIME] }))).map((call) => ({ id: call.id, ...call.function }));
    expect([...calls.values()]).toEqual(expected);
  });
});

describe("response_format:", () => {
  test("json_schema is answered with a value that the schema takes", async () => {
    const schema = {
      type: "object",
      properties: {
        title: { type: "string", maxLength: 5 },
        score: { type: "number", minimum: 0, maximum: 0.5 },
        labels: { type: "array", items: { enum: ["a", "b"] }, minItems: 2 },
        parent: { anyOf: [{ $ref: "#" }, { type: "null" }] },
      },
      required: ["title", "score", "labels", "parent"],
      additionalProperties: false,
    };
    const format = { type: "json_schema", json_schema: { name: "article", strict: true, schema } };
    const validate = new Ajv2020().compile(schema);
    expect(validate(JSON.parse(textOf(await whole(say("Go", { response_format: format })))))).toBe(true);
    const streamed = chunksOf(await streamText("Go", { response_format: format })).map((chunk) => chunk.choices[0]?.delta.content ?? "");
    expect(validate(JSON.parse(streamed.join("")))).toBe(true);
  });

  test("json_object is answered with an object", async () => {
    expect(JSON.parse(textOf(await whole(say("Go", { response_format: { type: "json_object" } }))))).toBeObject();
  });

  test("text is answered with a text", async () => {
    expect(textOf(await whole(say("Go", { response_format: { type: "text" } })))).toContain("simulator");
  });
});

describe("directives:", () => {
  test.each([400, 401, 404, 408, 429, 500, 503, 529, 599])("status=%d is that error", async (status) => {
    const response = await ask(say(`Go [[simulate: status=${status}]]`));
    expect(response.status).toBe(status);
    const { error } = JSON.parse(new TextDecoder().decode(await response.bytes(10_000))) as { error: { code: string; message: string } };
    expect(error.code).toBe(`simulated_${status}`);
    expect(response.headers.get("retry-after")).toBeUndefined();
  });

  test("status comes before the stream, with its delay in seconds", async () => {
    const response = await ask(say("Go [[simulate: status=429 retry-after=2]]", { stream: true }));
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("2");
  });

  test("delay holds the answer back by the clock", async () => {
    const clock = new ManualClock();
    let arrived = false;
    const pending = ask(say("Go [[simulate: delay=500]]"), clock).then((response) => {
      arrived = true;
      return response;
    });
    await clock.advance(499);
    expect(arrived).toBe(false);
    await clock.advance(1);
    expect((await pending).status).toBe(200);
  });

  test("cut breaks the stream after so many chunks", async () => {
    const { body } = await ask(say("Go [[simulate: cut=3 pace=0]]", { stream: true }));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    for (let n = 0; n < 3; n++) expect((await reader.read()).done).toBe(false);
    expect(await reader.read().catch((error: unknown) => String(error))).toContain("broke");
  });

  test("garbage is an answer that is none", async () => {
    expect(new TextDecoder().decode(await (await ask(say("Go [[simulate: garbage]]"))).bytes(1_000))).toStartWith("<html>");
  });

  test("no-usage keeps the figures back, whole and streamed", async () => {
    expect((await whole(say("Go [[simulate: no-usage]]"))).usage).toBeUndefined();
    expect(await streamText("Go [[simulate: no-usage pace=0]]", { stream_options: { include_usage: true } })).not.toContain(
      "prompt_tokens",
    );
  });

  test("only the last message is read for them, and what is none is only a text", async () => {
    const messages = [
      { role: "user", content: "[[simulate: status=500]]" },
      { role: "assistant", content: "…" },
      { role: "user", content: "And now?" },
    ];
    expect((await ask({ model: "m", messages })).status).toBe(200);
    for (const text of [
      "[[simulate: ]]",
      "[[simulate: status=99]]",
      "[[simulate: status=abc]]",
      "[[simulate: fly=1]]",
      "[[simulate",
      "[[other: status=500]]",
    ]) {
      expect((await ask(say(text))).status).toBe(200);
    }
  });

  test("they are not said back", async () => {
    expect(textOf(await whole(say("Hello [[simulate: pace=1]]")))).not.toContain("simulate:");
  });
});

describe("an abort", () => {
  test("ends a delay at once", async () => {
    const leave = new AbortController();
    const stalled = new Promise<void>((_, reject) => leave.signal.addEventListener("abort", () => reject(leave.signal.reason)));
    const clock = Object.assign(new ManualClock(), { sleep: () => stalled });
    const pending = ask(say("Go [[simulate: delay=60000]]"), clock, leave.signal).catch((error: unknown) => error);
    leave.abort();
    const thrown = await pending;
    expect(thrown).toBeInstanceOf(DialError);
    expect(thrown).toMatchObject({ kind: "aborted" });
  });

  test("ends a stream in its middle", async () => {
    const leave = new AbortController();
    const stalled = new Promise<void>((_, reject) => leave.signal.addEventListener("abort", () => reject(leave.signal.reason)));
    const clock = Object.assign(new ManualClock(), { sleep: () => stalled });
    const { body } = await ask(say("Hello", { stream: true }), clock, leave.signal);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const next = reader.read().catch((error: unknown) => error);
    leave.abort();
    expect(await next).toMatchObject({ kind: "aborted" });
  });
});
