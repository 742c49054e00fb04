import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openaiChat } from "../../src/dialects/openai-chat";
import { allRecordings, ownRecordings, recordings, SHARED_RECORDINGS, sharedMissing } from "../recordings/load";
import { text } from "./openai-chat-replay";

const decodeError = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  openaiChat.decodeError(status, new Map(Object.entries(headers)), typeof body === "string" ? body : JSON.stringify(body));
const error = (fields: object) => ({ error: { message: "m", type: "invalid_request_error", param: null, code: null, ...fields } });

interface Row {
  what: string;
  status: number;
  body: unknown;
  headers?: Record<string, string>;
  code: string;
  retry: string;
  param?: string;
  retryAfterMs?: number;
}

const ROWS: Row[] = [
  { what: "a bad key", status: 401, body: error({ code: "invalid_api_key" }), code: "provider_auth_failed", retry: "elsewhere" },
  {
    what: "a bad key under 400",
    status: 400,
    body: { code: "Client specified an invalid argument", error: "Incorrect API key provided: xx." },
    code: "provider_auth_failed",
    retry: "elsewhere",
  },
  {
    what: "no permission",
    status: 403,
    body: error({ message: "You are not allowed to sample from this model" }),
    code: "provider_auth_failed",
    retry: "elsewhere",
  },
  { what: "an empty account", status: 402, body: error({ message: "Insufficient Balance" }), code: "upstream_error", retry: "elsewhere" },
  {
    what: "a spent quota",
    status: 429,
    body: error({ type: "insufficient_quota", code: "insufficient_quota" }),
    code: "upstream_error",
    retry: "elsewhere",
  },
  { what: "spent credits", status: 429, body: error({ code: "credit_balance_exhausted" }), code: "upstream_error", retry: "elsewhere" },
  {
    what: "a rate limit",
    status: 429,
    body: error({ code: "rate_limit_exceeded" }),
    headers: { "retry-after": "4", "retry-after-ms": "3890" },
    code: "rate_limit_exceeded",
    retry: "same",
    retryAfterMs: 3890,
  },
  {
    what: "a rate limit in seconds",
    status: 429,
    body: "slow down",
    headers: { "retry-after": "42" },
    code: "rate_limit_exceeded",
    retry: "same",
    retryAfterMs: 42_000,
  },
  {
    what: "a rate limit until a date",
    status: 429,
    body: "",
    headers: { "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", date: "Wed, 21 Oct 2026 07:28:00 GMT" },
    code: "rate_limit_exceeded",
    retry: "same",
    retryAfterMs: 30_000,
  },
  {
    what: "a rate limit that names billing pages",
    status: 429,
    body: error({
      message: "Rate limit reached. Add a payment method: https://platform.openai.com/account/billing",
      code: "rate_limit_exceeded",
    }),
    code: "rate_limit_exceeded",
    retry: "same",
  },
  {
    what: "a token budget a minute under 413",
    status: 413,
    body: error({ type: "tokens", code: "rate_limit_exceeded" }),
    code: "rate_limit_exceeded",
    retry: "elsewhere",
  },
  { what: "a tier without room", status: 498, body: error({ message: "capacity" }), code: "rate_limit_exceeded", retry: "elsewhere" },
  {
    what: "a spent account under 403",
    status: 403,
    body: { code: "x", error: "Your team has either used all available credits" },
    code: "upstream_error",
    retry: "elsewhere",
  },
  {
    what: "a suspended account",
    status: 412,
    body: { error: "possibly due to reaching the monthly spending limit" },
    code: "upstream_error",
    retry: "elsewhere",
  },
  {
    what: "a breach of policy under 403",
    status: 403,
    body: error({ message: "Content violates usage guidelines." }),
    code: "invalid_value",
    retry: "never",
  },
  {
    what: "a field that is too much",
    status: 422,
    body: {
      object: "error",
      message: { detail: [{ type: "extra_forbidden", loc: ["body", "messages", 0, "user", "name"], msg: "Extra inputs" }] },
    },
    code: "unsupported_parameter",
    retry: "never",
    param: "messages[0].name",
  },
  {
    what: "a field that is missing",
    status: 422,
    body: { detail: [{ type: "missing", loc: ["body", "messages"], msg: "Field required" }] },
    code: "missing_required_parameter",
    retry: "never",
    param: "messages",
  },
  {
    what: "a field that the model does not know",
    status: 400,
    body: { code: "Client specified an invalid argument", error: "Model x does not support parameter reasoningEffort." },
    code: "unsupported_parameter",
    retry: "never",
    param: "reasoning_effort",
  },
  {
    what: "a router's provider that refused a long context",
    status: 400,
    body: {
      error: { code: 400, message: "Provider returned error", metadata: { raw: '{"error":{"message":"maximum prompt length is 5"}}' } },
    },
    code: "context_length_exceeded",
    retry: "never",
  },
  { what: "a body that is too large", status: 413, body: "<html>", code: "request_too_large", retry: "never" },
  {
    what: "an unknown model",
    status: 404,
    body: error({ code: "model_not_found" }),
    code: "model_not_found",
    retry: "never",
    param: "model",
  },
  {
    what: "an unknown model under 400",
    status: 400,
    body: { object: "error", message: "Invalid model: x", type: "invalid_model", param: null, code: "1500" },
    code: "model_not_found",
    retry: "never",
    param: "model",
  },
  {
    what: "a retired model",
    status: 400,
    body: error({ code: "model_decommissioned" }),
    code: "model_not_found",
    retry: "never",
    param: "model",
  },
  {
    what: "an unsupported parameter",
    status: 400,
    body: error({ code: "unsupported_parameter", param: "stop" }),
    code: "unsupported_parameter",
    retry: "never",
    param: "stop",
  },
  {
    what: "an unknown parameter",
    status: 400,
    body: error({ code: "unknown_parameter", param: "foo" }),
    code: "unsupported_parameter",
    retry: "never",
    param: "foo",
  },
  {
    what: "a missing parameter",
    status: 400,
    body: error({ code: "missing_required_parameter", param: "messages" }),
    code: "missing_required_parameter",
    retry: "never",
    param: "messages",
  },
  {
    what: "a long context",
    status: 400,
    body: error({ code: "context_length_exceeded", param: "messages" }),
    code: "context_length_exceeded",
    retry: "never",
    param: "messages",
  },
  {
    what: "a long context in words",
    status: 400,
    body: error({ message: "This endpoint's maximum context length is 200000 tokens." }),
    code: "context_length_exceeded",
    retry: "never",
  },
  {
    what: "a long string that is no context",
    status: 400,
    body: error({ message: "Invalid 'user': string too long.", code: "string_above_max_length", param: "user" }),
    code: "invalid_value",
    retry: "never",
    param: "user",
  },
  {
    what: "a request that cannot be processed",
    status: 422,
    body: { detail: "invalid input error" },
    code: "invalid_value",
    retry: "never",
  },
  {
    what: "a model that failed at its tools",
    status: 400,
    body: error({ code: "tool_use_failed" }),
    code: "upstream_error",
    retry: "same",
  },
  { what: "a conflict", status: 409, body: "", code: "upstream_error", retry: "same" },
  { what: "a slow provider", status: 408, body: "", code: "upstream_timeout", retry: "same" },
  { what: "a gateway's timeout", status: 504, body: "<html>", code: "upstream_timeout", retry: "same" },
  { what: "a server error", status: 500, body: error({ type: "server_error" }), code: "upstream_error", retry: "same" },
  {
    what: "an overloaded server",
    status: 503,
    body: error({}),
    headers: { "retry-after": "1" },
    code: "upstream_error",
    retry: "same",
    retryAfterMs: 1000,
  },
  { what: "an overloaded provider", status: 529, body: "", code: "upstream_error", retry: "same" },
  { what: "a redirect", status: 302, body: "", code: "upstream_error", retry: "elsewhere" },
];

