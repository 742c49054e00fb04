// `auto` on a live key: who is asked first, who is asked next, and what the caller is told of it.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Ports } from "../../src/core/ports";
import { ManualClock } from "../contract/manual-clock";
import type { Script } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type HouseOptions, type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER, CHAT_STREAM, frames } from "./own-answers";

const ASK = { model: "auto", max_tokens: 50, messages: [{ role: "user", content: "Say hello, please" }] };
const image = (url: string): object => ({
  ...ASK,
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url } },
      ],
    },
  ],
});
const WITH_IMAGE = image("data:image/png;base64,iVBORw0KGgo=");

/** The medium models, the cheapest first on a short question: $0.25/$2, $0.30/$2.50, $3/$15 a million tokens. */
const FIRST = "/v1/chat/completions";
const SECOND = "/v1beta/models/gemini-2.5-flash:generateContent";
const THIRD = "/v1/messages";

const GEMINI_ANSWER: Script = {
  status: 200,
  headers: { "content-type": "application/json; charset=UTF-8" },
  body: JSON.stringify({
    candidates: [{ content: { parts: [{ text: "Hello from the second." }], role: "model" }, finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 12, totalTokenCount: 23 },
    modelVersion: "gemini-2.5-flash",
    responseId: "own-gemini",
  }),
};
const GEMINI_STREAM: Script = {
  status: 200,
  headers: { "content-type": "text/event-stream" },
  body: [
    {
      candidates: [{ content: { parts: [{ text: "Hello " }], role: "model" }, index: 0 }],
      modelVersion: "gemini-2.5-flash",
      responseId: "own-gemini",
    },
    {
      candidates: [{ content: { parts: [{ text: "from the second." }], role: "model" }, finishReason: "STOP", index: 0 }],
      usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 12, totalTokenCount: 23 },
      modelVersion: "gemini-2.5-flash",
      responseId: "own-gemini",
    },
  ]
    .map((frame) => `data: ${JSON.stringify(frame)}\r\n\r\n`)
    .join(""),
};
const ANTHROPIC_ANSWER: Script = {
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    id: "msg_own",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-6",
    content: [{ type: "text", text: "Hello from the third." }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 11, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 12, service_tier: "standard" },
  }),
};
const SERVER_ERROR: Script = {
  status: 500,
  headers: { "content-type": "application/json" },
  body: '{"error":{"message":"Down.","type":"server_error"}}',
};

interface Chat {
  model: string;
  choices: { message: { content: string }; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number; cost: number };
  tollway: {
    routed_model: string;
    provider: string;
    attempts: number;
    fallback: boolean;
    cost_usd: number;
    saved_usd: number;
    ignored: string[];
  };
}

interface Refused {
  error: { code: string; param: string | null };
}

let upstream: Upstream;
let house: RunningHouse;
let clock: ManualClock;
let key: string;

const paths = (): string[] => upstream.requests.map((request) => request.path);
const bodyOf = async <T>(response: Response): Promise<T> => (await response.json()) as T;

async function open(options: Partial<HouseOptions> = {}): Promise<void> {
  await house?.close();
  clock = new ManualClock();
  house = await startHouse({ upstream: upstream.url, clock, connect: ["openai", "anthropic", "gemini"], ...options });
  key = await house.key();
}

beforeAll(async () => {
  upstream = await startUpstream();
});
beforeEach(async () => {
  upstream.forget();
  await open();
});
afterEach(() => expect(upstream.problems).toEqual([]));
afterAll(async () => {
  await house.close();
  await upstream.close();
});

