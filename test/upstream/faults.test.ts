import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import {
  badChunkSize,
  closeBeforeHeaders,
  composedError,
  cutAfter,
  emptyBody,
  endlessHeaders,
  endlessStream,
  garbageStatusLine,
  giganticAnswer,
  giganticEvent,
  gzipBomb,
  gzipBombStream,
  gzipped,
  hang,
  held,
  htmlPage,
  lateChunks,
  malformedJson,
  rateLimited,
  redirect,
  resetAfter,
  resetBeforeHeaders,
  serverError,
  stallAfter,
  tornChunk,
  trickle,
  withoutLastFrame,
  wrongContentType,
} from "./faults";
import { parseRawAnswer, type RawConnection, rawConnect, rawPost } from "./raw-client";
import { loadRecording, recordingsPresent } from "./recording";
import { gate, type Script } from "./script";
import { startUpstream, type Upstream } from "./upstream";

const SHARED = recordingsPresent();
const BODY = 'data: {"choices":[]}\n\ndata: [DONE]\n\n';
const STREAM: Script = { headers: { "content-type": "text/event-stream" }, body: BODY };

let upstream: Upstream;
let client: RawConnection;

beforeEach(async () => {
  upstream = await startUpstream();
  client = await rawConnect(upstream.port);
});
afterEach(async () => {
  client.reset();
  await upstream.close();
  expect(upstream.problems).toEqual([]);
});

/** Plays a fault that ends the connection, and returns what came and how it ended. */
async function untilEnd(script: Script): Promise<{ text: string; end: string }> {
  upstream.play(script);
  client.send(rawPost("/v1/chat/completions", { model: "m" }));
  const end = await client.ended;
  return { text: client.text(), end };
}

/** Plays a fault that is a whole answer. */
async function wholeAnswer(script: Script): Promise<ReturnType<typeof parseRawAnswer>> {
  upstream.play(script);
  client.send(rawPost("/v1/chat/completions", { model: "m" }, { connection: "close" }));
  expect(await client.ended).toBe("fin");
  const answer = parseRawAnswer(client.text());
  expect(answer.complete).toBe(true);
  return answer;
}

describe("broken connections", () => {
  test("a reset before the headers leaves no byte and an RST", async () => {
    expect(await untilEnd(resetBeforeHeaders())).toEqual({ text: "", end: "reset" });
    expect(upstream.requests).toHaveLength(1);
  });

  test("a reset at the head comes while the body is still unsent", async () => {
    upstream.play(resetBeforeHeaders("head"));
    client.send("POST / HTTP/1.1\r\ncontent-length: 1000000\r\n\r\n");
    expect(await client.ended).toBe("reset");
    expect(upstream.requests[0]?.body.length).toBe(0);
  });

  test("a close before the headers leaves no byte and a FIN", async () => {
    expect(await untilEnd(closeBeforeHeaders())).toEqual({ text: "", end: "fin" });
  });

  test("a cut sends exactly N bytes of the body, no last chunk, and a FIN", async () => {
    const { text, end } = await untilEnd(cutAfter(STREAM, 10));
    const answer = parseRawAnswer(text);
    expect([answer.body, answer.complete, end]).toEqual([BODY.slice(0, 10), false, "fin"]);
  });

  test("a cut of a body with a length leaves it short", async () => {
    const { text } = await untilEnd(cutAfter({ body: '{"a":1}' }, 3));
    const answer = parseRawAnswer(text);
    expect([answer.headers["content-length"], answer.body, answer.complete]).toEqual(["7", '{"a', false]);
  });

  test("a reset mid-stream sends exactly N bytes and an RST", async () => {
    const { promise, open } = gate();
    upstream.play({ ...resetAfter(STREAM, 22), pauses: [{ afterBytes: 22, until: promise }] });
    client.send(rawPost("/", {}));
    await client.until(/\]\}\n\n\r\n$/);
    open();
    expect(await client.ended).toBe("reset");
    expect(parseRawAnswer(client.text()).body).toBe(BODY.slice(0, 22));
  });

  test("a torn chunk announces more than follows", async () => {
    const { text, end } = await untilEnd(tornChunk(STREAM, 22));
    expect(text).toEndWith("\r\n400\r\ndata: {");
    expect([parseRawAnswer(text).complete, end]).toEqual([false, "fin"]);
  });

  test("a bad chunk size is no number", async () => {
    expect((await untilEnd(badChunkSize(STREAM, 22))).text).toEndWith("\r\nzz\r\n");
  });

  test("a garbage status line is not HTTP", async () => {
    expect(await untilEnd(garbageStatusLine())).toEqual({ text: "BANANA/9.9 what is this\r\n\r\n", end: "fin" });
  });

  test("endless headers have no blank line", async () => {
    const { text } = await untilEnd(endlessHeaders(300_000));
    expect(text.length).toBeGreaterThan(300_000);
    expect(text).not.toContain("\r\n\r\n");
  });

  test("a connection closed after a whole answer had promised to stay", async () => {
    const { text, end } = await untilEnd({ body: "{}", end: { kind: "close-after" } });
    const answer = parseRawAnswer(text);
    expect([answer.complete, answer.headers["connection"], end]).toEqual([true, undefined, "fin"]);
  });
});

