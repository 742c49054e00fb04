import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DecodedRequest } from "../../src/dialects/dialect";
import { judgeField } from "../../src/dialects/field-table";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { OPENAI_RESPONSES_FIELDS } from "../../src/dialects/openai-responses-fields";
import { sealOf } from "../../src/dialects/sealed-envelope";
import { recordings, SHARED, sharedMissing } from "../recordings/load";
import { encodeContext, failureOf } from "./openai-chat-replay";

const decoded = (fields: object): DecodedRequest => openaiResponses.decodeRequest({ model: "m", input: "hi", ...fields });
const ask = (fields: object) => decoded(fields).request;
const messages = (...input: unknown[]) => ask({ input }).messages;
const ours = encodeContext({ caller: openaiResponses });

describe("the input", () => {
  test("may be a text", () => {
    expect(ask({ input: "hello" }).messages).toEqual([{ role: "user", parts: [{ type: "text", text: "hello" }] }]);
  });

  test("begins with the instructions", () => {
    expect(ask({ instructions: "Be brief." }).messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(ask({ instructions: null }).messages.map(({ role }) => role)).toEqual(["user"]);
  });

  test("has messages of every role, with and without a type", () => {
    const roles = ["system", "developer", "user", "assistant"];
    expect(messages(...roles.map((role) => ({ role, content: "x" }))).map(({ role }) => role as string)).toEqual(roles);
    expect(messages({ type: "message", role: "user", content: [{ type: "input_text", text: "a" }] })[0]?.parts).toEqual([
      { type: "text", text: "a", cache: undefined },
    ]);
  });

  test("has every kind of content", () => {
    const [message] = messages({
      role: "user",
      content: [
        { type: "input_text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } },
        { type: "input_image", image_url: "data:image/png;base64,aGk=", detail: "low" },
        { type: "input_image", image_url: "https://example.com/a.png", detail: null },
        { type: "input_image", file_id: "file_1" },
        { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,aGk=" },
        { type: "input_file", file_url: "https://example.com/a.pdf" },
        { type: "input_file", file_id: "file_2" },
        { type: "input_audio", input_audio: { data: "aGk=", format: "mp3" } },
      ],
    });
    expect(message?.parts).toMatchObject([
      { type: "text", text: "a", cache: "5m" },
      { type: "image", media: { kind: "base64", mediaType: "image/png", data: "aGk=" }, detail: "low" },
      { type: "image", media: { kind: "url", url: "https://example.com/a.png" } },
      { type: "image", media: { kind: "id", id: "file_1" } },
      { type: "file", name: "a.pdf", media: { kind: "base64", mediaType: "application/pdf" } },
      { type: "file", media: { kind: "url", url: "https://example.com/a.pdf" } },
      { type: "file", media: { kind: "id", id: "file_2" } },
      { type: "audio", media: { kind: "base64", mediaType: "audio/mp3", data: "aGk=" }, format: "mp3" },
    ]);
  });

  test("joins what the model said in one turn, and keeps its order", () => {
    const conversation = messages(
      { role: "user", content: "x" },
      {
        type: "reasoning",
        id: "rs_1",
        summary: [
          { type: "summary_text", text: "A" },
          { type: "summary_text", text: "B" },
        ],
        encrypted_content: "gAAA",
      },
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "I look.", annotations: [] }],
      },
      { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}", status: "completed" },
      { type: "custom_tool_call", call_id: "call_2", name: "patch", input: "*** Begin", namespace: "codex" },
      { type: "function_call_output", call_id: "call_1", output: "one" },
      {
        type: "custom_tool_call_output",
        call_id: "call_2",
        output: [
          { type: "input_text", text: "two" },
          { type: "input_image", image_url: "https://e.x/i" },
        ],
      },
    );
    expect(conversation.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "tool"]);
    expect(conversation[1]?.parts).toMatchObject([
      { type: "reasoning", text: "A\n\nB", signature: "gAAA", from: "openai-responses", id: "rs_1" },
      { type: "text", text: "I look." },
      { type: "tool-call", id: "call_1", name: "f", arguments: "{}" },
      { type: "tool-call", id: "call_2", name: "patch", namespace: "codex", arguments: "*** Begin", custom: true },
    ]);
    expect(conversation[2]?.parts).toEqual([
      { type: "tool-result", callId: "call_1", name: undefined, content: [{ type: "text", text: "one" }] },
    ]);
    expect(conversation[3]?.parts).toMatchObject([
      { type: "tool-result", callId: "call_2", content: [{ type: "text", text: "two" }, { type: "image" }] },
    ]);
  });

  test("gives the seals of other dialects back to them", () => {
    const [message] = messages(
      {
        type: "reasoning",
        id: "rs_x",
        summary: [{ type: "summary_text", text: "T" }],
        encrypted_content: sealOf({ from: "anthropic-messages", signature: "sig" }),
      },
      { type: "reasoning", id: "rs_y", summary: [], encrypted_content: sealOf({ from: "anthropic-messages", data: "dark" }) },
      { type: "reasoning", id: "rs_z", summary: [], encrypted_content: sealOf({ from: "gemini", signature: "thought", call: "call_1" }) },
      { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" },
    );
    expect(message?.parts).toMatchObject([
      { type: "reasoning", text: "T", signature: "sig", from: "anthropic-messages" },
      { type: "redacted-reasoning", data: "dark", from: "anthropic-messages" },
      { type: "tool-call", id: "call_1", signature: "thought" },
    ]);
  });

  test("has no owner for thoughts without a seal", () => {
    const [message] = messages({ type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "raw" }] });
    expect(message?.parts).toEqual([{ type: "reasoning", text: "raw" }]);
  });

  test("is told what is wrong by the place", () => {
    const wrong: [unknown, string, string][] = [
      [[{ role: "user" }], "input[0].content", "missing_required_parameter"],
      [[{ role: "tool", content: "x" }], "input[0].role", "invalid_value"],
      [[{ type: "function_call", name: "f", arguments: "{}" }], "input[0].call_id", "missing_required_parameter"],
      [[{ type: "function_call", call_id: "a", name: "f", arguments: {} }], "input[0].arguments", "invalid_type"],
      [[{ role: "user", content: [{ type: "input_image" }] }], "input[0].content[0].image_url", "missing_required_parameter"],
      [["x"], "input[0]", "invalid_type"],
      [[{}], "input[0].type", "missing_required_parameter"],
      [7, "input", "invalid_type"],
      [[], "input", "missing_required_parameter"],
      [null, "input", "missing_required_parameter"],
    ];
    for (const [input, param, code] of wrong) {
      const failure = failureOf(() => ask({ input }));
      expect([failure.param, failure.code as string]).toEqual([param, code]);
    }
  });
});

