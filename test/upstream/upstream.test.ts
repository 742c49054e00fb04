import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { parseRawAnswer, type RawConnection, rawConnect, rawPost } from "./raw-client";
import { loadRecording, recordingIndex, recordingsPresent } from "./recording";
import { gate, type Script } from "./script";
import { startUpstream, type Upstream } from "./upstream";

const SHARED = recordingsPresent();
const FRAMES = ['data: {"n":1}\n\n', 'data: {"n":2}\r\n\r\n', ": comment\n\n", "data: [DONE]\n\n"];
const stream = (more: Script = {}): Script => ({ headers: { "content-type": "text/event-stream" }, body: FRAMES.join(""), ...more });

let upstream: Upstream;
let client: RawConnection;

beforeEach(async () => {
  upstream = await startUpstream();
  client = await rawConnect(upstream.port);
});
afterEach(async () => {
  client.reset();
  await upstream.close();
});

const ask = (body: unknown = { model: "m" }, path = "/v1/chat/completions"): void => client.send(rawPost(path, body));

describe("requests", () => {
  test("are recorded with method, path, headers as sent, body bytes and order", async () => {
    upstream.play({ body: "{}" }, { times: 2 });
    ask({ model: "gpt-4o", stream: true, text: "é" }, "/v1/chat/completions?x=1");
    await client.until(/\{\}$/);
    client.send(
      "POST /v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse HTTP/1.1\r\nX-Dup: a\r\nx-dup: b\r\ncontent-length: 2\r\n\r\n{}",
    );
    const second = await upstream.request(2);
    const first = await upstream.request(1);
    expect([first.method, first.path, first.model, first.stream]).toEqual(["POST", "/v1/chat/completions?x=1", "gpt-4o", true]);
    expect(first.json()).toEqual({ model: "gpt-4o", stream: true, text: "é" });
    expect([second.model, second.stream, second.text()]).toEqual(["gemini-2.5-pro", true, "{}"]);
    expect(second.headerLines).toEqual([
      ["X-Dup", "a"],
      ["x-dup", "b"],
      ["content-length", "2"],
    ]);
    expect(second.headers["x-dup"]).toBe("a, b");
    expect([first.order, second.order, first.connection, second.connection]).toEqual([1, 2, 1, 1]);
  });

  test("may come chunked, in single bytes, and pipelined", async () => {
    upstream.play({ body: "one" });
    upstream.play({ body: "two" });
    const bytes =
      "POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\ntrailer: x\r\n\r\n" +
      "POST /b HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
    for (const byte of bytes) client.send(byte);
    await client.until(/one[\s\S]*two$/);
    expect(upstream.requests.map((request) => [request.path, request.text()])).toEqual([
      ["/a", "hello world"],
      ["/b", "abc"],
    ]);
  });

  test("with Expect: 100-continue are told to go on", async () => {
    upstream.play({ body: "{}" });
    client.send("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n");
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send("x");
    await client.until(/\{\}$/);
    expect(upstream.requests[0]?.text()).toBe("x");
  });

  test("without a script get 501 and are named in problems", async () => {
    ask();
    await client.until(/no script for POST \/v1\/chat\/completions/);
    expect(client.text()).toStartWith("HTTP/1.1 501 ");
    expect(upstream.problems).toEqual(["no script for POST /v1/chat/completions (model m)"]);
  });
});

