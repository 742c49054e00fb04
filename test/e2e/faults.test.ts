// The fault matrix over real sockets: what the caller sees, and what the ledger says of it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { ManualClock, turn } from "../contract/manual-clock";
import { gate } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER, CHAT_STREAM, frames } from "./own-answers";

interface Attempt {
  upstream_status: number | null;
  error: string | null;
  settlement: string;
  usage_source: string;
  cost_usd: number | null;
  held_usd: number | null;
  flags: string[];
  tokens: { input: number | null; output: number | null };
}

interface Entry {
  status: string;
  error: string | null;
  attempts: Attempt[];
}

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Say hello, please" }] };
const STREAM = { ...ASK, stream: true };
/** A model that thinks where nobody sees it. */
const REASONING = { model: "gpt-5-mini", max_completion_tokens: 50, messages: ASK.messages };

let upstream: Upstream;
let house: RunningHouse;
let clock: ManualClock;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  await house?.close();
  upstream.forget();
  clock = new ManualClock();
  house = await startHouse({ upstream: upstream.url, clock });
  key = await house.key();
});
afterAll(() => house.close());

async function entryOf(response: Response): Promise<Entry> {
  await house.settled();
  const id = response.headers.get("x-request-id") ?? "";
  return (await (await house.get(key, `/v1/account/audit/${id}`)).json()) as Entry;
}

async function onlyEntry(): Promise<Entry> {
  await house.settled();
  const list = (await (await house.get(key, "/v1/account/audit")).json()) as { data: Entry[] };
  expect(list.data).toHaveLength(1);
  return list.data[0] as Entry;
}

/** Sends so many good calls that a retry is in the target's budget. */
async function earnRetry(): Promise<void> {
  upstream.play(CHAT_ANSWER, { times: 5 });
  for (let n = 0; n < 5; n++) expect((await house.chat(key, ASK)).status).toBe(200);
}

describe("an answer that never comes:", () => {
  test("a refused connection is 502 upstream_error, and costs nothing", async () => {
    const gone = await startUpstream();
    await gone.close();
    const lonely = await startHouse({ upstream: gone.url });
    const lonelyKey = await lonely.key();
    const response = await lonely.chat(lonelyKey, ASK);
    expect(response.status).toBe(502);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe("upstream_error");
    await lonely.settled();
    const list = (await (await lonely.get(lonelyKey, "/v1/account/audit")).json()) as { data: Entry[] };
    expect(list.data[0]?.attempts).toMatchObject([{ settlement: "released", cost_usd: 0 }]);
    await lonely.close();
  });

  test("a reset before the headers is 502, charged at its ceiling, and flagged", async () => {
    upstream.play({ ...CHAT_ANSWER, end: { kind: "reset-before-headers" } });
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(502);
    const [attempt] = (await entryOf(response)).attempts;
    expect(attempt).toMatchObject({ settlement: "ceiling", flags: ["maybe_billed"] });
    expect(attempt?.cost_usd).toBe(attempt?.held_usd as number);
  });

  test("a hang before the first byte is 504 at the deadline, charged at its ceiling", async () => {
    upstream.play({ ...CHAT_ANSWER, beforeHeaders: "never" });
    const pending = house.chat(key, ASK);
    const request = await upstream.request(1);
    await clock.advance(20_000);
    const response = await pending;
    expect(response.status).toBe(504);
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe("upstream_timeout");
    await request.gone;
    expect((await entryOf(response)).attempts).toMatchObject([{ settlement: "ceiling", error: "upstream_timeout" }]);
  });

  test("a stream that hangs before its first chunk is 504, charged for its input", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 0, until: "never" }] });
    const pending = house.chat(key, STREAM);
    await upstream.request(1);
    await turn();
    await clock.advance(20_000);
    const response = await pending;
    expect(response.status).toBe(504);
    const [attempt] = (await entryOf(response)).attempts;
    expect(attempt).toMatchObject({ settlement: "counted", usage_source: "counted" });
    expect(attempt?.cost_usd).toBeGreaterThan(0);
    expect(attempt?.cost_usd as number).toBeLessThan(attempt?.held_usd as number);
  });
});

