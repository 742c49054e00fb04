import { describe, expect, test } from "bun:test";
import { gemini } from "../../src/dialects/gemini";
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

const all = allRecordings(undefined, "gemini");
const answers = all.filter(({ status }) => status < 400);
const streams = answers.filter(isStream);
/** Answers in which the model or the provider failed. */
const failing = /MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|finish-OTHER|midstream-error/;

const frame = (json: unknown): Frame => ({ raw: new Uint8Array(0), data: JSON.stringify(json), event: undefined, id: undefined });
const answer = (parts: unknown[], finishReason: string | undefined = "STOP", more: object = {}) =>
  JSON.stringify({
    candidates: [{ content: { parts, role: "model" }, finishReason, index: 0, ...more }],
    responseId: "r",
    modelVersion: "gemini-2.5-flash",
  });

describe("gemini reads every recorded answer", () => {
  test.skipIf(sharedMissing)("the shared set holds 37 exchanges of Gemini and 11 of Vertex", () => {
    expect(recordings("gemini", "gemini")).toHaveLength(37);
    expect(recordings("vertex", "gemini")).toHaveLength(11);
  });

  for (const each of answers.filter(({ id }) => !failing.test(id))) {
    test(`${each.id} gives a start, content, and a finish for each choice`, () => {
      const events = answered(gemini, each);
      expect(events[0]?.type).toBe("start");
      const finishes = ofType(events, "finish");
      expect(finishes).toHaveLength(each.tags.includes("n>1") ? 2 : 1);
      const said = each.tags.filter((tag) => tag.startsWith("fin:")).map((tag) => tag.slice(4));
      if (said.length > 0) expect(said).toContain(finishes[0]?.raw ?? "");
      const calls = ofType(events, "tool-call");
      if (finishes[0]?.raw === "STOP") expect(finishes[0].reason).toBe(calls.length > 0 ? "tool_calls" : "stop");
      expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
      for (const call of calls) {
        expect(call.id.length).toBeLessThanOrEqual(40);
        const [args] = ofType(events, "tool-arguments").filter(({ index }) => index === call.index);
        expect(typeof JSON.parse(args?.text ?? "")).toBe("object");
      }
      if (each.tags.includes("signature")) {
        const sealed = [...calls, ...ofType(events, "reasoning")].filter(({ signature }) => signature !== undefined);
        expect(sealed.length).toBeGreaterThan(0);
      }
    });
  }

  for (const each of answers.filter(({ id }) => failing.test(id))) {
    test(`${each.id} is a failure of the provider`, () => {
      expect(failureOf(() => answered(gemini, each)).code).toBe("upstream_error");
    });
  }

  for (const each of streams) {
    test(`${each.id} gives the same events wherever its bytes are cut`, () => {
      const bytes = each.body;
      const type = contentType(each);
      const whole = outcome(() => streamed(gemini, type, [bytes]));
      for (const cut of cuts(bytes)) {
        expect(outcome(() => streamed(gemini, type, [bytes.subarray(0, cut), bytes.subarray(cut)]))).toEqual(whole);
      }
    });
  }

  for (const each of all.filter(({ status }) => status >= 400)) {
    test(`${each.id} is a failure that keeps what the provider said`, () => {
      const { failure } = gemini.decodeError(each.status, each.headers, bodyText(each));
      expect(failure.says?.status).toBe(each.status);
      expect(failure.message).not.toBe("");
    });
  }
});

