import { describe, expect, test } from "bun:test";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import { openaiChat } from "../../src/dialects/openai-chat";
import { parseRequestJson } from "../../src/dialects/request-json";
import { encodeContext } from "./openai-chat-replay";

describe("a caller's body", () => {
  test("keeps the digits of what is passed on, and computes with the rest", () => {
    const text = '{"temperature":1.0,"max_tokens":12345678901234567890,"tools":[{"parameters":{"maximum":12345678901234567890,"n":1.0}}]}';
    const json = parseRequestJson(text) as { temperature: number; max_tokens: number };
    expect(json.temperature).toBe(1);
    expect(json.max_tokens).toBe(12345678901234567000);
    expect(JSON.stringify(json)).toContain('{"maximum":12345678901234567890,"n":1.0}');
  });

  test("is a plain value where nothing would change", () => {
    for (const text of ['{"input":{"a":1}}', '{"input":[1.0]}', '{"schema":{"a":0.5,"b":-3}}', '{"input":{"a":"1.0"}}'])
      expect(parseRequestJson(text)).toEqual(JSON.parse(text));
    expect(() => parseRequestJson("{")).toThrow(SyntaxError);
  });

  test("in Messages reaches Chat Completions digit by digit, and back", () => {
    const body = parseRequestJson(
      '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"x":12345678901234567890,"y":1.0}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"x":{"maximum":1e400,"minimum":1.50}}}}]}',
    );
    const { request } = anthropicMessages.decodeRequest(body);
    const { body: sent } = openaiChat.encodeRequest(request, encodeContext({ caller: anthropicMessages }));
    expect(sent).toContain(JSON.stringify('{"x":12345678901234567890,"y":1.0}'));
    expect(sent).toContain('{"maximum":1e400,"minimum":1.50}');
    const chat = openaiChat.decodeRequest(parseRequestJson(sent)).request;
    const { body: back } = anthropicMessages.encodeRequest(chat, encodeContext());
    expect(back).toContain('"input":{"x":12345678901234567890,"y":1.0}');
    expect(back).toContain('{"maximum":1e400,"minimum":1.50}');
  });
});