describe("what only OpenAI has", () => {
  const meanings: [object, string][] = [
    [{ previous_response_id: "resp_1" }, "previous_response_id"],
    [{ conversation: { id: "conv_1" } }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ background: true }, "background"],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input[0]"],
    [{ input: [{ id: "msg_1" }] }, "input[0]"],
    [{ input: [{ type: "compaction", encrypted_content: "x" }] }, "input[0]"],
    [{ input: [{ type: "shell_call_output", call_id: "a", output: [] }] }, "input[0]"],
    [{ input: [{ role: "user", content: [{ type: "input_video", video_url: "x" }] }] }, "input[0].content[0]"],
    [{ tool_choice: { type: "web_search_preview" } }, "tool_choice"],
    [{ tool_choice: { type: "allowed_tools", mode: "auto", tools: [] } }, "tool_choice"],
    [{ tools: [{ type: "web_search" }], max_tool_calls: 3 }, "max_tool_calls"],
    [{ text: { format: { type: "grammar" } } }, "text.format"],
    [{ max_tokens: 5 }, "max_tokens"],
  ];
  test.each(meanings)("is refused elsewhere by its name: %j", (fields, param) => {
    const { request, nameOf = (name: string) => name } = decoded(fields);
    const failure = failureOf(() => openaiChat.encodeRequest(request, ours));
    expect([failure.code as string, nameOf(failure.param ?? "")]).toEqual(["unsupported_parameter", param]);
  });

  const hints: [object, string[]][] = [
    [{ include: ["reasoning.encrypted_content"] }, []],
    [{ include: ["file_search_call.results"] }, ["include"]],
    [{ truncation: "auto" }, ["truncation"]],
    [{ truncation: "disabled", background: false, previous_response_id: null, max_tool_calls: 3 }, []],
    [
      {
        input: [
          { type: "web_search_call", id: "ws_1", status: "completed" },
          { role: "user", content: "x" },
        ],
      },
      ["input[0]:web_search_call"],
    ],
    [
      {
        input: [
          { role: "assistant", content: "x", phase: "commentary" },
          { role: "assistant", content: "y", phase: "final_answer" },
        ],
      },
      ["input.phase"],
    ],
    [{ reasoning: { effort: "low", context: "all_turns" } }, ["reasoning.context"]],
    [{ tools: [{ type: "web_search" }] }, ["tools[0]:web_search"]],
    [{ something_new: 1 }, ["something_new"]],
  ];
  test.each(hints)("is left out elsewhere and named where it is a hint: %j", (fields, names) => {
    expect([...openaiChat.encodeRequest(ask(fields), ours).ignored].sort()).toEqual(names);
  });
});

