import { describe, expect, test } from "bun:test";
import type { ChatRequest, Message, Part, Reasoning } from "../../src/core/chat";
import { cohere } from "../../src/dialects/cohere";
import type { EncodeContext } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { allRecordings } from "../recordings/load";
import { failureOf } from "./anthropic-gemini-replay";

const context = (model = "command-a-03-2025", more: Partial<EncodeContext> = {}): EncodeContext => ({
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
  const encoded = cohere.encodeRequest(ask(request), at);
  return { ...encoded, json: JSON.parse(encoded.body) };
};
const refused = (request: Partial<ChatRequest>, at = context()): string | undefined => {
  const { code, param } = failureOf(() => encode(request, at));
  expect(code).toBe("unsupported_parameter");
  return param;
};
const tool = { name: "add", description: "Adds", parameters: { type: "object", properties: { a: {} }, required: ["a"] } };
const call = (id: string, args = "{}"): Part => ({ type: "tool-call", id, name: `f_${id}`, arguments: args });
const result = (callId: string, said: string, isError?: boolean): Message => ({
  role: "tool",
  parts: [{ type: "tool-result", callId, content: [text(said)], isError }],
});
const picture: Part = { type: "image", media: { kind: "base64", mediaType: "image/png", data: "AAAA" } };

describe("a whole request", () => {
  test("has every field at its place", () => {
    const { json, path, ignored, maxOutputTokens } = encode({
      stream: true,
      messages: [
        user(
          text("What is this?"),
          { ...picture, detail: "high" },
          { type: "image", media: { kind: "url", url: "https://i.example/a.png" } },
        ),
        { role: "developer", parts: [text("Be brief.")] },
        { role: "system", parts: [text("In German.")] },
      ],
      tools: [tool, { name: "now" }],
      toolChoice: "required",
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      stop: ["END"],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0,
      logprobs: true,
      responseFormat: { type: "json-schema", name: "n", schema: { type: "object" }, description: "A thing" },
      rest: { safety_mode: "STRICT", citation_options: { mode: "FAST" }, documents: ["one"] },
    });
    expect(json).toEqual({
      model: "command-a-03-2025",
      messages: [
        {
          role: "system",
          content: [
            { type: "text", text: "Be brief." },
            { type: "text", text: "In German." },
          ],
        },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "high" } },
            { type: "image_url", image_url: { url: "https://i.example/a.png" } },
          ],
        },
      ],
      tools: [
        { type: "function", function: tool },
        { type: "function", function: { name: "now", parameters: { type: "object", properties: {} } } },
      ],
      tool_choice: "REQUIRED",
      max_tokens: 100,
      temperature: 0.5,
      p: 0.9,
      k: 5,
      stop_sequences: ["END"],
      seed: 7,
      presence_penalty: 0.1,
      logprobs: true,
      response_format: { type: "json_object", json_schema: { type: "object", description: "A thing" } },
      safety_mode: "STRICT",
      citation_options: { mode: "FAST" },
      documents: ["one"],
      stream: true,
    });
    expect({ path, ignored, maxOutputTokens }).toEqual({ path: "/v2/chat", ignored: [], maxOutputTokens: 100 });
  });

  test("says nothing that the caller did not say", () => {
    expect(encode({}).json).toEqual({
      model: "command-a-03-2025",
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
      stream: false,
    });
  });

  test("leaves out hints and names them", () => {
    const { json, ignored } = encode({
      user: "u",
      metadata: { a: "b" },
      tools: [{ ...tool, cache: "5m" }],
      rest: { prompt_cache_key: "k" },
    });
    expect(Object.keys(json)).toEqual(["model", "messages", "tools", "stream"]);
    expect(ignored.toSorted()).toEqual(["cache_control", "metadata", "prompt_cache_key", "user"]);
  });

  for (const [param, more] of [
    ["n", { choices: 2 }],
    ["top_logprobs", { logprobs: true, topLogprobs: 3 }],
    ["temperature", { temperature: 1.5 }],
    ["presence_penalty", { presencePenalty: -1 }],
    ["messages[0].content[0].input_audio", { messages: [user({ type: "audio", media: { kind: "id", id: "x" } })] }],
    ["messages[0].content[1].file", { messages: [user(text("x"), { type: "file", media: { kind: "id", id: "x" } })] }],
  ] as const) {
    test(`refuses ${param} by name`, () => expect(refused(more)).toBe(param));
  }

  test("takes no limit of probability as the most that Cohere knows", () => {
    expect(encode({ topP: 1 }).json.p).toBe(0.99);
    expect(refused({ topP: 0 })).toBe("top_p");
  });
});

