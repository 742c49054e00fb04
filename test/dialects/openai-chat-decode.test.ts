import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { nanoUsd } from "../../src/core/money";
import { openaiChat } from "../../src/dialects/openai-chat";
import { cuts, ownRecordings, recording, recordings, sharedMissing } from "../recordings/load";
import { answers, decode, decodeStream, failureOf, framesOf, merged, utf8 } from "./openai-chat-replay";

const own = (name: string) => recording(`own/openai/${name}`);
const kinds = (events: readonly ChatEvent[]): string => events.map((event) => event.type).join(" ");
const usageOf = (events: readonly ChatEvent[]) => events.findLast((event) => event.type === "usage")?.usage;
const chunk = (choices: unknown, more: object = {}): string => `data: ${JSON.stringify({ id: "c1", choices, ...more })}\n\n`;
const delta = (said: object, finish: string | null = null, index = 0) => ({ index, delta: said, finish_reason: finish });
const DONE = "data: [DONE]\n\n";
const stream = (...frames: string[]): ChatEvent[] => decodeStream(utf8(frames.join("")));
const whole = (message: object, more: object = {}): ChatEvent[] =>
  openaiChat.decodeResponse(JSON.stringify({ id: "c1", choices: [{ index: 0, message, finish_reason: "stop" }], ...more }));

describe("our own exchanges", () => {
  test("a text stream gives its text, its end and its usage", () => {
    const events = merged(decode(own("chat.text-stream.1")));
    expect(kinds(events)).toBe("start text finish usage");
    expect(events[1]).toEqual({ type: "text", choice: 0, text: 'Grüße aus "Köln", 𝄞!\n' });
    expect(events[2]).toEqual({ type: "finish", choice: 0, reason: "stop", raw: "stop" });
    expect(usageOf(events)).toMatchObject({ inputTokens: 19, outputTokens: 7, cacheReadInputTokens: 0, serviceTier: "default" });
  });

  test("parallel tool calls are opened in turn, each with its own arguments", () => {
    const events = merged(decode(own("chat.tools-stream.1")));
    expect(kinds(events)).toBe("start tool-call tool-arguments tool-call tool-arguments finish");
    expect(events.filter((event) => event.type === "tool-call").map(({ index, id, name }) => [index, id, name])).toEqual([
      [0, "call_ownA", "weather"],
      [1, "call_ownB", "weather"],
    ]);
    expect(events.filter((event) => event.type === "tool-arguments").map(({ index, text }) => [index, text])).toEqual([
      [0, '{"city":"Bonn"}'],
      [1, '{"city":"Ulm"}'],
    ]);
    expect(usageOf(events)).toBeUndefined();
  });

  test("a whole answer says the same as a stream of it", () => {
    const events = decode(own("chat.tool-call.1"));
    expect(kinds(events)).toBe("start tool-call tool-arguments finish usage");
    expect(events[0]).toMatchObject({ id: "chatcmpl-own4", createdAt: 1790000001, systemFingerprint: "fp_own" });
    expect(usageOf(events)).toMatchObject({ cacheReadInputTokens: 16, reasoningOutputTokens: 4, outputTokens: 7 });
  });

  test("every stream gives equal events wherever it is cut in two", () => {
    for (const { id, body } of ownRecordings("openai", "openai-chat").filter((each) => each.stream)) {
      const expected = decodeStream(body);
      for (const cut of cuts(body)) expect([id, cut, decodeStream(body.subarray(0, cut), body.subarray(cut))]).toEqual([id, cut, expected]);
    }
  });

  test("a stream that ends early, at any byte, is truncated and never an end", () => {
    for (const { body } of ownRecordings("openai", "openai-chat").filter((each) => each.stream)) {
      for (let cut = 0; cut < body.length; cut += 7)
        expect(failureOf(() => decodeStream(body.subarray(0, cut))).code).toBe("stream_truncated");
    }
  });
});

