// What hard budgets ask of each provider and each door: a limit in the provider's own words, and no limit where nothing is billed by it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import { startUpstream, type Upstream } from "../upstream/upstream";
import type { ErrorBody } from "./governed";
import { type RunningHouse, startHouse } from "./house";

let upstream: Upstream;
let house: RunningHouse;
let plain: string;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url });
  const made = await house.ports.keys.create({ organizationId: "default", name: "k", mode: "live" });
  plain = made.plain.reveal();
  const window = { unit: "day", rolling: false, zone: "UTC" } as const;
  const scope = { kind: "key", id: made.key.id } as const;
  const limit = nanoUsd(1_000n * 10n ** 9n);
  await house.ports.budgets.put({ id: "bdg_1", organizationId: "default", scope, limit, window, hard: true, thresholds: [], createdAt: 0 });
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

const REFUSED = { status: 400, headers: { "content-type": "application/json" }, body: '{"error":{"message":"no"}}' };
const MESSAGES = [{ role: "user", content: "Hello" }];

/** What the provider was sent for a body without a limit. */
async function sentFor(path: string, body: object): Promise<Record<string, unknown>> {
  upstream.forget();
  upstream.play(REFUSED, { times: "always" });
  const response = await fetch(house.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${plain}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (upstream.requests.length === 0) throw new Error(text);
  return upstream.requests[0]?.json() as Record<string, unknown>;
}

describe("a limit is put in, in the provider's own words:", () => {
  test.each<[model: string, path: readonly string[]]>([
    ["gpt-4o-mini", ["max_completion_tokens"]],
    ["claude-haiku-4-5", ["max_tokens"]],
    ["gemini-2.5-flash-lite", ["generationConfig", "maxOutputTokens"]],
    ["mistral-small-latest", ["max_tokens"]],
    ["command-r-08-2024", ["max_tokens"]],
    ["deepseek-chat", ["max_tokens"]],
    ["grok-4", ["max_completion_tokens"]],
  ])("%s", async (model, path) => {
    for (const [door, body] of [
      ["/v1/chat/completions", { model, messages: MESSAGES }],
      ["/v1/responses", { model, input: "Hello" }],
    ] as const) {
      const sent = await sentFor(door, body);
      const own = door === "/v1/responses" && sent["input"] !== undefined ? ["max_output_tokens"] : path;
      const limit = own.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], sent);
      expect({ door, limit: typeof limit === "number" && limit >= 16 && limit <= 16_384 }).toEqual({ door, limit: true });
    }
  });
});

test("an operator's free machine is asked without one", async () => {
  const sent = await sentFor("/v1/chat/completions", { model: "byo:ollama/llama3.2", messages: MESSAGES });
  expect(sent["options"]).toBeUndefined();
  expect(JSON.stringify(sent)).not.toMatch(/num_predict|max_tokens/);
});

test("embeddings have a bound without a limit", async () => {
  const sent = await sentFor("/v1/embeddings", { model: "text-embedding-3-small", input: ["Hello", "there"] });
  expect(sent).toMatchObject({ input: ["Hello", "there"] });
});

test("a count of tokens is bound at nothing, priced or not", async () => {
  const before = house.ports.budgets.state("bdg_1", "live");
  upstream.forget();
  upstream.play({ status: 200, headers: { "content-type": "application/json" }, body: '{"input_tokens": 9}' });
  const response = await fetch(`${house.url}/v1/messages/count_tokens`, {
    method: "POST",
    headers: { "x-api-key": plain, "content-type": "application/json" },
    body: JSON.stringify({ model: "claude-nobody-knows-9", messages: MESSAGES }),
  });
  expect((await response.json()) as object).toEqual({ input_tokens: 9 });
  await house.settled();
  expect(house.ports.budgets.state("bdg_1", "live")).toEqual(before);
});

