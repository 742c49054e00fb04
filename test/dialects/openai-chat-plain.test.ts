// Ordinary requests are read by hand and the others by the schema: both must say the same of the same request.
import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { decodeOpenaiChatRequest } from "../../src/dialects/openai-chat-request";

const MESSAGES = [{ role: "user", content: "Hello" }];
const PLAIN = { model: "gpt-4o-mini", messages: MESSAGES };

/** A field that says nothing, and that only the schema reads. */
const bySchema = (body: object): object => ({ ...body, n: null });

function outcomeOf(body: unknown): unknown {
  try {
    return decodeOpenaiChatRequest(body);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { code: thrown.code, message: thrown.message, param: thrown.param };
  }
}

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  2 ** 53,
  1e308,
  "",
  "text",
  [],
  ["a"],
  {},
  { include_usage: true },
  { include_usage: "no" },
];
const FIELDS = [
  ..."model messages stream stream_options max_tokens max_completion_tokens temperature top_p top_k stop seed".split(" "),
  ..."presence_penalty frequency_penalty logprobs top_logprobs parallel_tool_calls user service_tier reasoning_effort".split(" "),
  ..."metadata tools tool_choice response_format unheard_of".split(" "),
];

describe("a request read by hand", () => {
  test.each(FIELDS)("says what the schema says, whatever stands in %s", (field) => {
    for (const value of VALUES) {
      const body = { ...PLAIN, [field]: value };
      expect({ value, is: outcomeOf(body) }).toEqual({ value, is: outcomeOf(bySchema(body)) });
    }
  });

  test.each(["model", "messages"])("may not lack %s", (field) => {
    const { [field]: _, ...body } = PLAIN as Record<string, unknown>;
    expect(outcomeOf(body)).toMatchObject({ code: "missing_required_parameter", param: field });
  });

  test("is an object", () => {
    for (const body of [null, [], "text", 1]) expect(outcomeOf(body)).toMatchObject({ code: "invalid_type" });
  });

  test("keeps every field that has no place, and the usage wish", () => {
    const body = { ...PLAIN, stream: true, stream_options: { include_usage: true, include_obfuscation: false }, logit_bias: { "1": 2 } };
    expect(decodeOpenaiChatRequest(body)).toMatchObject({
      includeUsage: true,
      request: { stream: true, rest: { "stream_options.include_obfuscation": false, logit_bias: { "1": 2 } } },
    });
  });
});

describe("a message read by hand", () => {
  const said = (message: unknown): unknown => outcomeOf({ ...PLAIN, messages: [message] });

  test.each([
    ["no object", "text", "messages[0]"],
    ["a list", [], "messages[0]"],
    ["a role that is none", { role: "robot", content: "x" }, "messages[0].role"],
    ["no role", { content: "x" }, "messages[0].role"],
    ["a name that is no text", { role: "user", name: 5, content: "x" }, "messages[0].name"],
  ])("is refused by its place: %s", (_, message, param) => {
    expect(said(message)).toMatchObject({ param });
  });

  test("an answer of an assistant that is only text has one part, however its empty fields are written", () => {
    const text = { role: "assistant", content: "Hi" };
    const written = { ...text, refusal: null, tool_calls: null, audio: null, function_call: null, reasoning_details: null };
    expect(said(text)).toMatchObject({ request: { messages: [{ role: "assistant", parts: [{ type: "text", text: "Hi" }] }] } });
    expect(said(written)).toEqual(said(text));
    expect(said({ role: "assistant", content: "" })).toMatchObject({ request: { messages: [{ parts: [] }] } });
    expect(said({ ...text, tool_calls: "x" })).toMatchObject({ param: "messages[0].tool_calls" });
  });

  test("a text part alone is read as one with an empty cache mark is", () => {
    const part = { type: "text", text: "Hi" };
    const marked = { ...part, cache_control: null };
    expect(said({ role: "user", content: [part] })).toEqual(said({ role: "user", content: [marked] }));
    expect(said({ role: "user", content: [{ type: "text", text: 5 }] })).toMatchObject({ param: "messages[0].content[0].text" });
    expect(said({ role: "user", content: [{ ...part, extra: 1 }] })).toMatchObject({
      request: { rest: { "messages[0].content[0].extra": 1 } },
    });
  });
});