describe("decodeError()", () => {
  test.each(ROWS)("reads $what ($status) as $code, retry $retry", (row) => {
    const { failure, retry } = decodeError(row.status, row.body, row.headers);
    expect({ code: failure.code, retry, param: failure.param, retryAfterMs: failure.retryAfterMs }).toEqual({
      code: row.code,
      retry: row.retry,
      param: row.param,
      retryAfterMs: row.retryAfterMs,
    } as never);
    expect(failure.says?.status).toBe(row.status);
  });

  test("keeps the provider's own words where the fault is the caller's", () => {
    const { failure } = decodeError(400, error({ message: "Unsupported parameter: 'stop'", code: "unsupported_parameter", param: "stop" }));
    expect(failure.message).toBe("Unsupported parameter: 'stop'");
    expect(failure.says).toEqual({ status: 400, code: "unsupported_parameter", type: "invalid_request_error", param: "stop" });
  });

  test("never passes on a key, nor a body that is not an error object", () => {
    const secrets = ["sk-proj-abcdefghijklmnop", "AIzaSyA1234567890abcdefghijk", "my-own-key", "Bearer abc.def.ghijkl"];
    for (const secret of secrets) {
      for (const status of [400, 401, 403, 404, 429, 500]) {
        for (const body of [
          error({ message: `Incorrect API key provided: ${secret}. See https://x.y`, code: secret }),
          `<html>${secret}</html>`,
          JSON.stringify(secret),
          `[${JSON.stringify(secret)}]`,
        ]) {
          const { failure } = decodeError(status, body);
          expect(failure.message).not.toContain(secret);
          if (secret !== "my-own-key") expect(JSON.stringify(failure.says)).not.toContain(secret);
        }
      }
    }
  });

  test("never passes on an account of the operator's, nor the name of a key", () => {
    const message =
      "Content violates usage guidelines. Team: bb642ce4-5161-45c9-8f34-408850883602, API key ID: 5bfd0532-8fa8-4e41-8eda-16a9a73a8d6d, Model: m";
    expect(decodeError(403, error({ message })).failure.message).toBe(
      "Content violates usage guidelines. Team: [redacted], API key ID: [redacted], Model: m",
    );
  });

  test("reads a wait on errors only in the shapes it knows", () => {
    for (const wait of ["soon", "-1", "1e9", "", "Wed, 21 Oct 2026 07:28:30 GMT"])
      expect(decodeError(429, "", { "retry-after": wait }).failure.retryAfterMs).toBeUndefined();
  });

  test("reads our own exchanges", () => {
    const codes = ownRecordings("openai", "openai-chat")
      .filter((each) => each.status >= 400)
      .map((each) => openaiChat.decodeError(each.status, each.headers, text(each.body)).failure.code);
    expect(codes).toEqual(["unsupported_parameter", "rate_limit_exceeded"]);
  });
});

