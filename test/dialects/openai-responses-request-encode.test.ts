import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import type { ChatRequest, Message, Part } from "../../src/core/chat";
import type { EncodeContext } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { encodeResponsesRequest } from "../../src/dialects/openai-responses-request-encode";
import { allRecordings, SHARED, sharedMissing } from "../recordings/load";
import { encodeContext, failureOf } from "./openai-chat-replay";

const encode = (changes: Partial<ChatRequest>, context: Partial<EncodeContext> = {}) => {
  const asked: ChatRequest = { model: "m", messages: [{ role: "user", parts: [text("hi")] }], stream: false, rest: {}, ...changes };
  const encoded = encodeResponsesRequest(asked, encodeContext(context));
  return { ...encoded, body: JSON.parse(encoded.body) };
};
const text = (said: string): Part => ({ type: "text", text: said });
const user = (...parts: Part[]): Message => ({ role: "user", parts });
const assistant = (...parts: Part[]): Message => ({ role: "assistant", parts });
const input = (messages: readonly Message[], context: Partial<EncodeContext> = {}): unknown => encode({ messages }, context).body.input;

describe("encodeResponsesRequest()", () => {
  test("stores nothing, and asks for sealed thoughts where the model thinks", () => {
    expect(encode({}).body).toEqual({ model: "the-provider's-model", input: [{ role: "user", content: "hi" }], store: false });
    expect(encode({}, { reasons: true }).body.include).toEqual(["reasoning.encrypted_content"]);
    expect(encode({ reasoning: { effort: "low" } }).body.include).toEqual(["reasoning.encrypted_content"]);
    expect(encode({ reasoning: { effort: "low" } }, { reasons: false }).body.include).toBeUndefined();
    expect(encode({ reasoning: { effort: "none" } }).body.include).toBeUndefined();
  });

  test("every setting has its place", () => {
    const { body, ignored, maxOutputTokens, path } = encode({
      stream: true,
      maxOutputTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      logprobs: true,
      topLogprobs: 3,
      parallelToolCalls: false,
      reasoning: { effort: "high", summary: "summarized" },
      responseFormat: { type: "json-schema", name: "n", schema: { type: "object" }, strict: true },
      user: "u",
      metadata: { a: "b" },
      serviceTier: "flex",
      rest: { verbosity: "low", prompt_cache_key: "k", safety_identifier: "s", store: false },
    });
    expect(body).toMatchObject({
      stream: true,
      // A limit is never changed: OpenAI refuses less than 16 by name.
      max_output_tokens: 5,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 3,
      parallel_tool_calls: false,
      include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
      reasoning: { effort: "high", summary: "auto" },
      text: { format: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true }, verbosity: "low" },
      user: "u",
      metadata: { a: "b" },
      service_tier: "flex",
      prompt_cache_key: "k",
      safety_identifier: "s",
      store: false,
    });
    expect([ignored, maxOutputTokens, path]).toEqual([[], 5, "/responses"]);
    expect(encode({ responseFormat: { type: "json" } }).body.text).toEqual({ format: { type: "json_object" } });
    expect(encode({ reasoning: { summary: "omitted" } }).body.reasoning).toBeUndefined();
  });

  test("what has no place is refused by name where it is a meaning, left out and named where it is a hint", () => {
    for (const [changes, param] of [
      [{ choices: 2 }, "n"],
      [{ stop: ["a"] }, "stop"],
      [{ presencePenalty: 1 }, "presence_penalty"],
      [{ topK: 3 }, "top_k"],
      [{ rest: { logit_bias: { "1": 2 } } }, "logit_bias"],
      [{ rest: { store: true } }, "store"],
      [{ reasoning: { budgetTokens: 2000 } }, "reasoning_effort"],
      [{ messages: [user({ type: "audio", media: { kind: "base64", mediaType: "audio/wav", data: "aGk=" } })] }, "messages[0].content[0]"],
    ] as const) {
      const failure = failureOf(() => encode(changes));
      expect([failure.code, failure.param]).toEqual(["unsupported_parameter", param]);
      expect(encode(changes, { dropUnsupported: true }).ignored).toEqual([param]);
    }
    const hints = encode({
      seed: 1,
      choices: 1,
      messages: [{ role: "user", name: "Ann", parts: [{ type: "text", text: "hi", cache: "5m" }] }],
      hostedTools: [{ type: "web_search_20250305", at: "tools[0]" }],
    });
    expect(hints.ignored.toSorted()).toEqual(["cache_control", "messages.name", "seed", "tools[0]:web_search_20250305"]);
  });

  test("a caller that speaks this API at another door keeps its own fields", () => {
    const caller = { name: "responses-at-chat", fields: openaiResponses.fields } as const;
    const rest = { truncation: "auto", include: ["web_search_call.results"], "reasoning.context": "auto", previous_response_id: "r" };
    const { body, ignored } = encode({ reasoning: { effort: "low" }, rest }, { caller });
    expect(body).toMatchObject({
      truncation: "auto",
      include: ["reasoning.encrypted_content", "web_search_call.results"],
      reasoning: { effort: "low", context: "auto" },
      previous_response_id: "r",
    });
    expect(ignored).toEqual([]);
    expect(failureOf(() => encode({ rest: { "input[0].content[1]": { type: "odd" } } }, { caller })).param).toBe("input[0].content[1]");
  });
});

