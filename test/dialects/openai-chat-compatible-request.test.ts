// Requests to providers that speak Chat Completions with deviations: the caller's bytes where both speak it, and re-encoded ones.
import { describe, expect, test } from "bun:test";
import type { ChatRequest, Message, Part } from "../../src/core/chat";
import type { Deviations, EncodeContext } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { callIdFor } from "../../src/dialects/openai-chat-call-ids";
import { deviationsOf } from "./openai-chat-deviations";
import { encodeContext, failureOf, text, utf8 } from "./openai-chat-replay";

const user = { role: "user", content: "hi" };
const call = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });

const forward = (json: string, deviations: Deviations, changes: Partial<EncodeContext> = {}) => {
  const decoded = openaiChat.decodeRequest(JSON.parse(json));
  const sent = openaiChat.forwardRequest(utf8(json), decoded, encodeContext({ model: decoded.request.model, deviations, ...changes }));
  return { ...sent, text: text(sent.bytes), json: JSON.parse(text(sent.bytes)) };
};
const forwarded = (body: object, provider: string) =>
  forward(JSON.stringify({ model: "m", messages: [user], ...body }), deviationsOf(provider));

const request = (parts: Partial<ChatRequest>): ChatRequest => ({
  model: "m",
  messages: [{ role: "user", parts: [{ type: "text", text: "hi" }] }],
  stream: false,
  rest: {},
  ...parts,
});
const encode = (asked: Partial<ChatRequest>, deviations: Deviations = {}, changes: Partial<EncodeContext> = {}) => {
  const encoded = openaiChat.encodeRequest(request(asked), encodeContext({ deviations, ...changes }));
  return { ...encoded, json: JSON.parse(encoded.body) };
};

