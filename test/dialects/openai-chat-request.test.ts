import { describe, expect, test } from "bun:test";
import type { Part } from "../../src/core/chat";
import { openaiChat } from "../../src/dialects/openai-chat";
import { allRecordings, ownRecordings, recordings, sharedMissing } from "../recordings/load";
import { encodeContext, failureOf } from "./openai-chat-replay";

const user = { role: "user", content: "hi" };
const body = (more: object = {}) => ({ model: "m", messages: [user], ...more });
const decode = (more: object = {}) => openaiChat.decodeRequest(body(more)).request;
const parts = (message: object, before: object[] = []): readonly Part[] =>
  decode({ messages: [...before, message] }).messages.at(-1)?.parts ?? [];
const encode = (json: unknown, changes: Parameters<typeof encodeContext>[0] = {}) => {
  const { request } = openaiChat.decodeRequest(json);
  const encoded = openaiChat.encodeRequest(
    request,
    encodeContext({ model: request.model, deviations: { takesReasoning: true, reasoningDetails: true }, ...changes }),
  );
  return { ...encoded, json: JSON.parse(encoded.body) };
};

describe("decodeRequest() refuses and names the field", () => {
  const rows: [string, unknown, string, string | undefined][] = [
    ["no body", 1, "invalid_type", undefined],
    ["no model", { messages: [user] }, "missing_required_parameter", "model"],
    ["a model that is no text", { model: 1, messages: [user] }, "invalid_type", "model"],
    ["no messages", { model: "m" }, "missing_required_parameter", "messages"],
    ["empty messages", { model: "m", messages: [] }, "invalid_value", "messages"],
    ["messages that are no list", { model: "m", messages: "hi" }, "invalid_type", "messages"],
    ["an unknown role", body({ messages: [user, { role: "robot", content: "x" }] }), "invalid_value", "messages[1].role"],
    ["no content", body({ messages: [{ role: "user" }] }), "missing_required_parameter", "messages[0].content"],
    ["null content", body({ messages: [{ role: "user", content: null }] }), "invalid_type", "messages[0].content"],
    ["content that is a number", body({ messages: [{ role: "user", content: 5 }] }), "invalid_type", "messages[0].content"],
    [
      "a part without a type",
      body({ messages: [{ role: "user", content: [{ text: "a" }] }] }),
      "missing_required_parameter",
      "messages[0].content[0].type",
    ],
    [
      "a text part without text",
      body({ messages: [{ role: "user", content: [{ type: "text" }] }] }),
      "missing_required_parameter",
      "messages[0].content[0].text",
    ],
    [
      "an image without an address",
      body({ messages: [user, user, { role: "user", content: [{ type: "image_url", image_url: {} }] }] }),
      "missing_required_parameter",
      "messages[2].content[0].image_url.url",
    ],
    [
      "an image that is a number",
      body({ messages: [{ role: "user", content: [{ type: "image_url", image_url: 1 }] }] }),
      "invalid_type",
      "messages[0].content[0].image_url",
    ],
    [
      "a data URL that is not base64",
      body({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:text/plain,hi" } }] }] }),
      "invalid_value",
      "messages[0].content[0].image_url",
    ],
    [
      "a tool result without its call",
      body({ messages: [{ role: "tool", content: "x" }] }),
      "missing_required_parameter",
      "messages[0].tool_call_id",
    ],
    [
      "a call without arguments",
      body({ messages: [{ role: "assistant", tool_calls: [{ id: "a", type: "function", function: { name: "f" } }] }] }),
      "missing_required_parameter",
      "messages[0].tool_calls[0].function.arguments",
    ],
    [
      "a tool without a name",
      body({ tools: [{ type: "function", function: {} }] }),
      "missing_required_parameter",
      "tools[0].function.name",
    ],
    ["both limits", body({ max_tokens: 1, max_completion_tokens: 2 }), "invalid_value", "max_tokens"],
    ["a limit of zero", body({ max_tokens: 0 }), "invalid_value", "max_tokens"],
    ["a limit that is no whole number", body({ max_completion_tokens: 1.5 }), "invalid_type", "max_completion_tokens"],
    ["n of zero", body({ n: 0 }), "invalid_value", "n"],
    ["stream that is a text", body({ stream: "yes" }), "invalid_type", "stream"],
    ["include_usage that is a text", body({ stream_options: { include_usage: "yes" } }), "invalid_type", "stream_options.include_usage"],
    ["stop that is a number", body({ stop: 1 }), "invalid_type", "stop"],
    ["a stop that holds a number", body({ stop: ["a", 1] }), "invalid_type", "stop[1]"],
    ["metadata that is no text", body({ metadata: { a: 1 } }), "invalid_type", "metadata.a"],
  ];
  test.each(rows)("%s", (_, json, code, param) => {
    const failure = failureOf(() => openaiChat.decodeRequest(json));
    expect([failure.code as string, failure.param]).toEqual([code, param]);
    expect(failure.row.status).toBe(400);
  });
});

describe("decodeRequest() reads", () => {
  test("null as not said, everywhere", () => {
    const fields = [
      "stream",
      "stream_options",
      "max_tokens",
      "temperature",
      "stop",
      "n",
      "tools",
      "tool_choice",
      "response_format",
      "metadata",
      "reasoning_effort",
    ];
    const request = decode(Object.fromEntries(fields.map((name) => [name, null])));
    expect(JSON.parse(JSON.stringify(request))).toEqual({
      model: "m",
      messages: [{ role: "user", parts: [{ type: "text", text: "hi" }] }],
      stream: false,
      rest: {},
    });
  });

  test("every role", () => {
    const roles = ["system", "developer", "user"].map((role) => ({ role, content: "x", name: "n" }));
    expect(decode({ messages: roles }).messages.map(({ role, name }) => [role, name])).toEqual([
      ["system", "n"],
      ["developer", "n"],
      ["user", "n"],
    ]);
  });

  test("every part", () => {
    const content = [
      { type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } },
      { type: "image_url", image_url: { url: "https://e.org/a.png", detail: "low" }, cache_control: { type: "ephemeral" } },
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } },
      { type: "input_audio", input_audio: { data: "AA==", format: "wav" } },
      { type: "file", file: { file_data: "data:application/pdf;base64,JVBE", filename: "a.pdf" } },
      { type: "file", file: { file_id: "file-1" } },
    ];
    expect(JSON.parse(JSON.stringify(parts({ role: "user", content })))).toEqual([
      { type: "text", text: "a", cache: "1h" },
      { type: "image", media: { kind: "url", url: "https://e.org/a.png" }, detail: "low", cache: "5m" },
      { type: "image", media: { kind: "base64", mediaType: "image/png", data: "iVBO" } },
      { type: "audio", media: { kind: "base64", mediaType: "audio/wav", data: "AA==" }, format: "wav" },
      { type: "file", media: { kind: "base64", mediaType: "application/pdf", data: "JVBE" }, name: "a.pdf" },
      { type: "file", media: { kind: "id", id: "file-1" } },
    ]);
  });

  test("an assistant's calls, seals, refusal and audio, and a tool's result", () => {
    const assistant = {
      role: "assistant",
      content: "",
      refusal: "no",
      audio: { id: "audio-1" },
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: "{}" }, extra_content: { google: { thought_signature: "sig" } } },
        { id: "b", type: "custom", custom: { name: "g", input: "text" } },
      ],
    };
    expect(parts(assistant)).toEqual([
      { type: "refusal", text: "no" },
      { type: "audio", media: { kind: "id", id: "audio-1" } },
      { type: "tool-call", id: "a", name: "f", arguments: "{}", signature: "sig" },
      { type: "tool-call", id: "b", name: "g", arguments: "text", custom: true },
    ]);
    expect(parts({ role: "tool", tool_call_id: "a", content: [{ type: "text", text: "x" }] })).toMatchObject([
      { type: "tool-result", callId: "a", content: [{ type: "text", text: "x" }] },
    ]);
  });

  test("legacy functions: the result belongs to the call before it", () => {
    const messages = [
      user,
      { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
      { role: "function", name: "f", content: "7" },
    ];
    const request = decode({ messages, functions: [{ name: "f", parameters: {} }], function_call: "auto" });
    const [call] = request.messages[1]?.parts ?? [];
    const [result] = request.messages[2]?.parts ?? [];
    expect(call).toMatchObject({ type: "tool-call", id: "call_legacy_1", name: "f" });
    expect(result).toMatchObject({ type: "tool-result", callId: "call_legacy_1", name: "f" });
    expect(request.tools).toMatchObject([{ name: "f" }]);
    expect(Object.keys(request.rest)).toEqual(["functions", "function_call"]);
  });

  const reasoning: [string, object, object[]][] = [
    ["reasoning_content", { reasoning_content: "t" }, [{ type: "reasoning", text: "t" }]],
    ["reasoning", { reasoning: "t", reasoning_content: "t" }, [{ type: "reasoning", text: "t" }]],
    [
      "whole details",
      {
        reasoning: "ab",
        reasoning_details: [
          { type: "reasoning.text", text: "a", signature: "s", format: "anthropic-claude-v1" },
          { type: "reasoning.encrypted", data: "d", format: "google-gemini-v1" },
        ],
      },
      [
        { type: "reasoning", text: "a", signature: "s", from: "anthropic-messages" },
        { type: "redacted-reasoning", data: "d", from: "gemini" },
      ],
    ],
    [
      "details in pieces",
      {
        reasoning_details: [
          { type: "reasoning.text", text: "a", format: "anthropic-claude-v1", index: 0 },
          { type: "reasoning.text", text: "b", format: "anthropic-claude-v1", index: 0 },
          { type: "reasoning.text", signature: "s", format: "anthropic-claude-v1", index: 0 },
        ],
      },
      [{ type: "reasoning", text: "ab", signature: "s", from: "anthropic-messages" }],
    ],
    [
      "the text in one field and the seal in the other",
      { reasoning_content: "t", reasoning_details: [{ type: "reasoning.text", signature: "s", format: "anthropic-claude-v1", index: 0 }] },
      [{ type: "reasoning", text: "t", signature: "s", from: "anthropic-messages" }],
    ],
    ["nothing in an empty detail", { reasoning_details: [{ type: "reasoning.text", format: "unknown", index: 0 }] }, []],
  ];
  test.each(reasoning)("thinking sent back: %s", (_, fields, expected) => {
    expect(JSON.parse(JSON.stringify(parts({ role: "assistant", content: null, ...fields })))).toEqual(expected);
  });

  test("how much to think, in three vendors' words", () => {
    expect(decode({ reasoning_effort: "low" }).reasoning).toMatchObject({ effort: "low" });
    expect(decode({ reasoning: { max_tokens: 2000 } }).reasoning).toMatchObject({ budgetTokens: 2000 });
    expect(decode({ thinking: { type: "enabled", budget_tokens: 1024 } }).reasoning).toMatchObject({ budgetTokens: 1024 });
    expect(decode({ thinking: { type: "disabled" } }).reasoning).toMatchObject({ effort: "none" });
    expect(decode({ thinking: { type: "adaptive" } }).reasoning).toMatchObject({ adaptive: true });
    expect(decode({ reasoning: { effort: "high", exclude: true } })).toMatchObject({
      reasoning: undefined,
      rest: { reasoning: { exclude: true } },
    });
  });

  test("what the neutral request has no place for, by its path", () => {
    const { rest } = decode({
      messages: [
        { role: "assistant", content: "a", prefix: true },
        {
          role: "user",
          content: [
            { type: "video_url", video_url: {} },
            { type: "text", text: "b", x: 1 },
          ],
        },
      ],
      prediction: { type: "content" },
      tool_choice: { type: "allowed_tools", allowed_tools: {} },
      tools: [{ type: "web_search" }],
      stream_options: { include_obfuscation: false },
      __proto__: undefined,
    });
    expect(Object.keys(rest).sort()).toEqual([
      "messages[0].prefix",
      "messages[1].content[0]",
      "messages[1].content[1].x",
      "prediction",
      "stream_options.include_obfuscation",
      "tool_choice",
      "tools",
    ]);
    expect(Object.getPrototypeOf(rest)).toBeNull();
  });

  test("whether the usage chunk was asked for", () => {
    expect(openaiChat.decodeRequest(body({ stream: true, stream_options: { include_usage: true } })).includeUsage).toBe(true);
    expect(openaiChat.decodeRequest(body({ stream: true })).includeUsage).toBe(false);
  });
});

