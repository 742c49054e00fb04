import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChatEvent } from "../../src/core/chat";
import { nanoUsd } from "../../src/core/money";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { AnswerContext, Dialect } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { allRecordings, recording } from "../recordings/load";
import { answered, ofType, textOfAnswer } from "./anthropic-gemini-replay";
import { answerContext, EXTENSION, encodeContext, failureOf, schema } from "./openai-chat-replay";
import { type Item, type Response, rebuilt, streamedResponse, type Told } from "./openai-responses-replay";

const whole = (events: readonly ChatEvent[], context: AnswerContext = answerContext().context): Response =>
  JSON.parse(openaiResponses.encodeResponse(events, context));
const streamed = (events: readonly ChatEvent[], context: AnswerContext = answerContext().context): Told[] =>
  streamedResponse(events, context).told;

const start: ChatEvent = { type: "start", id: "id1", model: "m", createdAt: 5 };
const text = (said: string): ChatEvent => ({ type: "text", choice: 0, text: said });
const finish = (reason: "stop" | "length" | "tool_calls" | "content_filter" = "stop"): ChatEvent => ({
  type: "finish",
  choice: 0,
  reason,
  raw: reason,
});
const call = (index: number, more: object = {}): ChatEvent => ({
  type: "tool-call",
  choice: 0,
  index,
  id: `call_${index}`,
  name: `f${index}`,
  ...more,
});
const argue = (index: number, said: string): ChatEvent => ({ type: "tool-arguments", choice: 0, index, text: said });
const think = (block: number, said: string, more: object = {}): ChatEvent => ({
  type: "reasoning",
  choice: 0,
  block,
  text: said,
  from: "anthropic-messages",
  ...more,
});
const usage: ChatEvent = {
  type: "usage",
  usage: { inputTokens: 10, outputTokens: 4, cacheReadInputTokens: 6, reasoningOutputTokens: 2, serviceTier: "standard" },
};

/** https://www.openresponses.org/reference: what a response must hold, null where there is nothing to say. */
const REQUIRED = (
  "id object created_at completed_at status incomplete_details model previous_response_id instructions output error tools tool_choice " +
  "truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs temperature reasoning user usage " +
  "max_output_tokens max_tool_calls store background service_tier metadata safety_identifier prompt_cache_key"
).split(" ");

describe("a Responses caller reads the answer of another dialect", () => {
  const failing = /MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|finish-OTHER|midstream-error|n-choices/;
  const answers: { id: string; events: ChatEvent[] }[] = (
    [
      ["openai-chat", openaiChat],
      ["anthropic-messages", anthropicMessages],
      ["gemini", gemini],
    ] as const
  ).flatMap(([format, dialect]: readonly [string, Dialect]) =>
    allRecordings(undefined, format)
      .filter(({ status, id, provider }) => status < 400 && !failing.test(id) && (format !== "openai-chat" || provider === "openai"))
      .map((each) => ({ id: each.id, events: answered(dialect, each) })),
  );
  const spoken = answers.filter(({ events }) => ofType(events, "audio").length === 0);

  const [isResponse, isEvent] = [schema("Response"), schema("ResponseStreamEvent")];

  test("of which there are some", () => expect(spoken.length).toBeGreaterThan(10));

  test.each(spoken)("$id", ({ events }) => {
    const response = whole(events);
    const told = streamed(events);
    expect(isResponse?.(response) ?? true, JSON.stringify(isResponse?.errors)).toBe(true);
    for (const each of told) expect(isEvent?.(each) ?? true, `${JSON.stringify(each)} ${JSON.stringify(isEvent?.errors)}`).toBe(true);
    for (const each of [response, ...told.flatMap(({ response: snapshot }) => snapshot ?? [])])
      expect(REQUIRED.filter((name) => !(name in each))).toEqual([]);
    expect(told.at(-1)?.response).toEqual(response);
    expect(rebuilt(told)).toEqual(response.output);
    const said = response.output.flatMap(({ content = [] }) => content.map(({ text: part = "" }) => part)).join("");
    expect(said).toBe(textOfAnswer(events));
    expect(response.output.flatMap(({ call_id: id }) => id ?? [])).toEqual(ofType(events, "tool-call").map(({ id }) => id));
    for (const { type, arguments: args = "" } of response.output) if (type === "function_call") JSON.parse(args);
    const last = ofType(events, "usage").at(-1)?.usage;
    expect(response.usage?.output_tokens).toBe(last?.outputTokens);
  });
});