describe("waiting", () => {
  test("a hang sends nothing and sees the client leave", async () => {
    upstream.play(hang());
    client.send(rawPost("/", {}));
    const request = await upstream.request(1);
    client.close();
    await request.gone;
    expect(client.text()).toBe("");
  });

  test("a stall sends exactly N bytes, then nothing until the client leaves", async () => {
    upstream.play(stallAfter(STREAM, 22));
    client.send(rawPost("/", {}));
    await client.until(/\]\}\n\n\r\n$/);
    const request = await upstream.request(1);
    client.reset();
    await request.gone;
    expect(parseRawAnswer(client.text()).body).toBe(BODY.slice(0, 22));
  });

  test("a held answer comes when its gate opens", async () => {
    const { promise, open } = gate();
    upstream.play(held({ body: "{}" }, promise));
    client.send(rawPost("/", {}));
    await upstream.request(1);
    expect(client.text()).toBe("");
    open();
    await client.until(/\{\}$/);
  });

  test("a trickle is one byte a chunk", async () => {
    const answer = await wholeAnswer(trickle(STREAM, { ms: 1 }));
    expect(answer.chunks).toEqual([...BODY]);
  });

  test("a reader that does not read holds a gigantic answer back", async () => {
    client.pause();
    upstream.play(giganticAnswer(64 << 20));
    client.send(rawPost("/", {}));
    const request = await upstream.request(1);
    client.reset();
    expect(await request.ended).toBe("gone");
  });
});

describe("wrong answers", () => {
  test("429 carries its delay", async () => {
    const answer = await wholeAnswer(rateLimited({ "retry-after": "7", "retry-after-ms": "6500" }));
    expect(answer.statusLine).toBe("HTTP/1.1 429 Too Many Requests");
    expect([answer.headers["retry-after"], answer.headers["retry-after-ms"]]).toEqual(["7", "6500"]);
    expect(JSON.parse(answer.body).error.code).toBe("rate_limit_exceeded");
  });

  test("5xx have their status", async () => {
    expect((await wholeAnswer(serverError(503))).statusLine).toBe("HTTP/1.1 503 Service Unavailable");
  });

  test("malformed JSON, an empty body and a page of HTML come with status 200", async () => {
    for (const [script, type] of [
      [malformedJson(), "application/json"],
      [emptyBody(), "application/json"],
      [htmlPage(), "text/html; charset=utf-8"],
      [wrongContentType({ body: "{}" }, "image/png"), "image/png"],
    ] as const) {
      client = await rawConnect(upstream.port);
      const answer = await wholeAnswer(script);
      expect([answer.statusLine, answer.headers["content-type"]]).toEqual(["HTTP/1.1 200 OK", type]);
      if (type === "application/json") expect(() => JSON.parse(answer.body)).toThrow();
    }
  });

  test("a redirect names its target", async () => {
    const answer = await wholeAnswer(redirect("http://169.254.169.254/"));
    expect([answer.statusLine, answer.headers["location"]]).toEqual(["HTTP/1.1 307 Temporary Redirect", "http://169.254.169.254/"]);
  });
});

describe("gigantic answers", () => {
  test("a gigantic answer is well-formed JSON of exactly the size asked for", async () => {
    const answer = await wholeAnswer(giganticAnswer(3_000_001));
    expect(answer.body.length).toBe(3_000_001);
    expect(JSON.parse(answer.body).usage.total_tokens).toBe(2);
  });

  test("a gigantic event is one SSE event", async () => {
    const answer = await wholeAnswer(giganticEvent(2_000_000));
    expect(answer.body.length).toBe(2_000_000);
    expect(answer.body.match(/\n\n/g)).toHaveLength(1);
  });

  test("an endless stream is ordinary events", async () => {
    const answer = await wholeAnswer(endlessStream(2_500_000));
    expect(answer.body.length).toBe(2_500_000);
    expect(answer.body.split("\n\n").length).toBeGreaterThan(1000);
  });

  test("a gzip bomb is a valid gzip of a hundredth of the size or less, whole and streamed", async () => {
    for (const [script, total] of [
      [gzipBomb(40_000_000), 40_000_000],
      [gzipBombStream(5_000_000), 5_000_000],
    ] as const) {
      client = await rawConnect(upstream.port);
      const answer = await wholeAnswer(script);
      expect(answer.headers["content-encoding"]).toBe("gzip");
      expect(answer.body.length).toBeLessThan(total / 100);
      expect(gunzipSync(Buffer.from(answer.body, "latin1")).length).toBe(total);
    }
  });

  test("a gzipped answer unpacks to its body", async () => {
    const answer = await wholeAnswer(gzipped(STREAM));
    expect(gunzipSync(Buffer.from(answer.body, "latin1")).toString()).toBe(BODY);
  });
});

describe.skipIf(!SHARED)("faults over recordings (TOLLWAY_SHARED)", () => {
  const ID = "openai/chat.text-stream.1";

  test("composed errors come with their headers", async () => {
    const answer = await wholeAnswer(composedError("openai.429.tpm", { "retry-after-ms": "20" }));
    expect(answer.statusLine).toStartWith("HTTP/1.1 429");
    expect([answer.headers["retry-after"], answer.headers["retry-after-ms"]]).toEqual(["4", "20"]);
    expect(answer.headers["x-ratelimit-remaining-tokens"]).toBe("0");
  });

  test("late chunks follow a second terminator", async () => {
    const answer = await wholeAnswer(lateChunks(ID));
    const recorded = Buffer.from(loadRecording(ID).body).toString("latin1");
    expect(answer.body).toStartWith(recorded);
    expect(answer.body.match(/data: \[DONE\]/g)).toHaveLength(3);
  });

  test("without its last frame a stream ends cleanly and has no terminator", async () => {
    const answer = await wholeAnswer(withoutLastFrame(ID));
    const recorded = Buffer.from(loadRecording(ID).body).toString("latin1");
    expect(recorded).toStartWith(answer.body);
    expect(answer.body).toEndWith("\n\n");
    expect(answer.body).not.toContain("[DONE]");
  });
});
