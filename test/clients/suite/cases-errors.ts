// Every failure reaches the caller as the SDK's own class, with our facts, and is tried again only where that can help.
import assert from "node:assert/strict";
import type { Script } from "../../upstream/script";
import { type Case, PROVIDERS, type ProviderUnderTest, type Sdk, thrownBy, type World } from "./harness";
import { SAMPLES } from "./samples";

const USER = [{ role: "user" as const, content: "Hello" }];

type ErrorName = "BadRequestError" | "AuthenticationError" | "NotFoundError" | "RateLimitError" | "InternalServerError";

/** What each provider says, in its own shape. */
const REFUSALS: Readonly<Record<ProviderUnderTest["name"], (status: number, kind: string, message: string) => Script>> = {
  openai: (status, kind, message) => ({ status, body: JSON.stringify({ error: { message, type: kind, param: null, code: null } }) }),
  anthropic: (status, kind, message) => ({
    status,
    body: JSON.stringify({ type: "error", error: { type: kind, message }, request_id: "req_sample" }),
  }),
  gemini: (status, kind, message) => ({ status, body: JSON.stringify({ error: { code: status, message, status: kind } }) }),
};

interface Refused {
  error: InstanceType<Sdk["APIError"]>;
  /** HTTP requests that the SDK sent. */
  sent: number;
}

/** Asks with the SDK's default of two retries, and returns the typed error. */
async function refused(world: World, model: string, name: ErrorName, apiKey?: string): Promise<Refused> {
  const { openai, sent } = world.client({ maxRetries: 2, ...(apiKey === undefined ? {} : { apiKey }) });
  const error = await thrownBy(() => openai.chat.completions.create({ model, messages: USER }));
  assert.ok(error instanceof world.sdk.APIError, `an APIError, not ${String(error)}`);
  assert.ok(error instanceof world.sdk[name], `${name}, not ${error.constructor.name}: ${error.message}`);
  assert.match(error.requestID ?? "", /^[0-9a-f-]{36}$/, "x-request-id");
  return { error, sent: sent() };
}

const failing = (
  provider: ProviderUnderTest,
  title: string,
  script: Script,
  run: (world: World, model: string) => Promise<void>,
): Case => ({
  name: `${provider.name}: ${title}`,
  run: async (world) => {
    await world.upstream.play(script, { times: "always" });
    await run(world, provider.troubled);
  },
});

function providerCases(provider: ProviderUnderTest): Case[] {
  const say = REFUSALS[provider.name];
  return [
    failing(
      provider,
      "400 is a BadRequestError with the provider's words",
      say(400, "invalid_request_error", "temperature: range: 0..1"),
      async (world, model) => {
        const { error, sent } = await refused(world, model, "BadRequestError");
        assert.equal(error.status, 400);
        assert.match(error.message, /temperature: range: 0\.\.1/);
        assert.equal(sent, 1);
      },
    ),
    failing(
      provider,
      "404 is a NotFoundError",
      say(404, provider.name === "gemini" ? "NOT_FOUND" : "not_found_error", "model: no such model"),
      async (world, model) => {
        const { error, sent } = await refused(world, model, "NotFoundError");
        assert.equal(error.status, 404);
        assert.equal(sent, 1);
      },
    ),
    failing(
      provider,
      "a refused provider key is our 502, never the caller's 401",
      say(401, "authentication_error", "invalid x-api-key sk-ant-secret"),
      async (world, model) => {
        const { error, sent } = await refused(world, model, "InternalServerError");
        assert.deepEqual([error.status, error.code, sent], [502, "provider_auth_failed", 1]);
        assert.doesNotMatch(JSON.stringify(error), /sk-ant-secret/);
      },
    ),
    failing(
      provider,
      "429 is a RateLimitError with its delay, after the SDK's two retries",
      { ...say(429, "rate_limit_error", "slow down"), headers: { "retry-after": "0", "retry-after-ms": "20" } },
      async (world, model) => {
        const { error, sent } = await refused(world, model, "RateLimitError");
        assert.equal(error.status, 429);
        assert.ok(error.headers?.get("retry-after"), "retry-after");
        assert.ok(error.headers?.get("retry-after-ms"), "retry-after-ms");
        assert.equal(sent, 3);
      },
    ),
    ...[500, 503].map((status) =>
      failing(
        provider,
        `${status} is an InternalServerError that the SDK does not try again`,
        say(status, "api_error", "boom"),
        async (world, model) => {
          const { error, sent } = await refused(world, model, "InternalServerError");
          assert.ok((error.status ?? 0) >= 500);
          assert.equal(error.headers?.get("x-should-retry"), "false");
          assert.equal(sent, 1, "x-should-retry: false");
        },
      ),
    ),
    failing(
      provider,
      "a page of HTML with status 200 is an InternalServerError, and is not echoed",
      { headers: { "content-type": "text/html" }, body: "<html>CANARY</html>" },
      async (world, model) => {
        const { error, sent } = await refused(world, model, "InternalServerError");
        assert.equal(error.status, 502);
        assert.equal(sent, 1);
        assert.doesNotMatch(JSON.stringify(error) + error.message, /CANARY/);
      },
    ),
  ];
}

const gatewayCases: readonly Case[] = [
  {
    name: "a wrong gateway key is an AuthenticationError and reaches no provider",
    models: { "gpt-4o-mini": SAMPLES.openai.answers },
    run: async (world) => {
      for (const key of ["sk-wrong", `${world.key.slice(0, -1)}${world.key.endsWith("0") ? "1" : "0"}`]) {
        const { error, sent } = await refused(world, "gpt-4o-mini", "AuthenticationError", key);
        assert.deepEqual([error.status, error.code, error.type, sent], [401, "invalid_api_key", "authentication_error", 1]);
      }
      assert.equal((await world.upstream.seen()).requests.length, 0);
    },
  },
  {
    name: "an unknown model is a NotFoundError and reaches no provider",
    run: async (world) => {
      const { error } = await refused(world, "no-such-model-at-all", "NotFoundError");
      assert.deepEqual([error.status, error.code, error.param], [404, "model_not_found", "model"]);
      assert.equal((await world.upstream.seen()).requests.length, 0);
    },
  },
  {
    name: "a wrong request is a BadRequestError that names the field",
    run: async (world) => {
      const { openai } = world.client();
      const wrong = { model: "gpt-4o-mini", messages: [{ role: "user" as const, content: "x" }], temperature: "hot" };
      const error = await thrownBy(() => openai.post("/chat/completions", { body: wrong }));
      assert.ok(error instanceof world.sdk.BadRequestError);
      assert.equal(error.param, "temperature");
      assert.equal((await world.upstream.seen()).requests.length, 0);
    },
  },
];

export const errorCases: readonly Case[] = [...gatewayCases, ...PROVIDERS.flatMap(providerCases)];
