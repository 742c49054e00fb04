import { describe, expect, test } from "bun:test";
import type { Content, GenerationConfig, Tool, ToolConfig } from "@google/genai";
import type { ChatRequest, Part, Reasoning } from "../../src/core/chat";
import type { EncodeContext } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { failureOf } from "./anthropic-gemini-replay";

/** The SDK's types with their enums as the words that stand on the wire. */
type Wire<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;
type Body = Wire<{
  systemInstruction?: { parts: Content["parts"] };
  contents: Content[];
  tools?: Tool[];
  toolConfig?: ToolConfig;
  generationConfig?: GenerationConfig;
  serviceTier?: string;
}>;

const context = (model = "gemini-2.5-flash", more: Partial<EncodeContext> = {}): EncodeContext => ({
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
  const encoded = gemini.encodeRequest(ask(request), at);
  return { ...encoded, json: JSON.parse(encoded.body) };
};
const refused = (request: Partial<ChatRequest>, at = context()): { code: string; param: string | undefined } => {
  const { code, param } = failureOf(() => encode(request, at));
  return { code, param };
};
const unsupported = (param: string): { code: string; param: string | undefined } => ({ code: "unsupported_parameter", param });
const tool = { name: "add", description: "Adds", parameters: { type: "object", properties: { a: { type: "number" } } } };
const call = (id: string, args = "{}", signature?: string): Part => ({
  type: "tool-call",
  id,
  name: `f_${id}`,
  arguments: args,
  signature,
});
const result = (callId: string, said: string, isError?: boolean): ChatRequest["messages"][number] => ({
  role: "tool",
  parts: [{ type: "tool-result", callId, content: [text(said)], isError }],
});

describe("a whole request", () => {
  test("has every field at its place, in the SDK's own types", () => {
    const { json, path, headers, ignored, maxOutputTokens } = encode({
      stream: true,
      messages: [
        { role: "system", parts: [text("Be brief.")] },
        user(
          text("What is this?"),
          { type: "image", media: { kind: "base64", mediaType: "image/png", data: "AAAA" } },
          { type: "audio", media: { kind: "base64", mediaType: "audio/wav", data: "BBBB" }, format: "wav" },
          { type: "file", media: { kind: "base64", mediaType: "application/pdf", data: "CCCC" }, name: "a.pdf" },
          { type: "file", media: { kind: "id", id: "files/abc-1" } },
          { type: "image", media: { kind: "url", url: "https://generativelanguage.googleapis.com/v1beta/files/abc-2" } },
        ),
      ],
      tools: [tool, { name: "now" }],
      toolChoice: { name: "add" },
      maxOutputTokens: 100,
      temperature: 1.5,
      topP: 0.9,
      topK: 5,
      stop: ["END"],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      choices: 2,
      logprobs: true,
      topLogprobs: 3,
      serviceTier: "flex",
      responseFormat: { type: "json-schema", name: "n", schema: { type: "object" } },
      reasoning: { budgetTokens: 512 },
    });
    expect(json).toEqual({
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [
        {
          role: "user",
          parts: [
            { text: "What is this?" },
            { inlineData: { mimeType: "image/png", data: "AAAA" } },
            { inlineData: { mimeType: "audio/wav", data: "BBBB" } },
            { inlineData: { mimeType: "application/pdf", data: "CCCC" } },
            { fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc-1" } },
            { fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc-2" } },
          ],
        },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: "add",
              description: "Adds",
              parametersJsonSchema: { type: "object", properties: { a: { type: "number" } } },
            },
            { name: "now" },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["add"] } },
      generationConfig: {
        maxOutputTokens: 100,
        temperature: 1.5,
        topP: 0.9,
        topK: 5,
        stopSequences: ["END"],
        seed: 7,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        candidateCount: 2,
        responseLogprobs: true,
        logprobs: 3,
        responseMimeType: "application/json",
        responseJsonSchema: { type: "object" },
        thinkingConfig: { thinkingBudget: 512, includeThoughts: true },
      },
      serviceTier: "flex",
    } satisfies Body);
    expect({ path, headers, ignored, maxOutputTokens }).toEqual({
      path: "/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
      headers: {},
      ignored: [],
      maxOutputTokens: 100,
    });
  });

  test("says nothing that the caller did not say", () => {
    const { json, path, maxOutputTokens } = encode({});
    expect(json).toEqual({ contents: [{ role: "user", parts: [{ text: "Hi" }] }] } satisfies Body);
    expect(path).toBe("/models/gemini-2.5-flash:generateContent");
    expect(maxOutputTokens).toBeUndefined();
  });

  test("cannot leave its path by the model's id", () => {
    expect(encode({}, context("gemini-../../files?x")).path).toBe("/models/gemini-..%2F..%2Ffiles%3Fx:generateContent");
  });
});

describe("the conversation", () => {
  test("answers all calls of a turn in one content, by name, in the order of the calls, with media after it", () => {
    const picture: Part = { type: "image", media: { kind: "base64", mediaType: "image/png", data: "AAAA" } };
    const { json } = encode({
      messages: [
        user(text("x")),
        { role: "assistant", parts: [text("Yes.")] },
        { role: "assistant", parts: [call("a", '{"n":1}', "sig"), call("b", "")] },
        { role: "tool", parts: [{ type: "tool-result", callId: "b", content: [text('{"ok":true}'), picture] }] },
        result("a", "[1]"),
        user(text("And?")),
      ],
    });
    expect(json.contents.slice(1)).toEqual([
      {
        role: "model",
        parts: [
          { text: "Yes." },
          { functionCall: { id: "a", name: "f_a", args: { n: 1 } }, thoughtSignature: "sig" },
          { functionCall: { id: "b", name: "f_b", args: {} } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "a", name: "f_a", response: { output: "[1]" } } },
          { functionResponse: { id: "b", name: "f_b", response: { ok: true } } },
        ],
      },
      { role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "AAAA" } }] },
      { role: "user", parts: [{ text: "And?" }] },
    ] satisfies Body["contents"]);
  });

  test("keeps apart the results of different turns, and says which are errors", () => {
    const { json } = encode({
      messages: [
        user(text("x")),
        { role: "assistant", parts: [call("a")] },
        result("a", "no", true),
        { role: "assistant", parts: [call("b")] },
        result("b", "yes"),
      ],
    });
    expect(json.contents.map(({ parts }: Content) => parts?.map((part) => part.functionResponse?.response))).toEqual([
      [undefined],
      [undefined],
      [{ error: "no" }],
      [undefined],
      [{ output: "yes" }],
    ]);
  });

  test("keeps the digits of arguments", () => {
    const { body } = encode({
      messages: [user(text("x")), { role: "assistant", parts: [call("a", '{"a":12345678901234567890,"b":1.0}')] }],
    });
    expect(body).toContain('"args":{"a":12345678901234567890,"b":1.0}');
  });

  test("refuses a result that answers no call", () => {
    expect(refused({ messages: [user(text("x")), result("nobody", "1")] })).toEqual({
      code: "invalid_value",
      param: "messages[1].tool_call_id",
    });
  });

  test("sends back its own signatures and thoughts, and nobody else's", () => {
    const { json } = encode({
      messages: [
        user(text("x")),
        {
          role: "assistant",
          parts: [
            { type: "reasoning", text: "mine", signature: "s1", from: "gemini" },
            { type: "reasoning", text: "", signature: "s2", from: "gemini" },
            { type: "reasoning", text: "unsealed", from: "gemini" },
            { type: "reasoning", text: "other", signature: "s3", from: "anthropic-messages" },
            { type: "redacted-reasoning", data: "other", from: "anthropic-messages" },
            text("Answer"),
          ],
        },
      ],
    });
    expect(json.contents[1].parts).toEqual([
      { text: "mine", thought: true, thoughtSignature: "s1" },
      { text: "", thoughtSignature: "s2" },
      { text: "Answer" },
    ]);
  });

  test("of the third generation marks the first unsigned call of a turn as Google documents, and only there", () => {
    const signatures = (model: string, first?: string) =>
      encode(
        { messages: [user(text("x")), { role: "assistant", parts: [call("a", "{}", first), call("b")] }] },
        context(model),
      ).json.contents[1].parts.map(({ thoughtSignature }: { thoughtSignature?: string }) => thoughtSignature);
    expect(signatures("gemini-3-pro-preview")).toEqual(["skip_thought_signature_validator", undefined]);
    expect(signatures("gemini-flash-latest")).toEqual(["skip_thought_signature_validator", undefined]);
    expect(signatures("gemini-3.5-flash", "true")).toEqual(["true", undefined]);
    expect(signatures("gemini-2.5-pro")).toEqual([undefined, undefined]);
  });

  test("refuses addresses by the name of their field: the gateway never fetches", () => {
    const url = (address: string): Part => ({ type: "image", media: { kind: "url", url: address } });
    expect(refused({ messages: [user(text("x"), url("https://img.example/a.png"))] })).toEqual(
      unsupported("messages[0].content[1].image_url"),
    );
    expect(refused({ messages: [user(url("https://generativelanguage.googleapis.com.evil.example/v1beta/files/a"))] })).toEqual(
      unsupported("messages[0].content[0].image_url"),
    );
    expect(refused({ messages: [user({ type: "file", media: { kind: "id", id: "file-openai" } })] })).toEqual(
      unsupported("messages[0].content[0].file"),
    );
    const { json, ignored } = encode(
      { messages: [user(text("x"), url("https://img.example/a.png"))] },
      context(undefined, { dropUnsupported: true }),
    );
    expect(json.contents).toEqual([{ role: "user", parts: [{ text: "x" }] }]);
    expect(ignored).toEqual(["messages[0].content[1].image_url"]);
  });
});