describe("tools", () => {
  test("of which one is forced are offered alone", () => {
    const { json } = encode({ tools: [tool, { name: "now" }], toolChoice: { name: "now" } });
    expect([json.tools.length, json.tools[0].function.name, json.tool_choice]).toEqual([1, "now", "REQUIRED"]);
    expect(encode({ tools: [tool], toolChoice: "none" }).json.tool_choice).toBe("NONE");
    expect(encode({ tools: [tool], toolChoice: "auto" }).json.tool_choice).toBeUndefined();
  });

  test("are strict where all of them can be, else it is named", () => {
    const strict = { ...tool, strict: true };
    expect(encode({ tools: [strict] })).toMatchObject({ json: { strict_tools: true }, ignored: [] });
    const mixed = encode({ tools: [strict, { name: "now", strict: true }] });
    expect(mixed.json.strict_tools).toBeUndefined();
    expect(mixed.ignored).toEqual(["tools.function.strict"]);
  });

  test("that take free text or stand in a group go out as functions, and are called by the same names", () => {
    const { json, ignored } = encode({
      tools: [
        { name: "patch", custom: { format: { type: "grammar", definition: "g" } } },
        { name: "read", namespace: "files" },
      ],
      messages: [
        user(text("x")),
        {
          role: "assistant",
          parts: [
            { type: "tool-call", id: "a", name: "patch", arguments: "*** Begin", custom: true },
            { type: "tool-call", id: "b", name: "read", namespace: "files", arguments: "" },
          ],
        },
      ],
    });
    expect(json.tools.map((each: { function: { name: string } }) => each.function.name)).toEqual(["patch", "files__read"]);
    expect(json.messages[1].tool_calls).toEqual([
      { id: "a", type: "function", function: { name: "patch", arguments: '{"input":"*** Begin"}' } },
      { id: "b", type: "function", function: { name: "files__read", arguments: "{}" } },
    ]);
    expect(ignored).toEqual(["tools.custom.format"]);
  });
});

describe("the conversation", () => {
  test("has results as documents where they are objects, and their pictures after the last of them", () => {
    const { body, json } = encode({
      messages: [
        user(text("x")),
        { role: "assistant", parts: [call("a"), call("b"), call("c")] },
        { role: "tool", parts: [{ type: "tool-result", callId: "a", content: [text('{"n":1.0}'), picture] }] },
        result("b", "[1]"),
        result("c", "no", true),
        { role: "tool", parts: [{ type: "tool-result", callId: "d", content: [] }] },
      ],
    });
    expect(json.messages.slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: [{ type: "document", document: { data: { n: 1 } } }] },
      { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "[1]" }] },
      { role: "tool", tool_call_id: "c", content: [{ type: "document", document: { data: { error: "no" } } }] },
      { role: "tool", tool_call_id: "d", content: "" },
      { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }] },
    ]);
    expect(body).toContain('"data":{"n":1.0}');
  });

  test("has files of text as documents", () => {
    const { json } = encode({
      messages: [
        user(text("x"), { type: "file", media: { kind: "base64", mediaType: "text/plain", data: btoa("Facts.") }, name: "a.txt" }),
      ],
    });
    expect(json.documents).toEqual([{ id: "doc:0", data: { title: "a.txt", text: "Facts." } }]);
    expect(json.messages[0].content).toEqual([{ type: "text", text: "x" }]);
  });

  test("sends thoughts back to a model that thinks, as a plan to one that calls tools, and nobody else's", () => {
    const parts: Part[] = [
      { type: "reasoning", text: "mine", from: "cohere" },
      { type: "reasoning", text: "other", signature: "s", from: "anthropic-messages" },
      { type: "redacted-reasoning", data: "other", from: "anthropic-messages" },
      text("Answer"),
    ];
    const turn = (model: string, more: Part[] = []) =>
      encode({ messages: [user(text("x")), { role: "assistant", parts: [...parts, ...more] }] }, context(model)).json.messages[1];
    const said = { type: "text", text: "Answer" };
    expect(turn("command-a-reasoning-08-2025").content).toEqual([{ type: "thinking", thinking: "mine" }, said]);
    expect(turn("command-a-03-2025")).toEqual({ role: "assistant", content: [said] });
    expect(turn("command-a-03-2025", [call("a")])).toMatchObject({ content: [said], tool_plan: "mine" });
  });
});

