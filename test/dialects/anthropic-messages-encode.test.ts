import { describe, expect, test } from "bun:test";
import type { MessageCreateParamsBase } from "@anthropic-ai/sdk/resources/messages/messages";
import type { ChatRequest, Part, Reasoning } from "../../src/core/chat";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { EncodeContext } from "../../src/dialects/dialect";
import { failureOf } from "./anthropic-gemini-replay";

/** The SDK's own type of a body, with the sampling fields that its newest version no longer has. */
type Body = MessageCreateParamsBase & { temperature?: number; top_p?: number; top_k?: number };

const context = (model = "claude-haiku-4-5", more: Partial<EncodeContext> = {}): EncodeContext => ({
  model,
  defaultMaxOutputTokens: 4096,
  unsupported: [],
  dropUnsupported: false,
  deviations: {},
  ...more,
});
const user = (...parts: Part[]): ChatRequest["messages"][number] => ({ role: "user", parts });
const text = (said: string): Part => ({ type: "text", text: said });
const ask = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [user(text("Hi"))],
  stream: false,
  rest: {},
  ...more,
});
const encode = (request: Partial<ChatRequest>, at = context()) => {
  const encoded = anthropicMessages.encodeRequest(ask(request), at);
  return { ...encoded, json: JSON.parse(encoded.body) };
};
const tool = { name: "add", description: "Adds", parameters: { type: "object", properties: { a: { type: "number" } } } };
const refused = (request: Partial<ChatRequest>, at = context()): { code: string; param: string | undefined } => {
  const { code, param } = failureOf(() => encode(request, at));
  return { code, param };
};
const unsupported = (param: string): { code: string; param: string | undefined } => ({ code: "unsupported_parameter", param });

describe("a whole request", () => {
  test("has every field at its place, in the SDK's own types", () => {
    const { json, path, headers, ignored, maxOutputTokens } = encode({
      stream: true,
      messages: [
        { role: "system", parts: [{ type: "text", text: "Be brief.", cache: "1h" }] },
        { role: "developer", parts: [text("In German.")] },
        user(
          text("What is this?"),
          { type: "image", media: { kind: "base64", mediaType: "image/png", data: "AAAA" } },
          { type: "image", media: { kind: "url", url: "https://img.example/a.png" }, cache: "5m" },
          { type: "file", media: { kind: "base64", mediaType: "application/pdf", data: "BBBB" }, name: "a.pdf" },
          { type: "file", media: { kind: "base64", mediaType: "text/markdown", data: btoa("# Hi") } },
        ),
      ],
      tools: [{ ...tool, strict: true, cache: "5m" }, { name: "now" }],
      toolChoice: "required",
      parallelToolCalls: false,
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      stop: ["END"],
      user: "u-1",
      serviceTier: "default",
      responseFormat: { type: "json-schema", name: "n", schema: { type: "object" }, description: "A thing" },
    });
    expect(json).toEqual({
      model: "claude-haiku-4-5",
      max_tokens: 100,
      system: [
        { type: "text", text: "Be brief.", cache_control: { type: "ephemeral", ttl: "1h" } },
        { type: "text", text: "In German." },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
            { type: "image", source: { type: "url", url: "https://img.example/a.png" }, cache_control: { type: "ephemeral" } },
            { type: "document", source: { type: "base64", media_type: "application/pdf", data: "BBBB" }, title: "a.pdf" },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "# Hi" } },
          ],
        },
      ],
      tools: [
        {
          name: "add",
          description: "Adds",
          input_schema: { type: "object", properties: { a: { type: "number" } } },
          strict: true,
          cache_control: { type: "ephemeral" },
        },
        { name: "now", input_schema: { type: "object", properties: {} } },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ["END"],
      output_config: { format: { type: "json_schema", schema: { type: "object", description: "A thing" } } },
      metadata: { user_id: "u-1" },
      service_tier: "standard_only",
      stream: true,
    } satisfies Body);
    expect({ path, headers, ignored, maxOutputTokens }).toEqual({
      path: "/messages",
      headers: { "anthropic-version": "2023-06-01" },
      ignored: [],
      maxOutputTokens: 100,
    });
  });

  test("always has max_tokens: the context's where the caller gave none", () => {
    const { json, maxOutputTokens } = encode({});
    expect(json).toEqual({
      model: "claude-haiku-4-5",
      max_tokens: 4096,
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
      stream: false,
    } satisfies Body);
    expect(maxOutputTokens).toBe(4096);
  });
});

