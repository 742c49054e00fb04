// What the compatible providers say in ways of their own: thinking, sources, images, ends, errors after 200.
import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { nanoUsd } from "../../src/core/money";
import { openaiChat } from "../../src/dialects/openai-chat";
import { allRecordings, cuts, ownRecordings, recording } from "../recordings/load";
import { COMPATIBLE, deviationsOf } from "./openai-chat-deviations";
import { answerContext, chunksOf, decode, decodeStreamOf, failureOf, framesOf, merged, text, utf8 } from "./openai-chat-replay";

const own = (id: string): ChatEvent[] => merged(decode(recording(`own/${id}`)));
const kinds = (events: readonly ChatEvent[]): string => events.map((event) => event.type).join(" ");
const of = <T extends ChatEvent["type"]>(events: readonly ChatEvent[], type: T) =>
  events.filter((event): event is Extract<ChatEvent, { type: T }> => event.type === type);
const whole = (message: object, more: object = {}): ChatEvent[] =>
  openaiChat.decodeResponse(JSON.stringify({ id: "c1", choices: [{ index: 0, message, finish_reason: "stop" }], ...more }));
const cited = (url: string, title: string, more: object = {}) => ({
  type: "url_citation",
  url_citation: { url, title, start_index: 0, end_index: 0, ...more },
});

describe("our own exchanges with compatible providers", () => {
  test("give equal events wherever they are cut, byte by byte too", () => {
    for (const { id, provider, body } of ownRecordings(undefined, "openai-chat").filter((each) => each.stream)) {
      if (!COMPATIBLE.includes(provider) || id.includes("midstream")) continue;
      const deviations = deviationsOf(provider);
      const expected = decodeStreamOf(deviations, body);
      for (const cut of cuts(body))
        expect([id, cut, decodeStreamOf(deviations, body.subarray(0, cut), body.subarray(cut))]).toEqual([id, cut, expected]);
      expect(decodeStreamOf(deviations, ...Array.from(body, (_, i) => body.subarray(i, i + 1)))).toEqual(expected);
    }
  });

  test("thinking in a list of parts, references, and calls without a number", () => {
    const events = own("mistral/chat.reasoning-stream.1");
    expect(kinds(events)).toBe("start reasoning text annotations tool-call tool-arguments tool-call tool-arguments finish usage");
    expect(of(events, "reasoning")[0]?.text).toBe("Greet back.");
    expect(of(events, "annotations")[0]?.annotations).toEqual([{ type: "reference", reference_ids: [3] }]);
    expect(of(events, "tool-call").map(({ index, id }) => [index, id])).toEqual([
      [0, "Ab3dEf9hI"],
      [1, "zY8xWv7uT"],
    ]);
    expect(of(events, "usage")[0]?.usage).toMatchObject({
      inputTokens: 31,
      outputTokens: 9,
      inputAudioTokens: 20,
      serviceTier: "standard",
    });
    expect(of(own("mistral/chat.reasoning.1"), "finish")[0]).toMatchObject({ reason: "length", raw: "model_length" });
  });

  test("searches that the provider ran, and usage in a place of its own", () => {
    const events = own("groq/chat.text-stream.1");
    expect(kinds(events)).toBe("start reasoning annotations text finish usage");
    expect(of(events, "annotations")[0]?.annotations).toEqual([cited("https://e.org/a", "E", { content: "about", score: 0.5 })]);
    expect(of(events, "usage")[0]?.usage).toMatchObject({ inputTokens: 20, outputTokens: 6, serviceTier: "on_demand" });
  });

  test("sources beside the choices, each once though every chunk says them", () => {
    const events = own("perplexity/chat.usage-final-chunk.1");
    expect(of(events, "annotations").map(({ annotations }) => annotations)).toEqual([
      [cited("https://e.org/c", "C", { content: "see", date: "2026-01-02" }), cited("https://e.org/d", "https://e.org/d")],
    ]);
    expect(
      of(events, "text")
        .map(({ text: said }) => said)
        .join(""),
    ).toBe("Hi!");
    expect(of(events, "usage").at(-1)?.usage).toMatchObject({ reportedCost: nanoUsd(5_010_000n), toolCalls: { web_search: 1 } });
    expect(of(own("perplexity/chat.text.1"), "text")[0]?.text).toBe("eight");
    expect(of(own("xai/chat.text-stream.1"), "annotations")[0]?.annotations).toEqual([cited("https://e.org/b", "https://e.org/b")]);
  });

  test("sources that are told after the end stand before it in what is written", () => {
    const { context } = answerContext({ includeUsage: true });
    const encoder = openaiChat.openEncoder(context);
    const events = decode(recording("own/xai/chat.text-stream.1"));
    expect(kinds(events).endsWith("finish annotations usage")).toBe(true);
    const written = decodeStreamOf({}, utf8(events.map((event) => encoder.push(event)).join("") + encoder.end()));
    expect(kinds(written)).toBe("start reasoning text annotations finish usage");
  });

  test("sealed thinking, images and the router's own cost", () => {
    const events = own("openrouter/chat.reasoning-stream.1");
    expect(of(events, "reasoning")).toEqual([
      { type: "reasoning", choice: 0, block: 0, text: "Think", signature: "c2ln", from: "anthropic-messages" },
    ]);
    expect(of(events, "image")[0]?.media).toEqual({ kind: "base64", mediaType: "image/png", data: "iVBO" });
    expect(of(events, "usage")[0]?.usage).toMatchObject({
      cacheReadInputTokens: 10,
      cacheCreationInputTokens: 5,
      reportedCost: nanoUsd(70_001n),
    });
  });

  test("an answer that calls tools ends with that, whatever word the provider ends it with", () => {
    expect(of(own("ollama/chat.tool-call-stream.1"), "finish")[0]).toMatchObject({ reason: "tool_calls", raw: "stop" });
  });

  test("errors after 200 are failures, with the words of the provider behind a router", () => {
    expect(failureOf(() => own("groq/chat.midstream-error.1"))).toMatchObject({
      code: "upstream_error",
      says: { code: "tool_use_failed" },
    });
    const routed = failureOf(() => own("openrouter/chat.midstream-error.1"));
    expect([routed.code, routed.says?.status]).toEqual(["upstream_error", 502]);
    expect(routed.message).toContain("engine is gone");
    for (const data of [
      { object: "error", message: "flat" },
      { id: "c", choices: [], x_groq: { error: "flat" } },
    ])
      expect(failureOf(() => openaiChat.decodeResponse(JSON.stringify(data))).message).toContain("flat");
  });

  test("error answers of ours are read", () => {
    const read = (id: string) => {
      const each = recording(`own/${id}`);
      const { failure, retry } = openaiChat.decodeError(each.status, each.headers, text(each.body));
      return [failure.code, retry, failure.param];
    };
    expect(read("xai/chat.error-400.1")).toEqual(["provider_auth_failed", "elsewhere", undefined]);
    expect(read("deepseek/chat.error-400.1")).toEqual(["model_not_found", "never", "model"]);
    expect(read("groq/chat.error-400.1")).toEqual(["upstream_error", "same", undefined]);
    expect(read("mistral/chat.error-422.1")).toEqual(["unsupported_parameter", "never", "messages[0].name"]);
  });
});

