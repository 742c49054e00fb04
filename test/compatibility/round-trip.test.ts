// Nothing is lost in translation: what a provider answered, written in each door's dialect and read again, says the same. What a
// dialect has no place for is in LOSSES, each with its rule, and nothing else may differ.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChatEvent } from "../../src/core/chat";
import { Failure } from "../../src/core/failure";
import type { Door } from "../../src/gateway/door";
import { allRecordings } from "../recordings/load";
import { anAnswer } from "./answers";
import { comparable, factsOf } from "./facts";
import { LOSSES, lossesOf } from "./losses";
import { CHAT_FORMATS, DOORS, readAnswer, rowOf, writeAnswer } from "./matrix";

const whole = (events: readonly ChatEvent[], door: Door): readonly ChatEvent[] =>
  door.dialect.decodeResponse(writeAnswer(events, door, "whole"));

function streamed(events: readonly ChatEvent[], door: Door): readonly ChatEvent[] {
  const { dialect } = door;
  const text = writeAnswer(events, door, "streamed");
  const framer = dialect.openFramer("text/event-stream");
  const decoder = dialect.openStream({});
  if (!framer) throw new Error(`${dialect.name} has no streams`);
  const frames = [...framer.push(new TextEncoder().encode(text)), ...framer.end()];
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

const ways = DOORS.flatMap((door) => [
  { door, way: "whole", through: (events: readonly ChatEvent[]) => whole(events, door) },
  { door, way: "streamed", through: (events: readonly ChatEvent[]) => streamed(events, door) },
]);

function expectNothingLost(events: readonly ChatEvent[], { door, through }: (typeof ways)[number]): void {
  const expected = factsOf(events);
  for (const loss of lossesOf(door.name)) loss.apply(expected);
  const got = factsOf(through(events));
  for (const loss of lossesOf(door.name)) loss.apply(got);
  expect(comparable(got)).toEqual(comparable(expected));
}

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
    expect(read).toBeGreaterThan(answers.length * 0.8);
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
