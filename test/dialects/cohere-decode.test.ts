import { describe, expect, test } from "bun:test";
import { cohere } from "../../src/dialects/cohere";
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

const all = allRecordings(undefined, "cohere-v2-chat");
const answers = all.filter(({ status }) => status < 400);
const failing = /finish-ERROR|failed-stream/;
const headers = new Map<string, string>();

const frame = (json: unknown): Frame => ({ raw: new Uint8Array(0), data: JSON.stringify(json), event: undefined, id: undefined });
const whole = (message: object, more: object = {}): string =>
  JSON.stringify({ id: "r", message: { role: "assistant", ...message }, finish_reason: "COMPLETE", ...more });
const reasonFor = (raw: string) =>
  ofType(cohere.decodeResponse(whole({ content: [{ type: "text", text: "x" }] }, { finish_reason: raw })), "finish")[0]?.reason;

describe("cohere reads every recorded answer", () => {
  test.skipIf(sharedMissing)("the shared set holds 20 exchanges", () => expect(recordings("cohere", "cohere-v2-chat")).toHaveLength(20));

  for (const each of answers.filter(({ id }) => !failing.test(id))) {
    test(`${each.id} gives a start, content, a finish and what is billed`, () => {
      const events = answered(cohere, each);
      expect(events[0]?.type).toBe("start");
      const finishes = ofType(events, "finish");
      expect(finishes.map(({ raw }) => `fin:${raw}`)).toEqual(each.tags.filter((tag) => tag.startsWith("fin:")));
      const calls = ofType(events, "tool-call");
      expect(finishes[0]?.reason === "tool_calls").toBe(calls.length > 0);
      for (const { index } of calls) {
        const args = ofType(events, "tool-arguments").filter((event) => event.index === index);
        expect(typeof JSON.parse(args.map(({ text }) => text).join(""))).toBe("object");
      }
      if (calls.length === 0) expect(textOfAnswer(events)).not.toBe("");
      const billed = /"billed_units":\s*{\s*"input_tokens":\s*(\d+),\s*"output_tokens":\s*(\d+)\s*}/.exec(bodyText(each));
      expect(usageOfAnswer(events)).toEqual({ inputTokens: Number(billed?.[1]), outputTokens: Number(billed?.[2]) });
    });
  }

  for (const each of answers.filter(({ id }) => failing.test(id))) {
    test(`${each.id} is a failure of the provider, in its words`, () => {
      const failure = failureOf(() => answered(cohere, each));
      expect(failure.code).toBe("upstream_error");
      expect(failure.message).toContain("invalid tool generation");
      expect(failure.says?.type).toBe("INVALID_TOOL_GENERATION");
    });
  }

  for (const each of answers.filter(isStream)) {
    test(`${each.id} gives the same events wherever its bytes are cut`, () => {
      const bytes = each.body;
      const expected = outcome(() => streamed(cohere, contentType(each), [bytes]));
      for (const cut of spread(cuts(bytes))) {
        expect(outcome(() => streamed(cohere, contentType(each), [bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(expected);
      }
      expect(outcome(() => streamed(cohere, contentType(each), singles(bytes)))).toEqual(expected);
    });

    test(`${each.id} is truncated without its last event`, () => {
      const bytes = each.body.subarray(0, bodyOffset(each.body, "event: message-end"));
      expect(failureOf(() => streamed(cohere, contentType(each), [bytes])).code).toBe("stream_truncated");
    });
  }
});

/** At most a thousand of the places: reading a long stream at each of its bytes takes minutes. All with TOLLWAY_ALL_CUTS=1. */
function spread(places: readonly number[]): readonly number[] {
  const step = process.env["TOLLWAY_ALL_CUTS"] === "1" ? 1 : Math.ceil(places.length / 1000);
  return places.filter((_, i) => i % step === 0);
}
const singles = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
const bodyOffset = (bytes: Uint8Array, words: string): number => Buffer.from(bytes).indexOf(words);

describe("the content of an answer", () => {
  test("of tools has the plan as thinking, the digits of arguments, and an object where no argument came", () => {
    expect(answered(cohere, recording("own/cohere.v2chat.tools-stream"))).toEqual([
      { type: "start", id: "own-answer-1" },
      { type: "reasoning", choice: 0, block: 0, text: "I will", from: "cohere" },
      { type: "reasoning", choice: 0, block: 0, text: " add.", from: "cohere" },
      { type: "tool-call", choice: 0, index: 0, id: "add_x1", name: "add" },
      { type: "tool-arguments", choice: 0, index: 0, text: '{"a": 12345678901234567890' },
      { type: "tool-arguments", choice: 0, index: 0, text: ', "b": 1.0}' },
      { type: "tool-call", choice: 0, index: 1, id: "clock_x2", name: "clock" },
      { type: "tool-arguments", choice: 0, index: 1, text: "{}" },
      { type: "finish", choice: 0, reason: "tool_calls", raw: "TOOL_CALL" },
      { type: "usage", usage: { inputTokens: 37, outputTokens: 28 } },
    ]);
  });

  test("of sources has those with an address as annotations at their words, and the others as they came", () => {
    const events = answered(cohere, recording("own/cohere.v2chat.sources-stream"));
    expect(ofType(events, "reasoning").map(({ text, block }) => [text, block])).toEqual([
      ["The sign", 0],
      [" says so.", 0],
    ]);
    const [first, second, ...others] = ofType(events, "annotations").flatMap(({ annotations }) => annotations);
    expect(first).toEqual({
      type: "url_citation",
      url_citation: { url: "https://wetter.example/n", title: "Wetter", start_index: 8, end_index: 18 },
    });
    expect(textOfAnswer(events).slice(8, 18)).toBe("regnet es.");
    expect(second).toMatchObject({ start: 7, sources: [{ type: "document", id: "doc:0" }] });
    expect(others).toEqual([]);
  });

  test.skipIf(sharedMissing)("of recorded sources quotes the words that Cohere quotes", () => {
    const events = answered(cohere, recording("cohere/v2chat.pdf-input.1"));
    const annotations = ofType(events, "annotations").flatMap((each) => each.annotations as { url_citation: Record<string, number> }[]);
    const quoted = annotations.map(({ url_citation: at }) => textOfAnswer(events).slice(at["start_index"], at["end_index"]));
    expect(quoted.slice(0, 3)).toEqual(["Yukihiro Matsumoto", "1993.", "Ruby Facts"]);
    const kept = ofType(answered(cohere, recording("cohere/v2chat.reasoning-stream.1")), "annotations");
    expect(kept.map(({ annotations: [one] }) => (one as { text: string }).text)).toEqual(["Yukihiro Matsumoto", "1993."]);
  });

  test("with logprobs has an entry for each piece of text", () => {
    expect(ofType(answered(cohere, recording("own/cohere.v2chat.logprobs")), "text").flatMap(({ logprobs = [] }) => logprobs)).toEqual([
      { token: "Four", logprob: -0.75, bytes: null, top_logprobs: [] },
      { token: ".", logprob: -0.125, bytes: null, top_logprobs: [] },
    ]);
  });

  test("is one text where the content is a string", () => {
    expect(textOfAnswer(cohere.decodeResponse(whole({ content: "Hello" })))).toBe("Hello");
  });
});

describe("the end of an answer", () => {
  for (const [raw, reason] of [
    ["COMPLETE", "stop"],
    ["STOP_SEQUENCE", "stop"],
    ["MAX_TOKENS", "length"],
    ["TOOL_CALL", "tool_calls"],
    ["ERROR_TOXIC", "content_filter"],
  ] as const) {
    test(`${raw} is ${reason}`, () => expect(reasonFor(raw)).toBe(reason));
  }

  test("that failed or is not known is a failure", () => {
    expect(failureOf(() => reasonFor("ERROR")).code).toBe("upstream_error");
    expect(failureOf(() => reasonFor("TIMEOUT")).code).toBe("upstream_timeout");
    expect(failureOf(() => reasonFor("NEW_REASON")).code).toBe("upstream_error");
    expect(failureOf(() => cohere.decodeResponse('{"id":"x","message":"no such model"}')).message).toContain("no such model");
    expect(failureOf(() => cohere.decodeResponse("<html>")).code).toBe("upstream_error");
  });

  test("is the terminator's in a stream, and what follows the last event says nothing", () => {
    const decoder = cohere.openStream({});
    decoder.push(frame({ type: "message-start", id: "x" }));
    decoder.push(frame({ type: "message-end", delta: { finish_reason: "COMPLETE" } }));
    expect(decoder.done).toBe(false);
    expect(decoder.push({ ...frame(""), data: "[DONE]" })).toEqual([]);
    expect(decoder.done).toBe(true);
    expect(decoder.end()).toEqual([]);
  });

  test("is an error event's wherever it stands", () => {
    const failing = (event: object) => failureOf(() => cohere.openStream({}).push(frame(event)));
    expect(failing({ message: "internal server error, this has been reported to our developers." }).code).toBe("upstream_error");
    expect(failing({ type: "content-delta", index: 0, delta: {} }).code).toBe("upstream_error");
    expect(failureOf(() => cohere.openStream({}).push({ ...frame(""), data: "{" })).code).toBe("upstream_error");
  });
});

describe("an error answer", () => {
  const of = (status: number, body: object) => cohere.decodeError(status, headers, JSON.stringify(body));

  for (const each of all.filter(({ status }) => status >= 400)) {
    test(`${each.id} is a failure that keeps what the provider said`, () => {
      const { failure } = cohere.decodeError(each.status, each.headers, bodyText(each));
      expect(failure.says?.status).toBe(each.status);
      expect(failure.message).not.toContain("***");
    });
  }

  test.skipIf(sharedMissing)("is told apart by its words", () => {
    const code = (id: string) => {
      const each = recording(id);
      return cohere.decodeError(each.status, each.headers, bodyText(each)).failure.code;
    };
    expect(code("cohere/v2chat.error-400.1")).toBe("context_length_exceeded");
    expect(code("cohere/v2chat.error-401.1")).toBe("provider_auth_failed");
    expect(code("cohere/v2chat.error-404.1")).toBe("model_not_found");
  });

  for (const [what, status, body, code, retry] of [
    [
      "a monthly limit",
      429,
      { message: "You are using a Trial key, limited to 1000 API calls / month." },
      "rate_limit_exceeded",
      "elsewhere",
    ],
    ["a limit by the minute", 429, { message: "You are past the per minute request limit, please wait." }, "rate_limit_exceeded", "same"],
    ["a tool call that the model spoilt", 422, { message: "x", error_type: "INVALID_TOOL_GENERATION" }, "upstream_error", "same"],
    ["a bad status", 503, { message: "overloaded" }, "upstream_error", "same"],
    ["a redirect", 302, {}, "upstream_error", "elsewhere"],
    ["a late answer", 504, { message: "x" }, "upstream_timeout", "same"],
  ] as const) {
    test(`of ${what} is ${code}, to be tried ${retry}`, () => {
      const { failure, retry: told } = of(status, body);
      expect([failure.code, told]).toEqual([code, retry]);
    });
  }

  test("names the field by the caller's name", () => {
    const param = (message: string) => of(400, { message }).failure.param;
    expect(param("invalid request: temperature must be between 0 and 1.0 inclusive.")).toBe("temperature");
    expect(param("invalid request: p must be at most 0.99")).toBe("top_p");
    expect(param("too many tokens: max tokens must be less than or equal to 4096, the maximum output")).toBe("max_completion_tokens");
    expect(param("invalid request: constructor")).toBeUndefined();
  });

  test("never shows a key", () => {
    const secret = "Zq3kP9sLm2Xv8Rt5Yw1Nb6Hc4Jd7Fg0Ae";
    for (const status of [400, 401, 429, 500])
      expect(of(status, { message: `invalid api key: ${secret}, token=${secret}` }).failure.message).not.toContain(secret);
    expect(failureOf(() => cohere.decodeResponse(JSON.stringify({ message: `bad api key: short1` }))).message).not.toContain("short1");
  });
});