describe("the usage of an answer", () => {
  for (const each of answers.filter(({ id }) => !failing.test(id))) {
    const told = /"totalTokenCount":\s*(\d+)(?![\s\S]*"totalTokenCount")/.exec(bodyText(each))?.[1];
    if (told === undefined) continue;
    test(`${each.id} adds up to Google's own total`, () => {
      const usage = usageOfAnswer(answered(gemini, each));
      expect(Number(usage["inputTokens"]) + Number(usage["outputTokens"])).toBe(Number(told));
    });
  }

  test("of a stream is the last frame's, thoughts inside the output", () => {
    expect(usageOfAnswer(answered(gemini, recording("own/gemini.gemini.text-stream")))).toEqual({
      inputTokens: 9,
      outputTokens: 18,
      reasoningOutputTokens: 12,
      serviceTier: "standard",
    });
  });

  test("counts tool results as input, spoken input apart, and every search of the third generation", () => {
    expect(usageOfAnswer(answered(gemini, recording("own/gemini.gemini.grounding")))).toEqual({
      inputTokens: 72,
      outputTokens: 34,
      reasoningOutputTokens: 20,
      inputAudioTokens: 8,
      toolCalls: { web_search: 2 },
    });
  });

  test("is not told where the provider told nothing", () => {
    expect(ofType(gemini.decodeResponse(answer([{ text: "x" }])), "usage")).toEqual([]);
  });
});