describe("reading", () => {
  test("every recorded answer with sources tells them", () => {
    for (const each of allRecordings(undefined, "openai-chat").filter(({ tags, status }) => tags.includes("citations") && status === 200)) {
      // The search of one found nothing: its list of results is empty.
      if (each.id === "groq/chat.citations-stream.1") continue;
      expect([each.id, of(decode(each), "annotations").length > 0]).toEqual([each.id, true]);
    }
  });

  test("an end that is no end of an answer is a failure that another try may mend", () => {
    for (const reason of ["error", "insufficient_system_resource", "MALFORMED_FUNCTION_CALL", "abort"]) {
      const body = JSON.stringify({ id: "c", choices: [{ index: 0, message: { content: "a" }, finish_reason: reason }] });
      expect(failureOf(() => openaiChat.decodeResponse(body)).code).toBe("upstream_error");
    }
  });

  test("ends in other APIs' words are OpenAI's", () => {
    const reasonOf = (word: string) => {
      const body = JSON.stringify({ id: "c", choices: [{ index: 0, message: { content: "a" }, finish_reason: word }] });
      return of(openaiChat.decodeResponse(body), "finish")[0]?.reason;
    };
    const words = {
      eos: "stop",
      end_turn: "stop",
      MAX_TOKENS: "length",
      tool_use: "tool_calls",
      SAFETY: "content_filter",
      "content_filter: SPII": "content_filter",
    };
    for (const [word, reason] of Object.entries(words)) expect([word, reasonOf(word)]).toEqual([word, reason]);
  });

  test("images among the parts, arguments that are objects, and details without a known seal", () => {
    const events = whole({
      content: [
        { type: "text", text: "a" },
        { type: "image_url", image_url: "https://e.org/i.png" },
      ],
      reasoning: "t",
      reasoning_details: [{ type: "reasoning.text", text: "t", format: "unknown" }],
      tool_calls: [{ id: "x", type: "function", function: { name: "f", arguments: { a: 1 } } }],
    });
    expect(kinds(events)).toBe("start reasoning text image tool-call tool-arguments finish");
    expect(of(events, "image")[0]?.media).toEqual({ kind: "url", url: "https://e.org/i.png" });
    expect(of(events, "tool-arguments")[0]?.text).toBe('{"a":1}');
  });
});

