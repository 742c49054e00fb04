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
