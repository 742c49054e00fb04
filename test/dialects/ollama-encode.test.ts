import { describe, expect, test } from "bun:test";
import type { ChatRequest, Message, Part, Reasoning } from "../../src/core/chat";
import type { EncodeContext } from "../../src/dialects/dialect";
import { ollama } from "../../src/dialects/ollama";
import { failureOf } from "./anthropic-gemini-replay";

const context = (model = "qwen3:4b", more: Partial<EncodeContext> = {}): EncodeContext => ({
  model,
  defaultMaxOutputTokens: 4096,
  unsupported: [],
  dropUnsupported: false,
  deviations: {},
  ...more,
});
const text = (said: string): Part => ({ type: "text", text: said });
const user = (...parts: Part[]): Message => ({ role: "user", parts });
const ask = (more: Partial<ChatRequest>): ChatRequest => ({ model: "m", messages: [user(text("Hi"))], stream: false, rest: {}, ...more });
const encode = (request: Partial<ChatRequest>, at = context()) => {
  const encoded = ollama.encodeRequest(ask(request), at);
  return { ...encoded, json: JSON.parse(encoded.body) };
};
const refused = (request: Partial<ChatRequest>): string | undefined => {
  const { code, param } = failureOf(() => encode(request));
  expect(code).toBe("unsupported_parameter");
  return param;
};
const tool = { name: "add", description: "Adds", parameters: { type: "object", properties: { a: {} } } };
const call = (id: string, args = "{}"): Part => ({ type: "tool-call", id, name: `f_${id}`, arguments: args });
const result = (callId: string, ...content: Part[]): Message => ({ role: "tool", parts: [{ type: "tool-result", callId, content }] });
const picture: Part = { type: "image", media: { kind: "base64", mediaType: "image/png", data: "AAAA" } };

describe("a whole request", () => {
  test("has every field at its place", () => {
    const { json, path, ignored, maxOutputTokens } = encode({
      stream: true,
      messages: [{ role: "developer", parts: [text("Be brief.")] }, user(text("What is"), picture, text("this?"))],
      tools: [tool, { name: "now" }],
      toolChoice: "auto",
      maxOutputTokens: 100,
      temperature: 1.5,
      topP: 0.9,
      topK: 5,
      stop: ["END"],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      logprobs: true,
      topLogprobs: 3,
      responseFormat: { type: "json-schema", name: "n", schema: { type: "object" } },
      rest: { num_ctx: 8192, keep_alive: "5m" },
    });
    expect(json).toEqual({
      model: "qwen3:4b",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "What is\nthis?", images: ["AAAA"] },
      ],
      tools: [
        { type: "function", function: tool },
        { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
      ],
      format: { type: "object" },
      logprobs: true,
      top_logprobs: 3,
      keep_alive: "5m",
      options: {
        num_predict: 100,
        temperature: 1.5,
        top_p: 0.9,
        top_k: 5,
        stop: ["END"],
        seed: 7,
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
        num_ctx: 8192,
      },
      stream: true,
    });
    expect({ path, ignored, maxOutputTokens }).toEqual({ path: "/api/chat", ignored: [], maxOutputTokens: 100 });
  });

  test("says nothing that the caller did not say, but that it wants no stream", () => {
    expect(encode({}).json).toEqual({ model: "qwen3:4b", messages: [{ role: "user", content: "Hi" }], stream: false });
  });

  test("leaves out hints and names them", () => {
    const { json, ignored } = encode({ user: "u", tools: [{ ...tool, strict: true, cache: "5m" }], rest: { prompt_cache_key: "k" } });
    expect(Object.keys(json)).toEqual(["model", "messages", "tools", "stream"]);
    expect(ignored.toSorted()).toEqual(["cache_control", "prompt_cache_key", "tools.function.strict", "user"]);
  });

  for (const [param, more] of [
    ["n", { choices: 2 }],
    ["tool_choice", { tools: [tool], toolChoice: "required" }],
    ["messages[0].content[0].image_url", { messages: [user({ type: "image", media: { kind: "url", url: "https://i.example/a.png" } })] }],
    ["messages[0].content[0].input_audio", { messages: [user({ type: "audio", media: { kind: "id", id: "x" } })] }],
    ["messages[0].content[0].file", { messages: [user({ type: "file", media: { kind: "id", id: "x" } })] }],
  ] as const) {
    test(`refuses ${param} by name`, () => expect(refused(more)).toBe(param));
  }

  test("drops and names what the key drops", () => {
    const at = context(undefined, { dropUnsupported: true });
    const { json, ignored } = encode({ tools: [tool], toolChoice: { name: "add" } }, at);
    expect([json.tools.length, ignored]).toEqual([1, ["tool_choice"]]);
  });

  test("asks for JSON by its word, and for no tools by offering none", () => {
    expect(encode({ responseFormat: { type: "json" } }).json.format).toBe("json");
    expect(encode({ tools: [tool], toolChoice: "none" }).json.tools).toBeUndefined();
  });
});