describe("answers are chosen", () => {
  test("by queue, then by function, then by model and stream", async () => {
    await upstream.close();
    upstream = await startUpstream({
      byModel: { m: { whole: { body: "W" }, stream: { body: "S" } }, other: { body: "O" } },
      answer: (request) => (request.path === "/special" ? { body: "F" } : undefined),
    });
    client = await rawConnect(upstream.port);
    upstream.play({ body: "Q" }, { model: "other" });
    for (const [body, path, wanted] of [
      [{ model: "m" }, "/", "W"],
      [{ model: "m", stream: true }, "/", "WS"],
      [{ model: "other" }, "/", "WSQ"],
      [{ model: "other" }, "/", "WSQO"],
      [{ model: "m" }, "/special", "WSQOF"],
    ] as const) {
      ask(body, path);
      await client.until(new RegExp(`^${[...wanted].map((letter) => `HTTP[\\s\\S]*?\r\n\r\n${letter}`).join("")}$`));
    }
    expect(upstream.problems).toEqual([]);
  });

  test("by an endless queue entry until forgotten", async () => {
    upstream.play({ status: 503, body: "no" }, { times: "always" });
    for (let n = 1; n <= 3; n++) {
      ask();
      await upstream.request(n);
    }
    expect(upstream.requests).toHaveLength(3);
    upstream.forget();
    expect(upstream.requests).toHaveLength(0);
  });

  test("never from a script that cannot be played", () => {
    expect(() => upstream.play({ body: "abc", end: { kind: "cut", afterBytes: 4 } })).toThrow("byte 4 of a body of 3 bytes");
    expect(() => upstream.play({ body: "abc", pauses: [{ afterBytes: 9, until: "never" }] })).toThrow("byte 9 of a body of 3 bytes");
    expect(() => upstream.play({ body: "abc", end: { kind: "torn-chunk", afterBytes: 0 } })).toThrow("needs chunked framing");
    expect(() => upstream.play({ body: "abc", end: { kind: "clean-end", afterBytes: 1 } })).toThrow("cannot end early");
    expect(() => upstream.play({ body: "abc", pieces: "recorded" })).toThrow("no chunk sizes");
    expect(() => upstream.setModels({ m: { body: "abc", end: { kind: "cut", afterBytes: 4 } } })).toThrow("byte 4");
  });
});

