// What a Messages client sends, read: the whole of it, under its own names, and written again as it was.
import { describe, expect, test } from "bun:test";
import type { ChatRequest, Part } from "../../src/core/chat";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { EncodeContext } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { sealOf } from "../../src/dialects/sealed-envelope";
import { inputCeiling } from "../../src/policy/bound-input";
import { allRecordings, sharedMissing } from "../recordings/load";
import { failureOf } from "./anthropic-gemini-replay";
import { type Body, canonical } from "./anthropic-messages-canonical";

const context = (model: string, more: Partial<EncodeContext> = {}): EncodeContext => ({
  model,
  defaultMaxOutputTokens: 1,
  unsupported: [],
  dropUnsupported: false,
  deviations: {},
  caller: anthropicMessages,
  ...more,
});

const decode = (body: object, headers: Record<string, string> = {}) => {
  const decoded = anthropicMessages.decodeRequest(JSON.parse(JSON.stringify(body)), headers);
  return { ...decoded, nameOf: decoded.nameOf ?? ((name: string) => name) };
};
const ask = (more: object = {}) => ({ model: "m", max_tokens: 10, messages: [{ role: "user", content: "Hi" }], ...more });
const read = (more: object): ChatRequest => decode(ask(more)).request;
/** The parts of one turn. */
const parts = (role: string, ...content: object[]): readonly Part[] => read({ messages: [{ role, content }] }).messages[0]?.parts ?? [];
/** What is left out, in the caller's words, of a request that goes to OpenAI's dialect. */
const ignored = (more: object): readonly string[] => {
  const { request, nameOf } = decode(ask(more));
  return openaiChat.encodeRequest(request, context("gpt-x")).ignored.map(nameOf);
};
const refused = (more: object) => {
  const { request, nameOf } = decode(ask(more));
  const { code, param } = failureOf(() => openaiChat.encodeRequest(request, context("gpt-x")));
  return { code, param: param && nameOf(param) };
};