describe("frames that break a type", () => {
  const chunk = (choice: object, more: object = {}) =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, ...choice }], ...more })}\n\n`;
  const open = (provider: string) => {
    const { context } = answerContext(
      { model: "m", requestId: "r", createdAt: 5, includeUsage: true },
      { costUsd: undefined, extension: undefined },
    );
    return openaiChat.openForwarder(context, deviationsOf(provider));
  };
  const out = (frame: string): Record<string, unknown>[] => {
    const forwarder = open("together");
    const bytes = framesOf([utf8(`${frame}data: [DONE]\n\n`)]).flatMap((each) => forwarder.push(each).bytes);
    return chunksOf(text(Buffer.concat(bytes)));
  };
  const choiceOf = (frame: string) => {
    const [first] = out(frame);
    return (first?.["choices"] as Record<string, unknown>[] | undefined)?.[0];
  };

  test("are written again, and nothing in them is lost", () => {
    expect(choiceOf(chunk({ delta: { content: "a" }, finish_reason: "eos" }))).toMatchObject({ finish_reason: "stop" });
    expect(
      choiceOf(
        chunk({
          delta: {
            content: [
              { type: "thinking", thinking: [{ type: "text", text: "t" }] },
              { type: "text", text: "a" },
              { type: "reference", reference_ids: [1] },
            ],
          },
          finish_reason: "stop",
        }),
      ),
    ).toMatchObject({ delta: { content: "a", reasoning_content: "t", citations: [{ type: "reference", reference_ids: [1] }] } });
    expect(choiceOf(chunk({ delta: { annotations: [{ type: "place" }, cited("u", "t")] }, finish_reason: "stop" }))).toMatchObject({
      delta: { annotations: [cited("u", "t")], citations: [{ type: "place" }] },
    });
    expect(choiceOf(chunk({ delta: { content: "a" }, logprobs: [{ token: "a" }], finish_reason: "stop" }))).toMatchObject({
      logprobs: { content: [{ token: "a" }], refusal: null },
    });
  });

  test("number and name the calls that a reader by number would join", () => {
    const call = { type: "function", function: { name: "f", arguments: { a: 1 } } };
    const { delta } = choiceOf(
      chunk({
        delta: {
          tool_calls: [
            { ...call, id: "a" },
            { ...call, id: "" },
          ],
        },
        finish_reason: "stop",
      }),
    ) as { delta: object };
    expect(delta).toEqual({
      tool_calls: [
        { type: "function", function: { name: "f", arguments: '{"a":1}' }, id: "a", index: 0 },
        { type: "function", function: { name: "f", arguments: '{"a":1}' }, id: "call_c_0_1", index: 1 },
      ],
    });
  });

  test("keep their digits, and lose only what is no count", () => {
    const frame = `data: {"id":"c","object":"","created":1.0,"model":"m","seed":12345678901234567890,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2.5,"total_tokens":3,"cost":{"total_cost":0.5,"request_cost":0.5}},"service_tier":"on_demand"}\n\n`;
    const forwarder = open("perplexity");
    for (const each of framesOf([utf8(frame)])) forwarder.push(each);
    const written = forwarder
      .end()
      .bytes.map((each) => text(each))
      .join("");
    expect(written).toContain('"seed":12345678901234567890');
    expect(written).toContain(
      '"usage":{"prompt_tokens":1,"total_tokens":3,"cost":0.5,"cost_details":{"total_cost":0.5,"request_cost":0.5}}',
    );
    expect(written).toContain('"object":"chat.completion.chunk"');
    expect(written).not.toContain("on_demand");
  });

  test("without a name, a time or a model get the gateway's", () => {
    expect(out('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n')[0]).toMatchObject({
      id: "chatcmpl-r",
      object: "chat.completion.chunk",
      created: 5,
      model: "m",
    });
  });
});