describe("the response object", () => {
  test("says how the answer ended, what it cost and what was asked for", () => {
    const tools = [{ type: "function", name: "f" }, { type: "web_search" }];
    const asked = {
      instructions: "Be brief.",
      temperature: 0.2,
      tools,
      metadata: { a: "b" },
      reasoning: { effort: "low" },
      store: true,
      user: null,
    };
    const { context } = answerContext({ asked, requestId: "0189", nowSeconds: () => 9 });
    const response = whole([start, text("hi"), finish(), usage], context);
    expect(response).toMatchObject({
      id: "resp_0189",
      created_at: 5,
      completed_at: 9,
      model: "the-model-asked-for",
      status: "completed",
      instructions: "Be brief.",
      temperature: 0.2,
      top_p: 1,
      tools: [{ type: "function", name: "f", description: null, parameters: null, strict: null }, { type: "web_search" }],
      tool_choice: "auto",
      text: { format: { type: "text" }, verbosity: "medium" },
      reasoning: { effort: "low", summary: null },
      metadata: { a: "b" },
      store: false,
      service_tier: "default",
      usage: {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 6 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 14,
        cost: 0.0015,
      },
      tollway: EXTENSION,
    } as object);
    expect(response.output).toEqual([
      {
        type: "message",
        id: "msg_0189_0",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "hi", annotations: [], logprobs: [] }],
      },
    ]);
  });

  test("keeps an id that is one of this API's", () => {
    expect(whole([{ type: "start", id: "resp_abc" }, finish()]).id).toBe("resp_abc");
  });

  test("is incomplete where the model had to stop", () => {
    const cut = whole([start, text("hi"), call(0), argue(0, '{"a'), finish("length")]);
    expect([cut.status, cut.incomplete_details, cut.completed_at]).toEqual(["incomplete", { reason: "max_output_tokens" }, null]);
    expect(cut.output.map(({ status }) => status)).toEqual(["completed", "incomplete"]);
    const filtered = whole([start, { type: "refusal", choice: 0, text: "No." }, finish("content_filter")]);
    expect(filtered.incomplete_details).toEqual({ reason: "content_filter" });
    expect(filtered.output[0]).toMatchObject({ status: "incomplete", content: [{ type: "refusal", refusal: "No." }] });
    expect(streamed([start, text("hi"), finish("length")]).at(-1)?.type).toBe("response.incomplete");
  });

  test("counts where the provider did not, and is silent where nobody did", () => {
    const counted = answerContext({}, { countedUsage: { inputTokens: 3, outputTokens: 2 } }).context;
    expect(whole([text("a"), finish()], counted).usage).toMatchObject({ input_tokens: 3, total_tokens: 5 });
    const bare = whole([text("a"), finish()], answerContext({}, { extension: undefined }).context);
    expect([bare.usage, "tollway" in bare]).toEqual([null, false]);
  });

  test("is not written for an answer without an end", () => {
    expect(failureOf(() => whole([start, text("a")])).code).toBe("stream_truncated");
    const encoder = openaiResponses.openEncoder(answerContext().context);
    encoder.push(text("a"));
    expect(failureOf(() => encoder.end()).code).toBe("stream_truncated");
  });
});