describe("an error instead of an answer:", () => {
  test("500 is 502 to the caller, who is told not to repeat it; nothing is charged", async () => {
    upstream.play({ composed: "openai.500" });
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(502);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(response.headers.get("x-tollway-source")).toBe("upstream");
    expect((await entryOf(response)).attempts).toMatchObject([{ upstream_status: 500, settlement: "released", cost_usd: 0 }]);
  });

  test("500 is tried once more on the same target when the retry budget has it, and the second answer is the caller's", async () => {
    await earnRetry();
    upstream.play({ composed: "openai.500" });
    upstream.play(CHAT_ANSWER);
    const pending = house.chat(key, ASK);
    await upstream.request(6);
    while (clock.sleepers === 0) await turn();
    await clock.advance(2_000);
    const response = await pending;
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-attempts")).toBe("2");
    expect((await entryOf(response)).attempts).toMatchObject([
      { upstream_status: 500, settlement: "released", cost_usd: 0 },
      { upstream_status: 200, settlement: "exact" },
    ]);
  });

  test("429 goes on to the caller with its delay; nothing is charged", async () => {
    upstream.play({ composed: "openai.429.tpm" });
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after-ms")).toBe("3890");
    expect(response.headers.get("retry-after")).toBe("4");
    expect(response.headers.get("x-ratelimit-remaining-tokens")).toBe("0");
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("rate_limit_exceeded");
    expect(error.message).toContain("Rate limit reached for gpt-4o");
    expect((await entryOf(response)).attempts).toMatchObject([{ upstream_status: 429, settlement: "released", cost_usd: 0 }]);
  });

  test("a storm of 500s is not multiplied: attempts stay within 1.2 times the calls", async () => {
    upstream.play({ composed: "openai.500" }, { times: "always" });
    const calls = 40;
    for (let n = 0; n < calls; n++) {
      const pending = house.chat(key, ASK);
      let done = false;
      void pending.then(() => {
        done = true;
      });
      while (!done) {
        await turn();
        await clock.advance(5);
      }
      expect((await pending).status).toBe(502);
    }
    expect(upstream.requests.length).toBeGreaterThan(calls);
    expect(upstream.requests.length).toBeLessThanOrEqual(calls * 1.2);
  });

  test("a redirect is not followed", async () => {
    upstream.play({ status: 302, headers: { location: `${upstream.url}/elsewhere` }, body: "" });
    expect((await house.chat(key, ASK)).status).toBe(502);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe("an answer that is none:", () => {
  test.each([
    ["malformed JSON", { ...CHAT_ANSWER, body: '{"id": "chatcmpl-1", "choices": [' }],
    ["HTML with status 200", { status: 200, headers: { "content-type": "text/html" }, body: "<html>sk-secret-of-the-page</html>" }],
    ["JSON that is no answer", { status: 200, headers: { "content-type": "application/json" }, body: '{"hello": "world"}' }],
    ["a body cut in the middle", { ...CHAT_ANSWER, end: { kind: "cut", afterBytes: 100 } as const }],
  ])("%s is 502, never echoed, charged at its ceiling", async (_, answer) => {
    upstream.play(answer);
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(502);
    const text = await response.text();
    expect(text).not.toContain("html");
    expect(text).not.toContain("chatcmpl-1");
    const [attempt] = (await entryOf(response)).attempts;
    expect(attempt).toMatchObject({ upstream_status: 200, settlement: "ceiling" });
    expect(attempt?.cost_usd).toBe(attempt?.held_usd as number);
  });

  test("an answer over the cap is 502", async () => {
    await house.close();
    house = await startHouse({ upstream: upstream.url, settings: { limits: { maxAnswerBytes: 100_000 } } });
    key = await house.key();
    const fill = { prefix: '{"choices":[{"message":{"content":"', unit: "x", total: 300_000, suffix: '"}}]}' };
    for (const gzip of [false, true]) {
      upstream.play({ status: 200, headers: { "content-type": "application/json" }, fill, gzip });
      expect((await house.chat(key, ASK)).status).toBe(502);
    }
    expect((await house.get(key, "/v1/account")).status).toBe(200);
  });
});

describe("a stream that breaks:", () => {
  const broken = [
    ["cut by FIN", { kind: "cut", afterBytes: 900 } as const],
    ["reset", { kind: "reset", afterBytes: 900 } as const],
    ["ended cleanly by HTTP without its terminator", { kind: "clean-end", afterBytes: 900 } as const],
  ] as const;

  test.each(broken)("%s ends with an error event and no terminator; counted, at most the hold", async (_, end) => {
    const { promise, open } = gate();
    upstream.play({ ...CHAT_STREAM, end, pauses: [{ afterBytes: 890, until: promise }] });
    const response = await house.chat(key, STREAM);
    expect(response.status).toBe(200);
    open(); // Only now: a reset takes what was not read yet with it.
    const text = await response.text();
    expect(text).not.toContain("[DONE]");
    const last = frames(text).at(-1) as { error: { code: string; type: string } };
    expect(last.error.code).toBe("stream_truncated");
    const [attempt] = (await entryOf(response)).attempts;
    expect(attempt).toMatchObject({ settlement: "counted", usage_source: "counted", error: "stream_truncated" });
    expect(attempt?.tokens.output).toBeGreaterThan(0);
    expect(attempt?.cost_usd).toBeGreaterThan(0);
    expect(attempt?.cost_usd as number).toBeLessThanOrEqual(attempt?.held_usd as number);
    expect(upstream.requests).toHaveLength(1);
  });

  test("a reset before the caller has a byte is 502, and no retry on the same target is silent", async () => {
    upstream.play({ ...CHAT_STREAM, end: { kind: "reset", afterBytes: 0 } });
    const response = await house.chat(key, STREAM);
    expect(response.status).toBe(502);
    expect((await entryOf(response)).attempts).toMatchObject([{ settlement: "counted" }]);
  });

  test("of a reasoning model is charged at its ceiling", async () => {
    upstream.play({ ...CHAT_STREAM, end: { kind: "cut", afterBytes: 900 } });
    const response = await house.chat(key, { ...REASONING, stream: true });
    await response.text();
    const [attempt] = (await entryOf(response)).attempts;
    expect(attempt).toMatchObject({ settlement: "ceiling" });
    expect(attempt?.cost_usd).toBe(attempt?.held_usd as number);
  });

  test("a stall in the middle ends with an error event at the idle-gap deadline", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: "never" }] });
    const response = await house.chat(key, STREAM);
    const reading = response.text();
    for (let n = 0; n < 20; n++) await turn();
    await clock.advance(30_000);
    const text = await reading;
    expect(text).not.toContain("[DONE]");
    expect((frames(text).at(-1) as { error: { code: string } }).error.code).toBe("upstream_timeout");
    expect((await entryOf(response)).attempts).toMatchObject([{ settlement: "counted", error: "upstream_timeout" }]);
  });

  test("garbage in the middle ends with an error event", async () => {
    const { promise, open } = gate();
    upstream.play({
      ...CHAT_STREAM,
      append: undefined,
      body: `${String(CHAT_STREAM.body).slice(0, 900)}\n\ndata: {"broken\n\ndata: [DONE]\n\n`,
      pauses: [{ afterBytes: 890, until: promise }],
    });
    const response = await house.chat(key, STREAM);
    open(); // Only now: garbage that comes with the first bytes is a failed attempt, not a broken stream.
    const text = await response.text();
    expect(text).not.toContain("[DONE]");
    expect((frames(text).at(-1) as { error: { code: string } }).error.code).toBe("upstream_error");
  });

  test("one-byte chunks, CRLF and chunks after the terminator change nothing", async () => {
    upstream.play(CHAT_STREAM);
    const plain = frames(await (await house.chat(key, STREAM)).text());
    const late =
      'data: {"id":"late","object":"chat.completion.chunk","created":1,"model":"x","choices":[{"index":0,"delta":{"content":"late"}}]}\n\ndata: [DONE]\n\n';
    upstream.play({ ...CHAT_STREAM, pieces: "bytes", append: late });
    const cut = frames(await (await house.chat(key, STREAM)).text());
    const said = (list: unknown[]): string =>
      list.map((frame) => (frame as { choices?: { delta?: { content?: string } }[] }).choices?.[0]?.delta?.content ?? "").join("");
    expect(cut).toHaveLength(plain.length);
    expect(said(cut)).toBe(said(plain));
    expect(said(cut)).toContain("an answer of some length.");
  });

  test("usage that the provider does not tell is counted, and said to be", async () => {
    const body = String(CHAT_STREAM.body).replace(/data: [^\n]*"choices":\[\],"usage"[^\n]*\n\n/, "");
    upstream.play({ ...CHAT_STREAM, body });
    const response = await house.chat(key, { ...STREAM, stream_options: { include_usage: true } });
    const text = await response.text();
    expect(text).toContain("[DONE]");
    expect((await entryOf(response)).attempts).toMatchObject([{ settlement: "counted", usage_source: "counted" }]);
  });
});

