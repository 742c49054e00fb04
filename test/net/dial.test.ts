// The network towards providers, over real sockets: what goes out, what comes back, and how each fault is classed.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type AddressInfo, createServer } from "node:net";
import { inspect } from "node:util";
import { Failure } from "../../src/core/failure";
import { DialError, type DialRequest, type DialResponse } from "../../src/core/ports";
import { Secret } from "../../src/core/secret";
import { openDial } from "../../src/net/dial";
import type { Answer } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";

const CANARY = "sk-canary-of-the-dial";
const JSON_HEADERS = { "content-type": "application/json" };

const dial = openDial({ allowPrivate: true, elapsedMs: () => 0 });
let upstream: Upstream;

// One upstream a test: a connection that one test broke must not be the next one's.
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const requestTo = (url: string, changes: Partial<DialRequest> = {}): DialRequest => ({
  url,
  method: "POST",
  headers: JSON_HEADERS,
  credential: { header: "authorization", prefix: "Bearer ", secret: new Secret(CANARY) },
  body: '{"model":"m"}',
  ...changes,
});

const never = (): AbortSignal => new AbortController().signal;

function send(answer: Answer, changes: Partial<DialRequest> = {}, signal = never()): Promise<DialResponse> {
  upstream.play(answer);
  return dial.send(requestTo(`${upstream.url}/v1/chat/completions`, changes), signal);
}

async function thrownBy(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("Nothing was thrown");
}

async function kindOf(run: () => Promise<unknown>): Promise<string> {
  const thrown = await thrownBy(run);
  if (!(thrown instanceof DialError)) throw thrown;
  return thrown.kind;
}