describe("the first choice", () => {
  test("is the cheapest medium model on this request, shown as the model, with what it saved", async () => {
    upstream.play(CHAT_ANSWER);
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(200);
    expect(paths()).toEqual([FIRST]);
    expect(upstream.requests[0]?.model).toBe("gpt-5-mini");
    const body = await bodyOf<Chat>(response);
    // 11 and 12 tokens: at $0.25 and $2 that is 26,750 nano-USD; the baseline, at $5 and $25, would have been 355,000.
    expect(body).toMatchObject({ model: "gpt-5-mini", usage: { cost: 0.00002675 } });
    expect(body.tollway).toMatchObject({
      routed_model: "gpt-5-mini",
      provider: "openai",
      attempts: 1,
      fallback: false,
      cost_usd: 0.00002675,
      saved_usd: 0.00032825,
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-tollway-model-requested": "auto",
      "x-tollway-model-served": "gpt-5-mini",
      "x-tollway-fallback": "false",
      "x-tollway-saved-usd": "0.00032825",
    });
  });

  test("follows the prices, not the order of a list", async () => {
    const dearer = (ports: Ports): Ports => ({
      ...ports,
      prices: {
        models: ports.prices.models,
        model: ports.prices.model,
        price: (provider, model, at) => ports.prices.price(provider, model === "gpt-5-mini" ? "gpt-5" : model, at),
      },
    });
    await open({ adapt: dearer });
    upstream.play(GEMINI_ANSWER);
    expect((await house.chat(key, ASK)).status).toBe(200);
    expect(paths()).toEqual([SECOND]);
  });

  test("is never a model without a price", async () => {
    const unpriced = (ports: Ports): Ports => ({
      ...ports,
      prices: {
        models: ports.prices.models,
        model: ports.prices.model,
        price: (provider, model, at) => (provider === "openai" ? undefined : ports.prices.price(provider, model, at)),
      },
    });
    await open({ adapt: unpriced });
    upstream.play(GEMINI_ANSWER);
    expect((await house.chat(key, ASK)).status).toBe(200);
    expect(paths()).toEqual([SECOND]);
  });

  test("is only among the connected: with none, it is 503, and the caller may ask again", async () => {
    const lonely = await startHouse();
    const response = await lonely.chat(await lonely.key(), ASK);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect((await bodyOf<Refused>(response)).error.code).toBe("no_available_provider");
    await lonely.close();
  });
});

