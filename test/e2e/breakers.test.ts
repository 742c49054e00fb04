// What a reviewer broke once, and must stay whole.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER } from "./own-answers";

const ASK = { model: "gpt-4o-mini", max_tokens: 5_000, messages: [{ role: "user", content: "hi" }] };
const CLAUDE = { ...ASK, model: "claude-haiku-4-5", stream: true };
const SSE = { "content-type": "text/event-stream" };

interface Row {
  settlement: string;
  usage_source: string;
  cost_usd: number;
  held_usd: number;
  tokens: { input: number; output: number };
}
interface Refused {
  error: { code: string; param: string | null; type: string; message: string };
}

let upstream: Upstream;
let house: RunningHouse;
let key: string;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url });
  key = await house.key();
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await house.close();
  await upstream.close();
});

async function rowOf(response: Response): Promise<Row> {
  await house.settled();
  const entry = await (await house.get(key, `/v1/account/audit/${response.headers.get("x-request-id")}`)).json();
  return (entry as { attempts: Row[] }).attempts[0] as Row;
}

describe("hints in the body's own object", () => {
  test.each([
    ["region", "eu", "unsupported_parameter"],
    ["run_budget_usd", -0.01, "invalid_value"],
    ["run-max-steps", 1.5, "invalid_value"],
    ["tag", "no spaces please", "invalid_tag"],
    ["tag", 7, "invalid_tag"],
  ])("%s: %p is refused by name", async (field, value, code) => {
    const response = await house.chat(key, { ...ASK, tollway: { [field]: value } });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Refused).error).toMatchObject({ code, param: `tollway.${field}` });
  });

  test("a tag is kept, and wishes are named as ignored", async () => {
    upstream.play(CHAT_ANSWER);
    const response = await house.chat(key, { ...ASK, tollway: { tag: "body-tag", mode: "cost", zzz: 1 } });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-ignored")).toBe("tollway.mode,tollway.zzz");
    await house.settled();
    const entry = await (await house.get(key, `/v1/account/audit/${response.headers.get("x-request-id")}`)).json();
    expect(entry).toMatchObject({ tag: "body-tag" });
    expect(upstream.requests[0]?.json()).not.toHaveProperty("tollway");
  });
});

describe("usage that is not whole", () => {
  test.each([
    [{}],
    [{ prompt_tokens: 10 }],
    [{ total_tokens: 10 }],
    [{ prompt_tokens: 10, completion_tokens: -1 }],
    [{ prompt_tokens: "10", completion_tokens: "9" }],
  ])("%j is counted, and its output is not nothing", async (usage) => {
    const body = JSON.parse(String(CHAT_ANSWER.body)) as object;
    upstream.play({ ...CHAT_ANSWER, body: JSON.stringify({ ...body, usage }) });
    const row = await rowOf(await house.chat(key, ASK));
    expect(row).toMatchObject({ settlement: "counted", usage_source: "counted" });
    expect(row.tokens.output).toBeGreaterThan(5);
  });

  test("that was told whole before a stream broke is charged as told", async () => {
    const events = [
      {
        type: "message_start",
        message: {
          id: "m",
          type: "message",
          role: "assistant",
          model: "claude-haiku-4-5",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 10, output_tokens: 1 },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hello" } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 400 } },
    ];
    upstream.play({ headers: SSE, body: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("") });
    const response = await house.chat(key, CLAUDE);
    expect(await response.text()).not.toContain("[DONE]");
    // 10 × 1,000 + 400 × 5,000 nano-USD
    expect(await rowOf(response)).toMatchObject({ settlement: "exact", cost_usd: 0.00201, tokens: { input: 10, output: 400 } });
  });
});

test("an error before anything else in a stream is an error answer: nothing is charged", async () => {
  upstream.play({
    headers: SSE,
    body: 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
  });
  const response = await house.chat(key, CLAUDE);
  expect(response.status).toBe(502);
  expect(((await response.json()) as Refused).error.type).toBe("server_error");
  expect(await rowOf(response)).toMatchObject({ settlement: "released", cost_usd: 0 });
});

test("the operator's credential never comes back, whatever its shape", async () => {
  const said = { type: "error", error: { type: "invalid_request_error", message: "bad sk-upstream-anthropic here" } };
  upstream.play({ status: 400, headers: { "content-type": "application/json" }, body: JSON.stringify(said) });
  const refused = await house.chat(key, { ...CLAUDE, stream: false });
  expect(await refused.text()).not.toContain("sk-upstream-anthropic");
  upstream.play({ headers: SSE, body: `event: error\ndata: ${JSON.stringify(said)}\n\n` });
  expect(await (await house.chat(key, CLAUDE)).text()).not.toContain("sk-upstream-anthropic");
  upstream.play({ ...CHAT_ANSWER, headers: { ...CHAT_ANSWER.headers, "openai-processing-ms": "sk-upstream-openai" } });
  expect(JSON.stringify(Object.fromEntries((await house.chat(key, ASK)).headers))).not.toContain("sk-upstream-openai");
});

describe("odd bytes and paths", () => {
  test("a byte order mark in front of the body is refused, not forwarded", async () => {
    const response = await house.chat(key, `\ufeff${JSON.stringify(ASK)}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as Refused).error.code).toBe("invalid_json");
  });

  test.each(["%", "%zz", "%ff"])("/v1/models/%s is the id of no model", async (id) => {
    expect((await house.get(key, `/v1/models/${id}`)).status).toBe(404);
  });

  test("/v1/v1 is /v1", async () => {
    expect((await house.get(key, "/v1/v1/models/gpt-4o-mini")).status).toBe(200);
    upstream.play(CHAT_ANSWER);
    const response = await fetch(`${house.url}/v1/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(ASK),
    });
    expect(response.status).toBe(200);
  });
});