describe("fields", () => {
  for (const [choice, expected] of [
    ["auto", { mode: "AUTO" }],
    ["none", { mode: "NONE" }],
    ["required", { mode: "ANY" }],
  ] as const) {
    test(`tool_choice ${choice} is ${expected.mode}`, () => {
      expect(encode({ tools: [tool], toolChoice: choice }).json.toolConfig).toEqual({ functionCallingConfig: expected });
    });
  }

  test("a choice without tools says nothing, unless it is forced: that the provider refuses", () => {
    expect(encode({ toolChoice: "auto" }).json.toolConfig).toBeUndefined();
    expect(encode({ toolChoice: "required" }).json.toolConfig).toEqual({ functionCallingConfig: { mode: "ANY" } });
  });

  test("JSON without a schema is a media type", () => {
    expect(encode({ responseFormat: { type: "json" } }).json.generationConfig).toEqual({ responseMimeType: "application/json" });
  });

  for (const [param, more] of [["logit_bias", { rest: { logit_bias: { "50256": -100 } } }]] as const) {
    test(`${param} is refused by name`, () => expect(refused(more)).toEqual(unsupported(param)));
  }

  test("that are hints are left out and named", () => {
    const { json, ignored } = encode({
      user: "u",
      metadata: { a: "b" },
      serviceTier: "scale",
      tools: [{ ...tool, strict: true, cache: "5m" }],
      parallelToolCalls: false,
      rest: { prompt_cache_key: "k" },
    });
    expect(Object.keys(json)).toEqual(["contents", "tools"]);
    expect(ignored.toSorted()).toEqual([
      "cache_control",
      "metadata",
      "parallel_tool_calls",
      "prompt_cache_key",
      "service_tier",
      "tools.function.strict",
      "user",
    ]);
  });
});