describe("output items", () => {
  const items = (...events: ChatEvent[]): Item[] => whole([start, ...events, finish()]).output;
  const kinds = (output: readonly Item[]) => output.map(({ type }) => type);

  test("stand in the order in which the model spoke", () => {
    const events = [
      think(0, "Hm", { signature: "s0" }),
      text("I look."),
      call(0),
      argue(0, "{}"),
      think(1, "So", { signature: "s1" }),
      call(1),
      text("Done."),
    ];
    expect(kinds(items(...events))).toEqual(["reasoning", "message", "function_call", "reasoning", "function_call", "message"]);
    const done = streamed([start, ...events, finish()]).filter(({ type }) => type === "response.output_item.done");
    expect(done.map(({ output_index }) => output_index)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("a call is done when the next item begins, so that it can be run at once", () => {
    const told = streamed([start, call(0), argue(0, '{"a":'), argue(0, "1}"), call(1), argue(1, "{}"), finish("tool_calls")]);
    const steps = told
      .filter(({ type }) => type.startsWith("response.output_item"))
      .map(({ type, output_index }) => `${type.slice(21)} ${output_index}`);
    expect(steps).toEqual(["added 0", "done 0", "added 1", "done 1"]);
  });

  test("pieces of several calls may come by turns", () => {
    const output = items(call(0), call(1), argue(0, '{"a":'), argue(1, '{"b":'), argue(0, "1}"), argue(1, "2}"));
    expect(output.map(({ arguments: args }) => args)).toEqual(['{"a":1}', '{"b":2}']);
  });

  test("what continues a call that was whole, or that nobody began, is no answer", () => {
    expect(items(call(0), argue(0, "{}"), call(1), argue(0, "\n"), argue(1, "{}"))).toHaveLength(2);
    expect(failureOf(() => items(call(0), argue(0, "{}"), call(1), argue(0, "x"))).code).toBe("upstream_error");
    expect(failureOf(() => items(argue(0, "{}"))).code).toBe("upstream_error");
  });

  test("a call without arguments has an empty object of them", () => {
    expect(items(call(0))[0]?.arguments).toBe("{}");
    expect(whole([start, call(0), finish("length")]).output[0]?.arguments).toBe("");
  });

  test("a free-text call and a group's call keep what they are", () => {
    expect(items(call(0, { custom: true }), argue(0, "*** Begin"), call(1, { namespace: "mcp__x" }), argue(1, "{}"))).toEqual([
      { type: "custom_tool_call", id: "ctc_fallback_0", status: "completed", call_id: "call_0", name: "f0", input: "*** Begin" },
      {
        type: "function_call",
        id: "fc_fallback_1",
        status: "completed",
        call_id: "call_1",
        name: "f1",
        namespace: "mcp__x",
        arguments: "{}",
      },
    ]);
  });

  test("citations with an address are flat and count from their part; others stand beside", () => {
    const url_citation = { url: "https://e.x", title: "E", start_index: 3, end_index: 5 };
    const passage = { type: "char_location", document_index: 0 };
    const annotations: ChatEvent = { type: "annotations", choice: 0, annotations: [{ type: "url_citation", url_citation }, passage] };
    const output = items(text("one"), call(0), text("two"), annotations);
    expect(output[2]?.content).toEqual([
      {
        type: "output_text",
        text: "two",
        annotations: [{ type: "url_citation", url: "https://e.x", title: "E", start_index: 0, end_index: 2 }],
        logprobs: [],
        citations: [passage],
      },
    ]);
  });

  test("sources that come behind the text's seal find the text open", () => {
    const annotations: ChatEvent = { type: "annotations", choice: 0, annotations: [{ type: "url_citation", url_citation: { url: "u" } }] };
    const output = items(text("a"), think(0, "", { from: "gemini", signature: "s" }), annotations);
    expect(kinds(output)).toEqual(["message", "reasoning"]);
    expect(output[0]?.content?.[0]?.annotations).toEqual([{ type: "url_citation", url: "u", title: "u", start_index: 0, end_index: 1 }]);
  });

  test("sources that come behind everything are not lost", () => {
    const annotations: ChatEvent = { type: "annotations", choice: 0, annotations: [{ type: "url_citation", url_citation: { url: "u" } }] };
    const output = items(text("a"), call(0), argue(0, "{}"), annotations);
    expect(output[2]?.content?.[0]).toMatchObject({ text: "", annotations: [{ url: "u" }] });
  });

  test("log probabilities have bytes", () => {
    const entry = { token: "é", logprob: -1, bytes: null, top_logprobs: [{ token: "a", logprob: -2, bytes: [97] }] };
    const output = items({ type: "text", choice: 0, text: "é", logprobs: [entry] });
    expect(output[0]?.content?.[0]?.logprobs).toEqual([{ ...entry, bytes: [195, 169] }]);
  });

  test("an image that the model made is an item, and audio is no answer", () => {
    const media = { kind: "base64", mediaType: "image/png", data: "aGk=" } as const;
    expect(items({ type: "image", choice: 0, media })).toEqual([
      { type: "image_generation_call", id: "ig_fallback_0", status: "completed", result: "aGk=", output_format: "png" },
    ]);
    expect(failureOf(() => items({ type: "audio", choice: 0, audio: {} })).code).toBe("upstream_error");
  });

  test("thoughts of the same API keep their own seal and id", () => {
    expect(
      items(
        think(0, "T", { from: "openai-responses", id: "rs_1" }),
        think(0, "", { from: "openai-responses", id: "rs_1", signature: "gAAA" }),
      ),
    ).toEqual([{ type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "T" }], encrypted_content: "gAAA" }]);
  });
});

describe("thinking goes to the caller and comes back as the provider sealed it", () => {
  for (const [id, dialect, carrier] of [
    ["own/anthropic.messages.thinking", anthropicMessages, '"thinking":"A sum.","signature":"b3duLXNpZ25hdHVyZQ=="'],
    ["own/anthropic.messages.thinking", anthropicMessages, '"type":"redacted_thinking","data":"b3duLXJlZGFjdGVk"'],
    ["own/gemini.gemini.thinking", gemini, '"thoughtSignature":"b3duLXRleHQtc2lnbmF0dXJl"'],
    ["own/gemini.gemini.tools-stream", gemini, '"thoughtSignature":"b3duLXNpZ25hdHVyZQ=="'],
  ] as const) {
    test(`${id} keeps ${carrier}`, () => {
      const { output } = whole(answered(dialect, recording(id)));
      // Codex leaves out the ids and states of items.
      const sent = output.map(({ id: _, status: __, ...item }) => item);
      const results = output.flatMap(({ call_id }) => (call_id ? [{ type: "function_call_output", call_id, output: "done" }] : []));
      const input = [{ role: "user", content: "x" }, ...sent, ...results, { role: "user", content: "y" }];
      const { request } = openaiResponses.decodeRequest({ model: "m", input });
      const { body } = dialect.encodeRequest(request, encodeContext({ model: "claude-sonnet-4-5", caller: openaiResponses }));
      expect(body).toContain(carrier);
    });
  }
});

describe("a stream", () => {
  test("has every step of an answer in order, with numbers that rise", () => {
    const { told, wire } = streamedResponse([
      start,
      think(0, "Hm"),
      text("a"),
      text("b"),
      call(0),
      argue(0, "{}"),
      finish("tool_calls"),
      usage,
    ]);
    expect(told.map(({ sequence_number: number }) => number)).toEqual(told.map((_, index) => index));
    expect(told.map(({ type }) => type.replace("response.", ""))).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "reasoning_summary_part.added",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.done",
      "reasoning_summary_part.done",
      "output_item.done",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "output_item.added",
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
      "completed",
    ]);
    expect(wire).not.toContain("[DONE]");
    expect(wire.startsWith('event: response.created\ndata: {"type":"response.created","sequence_number":0,')).toBe(true);
    expect(told.at(-1)?.response).toMatchObject({ usage: { cost: 0.0015 }, tollway: EXTENSION });
  });

  test("stamps once, with all that the provider told", () => {
    const { context, asked } = answerContext({}, { costUsd: nanoUsd(1n) });
    streamed(
      [start, { type: "usage", usage: { inputTokens: 1 } }, text("a"), finish(), { type: "usage", usage: { outputTokens: 2 } }],
      context,
    );
    expect(asked).toEqual([{ inputTokens: 1, outputTokens: 2 }]);
  });

  const word = fc.string({ maxLength: 4 });
  const anyEvents: fc.Arbitrary<ChatEvent[]> = fc
    .array(
      fc.oneof(
        fc.record({ type: fc.constant("text" as const), choice: fc.constant(0), text: word }),
        fc.record({ type: fc.constant("refusal" as const), choice: fc.constant(0), text: word }),
        fc.record({
          type: fc.constant("reasoning" as const),
          choice: fc.constant(0),
          block: fc.nat(2),
          text: word,
          signature: fc.option(word, { nil: undefined }),
          from: fc.constantFrom("anthropic-messages" as const, "gemini" as const, "openai-chat" as const),
        }),
        fc.record({
          type: fc.constant("redacted-reasoning" as const),
          choice: fc.constant(0),
          block: fc.nat(2),
          data: word,
          from: fc.constant("anthropic-messages" as const),
        }),
        fc.record({
          type: fc.constant("annotations" as const),
          choice: fc.constant(0),
          annotations: fc.array(fc.constantFrom({ type: "url_citation", url_citation: { url: "u", start_index: 2 } }, { type: "x" }), {
            maxLength: 2,
          }),
        }),
        fc
          .record({ index: fc.nat(2), custom: fc.boolean(), signature: fc.option(word, { nil: undefined }) })
          .map(({ index, ...more }) => call(index, more)),
        fc
          .record({ index: fc.nat(2), text: fc.constantFrom('{"a":', "1}", "{}", " ", "x") })
          .map(({ index, text: said }) => argue(index, said)),
        fc.constant<ChatEvent>({ type: "image", choice: 0, media: { kind: "base64", mediaType: "image/png", data: "aGk=" } }),
        fc.constant(usage),
      ),
      { maxLength: 14 },
    )
    .chain((events) =>
      fc.constantFrom("stop", "length", "content_filter", "tool_calls").map((reason) => [...events, finish(reason as "stop")]),
    );

  test("tells in pieces exactly what its last object holds, whatever the model does", () => {
    let answers = 0;
    fc.assert(
      fc.property(anyEvents, (events) => {
        let response: Response;
        try {
          response = whole(events);
        } catch {
          return;
        }
        answers++;
        const told = streamed(events);
        expect(told.map(({ sequence_number: number }) => number)).toEqual(told.map((_, index) => index));
        expect(rebuilt(told)).toEqual(response.output);
        expect(told.at(-1)?.response).toEqual(response);
        const done = told.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item);
        expect(done).toEqual(response.output);
      }),
      { numRuns: 400 },
    );
    expect(answers).toBeGreaterThan(50);
  });
});
