// Messages in and out: what is spliced, and that nothing else is.
import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { AnswerContext, Deviations, EncodeContext } from "../../src/dialects/dialect";
import { sealOf } from "../../src/dialects/sealed-envelope";
import { openSse } from "../../src/wire/sse";
import { allRecordings, cuts, type Recording, recording } from "../recordings/load";
import { answered, bodyText, isStream, outcome } from "./anthropic-gemini-replay";
import { readStream } from "./anthropic-messages-replay";
import { answerContext, EXTENSION, encodeContext, failureOf, text, utf8 } from "./openai-chat-replay";

const request = (json: string, changes: Partial<EncodeContext> = {}, headers: Record<string, string> = {}) => {
  const decoded = anthropicMessages.decodeRequest(JSON.parse(json), headers);
  const forwarded = anthropicMessages.forwardRequest(utf8(json), decoded, encodeContext({ model: decoded.request.model, ...changes }));
  return { ...forwarded, text: text(forwarded.bytes) };
};

const MESSAGES = '"messages":[{"role":"user","content":"hi \\u0041"}]';

describe("forwardRequest()", () => {
  test("sends the caller's bytes, with 12345678901234567890 and every space", () => {
    const json = `{ "model" : "claude",\n "max_tokens": 9, ${MESSAGES}, "x_new": 12345678901234567890, "y": 1.0 }`;
    expect(request(json)).toMatchObject({ text: json, headers: { "anthropic-version": "2023-06-01" }, ignored: [], maxOutputTokens: 9 });
    expect(request(json, { model: "claude-2" }).text).toBe(json.replace('"claude"', '"claude-2"'));
  });

  test("sends the version and the betas that the caller sent", () => {
    const sent = { "anthropic-version": "2026-10-21", "anthropic-beta": "a-2026-01-01,b" };
    expect(request(`{"model":"m","max_tokens":9,${MESSAGES}}`, {}, sent).headers).toEqual(sent);
  });

  test("keeps gateways' own fields to itself", () => {
    const json = `{"tollway":{"tag":"a"},"model":"m","max_tokens":9,${MESSAGES},"provider":{"only":["anthropic"]},"tags":["x"]}`;
    expect(request(json)).toMatchObject({ text: `{"model":"m","max_tokens":9,${MESSAGES}}`, ignored: ["tags"] });
    expect(request(`{"acme":{},"model":"m","max_tokens":9,${MESSAGES}}`, { extensionName: "acme" }).text).toBe(
      `{"model":"m","max_tokens":9,${MESSAGES}}`,
    );
  });

  test("refuses what the provider refuses, or leaves it out", () => {
    const json = `{"model":"m","max_tokens":9,${MESSAGES},"temperature":0.5,"metadata":{"user_id":"u"},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}}}`;
    expect(failureOf(() => request(json, { unsupported: ["temperature"] })).param).toBe("temperature");
    expect(failureOf(() => request(json, { unsupported: ["response_format"] })).param).toBe("output_config.format");
    expect(request(json, { unsupported: ["user"] })).toMatchObject({
      text: json.replace('{"user_id":"u"}', "{}"),
      ignored: ["metadata.user_id"],
    });
    const unsupported = ["temperature", "user", "reasoning_effort", "response_format"];
    expect(request(json, { unsupported, dropUnsupported: true })).toMatchObject({
      text: `{"model":"m","max_tokens":9,${MESSAGES},"metadata":{},"output_config":{}}`,
      ignored: ["temperature", "output_config.format", "output_config.effort", "metadata.user_id"],
    });
  });

  test("cuts out the thoughts of other providers, and no other byte", () => {
    const foreign = (of: string) =>
      `{ "type":"thinking","thinking":"x","signature":${JSON.stringify(sealOf({ from: "gemini", id: of }))} }`;
    const own = '{"type":"thinking","thinking":"mine \\u00e9","signature":"c2ln"}';
    const said = '{"type":"text","text":"tw1. is no seal here"}';
    const sealed = `{"type":"redacted_thinking","data":"${sealOf({ from: "openai-responses", data: "x" })}"}`;
    const body = (...contents: string[]) =>
      `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"},\n${contents.map((content) => `{"role":"assistant","content":[${content}]}`).join(", ")} ]}`;
    const cases: readonly (readonly [string, string])[] = [
      [body(`${foreign("a")}, ${own}, ${said}`), body(`${own}, ${said}`)],
      [body(`${own} , ${foreign("b")},${said}`), body(`${own} , ${said}`)],
      [body(`${said},${foreign("c")} , ${sealed}`), body(said)],
      [body(`${own}`, `${foreign("d")},${sealed}`), body(own)],
      [body(`${foreign("e")}`, said), body(said)],
    ];
    for (const [sent, expected] of cases) {
      const forwarded = request(sent);
      expect(forwarded.ignored).toEqual(["messages.thinking"]);
      expect(JSON.parse(forwarded.text)).toEqual(JSON.parse(expected));
      expect(forwarded.text.replace(/\s/g, "")).toBe(expected.replace(/\s/g, ""));
    }
    const none = body(`${own}, ${said}`);
    expect(request(none)).toMatchObject({ text: none, ignored: [] });
  });
});

const answers = (stream: boolean): readonly Recording[] =>
  allRecordings("anthropic", "anthropic-messages").filter(
    (each) => each.status === 200 && isStream(each) === stream && Array.isArray(outcome(() => answered(anthropicMessages, each))),
  );