describe("the conversation", () => {
  test("has calls with objects and their digits, and results in the order of the calls, by name, with their pictures", () => {
    const { body, json } = encode({
      messages: [
        user(text("x")),
        {
          role: "assistant",
          parts: [{ type: "reasoning", text: "Hm.", from: "ollama" }, text("Yes."), call("a", '{"n":12345678901234567890}'), call("b", "")],
        },
        result("b", text("2"), picture),
        { role: "tool", parts: [{ type: "tool-result", callId: "a", content: [text("1")], isError: true }] },
        user(text("And?")),
      ],
    });
    expect(json.messages.slice(2)).toEqual([
      { role: "tool", content: '{"error":"1"}', tool_name: "f_a", tool_call_id: "a" },
      { role: "tool", content: "2", tool_name: "f_b", tool_call_id: "b", images: ["AAAA"] },
      { role: "user", content: "And?" },
    ]);
    expect(json.messages[1]).toMatchObject({ role: "assistant", content: "Yes.", thinking: "Hm." });
    expect(json.messages[1].tool_calls[1]).toEqual({ id: "b", type: "function", function: { index: 1, name: "f_b", arguments: {} } });
    expect(body).toContain('"arguments":{"n":12345678901234567890}');
  });

  test("refuses what is not JSON, and a result that answers no call", () => {
    const bad = (messages: Message[]) => {
      const { code, param } = failureOf(() => encode({ messages }));
      return [code, param];
    };
    expect(bad([{ role: "assistant", parts: [call("a", "[1]")] }])).toEqual(["invalid_value", "messages[0].tool_calls"]);
    expect(bad([result("nobody", text("1"))])).toEqual(["invalid_value", "messages[0].tool_call_id"]);
  });

  test("leaves out thoughts that another provider sealed", () => {
    const { json } = encode({
      messages: [
        user(text("x")),
        { role: "assistant", parts: [{ type: "reasoning", text: "t", signature: "s", from: "gemini" }, text("y")] },
      ],
    });
    expect(json.messages[1]).toEqual({ role: "assistant", content: "y" });
  });

  test("has files of text as text", () => {
    const file: Part = { type: "file", media: { kind: "base64", mediaType: "text/markdown", data: btoa("# A") }, name: "a.md" };
    expect(encode({ messages: [user(text("x"), file)] }).json.messages[0].content).toBe("x\na.md:\n# A");
  });

  test("has tools of free text and of groups under the names that they are offered by", () => {
    const { json, ignored } = encode({
      tools: [
        { name: "patch", custom: {} },
        { name: "read", namespace: "files" },
      ],
      messages: [
        user(text("x")),
        {
          role: "assistant",
          parts: [
            { type: "tool-call", id: "a", name: "patch", arguments: "*** Begin", custom: true },
            { type: "tool-call", id: "b", name: "read", namespace: "files", arguments: "{}" },
          ],
        },
        result("b", text("1")),
      ],
    });
    expect(json.tools.map((each: { function: { name: string } }) => each.function.name)).toEqual(["patch", "files__read"]);
    expect(json.messages[1].tool_calls[0].function.arguments).toEqual({ input: "*** Begin" });
    expect(json.messages[2].tool_name).toBe("files__read");
    expect(ignored).toEqual([]);
  });
});

describe("thinking", () => {
  for (const [what, reasoning, model, think, named] of [
    ["an effort on a model with levels", { effort: "xhigh" }, "gpt-oss:120b", "high", []],
    ["no thinking on a model that must", { effort: "none" }, "gpt-oss:20b", false, ["reasoning_effort"]],
    ["an effort on a model without levels", { effort: "low" }, "qwen3:4b", true, ["reasoning_effort"]],
    ["a budget", { budgetTokens: 1024 }, "deepseek-r1:8b", true, ["reasoning_effort"]],
    ["adaptive thinking", { adaptive: true, summary: "auto" }, "qwen3.6:latest", true, []],
    ["no thinking", { effort: "none" }, "qwen3:4b", false, []],
    ["an effort on a model that does not think", { effort: "high" }, "gemma3:1b", undefined, ["reasoning_effort"]],
    ["an effort on a coder of a family that thinks", { effort: "high" }, "qwen3-coder:30b", undefined, ["reasoning_effort"]],
    ["shown thoughts alone", { summary: "auto" }, "gemma3:1b", undefined, []],
  ] as const satisfies readonly (readonly [string, Reasoning, string, boolean | string | undefined, readonly string[]])[]) {
    test(`with ${what} is never refused`, () => {
      const { json, ignored } = encode({ reasoning }, context(model));
      expect(json.think).toBe(think);
      expect(ignored).toEqual([...named]);
    });
  }

  test("is asked of a model that the catalogue knows to think", () => {
    expect(encode({ reasoning: { adaptive: true } }, context("mine", { reasons: true })).json.think).toBe(true);
  });
});