describe("when the first fails, the next answers, in another dialect:", () => {
  test.each<[string, Script]>([
    ["a server error", SERVER_ERROR],
    ["an overload", { ...SERVER_ERROR, status: 529 }],
    [
      "a rate limit with a long delay",
      { status: 429, headers: { "retry-after": "3600" }, body: '{"error":{"message":"Slow down.","code":"rate_limit_exceeded"}}' },
    ],
    ["a refused credential", { status: 401, headers: {}, body: '{"error":{"message":"Incorrect API key provided"}}' }],
    ["a reset", { end: { kind: "reset-before-headers" } }],
    ["an answer that is none", { status: 200, headers: { "content-type": "text/html" }, body: "<html>" }],
    ["an answer cut short", { ...CHAT_ANSWER, end: { kind: "cut", afterBytes: 50 } }],
  ])("%s", async (_, fault) => {
    upstream.play(fault);
    upstream.play(GEMINI_ANSWER);
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(200);
    expect(paths()).toEqual([FIRST, SECOND]);
    const body = await bodyOf<Chat>(response);
    expect(body.choices[0]).toMatchObject({ message: { content: "Hello from the second." }, finish_reason: "stop" });
    // 11 × $0.30 + 12 × $2.50 a million; the baseline less that.
    expect(body).toMatchObject({ model: "gemini-2.5-flash", usage: { prompt_tokens: 11, completion_tokens: 12, cost: 0.0000333 } });
    expect(body.tollway).toMatchObject({
      routed_model: "gemini-2.5-flash",
      provider: "gemini",
      attempts: 2,
      fallback: true,
      saved_usd: 0.0003217,
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-tollway-provider": "gemini",
      "x-tollway-model-requested": "auto",
      "x-tollway-model-served": "gemini-2.5-flash",
      "x-tollway-fallback": "true",
      "x-tollway-attempts": "2",
      "x-tollway-cost-usd": "0.0000333",
      "x-tollway-saved-usd": "0.0003217",
    });
  });

  test("a first answer that does not come in time", async () => {
    upstream.play({ ...CHAT_ANSWER, beforeHeaders: "never" });
    upstream.play(GEMINI_ANSWER);
    const pending = house.chat(key, ASK);
    const first = await upstream.request(1);
    await clock.advance(20_000);
    const response = await pending;
    expect(response.headers.get("x-tollway-attempts")).toBe("2");
    await first.gone;
  });

  test("streamed: not a byte of the first is in the second's answer", async () => {
    upstream.play({ ...CHAT_STREAM, end: { kind: "reset", afterBytes: 0 } });
    upstream.play(GEMINI_STREAM);
    const response = await house.chat(key, { ...ASK, stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get("x-tollway-fallback")).toBe("true");
    const text = await response.text();
    expect(text).toEndWith("data: [DONE]\n\n");
    const all = frames(text) as (Chat & { choices: { delta: { content?: string } }[] })[];
    expect(all.map((frame) => frame.choices[0]?.delta.content ?? "").join("")).toBe("Hello from the second.");
    expect(new Set(all.map((frame) => frame.model))).toEqual(new Set(["gemini-2.5-flash"]));
    expect(all.at(-1)).toMatchObject({ usage: { cost: 0.0000333 }, tollway: { attempts: 2, fallback: true, saved_usd: 0.0003217 } });
    expect(upstream.requests[1]?.path).toContain(":streamGenerateContent?alt=sse");
  });

  test("each attempt has a row of its own: nothing for the error, the cost for the answer", async () => {
    upstream.play(SERVER_ERROR);
    upstream.play(GEMINI_ANSWER);
    const response = await house.chat(key, ASK);
    await house.settled();
    const entry = await bodyOf<{ attempts: object[]; cost_usd: number; model_requested: string; model_served: string }>(
      await house.get(key, `/v1/account/audit/${response.headers.get("x-request-id")}`),
    );
    expect(entry).toMatchObject({ status: "ok", model_requested: "auto", model_served: "gemini-2.5-flash", cost_usd: 0.0000333 });
    expect(entry.attempts).toMatchObject([
      { number: 1, provider: "openai", upstream_status: 500, settlement: "released", cost_usd: 0 },
      { number: 2, provider: "gemini", upstream_status: 200, settlement: "exact", cost_usd: 0.0000333 },
    ]);
  });

  test("the third answers when the second fails too", async () => {
    upstream.play(SERVER_ERROR);
    upstream.play({
      status: 503,
      headers: { "content-type": "application/json" },
      body: '{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}',
    });
    upstream.play(ANTHROPIC_ANSWER);
    const response = await house.chat(key, ASK);
    expect(paths()).toEqual([FIRST, SECOND, THIRD]);
    const body = await bodyOf<Chat>(response);
    expect(body).toMatchObject({
      model: "claude-sonnet-4-6",
      usage: { cost: 0.000213 },
      tollway: { attempts: 3, fallback: true, saved_usd: 0.000142 },
    });
    expect(upstream.requests[2]?.headers).toMatchObject({ "x-api-key": "sk-upstream-anthropic", "anthropic-version": "2023-06-01" });
  });

  test("when all fail the last error is the caller's, who is told not to repeat it", async () => {
    upstream.play(SERVER_ERROR, { times: "always" });
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(502);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(response.headers.get("x-tollway-attempts")).toBe("3");
    expect(paths()).toEqual([FIRST, SECOND, THIRD]);
  });

  test("no more targets are tried than the operator allows", async () => {
    await open({ settings: { limits: { maxTargets: 2 } } });
    upstream.play(SERVER_ERROR, { times: "always" });
    expect((await house.chat(key, ASK)).status).toBe(502);
    expect(paths()).toEqual([FIRST, SECOND]);
  });

  test("a fault of the request is nobody else's to mend", async () => {
    upstream.play({
      status: 400,
      headers: { "content-type": "application/json" },
      body: '{"error":{"message":"Bad schema.","type":"invalid_request_error","param":"tools","code":"invalid_value"}}',
    });
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(400);
    expect((await bodyOf<Refused>(response)).error).toMatchObject({ code: "invalid_value", param: "tools" });
    expect(paths()).toEqual([FIRST]);
  });
});

describe("what a model does not take", () => {
  const blind = (ports: Ports): Ports => ({
    ...ports,
    prices: {
      models: ports.prices.models,
      price: ports.prices.price,
      model(provider, id, at) {
        const info = ports.prices.model(provider, id, at);
        return info && provider === "openai" ? { ...info, inputModalities: ["text"], capabilities: ["reasoning"] } : info;
      },
    },
  });
  const TOOL = { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } };

  test.each<[string, object]>([
    ["an image", WITH_IMAGE],
    ["tools", { ...ASK, tools: [TOOL] }],
  ])("is never sent to it: %s", async (_, ask) => {
    await open({ adapt: blind });
    upstream.play(GEMINI_ANSWER);
    expect((await house.chat(key, ask)).status).toBe(200);
    expect(paths()).toEqual([SECOND]);
    upstream.play(CHAT_ANSWER);
    expect((await house.chat(key, ASK)).status).toBe(200);
    expect(paths()).toEqual([SECOND, FIRST]);
  });

  test("and that nobody takes is 503", async () => {
    await open({ adapt: blind });
    const response = await house.chat(key, { ...WITH_IMAGE, provider: { only: ["openai"] } });
    expect(response.status).toBe(503);
    expect(paths()).toEqual([]);
  });

  test("an image behind an address goes past those who do not fetch it", async () => {
    await open({ adapt: blind });
    upstream.play(ANTHROPIC_ANSWER);
    expect((await house.chat(key, image("https://example.com/cat.png"))).status).toBe(200);
    expect(paths()).toEqual([THIRD]);
  });

  test("an image goes to the first that sees", async () => {
    upstream.play(CHAT_ANSWER);
    expect((await house.chat(key, WITH_IMAGE)).status).toBe(200);
    expect(paths()).toEqual([FIRST]);
  });
});