describe("thinking", () => {
  const of = (reasoning: Reasoning, model: string): unknown => encode({ reasoning }, context(model)).json.generationConfig?.thinkingConfig;
  for (const [what, got, expected] of [
    ["a level on the third generation", of({ effort: "low" }, "gemini-3-pro-preview"), { thinkingLevel: "LOW", includeThoughts: true }],
    ["a level on the newest", of({ effort: "minimal" }, "gemini-flash-latest"), { thinkingLevel: "MINIMAL", includeThoughts: true }],
    ["a budget on 2.5", of({ effort: "medium" }, "gemini-2.5-pro"), { thinkingBudget: 8192, includeThoughts: true }],
    ["none on 2.5", of({ effort: "none" }, "gemini-2.5-flash"), { thinkingBudget: 0 }],
    ["the caller's budget", of({ budgetTokens: 100 }, "gemini-3-flash-preview"), { thinkingBudget: 100, includeThoughts: true }],
    ["the model's own choice", of({ adaptive: true }, "gemini-2.5-flash"), { thinkingBudget: -1, includeThoughts: true }],
    ["hidden thoughts", of({ effort: "high", summary: "omitted" }, "gemini-2.5-flash"), { thinkingBudget: 24_576 }],
    ["none where there is none", of({ effort: "none" }, "gemini-2.0-flash"), undefined],
  ] as const) {
    test(`is asked for: ${what}`, () => expect<unknown>(got).toEqual(expected));
  }

  for (const [what, reasoning, model, expected] of [
    ["none on the third generation is the least", { effort: "none" }, "gemini-3-flash-preview", { thinkingLevel: "MINIMAL" }],
    ["none on its pro models is the least", { effort: "none" }, "gemini-3-pro-preview", { thinkingLevel: "LOW" }],
    ["none on 2.5 pro is the least", { budgetTokens: 0 }, "gemini-2.5-pro", { thinkingBudget: 128 }],
    ["an effort before 2.5", { effort: "low" }, "gemini-2.0-flash", undefined],
    ["a budget of a model that draws", { budgetTokens: 2048 }, "gemini-2.5-flash-image", undefined],
    ["adaptive thinking before 2.5", { adaptive: true }, "gemini-2.0-flash-lite", undefined],
    ["an effort that nobody knows", { effort: "heroic" }, "gemini-2.5-flash", undefined],
  ] as const) {
    test(`${what} is named among the ignored fields, never refused`, () => {
      const { json, ignored } = encode({ reasoning }, context(model));
      expect(json.generationConfig?.thinkingConfig).toEqual(expected);
      expect(ignored).toEqual(["reasoning_effort"]);
    });
  }

  for (const [what, reasoning, model, expected] of [
    ["more than the most", { effort: "xhigh" }, "gemini-3-pro-preview", { thinkingLevel: "HIGH", includeThoughts: true }],
    [
      "a middle level that the first pro model lacks",
      { effort: "medium" },
      "gemini-3-pro-preview",
      { thinkingLevel: "HIGH", includeThoughts: true },
    ],
    ["a middle level", { effort: "medium" }, "gemini-3.1-pro-preview", { thinkingLevel: "MEDIUM", includeThoughts: true }],
    ["the most of 2.5", { effort: "max" }, "gemini-2.5-pro", { thinkingBudget: 32_768, includeThoughts: true }],
    ["a budget beyond the model's", { budgetTokens: 31_999 }, "gemini-2.5-flash", { thinkingBudget: 24_576, includeThoughts: true }],
    [
      "an effort beside adaptive thinking",
      { adaptive: true, effort: "high" },
      "gemini-3-pro-preview",
      { thinkingLevel: "HIGH", includeThoughts: true },
    ],
    ["shown thoughts alone", { summary: "auto" }, "gemini-2.5-flash", { includeThoughts: true }],
    ["shown thoughts of a model without", { summary: "auto" }, "gemini-2.0-flash", undefined],
    ["no thinking of a model without", { effort: "none" }, "gemini-2.0-flash", undefined],
  ] as const) {
    test(`${what} is done as nearly as it can be`, () => {
      const { json, ignored } = encode({ reasoning }, context(model));
      expect(json.generationConfig?.thinkingConfig).toEqual(expected);
      expect(ignored).toEqual([]);
    });
  }

  test("is left out where the catalogue knows that the model does not think", () => {
    const { json, ignored } = encode({ reasoning: { effort: "high" } }, context("gemini-2.5-flash", { reasons: false }));
    expect(json.generationConfig).toBeUndefined();
    expect(ignored).toEqual(["reasoning_effort"]);
  });
});