test("the fast tier is bound at its own price, six times the usual", async () => {
  const held: bigint[] = [];
  for (const speed of ["standard", "fast"]) {
    upstream.forget();
    upstream.play({ ...REFUSED, beforeHeaders: { gate: "held" } });
    const call = fetch(`${house.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": plain, "content-type": "application/json" },
      // As many bytes in both: they are what the input is bound by.
      body: JSON.stringify({
        model: "claude-opus-4-6",
        max_tokens: 1_000,
        speed,
        messages: [{ role: "user", content: speed === "fast" ? "Hello you" : "Hello" }],
      }),
    });
    await upstream.request(1);
    held.push(house.ports.budgets.state("bdg_1", "live")?.reserved ?? 0n);
    upstream.openGate("held");
    await (await call).text();
    await house.settled();
  }
  expect(held[1]).toBe((held[0] ?? 0n) * 6n);
});

test("a service tier without a price is refused by its field", async () => {
  upstream.forget();
  const response = await house.chat(plain, { model: "gpt-4o-mini", max_tokens: 10, service_tier: "scale", messages: MESSAGES });
  expect(response.status).toBe(400);
  expect(((await response.json()) as ErrorBody).error).toMatchObject({ code: "model_not_priced", param: "service_tier" });
  expect(upstream.requests).toEqual([]);
});

test("a tier that is left to OpenAI's settings is asked for by name, and a caller's choice is kept", async () => {
  const model = "gpt-5";
  for (const [asked, sent] of [
    [{}, "default"],
    [{ service_tier: "auto" }, "default"],
    [{ service_tier: null }, "default"],
    [{ service_tier: "flex" }, "flex"],
  ] as const) {
    const chat = await sentFor("/v1/chat/completions", { model, max_tokens: 10, messages: MESSAGES, ...asked });
    const responses = await sentFor("/v1/responses", { model, max_output_tokens: 16, input: "Hello", ...asked });
    expect([chat["service_tier"], responses["service_tier"]]).toEqual([sent, sent]);
  }
  const anew = await sentFor("/v1/messages", { model, max_tokens: 16, messages: MESSAGES });
  expect(anew["service_tier"]).toBe("default");
  const elsewhere = await sentFor("/v1/chat/completions", { model: "grok-4", max_tokens: 10, messages: MESSAGES });
  expect(elsewhere).not.toHaveProperty("service_tier");
});

test("the provider's own tools are refused in an item as in the request's list", async () => {
  upstream.forget();
  for (const item of [
    { type: "additional_tools", role: "developer", tools: [{ type: "web_search" }] },
    { type: "tool_search_output", call_id: "c", tools: [{ type: "web_search" }] },
  ]) {
    const response = await fetch(`${house.url}/v1/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${plain}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "gpt-5", max_output_tokens: 16, input: [item, { role: "user", content: "hi" }] }),
    });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as ErrorBody;
    expect(error).toMatchObject({ code: "unbounded_request", param: "input[0].tools[0]" });
  }
  expect(upstream.requests).toEqual([]);
});

test("auto passes over what the budget cannot bear, and the decision says so", async () => {
  const { key, plain: poor } = await house.ports.keys.create({ organizationId: "default", name: "poor", mode: "live" });
  const ask = { model: "auto", max_tokens: 1_000, messages: [{ role: "user", content: "x".repeat(4_000) }] };
  const window = { unit: "day", rolling: false, zone: "UTC" } as const;
  const scope = { kind: "key", id: key.id } as const;
  // Between the cheapest bound and the dearest: found by halving, so that no price list is repeated here.
  const shared = { id: "bdg_poor", organizationId: "default", scope, window, hard: true, thresholds: [], createdAt: 0 };
  const skipped: string[][] = [];
  for (let limit = 2n ** 32n; limit > 0n; limit /= 2n) {
    await house.ports.budgets.put({ ...shared, limit: nanoUsd(limit) });
    upstream.forget();
    upstream.play(REFUSED, { times: "always" });
    const response = await house.chat(poor.reveal(), ask);
    await response.text();
    if (response.status === 402) break;
    await house.settled();
    const entry = await house.get(poor.reveal(), `/v1/account/audit/${response.headers.get("x-request-id")}`);
    const { decision } = (await entry.json()) as { decision: { excluded: { provider: string; reason: string }[] } };
    skipped.push(decision.excluded.filter(({ reason }) => reason === "budget").map(({ provider }) => provider));
  }
  expect(skipped.length).toBeGreaterThan(1);
  expect(skipped[0]).toEqual([]);
});