describe("a parameter that a provider does not know", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["logit_bias", { "50256": -100 }, [FIRST]],
    ["n", 2, [FIRST, SECOND]],
    ["seed, which is a wish", 7, [FIRST, SECOND, THIRD]],
    ["temperature, which reasoning models of OpenAI do not take", 0.5, [SECOND, THIRD]],
  ])("excludes it from auto: %s", async (name, value, expected) => {
    upstream.play(SERVER_ERROR, { times: "always" });
    expect((await house.chat(key, { ...ASK, [name.replace(/,.*/, "")]: value })).status).toBe(502);
    expect(paths()).toEqual([...expected]);
  });

  test.each<[string, object, string]>([
    ["logit_bias", { model: "gemini-2.5-flash", logit_bias: { "50256": -100 } }, "logit_bias"],
    ["logit_bias", { model: "claude-sonnet-4-6", logit_bias: { "50256": -100 } }, "logit_bias"],
    ["n", { model: "claude-sonnet-4-6", n: 2 }, "n"],
    ["n, pinned by provider", { model: "auto", n: 2, provider: { only: ["anthropic"] } }, "n"],
    [
      "logit_bias, where no one left takes it",
      { model: "auto", logit_bias: { "50256": -100 }, provider: { only: ["anthropic", "gemini"] } },
      "logit_bias",
    ],
  ])("is 400 and named where the caller chose: %s", async (_, changes, param) => {
    const response = await house.chat(key, { ...ASK, ...changes });
    expect(response.status).toBe(400);
    expect((await bodyOf<Refused>(response)).error).toMatchObject({ code: "unsupported_parameter", param });
    expect(paths()).toEqual([]);
  });

  test("is left out and named where it is only a hint", async () => {
    upstream.play(ANTHROPIC_ANSWER);
    const response = await house.chat(key, { ...ASK, model: "claude-sonnet-4-6", store: false, prompt_cache_key: "x" });
    expect(response.status).toBe(200);
    const named = response.headers.get("x-tollway-ignored")?.split(",");
    expect(named).toEqual(expect.arrayContaining(["store", "prompt_cache_key"]));
    expect((await bodyOf<Chat>(response)).tollway.ignored).toEqual(named as string[]);
    expect(upstream.requests[0]?.text()).not.toMatch(/store|prompt_cache_key/);
  });
});

describe("provider.only", () => {
  test.each<[string, Script, string]>([
    ["openai", CHAT_ANSWER, FIRST],
    ["gemini", GEMINI_ANSWER, SECOND],
    ["anthropic", ANTHROPIC_ANSWER, THIRD],
  ])("keeps auto at %s", async (only, answer, path) => {
    upstream.play(answer);
    expect((await house.chat(key, { ...ASK, provider: { only: [only] } })).status).toBe(200);
    expect(paths()).toEqual([path]);
  });

  test("keeps the order of prices among several, and goes nowhere else when they fail", async () => {
    upstream.play(SERVER_ERROR, { times: "always" });
    expect((await house.chat(key, { ...ASK, provider: { only: ["anthropic", "gemini"], allow_fallbacks: true } })).status).toBe(502);
    expect(paths()).toEqual([SECOND, THIRD]);
  });

  test("sends an id that the catalogue does not know where it says, by its slug or its other name", async () => {
    for (const slug of ["gemini", "google"]) {
      upstream.forget();
      upstream.play({ ...GEMINI_ANSWER });
      expect((await house.chat(key, { ...ASK, model: "my-own-tune", provider: { only: [slug] } })).status).toBe(200);
      expect(paths()).toEqual(["/v1beta/models/my-own-tune:generateContent"]);
    }
  });
});

test("what leaves for another dialect carries nothing of ours and nothing of the key", async () => {
  upstream.play(SERVER_ERROR);
  upstream.play(SERVER_ERROR);
  upstream.play(ANTHROPIC_ANSWER);
  await house.chat(
    key,
    { ...ASK, provider: { allow_fallbacks: true } },
    { headers: { "x-tollway-tag": "canary-tag", cookie: "canary-cookie" } },
  );
  expect(paths()).toEqual([FIRST, SECOND, THIRD]);
  for (const request of upstream.requests) {
    const seen = JSON.stringify(request.headers) + request.text() + request.path;
    for (const own of [key, "canary", "tollway", "allow_fallbacks"]) expect(seen).not.toContain(own);
  }
});
