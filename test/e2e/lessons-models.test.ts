// What else a Messages request can be billed by, beside its own model's tokens: reviewers' findings, each with what is held and settled.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { KeyPolicy } from "../../src/core/exchange";
import type { Script } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type ErrorBody, usd } from "./governed";
import { type RunningHouse, startHouse } from "./house";

let upstream: Upstream;
let house: RunningHouse;
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url });
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

const json = (body: object): Script => ({ status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const message = (usage: object, model = "claude-opus-4-6"): Script =>
  json({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text: "x" }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage,
  });
const ASK = { model: "claude-opus-4-6", max_tokens: 1_000, messages: [{ role: "user", content: "hi" }] };

/** A call by a new key. `limit`: of a hard budget; absent: none counts it. */
async function call(body: object, script: Script, options: { limit?: string; policy?: KeyPolicy; path?: string } = {}) {
  const { limit, policy = {}, path = "/v1/messages" } = options;
  const { key, plain } = await house.ports.keys.create({ organizationId: "default", name: `k${++made}`, mode: "live", policy });
  const id = `bdg_${made}`;
  const window = { unit: "day", rolling: false, zone: "UTC" } as const;
  const shared = { id, organizationId: "default", scope: { kind: "key", id: key.id }, window, createdAt: 0 } as const;
  // A soft budget counts without refusing.
  await house.ports.budgets.put({ ...shared, limit: usd(limit ?? "1000"), hard: limit !== undefined, thresholds: [] });
  upstream.forget();
  upstream.play(script, { times: "always" });
  const response = await fetch(house.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${plain.reveal()}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  await house.settled();
  const sent = upstream.requests.map((request) => request.json() as Record<string, unknown>);
  return { status: response.status, headers: response.headers, text, sent, spent: house.ports.budgets.state(id, "live")?.spent };
}

test("fallbacks to other models are the gateway's own: left out and named", async () => {
  const body = { ...ASK, model: "claude-haiku-4-5", fallbacks: [{ model: "claude-opus-4-1", max_tokens: 32_000 }] };
  const answer = message({ input_tokens: 10, output_tokens: 5 }, "claude-haiku-4-5");
  const { status, headers, sent } = await call(body, answer, { policy: { allowedModels: ["claude-haiku-4-5"] } });
  expect(status).toBe(200);
  expect(sent[0]).not.toHaveProperty("fallbacks");
  expect(headers.get("x-tollway-ignored")).toBe("fallbacks");
});

test("a hosted tool that brings a model of its own is refused by its path", async () => {
  const advisor = { type: "advisor_20260301", name: "advisor", model: "claude-opus-4-1" };
  const addition = { role: "user", content: [{ type: "tool_addition", tool: { type: "tool_definition", definition: advisor } }] };
  for (const [body, param] of [
    [{ ...ASK, tools: [advisor] }, "tools[0].model"],
    [{ ...ASK, messages: [...ASK.messages, addition] }, "messages[1].content[0].tool.definition.model"],
  ] as const) {
    const { status, text, sent } = await call(body, message({ input_tokens: 1, output_tokens: 1 }));
    expect({ status, sent }).toEqual({ status: 400, sent: [] });
    expect((JSON.parse(text) as ErrorBody).error.message).toContain(param);
  }
});

const COMPACTED = {
  input_tokens: 1_000,
  output_tokens: 100,
  iterations: [
    { type: "compaction", input_tokens: 180_000, output_tokens: 3_500, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    { type: "message", input_tokens: 1_000, output_tokens: 100 },
  ],
};
const COMPACTING = { ...ASK, context_management: { edits: [{ type: "clear_tool_uses_20250919" }, { type: "compact_20260112" }] } };
const REPORTED = { id: "msg_1", type: "message", role: "assistant", model: "claude-opus-4-6", content: [], stop_reason: null };

test("compaction is charged beside the answer, streamed or not", async () => {
  // (1,000 + 180,000) × 5,000 + (100 + 3,500) × 25,000 nano-USD
  expect((await call(COMPACTING, message(COMPACTED))).spent).toBe(usd("0.995"));
  const events = [
    { type: "message_start", message: { ...REPORTED, usage: { input_tokens: 1_000, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "x" } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: COMPACTED },
    { type: "message_stop" },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  const stream = { status: 200, headers: { "content-type": "text/event-stream" }, body };
  expect((await call({ ...COMPACTING, stream: true }, stream)).spent).toBe(usd("0.995"));
});

test("a hard budget refuses compaction, which has no bound, and no other edit of the context", async () => {
  const answer = message({ input_tokens: 1, output_tokens: 1 });
  const refused = await call(COMPACTING, answer, { limit: "5" });
  expect(refused).toMatchObject({ status: 400, sent: [] });
  expect(JSON.parse(refused.text)).toMatchObject({ error: { message: expect.stringContaining("context_management") } });
  const cleared = { ...ASK, context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } };
  expect((await call(cleared, answer, { limit: "5" })).status).toBe(200);
  const input = {
    model: "gpt-5",
    max_output_tokens: 16,
    input: "hi",
    context_management: [{ type: "compaction", compact_threshold: 1_000 }],
  };
  const responses = await call(input, answer, { limit: "5", path: "/v1/responses" });
  expect(responses).toMatchObject({ status: 400, sent: [] });
  expect(JSON.parse(responses.text)).toMatchObject({ error: { code: "unbounded_request", param: "context_management" } });
});

test("running usage of a stream that was cut is not its cost: ceiling where the model thinks, else at least our count", async () => {
  const chunk = {
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { role: "assistant", content: "Hello there, how are you today?" }, finish_reason: null }],
    usage: { prompt_tokens: 10, completion_tokens: 0, total_tokens: 10 },
  };
  const cut = { status: 200, headers: { "content-type": "text/event-stream" }, body: `data: ${JSON.stringify(chunk)}\n\n` };
  const ask = { model: "gpt-5", stream: true, max_tokens: 5_000, messages: ASK.messages };
  // 5,000 tokens of output at $10 a million are held, and the input.
  expect((await call(ask, cut, { path: "/v1/chat/completions" })).spent).toBeGreaterThan(usd("0.05"));
  const mini = await call({ ...ask, model: "mistral-small-latest" }, cut, { path: "/v1/chat/completions" });
  // More than the ten tokens of the input.
  expect(mini.spent).toBeGreaterThan(usd("0.000002"));
});

test("an answer made in the US costs a tenth more, whoever chose that", async () => {
  const told = (inference_geo: string, more: object = {}) =>
    message({ input_tokens: 10_000, output_tokens: 1_000, inference_geo, ...more });
  // 10,000 × 5,000 + 1,000 × 25,000 nano-USD
  expect((await call(ASK, told("global"))).spent).toBe(usd("0.075"));
  expect((await call({ ...ASK, inference_geo: "us" }, told("us"))).spent).toBe(usd("0.0825"));
  expect((await call(ASK, told("us"))).spent).toBe(usd("0.0825"));
  expect((await call({ ...ASK, speed: "fast" }, told("us", { speed: "fast" }))).spent).toBe(usd("0.495"));
});

test("a limit of 0, which warms Anthropic's cache, is refused where it may mean none", async () => {
  const answer = message({ input_tokens: 1, output_tokens: 0 });
  for (const model of ["gemini-2.5-pro", "gpt-4o-mini", "mistral-small-latest", "command-r-08-2024", "byo:ollama/llama3.2"]) {
    const { status, text, sent } = await call({ ...ASK, model, max_tokens: 0 }, answer);
    expect({ model, status, sent }).toEqual({ model, status: 400, sent: [] });
    expect((JSON.parse(text) as ErrorBody).error).toMatchObject({ type: "invalid_request_error" });
    expect(text).toContain("0 tokens");
  }
  expect((await call({ ...ASK, max_tokens: 0 }, answer)).sent).toMatchObject([{ max_tokens: 0 }]);
});