describe("messages", () => {
  test("become items in their order, with every kind of content", () => {
    const png = { kind: "base64", mediaType: "image/png", data: "aGk=" } as const;
    expect(
      input([
        { role: "system", parts: [text("a")] },
        { role: "developer", parts: [text("b")] },
        user(text("c"), { type: "image", media: png, detail: "high" }, { type: "image", media: { kind: "id", id: "file-1" } }),
        user(
          { type: "file", media: { kind: "base64", mediaType: "application/pdf", data: "aGk=" }, name: "a.pdf" },
          { type: "file", media: { kind: "url", url: "https://a/b.pdf" } },
        ),
        assistant(text("d"), { type: "refusal", text: "e" }),
        assistant(text("")),
        assistant(text("f")),
      ]),
    ).toEqual([
      { role: "system", content: "a" },
      { role: "developer", content: "b" },
      {
        role: "user",
        content: [
          { type: "input_text", text: "c" },
          { type: "input_image", image_url: "data:image/png;base64,aGk=", detail: "high" },
          { type: "input_image", file_id: "file-1", detail: "auto" },
        ],
      },
      {
        role: "user",
        content: [
          { type: "input_file", file_data: "data:application/pdf;base64,aGk=", filename: "a.pdf" },
          { type: "input_file", file_url: "https://a/b.pdf" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "output_text", text: "d" },
          { type: "refusal", refusal: "e" },
        ],
      },
      { role: "assistant", content: "f" },
    ]);
    expect(input([{ role: "developer", parts: [text("b")] }], { deviations: { developerRole: "system" } })).toEqual([
      { role: "system", content: "b" },
    ]);
  });

  const sealed = (id: string): Part => ({ type: "reasoning", text: "thought", signature: "seal", from: "openai-responses", id });
  const call = (id: string, more: object = {}): Part => ({ type: "tool-call", id, name: "f", arguments: "{}", ...more });

  test("sealed thoughts go back before what they led to, and only to the API that sealed them", () => {
    const { body, ignored } = encode({
      messages: [
        assistant(
          sealed("rs_1"),
          text("a"),
          { type: "redacted-reasoning", data: "hidden", from: "openai-responses" },
          { type: "reasoning", text: "foreign", signature: "s", from: "anthropic-messages" },
          { type: "reasoning", text: "unsealed", from: "openai-responses", id: "rs_2" },
          call("c1"),
        ),
        { role: "tool", parts: [{ type: "tool-result", callId: "c1", content: [text("1")] }] },
      ],
    });
    expect(body.input).toEqual([
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "thought" }], encrypted_content: "seal" },
      { role: "assistant", content: "a" },
      { type: "reasoning", summary: [], encrypted_content: "hidden" },
      { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "1" },
    ]);
    expect(ignored).toEqual(["reasoning_content"]);
  });

  test("thoughts that led to nothing stay behind: the API refuses them without what follows", () => {
    const { body, ignored } = encode({ messages: [assistant(text("a"), sealed("rs_1")), user(text("b"))] });
    expect([body.input, ignored]).toEqual([
      [
        { role: "assistant", content: "a" },
        { role: "user", content: "b" },
      ],
      ["reasoning_content"],
    ]);
  });

  test("calls and results keep their kind, groups and pictures; a long id is the same short one on both sides", () => {
    const long = "x".repeat(65);
    const picture: Part = { type: "image", media: { kind: "url", url: "https://a/b.png" } };
    const { body, ignored } = encode({
      messages: [
        assistant(call(long, { namespace: "g" }), call("c2", { custom: true, arguments: "ls" })),
        user(
          text("and then"),
          { type: "tool-result", callId: long, content: [text("1"), picture], isError: true },
          { type: "tool-result", callId: "c2", content: [] },
        ),
      ],
    });
    expect(body.input).toEqual([
      { type: "function_call", call_id: "call_short_0", name: "f", namespace: "g", arguments: "{}" },
      { type: "custom_tool_call", call_id: "c2", name: "f", input: "ls" },
      {
        type: "function_call_output",
        call_id: "call_short_0",
        output: [
          { type: "input_text", text: "1" },
          { type: "input_image", image_url: "https://a/b.png", detail: "auto" },
        ],
      },
      { type: "custom_tool_call_output", call_id: "c2", output: "" },
      { role: "user", content: "and then" },
    ]);
    expect(ignored).toEqual(["is_error"]);
  });
});