describe("forwarding", () => {
  test("changes no byte of a request that has nothing to change, whoever it goes to", () => {
    const json = `{ "model":"m", "messages":[{"role":"system","content":"s"},{"role":"user","content":"hi \\u0041"}], "big": 12345678901234567890}`;
    for (const provider of ["azure", "mistral", "groq", "deepseek", "xai", "together", "perplexity", "openrouter", "vllm", "ollama"])
      expect([provider, forward(json, deviationsOf(provider)).text]).toEqual([provider, json]);
  });

  test("gives `developer` the word that the provider knows, and keeps every digit beside it", () => {
    const json =
      '{"model":"m","messages":[{"role":"developer","content":"be kind","x":12345678901234567890},{"role":"user","content":"hi"}]}';
    expect(forward(json, deviationsOf("deepseek")).text).toBe(json.replace('"developer"', '"system"'));
    expect(forward(json, deviationsOf("openrouter")).text).toBe(json);
  });

  test("gives calls and their results ids that the provider takes, the same for the same", () => {
    const messages = [
      user,
      { role: "assistant", content: null, tool_calls: [call("call_abc"), call("Ab3dEf9hI")] },
      { role: "tool", tool_call_id: "call_abc", content: "1" },
      { role: "tool", tool_call_id: "Ab3dEf9hI", content: "2" },
    ];
    const { json } = forwarded({ messages }, "mistral");
    const id = json.messages[1].tool_calls[0].id;
    expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(json.messages[2].tool_call_id).toBe(id);
    expect([json.messages[1].tool_calls[1].id, json.messages[3].tool_call_id]).toEqual(["Ab3dEf9hI", "Ab3dEf9hI"]);
    expect(forwarded({ messages }, "xai").json.messages).toEqual(messages);
  });

  test("puts a word between a tool's result and a user where the provider wants one", () => {
    const messages = [
      { role: "assistant", content: null, tool_calls: [call("Ab3dEf9hI")] },
      { role: "tool", tool_call_id: "Ab3dEf9hI", content: "1" },
      user,
    ];
    const sent = forwarded({ messages }, "mistral").json.messages;
    expect(sent.map(({ role }: { role: string }) => role)).toEqual(["assistant", "tool", "assistant", "user"]);
    expect(sent[2]).toEqual({ role: "assistant", content: "OK" });
  });

  test("leaves out what a strict provider would refuse, and names what was said", () => {
    const messages = [
      { role: "user", name: "Ada", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] },
      { role: "assistant", content: "b", refusal: null, annotations: [], reasoning_content: "t", prefix: true },
      { ...user, tool_calls: null },
    ];
    const tools = [{ type: "function", function: { name: "f" }, cache_control: { type: "ephemeral" } }];
    const { json, ignored } = forwarded({ messages, tools }, "mistral");
    expect(json.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "a" }] },
      { role: "assistant", content: "b", prefix: true },
      user,
    ]);
    expect(json.tools).toEqual([{ type: "function", function: { name: "f" } }]);
    expect([...ignored].sort()).toEqual(["cache_control", "messages.name", "reasoning_content"]);
  });

  test("gives thinking that is sent back the name that the provider reads", () => {
    const messages = [user, { role: "assistant", content: "b", reasoning: "t" }, user];
    expect(forwarded({ messages }, "deepseek").json.messages[1]).toEqual({ role: "assistant", content: "b", reasoning_content: "t" });
    const other = [user, { role: "assistant", content: "b", reasoning_content: "t" }, user];
    expect(forwarded({ messages: other }, "openrouter").json.messages[1]).toEqual({ role: "assistant", content: "b", reasoning: "t" });
    expect(forwarded({ messages: other }, "deepseek").json.messages).toEqual(other);
  });

  test("names the seed and the limit as the provider does, and asks for usage only where that is understood", () => {
    const json =
      '{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":12345678901234567890,"max_completion_tokens":9,"stream":true}';
    expect(forward(json, deviationsOf("mistral")).text).toBe(
      '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"max_tokens":9,"random_seed":12345678901234567890}',
    );
    expect(forwarded({ stream: true, stream_options: { include_usage: true } }, "perplexity").json).not.toHaveProperty("stream_options");
    expect(forwarded({ stream: true }, "deepseek").json.stream_options).toEqual({ include_usage: true });
    expect(forward(json, deviationsOf("mistral"), { unsupported: ["seed"] })).toMatchObject({ ignored: ["seed"] });
  });

  test("refuses custom tools where the provider has functions only: an answer that is passed on could not be turned back", () => {
    const tools = [
      { type: "function", function: { name: "f" } },
      { type: "custom", custom: { name: "c" } },
    ];
    expect(failureOf(() => forwarded({ tools }, "deepseek"))).toMatchObject({ code: "unsupported_parameter", param: "tools[1]" });
    expect(forwarded({ tools }, "openai").json.tools).toEqual(tools);
  });
});

describe("ids of tool calls", () => {
  test("keep what fits, and are made of the rest: always the same, for different ids different", () => {
    const mistral = deviationsOf("mistral");
    expect(callIdFor("Ab3dEf9hI", mistral)).toBe("Ab3dEf9hI");
    const made = Array.from({ length: 20_000 }, (_, i) => callIdFor(`call_${i}`, mistral));
    expect(made.every((id) => /^[A-Za-z0-9]{9}$/.test(id))).toBe(true);
    expect(new Set(made).size).toBe(made.length);
    expect(callIdFor("call_7", mistral)).toBe(made[7] ?? "");
    expect(callIdFor("functions.add:0", {})).toBe("functions.add:0");
  });
});