describe("a caller that leaves:", () => {
  test("before the first byte: the provider's connection is closed, and the ceiling charged", async () => {
    upstream.play({ ...CHAT_ANSWER, beforeHeaders: "never" });
    const leave = new AbortController();
    const pending = house.chat(key, ASK, { signal: leave.signal }).catch((error: unknown) => error);
    const request = await upstream.request(1);
    leave.abort();
    expect(await pending).toBeInstanceOf(Error);
    await request.gone;
    const entry = await onlyEntry();
    expect(entry.attempts).toMatchObject([{ settlement: "ceiling", flags: ["caller_gone"] }]);
  });

  test("in the middle of a stream: the provider's connection is closed, and what was seen is counted", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: "never" }] });
    const leave = new AbortController();
    const response = await house.chat(key, STREAM, { signal: leave.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const request = await upstream.request(1);
    leave.abort();
    await reader.read().catch((error: unknown) => error);
    await request.gone;
    const entry = await onlyEntry();
    expect(entry.attempts).toMatchObject([{ settlement: "counted", flags: ["caller_gone"] }]);
    expect(entry.attempts[0]?.cost_usd).toBeGreaterThan(0);
  });

  test("nothing stays reserved after any of it", async () => {
    upstream.play({ composed: "openai.500" });
    await house.chat(key, ASK);
    upstream.play({ ...CHAT_STREAM, end: { kind: "cut", afterBytes: 900 } });
    await (await house.chat(key, STREAM)).text();
    await house.settled();
    const account = (await (await house.get(key, "/v1/account")).json()) as { key: { reserved_usd: number; spent_usd: number } };
    expect(account.key.reserved_usd).toBe(0);
    expect(account.key.spent_usd).toBeGreaterThan(0);
  });
});

describe("stopping:", () => {
  test("a stream that outlives the grace ends with an error event and is settled", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: "never" }] });
    const response = await house.chat(key, STREAM);
    const reading = response.text();
    for (let n = 0; n < 20; n++) await turn();
    house.stopNow.abort();
    expect((frames(await reading).at(-1) as { error: { code: string } }).error.code).toBe("overloaded");
    expect(await onlyEntry()).toMatchObject({ attempts: [{ settlement: "counted" }] });
  });
});