describe("tools", () => {
  const format = { type: "grammar", grammar: { syntax: "lark", definition: "start: A" } };
  const tools: ChatRequest["tools"] = [
    { name: "f", description: "d", parameters: { type: "object", properties: {} }, strict: true },
    { name: "g", namespace: "group" },
    { name: "c", custom: { format } },
    { name: "h", namespace: "group" },
  ];

  test("are flat, grouped where they were, and strict only where that was asked for", () => {
    const { body } = encode({ tools, toolChoice: { name: "c" } });
    const plain = { parameters: { type: "object", properties: {} }, strict: false };
    expect(body.tools).toEqual([
      { type: "function", name: "f", description: "d", parameters: { type: "object", properties: {} }, strict: true },
      {
        type: "namespace",
        name: "group",
        description: "group",
        tools: [
          { type: "function", name: "g", ...plain },
          { type: "function", name: "h", ...plain },
        ],
      },
      { type: "custom", name: "c", format: { type: "grammar", syntax: "lark", definition: "start: A" } },
    ]);
    expect(body.tool_choice).toEqual({ type: "custom", name: "c" });
    expect(encode({ tools, toolChoice: { name: "f" } }).body.tool_choice).toEqual({ type: "function", name: "f" });
    expect(encode({ tools, toolChoice: "required" }).body.tool_choice).toBe("required");
  });

  test("are all functions where the provider knows no others", () => {
    const messages = [assistant({ type: "tool-call", id: "1", name: "c", arguments: "ls", custom: true })];
    const { body, ignored } = encode({ tools, messages, toolChoice: { name: "g" } }, { deviations: { functionToolsOnly: true } });
    expect(body.tools.map((tool: { type: string; name: string }) => [tool.type, tool.name])).toEqual([
      ["function", "f"],
      ["function", "group__g"],
      ["function", "c"],
      ["function", "group__h"],
    ]);
    expect(body.tool_choice).toEqual({ type: "function", name: "group__g" });
    expect(body.input).toEqual([{ type: "function_call", call_id: "1", name: "c", arguments: '{"input":"ls"}' }]);
    expect(ignored).toEqual(["tools.custom.format"]);
  });
});

/** OpenAI's schema of a request. Its `oneOf` refuses what two of its kinds of message describe alike: any of them will do. */
function createResponse() {
  if (sharedMissing) return undefined;
  const published = readFileSync(join(SHARED, "specs/openai-relaxed.schema.json"), "utf8").replaceAll('"oneOf"', '"anyOf"');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(JSON.parse(published));
  return ajv.compile({ $ref: "openai-relaxed#/components/schemas/CreateResponse" });
}

test("every recorded Chat Completions request becomes one that OpenAI's schema accepts", () => {
  const accepts = createResponse();
  let seen = 0;
  for (const { id, status, format, request } of allRecordings()) {
    if (status !== 200 || format !== "openai-chat" || request === undefined) continue;
    // Azure's requests name the model in their address.
    const asked = openaiChat.decodeRequest({ model: "m", ...request }).request;
    const { body } = encodeResponsesRequest(asked, encodeContext({ dropUnsupported: true, caller: openaiChat, reasons: true }));
    seen++;
    const sent = JSON.parse(body);
    expect([id, sent.store, sent.include?.[0]]).toEqual([id, false, "reasoning.encrypted_content"]);
    // A limit under 16 is the caller's own. The schema knows no list of texts in a model's turn without an id, which the API takes.
    if (accepts && (sent.max_output_tokens ?? 16) >= 16 && !JSON.stringify(sent.input).includes('"output_text"') && !accepts(sent))
      throw new Error(`${id}: ${JSON.stringify(accepts.errors?.slice(0, 3))}\n${body}`);
  }
  expect(seen).toBeGreaterThan(0);
});
