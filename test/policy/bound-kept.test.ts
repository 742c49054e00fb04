// What a caller's request holds beside text, as each door reads it: whatever is elsewhere may fill the window.
import { describe, expect, test } from "bun:test";
import { decodeAnthropicRequest } from "../../src/dialects/anthropic-messages-request";
import { decodeOpenaiChatRequest } from "../../src/dialects/openai-chat-request";
import { decodeResponsesRequest } from "../../src/dialects/openai-responses-request";
import { type InputCeiling, inputCeiling } from "../../src/policy/bound-input";

const DOORS = { chat: decodeOpenaiChatRequest, messages: decodeAnthropicRequest, responses: decodeResponsesRequest };

function read(door: keyof typeof DOORS, body: object, model = "m", provider = "p"): InputCeiling {
  const whole = { model, max_tokens: 10, ...body };
  const { request } = DOORS[door](whole);
  return inputCeiling(request, new TextEncoder().encode(JSON.stringify(whole)), model, provider);
}
const said = (part: unknown) => ({ messages: [{ role: "user", content: [part] }] });
const items = (...input: unknown[]) => ({ input: [...input, { role: "user", content: "hi" }] });
const PDF = "JVBERi0xLjcK";
const BLOCK = "messages[0].content[0]";

describe("may fill the window, because its content is elsewhere or unpacks:", () => {
  test.each<[part: object]>([
    [{ type: "document_url", document_url: "https://example.com/a.pdf" }],
    [{ type: "video_url", video_url: { url: "https://www.youtube.com/watch?v=abc" } }],
    [{ type: "file", file: { filename: "a.pdf", file_data: PDF } }],
    [{ type: "nobody_knows", text: "hi" }],
    [{ type: "input_audio", input_audio: { data: "https://example.com/long.mp3", format: "mp3" } }],
    [{ type: "input_audio", input_audio: { data: Buffer.from("fLaC....").toString("base64"), format: "wav" } }],
    [{ type: "image_url", image_url: { url: `data:application/pdf;base64,${PDF}` } }],
    [{ type: "image_url", image_url: { url: `data:image/svg+xml;base64,${PDF}` } }],
    [{ type: "image_url", image_url: { url: PDF } }],
    [{ type: "image_url", image_url: { url: "gs://bucket/film.mp4" } }],
  ])("a part of Chat Completions, %j", (part) => {
    expect(read("chat", said(part)).windowParam).toBe(BLOCK);
  });

  test.each<[block: object, path: string]>([
    [{ type: "container_upload", file_id: "file_1" }, BLOCK],
    [{ type: "document", source: { type: "other", url: "https://x/y.pdf" } }, BLOCK],
    [
      {
        type: "document",
        source: { type: "content", content: [{ type: "document", source: { type: "url", url: "https://x/y.pdf" } }] },
      },
      BLOCK,
    ],
    [
      {
        type: "web_fetch_tool_result",
        tool_use_id: "s",
        content: { type: "web_fetch_result", url: "u", content: { type: "document", source: { type: "file", file_id: "file_9" } } },
      },
      `${BLOCK}:web_fetch_tool_result`,
    ],
    [
      { type: "mcp_tool_result", tool_use_id: "m", content: [{ type: "image", source: { type: "file", file_id: "f" } }] },
      `${BLOCK}:mcp_tool_result`,
    ],
    [{ type: "image", source: { type: "base64", media_type: "video/mp4", data: PDF } }, BLOCK],
    [{ type: "image", source: { type: "file", file_id: "file_1" } }, BLOCK],
  ])("a block of Messages, %j", (block, path) => {
    expect(read("messages", said(block)).windowParam).toBe(path);
  });

  test("a block of a tool's result, and the same tool written out twice", () => {
    const result = (...content: unknown[]) => said({ type: "tool_result", tool_use_id: "t", content });
    const tool = (tool_name: string) => ({ type: "tool_reference", tool_name });
    expect(read("messages", result({ type: "container_upload", file_id: "f" })).windowParam).toBe(`${BLOCK}.content[0]`);
    expect(read("messages", result(tool("a"), tool("b"))).windowParam).toBeUndefined();
    expect(read("messages", result(tool("a"), tool("b"), tool("a"))).windowParam).toBe(`${BLOCK}.content[2]:tool_reference`);
  });

  test.each<[item: object, path: string]>([
    [{ type: "item_reference", id: "msg_123" }, "input[0]"],
    [{ id: "msg_123" }, "input[0]"],
    [{ type: "reasoning", id: "rs_123", summary: [] }, "input[0]:reasoning"],
    [{ type: "reasoning", id: "rs_123", summary: [{ type: "summary_text", text: "short" }] }, "input[0]"],
    [{ type: "computer_call_output", call_id: "c", output: { type: "computer_screenshot", file_id: "f" } }, "input[0]"],
    [{ type: "compaction", encrypted_content: "abc" }, "input[0]"],
    [{ type: "image_generation_call", id: "ig_1", status: "completed", result: null }, "input[0]:image_generation_call"],
    [{ type: "shell_call_output", call_id: "c", output: [{ file_id: "f" }] }, "input[0]"],
    [{ role: "user", content: [{ type: "input_file", filename: "a.pdf", file_data: PDF }] }, "input[0].content[0]"],
    [{ type: "function_call_output", call_id: "c", output: [{ type: "input_file", file_data: PDF }] }, "input[0].output[0]"],
  ])("an item of Responses, %j", (item, path) => {
    expect(read("responses", items(item)).windowParam).toBe(path);
  });

  test("an item that this gateway gave out, whose content is not in the body", () => {
    const { request } = decodeResponsesRequest({ model: "m", ...items({ type: "item_reference", id: "msg_1" }) }, {}, () => ({
      type: "message",
      role: "assistant",
      content: "x".repeat(1_000),
    }));
    expect(inputCeiling(request, new Uint8Array(), "m").windowParam).toBe("input[0]");
  });

  test("not a text in an image's place: it counts as a text file does, in its longest form", () => {
    const tokens = (text: string): number => {
      const url = `data:text/plain;base64,${Buffer.from(text).toString("base64")}`;
      const { textTokens, mediaTokens, windowParam } = read("chat", said({ type: "image_url", image_url: { url } }));
      expect(windowParam).toBeUndefined();
      return textTokens + mediaTokens;
    };
    expect(tokens("x ".repeat(30_000))).toBeGreaterThan(60_000);
    expect(tokens("\ufdfa".repeat(1_000))).toBeGreaterThan(33_000);
  });

  test("a thread that the provider holds", () => {
    expect(read("messages", { ...said({ type: "text", text: "hi" }), thread: { id: "thread_1" } }).windowParam).toBe("thread");
  });

  test("any address in an image's place, where the provider opens whatever is there", () => {
    const part = { type: "image_url", image_url: { url: "https://www.youtube.com/watch?v=abc" } };
    expect(read("chat", said(part), "gpt-5", "openai").windowParam).toBeUndefined();
    expect(read("chat", said(part), "gemini-2.5-pro", "gemini").windowParam).toBe(BLOCK);
    expect(read("chat", said(part), "google/gemini-2.5-pro", "openrouter").windowParam).toBe(BLOCK);
    expect(read("chat", said(part), "tuned", "gemini").windowParam).toBe(BLOCK);
  });
});

