import { describe, expect, test } from "bun:test";
import { ollama } from "../../src/dialects/ollama";
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

const all = allRecordings(undefined, "ollama-chat");
const answers = all.filter(({ status }) => status < 400);
const failing = /midstream-error/;

const frame = (json: unknown): Frame => ({ raw: new Uint8Array(0), data: JSON.stringify(json), event: undefined, id: undefined });
const whole = (message: object, more: object = {}): string =>
  JSON.stringify({
    model: "m",
    created_at: "2026-09-01T10:00:00Z",
    message: { role: "assistant", content: "", ...message },
    done: true,
    ...more,
  });

describe("ollama reads every recorded answer", () => {
  test.skipIf(sharedMissing)("the shared set holds 13 exchanges", () => expect(recordings("ollama", "ollama-chat")).toHaveLength(13));

  for (const each of answers.filter(({ id }) => !failing.test(id))) {
    test(`${each.id} gives a start, content, a finish and its usage`, () => {
      const events = answered(ollama, each);
      expect(events[0]?.type).toBe("start");
      const calls = ofType(events, "tool-call");
      const [finish] = ofType(events, "finish");
      expect(each.tags).toContain(`fin:${finish?.raw}`);
      if (finish?.raw === "stop") expect(finish.reason).toBe(calls.length > 0 ? "tool_calls" : "stop");
      expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
      for (const { index } of calls) {
        const [args] = ofType(events, "tool-arguments").filter((event) => event.index === index);
        expect(typeof JSON.parse(args?.text ?? "")).toBe("object");
      }
      if (calls.length === 0) expect(textOfAnswer(events)).not.toBe("");
      expect(ofType(events, "reasoning").length > 0).toBe(each.tags.includes("reasoning-text"));
      const figure = (name: string): string | undefined => new RegExp(`"${name}":\\s*(\\d+)`).exec(bodyText(each))?.[1];
      const usage = usageOfAnswer(events);
      expect(usage["inputTokens"]?.toString()).toBe(figure("prompt_eval_count"));
      expect(usage["outputTokens"]?.toString()).toBe(figure("eval_count"));
    });
  }

  for (const each of answers.filter(isStream)) {
    test(`${each.id} gives the same events wherever its bytes are cut`, () => {
      const bytes = each.body;
      const expected = outcome(() => streamed(ollama, contentType(each), [bytes]));
      for (const cut of spread(cuts(bytes))) {
        expect(outcome(() => streamed(ollama, contentType(each), [bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(expected);
      }
      const singles = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
      expect(outcome(() => streamed(ollama, contentType(each), singles))).toEqual(expected);
    });

    if (failing.test(each.id)) continue;
    test(`${each.id} is truncated without its last line, and whole without that line's end`, () => {
      const text = bodyText(each).trimEnd();
      const run = (kept: string) => streamed(ollama, contentType(each), [new TextEncoder().encode(kept)]);
      expect(run(text)).toEqual(answered(ollama, each));
      expect(failureOf(() => run(text.slice(0, -1))).code).toBe("stream_truncated");
      expect(failureOf(() => run(text.slice(0, text.lastIndexOf("\n") + 1))).code).toBe("stream_truncated");
    });
  }
});

/** At most 200 of the places: a line is short, so nearly every byte is near one's end. All with TOLLWAY_ALL_CUTS=1. */
function spread(places: readonly number[]): readonly number[] {
  const step = process.env["TOLLWAY_ALL_CUTS"] === "1" ? 1 : Math.ceil(places.length / 200);
  return places.filter((_, i) => i % step === 0);
}

describe("the content of an answer", () => {
  test("of tools keeps the digits of arguments, and makes ids that are the same every time", () => {
    expect(answered(ollama, recording("own/ollama.ollama.tools-stream"))).toEqual([
      { type: "start", id: undefined, model: "qwen3:4b", createdAt: 1_788_256_800 },
      { type: "tool-call", choice: 0, index: 0, id: "call_202609011000005_0", name: "add" },
      { type: "tool-arguments", choice: 0, index: 0, text: '{"a":12345678901234567890,"b":1.0}' },
      { type: "tool-call", choice: 0, index: 1, id: "call_own", name: "clock" },
      { type: "tool-arguments", choice: 0, index: 1, text: "{}" },
      { type: "finish", choice: 0, reason: "tool_calls", raw: "stop" },
      { type: "usage", usage: { inputTokens: 149, outputTokens: 15 } },
    ]);
  });

  test("has thoughts as a block, logprobs as OpenAI's, and no figure that was not told", () => {
    expect(answered(ollama, recording("own/ollama.ollama.text-stream")).slice(1)).toEqual([
      { type: "reasoning", choice: 0, block: 0, text: "A ", from: "ollama" },
      { type: "reasoning", choice: 0, block: 0, text: "sum.", from: "ollama" },
      {
        type: "text",
        choice: 0,
        text: "Vier",
        logprobs: [
          {
            token: "Vier",
            logprob: -0.5,
            bytes: [86, 105, 101, 114],
            top_logprobs: [{ token: "Drei", logprob: -1.5, bytes: null }],
          },
        ],
      },
      { type: "text", choice: 0, text: " 🏔." },
      { type: "finish", choice: 0, reason: "stop", raw: "stop" },
      { type: "usage", usage: { inputTokens: undefined, outputTokens: 9 } },
    ]);
  });

  test("has pictures by what their first bytes say", () => {
    const [image] = ofType(ollama.decodeResponse(whole({ images: ["/9j/AAAA"] })), "image");
    expect(image?.media).toEqual({ kind: "base64", mediaType: "image/jpeg", data: "/9j/AAAA" });
  });

  test("tells no usage where there is none, and takes arguments that are text", () => {
    const events = ollama.decodeResponse(whole({ tool_calls: [{ function: { name: "f", arguments: '{"a":1}' } }] }));
    expect(ofType(events, "usage")).toEqual([]);
    expect(ofType(events, "tool-arguments").map(({ text }) => text)).toEqual(['{"a":1}']);
  });
});

describe("the end of an answer", () => {
  for (const [raw, reason] of [
    ["stop", "stop"],
    ["length", "length"],
    ["load", "stop"],
    ["unload", "stop"],
    [undefined, "stop"],
  ] as const) {
    test(`${raw ?? "without a reason"} is ${reason}`, () => {
      expect(ofType(ollama.decodeResponse(whole({ content: "x" }, { done_reason: raw })), "finish")[0]?.reason).toBe(reason);
    });
  }

  test("that is missing or not known is a failure", () => {
    expect(failureOf(() => ollama.decodeResponse(whole({}, { done: false }))).code).toBe("upstream_error");
    expect(failureOf(() => ollama.decodeResponse(whole({}, { done_reason: "new" }))).code).toBe("upstream_error");
    expect(failureOf(() => ollama.decodeResponse("<html>")).code).toBe("upstream_error");
    expect(failureOf(() => ollama.decodeResponse('{"done":true}')).code).toBe("upstream_error");
  });

  test("of a stream is its last line, and what follows says nothing", () => {
    const decoder = ollama.openStream({});
    expect(decoder.done).toBe(false);
    decoder.push({ ...frame(""), data: whole({}) });
    expect(decoder.done).toBe(true);
    expect(decoder.push(frame({ error: "late" }))).toEqual([]);
    expect(decoder.end()).toEqual([]);
  });

  test("of a stream that breaks is the error that the provider wrote", () => {
    const failure = failureOf(() => answered(ollama, recording("own/ollama.ollama.midstream-error")));
    expect([failure.code, failure.message]).toEqual([
      "upstream_error",
      "The provider failed: an error was encountered while running the model: unexpected EOF",
    ]);
  });
});

describe("an error answer", () => {
  const of = (status: number, error: unknown) => ollama.decodeError(status, new Map(), JSON.stringify({ error }));

  for (const each of all.filter(({ status }) => status >= 400)) {
    test(`${each.id} is a failure that keeps what the provider said`, () => {
      const { failure } = ollama.decodeError(each.status, each.headers, bodyText(each));
      expect(failure.says?.status).toBe(each.status);
      expect(failure.message).toContain(each.status === 404 ? "not found" : "does not support");
    });
  }

  for (const [what, status, error, code, retry, param] of [
    ["a missing model", 404, "model 'x' not found", "model_not_found", "never", "model"],
    ["a model without tools", 400, "library/gemma3:1b does not support tools", "unsupported_parameter", "never", "tools"],
    ["a model without thoughts", 400, '"gemma3" does not support thinking', "unsupported_parameter", "never", "reasoning_effort"],
    [
      "a long prompt",
      400,
      { message: "prompt too long; exceeded max context length by 9 tokens" },
      "context_length_exceeded",
      "never",
      "messages",
    ],
    ["a full server", 503, "server busy, please try again. maximum pending requests exceeded", "upstream_error", "same", undefined],
    ["a limit by the hour", 429, "you've reached your hourly usage limit", "rate_limit_exceeded", "elsewhere", undefined],
    ["a bad key", 401, "unauthorized", "provider_auth_failed", "elsewhere", undefined],
  ] as const) {
    test(`of ${what} is ${code}, to be tried ${retry}`, () => {
      const { failure, retry: told } = of(status, error);
      expect([failure.code, told, failure.param]).toEqual([code, retry, param]);
    });
  }

  test("never shows a key", () => {
    const secret = "0123456789abcdef0123456789abcdef.Zq3kP9sLm2Xv8Rt5Yw1Nb6Hc4Jd7Fg0Ae";
    for (const status of [400, 401, 500]) expect(of(status, `bad api key: ${secret}`).failure.message).not.toContain(secret);
  });
});