describe("thinking", () => {
  const THINKS = "command-a-reasoning-08-2025";
  for (const [what, reasoning, model, thinking, named] of [
    ["a budget", { budgetTokens: 31_999, summary: "auto" }, THINKS, { type: "enabled", token_budget: 31_999 }, []],
    ["a low effort", { effort: "low" }, THINKS, { type: "enabled", token_budget: 2048 }, []],
    ["a high effort", { effort: "high" }, THINKS, { type: "enabled" }, []],
    ["adaptive thinking", { adaptive: true }, THINKS, { type: "enabled" }, []],
    ["none", { effort: "none" }, THINKS, { type: "disabled" }, []],
    ["an effort nobody knows", { effort: "heroic" }, THINKS, undefined, ["reasoning_effort"]],
    ["shown thoughts alone", { summary: "auto" }, THINKS, undefined, []],
    ["an effort of a model that does not think", { effort: "high" }, "command-a-03-2025", undefined, ["reasoning_effort"]],
    ["none of a model that does not think", { effort: "none" }, "command-a-03-2025", undefined, []],
  ] as const satisfies readonly (readonly [string, Reasoning, string, object | undefined, readonly string[]])[]) {
    test(`with ${what} is never refused`, () => {
      const { json, ignored } = encode({ reasoning }, context(model));
      expect(json.thinking).toEqual(thinking);
      expect(ignored).toEqual([...named]);
    });
  }

  test("is asked of a model that the catalogue knows to think", () => {
    expect(encode({ reasoning: { adaptive: true } }, context("command-next", { reasons: true })).json.thinking).toEqual({
      type: "enabled",
    });
  });
});

interface Recorded {
  messages: { role: string; content?: unknown; tool_calls?: unknown[]; tool_call_id?: string }[];
  response_format?: { type: string; json_schema?: object };
  stop_sequences?: string[];
  max_tokens?: number;
  temperature?: number;
  tools?: unknown[];
  stream?: boolean;
}

describe("recorded requests, as an OpenAI client would have sent them, say what was recorded", () => {
  /** A document in a tool's result, which Chat Completions has no place for, and a text whose massive part was not kept. */
  const INEXPRESSIBLE = /pdf-input/;
  for (const each of allRecordings(undefined, "cohere-v2-chat")) {
    const body = each.request as Recorded | undefined;
    if (!body || INEXPRESSIBLE.test(each.id)) continue;
    test(each.id, () => {
      const { response_format: format, stop_sequences: stop, ...rest } = body;
      const schema = format?.json_schema;
      const asked = {
        ...rest,
        ...(format ? { response_format: schema ? { type: "json_schema", json_schema: { name: "n", schema } } : format } : {}),
        ...(stop ? { stop } : {}),
      };
      const { request } = openaiChat.decodeRequest(asked);
      const sent: Recorded = JSON.parse(cohere.encodeRequest(request, context()).body);
      const blocks = (content: unknown): unknown =>
        (typeof content === "string" ? [{ type: "text", text: content }] : ((content ?? []) as { text?: string }[])).filter(
          (block) => (block as { text?: string }).text !== "",
        );
      const plain = ({ messages }: Recorded) => messages.map((message) => ({ ...message, content: blocks(message.content) }));
      expect(plain(sent)).toEqual(plain(body));
      expect(sent.response_format).toEqual(format);
      expect(sent.stop_sequences).toEqual(stop);
      expect(sent.max_tokens).toEqual(body.max_tokens);
      expect(sent.temperature).toEqual(body.temperature);
      expect(sent.tools).toEqual(body.tools);
    });
  }
});