describe("the content of an answer", () => {
  test("of tools keeps the signature on its call, the digits of arguments, and makes ids that are the same every time", () => {
    const events = answered(gemini, recording("own/gemini.gemini.tools-stream"));
    expect(events.slice(1, 6)).toEqual([
      { type: "text", choice: 0, text: "Looking." },
      { type: "tool-call", choice: 0, index: 0, id: "call_ownResponse_1_0_0", name: "add", signature: "b3duLXNpZ25hdHVyZQ==" },
      { type: "tool-arguments", choice: 0, index: 0, text: '{"a":12345678901234567890,"b":1.0}' },
      { type: "tool-call", choice: 0, index: 1, id: "call_ownResponse_1_0_1", name: "clock" },
      { type: "tool-arguments", choice: 0, index: 1, text: "{}" },
    ]);
    expect(ofType(events, "finish")).toEqual([{ type: "finish", choice: 0, reason: "tool_calls", raw: "STOP" }]);
  });

  test("of thinking keeps the signature of visible text as a block of its own", () => {
    expect(answered(gemini, recording("own/gemini.gemini.thinking")).slice(1, 4)).toEqual([
      { type: "reasoning", choice: 0, block: 0, text: "A sum.", from: "gemini" },
      { type: "text", choice: 0, text: "Four." },
      { type: "reasoning", choice: 0, block: 1, text: "", signature: "b3duLXRleHQtc2lnbmF0dXJl", from: "gemini" },
    ]);
  });

  test("of a grounded answer places the sources by characters, not bytes", () => {
    const events = answered(gemini, recording("own/gemini.gemini.grounding"));
    const place = { url: "https://wetter.example/n", title: "wetter.example", start_index: 7, end_index: 17 };
    expect(textOfAnswer(events).slice(7, 17)).toBe("es regnet.");
    expect(ofType(events, "annotations")[0]?.annotations).toEqual([{ type: "url_citation", url_citation: place }]);
  });

  test.skipIf(sharedMissing)("of the recorded search places every source at the words that Google quotes", () => {
    const each = recording("gemini/gemini.cache-read.2");
    const events = answered(gemini, each);
    const text = textOfAnswer(events);
    const quoted: string[] = JSON.parse(bodyText(each)).candidates[0].groundingMetadata.groundingSupports.flatMap(
      (support: { segment: { text: string }; groundingChunkIndices: number[] }) =>
        support.groundingChunkIndices.map(() => support.segment.text),
    );
    const placed = (ofType(events, "annotations")[0]?.annotations ?? []) as { url_citation: { start_index: number; end_index: number } }[];
    expect(placed.slice(0, quoted.length).map(({ url_citation: at }) => text.slice(at.start_index, at.end_index))).toEqual(quoted);
    expect(usageOfAnswer(events)).toMatchObject({ inputTokens: 568, outputTokens: 1332, toolCalls: { web_search: 3 } });
  });

  test("of pictures, code and probabilities has a place; speech has none", () => {
    const picture = gemini.decodeResponse(answer([{ inlineData: { mimeType: "image/png", data: "AAAA" } }]));
    expect(ofType(picture, "image")).toEqual([
      { type: "image", choice: 0, media: { kind: "base64", mediaType: "image/png", data: "AAAA" } },
    ]);
    const code = gemini.decodeResponse(
      answer([
        { executableCode: { language: "PYTHON", code: "print(1)" } },
        { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
        { text: "One." },
      ]),
    );
    expect(textOfAnswer(code)).toBe("\n```python\nprint(1)\n```\n\n```\n1\n```\nOne.");
    const chosen = { token: "One", logProbability: -0.5 };
    const logprobs = { logprobsResult: { chosenCandidates: [chosen], topCandidates: [{ candidates: [chosen] }] } };
    const entry = { token: "One", logprob: -0.5, bytes: null };
    expect(ofType(gemini.decodeResponse(answer([{ text: "One" }], "STOP", logprobs)), "text").at(-1)?.logprobs).toEqual([
      { ...entry, top_logprobs: [entry] },
    ]);
    expect(failureOf(() => gemini.decodeResponse(answer([{ inlineData: { mimeType: "audio/L16", data: "AAAA" } }]))).code).toBe(
      "upstream_error",
    );
  });

  test("of a blocked prompt is a content filter with Google's word", () => {
    const events = answered(gemini, recording("own/gemini.gemini.prompt-blocked"));
    expect(ofType(events, "finish")).toEqual([{ type: "finish", choice: 0, reason: "content_filter", raw: "PROHIBITED_CONTENT" }]);
    expect(usageOfAnswer(events)).toEqual({ inputTokens: 5, outputTokens: 0 });
  });
});

describe("the end of a stream", () => {
  test("without a finish reason is a truncation", () => {
    const open = gemini.openStream({});
    open.push(frame({ candidates: [{ content: { parts: [{ text: "Half" }] }, index: 0 }] }));
    expect(failureOf(() => open.end()).code).toBe("stream_truncated");
    expect(failureOf(() => gemini.openStream({}).end()).code).toBe("stream_truncated");
  });

  test("needs the finish reason of every choice", () => {
    const decoder = gemini.openStream({});
    decoder.push(
      frame({
        candidates: [
          { content: { parts: [{ text: "a" }] }, finishReason: "STOP" },
          { content: { parts: [{ text: "b" }] }, index: 1 },
        ],
      }),
    );
    expect(failureOf(() => decoder.end()).code).toBe("stream_truncated");
    decoder.push(frame({ candidates: [{ finishReason: "MAX_TOKENS", index: 1 }] }));
    expect(ofType(decoder.end(), "finish").map(({ choice, reason }) => [choice, reason])).toEqual([
      [0, "stop"],
      [1, "length"],
    ]);
  });

  test("by a bare JSON error after the last event is a failure, though every event said STOP", () => {
    const failure = failureOf(() => answered(gemini, recording("own/gemini.gemini.midstream-error")));
    expect(failure).toMatchObject({ code: "upstream_error", says: { status: 503, type: "UNAVAILABLE" } });
    expect(failure.message).toBe("The provider failed: The service went away.");
  });

  test.skipIf(sharedMissing)("takes the last finish reason of a stream that says STOP before RECITATION", () => {
    const events = answered(gemini, recording("vertex/gemini.finish-RECITATION.1"));
    expect(ofType(events, "finish")).toEqual([{ type: "finish", choice: 0, reason: "content_filter", raw: "RECITATION" }]);
  });

  for (const raw of ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER", "SLEEPY"]) {
    test(`${raw} without content is a failure at once`, () => {
      expect(failureOf(() => gemini.openStream({}).push(frame({ candidates: [{ finishReason: raw }] }))).code).toBe("upstream_error");
    });
  }

  test("OTHER with content is an answer that was cut off on purpose", () => {
    expect(ofType(gemini.decodeResponse(answer([{ text: "x" }], "OTHER")), "finish")).toEqual([
      { type: "finish", choice: 0, reason: "content_filter", raw: "OTHER" },
    ]);
  });
});

describe("openFramer()", () => {
  test("knows the two forms and no other", () => {
    expect(gemini.openFramer("text/event-stream")).toBeDefined();
    expect(gemini.openFramer("application/json; charset=UTF-8")).toBeDefined();
    expect(gemini.openFramer("text/html")).toBeUndefined();
  });
});

describe("decodeResponse() refuses what is not a finished answer", () => {
  for (const body of [
    "",
    "<html>",
    "null",
    "[]",
    "{}",
    '{"candidates":[]}',
    '{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}',
    '{"error":{"code":500,"message":"boom"}}',
  ]) {
    test(body === "" ? "nothing" : body, () => {
      expect(failureOf(() => gemini.decodeResponse(body)).code).toBe("upstream_error");
    });
  }
});

describe("gemini.decodeError()", () => {
  const decode = (status: number, word: string, message: string, details: object[] = []) =>
    gemini.decodeError(status, new Map(), JSON.stringify({ error: { code: status, message, status: word, details } }));
  const quota = (quotaId: string) => [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId }] }];

  for (const [status, word, message, code, retry] of [
    [400, "INVALID_ARGUMENT", "Request contains an invalid argument.", "invalid_value", "never"],
    [400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "provider_auth_failed", "elsewhere"],
    [
      400,
      "INVALID_ARGUMENT",
      "The input token count (12) exceeds the maximum number of tokens allowed (8).",
      "context_length_exceeded",
      "never",
    ],
    [400, "FAILED_PRECONDITION", "User location is not supported for the API use.", "upstream_error", "elsewhere"],
    [401, "UNAUTHENTICATED", "No", "provider_auth_failed", "elsewhere"],
    [403, "PERMISSION_DENIED", "No", "provider_auth_failed", "elsewhere"],
    [404, "NOT_FOUND", "models/x is not found", "model_not_found", "never"],
    [429, "RESOURCE_EXHAUSTED", "Quota exceeded", "rate_limit_exceeded", "same"],
    [499, "CANCELLED", "The operation was cancelled.", "upstream_error", "same"],
    [500, "INTERNAL", "Internal error", "upstream_error", "same"],
    [503, "UNAVAILABLE", "The model is overloaded.", "upstream_error", "same"],
    [504, "DEADLINE_EXCEEDED", "Too slow", "upstream_timeout", "same"],
  ] as const) {
    test(`${status} ${message} is ${code}, retry ${retry}`, () => {
      const read = decode(status, word, message);
      expect({ code: read.failure.code, retry: read.retry, says: read.failure.says?.type }).toEqual({ code, retry, says: word });
    });
  }

  test("knows a bad key by its reason, though it is a 400", () => {
    const own = recording("own/gemini.gemini.error-bad-key");
    expect(gemini.decodeError(own.status, own.headers, bodyText(own)).failure).toMatchObject({
      code: "provider_auth_failed",
      says: { code: "API_KEY_INVALID" },
    });
  });

  test("reads the delay of RetryInfo, and does not wait for a quota by the day", () => {
    const info = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "48.5s" };
    expect(decode(429, "RESOURCE_EXHAUSTED", "x", [info, ...quota("RequestsPerMinute")])).toMatchObject({
      retry: "same",
      failure: { retryAfterMs: 48_500 },
    });
    expect(decode(429, "RESOURCE_EXHAUSTED", "x", quota("GenerateRequestsPerDayPerProject")).retry).toBe("elsewhere");
  });

  test("reads an error inside an array, as a stream without alt=sse sends it", () => {
    expect(gemini.decodeError(404, new Map(), '[{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}]').failure.message).toBe(
      "gone",
    );
  });

  test.skipIf(sharedMissing)("reads the recorded 429 with its delay", () => {
    const each = recording("gemini/gemini.error-429.1");
    const { failure } = gemini.decodeError(each.status, each.headers, bodyText(each));
    expect(failure).toMatchObject({ code: "rate_limit_exceeded", retryAfterMs: 48_940 });
  });
});