describe.skipIf(sharedMissing)("recordings of OpenAI", () => {
  test("all 40 are read: answers to events that end, errors to failures", () => {
    const found = recordings("openai", "openai-chat");
    expect(found.length).toBe(40);
    for (const each of found) {
      if (each.status !== 200) {
        expect(openaiChat.decodeError(each.status, each.headers, new TextDecoder().decode(each.body)).failure.says?.status).toBe(
          each.status,
        );
        continue;
      }
      const events = decode(each);
      expect(events[0]?.type).toBe("start");
      expect(events.some((event) => event.type === "finish")).toBe(true);
    }
  });

  test("streams give equal events wherever they are cut in two", () => {
    for (const { id, body } of answers(true)) {
      const expected = JSON.stringify(decodeStream(body));
      for (const cut of cuts(body)) {
        if (JSON.stringify(decodeStream(body.subarray(0, cut), body.subarray(cut))) !== expected)
          throw new Error(`${id} differs when cut at ${cut}`);
      }
    }
  }, 60_000);

  test("streams give equal events byte by byte", () => {
    for (const { body } of answers(true)) {
      expect(decodeStream(...Array.from(body, (_, i) => body.subarray(i, i + 1)))).toEqual(decodeStream(body));
    }
  });

  test("usage is what the provider said", () => {
    for (const each of answers()) {
      const told = /"usage":\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g;
      const last = new TextDecoder().decode(each.body).match(told)?.at(-1);
      const usage = usageOf(decode(each));
      if (last === undefined) expect(usage).toBeUndefined();
      else {
        const said = JSON.parse(`{${last}}`).usage;
        expect([usage?.inputTokens, usage?.outputTokens]).toEqual([said.prompt_tokens, said.completion_tokens]);
        expect(usage?.cacheReadInputTokens).toBe(said.prompt_tokens_details?.cached_tokens);
        expect(usage?.reasoningOutputTokens).toBe(said.completion_tokens_details?.reasoning_tokens);
      }
    }
  });
});

describe.skipIf(sharedMissing)("recordings of other providers that speak Chat Completions", () => {
  test("are read, but for those that break off", () => {
    const broken: string[] = [];
    const found = recordings(undefined, "openai-chat").filter((each) => each.status === 200 && each.provider !== "openai");
    for (const each of found) {
      try {
        decode(each);
      } catch {
        broken.push(each.id);
      }
    }
    expect(found.length).toBeGreaterThan(100);
    // They hold an error in the middle.
    expect(broken.sort()).toEqual([
      "groq/chat.midstream-error.1",
      "openrouter/chat.finish-MALFORMED_FUNCTION_CALL.1",
      "openrouter/chat.unterminated-stream.1",
    ]);
  });
});

