// What a caller may pin beside auto, and what auto makes of a request for the model that it chose.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER } from "./own-answers";

const ASK = { model: "auto", max_tokens: 50, messages: [{ role: "user", content: "hi" }] };
const GEMINI = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    candidates: [{ content: { parts: [{ text: "x" }], role: "model" }, finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
    modelVersion: "gemini-2.5-flash",
    responseId: "x",
  }),
};
let upstream: Upstream;
let house: RunningHouse;
let key: string;
beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url, settings: { limits: { maxAnswerBytes: 100_000 } } });
  key = await house.key();
});
beforeEach(() => upstream.forget());
afterAll(async () => {
  await house.close();
  await upstream.close();
});

test("auto knows a provider by its other name", async () => {
  upstream.play(GEMINI);
  expect((await house.chat(key, { ...ASK, provider: { only: ["google"] } })).status).toBe(200);
});
test("auto refuses a provider that does not exist by name, as a pinned model does", async () => {
  const response = await house.chat(key, { ...ASK, provider: { only: ["nobody"] } });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: "invalid_value", param: "provider.only[0]" } });
});
test("auto takes an empty list as no list, as a pinned model does", async () => {
  upstream.play(CHAT_ANSWER);
  expect((await house.chat(key, { ...ASK, provider: { only: [] } })).status).toBe(200);
});
test("auto never sends a reasoning model of OpenAI the fields that it refuses", async () => {
  upstream.play(CHAT_ANSWER);
  await house.chat(key, ASK);
  expect(upstream.requests[0]?.json()).not.toHaveProperty("max_tokens");
});
test("auto leaves out a model that takes no temperature", async () => {
  upstream.play(GEMINI);
  await house.chat(key, { ...ASK, temperature: 0.2 });
  expect(upstream.requests[0]?.model).not.toBe("gpt-5-mini");
});
test("a stream ends with an error event at the cap of its decoded bytes", async () => {
  const unit = `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content: "x".repeat(1_000) }, finish_reason: null }] })}\n\n`;
  upstream.play({
    headers: { "content-type": "text/event-stream" },
    framing: "chunked",
    fill: { prefix: "", unit, total: unit.length * 1_000, suffix: "" },
  });
  const text = await (await house.chat(key, { ...ASK, model: "gpt-4o-mini", stream: true })).text();
  expect(text.length).toBeLessThan(200_000);
  expect(text).toContain('"code":"upstream_error"');
});
describe("a complete answer of a reasoning model without usage", () => {
  test("is charged at its ceiling: nobody saw what it thought", async () => {
    const { usage: _, ...body } = JSON.parse(String(CHAT_ANSWER.body)) as Record<string, unknown>;
    upstream.play({ ...CHAT_ANSWER, body: JSON.stringify(body) });
    const response = await house.chat(key, { model: "gpt-5-mini", max_completion_tokens: 5_000, messages: ASK.messages });
    await house.settled();
    const entry = (await (await house.get(key, `/v1/account/audit/${response.headers.get("x-request-id")}`)).json()) as {
      attempts: { settlement: string }[];
    };
    expect(entry.attempts[0]?.settlement).toBe("ceiling");
  });
});
