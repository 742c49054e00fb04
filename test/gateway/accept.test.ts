// The first step over a real socket: bodies that come slowly, not at all, or in part.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { turn } from "../contract/manual-clock";
import { type RunningHouse, startHouse } from "../e2e/house";
import { CHAT_ANSWER } from "../e2e/own-answers";
import { parseRawAnswer, type RawConnection, rawConnect } from "../upstream/raw-client";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { WatchedClock } from "./watched-clock";

const BODY_MS = 5_000;
const BODY = JSON.stringify({ model: "gpt-4o-mini", max_tokens: 20, messages: [{ role: "user", content: "Hello" }] });

let upstream: Upstream;
let house: RunningHouse;
let clock: WatchedClock;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
});
beforeEach(async () => {
  await house?.close();
  upstream.forget();
  clock = new WatchedClock();
  house = await startHouse({ upstream: upstream.url, clock, settings: { deadlines: { bodyMs: BODY_MS } } });
  key = await house.key();
  clock.forget();
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

const connection = (): Promise<RawConnection> => rawConnect(Number(new URL(house.url).port));
const head = (headers: string, authorization = `authorization: Bearer ${key}\r\n`): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n${authorization}${headers}\r\n`;
const withLength = (length = BODY.length): string => head(`content-length: ${length}\r\n`);
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Until the head that was sent has reached the line: its body's deadline stands. */
const arrived = (): Promise<void> => clock.timerOf(BODY_MS);

async function refusalOf(raw: RawConnection): Promise<{ status: number; code: string; type: string }> {
  const { statusLine, body } = parseRawAnswer(await raw.until(/\}\}/));
  const { error } = JSON.parse(body) as { error: { code: string; type: string } };
  return { status: Number(statusLine.split(" ")[1]), code: error.code, type: error.type };
}

const TIMED_OUT = { status: 408, code: "request_timeout", type: "invalid_request_error" };

describe("a body that does not arrive in time is 408:", () => {
  test.each<[string, () => string]>([
    ["none of it, its length announced", () => withLength()],
    ["half of it, its length announced", () => withLength() + BODY.slice(0, 40)],
    ["none of it, in chunks", () => head("transfer-encoding: chunked\r\n")],
    ["half of it, in chunks", () => head("transfer-encoding: chunked\r\n") + chunk(BODY.slice(0, 40))],
    ["all of it but the last chunk", () => head("transfer-encoding: chunked\r\n") + chunk(BODY)],
  ])("%s", async (_, request) => {
    const raw = await connection();
    raw.send(request());
    await arrived();
    await clock.advance(BODY_MS - 1);
    expect(raw.text()).toBe("");
    await clock.advance(1);
    expect(await refusalOf(raw)).toEqual(TIMED_OUT);
    expect(upstream.requests).toEqual([]);
    expect(house.ports.holds.openCount()).toBe(0);
    raw.reset();
  });

  test("a byte now and then does not extend it", async () => {
    const raw = await connection();
    raw.send(withLength());
    await arrived();
    for (let n = 0; n < 50; n++) {
      raw.send(BODY[n] as string);
      await turn();
      await clock.advance(BODY_MS / 50);
    }
    expect(await refusalOf(raw)).toEqual(TIMED_OUT);
    raw.reset();
  });
});

describe("a body that arrives in time is served:", () => {
  test.each<[string, (body: string) => readonly string[]]>([
    ["in two halves, its length announced", (body) => [withLength(), body.slice(0, 40), body.slice(40)]],
    ["in chunks", (body) => [head("transfer-encoding: chunked\r\n"), chunk(body.slice(0, 40)), chunk(body.slice(40)), "0\r\n\r\n"]],
    ["byte by byte", (body) => [withLength(), ...body]],
  ])("%s", async (_, pieces) => {
    upstream.play(CHAT_ANSWER);
    const raw = await connection();
    for (const piece of pieces(BODY)) {
      raw.send(piece);
      await turn();
    }
    expect(await raw.until(/\r\n\r\n/)).toStartWith("HTTP/1.1 200 ");
    expect(upstream.requests[0]?.text()).toBe(BODY);
    // The deadline is over with the body: long after it, the connection still serves.
    await clock.advance(60_000);
    upstream.play(CHAT_ANSWER);
    raw.send(withLength() + BODY);
    await raw.until(/200 OK[\s\S]*200 OK/);
    raw.close();
  });
});

describe("a body that ends too soon", () => {
  test.each<[string, () => string]>([
    ["by FIN, its length announced", () => withLength() + BODY.slice(0, 40)],
    ["by FIN, in chunks", () => head("transfer-encoding: chunked\r\n") + chunk(BODY.slice(0, 40))],
  ])("%s: nothing goes out, nothing is held, and the next caller is served", async (_, request) => {
    const raw = await connection();
    raw.send(request());
    await arrived();
    raw.reset();
    await clock.advance(2 * BODY_MS);
    expect(upstream.requests).toEqual([]);
    expect(house.ports.holds.openCount()).toBe(0);
    upstream.play(CHAT_ANSWER);
    expect((await house.chat(key, BODY)).status).toBe(200);
  });
});

describe("before a byte of the body is read", () => {
  test.each<[string, string]>([
    ["no key", ""],
    ["a key of another shape", "authorization: Bearer sk-proj-1234567890abcdef\r\n"],
    ["an empty key", "x-api-key: \r\n"],
  ])("%s is 401", async (_, authorization) => {
    const raw = await connection();
    raw.send(head("content-length: 1000000\r\n", authorization));
    expect(await refusalOf(raw)).toMatchObject({ status: 401, code: "invalid_api_key" });
    raw.reset();
  });

  test("an announced length over the limit is 413", async () => {
    const raw = await connection();
    raw.send(withLength(65 * 1024 * 1024));
    expect(await refusalOf(raw)).toMatchObject({ status: 413, code: "request_too_large" });
    raw.reset();
  });

  test("a header that is no tag is 400 and named", async () => {
    const raw = await connection();
    raw.send(head("content-length: 1000000\r\nx-tollway-tag: not a tag\r\n"));
    expect(await refusalOf(raw)).toMatchObject({ status: 400, code: "invalid_tag" });
    raw.reset();
  });
});

test.each<[string, string]>([
  ["two lengths that differ", "content-length: 10\r\ncontent-length: 200\r\n"],
  ["a length and chunks at once", "content-length: 10\r\ntransfer-encoding: chunked\r\n"],
  ["a length that is no number", "content-length: ten\r\n"],
  ["a negative length", "content-length: -1\r\n"],
])("%s reaches no provider", async (_, headers) => {
  const raw = await connection();
  raw.send(`${head(headers)}${chunk(BODY)}0\r\n\r\n`);
  const text = await Promise.race([raw.until(/\r\n\r\n/), raw.ended]);
  expect(text).not.toContain("200 OK");
  expect(upstream.requests).toEqual([]);
  raw.reset();
});