describe("the settings", () => {
  test("are read by their own names", () => {
    expect(
      ask({
        max_output_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
        include: ["message.output_text.logprobs"],
        top_logprobs: 2,
        parallel_tool_calls: false,
        user: "u",
        metadata: { a: "b" },
        service_tier: "flex",
        stream: true,
        reasoning: { effort: "high", summary: null, generate_summary: "concise" },
        text: { format: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true }, verbosity: "low" },
      }),
    ).toMatchObject({
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      logprobs: true,
      topLogprobs: 2,
      parallelToolCalls: false,
      user: "u",
      metadata: { a: "b" },
      serviceTier: "flex",
      stream: true,
      reasoning: { effort: "high", summary: "concise" },
      responseFormat: { type: "json-schema", name: "n", schema: { type: "object" }, strict: true },
      rest: { verbosity: "low" },
    });
  });

  test("may all be null", () => {
    const names = Object.keys(OPENAI_RESPONSES_FIELDS).filter((name) => !name.includes("."));
    const { rest, messages: said, model, stream, ...others } = ask(Object.fromEntries(names.map((name) => [name, null])));
    expect([model, stream, said.length]).toEqual(["m", false, 1]);
    expect(Object.values(others).filter((value) => value !== undefined)).toEqual([]);
    expect(openaiChat.encodeRequest(ask({ ...rest }), ours).ignored).toEqual([]);
  });

  test("say nothing of log probabilities where none are asked for", () => {
    expect(ask({ top_logprobs: 0 })).not.toHaveProperty("topLogprobs");
  });

  test("have tools of every kind", () => {
    const { tools, hostedTools, toolChoice } = ask({
      tools: [
        { type: "function", name: "f", description: null, parameters: { type: "object" }, strict: true },
        { type: "custom", name: "patch", description: "d", format: { type: "grammar", syntax: "lark", definition: "x" } },
        {
          type: "namespace",
          name: "mcp__files",
          description: "d",
          tools: [
            { type: "function", name: "read" },
            { type: "custom", name: "write" },
          ],
        },
        { type: "web_search" },
        { type: "one_of_tomorrow", name: "x" },
      ],
      tool_choice: { type: "custom", name: "patch" },
    });
    expect(tools).toMatchObject([
      { name: "f", parameters: { type: "object" }, strict: true },
      { name: "patch", description: "d", custom: { format: { type: "grammar" } } },
      { name: "read", namespace: "mcp__files" },
      { name: "write", namespace: "mcp__files", custom: {} },
    ]);
    expect(hostedTools).toEqual([
      { type: "web_search", at: "tools[3]" },
      { type: "one_of_tomorrow", at: "tools[4]" },
    ]);
    expect(toolChoice).toEqual({ name: "patch" });
    expect(failureOf(() => ask({ tools: [{ type: "function", function: { name: "f" } }] })).param).toBe("tools[0].name");
  });
});