describe.skipIf(sharedMissing)("recorded errors", () => {
  test("of OpenAI have the right code and retry", () => {
    const read = recordings("openai", "openai-chat")
      .filter((each) => each.status >= 400)
      .map((each) => {
        const { failure, retry } = openaiChat.decodeError(each.status, each.headers, text(each.body));
        return [each.id.split("/")[1], failure.code, retry];
      });
    expect(read).toEqual([
      ["chat.error-400.1", "unsupported_parameter", "never"],
      ["chat.error-400.2", "unsupported_parameter", "never"],
      ["chat.error-400.3", "invalid_value", "never"],
      ["chat.error-400.4", "invalid_value", "never"],
      ["chat.error-400.5", "invalid_value", "never"],
      ["chat.error-400.6", "invalid_value", "never"],
      ["chat.error-401.1", "provider_auth_failed", "elsewhere"],
      ["chat.error-403.1", "provider_auth_failed", "elsewhere"],
      ["chat.error-404.1", "model_not_found", "never"],
    ]);
  });

  test("of every provider that speaks Chat Completions are no internal errors, and auth faults are never the caller's", () => {
    for (const each of allRecordings(undefined, "openai-chat").filter((one) => one.status >= 400)) {
      const { failure } = openaiChat.decodeError(each.status, each.headers, text(each.body));
      if (each.status === 401) expect(failure.code).toBe("provider_auth_failed");
      if (each.status === 429) expect(failure.code).toBe("rate_limit_exceeded");
      if (each.status >= 500) expect(failure.row.fault).toBe("provider");
    }
  });

  test("of the compatible providers have the nearest code, and the field where one is named", () => {
    const read = recordings(undefined, "openai-chat")
      .filter((each) => each.status >= 400 && each.provider !== "openai")
      .map((each) => {
        const { failure, retry } = openaiChat.decodeError(each.status, each.headers, text(each.body));
        return [each.id.replace("chat.error-", ""), failure.code, retry, failure.param].join(" ").trim();
      });
    expect(read).toEqual([
      "azure/401.1 provider_auth_failed elsewhere",
      "azure/404.1 model_not_found never model",
      "azure/422.1 invalid_value never tool_choice",
      "azure/429.1 rate_limit_exceeded same",
      "deepseek/400.1 invalid_value never",
      "deepseek/400.2 model_not_found never model",
      "deepseek/400.3 context_length_exceeded never",
      "groq/400.1 upstream_error same",
      "groq/400.2 model_not_found never model",
      "groq/400.3 model_not_found never model",
      "groq/400.4 upstream_error same",
      "groq/404.1 model_not_found never model",
      "llamacpp/400.1 invalid_value never",
      "llamacpp/401.1 provider_auth_failed elsewhere",
      "llamacpp/500.1 upstream_error same",
      "mistral/400.1 unsupported_parameter never",
      "mistral/400.2 model_not_found never model",
      "ollama/400.1 context_length_exceeded never",
      "ollama/401.1 provider_auth_failed elsewhere",
      "openrouter/400.1 context_length_exceeded never",
      "openrouter/400.2 invalid_value never",
      "openrouter/401.1 provider_auth_failed elsewhere",
      "openrouter/403.1 invalid_value never",
      "openrouter/404.1 unsupported_parameter never",
      "openrouter/429.1 rate_limit_exceeded same",
      "perplexity/400.1 context_length_exceeded never",
      "perplexity/401.1 provider_auth_failed elsewhere",
      "xai/400.1 unsupported_parameter never reasoning_effort",
      "xai/404.1 model_not_found never model",
    ]);
  });

  test("composed ones (documented shapes, not recorded) keep their meaning", () => {
    const composed: { id: string; status: number; headers: Record<string, string>; body: unknown }[] = JSON.parse(
      readFileSync(join(SHARED_RECORDINGS, "_composed-errors.json"), "utf8"),
    ).errors;
    const read = composed
      .filter((each) => /^(openai|groq|mistral|deepseek|xai|fireworks)\./.test(each.id))
      .map((each) => {
        const { failure, retry } = decodeError(each.status, each.body, each.headers);
        return [each.id, failure.code, retry, failure.retryAfterMs];
      });
    expect(read).toEqual([
      ["openai.429.tpm", "rate_limit_exceeded", "same", 3890],
      ["openai.429.quota", "upstream_error", "elsewhere", undefined],
      ["openai.500", "upstream_error", "same", undefined],
      ["openai.503", "upstream_error", "same", undefined],
      ["groq.429", "rate_limit_exceeded", "same", 42_000],
      ["groq.413", "rate_limit_exceeded", "elsewhere", undefined],
      ["mistral.429", "rate_limit_exceeded", "same", undefined],
      ["deepseek.402", "upstream_error", "elsewhere", undefined],
      ["xai.429", "rate_limit_exceeded", "same", undefined],
      ["fireworks.429", "rate_limit_exceeded", "same", undefined],
    ]);
  });
});
