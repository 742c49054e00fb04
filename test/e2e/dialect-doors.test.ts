// What the doors of Responses, Messages and count_tokens do beside translating: what comes back by name, what is turned back, what the
// caller is told in its own words.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";

let upstream: Upstream;
let house: RunningHouse;
let key: string;
let testKey: string;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url });
  key = await house.key();
  testKey = await house.key("test");
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<{ response: Response; json: Json }> {
  const response = await fetch(house.url + path, {
    method: "POST",
    headers: { "x-api-key": key, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { response, json: (await response.json()) as Json };
}

interface Json {
  [name: string]: Json;
}

const OPENAI_TEXT = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "gpt-4o-mini",
    choices: [{ index: 0, message: { role: "assistant", content: "Hello there" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  }),
};
const CLAUDE_TEXT = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5",
    content: [{ type: "text", text: "Hello there" }],
    stop_reason: "end_turn",
    usage: { input_tokens: 5, output_tokens: 2 },
  }),
};
const sent = (): Json => JSON.parse(new TextDecoder().decode(upstream.requests.at(-1)?.body)) as Json;

describe("a Responses caller that names an item by its id", () => {
  const ask = (more: object): object => ({ model: "claude-sonnet-4-5", ...more });

  test("is understood where this gateway has written it for the same key", async () => {
    upstream.play(CLAUDE_TEXT);
    const { json } = await post("/v1/responses", ask({ input: "Hi" }));
    const id = json["output"]?.[0]?.["id"];
    expect(String(id)).toStartWith("msg_");
    upstream.play(CLAUDE_TEXT);
    const input = [
      { role: "user", content: "Hi" },
      { type: "item_reference", id },
      { role: "user", content: "And?" },
    ];
    const { response } = await post("/v1/responses", ask({ input }));
    expect(response.status).toBe(200);
    expect(sent()["messages"]).toMatchObject([
      { role: "user", content: [{ text: "Hi" }] },
      { role: "assistant", content: [{ text: "Hello there" }] },
      { role: "user", content: [{ text: "And?" }] },
    ]);
    const other = await house.key();
    const foreign = await post("/v1/responses", ask({ input }), { "x-api-key": other });
    expect([foreign.response.status, foreign.json["error"]?.["param"]]).toEqual([400, "input[1]" as unknown as Json]);
  });

  test("is refused by name where nothing was stored", async () => {
    upstream.play(CLAUDE_TEXT);
    const { json } = await post("/v1/responses", ask({ input: "Hi", store: false }));
    const input = [
      { type: "item_reference", id: json["output"]?.[0]?.["id"] },
      { role: "user", content: "And?" },
    ];
    const { response, json: refused } = await post("/v1/responses", ask({ input }));
    expect([response.status, refused["error"]]).toMatchObject([400, { code: "unsupported_parameter", param: "input[0]" }]);
  });

  test("may go on from a response by its id at OpenAI only", async () => {
    const { response, json } = await post("/v1/responses", ask({ input: "Hi", previous_response_id: "resp_1" }));
    expect([response.status, json["error"]]).toMatchObject([400, { code: "unsupported_parameter", param: "previous_response_id" }]);
  });
});

describe("a Messages caller on OpenAI", () => {
  test("gets its own names for what has no place, its own shape of errors, and its own request id header", async () => {
    const body = { model: "gpt-4o-mini", max_tokens: 64, messages: [{ role: "user", content: "Hi" }] };
    upstream.play(OPENAI_TEXT);
    const betas = { "anthropic-beta": "context-management-2025-06-27", "anthropic-version": "2026-10-21" };
    const { response, json } = await post("/v1/messages?beta=true", { ...body, context_management: { edits: [] } }, betas);
    expect(json).toMatchObject({ type: "message", model: "gpt-4o-mini", content: [{ type: "text", text: "Hello there" }] });
    expect(response.headers.get("request-id")).toBe(response.headers.get("x-request-id"));
    expect(response.headers.get("x-tollway-ignored")).toContain("anthropic-beta");
    const refused = await post("/v1/messages", { ...body, mcp_servers: [{ type: "url", url: "https://e.org", name: "m" }] });
    expect(refused.response.status).toBe(400);
    expect(refused.json).toMatchObject({ type: "error", error: { type: "invalid_request_error" }, tollway: { param: "mcp_servers" } });
    const missing = await post("/v1/messages", { model: "gpt-4o-mini", messages: body.messages });
    expect(missing.json).toMatchObject({ type: "error", tollway: { code: "missing_required_parameter", param: "max_tokens" } });
  });

  test("keeps its client's billing line to itself", async () => {
    upstream.play(OPENAI_TEXT);
    const system = [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2; cch=abc" },
      { type: "text", text: "Be brief." },
    ];
    await post("/v1/messages", { model: "gpt-4o-mini", max_tokens: 64, system, messages: [{ role: "user", content: "Hi" }] });
    expect(JSON.stringify(sent())).not.toContain("billing");
    upstream.play(CLAUDE_TEXT);
    await post("/v1/messages", { model: "claude-sonnet-4-5", max_tokens: 64, system, messages: [{ role: "user", content: "Hi" }] });
    expect(sent()["system"]).toEqual(system as unknown as Json);
  });
});

