import { describe, expect, test } from "bun:test";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { Frame } from "../../src/wire/frame";
import { allRecordings, cuts, recording, recordings, sharedMissing } from "../recordings/load";
import {
  answered,
  bodyText,
  contentType,
  failureOf,
  isStream,
  ofType,
  outcome,
  streamed,
  textOfAnswer,
  usageOfAnswer,
} from "./anthropic-gemini-replay";

const all = allRecordings(undefined, "anthropic-messages");
const answers = all.filter(({ status }) => status < 400);
const streams = answers.filter(isStream);

const frame = (event: unknown): Frame => ({ raw: new Uint8Array(0), data: JSON.stringify(event), event: undefined, id: undefined });

describe("anthropicMessages reads every recorded answer", () => {
  test.skipIf(sharedMissing)("the shared set holds 39 exchanges", () => {
    expect(recordings(undefined, "anthropic-messages")).toHaveLength(39);
  });

  for (const each of answers.filter(({ id }) => !id.includes("midstream-error"))) {
    test(`${each.id} gives a start, content, one finish and the usage`, () => {
      const events = answered(anthropicMessages, each);
      expect(events[0]?.type).toBe("start");
      const finishes = ofType(events, "finish");
      expect(finishes).toHaveLength(1);
      const said = each.tags.filter((tag) => tag.startsWith("fin:")).map((tag) => tag.slice(4));
      if (said.length > 0) expect(said).toContain(finishes[0]?.raw ?? "");
      expect(events.at(-1)?.type).toBe("usage");
      const usage = usageOfAnswer(events);
      expect(usage["inputTokens"]).toBeGreaterThan(0);
      expect(usage["outputTokens"]).toBeGreaterThan(0);
      for (const call of ofType(events, "tool-call")) {
        const text = ofType(events, "tool-arguments")
          .filter(({ index }) => index === call.index)
          .map((each) => each.text)
          .join("");
        expect(typeof JSON.parse(text)).toBe("object");
      }
    });
  }

  for (const each of streams) {
    test(`${each.id} gives the same events wherever its bytes are cut`, () => {
      const bytes = each.body;
      const type = contentType(each);
      const whole = outcome(() => streamed(anthropicMessages, type, [bytes]));
      for (const cut of cuts(bytes)) {
        expect(outcome(() => streamed(anthropicMessages, type, [bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(whole);
      }
    });

    test(`${each.id} is truncated without its last frame`, () => {
      const text = bodyText(each);
      const cut = text.slice(0, text.lastIndexOf("event: "));
      const failure = failureOf(() => streamed(anthropicMessages, contentType(each), [new TextEncoder().encode(cut)]));
      expect(failure.code).toBe("stream_truncated");
    });
  }

  for (const each of all.filter(({ status }) => status >= 400)) {
    test(`${each.id} is a failure that keeps what the provider said`, () => {
      const { failure } = anthropicMessages.decodeError(each.status, each.headers, bodyText(each));
      expect(failure.says?.status).toBe(each.status);
      expect(failure.message).not.toBe("");
    });
  }
});

describe("the usage of an answer", () => {
  test("counts cache reads and writes as input, with the one-hour part apart", () => {
    expect(usageOfAnswer(answered(anthropicMessages, recording("own/anthropic.messages.text-stream")))).toEqual({
      inputTokens: 361,
      outputTokens: 9,
      cacheReadInputTokens: 300,
      cacheCreationInputTokens: 40,
      cacheCreation1hInputTokens: 10,
      serviceTier: "standard",
    });
  });

  test("leaves what is null or absent unsaid", () => {
    expect(usageOfAnswer(answered(anthropicMessages, recording("own/anthropic.messages.thinking")))).toEqual({
      inputTokens: 51,
      outputTokens: 88,
      reasoningOutputTokens: 40,
      serviceTier: "priority",
    });
  });

  test("of a stream is what its last event says, with the searches counted", () => {
    expect(usageOfAnswer(answered(anthropicMessages, recording("own/anthropic.messages.search-stream")))).toEqual({
      inputTokens: 900,
      outputTokens: 77,
      cacheReadInputTokens: 0,
      cacheCreationInputTokens: 0,
      toolCalls: { web_search: 1, web_fetch: 0 },
      serviceTier: "standard",
    });
  });

  test("at a stream's start has no output figure: the provider's is a placeholder", () => {
    const [, start] = outcomeOfFirstFrame();
    expect(start).toMatchObject({ type: "usage", usage: { inputTokens: 361, outputTokens: undefined } });
  });

  test.skipIf(sharedMissing)("of the recorded cache read is the sum of the three figures", () => {
    const events = answered(anthropicMessages, recording("anthropic/messages.cache-read.1"));
    expect(usageOfAnswer(events)).toMatchObject({
      inputTokens: 11 + 2055,
      cacheReadInputTokens: 2055,
      cacheCreationInputTokens: 0,
      outputTokens: 100,
    });
  });
});

function outcomeOfFirstFrame() {
  const each = recording("own/anthropic.messages.text-stream");
  const [first] = anthropicMessages.openFramer("text/event-stream")?.push(each.body) ?? [];
  if (!first) throw new Error("No frame");
  return anthropicMessages.openStream({}).push(first);
}

describe("the content of an answer", () => {
  test("of tools is opened, argued and numbered; a tool without arguments gets an empty object", () => {
    const events = answered(anthropicMessages, recording("own/anthropic.messages.tools-stream"));
    expect(events.filter(({ type }) => type.startsWith("tool-"))).toEqual([
      { type: "tool-call", choice: 0, index: 0, id: "toolu_own_1", name: "clock" },
      { type: "tool-arguments", choice: 0, index: 0, text: "{}" },
      { type: "tool-call", choice: 0, index: 1, id: "toolu_own_2", name: "weather" },
      { type: "tool-arguments", choice: 0, index: 1, text: '{"ci' },
      { type: "tool-arguments", choice: 0, index: 1, text: 'ty": "Ulm"}' },
    ]);
    expect(ofType(events, "finish")).toEqual([{ type: "finish", choice: 0, reason: "tool_calls", raw: "tool_use" }]);
  });

  test("of thinking keeps signature and sealed data, and the digits of arguments", () => {
    const events = answered(anthropicMessages, recording("own/anthropic.messages.thinking"));
    expect(events.slice(1, 5)).toEqual([
      { type: "reasoning", choice: 0, block: 0, text: "A sum.", signature: "b3duLXNpZ25hdHVyZQ==", from: "anthropic-messages" },
      { type: "redacted-reasoning", choice: 0, block: 1, data: "b3duLXJlZGFjdGVk", from: "anthropic-messages" },
      { type: "tool-call", choice: 0, index: 0, id: "toolu_own_3", name: "add" },
      { type: "tool-arguments", choice: 0, index: 0, text: '{"a":12345678901234567890,"b":1.0}' },
    ]);
  });

  test("of a search shows the sources at their place and nothing of the hosted tool", () => {
    const events = answered(anthropicMessages, recording("own/anthropic.messages.search-stream"));
    expect(textOfAnswer(events)).toBe("It is known: Ulm won.");
    expect(ofType(events, "annotations")).toEqual([
      {
        type: "annotations",
        choice: 0,
        annotations: [
          { type: "url_citation", url_citation: { url: "https://news.example/1", title: "The final", start_index: 13, end_index: 21 } },
        ],
      },
    ]);
    expect(ofType(events, "tool-call")).toEqual([]);
  });

  test.skipIf(sharedMissing)("of a refusal is a content filter with the provider's explanation", () => {
    const events = answered(anthropicMessages, recording("anthropic/messages.refusal-stream.1"));
    expect(ofType(events, "refusal")[0]?.text).toStartWith("This request triggered restrictions");
    expect(ofType(events, "finish")[0]).toMatchObject({ reason: "content_filter", raw: "refusal" });
  });

  test.skipIf(sharedMissing)("that streams its thinking ends the block with the signature", () => {
    const thoughts = ofType(answered(anthropicMessages, recording("anthropic/messages.signature-with-tool-stream.1")), "reasoning");
    expect(thoughts.length).toBeGreaterThan(10);
    expect(new Set(thoughts.map(({ block }) => block))).toEqual(new Set([0]));
    expect(thoughts.filter(({ signature }) => signature !== undefined)).toEqual(thoughts.slice(-1));
  });
});

describe("the end of a stream", () => {
  test("ignores frames after message_stop", () => {
    const decoder = anthropicMessages.openStream({});
    decoder.push(frame({ type: "message_start", message: { id: "m", usage: {} } }));
    decoder.push(frame({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }));
    expect(decoder.done).toBe(false);
    decoder.push(frame({ type: "message_stop" }));
    expect(decoder.done).toBe(true);
    expect(decoder.push(frame({ type: "error", error: { type: "api_error", message: "late" } }))).toEqual([]);
    expect(decoder.end()).toEqual([]);
  });

  test("may be the connection's, where the provider's row says so", () => {
    const decoder = anthropicMessages.openStream({ terminator: "eof" });
    decoder.push(frame({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }));
    expect(decoder.end()).toEqual([]);
    expect(failureOf(() => anthropicMessages.openStream({ terminator: "eof" }).end()).code).toBe("stream_truncated");
  });

  test("by an error event is the provider's failure", () => {
    const failure = failureOf(() => answered(anthropicMessages, recording("own/anthropic.messages.midstream-error")));
    expect(failure).toMatchObject({ code: "upstream_error", says: { status: 529, type: "overloaded_error" } });
    expect(failure.message).toBe("The provider failed: Overloaded");
  });

  test("passes over event types that are not known here", () => {
    expect(anthropicMessages.openStream({}).push(frame({ type: "weather_report" }))).toEqual([]);
  });

  for (const [what, data, code] of [
    ["text that is not JSON", "<html>"],
    ["a delta of a block that was never opened", '{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"x"}}'],
    ["an end without a stop reason", '{"type":"message_stop"}', "stream_truncated"],
  ] as const) {
    test(`refuses ${what}`, () => {
      const failure = failureOf(() => anthropicMessages.openStream({}).push({ ...frame({}), data }));
      expect(failure.code).toBe(code ?? "upstream_error");
      expect(failure.message).not.toContain("html");
    });
  }

  test("takes a stop reason that is not known here for an end, and keeps its word", () => {
    const data = '{"type":"message_delta","delta":{"stop_reason":"fell_asleep"},"usage":{}}';
    const [finish] = anthropicMessages.openStream({}).push({ ...frame({}), data });
    expect(finish).toEqual({ type: "finish", choice: 0, reason: "stop", raw: "fell_asleep" });
  });
});

describe("decodeResponse() refuses what is not a finished answer", () => {
  for (const body of [
    "",
    "<html>",
    "null",
    "[]",
    '{"type":"message"}',
    '{"type":"message","content":[]}',
    '{"type":"error","error":{"type":"api_error","message":"boom"}}',
  ]) {
    test(body === "" ? "nothing" : body, () => {
      expect(failureOf(() => anthropicMessages.decodeResponse(body)).code).toBe("upstream_error");
    });
  }
});