describe("counts by its bytes, because it is text:", () => {
  test.each<[item: object]>([
    [{ type: "web_search_call", id: "ws_1", status: "completed", action: { type: "open_page", url: "https://example.com" } }],
    [{ type: "local_shell_call", call_id: "c", action: { type: "exec", command: ["ls"], env: { url: "x" } } }],
    [{ type: "local_shell_call_output", id: "c", output: "a.txt" }],
    [{ type: "shell_call", call_id: "c", action: { commands: ["ls"] } }],
    [{ type: "shell_call_output", call_id: "c", output: [{ stdout: "a", stderr: "", outcome: { type: "exit", exit_code: 0 } }] }],
    [{ type: "apply_patch_call", call_id: "c", operation: { type: "delete_file", path: "a" } }],
    [{ type: "mcp_list_tools", id: "m", tools: [{ name: "t", input_schema: { properties: { url: { type: "string" } } } }] }],
    [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAAB" }],
    [{ type: "custom_tool_call", call_id: "c", name: "t", input: "x" }],
    [{ type: "tool_search_output", call_id: "c", tools: [{ type: "function", name: "f", parameters: {} }] }],
  ])("an item of Responses, %j", (item) => {
    expect(read("responses", items(item))).toMatchObject({ windowParam: undefined, hostedTools: [] });
  });

  test("what a hosted tool was asked, and a mark on a message", () => {
    const asked = { type: "server_tool_use", id: "s", name: "web_fetch", input: { url: "https://example.com" } };
    expect(read("messages", said(asked)).windowParam).toBeUndefined();
    const cited = { messages: [{ role: "user", content: "hi", annotations: [{ type: "url_citation", url: "https://x" }], mood: "good" }] };
    expect(read("chat", cited).windowParam).toBeUndefined();
    expect(read("chat", { messages: [{ role: "user", content: "hi", video_url: "https://x" }] }).windowParam).toBe("messages[0].video_url");
  });
});

test("tools that an item brings along are hosted tools of the request", () => {
  const tools = [{ type: "function", name: "f" }, { type: "web_search" }];
  const found = (item: object) => read("responses", items(item)).hostedTools.map(({ param }) => param);
  expect(found({ type: "additional_tools", role: "developer", tools })).toEqual(["input[0].tools[1]"]);
  expect(found({ type: "tool_search_output", call_id: "c", tools: [{ type: "namespace", name: "n", tools }] })).toEqual([
    "input[0].tools[0].tools[1]",
  ]);
});

test("an hour's cache mark is seen wherever it stands, however it is written", () => {
  const cache_control = { type: "ephemeral", ttl: "1h" };
  const inner = { type: "document", source: { type: "content", content: [{ type: "text", text: "hi", cache_control }] } };
  const imageOnly = { type: "document", cache_control, source: { type: "content", content: [] } };
  const empty = { type: "text", text: "", cache_control };
  for (const block of [inner, imageOnly, empty]) expect(read("messages", said(block)).mayWrite1h).toBe(true);
  const system = [{ type: "text", text: "x-anthropic-billing-header: cc", cache_control }];
  expect(read("messages", { ...said({ type: "text", text: "hi" }), system }).mayWrite1h).toBe(true);
  expect(read("messages", said({ type: "text", text: "an hour is 1h" })).mayWrite1h).toBe(false);
  const { request } = decodeAnthropicRequest({ model: "m", max_tokens: 1, ...said({ type: "text", text: "hi" }) });
  const escaped = new TextEncoder().encode(JSON.stringify(said(empty)).replace('"1h"', '"\\u0031\\u0068"'));
  expect(inputCeiling(request, escaped, "m").mayWrite1h).toBe(true);
});

test("a search that is switched off is no hosted tool", () => {
  const search = (mode: string) => read("chat", { ...said({ type: "text", text: "hi" }), search_parameters: { mode } }).hostedTools;
  expect(search("off")).toEqual([]);
  expect(search("auto")).toMatchObject([{ param: "search_parameters" }]);
});
