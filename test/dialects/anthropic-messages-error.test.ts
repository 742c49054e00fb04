import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import { gemini } from "../../src/dialects/gemini";
import { retryAfterMs, safeProviderMessage } from "../../src/dialects/provider-message";
import { recording, SHARED_RECORDINGS, sharedMissing } from "../recordings/load";
import { bodyText } from "./anthropic-gemini-replay";

const decode = (status: number, type: string, message: string, headers: Record<string, string> = {}, more: object = {}) =>
  anthropicMessages.decodeError(
    status,
    new Map(Object.entries(headers)),
    JSON.stringify({ type: "error", error: { type, message, ...more } }),
  );

describe("anthropicMessages.decodeError()", () => {
  for (const [status, type, message, code, retry, param] of [
    [400, "invalid_request_error", "temperature: range: 0..1", "invalid_value", "never", "temperature"],
    [400, "invalid_request_error", "max_tokens: 99999 > 8192", "invalid_value", "never", "max_completion_tokens"],
    [400, "invalid_request_error", "messages.3.content.0: bad", "invalid_value", "never", "messages"],
    [400, "invalid_request_error", "`temperature` may only be set to 1 when thinking is enabled", "invalid_value", "never", "temperature"],
    [400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", "context_length_exceeded", "never", "messages"],
    [
      400,
      "invalid_request_error",
      "input length and `max_tokens` exceed context limit: 1 + 2 > 2",
      "context_length_exceeded",
      "never",
      "messages",
    ],
    [400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", "upstream_error", "elsewhere", undefined],
    [401, "authentication_error", "invalid x-api-key", "provider_auth_failed", "elsewhere", undefined],
    [402, "billing_error", "Pay first", "upstream_error", "elsewhere", undefined],
    [403, "permission_error", "Your key may not use this", "provider_auth_failed", "elsewhere", undefined],
    [404, "not_found_error", "model: claude-x", "model_not_found", "never", "model"],
    [413, "request_too_large", "Request exceeds the maximum size", "request_too_large", "never", undefined],
    [429, "rate_limit_error", "Slow down", "rate_limit_exceeded", "same", undefined],
    [500, "api_error", "Internal server error", "upstream_error", "same", undefined],
    [504, "timeout_error", "Took too long", "upstream_timeout", "same", undefined],
    [529, "overloaded_error", "Overloaded", "upstream_error", "same", undefined],
  ] as const) {
    test(`${status} ${message} is ${code}, retry ${retry}`, () => {
      const { failure, retry: decided } = decode(status, type, message);
      expect({ code: failure.code, decided, param: failure.param, says: failure.says }).toEqual({
        code,
        decided: retry,
        param,
        says: { status, type },
      });
    });
  }

  test("reads the delay of a 429 and of an overload", () => {
    expect(decode(429, "rate_limit_error", "x", { "retry-after": "27" }).failure.retryAfterMs).toBe(27_000);
    const own = recording("own/anthropic.messages.error-overloaded");
    expect(anthropicMessages.decodeError(own.status, own.headers, bodyText(own)).failure.retryAfterMs).toBe(7_000);
  });

  test("does not wait for a monthly spend stop", () => {
    expect(decode(429, "rate_limit_error", "x", {}, { details: { error_code: "enforced_spend_limit_reached" } }).retry).toBe("elsewhere");
  });

  test("never shows a body that is not Anthropic's", () => {
    const { failure } = anthropicMessages.decodeError(502, new Map(), "<html>secret host</html>");
    expect(failure.message).toBe("The provider failed (502)");
  });

  test("never shows a key that the provider quotes", () => {
    const { failure } = decode(400, "invalid_request_error", "bad header sk-ant-api03-abcdefghijklmnopqrstuvwxyz012345");
    expect(failure.message).toBe("bad header [redacted]");
  });

  test.skipIf(sharedMissing)("reads the documented shapes of which there is no recording (composed, not recorded)", () => {
    const file = join(SHARED_RECORDINGS, "_composed-errors.json");
    expect(existsSync(file)).toBe(true);
    interface Composed {
      id: string;
      provider: string;
      status: number;
      headers: Record<string, string>;
      body?: unknown;
    }
    const errors: Composed[] = JSON.parse(readFileSync(file, "utf8")).errors;
    const read = errors.flatMap(({ id, provider, status, headers, body }) => {
      if (body === undefined || (provider !== "anthropic" && provider !== "gemini")) return [];
      const dialect = provider === "gemini" ? gemini : anthropicMessages;
      const { failure, retry } = dialect.decodeError(status, new Map(Object.entries(headers)), JSON.stringify(body));
      return [[id, failure.code, retry]];
    });
    expect(read).toEqual(
      expect.arrayContaining([
        ["anthropic.429", "rate_limit_exceeded", "same"],
        ["anthropic.529", "upstream_error", "same"],
        ["anthropic.413", "request_too_large", "never"],
        ["anthropic.500", "upstream_error", "same"],
        ["gemini.503", "upstream_error", "same"],
        ["gemini.500", "upstream_error", "same"],
      ]),
    );
  });
});

describe("safeProviderMessage()", () => {
  for (const [secret, shown] of [
    ["Incorrect API key provided: sk-proj-abc********************wxyz.", "Incorrect API key provided: [redacted]"],
    ["key AIzaSyA1234567890abcdefghijklmnopqrs is bad", "key [redacted] is bad"],
    ["Authorization: Bearer abc.def-123456 was refused", "Authorization: [redacted] was refused"],
    ["GET https://host/v1?alt=sse&key=topsecret failed", "GET https://host/v1?alt=sse&key=[redacted] failed"],
    ["for consumer 'project_number:348715329010'.", "for consumer 'project_number:[redacted]'."],
    ["invalid key 0a1b2c3d4e5f60718293a4b5c6d7e8f9", "invalid key [redacted]"],
    ["model: claude-haiku-4-5-20251001 is unknown", "model: claude-haiku-4-5-20251001 is unknown"],
  ] as const) {
    test(secret, () => expect(safeProviderMessage(secret)).toBe(shown));
  }

  test("shows at most 2,000 characters", () => {
    expect(safeProviderMessage("a ".repeat(100_000))).toHaveLength(2_000);
  });
});

test("retryAfterMs() reads milliseconds before seconds, and nothing that is not a number", () => {
  expect(
    retryAfterMs(
      new Map([
        ["retry-after", "2"],
        ["retry-after-ms", "1890.2"],
      ]),
    ),
  ).toBe(1891);
  expect(retryAfterMs(new Map([["retry-after", "0.5"]]))).toBe(500);
  expect(retryAfterMs(new Map([["retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"]]))).toBeUndefined();
  expect(retryAfterMs(new Map())).toBeUndefined();
});