describe("bodies", () => {
  test("of streams are one HTTP chunk for each SSE frame, and the connection is kept", async () => {
    upstream.play(stream(), { times: 2 });
    ask();
    const answer = parseRawAnswer(await client.until(/\r\n0\r\n\r\n$/));
    expect(answer.statusLine).toBe("HTTP/1.1 200 OK");
    expect(answer.chunks).toEqual(FRAMES);
    expect(answer.complete).toBe(true);
    ask();
    await upstream.request(2);
    expect(upstream.connections()).toBe(1);
  });

  test("are cut whole, by given sizes, in single bytes, or by a seed that repeats", async () => {
    const chunksOf = async (pieces: NonNullable<Script["pieces"]>): Promise<readonly string[]> => {
      const fresh = await rawConnect(upstream.port);
      upstream.play(stream({ pieces }));
      fresh.send(rawPost("/", {}));
      const { chunks } = parseRawAnswer(await fresh.until(/\r\n0\r\n\r\n$/));
      fresh.reset();
      return chunks;
    };
    expect(await chunksOf("whole")).toEqual([FRAMES.join("")]);
    expect((await chunksOf({ sizes: [3, 20] })).map((chunk) => chunk.length)).toEqual([3, 20, FRAMES.join("").length - 23]);
    expect(await chunksOf("bytes")).toEqual([...FRAMES.join("")]);
    const seeded = await chunksOf({ seed: 7 });
    expect(seeded.join("")).toBe(FRAMES.join(""));
    expect(await chunksOf({ seed: 7 })).toEqual([...seeded]);
    expect(await chunksOf({ seed: 8 })).not.toEqual([...seeded]);
  });

  test("without framing end with the connection", async () => {
    upstream.play(stream({ framing: "close" }));
    ask();
    expect(await client.ended).toBe("fin");
    const answer = parseRawAnswer(client.text());
    expect(answer.headers["connection"]).toBe("close");
    expect(answer.body).toBe(FRAMES.join(""));
  });

  test("are left out for HEAD", async () => {
    upstream.play({ body: "abc" });
    upstream.play({ body: "def" });
    client.send("HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    const text = await client.until(/def$/);
    expect(text).not.toContain("abc");
    expect(text).toContain("content-length: 3");
  });
});

describe("waits", () => {
  test("hold the headers until the test's promise", async () => {
    const { promise, open } = gate();
    upstream.play({ body: "{}", beforeHeaders: promise });
    ask();
    await upstream.request(1);
    expect(client.text()).toBe("");
    open();
    await client.until(/\{\}$/);
  });

  test("hold the body at exact bytes, also inside a frame", async () => {
    const { promise, open } = gate();
    const named = "second";
    upstream.play(
      stream({
        pauses: [
          { afterBytes: 5, until: promise },
          { afterBytes: 20, until: { gate: named } },
        ],
      }),
    );
    ask();
    await client.until(/\r\n5\r\ndata:\r\n$/);
    open();
    await client.until(/\r\n5\r\ndata:\r\n[\s\S]*\r\n5\r\ndata:\r\n$/);
    expect(parseRawAnswer(client.text()).body).toBe(FRAMES.join("").slice(0, 20));
    upstream.openGate(named);
    expect(parseRawAnswer(await client.until(/\r\n0\r\n\r\n$/)).body).toBe(FRAMES.join(""));
  });

  test("trickle piece by piece with a delay between", async () => {
    upstream.play({ body: "abcde", pieces: "bytes", betweenPieces: { ms: 1 }, framing: "chunked" });
    ask();
    expect(parseRawAnswer(await client.until(/\r\n0\r\n\r\n$/)).chunks).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("a client that leaves a stalled answer is told by gone, by FIN and by RST", async () => {
    for (const leave of ["close", "reset"] as const) {
      const fresh = await rawConnect(upstream.port);
      upstream.forget();
      upstream.play(stream({ pauses: [{ afterBytes: 15, until: "never" }] }));
      fresh.send(rawPost("/", {}));
      await fresh.until(/\{"n":1\}\n\n\r\n/);
      const request = await upstream.request(1);
      expect(request.goneAt).toBeUndefined();
      fresh[leave]();
      await request.gone;
      expect(await request.ended).toBe("gone");
      expect(request.goneAt ?? 0).toBeGreaterThanOrEqual(request.receivedAt);
    }
  });

  test("a client that leaves before the headers is told by gone", async () => {
    upstream.play({ beforeHeaders: "never" });
    ask();
    const request = await upstream.request(1);
    client.reset();
    await request.gone;
    expect(await request.ended).toBe("gone");
  });

  test("an answer played whole ends as played", async () => {
    upstream.play({ body: "{}" });
    ask();
    await client.until(/\{\}$/);
    const request = await upstream.request(1);
    expect(await request.ended).toBe("played");
    expect(request.goneAt).toBeUndefined();
  });
});

describe.skipIf(!SHARED)("recordings (TOLLWAY_SHARED)", () => {
  test("every one is replayed byte for byte with its status", async () => {
    let replayed = 0;
    for (const entry of recordingIndex()) {
      const fresh = await rawConnect(upstream.port);
      upstream.play(entry.id);
      fresh.send(rawPost("/", {}, { connection: "close" }));
      expect(await fresh.ended).toBe("fin");
      const head = fresh.text();
      expect(head).toStartWith(`HTTP/1.1 ${entry.status} `);
      expect(Buffer.from(parseRawAnswer(head).body, "latin1").equals(Buffer.from(loadRecording(entry.id).body))).toBe(true);
      fresh.reset();
      replayed += 1;
    }
    expect(replayed).toBe(recordingIndex().length);
    expect(upstream.problems).toEqual([]);
  });

  test("those with chunk sizes are replayed with exactly those", async () => {
    let replayed = 0;
    for (const entry of recordingIndex()) {
      const { chunkSizes } = loadRecording(entry.id);
      if (!chunkSizes) continue;
      const fresh = await rawConnect(upstream.port);
      upstream.play(entry.id);
      fresh.send(rawPost("/", {}, { connection: "close" }));
      await fresh.ended;
      expect(parseRawAnswer(fresh.text()).chunks.map((chunk) => chunk.length)).toEqual([...chunkSizes]);
      fresh.reset();
      replayed += 1;
    }
    expect(replayed).toBeGreaterThan(10);
  });

  test("an unknown id is refused by name", () => {
    expect(() => upstream.play("openai/chat.no-such.1")).toThrow('no recording "openai/chat.no-such.1"');
  });
});