/** A request as it says the same: no nulls, lists of one text as the text, the newer name of the limit. */
function canonical(json: unknown): unknown {
  const walk = (value: unknown, key = ""): unknown => {
    if (Array.isArray(value)) {
      const [only] = value as { type?: string; text?: string }[];
      const plain = key === "content" && value.length === 1 && only?.type === "text" && Object.keys(only).length === 2;
      return plain ? only?.text : value.map((each) => walk(each));
    }
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).filter(
      ([name, each]) => each !== null && !(name === "content" && each === "" && (value as { role?: string }).role === "assistant"),
    );
    return Object.fromEntries(entries.map(([name, each]) => [name === "max_tokens" ? "max_completion_tokens" : name, walk(each, name)]));
  };
  const whole = walk(json) as Record<string, unknown>;
  if (typeof whole["stop"] === "string") whole["stop"] = [whole["stop"]];
  if (whole["stream"] === false) delete whole["stream"];
  if (whole["stream"] === true) whole["stream_options"] = { ...(whole["stream_options"] as object), include_usage: true };
  return whole;
}

describe("chat → neutral → chat loses nothing", () => {
  test("of our own requests", () => {
    for (const { id, request } of ownRecordings("openai", "openai-chat"))
      expect([id, canonical(encode(request).json)]).toEqual([id, canonical(request)]);
  });

  test.skipIf(sharedMissing)("of every recorded request of OpenAI's that was answered", () => {
    const found = recordings("openai", "openai-chat").filter((each) => each.request !== undefined && each.status === 200);
    for (const { id, request } of found) expect([id, canonical(encode(request).json)]).toEqual([id, canonical(request)]);
    expect(found.length).toBeGreaterThan(25);
  });

  test.skipIf(sharedMissing)("of every other provider's request, or says what is missing", () => {
    for (const { id, request } of allRecordings(undefined, "openai-chat").filter(
      (each) => each.request !== undefined && each.status === 200 && each.provider !== "openai",
    )) {
      if (typeof (request as { model?: unknown }).model !== "string") continue;
      const { ignored } = encode(request, { dropUnsupported: true });
      // What other providers call their own is left out by name; gateways' fields and budgets in tokens too.
      for (const name of ignored)
        expect([id, ["random_seed", "search_settings", "provider", "reasoning", "document_url", "cache_control"]]).toEqual([
          id,
          expect.arrayContaining([name]),
        ]);
    }
  });

  test("of parts and fields that only a path can name", () => {
    const json = body({
      messages: [
        { role: "user", content: [{ type: "text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } }] },
        { role: "assistant", content: "b", prefix: true },
        {
          role: "user",
          content: [
            { type: "video_url", video_url: { url: "u" } },
            { type: "text", text: "c" },
          ],
        },
      ],
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: true },
    });
    expect(encode(json).json).toEqual(json);
  });
});

describe("encodeRequest()", () => {
  test("asks for usage in streams, and names model and path", () => {
    const { request } = openaiChat.decodeRequest(body({ stream: true }));
    const encoded = openaiChat.encodeRequest(request, encodeContext());
    expect(encoded.path).toBe("/chat/completions");
    expect(JSON.parse(encoded.body)).toEqual({
      model: "the-provider's-model",
      messages: [user],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("writes the limit under the name that the provider reads", () => {
    expect(encode(body({ max_tokens: 9 })).json).toMatchObject({ max_completion_tokens: 9 });
    expect(encode(body({ max_completion_tokens: 9 }), { deviations: { maxTokensField: "max_tokens" } }).json).toMatchObject({
      max_tokens: 9,
    });
    expect(encode(body({ max_tokens: 9 })).maxOutputTokens).toBe(9);
  });

  test("leaves thinking out, and says so, unless the provider reads it", () => {
    const messages = [user, { role: "assistant", content: "a", reasoning_content: "t" }];
    expect(encode(body({ messages })).json.messages[1]).toEqual({ role: "assistant", content: "a", reasoning_content: "t" });
    const { json, ignored } = encode(body({ messages }), { deviations: {} });
    expect(json.messages[1]).toEqual({ role: "assistant", content: "a" });
    expect(ignored).toEqual(["reasoning_content"]);
  });

  test("makes a message of each tool result, whatever message it came in", () => {
    const request = {
      ...decode(),
      messages: [
        {
          role: "user",
          parts: [
            { type: "tool-result", callId: "a", content: [{ type: "text", text: "x" }] },
            { type: "text", text: "go on" },
          ],
        },
      ],
    } as const;
    expect(JSON.parse(openaiChat.encodeRequest(request, encodeContext()).body).messages).toEqual([
      { role: "tool", tool_call_id: "a", content: "x" },
      { role: "user", content: "go on" },
    ]);
  });

  test("refuses what Chat Completions cannot say", () => {
    const request = { ...decode(), messages: [{ role: "user", parts: [{ type: "image", media: { kind: "id", id: "f" } }] }] } as const;
    expect(failureOf(() => openaiChat.encodeRequest(request, encodeContext())).code).toBe("unsupported_parameter");
  });

  test("a path of the caller's never leads out of the body", () => {
    const message = JSON.parse(
      '{"role":"user","content":"a","__proto__":{"x":1},"constructor.prototype.polluted":1,"__proto__.polluted":1}',
    );
    encode(body({ messages: [message] }));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