describe("the conversation", () => {
  const call = (id: string, args = "{}"): Part => ({ type: "tool-call", id, name: "add", arguments: args });
  const result = (callId: string, said: string, isError?: boolean): ChatRequest["messages"][number] => ({
    role: "tool",
    parts: [{ type: "tool-result", callId, content: [text(said)], isError }],
  });

  test("puts all results of a turn into one user message, before what else the user said", () => {
    const { json } = encode({
      tools: [tool],
      messages: [
        user(text("Add")),
        { role: "assistant", parts: [text("Yes."), call("a", '{"a":7}'), call("b", "")] },
        result("a", "1"),
        result("b", "no", true),
        user(text("And?")),
      ],
    });
    expect(json.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "text", text: "Yes." },
          { type: "tool_use", id: "a", name: "add", input: { a: 7 } },
          { type: "tool_use", id: "b", name: "add", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "1" }] },
          { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "no" }], is_error: true },
          { type: "text", text: "And?" },
        ],
      },
    ] satisfies Body["messages"]);
  });

  test("moves results before what the user said between call and result", () => {
    const { json } = encode({
      messages: [user(text("x")), { role: "assistant", parts: [call("a")] }, user(text("Wait.")), result("a", "1")],
    });
    expect(json.messages[2].content.map(({ type }: { type: string }) => type)).toEqual(["tool_result", "text"]);
  });

  test("keeps the digits of arguments", () => {
    const { body } = encode({
      messages: [user(text("x")), { role: "assistant", parts: [call("a", '{"a":12345678901234567890,"b":1.0}')] }],
    });
    expect(body).toContain('"input":{"a":12345678901234567890,"b":1.0}');
  });

  test("merges neighbours of one role, leaves out empty texts and system messages wherever they stand", () => {
    const { json } = encode({
      messages: [
        user(text("a")),
        user(text(""), text("b")),
        { role: "assistant", parts: [text("")] },
        { role: "system", parts: [text("s")] },
        user(text("c")),
      ],
    });
    expect(json.system).toEqual([{ type: "text", text: "s" }]);
    expect(json.messages).toEqual([{ role: "user", content: ["a", "b", "c"].map((said) => ({ type: "text", text: said })) }]);
  });

  test("begins an assistant turn with its own sealed thoughts, untouched, and drops what others sealed or nobody did", () => {
    const { json, ignored } = encode({
      messages: [
        user(text("x")),
        {
          role: "assistant",
          parts: [
            text("Answer"),
            { type: "reasoning", text: "mine", signature: "sig", from: "anthropic-messages" },
            { type: "redacted-reasoning", data: "sealed", from: "anthropic-messages" },
            { type: "reasoning", text: "", signature: "hidden", from: "anthropic-messages" },
            { type: "reasoning", text: "other", signature: "sig", from: "gemini" },
            { type: "reasoning", text: "unsealed", from: "anthropic-messages" },
            { type: "redacted-reasoning", data: "other", from: "openai-responses" },
          ],
        },
        user(text("y")),
      ],
    });
    expect(json.messages[1].content).toEqual([
      { type: "thinking", thinking: "mine", signature: "sig" },
      { type: "redacted_thinking", data: "sealed" },
      { type: "thinking", thinking: "", signature: "hidden" },
      { type: "text", text: "Answer" },
    ]);
    expect(ignored).toEqual([]);
  });

  test("keeps the order of a turn that thinks between its calls", () => {
    const thought = (signature: string): Part => ({ type: "reasoning", text: "t", signature, from: "anthropic-messages" });
    const { json } = encode({
      messages: [user(text("x")), { role: "assistant", parts: [thought("1"), call("a"), thought("2"), call("b")] }],
    });
    expect(json.messages[1].content.map(({ type }: { type: string }) => type)).toEqual(["thinking", "tool_use", "thinking", "tool_use"]);
  });

  test("maps foreign call ids to letters that Anthropic takes, the same for call and result, no two to one", () => {
    const ids = ["functions.add:0", "functions_add_0", "functions:add.0"];
    const { json } = encode({
      messages: [user(text("x")), { role: "assistant", parts: ids.map((id) => call(id)) }, ...ids.map((id) => result(id, "1"))],
    });
    const used = json.messages[1].content.map(({ id }: { id: string }) => id);
    expect(new Set(used).size).toBe(3);
    for (const id of used) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(json.messages[2].content.map(({ tool_use_id }: { tool_use_id: string }) => tool_use_id)).toEqual(used);
  });

  test("names files of the provider by id, with the header that they need", () => {
    const { json, headers } = encode({ messages: [user({ type: "file", media: { kind: "id", id: "file_1" } })] });
    expect(json.messages[0].content).toEqual([{ type: "document", source: { type: "file", file_id: "file_1" } }]);
    expect(headers["anthropic-beta"]).toBe("files-api-2025-04-14");
  });

  test("refuses what has no place by its name", () => {
    expect(
      refused({ messages: [user(text("x"), { type: "audio", media: { kind: "base64", mediaType: "audio/wav", data: "A" } })] }),
    ).toEqual(unsupported("messages[0].content[1].input_audio"));
    const file: Part = { type: "file", media: { kind: "base64", mediaType: "application/zip", data: "A" } };
    expect(refused({ messages: [user(file)] })).toEqual(unsupported("messages[0].content[0].file"));
    expect(refused({ messages: [user(text("x")), { role: "assistant", parts: [call("a", "[1]")] }] })).toEqual({
      code: "invalid_value",
      param: "messages[1].tool_calls",
    });
  });

  test("drops and names it where the key says so", () => {
    const audio: Part = { type: "audio", media: { kind: "base64", mediaType: "audio/wav", data: "A" } };
    const { json, ignored } = encode(
      { messages: [user(text("x"), audio)], responseFormat: { type: "json" } },
      context(undefined, { dropUnsupported: true }),
    );
    expect(json.messages[0].content).toEqual([{ type: "text", text: "x" }]);
    expect(ignored).toEqual(["messages[0].content[1].input_audio", "response_format"]);
  });
});