describe("encoding", () => {
  const conversation = (...messages: [Message["role"], ...Part[]][]): Partial<ChatRequest> => ({
    messages: messages.map(([role, ...parts]) => ({ role, parts })),
  });
  const say = (said: string): Part => ({ type: "text", text: said });
  const picture: Part = { type: "image", media: { kind: "base64", mediaType: "image/png", data: "iVBO" } };
  const url = "data:image/png;base64,iVBO";

  test("moves pictures in a tool's result to a user's message, behind the results of the turn", () => {
    const { json } = encode(
      conversation(
        [
          "assistant",
          { type: "tool-call", id: "a", name: "f", arguments: "{}" },
          { type: "tool-call", id: "b", name: "f", arguments: "{}" },
        ],
        [
          "user",
          { type: "tool-result", callId: "a", content: [say("seen"), picture] },
          { type: "tool-result", callId: "b", content: [picture] },
          say("go on"),
        ],
      ),
    );
    expect(json.messages.slice(1)).toEqual([
      { role: "tool", tool_call_id: "a", content: "seen" },
      { role: "tool", tool_call_id: "b", content: "See the attachments of b." },
      {
        role: "user",
        content: [
          { type: "text", text: "Attachments of a:" },
          { type: "image_url", image_url: { url } },
          { type: "text", text: "Attachments of b:" },
          { type: "image_url", image_url: { url } },
        ],
      },
      { role: "user", content: "go on" },
    ]);
  });

  test("names things as the provider does", () => {
    const asked = {
      ...conversation(
        ["developer", say("d")],
        ["assistant", { type: "tool-call", id: "toolu_1", name: "f", namespace: "mcp", arguments: "{}" }],
        ["tool", { type: "tool-result", callId: "toolu_1", content: [say("1")] }],
        ["user", say("x")],
      ),
      seed: 7,
      stream: true,
    };
    const { json } = encode(asked, deviationsOf("mistral"));
    expect(json).toMatchObject({ random_seed: 7, stream: true });
    expect(json).not.toHaveProperty("stream_options");
    const id = callIdFor("toolu_1", deviationsOf("mistral"));
    expect(json.messages).toEqual([
      { role: "system", content: "d" },
      { role: "assistant", content: null, tool_calls: [{ id, type: "function", function: { name: "mcp__f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: id, content: "1" },
      { role: "assistant", content: "OK" },
      { role: "user", content: "x" },
    ]);
  });

  const grammar = { type: "grammar", syntax: "lark", definition: "start: /a/" };
  const custom = {
    ...conversation(["assistant", { type: "tool-call", id: "a", name: "patch", arguments: "free text", custom: true }]),
    tools: [{ name: "patch", custom: { format: grammar } }],
    toolChoice: { name: "patch" },
  };

  test("writes custom tools as such, with their grammar where Chat Completions has it", () => {
    expect(encode(custom).json).toMatchObject({
      tools: [
        { type: "custom", custom: { name: "patch", format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /a/" } } } },
      ],
      tool_choice: { type: "custom", custom: { name: "patch" } },
      messages: [{ tool_calls: [{ id: "a", type: "custom", custom: { name: "patch", input: "free text" } }] }],
    });
  });

  test("writes them as functions where the provider has nothing else, and names the lost grammar", () => {
    const { json, ignored } = encode(custom, { functionToolsOnly: true });
    expect(json.tools[0].function).toMatchObject({ name: "patch", parameters: { required: ["input"] } });
    expect(json.tools[0].function.description).toContain("start: /a/");
    expect(json.tool_choice).toEqual({ type: "function", function: { name: "patch" } });
    expect(json.messages[0].tool_calls[0].function).toEqual({ name: "patch", arguments: '{"input":"free text"}' });
    expect(ignored).toEqual(["tools[0].format"]);
  });

  test("reads custom tools of a caller, and their choice", () => {
    const tools = [{ type: "custom", custom: { name: "c", description: "d", format: { type: "text" } } }];
    const { request: read } = openaiChat.decodeRequest({
      model: "m",
      messages: [user],
      tools,
      tool_choice: { type: "custom", custom: { name: "c" } },
    });
    expect(read.tools).toEqual([{ name: "c", description: "d", custom: { format: { type: "text" } }, cache: undefined }]);
    expect([read.toolChoice, read.rest]).toEqual([{ name: "c" }, {}]);
  });

  const efforts: [string, ChatRequest["reasoning"], Partial<EncodeContext>, string | undefined, string[]][] = [
    ["an effort", { effort: "low" }, {}, "low", []],
    ["a small budget", { budgetTokens: 2_048 }, {}, "low", []],
    ["a middling budget", { budgetTokens: 8_192 }, {}, "medium", []],
    ["a large budget", { budgetTokens: 31_999 }, {}, "high", []],
    ["the most", { effort: "max" }, {}, "xhigh", []],
    ["the model's own choice", { adaptive: true }, {}, undefined, []],
    ["a summary too", { effort: "high", summary: "auto" }, {}, "high", ["reasoning.summary"]],
    ["a model that does not think", { budgetTokens: 9_000 }, { reasons: false }, undefined, ["reasoning_effort"]],
    ["no thought of one that does not think", { effort: "none" }, { reasons: false }, undefined, []],
    ["a provider without the field", { effort: "high" }, { unsupported: ["reasoning_effort"] }, undefined, ["reasoning_effort"]],
  ];
  test.each(efforts)("asks for thinking as a wish: %s", (_, reasoning, changes, effort, ignored) => {
    const encoded = encode({ reasoning }, {}, changes);
    expect([encoded.json.reasoning_effort, encoded.ignored]).toEqual([effort, ignored]);
  });

  test("sends thinking back where the provider reads it, in its field, seals only to those that read details", () => {
    const thought: Part = { type: "reasoning", text: "t", signature: "s", from: "anthropic-messages" };
    const asked = conversation(["assistant", thought, say("a")]);
    expect(encode(asked, deviationsOf("deepseek"))).toMatchObject({
      json: { messages: [{ role: "assistant", content: "a", reasoning_content: "t" }] },
      ignored: ["reasoning_details"],
    });
    expect(encode(asked, deviationsOf("openrouter")).json.messages[0]).toMatchObject({
      reasoning: "t",
      reasoning_details: [{ type: "reasoning.text", text: "t", signature: "s", format: "anthropic-claude-v1" }],
    });
    expect(encode(asked, deviationsOf("mistral"))).toMatchObject({ ignored: ["reasoning_content", "reasoning_details"] });
  });

  test("leaves out a turn of nothing but thoughts that the provider does not read", () => {
    const asked = conversation(["user", say("a")], ["assistant", { type: "reasoning", text: "t" }], ["user", say("b")]);
    expect(encode(asked)).toMatchObject({
      json: { messages: [user, user].map((each, i) => ({ ...each, content: "ab"[i] })) },
      ignored: ["reasoning_content"],
    });
    expect(encode(asked, deviationsOf("deepseek")).json.messages[1]).toEqual({ role: "assistant", content: null, reasoning_content: "t" });
  });

  test("keeps cache marks for providers that read them, and names them elsewhere", () => {
    const asked = { ...conversation(["user", { type: "text", text: "long", cache: "1h" }]), tools: [{ name: "f", cache: "5m" as const }] };
    expect(encode(asked, deviationsOf("openrouter"))).toMatchObject({
      json: {
        messages: [{ content: [{ type: "text", text: "long", cache_control: { type: "ephemeral", ttl: "1h" } }] }],
        tools: [{ cache_control: { type: "ephemeral" } }],
      },
      ignored: [],
    });
    expect(encode(asked).json.messages[0].content).toBe("long");
    expect(encode(asked).ignored).toEqual(["cache_control"]);
  });

  test("writes files of text as text, and refuses by its place what has none", () => {
    const notes: Part = { type: "file", name: "notes.txt", media: { kind: "base64", mediaType: "text/plain", data: btoa("remember") } };
    expect(encode(conversation(["user", notes])).json.messages[0].content).toBe("notes.txt:\nremember");
    const held: Part = { type: "image", media: { kind: "id", id: "file-1" } };
    const asked = conversation(["user", say("a"), held]);
    expect(failureOf(() => encode(asked))).toMatchObject({ code: "unsupported_parameter", param: "messages[0].content[1]" });
    expect(encode(asked, {}, { dropUnsupported: true })).toMatchObject({ ignored: ["messages[0].content[1]"] });
  });
});
