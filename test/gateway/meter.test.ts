// When the usage that a provider told is its last word.
import { expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { Meter } from "../../src/gateway/meter";

const said = (choice = 0): ChatEvent => ({ type: "text", choice, text: "Hel" });
const usage: ChatEvent = { type: "usage", usage: { inputTokens: 10, outputTokens: 0 } };
const finish = (choice = 0): ChatEvent => ({ type: "finish", choice, reason: "stop", raw: "stop" });

/** How an answer ends that broke after these frames. */
function endingAfter(...frames: readonly ChatEvent[][]): string {
  const meter = new Meter();
  for (const frame of frames) meter.see(frame);
  meter.ending = "broken";
  return meter.ending;
}

test("usage is the last word with the answer's end or after it, and not before", () => {
  expect(endingAfter([said(), usage])).toBe("cut");
  expect(endingAfter([said(), usage], [finish()])).toBe("cut");
  expect(endingAfter([said()], [finish()], [usage])).toBe("broken");
  expect(endingAfter([said()], [usage, finish()])).toBe("broken");
  expect(endingAfter([said(0), said(1)], [finish(0), usage])).toBe("cut");
  expect(endingAfter([said(0), said(1)], [finish(0)], [finish(1), usage])).toBe("broken");
});

test("where no usage was told, and in a whole answer, there is no last word to miss", () => {
  expect(endingAfter([said()])).toBe("broken");
  const meter = new Meter();
  meter.seeWhole([said(), usage, finish()]);
  meter.ending = "broken";
  expect(meter.ending).toBe("broken");
});