describe("fields without a place", () => {
  for (const [param, more] of [
    ["n", { choices: 2 }],
    ["logprobs", { logprobs: true }],
    ["presence_penalty", { presencePenalty: 0.5 }],
    ["frequency_penalty", { frequencyPenalty: 0.5 }],
    ["logit_bias", { rest: { logit_bias: { "50256": -100 } } }],
    ["response_format", { responseFormat: { type: "json" } }],
    ["temperature", { temperature: 1.5 }],
  ] as const) {
    test(`${param} is refused by name`, () => expect(refused(more)).toEqual(unsupported(param)));
  }

  test("that are hints are left out and named", () => {
    const { json, ignored } = encode({
      seed: 1,
      metadata: { a: "b" },
      serviceTier: "flex",
      rest: { prompt_cache_key: "k" },
      messages: [{ ...user(text("x"), { type: "image", media: { kind: "url", url: "https://a.example/" }, detail: "low" }), name: "Ada" }],
    });
    expect(Object.keys(json)).toEqual(["model", "max_tokens", "messages", "stream"]);
    expect(ignored.toSorted()).toEqual(["image_url.detail", "messages.name", "metadata", "prompt_cache_key", "seed", "service_tier"]);
  });
});

describe("the choice of tools", () => {
  for (const [choice, parallel, expected] of [
    ["auto", undefined, { type: "auto" }],
    ["none", false, { type: "none" }],
    ["required", undefined, { type: "any" }],
    [{ name: "add" }, false, { type: "tool", name: "add", disable_parallel_tool_use: true }],
    [undefined, false, { type: "auto", disable_parallel_tool_use: true }],
    [undefined, true, undefined],
  ] as const) {
    test(`${JSON.stringify(choice)} with parallel calls ${parallel} is ${JSON.stringify(expected)}`, () => {
      const { json } = encode({ tools: [tool], toolChoice: choice, parallelToolCalls: parallel });
      expect(json.tool_choice).toEqual(expected);
    });
  }

  test("says nothing without tools, and cannot be forced beside thinking", () => {
    expect(encode({ toolChoice: "auto", parallelToolCalls: false }).json.tool_choice).toBeUndefined();
    expect(refused({ tools: [tool], toolChoice: "required", reasoning: { effort: "low" } })).toEqual(unsupported("tool_choice"));
  });
});

