// Chat Completions as some providers stream it: reasons to finish in the middle, names of calls in pieces or late. Read against what the
// bytes say, not against another reading of ours.
import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { DoorDialect } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { recording, sharedMissing } from "../recordings/load";
import { answerContext, text, utf8 } from "./openai-chat-replay";

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const stream = (...chunks: string[]): string => `${chunks.join("")}data: [DONE]\n\n`;

function read(bytes: string): ChatEvent[] {
  const framer = openaiChat.openFramer("text/event-stream");
  const decoder = openaiChat.openStream({});
  if (!framer) throw new Error("no framer");
  const frames = [...framer.push(utf8(bytes)), ...framer.end()];
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

function written(events: readonly ChatEvent[], dialect: DoorDialect): string {
  const { context } = answerContext();
  const encoder = dialect.openEncoder(context);
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
}

const call = (index: number, id: string | undefined, name: string | undefined, args: string): object => ({
  tool_calls: [
    {
      index,
      ...(id === undefined ? {} : { id, type: "function" }),
      function: { ...(name === undefined ? {} : { name }), arguments: args },
    },
  ],
});

describe("what comes after a finish reason", () => {
  const both = stream(chunk(call(0, "a", "one", "{}"), "tool_calls"), chunk(call(1, "b", "two", '{"x":1}'), "tool_calls"));

  test("is part of the answer, whole and streamed, at every door", () => {
    const events = read(both);
    expect(events.filter(({ type }) => type === "tool-call")).toMatchObject([{ name: "one" }, { name: "two" }]);
    for (const dialect of [openaiChat, openaiResponses, anthropicMessages]) {
      const said = written(events, dialect);
      for (const name of ["one", "two"]) expect(said).toContain(`"name":"${name}"`);
      const whole = dialect.encodeResponse(events, answerContext().context);
      for (const name of ["one", "two"]) expect(whole).toContain(`"name":"${name}"`);
    }
    expect(written(events, openaiChat).match(/"finish_reason":"/g)).toHaveLength(1);
    expect(written(events, anthropicMessages).match(/message_delta"/g)).toHaveLength(1);
  });

  test("may be text; the last reason counts", () => {
    const events = read(stream(chunk({ content: "Hello" }, "stop"), chunk({ content: " world" }, "length")));
    expect(JSON.parse(openaiChat.encodeResponse(events, answerContext().context)).choices).toMatchObject([
      { message: { content: "Hello world" }, finish_reason: "length" },
    ]);
    expect(written(events, openaiChat)).toEndWith("data: [DONE]\n\n");
    expect(written(events, openaiResponses)).toContain("response.incomplete");
    expect(JSON.parse(anthropicMessages.encodeResponse(events, answerContext().context)).stop_reason).toBe("max_tokens");
  });

  test.skipIf(sharedMissing)("is in a recorded stream of Together's, and nothing of it is lost", () => {
    const bytes = text(recording("together/chat.parallel-tool-calls-stream.1").body);
    const named = [...bytes.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(1);
    expect(read(bytes).flatMap((event) => (event.type === "tool-call" ? [event.name] : []))).toEqual(named as string[]);
  });
});

describe("the name of a call", () => {
  const nameOf = (bytes: string): unknown[] => read(bytes).filter(({ type }) => type === "tool-call" || type === "tool-arguments");

  for (const { how, deltas, name = "f" } of [
    { how: "late", deltas: [call(0, "a", undefined, ""), call(0, undefined, "f", ""), call(0, undefined, undefined, "{}")] },
    {
      how: "in pieces",
      deltas: [call(0, "a", "get_", ""), call(0, undefined, "f", ""), call(0, undefined, undefined, "{}")],
      name: "get_f",
    },
    { how: "again with each piece", deltas: [call(0, "a", "f", ""), call(0, undefined, "f", "{"), call(0, undefined, "f", "}")] },
    { how: "before its id", deltas: [call(0, undefined, "f", ""), call(0, "a", undefined, "{}")] },
  ]) {
    test(`that comes ${how} is told whole, once`, () => {
      const events = nameOf(stream(...deltas.map((delta) => chunk(delta)), chunk({}, "tool_calls")));
      expect(events[0]).toMatchObject({ type: "tool-call", id: "a", name });
      expect(
        events
          .slice(1)
          .map((event) => (event as { text: string }).text)
          .join(""),
      ).toBe("{}");
    });
  }

  test("of a call without arguments is told at the end", () => {
    expect(nameOf(stream(chunk(call(0, "a", "f", "")), chunk({}, "tool_calls")))).toMatchObject([{ type: "tool-call", name: "f" }]);
  });
});
