// Whatever is sent, the answer is one clear error in OpenAI's shape that names the field, and the process stays well.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ADMIN_KEY, type RunningHouse, startHouse } from "./house";
import { rawExchange } from "./raw";

let house: RunningHouse;
let key: string;

beforeAll(async () => {
  house = await startHouse({ settings: { limits: { maxBodyBytes: 100_000 } } });
  key = await house.key("test");
});
afterAll(() => house.close());

const GOOD = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi [[simulate: pace=0]]" }] };
const good = (changes: object): string => JSON.stringify({ ...GOOD, ...changes });

interface Refused {
  error: { message: string; type: string; param: string | null; code: string; tollway: { request_id: string } };
}

async function refusal(response: Response): Promise<Refused["error"]> {
  const { error } = (await response.json()) as Refused;
  expect(Object.keys(error).slice(0, 4).sort()).toEqual(["code", "message", "param", "type"]);
  expect(error.message.length).toBeGreaterThan(10);
  expect(error.tollway.request_id).toBe(response.headers.get("x-request-id") as string);
  return error;
}

describe("a body that is refused:", () => {
  const deep = (levels: number): string =>
    `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}],"metadata":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  test.each<[string, string | Uint8Array, number, string, string | null]>([
    ["nothing", "", 400, "invalid_json", null],
    ["not JSON", "hello", 400, "invalid_json", null],
    ["JSON cut in the middle", '{"model": "gpt-4o-mini", "messages": [', 400, "invalid_json", null],
    ["a list", "[]", 400, "invalid_type", null],
    ["a string", '"hi"', 400, "invalid_type", null],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400, "invalid_json", null],
    ["no model", JSON.stringify({ messages: GOOD.messages }), 400, "missing_required_parameter", "model"],
    ["a model that is a number", good({ model: 7 }), 400, "invalid_type", "model"],
    ["no messages", JSON.stringify({ model: "gpt-4o-mini" }), 400, "missing_required_parameter", "messages"],
    ["messages that are no list", good({ messages: "hi" }), 400, "invalid_type", "messages"],
    ["an empty list of messages", good({ messages: [] }), 400, "invalid_value", "messages"],
    ["a role that is none", good({ messages: [{ role: "wizard", content: "hi" }] }), 400, "invalid_value", "messages[0].role"],
    ["content that is a number", good({ messages: [{ role: "user", content: 7 }] }), 400, "invalid_type", "messages[0].content"],
    ["a temperature that is text", good({ temperature: "hot" }), 400, "invalid_type", "temperature"],
    ["stream that is text", good({ stream: "yes" }), 400, "invalid_type", "stream"],
    ["two limits at once", good({ max_tokens: 5, max_completion_tokens: 5 }), 400, "invalid_value", "max_tokens"],
    ["a negative limit", good({ max_tokens: -1 }), 400, "invalid_value", "max_tokens"],
    ["an unknown model", good({ model: "gtp-4o-mini" }), 404, "model_not_found", "model"],
    ["a model of nobody", good({ model: "no-such-model" }), 404, "model_not_found", "model"],
    [
      "the same key twice",
      '{"model":"gpt-4o-mini","model":"gpt-5","messages":[{"role":"user","content":"hi"}]}',
      400,
      "invalid_json",
      "model",
    ],
    [
      "the same key twice, once with an escape",
      '{"model":"gpt-4o-mini","\\u006dodel":"gpt-5","messages":[]}',
      400,
      "invalid_json",
      "model",
    ],
    [
      "the same key twice, deep inside",
      '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"a","content":"b"}]}',
      400,
      "invalid_json",
      "content",
    ],
    ["65 levels", deep(65), 400, "invalid_json", null],
    ["a fallback list", good({ models: ["gpt-5"] }), 400, "unsupported_parameter", "models"],
    ["a provider that does not exist", good({ provider: { only: ["nobody"] } }), 400, "invalid_value", "provider.only[0]"],
    [
      "a provider policy that is not kept yet",
      good({ provider: { data_collection: "deny" } }),
      400,
      "unsupported_parameter",
      "provider.data_collection",
    ],
  ])("%s", async (_, body, status, code, param) => {
    const response = await house.chat(key, body);
    expect(response.status).toBe(status);
    const error = await refusal(response);
    expect(error.code).toBe(code);
    if (param !== null) expect(error.param).toBe(param);
  });

  test("100,000 levels, in an instant", async () => {
    const roomy = await startHouse();
    const response = await roomy.chat(await roomy.key("test"), deep(100_000));
    expect(response.status).toBe(400);
    expect((await refusal(response)).code).toBe("invalid_json");
    await roomy.close();
  });

  test("a body over the limit, announced or not", async () => {
    const big = good({ padding: "x".repeat(200_000) });
    const announced = await house.chat(key, big);
    expect(announced.status).toBe(413);
    expect((await refusal(announced)).code).toBe("request_too_large");
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let n = 0; n < 20; n++) controller.enqueue(new TextEncoder().encode("x".repeat(10_000)));
        controller.close();
      },
    });
    const chunked = await fetch(`${house.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: pieces,
    });
    expect(chunked.status).toBe(413);
    expect((await refusal(chunked)).code).toBe("request_too_large");
  });

  test.each([
    ["x-tollway-tag", "no spaces please", "invalid_tag"],
    ["x-tollway-tag", "x".repeat(65), "invalid_tag"],
    ["x-tollway-run-budget-usd", "1e-3", "invalid_value"],
    ["x-tollway-region", "eu", "unsupported_parameter"],
  ])("the header %s: %s", async (name, value, code) => {
    const response = await house.chat(key, GOOD, { headers: { [name]: value } });
    expect(response.status).toBe(400);
    const error = await refusal(response);
    expect(error).toMatchObject({ code, param: name });
  });
});

