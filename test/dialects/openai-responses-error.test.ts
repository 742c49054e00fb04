import { describe, expect, test } from "bun:test";
import type { FailureBody } from "../../src/dialects/dialect";
import { decodeResponsesError } from "../../src/dialects/openai-responses-error";
import { responsesFailureFrame } from "../../src/dialects/openai-responses-failure";
import { recording, recordings, sharedMissing } from "../recordings/load";
import { schema, text, utf8 } from "./openai-chat-replay";
import { framesOf } from "./openai-responses-recorded";

const decoded = (id: string) => {
  const { status, headers, body } = recording(id);
  return decodeResponsesError(status, headers, text(body));
};
const error = (param: string) =>
  decodeResponsesError(400, new Map(), JSON.stringify({ error: { message: "no", type: "invalid_request_error", param, code: null } }));

describe("decodeResponsesError()", () => {
  test("names fields as we do, and keeps the provider's name", () => {
    const { failure, retry } = decoded("own/openai/responses.error-400.1");
    expect([failure.code, failure.param, failure.says?.param, retry]).toEqual([
      "invalid_value",
      "max_completion_tokens",
      "max_output_tokens",
      "never",
    ]);
    expect(error("reasoning.effort").failure.param).toBe("reasoning_effort");
    expect(error("text.format.schema").failure.param).toBe("response_format");
    expect(error("input[2].content").failure.param).toBe("messages");
    expect(error("inputs").failure.param).toBe("inputs");
    expect(error("tools[0].parameters").failure.param).toBe("tools[0].parameters");
  });

  test.skipIf(sharedMissing)("reads every recorded error", () => {
    const table = recordings(undefined, "openai-responses")
      .filter(({ status }) => status !== 200)
      .map(({ id }) => {
        const { failure, retry } = decoded(id);
        return [id.replace("/responses.", " "), failure.code, failure.param, retry];
      });
    expect(table).toEqual([
      ["deepseek error-400.1", "invalid_value", undefined, "never"],
      ["openai error-400.1", "model_not_found", "model", "never"],
      ["openai error-400.2", "invalid_value", "tools[0].parameters", "never"],
      ["openai error-400.3", "context_length_exceeded", "messages", "never"],
      ["openai error-400.4", "model_not_found", "model", "never"],
      ["openai error-400.5", "model_not_found", "model", "never"],
      ["openai error-400.6", "unsupported_parameter", "reasoning_effort", "never"],
      ["openai error-401.1", "provider_auth_failed", undefined, "elsewhere"],
      ["openai error-429.1", "upstream_error", undefined, "elsewhere"],
      ["xai error-400.1", "model_not_found", "model", "never"],
      ["xai error-400.2", "provider_auth_failed", undefined, "elsewhere"],
    ]);
  });
});

describe("responsesFailureFrame()", () => {
  const failure: FailureBody = {
    status: 502,
    message: "broke",
    type: "server_error",
    param: null,
    code: "stream_truncated",
    facts: { request_id: "r" },
  };
  const parsed = (frames: string) => framesOf([utf8(frames)]).map(({ event, data }) => [event, JSON.parse(data ?? "")]);

  test("is an error event, flat as it is documented and with the inner object that is sent", () => {
    expect(parsed(responsesFailureFrame(failure, 7, "tollway"))).toEqual([
      [
        "error",
        {
          type: "error",
          sequence_number: 7,
          code: "stream_truncated",
          message: "broke",
          param: null,
          error: { type: "server_error", code: "stream_truncated", message: "broke", param: null, tollway: { request_id: "r" } },
        },
      ],
    ]);
  });

  test("is followed by the failed answer where one was begun, with a code of the API's own list", () => {
    const begun = { id: "resp_1", object: "response", status: "in_progress", model: "m", output: [], error: null, usage: null };
    const frames = parsed(responsesFailureFrame(failure, 7, "tollway", begun));
    expect(frames[1]).toEqual([
      "response.failed",
      {
        type: "response.failed",
        sequence_number: 8,
        response: { ...begun, status: "failed", error: { code: "server_error", message: "broke" }, tollway: { request_id: "r" } },
      },
    ]);
    const limited = parsed(responsesFailureFrame({ ...failure, code: "rate_limit_exceeded" }, 0, "tollway", begun));
    expect(limited[1]?.[1].response.error.code).toBe("rate_limit_exceeded");
    const isEvent = schema("ResponseStreamEvent");
    if (isEvent) for (const [, event] of [...frames, ...limited]) expect([event.type, isEvent(event)]).toEqual([event.type, true]);
  });
});