describe("thinking", () => {
  const of = (reasoning: Reasoning, model: string, maxOutputTokens?: number): { thinking: unknown; effort: unknown } => {
    const { thinking, output_config } = encode({ reasoning, maxOutputTokens }, context(model, { defaultMaxOutputTokens: 64_000 })).json;
    return { thinking, effort: output_config?.effort };
  };
  const enabled = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens }, effort: undefined });
  const adaptive = (effort?: string) => ({ thinking: { type: "adaptive" }, effort });

  for (const [what, got, expected] of [
    ["an effort as a budget on 4.5", of({ effort: "high" }, "claude-haiku-4-5-20251001"), enabled(16_384)],
    ["an effort as a budget on 4.0", of({ effort: "medium" }, "claude-sonnet-4-0"), enabled(8192)],
    ["half of a small limit", of({ effort: "high" }, "claude-opus-4-1", 4000), enabled(2000)],
    ["a budget as it came", of({ budgetTokens: 3999 }, "claude-3-7-sonnet-latest", 4000), enabled(3999)],
    ["a budget on 4.6", of({ budgetTokens: 2000 }, "claude-opus-4-6"), enabled(2000)],
    ["an effort on 4.6", of({ effort: "max" }, "claude-opus-4-6"), adaptive("max")],
    ["an effort on later models", of({ effort: "xhigh" }, "claude-sonnet-5"), adaptive("xhigh")],
    ["minimal as the least effort", of({ effort: "minimal" }, "claude-opus-4-7"), adaptive("low")],
    ["the model's own choice", of({ adaptive: true }, "claude-opus-4-8"), adaptive()],
    ["none where thinking is asked for", of({ effort: "none" }, "claude-opus-4-6"), { thinking: undefined, effort: undefined }],
    ["none where it is on by itself", of({ effort: "none" }, "claude-sonnet-5"), { thinking: { type: "disabled" }, effort: undefined }],
    [
      "shown thoughts",
      of({ effort: "low", summary: "auto" }, "claude-opus-4-7"),
      { thinking: { type: "adaptive", display: "summarized" }, effort: "low" },
    ],
  ] as const) {
    test(`is asked for: ${what}`, () => expect(got).toEqual(expected));
  }

  test("is refused by name where the model has no such thing", () => {
    const reasoning = (asked: Reasoning, model: string, maxOutputTokens?: number) =>
      refused({ reasoning: asked, maxOutputTokens }, context(model));
    expect(reasoning({ effort: "low" }, "claude-3-5-haiku-latest")).toEqual(unsupported("reasoning_effort"));
    expect(reasoning({ effort: "extreme" }, "claude-opus-4-6")).toEqual(unsupported("reasoning_effort"));
    expect(reasoning({ budgetTokens: 2000 }, "claude-opus-4-7")).toEqual(unsupported("reasoning_effort"));
    expect(reasoning({ budgetTokens: 5000 }, "claude-haiku-4-5", 5000)).toEqual(unsupported("reasoning_effort"));
    expect(reasoning({ effort: "low" }, "claude-haiku-4-5", 1000)).toEqual(unsupported("reasoning_effort"));
  });

  test("allows no temperature but 1, no top_k and no small top_p", () => {
    const reasoning = { effort: "low" };
    expect(encode({ reasoning, temperature: 1, topP: 0.95 }).json).toMatchObject({ temperature: 1, top_p: 0.95 });
    expect(refused({ reasoning, temperature: 0.5 })).toEqual(unsupported("temperature"));
    expect(refused({ reasoning, topK: 3 })).toEqual(unsupported("top_k"));
    expect(refused({ reasoning, topP: 0.5 })).toEqual(unsupported("top_p"));
  });
});

describe("tools that only other dialects know", () => {
  test("go out as functions of one string, and with their group's name in front", () => {
    const { json, ignored } = encode({
      tools: [
        { name: "patch", description: "Patches", custom: { format: { type: "grammar", syntax: "lark", definition: "start: X" } } },
        { name: "find", namespace: "crm", parameters: { type: "object" } },
      ],
      toolChoice: { name: "find" },
      messages: [
        user(text("Hi")),
        {
          role: "assistant",
          parts: [
            { type: "tool-call", id: "a", name: "patch", arguments: "*** Begin", custom: true },
            { type: "tool-call", id: "b", name: "find", namespace: "crm", arguments: "{}" },
          ],
        },
        { role: "tool", parts: [{ type: "tool-result", callId: "a", content: [text("done")] }] },
        { role: "tool", parts: [{ type: "tool-result", callId: "b", content: [] }] },
      ],
    });
    expect(json.tools[0]).toMatchObject({
      name: "patch",
      input_schema: { required: ["input"], properties: { input: { type: "string" } } },
    });
    expect(json.tools[0].description).toContain("start: X");
    expect(json.tools[1]).toMatchObject({ name: "crm__find" });
    expect(json.tool_choice).toEqual({ type: "tool", name: "crm__find" });
    expect(json.messages[1].content).toEqual([
      { type: "tool_use", id: "a", name: "patch", input: { input: "*** Begin" } },
      { type: "tool_use", id: "b", name: "crm__find", input: {} },
    ]);
    expect(ignored).toEqual(["tools.custom.format"]);
  });

  test("have ids that are turned back", () => {
    const { json } = encode({
      messages: [{ role: "assistant", parts: [{ type: "tool-call", id: "functions.add:0", name: "add", arguments: "{}" }] }],
    });
    expect(json.messages[0].content[0].id).toMatch(/^[a-zA-Z0-9_-]+$/);
    const back = anthropicMessages.decodeRequest({ ...json, max_tokens: 1 }).request.messages[0]?.parts[0];
    expect(back).toMatchObject({ type: "tool-call", id: "functions.add:0" });
  });
});