describe("a key that is refused:", () => {
  const flipped = (text: string, at: number): string => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  test.each<[string, (good: string) => Record<string, string>, number]>([
    ["none", () => ({}), 401],
    ["an empty Bearer", () => ({ authorization: "Bearer " }), 401],
    ["another company's", () => ({ authorization: "Bearer sk-proj-abcdefghijklmnop" }), 401],
    ["a wrong checksum", (good) => ({ authorization: `Bearer ${flipped(good, good.length - 1)}` }), 401],
    ["a changed secret", (good) => ({ authorization: `Bearer ${flipped(good, 30)}` }), 401],
    ["two at once", (good) => ({ authorization: `Bearer ${good}, Bearer ${good}` }), 401],
  ])("%s", async (_, headers, status) => {
    const response = await fetch(`${house.url}/v1/chat/completions`, { method: "POST", headers: headers(key), body: JSON.stringify(GOOD) });
    expect(response.status).toBe(status);
    const error = await refusal(response);
    expect(error).toMatchObject({ code: "invalid_api_key", type: "authentication_error" });
    expect(JSON.stringify(error)).not.toContain(key.slice(20));
  });

  test.each(["x-api-key", "x-goog-api-key"])("but one in %s is taken", async (header) => {
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: "POST",
      headers: { [header]: key },
      body: JSON.stringify(GOOD),
    });
    expect(response.status).toBe(200);
  });

  test("a revoked one, at once", async () => {
    const made = await house.key("test");
    const list = (await (await fetch(`${house.url}/admin/v1/keys`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).json()) as {
      data: { id: string }[];
    };
    const id = list.data.map((one) => one.id).find((one) => made.includes(one.slice("key_".length))) as string;
    expect((await house.chat(made, GOOD)).status).toBe(200);
    await fetch(`${house.url}/admin/v1/keys/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${ADMIN_KEY}` } });
    const response = await house.chat(made, GOOD);
    expect(response.status).toBe(403);
    expect((await refusal(response)).code).toBe("key_disabled");
  });
});

describe("an address that is refused:", () => {
  test.each([
    ["GET", "/v1/nothing"],
    ["GET", "/v1/chat/completions"],
    ["DELETE", "/v1/models"],
    ["GET", "/"],
    ["GET", "/v1/account/..%2fadmin"],
    ["GET", "/admin/v1/keys;x"],
  ])("%s %s", async (method, path) => {
    const response = await fetch(house.url + path, { method, headers: { authorization: `Bearer ${key}` } });
    expect(response.status).toBe(404);
    expect((await refusal(response)).code).toBe("unknown_url");
  });

  test.each([
    ["two hosts", "GET /health HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 400],
    ["a host with a path in it", "GET /health HTTP/1.1\r\nHost: a.example/v1\r\n\r\n", 400],
    ["a host with spaces", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["a short host that would shift the path", "GET /aa/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404],
    ["a short host on the right path", "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200],
  ])("%s", async (_, request, status) => {
    expect(await rawExchange(house.url, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
});

test("after all of that the gateway answers as before", async () => {
  expect((await fetch(`${house.url}/health`)).status).toBe(200);
  expect((await house.chat(key, GOOD)).status).toBe(200);
});
