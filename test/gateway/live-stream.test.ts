// A stream's life beside what test/e2e/faults.test.ts shows: slow readers, providers that do not close, providers that bill anyway.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Provider } from "../../src/providers/provider";
import { providerNamed } from "../../src/providers/registry";
import { turn } from "../contract/manual-clock";
import { type RunningHouse, startHouse } from "../e2e/house";
import { CHAT_ANSWER, CHAT_STREAM } from "../e2e/own-answers";
import { type RawConnection, rawConnect, rawPost } from "../upstream/raw-client";
import { gate } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { WatchedClock } from "./watched-clock";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Say hello, please" }] };
const STREAM = { ...ASK, stream: true };
const STREAM_BYTES = Buffer.byteLength(String(CHAT_STREAM.body));
const WRITE_STALL_MS = 20_000;
/** A length that no other timer has. */
const DRAIN_MS = 7_000;

interface Attempt {
  error: string | null;
  settlement: string;
  usage_source: string;
  cost_usd: number | null;
  held_usd: number | null;
  flags: string[];
}

let house: RunningHouse;
let clock: WatchedClock;
let key: string;

async function open(upstream: string): Promise<void> {
  clock = new WatchedClock();
  // A provider may be silent for as long as it likes: these tests are about the other side.
  const deadlines = { writeStallMs: WRITE_STALL_MS, drainMs: DRAIN_MS, idleGapMs: 1_000_000_000 };
  // Nor for its size.
  house = await startHouse({ upstream, clock, settings: { deadlines, limits: { maxAnswerBytes: 1 << 30 } } });
  key = await house.key();
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

async function onlyAttempt(): Promise<Attempt> {
  await house.settled();
  const { data } = (await (await house.get(key, "/v1/account/audit")).json()) as { data: { attempts: Attempt[] }[] };
  expect(data.map((entry) => entry.attempts.length)).toEqual([1]);
  return data[0]?.attempts[0] as Attempt;
}

describe("a caller that reads slowly", () => {
  const frame = Buffer.from(
    `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content: "x".repeat(1_000) }, finish_reason: null }] })}\n\n`,
  );
  const piece = Buffer.concat([Buffer.from(`${frame.length.toString(16)}\r\n`), frame, Buffer.from("\r\n")]);
  /** More than any socket's buffers hold. */
  const ENOUGH_BYTES = 200 * 1024 * 1024;
  /** What may lie between the provider and a caller that reads nothing: the kernel's buffers on both sides, and a little of ours. */
  const MOST_BYTES = 48 * 1024 * 1024;

  let server: Server;
  let provider: Socket | undefined;
  let sent = 0;
  let caller: RawConnection;

  /** A provider that writes for ever, as fast as it is read. */
  function pump(socket: Socket): void {
    while (!socket.destroyed && sent < ENOUGH_BYTES) {
      sent += piece.length;
      if (!socket.write(piece)) {
        socket.once("drain", () => pump(socket));
        return;
      }
    }
  }

  beforeEach(async () => {
    sent = 0;
    server = createServer((socket) => {
      provider = socket;
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
        pump(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    caller = await rawConnect(Number(new URL(house.url).port));
    caller.send(rawPost("/v1/chat/completions", STREAM, { authorization: `Bearer ${key}` }));
    await caller.until(/chat\.completion\.chunk/);
    caller.pause();
  });
  afterEach(async () => {
    caller.reset();
    provider?.destroy();
    server.close();
    await house.close();
  });

  /** Until the provider is not read any more. */
  async function stalled(): Promise<void> {
    for (let before = -1; before !== sent; ) {
      before = sent;
      await turns(1_000);
    }
  }

  test("slows the provider down: no more is read of it than the buffers hold", async () => {
    await stalled();
    expect(sent).toBeLessThan(MOST_BYTES);
  });

  test("and then not at all is cut at the write-stall deadline, with the provider, and settled", async () => {
    await stalled();
    await clock.advance(WRITE_STALL_MS - 1);
    expect(house.ports.holds.openCount()).toBe(1);
    expect(provider?.destroyed).toBe(false);
    while (house.ports.holds.openCount() > 0) await clock.advance(WRITE_STALL_MS / 4);
    const attempt = await onlyAttempt();
    expect(attempt).toMatchObject({ settlement: "counted", usage_source: "counted", error: "request_timeout", flags: ["caller_gone"] });
    expect(attempt.cost_usd).toBeGreaterThan(0);
    expect(attempt.cost_usd as number).toBeLessThanOrEqual(attempt.held_usd as number);
    while (provider?.destroyed === false) await turn();
    caller.resume();
    // What it reads in the end is broken off: never a clean end.
    await caller.ended;
    expect(caller.text()).not.toEndWith("0\r\n\r\n");
    expect(caller.text()).not.toContain("[DONE]");
  });

  test("but goes on reading is not cut, however long it takes", async () => {
    for (let n = 0; n < 3; n++) {
      await stalled();
      await clock.advance(WRITE_STALL_MS * 0.7);
      const before = sent;
      caller.resume();
      while (sent < before + MOST_BYTES / 2) await turn();
      caller.pause();
    }
    expect(house.ports.holds.openCount()).toBe(1);
    expect(provider?.destroyed).toBe(false);
  });
});

describe("a provider that keeps its connection open after the terminator", () => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream.close());
  beforeEach(async () => {
    upstream.forget();
    await open(upstream.url);
  });
  afterEach(() => house.close());

  test("keeps nobody waiting: the caller's stream ends and the call is settled without any time passing", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: STREAM_BYTES, until: "never" }] });
    const text = await (await house.chat(key, STREAM)).text();
    expect(text).toEndWith("data: [DONE]\n\n");
    expect(await onlyAttempt()).toMatchObject({ settlement: "exact", error: null, flags: [] });
    expect(clock.elapsedMs()).toBe(0);
  });

  test("is given a moment to close, and then closed", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: STREAM_BYTES, until: "never" }] });
    await (await house.chat(key, STREAM)).text();
    const request = await upstream.request(1);
    await turns(20);
    expect(request.goneAt).toBeUndefined();
    await clock.advance(1_000);
    await request.gone;
  });

  test("is used again where it closes its answer in that moment", async () => {
    const { promise, open: close } = gate();
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: STREAM_BYTES, until: promise }] });
    await (await house.chat(key, STREAM)).text();
    close();
    expect(await (await upstream.request(1)).ended).toBe("played");
    await turns(20);
    upstream.play(CHAT_ANSWER);
    expect((await house.chat(key, ASK)).status).toBe(200);
    expect(new Set(upstream.requests.map((request) => request.connection)).size).toBe(1);
  });
});