describe("decoding", () => {
  test("thinking comes from either field, and sealed blocks from reasoning_details", () => {
    expect(whole({ content: "a", reasoning_content: "hm" })[1]).toEqual({
      type: "reasoning",
      choice: 0,
      block: 0,
      text: "hm",
      from: "openai-chat",
    });
    const details = [
      { type: "reasoning.text", text: "one", signature: "s1", format: "anthropic-claude-v1", index: 0 },
      { type: "reasoning.encrypted", data: "xx", format: "anthropic-claude-v1", index: 1 },
      { type: "reasoning.text", text: "two", format: "anthropic-claude-v1", index: 2 },
    ];
    expect(whole({ content: null, reasoning: "onetwo", reasoning_details: details }).slice(1, 4)).toEqual([
      { type: "reasoning", choice: 0, block: 0, text: "one", signature: "s1", from: "anthropic-messages" },
      { type: "redacted-reasoning", choice: 0, block: 1, data: "xx", from: "anthropic-messages" },
      { type: "reasoning", choice: 0, block: 2, text: "two", signature: undefined, from: "anthropic-messages" },
    ]);
  });

  test("thinking in pieces stays one block until something seals it", () => {
    const events = stream(
      chunk([delta({ reasoning: "a" })]),
      chunk([delta({ reasoning: "b" })]),
      chunk([delta({ content: "c" }, "stop")]),
      DONE,
    );
    expect(events.filter((event) => event.type === "reasoning").map((event) => event.block)).toEqual([0, 0]);
  });

  test("tool calls without a number, or with one number and several ids, are told apart", () => {
    const call = (id: string | undefined, name: string | undefined, args: string, index?: number) => ({
      index,
      id,
      function: { name, arguments: args },
    });
    for (const index of [undefined, 0]) {
      const events = stream(
        chunk([delta({ tool_calls: [call("a", "f", '{"x":', index)] })]),
        chunk([delta({ tool_calls: [call(undefined, undefined, "1}", index)] })]),
        chunk([delta({ tool_calls: [call("b", "g", "{}", index)] })]),
        chunk([delta({}, "tool_calls")]),
        DONE,
      );
      expect(events.filter((event) => event.type === "tool-call").map((event) => [event.index, event.id])).toEqual([
        [0, "a"],
        [1, "b"],
      ]);
      expect(
        merged(events)
          .filter((event) => event.type === "tool-arguments")
          .map((event) => event.text),
      ).toEqual(['{"x":1}', "{}"]);
    }
  });

  test("a legacy function call is a tool call", () => {
    const events = whole({ content: null, function_call: { name: "f", arguments: "{}" } });
    expect(events.slice(1, 3)).toEqual([
      { type: "tool-call", choice: 0, index: 0, id: "call_c1_0_0", name: "f", signature: undefined },
      { type: "tool-arguments", choice: 0, index: 0, text: "{}" },
    ]);
  });

  test("seals of tool calls, custom calls, audio and images are kept", () => {
    const events = whole({
      content: null,
      audio: { id: "a1", data: "AA==", transcript: "hi" },
      images: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } }],
      tool_calls: [
        { id: "1", type: "function", function: { name: "f", arguments: "{}" }, extra_content: { google: { thought_signature: "sig" } } },
        { id: "2", type: "custom", custom: { name: "g", input: "free text" } },
      ],
    });
    expect(events).toContainEqual({ type: "audio", choice: 0, audio: { id: "a1", data: "AA==", transcript: "hi" } });
    expect(events).toContainEqual({ type: "image", choice: 0, media: { kind: "base64", mediaType: "image/png", data: "iVBO" } });
    expect(events).toContainEqual({ type: "tool-call", choice: 0, index: 0, id: "1", name: "f", signature: "sig" });
    expect(events).toContainEqual({ type: "tool-call", choice: 0, index: 1, id: "2", name: "g", signature: undefined, custom: true });
  });

  test("a cost that the provider reports is rounded up to a nano-USD", () => {
    expect(usageOf(whole({ content: "a" }, { usage: { cost: 0.0000000011 } }))?.reportedCost).toBe(nanoUsd(2n));
    expect(usageOf(whole({ content: "a" }, { usage: { cost: 0.00114 } }))?.reportedCost).toBe(nanoUsd(1_140_000n));
    expect(usageOf(whole({ content: "a" }, { usage: {} }))).toEqual({});
  });

  test("frames after the terminator are nothing", () => {
    const events = stream(chunk([delta({ content: "a" }, "stop")]), DONE, chunk([delta({ content: "late" })]), "data: garbage\n\n");
    expect(kinds(events)).toBe("start text finish");
  });

  test("a stream without [DONE] is truncated, unless the provider ends with its connection", () => {
    const bytes = utf8(chunk([delta({ content: "a" }, "stop")]));
    expect(failureOf(() => decodeStream(bytes)).code).toBe("stream_truncated");
    const ends = openaiChat.openStream({ terminator: "eof" });
    for (const frame of framesOf([bytes])) ends.push(frame);
    expect(ends.end()).toEqual([]);
  });

  test("every choice needs its finish reason", () => {
    const two = chunk([delta({ content: "a" }, "stop", 0), delta({ content: "b" }, null, 1)]);
    expect(failureOf(() => stream(two, DONE)).code).toBe("stream_truncated");
    expect(failureOf(() => stream(DONE)).code).toBe("stream_truncated");
    expect(kinds(stream(two, chunk([delta({}, "length", 1)]), DONE))).toBe("start text finish text finish");
  });

  test("errors in place of an answer, in a frame or in a choice fail with the provider's words", () => {
    const error = { error: { message: "no capacity for sk-abcdefghijklmnop1234", code: 502 } };
    const failures = [
      failureOf(() => openaiChat.decodeResponse(JSON.stringify(error))),
      failureOf(() => stream(chunk([delta({ content: "a" })]), `event: error\ndata: ${JSON.stringify(error)}\n\n`)),
      failureOf(() => stream(chunk([{ ...delta({}), ...error }]))),
    ];
    for (const failure of failures) {
      expect(failure.code).toBe("upstream_error");
      expect(failure.message).toContain("no capacity");
      expect(failure.message).not.toContain("sk-abc");
      expect(failure.says?.status).toBe(502);
    }
    expect(failureOf(() => stream('event: error\ndata: {"message":"flat"}\n\n')).message).toContain("flat");
    expect(failureOf(() => stream(chunk([delta({}, "error")]))).code).toBe("upstream_error");
  });

  test("what is not an answer is refused and never echoed", () => {
    for (const body of [
      "<html>secret</html>",
      "",
      "[]",
      "null",
      "{}",
      '{"choices":{}}',
      '{"choices":[]}',
      '{"choices":[1]}',
      '{"choices":[{"message":{"content":"a"}}]}',
    ]) {
      const failure = failureOf(() => openaiChat.decodeResponse(body));
      expect(failure.code).toBe("upstream_error");
      expect(failure.message).not.toContain("secret");
    }
    expect(failureOf(() => stream("data: {secret\n\n")).code).toBe("upstream_error");
  });

  test("only event streams are framed", () => {
    expect(openaiChat.openFramer("text/event-stream; charset=utf-8")).toBeDefined();
    expect(openaiChat.openFramer("text/html")).toBeUndefined();
    expect(openaiChat.openFramer("application/json")).toBeUndefined();
  });
});