describe("count_tokens", () => {
  const body = { messages: [{ role: "user", content: "Hello, how are you today?" }] };

  test("is the provider's figure where it counts, and costs nothing", async () => {
    upstream.play({ status: 200, headers: { "content-type": "application/json" }, body: '{"input_tokens":1234}' });
    const { response, json } = await post("/v1/messages/count_tokens", { model: "claude-sonnet-4-5", ...body });
    expect(json).toEqual({ input_tokens: 1234 } as unknown as Json);
    expect(upstream.requests.at(-1)?.path).toBe("/v1/messages/count_tokens");
    expect(response.headers.get("x-tollway-cost-usd")).toBe("0");
    upstream.play({ status: 200, headers: { "content-type": "application/json" }, body: '{"totalTokens":77}' });
    expect((await post("/v1/messages/count_tokens", { model: "gemini-2.5-flash", ...body })).json).toEqual({
      input_tokens: 77,
    } as unknown as Json);
  });

  test("is our own estimate where it does not, and for test keys", async () => {
    const before = upstream.requests.length;
    for (const [model, presented] of [
      ["gpt-4o-mini", key],
      ["claude-sonnet-4-5", testKey],
    ]) {
      const { json } = await post("/v1/messages/count_tokens", { model, ...body }, { "x-api-key": presented ?? "" });
      expect(Number(json["input_tokens"])).toBeGreaterThan(4);
      expect(Number(json["input_tokens"])).toBeLessThan(40);
    }
    expect(upstream.requests.length).toBe(before);
  });
});

describe("a Responses request at the Chat Completions door", () => {
  test("is answered as Chat Completions", async () => {
    upstream.play(OPENAI_TEXT);
    const { json } = await post("/v1/chat/completions", {
      model: "gpt-4o-mini",
      input: [{ role: "user", content: "Hi" }],
      include: ["reasoning.encrypted_content"],
      tools: [{ type: "function", name: "f", parameters: { type: "object" } }],
      stream_options: { include_usage: true },
    });
    expect(json).toMatchObject({ object: "chat.completion", choices: [{ message: { content: "Hello there" } }] });
    expect(sent()).toMatchObject({ messages: [{ role: "user", content: "Hi" }], tools: [{ type: "function", function: { name: "f" } }] });
  });
});

describe("a free-text tool at a provider that takes functions only", () => {
  test("goes out as a function, and what the model calls is turned back", async () => {
    upstream.play({
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        id: "c1",
        object: "chat.completion",
        created: 1,
        model: "grok-4",
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content: null,
              tool_calls: [{ id: "t1", type: "function", function: { name: "patch", arguments: '{"input":"*** Begin"}' } }],
            },
            finish_reason: "tool_calls",
          },
        ],
        usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
      }),
    });
    const { json } = await post("/v1/chat/completions", {
      model: "mistral-large-latest",
      messages: [{ role: "user", content: "Hi" }],
      tools: [{ type: "custom", custom: { name: "patch" } }],
    });
    expect(sent()["tools"]).toMatchObject([{ type: "function", function: { name: "patch", parameters: { required: ["input"] } } }]);
    expect(json["choices"]?.[0]?.["message"]?.["tool_calls"]).toMatchObject([
      { id: "t1", type: "custom", custom: { name: "patch", input: "*** Begin" } },
    ]);
  });
});

test("HEAD / says that somebody is there, and nothing else", async () => {
  const response = await fetch(`${house.url}/`, { method: "HEAD" });
  expect([response.status, await response.text()]).toEqual([200, ""]);
});
