// Nothing is lost in translation: what a provider answered, written in each door's dialect and read again, says the same. What a
// dialect has no place for is in LOSSES, each with its rule, and nothing else may differ.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChatEvent } from "../../src/core/chat";
import { Failure } from "../../src/core/failure";
import type { AnswerContext, DoorDialect } from "../../src/dialects/dialect";
import { allRecordings } from "../recordings/load";
import { anAnswer } from "./answers";
import { comparable, factsOf } from "./facts";
import { LOSSES, lossesOf } from "./losses";
import { DOORS, readAnswer, rowOf } from "./matrix";

const context: AnswerContext = {
  model: "asked-for",
  extensionName: "tollway",
  requestId: "01890000-0000-7000-8000-000000000000",
  request: { model: "asked-for", messages: [], stream: false, rest: {} },
  asked: { model: "asked-for" },
  createdAt: 1_790_000_000,
  includeUsage: true,
  stamp: (usage) => ({ costUsd: usage?.reportedCost, extension: undefined }),
};

const whole = (events: readonly ChatEvent[], dialect: DoorDialect): readonly ChatEvent[] =>
  dialect.decodeResponse(dialect.encodeResponse(events, context));

function streamed(events: readonly ChatEvent[], dialect: DoorDialect): readonly ChatEvent[] {
  const encoder = dialect.openEncoder(context);
  const text = events.map((event) => encoder.push(event)).join("") + encoder.end();
  const framer = dialect.openFramer("text/event-stream");
  const decoder = dialect.openStream({});
  if (!framer) throw new Error(`${dialect.name} has no streams`);
  const frames = [...framer.push(new TextEncoder().encode(text)), ...framer.end()];
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

const ways = DOORS.flatMap((door) => [
  { door, way: "whole", through: (events: readonly ChatEvent[]) => whole(events, door.dialect) },
  { door, way: "streamed", through: (events: readonly ChatEvent[]) => streamed(events, door.dialect) },
]);

function expectNothingLost(events: readonly ChatEvent[], { door, through }: (typeof ways)[number]): void {
  const expected = factsOf(events);
  for (const loss of lossesOf(door.name)) loss.apply(expected);
  const got = factsOf(through(events));
  for (const loss of lossesOf(door.name)) loss.apply(got);
  expect(comparable(got)).toEqual(comparable(expected));
}

const CHAT_FORMATS = [
  "openai-chat",
  "gemini-openai-compat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "cohere-v2-chat",
  "ollama-chat",
];
const answers = CHAT_FORMATS.flatMap((format) => allRecordings(undefined, format)).filter((one) => one.status < 400);

describe.each(ways)("$door.name, $way", (way) => {
  test("every recorded answer comes through", () => {
    let read = 0;
    for (const one of answers) {
      let events: readonly ChatEvent[];
      try {
        events = readAnswer(one, rowOf(one));
      } catch (thrown) {
        if (thrown instanceof Failure) continue; // An answer that is a failure is told as one: test/dialects.
        throw thrown;
      }
      read++;
      try {
        expectNothingLost(events, way);
      } catch (cause) {
        throw new Error(one.id, { cause });
      }
    }
    expect(read).toBeGreaterThan(answers.length * 0.9);
  });

  test("every answer that could be comes through", () => {
    fc.assert(
      fc.property(anAnswer, (events) => expectNothingLost(events, way)),
      { numRuns: 300 },
    );
  });
});

describe("what has no place", () => {
  test("is named once each, with its rule and doors that exist", () => {
    expect(new Set(LOSSES.map(({ fact }) => fact)).size).toBe(LOSSES.length);
    for (const { rule, doors } of LOSSES) {
      expect(rule.length).toBeGreaterThan(10);
      for (const door of doors) expect(DOORS.map(({ name }) => name as string)).toContain(door);
    }
  });
});