/** A server of bare TCP that says what `meet` gives as soon as it hears something. */
async function withServer<T>(meet: () => string, run: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(meet()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await run((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

describe("what goes out", () => {
  test("is the request's own headers, the credential, and what HTTP needs", async () => {
    await send({ body: "{}" }, { headers: { ...JSON_HEADERS, "anthropic-version": "2023-06-01" } });
    const [request] = upstream.requests;
    expect(request).toMatchObject({ method: "POST", path: "/v1/chat/completions" });
    expect(request?.text()).toBe('{"model":"m"}');
    expect(request?.headers).toMatchObject({
      authorization: `Bearer ${CANARY}`,
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
    });
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      "accept",
      "accept-encoding",
      "anthropic-version",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ]);
  });

  test.each([
    ["x-api-key", ""],
    ["x-goog-api-key", ""],
    ["authorization", "Bearer "],
  ])("has the credential in %s alone", async (header, prefix) => {
    await send({ body: "{}" }, { credential: { header, prefix, secret: new Secret(CANARY) } });
    const [request] = upstream.requests;
    expect(request?.headers[header]).toBe(prefix + CANARY);
    expect(Object.values(request?.headers ?? {}).filter((value) => value.includes(CANARY))).toHaveLength(1);
    expect(request?.path).not.toContain(CANARY);
  });

  test("has none where there is none", async () => {
    await send({ body: "{}" }, { credential: undefined });
    expect(upstream.requests[0]?.headers["authorization"]).toBeUndefined();
  });

  test("is bytes exactly as they were given", async () => {
    const body = Uint8Array.from({ length: 256 }, (_, n) => n);
    await send({ body: "{}" }, { body });
    expect(upstream.requests[0]?.body).toEqual(body);
  });

  test("leaves the request that it was given unchanged", async () => {
    const request = Object.freeze(requestTo(`${upstream.url}/v1`, { headers: Object.freeze({ ...JSON_HEADERS }) }));
    upstream.play({ body: "{}" });
    await dial.send(request, never());
    expect(request.headers).toEqual(JSON_HEADERS);
  });
});

describe("what comes back", () => {
  test("is the status, headers in lower case, and the bytes", async () => {
    const response = await send({ status: 201, headers: { "Content-Type": "application/json", "X-Custom": "Yes" }, body: '{"a":1}' });
    expect(response.status).toBe(201);
    expect(response.headers.get("x-custom")).toBe("Yes");
    expect(new TextDecoder().decode(await response.bytes(100))).toBe('{"a":1}');
  });

  test.each([400, 401, 404, 429, 500, 503, 529])("an error status %d is an answer, not a throw", async (status) => {
    const response = await send({ status, headers: JSON_HEADERS, body: '{"error":{}}' });
    expect(response.status).toBe(status);
    expect(await response.bytes(100)).toHaveLength(12);
  });

  test("a redirect is an answer that nobody follows", async () => {
    const response = await send({ status: 307, headers: { location: `${upstream.url}/elsewhere` }, body: "" });
    expect(response.status).toBe(307);
    upstream.play({ body: "{}" });
    await dial.send(requestTo(`${upstream.url}/next`), never());
    expect(upstream.requests.map((request) => request.path)).toEqual(["/v1/chat/completions", "/next"]);
  });

  test("a redirect to another origin takes no credential with it", async () => {
    const other = await startUpstream();
    await send({ status: 302, headers: { location: `${other.url}/steal` }, body: "" });
    expect(other.requests).toEqual([]);
    expect(other.connections()).toBe(0);
    await other.close();
  });

  test.each([
    [204, ""],
    [200, ""],
  ])("status %d without a body is no bytes", async (status, body) => {
    expect(await (await send({ status, body })).bytes(10)).toHaveLength(0);
  });

  test("a stream is read piece by piece, in order", async () => {
    const response = await send({ headers: { "content-type": "text/event-stream" }, body: "data: 1\n\ndata: 2\n\ndata: [DONE]\n\n" });
    const text = await new Response(response.body).text();
    expect(text).toBe("data: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
  });

  test("gzip is decoded, whole or streamed", async () => {
    const body = JSON.stringify({ text: "a".repeat(5_000) });
    expect(new TextDecoder().decode(await (await send({ headers: JSON_HEADERS, body, gzip: true })).bytes(10_000))).toBe(body);
    const streamed = await send({ headers: { "content-type": "text/event-stream" }, body: "data: 1\n\n", gzip: true });
    expect(await new Response(streamed.body).text()).toBe("data: 1\n\n");
  });
});

describe("the cap on an answer's bytes", () => {
  const over = async (answer: Answer, cap: number): Promise<Failure> => {
    const response = await send(answer);
    const thrown = await thrownBy(() => response.bytes(cap));
    if (!(thrown instanceof Failure)) throw thrown;
    return thrown;
  };

  test("counts decoded bytes: as many as allowed pass, one more is upstream_error", async () => {
    for (const changes of [{}, { gzip: true }, { framing: "chunked" as const }, { framing: "close" as const }]) {
      const answer = { headers: JSON_HEADERS, body: "x".repeat(1_000), ...changes };
      expect(await (await send(answer)).bytes(1_000)).toHaveLength(1_000);
      expect((await over(answer, 999)).code).toBe("upstream_error");
    }
  });

  test("is not believed away by a length beside a chunked body", async () => {
    const raw = `HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n400\r\n${"x".repeat(0x400)}\r\n0\r\n\r\n`;
    expect((await over({ raw }, 100)).code).toBe("upstream_error");
  });

  test("a gzip bomb of 256 MiB is given up at the cap", async () => {
    const fill = { prefix: "{", unit: "0", total: 256 * 1024 * 1024, suffix: "}" };
    const before = process.memoryUsage().rss;
    expect((await over({ headers: JSON_HEADERS, fill, gzip: true }, 1024 * 1024)).code).toBe("upstream_error");
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });

  test("an endless answer is given up at the cap, and its connection closed", async () => {
    const fill = { prefix: "", unit: "x", total: 10 * 1024 * 1024 * 1024, suffix: "" };
    expect((await over({ headers: JSON_HEADERS, fill, framing: "chunked" }, 100_000)).code).toBe("upstream_error");
    await upstream.requests[0]?.gone;
  });
});

describe("a fault is", () => {
  test("refused, where nobody listens: nothing was sent", async () => {
    const gone = await startUpstream();
    await gone.close();
    expect(await kindOf(() => dial.send(requestTo(gone.url), never()))).toBe("refused");
  });

  test("refused, where TLS is answered in plain text: nothing was sent", async () => {
    await withServer(
      () => "HTTP/1.1 400 Bad Request\r\n\r\n",
      async (port) => {
        expect(await kindOf(() => dial.send(requestTo(`https://127.0.0.1:${port}/`), never()))).toBe("refused");
      },
    );
  });

  test("refused, where the operator did not allow private addresses: not even a connection is made", async () => {
    const strict = openDial({ allowPrivate: false, elapsedMs: () => 0 });
    const before = upstream.connections();
    const thrown = await thrownBy(() => strict.send(requestTo(upstream.url), never()));
    expect(thrown).toMatchObject({ kind: "refused" });
    expect(String(thrown)).toContain("TOLLWAY_ALLOW_PRIVATE_UPSTREAMS");
    expect(upstream.connections()).toBe(before);
  });

  test.each(["file:///etc/passwd", "data:application/json,{}", "not a url"])("refused, for %s", async (url) => {
    expect(await kindOf(() => dial.send(requestTo(url), never()))).toBe("refused");
  });

  test.each<[string, Answer]>([
    ["a reset before the headers", { end: { kind: "reset-before-headers" } }],
    ["a connection closed before the headers", { end: { kind: "cut-before-headers" } }],
    ["an answer that is no HTTP", { raw: "hello, this is not HTTP\r\n\r\n" }],
    ["a length that is none", { raw: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\nhello" }],
  ])("reset, for %s: something may have been sent", async (_, answer) => {
    expect(await kindOf(() => send(answer))).toBe("reset");
  });

  test.each<[string, Answer]>([
    ["cut short of its length", { headers: JSON_HEADERS, body: "x".repeat(1_000), end: { kind: "cut", afterBytes: 100 } }],
    ["reset", { headers: JSON_HEADERS, body: "x".repeat(1_000), end: { kind: "reset", afterBytes: 100 } }],
    [
      "torn in a chunk",
      { headers: JSON_HEADERS, body: "x".repeat(1_000), framing: "chunked", end: { kind: "torn-chunk", afterBytes: 100 } },
    ],
    [
      "of a broken chunk size",
      { headers: JSON_HEADERS, body: "x".repeat(1_000), framing: "chunked", end: { kind: "bad-chunk-size", afterBytes: 100 } },
    ],
    ["that says gzip and is not", { headers: { ...JSON_HEADERS, "content-encoding": "gzip" }, body: "plain" }],
  ])("reset, for a body %s", async (_, answer) => {
    // Whether the headers were seen first is a race that the class of the fault does not depend on.
    expect(await kindOf(async () => (await send(answer)).bytes(10_000))).toBe("reset");
  });

  test("aborted, by our own signal: before, while waiting and in the middle of the body", async () => {
    expect(await kindOf(() => send({ body: "{}" }, {}, AbortSignal.abort()))).toBe("aborted");
    upstream.forget();

    const waiting = new AbortController();
    const pending = kindOf(() => send({ beforeHeaders: "never", body: "{}" }, {}, waiting.signal));
    const request = await upstream.request(1);
    waiting.abort();
    expect(await pending).toBe("aborted");
    await request.gone;

    const reading = new AbortController();
    const response = await send(
      { headers: JSON_HEADERS, body: "x".repeat(100), pauses: [{ afterBytes: 50, until: "never" }] },
      {},
      reading.signal,
    );
    const bytes = thrownBy(() => response.bytes(1_000));
    reading.abort();
    expect(await bytes).toBeInstanceOf(DialError);
    await upstream.requests[1]?.gone;
  });

  test("told without the credential, in words and in inspection", async () => {
    const gone = await startUpstream();
    await gone.close();
    const thrown = [
      await thrownBy(() => dial.send(requestTo(gone.url), never())),
      await thrownBy(() => send({ end: { kind: "reset-before-headers" } })),
      await thrownBy(() => send({ body: "{}" }, {}, AbortSignal.abort())),
    ];
    for (const error of thrown) {
      const { message, stack, cause } = error as Error;
      expect(inspect(error, { depth: null, showHidden: true }) + message + stack + inspect(cause, { depth: null })).not.toContain(CANARY);
    }
  });
});

test("connections are used again", async () => {
  const before = upstream.connections();
  for (let n = 0; n < 5; n++) await (await send({ headers: JSON_HEADERS, body: "{}" })).bytes(10);
  expect(upstream.connections() - before).toBeLessThanOrEqual(1);
});
