// Endpoints and machines of the operator's own: named in the model's id or pinned, asked under their own name of the model.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { connectionsTo, type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER, CHAT_STREAM, frames } from "./own-answers";

let upstream: Upstream;
let house: RunningHouse;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
  const [vllm, acme, open] = connectionsTo(upstream.url, ["vllm", "byo:acme", "byo:open"]);
  if (!vllm || !acme || !open) throw new Error("Three connections were asked for");
  const connections = [
    { ...vllm, credential: undefined, models: ["Qwen/Qwen3-0.6B"] },
    { ...acme, price: { input: "1", output: "2" } },
    open,
  ];
  house = await startHouse({ endpoints: connections });
  key = await house.key();
});
afterEach(() => {
  expect(upstream.problems).toEqual([]);
  upstream.forget();
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

const ask = (model: string, more: object = {}) => house.chat(key, { model, messages: [{ role: "user", content: "Hello" }], ...more });
interface Told {
  model: string;
  usage: { cost?: number };
  tollway: { provider: string; routed_model: string; cost_usd: number | null };
  error: { code: string; param: string; message: string };
}
const told = async (response: Response): Promise<Told> => (await response.json()) as Told;

test("an endpoint gets its own name of the model and its own key; the caller gets the id that it asked for, and the operator's price", async () => {
  upstream.play(CHAT_ANSWER);
  const response = await ask("byo:acme/llama-3");
  const body = await told(response);
  expect(response.status).toBe(200);
  expect(upstream.requests[0]).toMatchObject({ path: "/v1/chat/completions", model: "llama-3" });
  expect(upstream.requests[0]?.headers["authorization"]).toBe("Bearer sk-upstream-byo:acme");
  // 11 × 1,000 + 12 × 2,000 nano-USD.
  expect(body).toMatchObject({
    model: "byo:acme/llama-3",
    usage: { cost: 0.000035 },
    tollway: { provider: "byo:acme", routed_model: "llama-3" },
  });
  expect(response.headers.get("x-tollway-provider")).toBe("byo:acme");
  expect(response.headers.get("x-tollway-model-served")).toBe("llama-3");
});

test("every frame of a stream carries the id that was asked for", async () => {
  upstream.play(CHAT_STREAM);
  const all = frames(await (await ask("byo:acme/vendor/llama:8b", { stream: true })).text()) as { model: string }[];
  expect(new Set(all.map((frame) => frame.model))).toEqual(new Set(["byo:acme/vendor/llama:8b"]));
  expect(upstream.requests[0]?.model).toBe("vendor/llama:8b");
});

test("the operator's own machine is asked without a key, by a listed id, by its name in the id, or pinned; and costs nothing", async () => {
  for (const [model, more] of [
    ["Qwen/Qwen3-0.6B", {}],
    ["byo:vllm/Qwen/Qwen3-0.6B", {}],
    ["Qwen/Qwen3-0.6B", { provider: { only: ["vllm"] } }],
  ] as const) {
    upstream.forget();
    upstream.play(CHAT_ANSWER);
    const body = await told(await ask(model, more));
    expect(body).toMatchObject({ model, usage: { cost: 0 }, tollway: { provider: "vllm", cost_usd: 0 } });
    expect(upstream.requests[0]?.model).toBe("Qwen/Qwen3-0.6B");
    expect(upstream.requests[0]?.headers["authorization"]).toBeUndefined();
    expect(upstream.requests[0]?.json()).not.toHaveProperty("provider");
  }
});

test("a pinned endpoint is taken at its word for any id; without a price the cost is unknown", async () => {
  upstream.play(CHAT_ANSWER);
  const body = await told(await ask("gpt-4o-mini", { provider: { only: ["byo:open"] } }));
  expect(body).toMatchObject({ model: "gpt-4o-mini", tollway: { provider: "byo:open", cost_usd: null } });
  expect(body.usage).not.toHaveProperty("cost");
});

test("an endpoint that is not there is 404 and says how to connect it, whatever the model", async () => {
  const response = await ask("byo:nobody/llama-3");
  expect(response.status).toBe(404);
  expect((await told(response)).error).toMatchObject({
    code: "model_not_found",
    param: "model",
    message: expect.stringContaining("TOLLWAY_BYO_NOBODY_BASE_URL"),
  });
  expect((await told(await ask("llama-3", { provider: { only: ["byo:nobody"] } }))).error.code).toBe("invalid_value");
  expect(upstream.requests).toEqual([]);
});

test("the list of models holds what the operator listed", async () => {
  const list = (await (await house.get(key, "/v1/models")).json()) as { data: { id: string; owned_by: string }[] };
  expect(list.data.map((model) => [model.id, model.owned_by])).toEqual([
    ["auto", "tollway"],
    ["Qwen/Qwen3-0.6B", "vllm"],
  ]);
});