describe("names for the caller", () => {
  const { nameOf = (name: string) => name } = decoded({
    instructions: "i",
    input: [
      { role: "user", content: [{ type: "input_video" }, { type: "input_image", image_url: "https://e.x/i" }] },
      { type: "reasoning", summary: [{ type: "summary_text", text: "t" }] },
      { role: "assistant", content: "x" },
      { type: "function_call", call_id: "a", name: "f", arguments: "[" },
      { type: "function_call_output", call_id: "a", output: [{ type: "input_image", image_url: "https://e.x/i" }] },
      { role: "user", content: "y" },
    ],
  });
  test.each([
    ["max_completion_tokens", "max_output_tokens"],
    ["response_format", "text.format"],
    ["reasoning_effort", "reasoning.effort"],
    ["temperature", "temperature"],
    ["messages[0].content[0]", "instructions"],
    ["messages[1].content[0].image_url", "input[0].content[1].image_url"],
    ["messages[1].content[0].image_url.url", "input[0].content[1].image_url"],
    ["messages[1].content[0].file.file_data", "input[0].content[1].file_data"],
    ["messages[2].content[1]", "input[2].content"],
    ["messages[2].tool_calls", "input[3]"],
    ["messages[3].content", "input[4].output"],
    ["messages[3].content[0].image_url", "input[4].output[0].image_url"],
    ["messages[4]", "input[5].content"],
    ["messages", "input"],
  ])("%s is %s", (param, name) => {
    expect(nameOf(param)).toBe(name);
  });
});

describe.skipIf(sharedMissing)("what clients were recorded to send", () => {
  const requests = recordings(undefined, "openai-responses").filter(({ request }) => request !== undefined);

  test("is read, whatever it is", () => {
    expect(requests.length).toBeGreaterThan(60);
    for (const { request } of requests) {
      const body = request as { input?: unknown[]; tools?: unknown[] };
      const read = openaiResponses.decodeRequest(body).request;
      expect(read.messages.length).toBeGreaterThan(0);
      expect((read.tools?.length ?? 0) + (read.hostedTools?.length ?? 0)).toBe(body.tools?.length ?? 0);
    }
  });

  test("has every field of the specification in the table", () => {
    const { schemas } = JSON.parse(readFileSync(join(SHARED, "specs/openai-relaxed.schema.json"), "utf8")).components;
    const documented = new Set<string>();
    const collect = (schema: { $ref?: string; allOf?: object[]; properties?: object }): void => {
      if (schema.$ref) collect(schemas[schema.$ref.split("/").at(-1) ?? ""]);
      for (const each of schema.allOf ?? []) collect(each);
      for (const name of Object.keys(schema.properties ?? {})) documented.add(name);
    };
    collect(schemas.CreateResponse);
    expect(documented.size).toBeGreaterThan(25);
    const readByDoor = ["model", "input", "stream", "stream_options"];
    expect([...documented].filter((name) => !(name in OPENAI_RESPONSES_FIELDS) && !readByDoor.includes(name))).toEqual([]);
  });
});

test("every neutral value of the table says nothing", () => {
  const neutral = {
    temperature: 1,
    top_p: 1,
    tool_choice: "auto",
    truncation: "disabled",
    parallel_tool_calls: true,
    n: 1,
    verbosity: "medium",
  };
  for (const [name, value] of Object.entries(neutral)) {
    const verdict = judgeField(OPENAI_RESPONSES_FIELDS, name, value, false, { unsupported: [], dropUnsupported: false });
    expect([name, verdict]).toEqual([name, "omit"]);
  }
});