/** Recorded, and not written again as they were. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "anthropic/messages.image-base64.1": "a computer tool",
  "anthropic/messages.reasoning-roundtrip-stream.1": "a hosted search",
  "anthropic/messages.error-400.3": "a message that is a string",
  "anthropic/messages.error-400.5": "an effort without thinking",
  "own/anthropic.messages.search-stream": "a hosted search",
};

const recorded = allRecordings("anthropic", "anthropic-messages").filter(({ request }) => request !== undefined);

describe("a recorded request", () => {
  test.skipIf(sharedMissing)("is one of many", () => expect(recorded.length).toBeGreaterThanOrEqual(40));

  for (const each of recorded.filter(({ id }) => ELSEWHERE[id] === undefined)) {
    test(`says the same when it is written again: ${each.id}`, () => {
      const body = each.request as Body;
      const { request } = decode(body);
      const encoded = anthropicMessages.encodeRequest(request, context(body.model));
      expect(canonical(JSON.parse(encoded.body))).toEqual(canonical(body));
      expect(encoded.ignored).toEqual(request.rest["document.citations"] === undefined ? [] : ["document.citations"]);
    });
  }

  for (const each of recorded) {
    test(`is sent on byte by byte: ${each.id}`, () => {
      const bytes = new TextEncoder().encode(JSON.stringify(each.request, undefined, 1));
      if (each.id === "anthropic/messages.error-400.3") {
        expect(failureOf(() => anthropicMessages.decodeRequest(each.request)).param).toBe("messages[0]");
        return;
      }
      const decoded = anthropicMessages.decodeRequest(each.request, { "anthropic-version": "2026-10-21", "anthropic-beta": "a,b" });
      const forwarded = anthropicMessages.forwardRequest(bytes, decoded, context(decoded.request.model));
      expect(forwarded).toMatchObject({
        path: "/messages",
        headers: { "anthropic-version": "2026-10-21", "anthropic-beta": "a,b" },
        ignored: [],
        maxOutputTokens: (each.request as Body).max_tokens,
      });
      expect(new TextDecoder().decode(forwarded.bytes)).toBe(new TextDecoder().decode(bytes));
    });
  }
});

describe("the settings of a request", () => {
  test("have their neutral places", () => {
    const { request, includeUsage } = decode(
      ask({
        system: "Be brief.",
        stream: true,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 5,
        stop_sequences: ["END"],
        metadata: { user_id: "u-1" },
        service_tier: "standard_only",
        thinking: { type: "adaptive", display: "summarized" },
        output_config: { effort: "high", format: { type: "json_schema", schema: { type: "object" } } },
        tools: [{ name: "add", description: "Adds", input_schema: { type: "object" }, strict: true, cache_control: { type: "ephemeral" } }],
        tool_choice: { type: "any", disable_parallel_tool_use: true },
      }),
    );
    expect(includeUsage).toBe(true);
    expect(request).toEqual({
      model: "m",
      messages: [
        { role: "system", parts: [{ type: "text", text: "Be brief." }] },
        { role: "user", parts: [{ type: "text", text: "Hi" }] },
      ],
      stream: true,
      tools: [{ name: "add", description: "Adds", parameters: { type: "object" }, strict: true, cache: "5m" }],
      hostedTools: undefined,
      toolChoice: "required",
      parallelToolCalls: false,
      maxOutputTokens: 10,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      stop: ["END"],
      responseFormat: { type: "json-schema", name: "response", schema: { type: "object" } },
      reasoning: { effort: "high", adaptive: true, summary: "summarized" },
      user: "u-1",
      serviceTier: "default",
      rest: {},
    });
  });

  test("are checked, by the caller's names", () => {
    const missing = failureOf(() => decode({ model: "m", messages: [{ role: "user", content: "Hi" }] }));
    expect(missing).toMatchObject({ code: "missing_required_parameter", param: "max_tokens" });
    const wrong: readonly (readonly [object, string])[] = [
      [{ max_tokens: "10" }, "max_tokens"],
      [{ messages: [] }, "messages"],
      [{ messages: [{ role: "robot", content: "x" }] }, "messages[0].role"],
      [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages[0].content[0].text"],
      [{ messages: [{ role: "user" }] }, "messages[0].content"],
      [{ system: [{ type: "image" }] }, "system[0].type"],
      [{ tools: [{ description: "no name" }] }, "tools[0].name"],
      [{ tool_choice: { type: "maybe" } }, "tool_choice.type"],
      [{ thinking: { type: "enabled", budget_tokens: "many" } }, "thinking.budget_tokens"],
    ];
    for (const [more, param] of wrong) expect(failureOf(() => decode(ask(more))).param).toBe(param);
  });

  test("tell how much the model shall think", () => {
    const reasoning = (more: object) => read(more).reasoning;
    expect(reasoning({})).toBeUndefined();
    expect(reasoning({ output_config: { effort: "low" } })).toEqual({ effort: "low" });
    expect(reasoning({ thinking: { type: "enabled", budget_tokens: 2048 } })).toMatchObject({ budgetTokens: 2048 });
    expect(reasoning({ thinking: { type: "disabled" } })).toEqual({ effort: "none" });
    expect(reasoning({ thinking: { type: "adaptive" } })).toMatchObject({ adaptive: true });
    expect(read({ thinking: { type: "disabled" }, output_config: { effort: "low" } }).rest).toEqual({ "output_config.effort": "low" });
    expect(read({ thinking: { type: "between_tools" } }).rest).toEqual({ "thinking.type": "between_tools" });
  });

  test("without a place elsewhere are refused where they are meanings, left out and named where they are hints", () => {
    expect(refused({ container: "c_1" })).toEqual({ code: "unsupported_parameter", param: "container" });
    expect(refused({ mcp_servers: [{ name: "a" }] })).toEqual({ code: "unsupported_parameter", param: "mcp_servers" });
    expect(refused({ inference_geo: "eu" })).toEqual({ code: "unsupported_parameter", param: "inference_geo" });
    expect(ignored({ context_management: { edits: [1] }, cache_control: { type: "ephemeral" }, speed: "fast", novelty: 1 })).toEqual([
      "context_management",
      "cache_control",
      "speed",
      "novelty",
    ]);
    expect(ignored({ mcp_servers: [], speed: "standard" })).toEqual([]);
    const { request, nameOf } = decode(ask(), { "anthropic-version": "2099-01-01", "anthropic-beta": "x-2026-01-01" });
    expect(openaiChat.encodeRequest(request, context("gpt-x")).ignored.map(nameOf)).toEqual(["anthropic-beta"]);
  });
});

describe("the conversation of a request", () => {
  test("has the client's own mark taken out, and its system messages left where they stand", () => {
    const request = read({
      system: [
        { type: "text", text: "x-anthropic-billing-header: cc_version=2.1; cch=abc;" },
        { type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
      messages: [
        { role: "user", content: "Hi" },
        { role: "system", content: "The user opened a file." },
        { role: "assistant", content: [{ type: "text", text: "Hello" }] },
      ],
    });
    expect(request.messages).toEqual([
      { role: "system", parts: [{ type: "text", text: "You are Claude Code.", cache: "1h" }] },
      { role: "user", parts: [{ type: "text", text: "Hi" }] },
      { role: "system", parts: [{ type: "text", text: "The user opened a file." }] },
      { role: "assistant", parts: [{ type: "text", text: "Hello" }] },
    ]);
    expect(read({ system: [{ type: "text", text: "x-anthropic-billing-header: a" }] }).messages.length).toBe(1);
  });

  test("may hold every kind of source", () => {
    expect(
      parts(
        "user",
        { type: "text", text: "" },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" }, cache_control: { type: "ephemeral" } },
        { type: "image", source: { type: "url", url: "https://img.example/a.png" } },
        { type: "image", source: { type: "file", file_id: "file_1" } },
        { type: "document", title: "a.txt", context: "A note.", source: { type: "text", media_type: "text/plain", data: "é" } },
        { type: "document", source: { type: "content", content: [{ type: "text", text: "One." }] } },
        { type: "document", source: { type: "content", content: "Two." } },
        { type: "document", source: { type: "base64", media_type: "application/pdf", data: "BBBB" } },
        { type: "search_result", source: "https://a.example", title: "A", content: [{ type: "text", text: "Found." }] },
      ),
    ).toEqual([
      { type: "image", media: { kind: "base64", mediaType: "image/png", data: "AAAA" }, cache: "5m" },
      { type: "image", media: { kind: "url", url: "https://img.example/a.png" } },
      { type: "image", media: { kind: "id", id: "file_1" } },
      { type: "text", text: "A note." },
      { type: "file", media: { kind: "base64", mediaType: "text/plain", data: "w6k=" }, name: "a.txt" },
      { type: "text", text: "One." },
      { type: "text", text: "Two." },
      { type: "file", media: { kind: "base64", mediaType: "application/pdf", data: "BBBB" } },
      { type: "text", text: "A\nhttps://a.example\nFound." },
    ]);
  });

  test("has each tool's result in a message of its own, before what else the user says", () => {
    const request = read({
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id: "x-functions_2e_add_3a_0", name: "add", input: { a: 1 } }] },
        {
          role: "user",
          content: [
            { type: "text", text: "Here." },
            { type: "tool_result", tool_use_id: "x-functions_2e_add_3a_0", content: "3", is_error: true },
            { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "4" }] },
          ],
        },
      ],
    });
    expect(request.messages).toEqual([
      { role: "assistant", parts: [{ type: "tool-call", id: "functions.add:0", name: "add", arguments: '{"a":1}' }] },
      { role: "tool", parts: [{ type: "tool-result", callId: "functions.add:0", content: [{ type: "text", text: "3" }], isError: true }] },
      { role: "tool", parts: [{ type: "tool-result", callId: "b", content: [{ type: "text", text: "4" }] }] },
      { role: "user", parts: [{ type: "text", text: "Here." }] },
    ]);
  });

  test("tells what hosted tools did before, which others leave out and name", () => {
    const messages = [
      { role: "user", content: "Search" },
      {
        role: "assistant",
        content: [
          { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
          { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
          { type: "text", text: "Found.", citations: [{ type: "web_search_result_location", url: "https://a.example" }] },
        ],
      },
    ];
    expect(ignored({ messages })).toEqual(["messages[1].content[0]:server_tool_use", "messages[1].content[1]:web_search_tool_result"]);
    expect(refused({ messages: [{ role: "user", content: [{ type: "container_upload", file_id: "f" }] }] })).toEqual({
      code: "unsupported_parameter",
      param: "messages[0].content[0]",
    });
  });

  test("is named in the caller's words", () => {
    const { nameOf } = decode(
      ask({
        system: [
          { type: "text", text: "x-anthropic-billing-header: a" },
          { type: "text", text: "Hi" },
        ],
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "" },
              { type: "image", source: { type: "url", url: "https://a.example" } },
            ],
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: [{ type: "text", text: "x" }] }] },
          { role: "assistant", content: "Hello" },
        ],
        output_config: { effort: "low", format: { type: "json_schema", schema: {} } },
      }),
    );
    const names = {
      max_completion_tokens: "max_tokens",
      stop: "stop_sequences",
      user: "metadata.user_id",
      parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
      reasoning_effort: "output_config.effort",
      response_format: "output_config.format",
      temperature: "temperature",
      "messages[0].content[0]": "system[1]",
      "messages[1].content[0].image_url": "messages[0].content[1].source",
      "messages[2].content[0]": "messages[1].content[0].content[0]",
      "messages[2].tool_call_id": "messages[1].content[0].tool_use_id",
      "messages[3].tool_calls": "messages[2].content",
      "messages[3]": "messages[2]",
      "messages[9].content": "messages[9].content",
    };
    for (const [ours, theirs] of Object.entries(names)) expect(nameOf(ours)).toBe(theirs);
  });
});

describe("the tools of a request", () => {
  test("are the caller's, the provider's, or such as the model was taught", () => {
    const tools = [
      { name: "add", input_schema: { type: "object" }, eager_input_streaming: true, defer_loading: null },
      { type: "custom", name: "sub", input_schema: { type: "object" }, cache_control: { type: "ephemeral" } },
      { type: "web_search_20250305", name: "web_search", max_uses: 3, cache_control: { type: "ephemeral", ttl: "1h" } },
      { type: "bash_20250124", name: "bash" },
      { type: "code_execution_20250825", name: "code_execution" },
    ];
    const request = read({ tools });
    expect(request.tools?.map(({ name }) => name)).toEqual(["add", "sub"]);
    expect(request.hostedTools).toEqual([
      { type: "web_search_20250305", at: "tools[2]", maxCalls: 3 },
      { type: "bash_20250124", at: "tools[3]", maxCalls: 0 },
      { type: "code_execution_20250825", at: "tools[4]" },
    ]);
    expect(ignored({ tools })).toEqual([
      "tools.eager_input_streaming",
      "tools[2].cache_control",
      "tools[2]:web_search_20250305",
      "tools[3]:bash_20250124",
      "tools[4]:code_execution_20250825",
      "cache_control",
    ]);
  });

  test("cost a fee only where the provider runs them", () => {
    const tools = [
      { type: "web_search_20250305", name: "web_search", max_uses: 3 },
      { type: "bash_20250124", name: "bash" },
      { type: "code_execution_20250825", name: "code_execution" },
    ];
    const { hostedTools, textTokens } = inputCeiling(read({ tools }), new Uint8Array(), "claude-x");
    expect(hostedTools).toEqual([
      { param: "tools[0]", fee: "web_search", maxCalls: 3 },
      { param: "tools[2]", fee: undefined, maxCalls: undefined },
    ]);
    expect(textTokens).toBeGreaterThan(3 * 735);
  });

  test("may be forced, where another provider has them", () => {
    const tools = [
      { name: "add", input_schema: { type: "object" } },
      { type: "bash_20250124", name: "bash" },
    ];
    expect(read({ tools, tool_choice: { type: "tool", name: "add" } }).toolChoice).toEqual({ name: "add" });
    expect(read({ tools, tool_choice: { type: "none" } }).toolChoice).toBe("none");
    expect(refused({ tools, tool_choice: { type: "tool", name: "bash" } }).param).toBe("tool_choice");
    expect(refused({ tools: tools.slice(1), tool_choice: { type: "any" } }).param).toBe("tool_choice");
  });
});

describe("thoughts that come back", () => {
  test("are Anthropic's own, or another provider's out of their envelope", () => {
    const call = { type: "tool_use", id: "call_1", name: "add", input: {} };
    expect(
      parts(
        "assistant",
        { type: "thinking", thinking: "A.", signature: "c2ln" },
        { type: "thinking", thinking: "B.", signature: sealOf({ from: "openai-responses", signature: "enc", id: "rs_1" }) },
        { type: "thinking", thinking: "C.", signature: sealOf({ from: "openai-chat" }) },
        { type: "thinking", thinking: "D.", signature: "" },
        { type: "thinking", thinking: "E.", signature: "tw1.broken" },
        { type: "redacted_thinking", data: "b3du" },
        { type: "redacted_thinking", data: sealOf({ from: "openai-responses", data: "hidden", id: "rs_2" }) },
        { type: "thinking", thinking: "", signature: sealOf({ from: "gemini", signature: "seal", call: "call_1" }) },
        call,
      ),
    ).toEqual([
      { type: "reasoning", text: "A.", signature: "c2ln", from: "anthropic-messages" },
      { type: "reasoning", text: "B.", signature: "enc", from: "openai-responses", id: "rs_1" },
      { type: "reasoning", text: "C.", from: "openai-chat" },
      { type: "reasoning", text: "D.", from: "anthropic-messages" },
      { type: "reasoning", text: "E." },
      { type: "redacted-reasoning", data: "b3du", from: "anthropic-messages" },
      { type: "redacted-reasoning", data: "hidden", from: "openai-responses", id: "rs_2" },
      { type: "tool-call", id: "call_1", name: "add", arguments: "{}", signature: "seal" },
    ]);
  });

  test("reach Gemini with the seal of the call", () => {
    const { request } = decode(
      ask({
        messages: [
          { role: "user", content: "Add" },
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "Sum.", signature: sealOf({ from: "gemini", signature: "c2VhbA==", call: "call_1" }) },
              { type: "tool_use", id: "call_1", name: "add", input: { a: 1 } },
            ],
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "3" }] },
        ],
      }),
    );
    const { body } = gemini.encodeRequest(request, context("gemini-3-pro-preview"));
    expect(JSON.parse(body).contents[1].parts).toEqual([
      { functionCall: { id: "call_1", name: "add", args: { a: 1 } }, thoughtSignature: "c2VhbA==" },
    ]);
  });
});

/** Less its texts, a second turn of Claude Code's as it was seen on the wire. */
const CLAUDE_CODE = {
  model: "claude-opus-4-6",
  max_tokens: 32_000,
  stream: true,
  thinking: { type: "adaptive" },
  output_config: { effort: "medium" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  metadata: { user_id: '{"session_id":"s"}' },
  system: [
    { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.197; cch=00000;" },
    { type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral" } },
  ],
  tools: [{ name: "Bash", description: "Runs", input_schema: { type: "object", properties: {} }, eager_input_streaming: true }],
  messages: [
    { role: "user", content: [{ type: "text", text: "List the files" }] },
    { role: "system", content: "Today is Monday." },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "", signature: "c2ln" },
        { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" }, caller: { type: "direct" } },
      ],
    },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "a.txt", is_error: false, cache_control: { type: "ephemeral" } }],
    },
  ],
};

describe("a turn of Claude Code's", () => {
  const { request, nameOf } = decode(CLAUDE_CODE, { "anthropic-version": "2023-06-01", "anthropic-beta": "claude-code-20250219" });

  for (const [dialect, model] of [
    [openaiChat, "gpt-5"],
    [openaiResponses, "gpt-5"],
    [gemini, "gemini-3-pro-preview"],
    [anthropicMessages, "claude-opus-4-6"],
  ] as const) {
    test(`goes to ${dialect.name}, and what is left out is named`, () => {
      const encoded = dialect.encodeRequest(request, context(model));
      expect(encoded.body).not.toContain("billing");
      expect(encoded.body).toContain("You are Claude Code.");
      expect(encoded.body).toContain("a.txt");
      const names = encoded.ignored.map(nameOf);
      for (const name of ["context_management", "anthropic-beta", "tools.eager_input_streaming"]) expect(names).toContain(name);
      expect(names).not.toContain("anthropic-version");
    });
  }
});