describe("tools that only some dialects know", () => {
  const patch = { name: "apply_patch", description: "Patches.", custom: { format: { type: "grammar", definition: "start: LINE" } } };
  const read = { name: "read", namespace: "mcp__files", parameters: { type: "object" } };

  test("go out as functions of one string, with their group's name in front", () => {
    const { json, ignored } = encode({ tools: [patch, read], toolChoice: { name: "read" } });
    const [first, second] = json.tools[0].functionDeclarations;
    expect(first.name).toBe("apply_patch");
    expect(first.description).toContain("start: LINE");
    expect(first.parametersJsonSchema.required).toEqual(["input"]);
    expect(second).toEqual({ name: "mcp__files__read", parametersJsonSchema: { type: "object" } });
    expect(json.toolConfig.functionCallingConfig.allowedFunctionNames).toEqual(["mcp__files__read"]);
    expect(ignored).toEqual(["tools.custom.format"]);
  });

  test("are called and answered by the same names", () => {
    const { json } = encode({
      messages: [
        user(text("x")),
        {
          role: "assistant",
          parts: [
            { type: "tool-call", id: "a", name: "apply_patch", arguments: "*** Begin", custom: true },
            { type: "tool-call", id: "b", name: "read", namespace: "mcp__files", arguments: "{}" },
          ],
        },
        { role: "tool", parts: [{ type: "tool-result", callId: "b", name: "read", content: [text("1")] }] },
        result("a", "2"),
      ],
    });
    expect(json.contents[1].parts).toEqual([
      { functionCall: { id: "a", name: "apply_patch", args: { input: "*** Begin" } } },
      { functionCall: { id: "b", name: "mcp__files__read", args: {} } },
    ]);
    expect(json.contents[2].parts.map(({ functionResponse }: { functionResponse: { name: string } }) => functionResponse.name)).toEqual([
      "apply_patch",
      "mcp__files__read",
    ]);
  });
});
