// The fault matrix's upstream side, by name. Each is a script; combine with `{ ...fault, recording }` where the bytes matter.
import { loadRecording } from "./recording";
import type { Answer, Fill, Pause, Script } from "./script";
import { asScript } from "./script";

const SSE = { "content-type": "text/event-stream" };

/** A composed 429 (or another documented error), with its own headers. Ids are in `_composed-errors.json`. */
export const composedError = (id: string, headers: Readonly<Record<string, string>> = {}): Script => ({ composed: id, headers });

/** A 429 in OpenAI's shape that needs no shared data. */
export const rateLimited = (headers: Readonly<Record<string, string>> = { "retry-after": "1" }): Script => ({
  status: 429,
  headers,
  body: JSON.stringify({ error: { message: "Rate limit reached", type: "requests", param: null, code: "rate_limit_exceeded" } }),
});

/** A 5xx (or any other status) in OpenAI's shape. */
export const serverError = (status = 500): Script => ({
  status,
  body: JSON.stringify({ error: { message: "The server had an error", type: "server_error", param: null, code: null } }),
});

export const malformedJson = (): Script => ({ body: '{"id":"chatcmpl-1","choices":[{"index":0,"message":{"role":"assistant","conte' });

export const emptyBody = (): Script => ({ body: "" });

/** A captive portal's or a proxy's page with status 200. */
export const htmlPage = (): Script => ({
  headers: { "content-type": "text/html; charset=utf-8" },
  body: "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to continue.</body></html>",
});

/** JSON's content type over bytes that are none. */
export const wrongContentType = (answer: Answer, contentType: string): Script => ({
  ...asScript(answer),
  headers: { ...asScript(answer).headers, "content-type": contentType },
});

const chatFill = (total: number): Fill => ({
  prefix:
    '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"',
  unit: "a",
  total,
  suffix: '"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}',
});

const lineFill = (total: number): Fill => ({
  prefix: 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"',
  unit: "a",
  total,
  suffix: '"},"finish_reason":null}]}\n\n',
});

const eventFill = (total: number): Fill => ({
  prefix: "",
  unit: 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n',
  total,
  suffix: "",
});

/** A well-formed chat completion of `total` bytes. */
export const giganticAnswer = (total: number): Script => ({ fill: chatFill(total) });

/** One SSE event of `total` bytes. */
export const giganticEvent = (total: number): Script => ({ headers: SSE, fill: lineFill(total) });

/** A stream of ordinary events that does not end before `total` bytes. */
export const endlessStream = (total: number): Script => ({ headers: SSE, fill: eventFill(total) });

/** A well-formed chat completion of `total` bytes in a gzip of about a thousandth of it. */
export const gzipBomb = (total: number): Script => ({ fill: chatFill(total), gzip: true });

/** The same as a stream: one event of `total` bytes. */
export const gzipBombStream = (total: number): Script => ({ headers: SSE, fill: lineFill(total), gzip: true });

export const gzipped = (answer: Answer): Script => ({ ...asScript(answer), gzip: true });

/** Byte for byte, each after `pause`. */
export const trickle = (answer: Answer, pause: Pause): Script => ({ ...asScript(answer), pieces: "bytes", betweenPieces: pause });

export const redirect = (location: string, status: 301 | 302 | 303 | 307 | 308 = 307): Script => ({
  status,
  headers: { location },
  body: "",
});

/** A second terminator, and a chunk and a usage after it. Late figures must count for nothing. */
export const lateChunks = (recording: string): Script => ({
  recording,
  append:
    'data: [DONE]\n\ndata: {"id":"chatcmpl-late","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"LATE"},"finish_reason":null}]}\n\n' +
    'data: {"id":"chatcmpl-late","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":999999,"completion_tokens":999999,"total_tokens":1999998}}\n\ndata: [DONE]\n\n',
});

/** The last SSE frame (the terminator, where the dialect has one) is missing; HTTP ends cleanly. */
export function withoutLastFrame(recording: string): Script {
  const { body } = loadRecording(recording);
  const text = Buffer.from(body).toString("latin1").trimEnd();
  const last = Math.max(text.lastIndexOf("\n\n") + 2, text.lastIndexOf("\r\n\r\n") + 4);
  return { recording, end: { kind: "clean-end", afterBytes: last } };
}

export const stallAfter = (answer: Answer, afterBytes: number): Script => ({
  ...asScript(answer),
  pauses: [{ afterBytes, until: "never" }],
});

/** Accepts the request and never answers. */
export const hang = (): Script => ({ beforeHeaders: "never" });

/** Waits for `until` before the headers. */
export const held = (answer: Answer, until: Pause): Script => ({ ...asScript(answer), beforeHeaders: until });

export const cutAfter = (answer: Answer, afterBytes: number): Script => ({ ...asScript(answer), end: { kind: "cut", afterBytes } });

export const resetAfter = (answer: Answer, afterBytes: number): Script => ({ ...asScript(answer), end: { kind: "reset", afterBytes } });

export const resetBeforeHeaders = (answerAt: "head" | "body" = "body"): Script => ({ answerAt, end: { kind: "reset-before-headers" } });

export const closeBeforeHeaders = (answerAt: "head" | "body" = "body"): Script => ({ answerAt, end: { kind: "cut-before-headers" } });

export const tornChunk = (answer: Answer, afterBytes: number): Script => ({
  ...asScript(answer),
  framing: "chunked",
  end: { kind: "torn-chunk", afterBytes },
});

export const badChunkSize = (answer: Answer, afterBytes: number): Script => ({
  ...asScript(answer),
  framing: "chunked",
  end: { kind: "bad-chunk-size", afterBytes },
});

export const garbageStatusLine = (): Script => ({ raw: "BANANA/9.9 what is this\r\n\r\n" });

/** A header block that never ends within any sane bound. */
export const endlessHeaders = (bytes: number): Script => ({ raw: `HTTP/1.1 200 OK\r\nx-filler: ${"a".repeat(bytes)}` });