describe("forwardResponse()", () => {
  test("changes model, usage.cost and our object, and no other byte", () => {
    const { body } = recording("own/anthropic.messages.thinking");
    const { context, asked } = answerContext();
    const forwarded = anthropicMessages.forwardResponse(body, context);
    const expected = text(body)
      .replace('"claude-sonnet-4-5-20250929"', '"the-model-asked-for"')
      .replace(/("service_tier": "priority")/, '$1,"cost":0.0015')
      .replace(/\n\}\s*$/, (end) => `,"tollway":${JSON.stringify(EXTENSION)}${end}`);
    expect(text(forwarded.bytes)).toBe(expected);
    expect(text(forwarded.bytes)).toContain("12345678901234567890");
    expect(asked).toEqual([expect.objectContaining({ inputTokens: 51, outputTokens: 88 })]);
  });

  test("adds our count where the provider told no usage", () => {
    const body = '{"type":"message","model":"m","content":[],"stop_reason":"end_turn"}';
    const { context } = answerContext({}, { countedUsage: { inputTokens: 3, outputTokens: 1 }, extension: undefined });
    const answer = JSON.parse(text(anthropicMessages.forwardResponse(utf8(body), context).bytes));
    expect(answer).toMatchObject({ model: "the-model-asked-for", usage: { output_tokens: 1, cost: 0.0015 } });
  });

  test("refuses what is not an answer", () => {
    const { context } = answerContext();
    for (const body of ["", "<html>", "[]", '{"type":"error","error":{"message":"x"}}', '{"type":"message","content":[]}'])
      expect(failureOf(() => anthropicMessages.forwardResponse(utf8(body), context)).code).toBe("upstream_error");
  });

  for (const each of answers(false)) {
    test(`says the same but for the three splices: ${each.id}`, () => {
      const { context } = answerContext();
      const out = anthropicMessages.forwardResponse(each.body, context);
      const said = JSON.parse(bodyText(each));
      expect(JSON.parse(text(out.bytes))).toEqual({
        ...said,
        model: context.model,
        usage: { ...said.usage, cost: 0.0015 },
        tollway: EXTENSION,
      });
      expect(out.events).toEqual(answered(anthropicMessages, each));
    });
  }
});

function forward(
  pieces: readonly Uint8Array[],
  context: AnswerContext,
  deviations: Deviations = {},
): { text: string; events: ChatEvent[] } {
  const framer = openSse({ maxFrameBytes: 1 << 20 });
  const forwarder = anthropicMessages.openForwarder(context, deviations);
  const out: Uint8Array[] = [];
  const events: ChatEvent[] = [];
  const take = (step: { bytes: readonly Uint8Array[]; events: readonly ChatEvent[] }): void => {
    out.push(...step.bytes);
    events.push(...step.events);
  };
  for (const piece of pieces) for (const frame of framer.push(piece)) take(forwarder.push(frame));
  for (const frame of framer.end()) take(forwarder.push(frame));
  take(forwarder.end());
  return { text: text(Buffer.concat(out)), events };
}

const frames = (stream: string): string[] => stream.split(/(?<=\r?\n\r?\n)/);
const dataOf = (frame: string): string => /^data: ?(.*?) *\r?$/m.exec(frame)?.[1] ?? "";

describe("openForwarder()", () => {
  for (const each of answers(true)) {
    test(`changes two frames, wherever the bytes are cut: ${each.id}`, async () => {
      const { context, asked } = answerContext();
      const { text: out, events } = forward([each.body], context);
      expect(asked.length).toBe(1);
      expect(events).toEqual(answered(anthropicMessages, each));
      const before = frames(bodyText(each));
      const after = frames(out);
      expect(after.length).toBe(before.length);
      for (const [index, frame] of before.entries()) {
        const passed = after[index] ?? "";
        if (frame === passed) continue;
        const [was, is] = [JSON.parse(dataOf(frame)), JSON.parse(dataOf(passed))];
        if (was.type === "message_start") expect(is).toEqual({ ...was, message: { ...was.message, model: context.model } });
        else expect(is).toEqual({ ...was, usage: { ...was.usage, cost: 0.0015 }, tollway: EXTENSION });
        expect(["message_start", "message_delta"]).toContain(was.type);
        expect(passed.replace(dataOf(passed), "")).toBe(frame.replace(dataOf(frame), ""));
      }
      expect(after.filter((frame) => frame.includes('"tollway"')).length).toBe(1);
      expect((await readStream(out)).model).toBe(context.model);
      for (const cut of cuts(each.body))
        if (forward([each.body.subarray(0, cut), each.body.subarray(cut)], answerContext().context).text !== out)
          throw new Error(`Cut at ${cut} it reads otherwise`);
    });
  }

  test("breaks where the provider does, and says so in the dialect's words", () => {
    const { body } = recording("own/anthropic.messages.text-stream");
    const { context } = answerContext();
    for (const cut of cuts(body).filter((at) => at < body.length - 2)) {
      const { code } = failureOf(() => forward([body.subarray(0, cut)], context));
      expect(["stream_truncated", "upstream_error"]).toContain(code);
    }
    const forwarder = anthropicMessages.openForwarder(context, {});
    const said = forwarder.fail({ status: 504, message: "Late.", type: "server_error", param: null, code: "c", facts: {} });
    expect(said).toStartWith('event: error\ndata: {"type":"error","error":{"type":"timeout_error","message":"Late."}');
  });

  test("writes the last event for a provider that ends with its connection", () => {
    const { body } = recording("own/anthropic.messages.text-stream");
    const unended = utf8(text(body).slice(0, text(body).indexOf("event: message_stop")));
    const { context } = answerContext();
    const { text: out } = forward([unended], context, { terminator: "eof" });
    expect(out).toEndWith('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    expect(out).toContain('"tollway"');
  });
});