describe("a provider that bills to the end, whoever has left,", () => {
  // No row is of this kind yet; one of them becomes it while these tests run.
  const row = providerNamed("openai") as { -readonly [Field in keyof Provider]: Provider[Field] };
  const before = row.onCallerGone;
  let upstream: Upstream;
  beforeAll(async () => {
    row.onCallerGone = "drain";
    upstream = await startUpstream();
  });
  afterAll(async () => {
    row.onCallerGone = before;
    await upstream.close();
  });
  beforeEach(async () => {
    upstream.forget();
    await open(upstream.url);
  });
  afterEach(() => house.close());

  /** A caller that reads the first bytes of a stream and leaves. */
  async function leaveInTheMiddle(): Promise<void> {
    const leave = new AbortController();
    const response = await house.chat(key, STREAM, { signal: leave.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    leave.abort();
    await reader.read().catch((error: unknown) => error);
    await clock.timerOf(DRAIN_MS);
  }

  test("is listened to until it has told its usage, and charged exactly", async () => {
    const { promise, open: goOn } = gate();
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: promise }] });
    await leaveInTheMiddle();
    const request = await upstream.request(1);
    expect(request.goneAt).toBeUndefined();
    expect(house.ports.holds.openCount()).toBe(1);
    goOn();
    expect(await request.ended).toBe("played");
    expect(await onlyAttempt()).toMatchObject({ settlement: "exact", usage_source: "provider", flags: ["caller_gone"] });
  });

  test("is given up at the drain deadline, and what was seen is counted", async () => {
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: "never" }] });
    await leaveInTheMiddle();
    const request = await upstream.request(1);
    await clock.advance(DRAIN_MS - 1);
    expect(request.goneAt).toBeUndefined();
    expect(house.ports.holds.openCount()).toBe(1);
    await clock.advance(1);
    await request.gone;
    const attempt = await onlyAttempt();
    expect(attempt).toMatchObject({ settlement: "counted", flags: ["caller_gone"] });
    expect(attempt.cost_usd).toBeGreaterThan(0);
  });

  test("is heard out where the caller left before a whole answer came", async () => {
    const { promise, open: goOn } = gate();
    upstream.play({ ...CHAT_ANSWER, beforeHeaders: promise });
    const leave = new AbortController();
    const pending = house.chat(key, ASK, { signal: leave.signal }).catch((error: unknown) => error);
    const request = await upstream.request(1);
    leave.abort();
    expect(await pending).toBeInstanceOf(Error);
    await turns(20);
    expect(request.goneAt).toBeUndefined();
    goOn();
    expect(await request.ended).toBe("played");
    expect(await onlyAttempt()).toMatchObject({ settlement: "exact", usage_source: "provider" });
  });

  test("is heard out where the caller left before a stream's first byte", async () => {
    const [first, rest] = [gate(), gate()];
    upstream.play({ ...CHAT_STREAM, beforeHeaders: first.promise, pauses: [{ afterBytes: 900, until: rest.promise }] });
    const leave = new AbortController();
    const pending = house.chat(key, STREAM, { signal: leave.signal }).catch((error: unknown) => error);
    const request = await upstream.request(1);
    leave.abort();
    expect(await pending).toBeInstanceOf(Error);
    first.open();
    await clock.timerOf(DRAIN_MS);
    expect(request.goneAt).toBeUndefined();
    rest.open();
    expect(await request.ended).toBe("played");
    expect(await onlyAttempt()).toMatchObject({ settlement: "exact", usage_source: "provider", flags: ["caller_gone"] });
  });
});
