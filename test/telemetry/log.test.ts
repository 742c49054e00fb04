import { describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret";
import { LEVELS, type Level, type LineLog, openLog } from "../../src/telemetry/log";
import { ManualClock } from "../contract/manual-clock";

interface Kept {
  log: LineLog;
  clock: ManualClock;
  /** One for each write. */
  writes: string[];
  lines(): Record<string, unknown>[];
}

function open(level: Level): Kept {
  const writes: string[] = [];
  const clock = new ManualClock(Date.UTC(2026, 10, 23));
  const log = openLog(level, clock, (lines) => writes.push(lines));
  const lines = () =>
    writes
      .join("")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, clock, writes, lines };
}

describe("the log", () => {
  test("is one line of JSON for each event: time, level, event, facts", () => {
    const { log, writes } = open("info");
    log.write("info", "attempt", { request_id: "r", status: 200, error: undefined });
    log.flush();
    expect(writes).toEqual(['{"time":"2026-11-23T00:00:00.000Z","level":"info","event":"attempt","request_id":"r","status":200}\n']);
  });

  test.each(LEVELS.map((level) => [level] as const))("at level %s says nothing of less", (level) => {
    const { log, lines } = open(level);
    for (const one of ["debug", "info", "warn", "error"] as const) log.write(one, "e", {});
    log.flush();
    expect(lines().map((line) => line["level"])).toEqual(LEVELS.slice(LEVELS.indexOf(level)).filter((one) => one !== "silent"));
  });

  test("gathers lines for a moment, and loses none", async () => {
    const { log, clock, writes, lines } = open("info");
    for (let n = 0; n < 100; n++) log.write("info", "e", { n });
    expect(writes).toEqual([]);
    await clock.advance(1_000);
    expect(writes).toHaveLength(1);
    log.write("info", "e", { n: 100 });
    await clock.advance(1_000);
    expect(lines().map((line) => line["n"])).toEqual(Array.from({ length: 101 }, (_, n) => n));
  });

  test("does not let an error wait, nor what came before it", () => {
    const { log, lines } = open("info");
    log.write("info", "first", {});
    log.write("error", "second", {});
    expect(lines().map((line) => line["event"])).toEqual(["first", "second"]);
  });

  test("flush() writes what waits, once", async () => {
    const { log, clock, writes } = open("info");
    log.write("info", "e", {});
    log.flush();
    log.flush();
    await clock.advance(1_000);
    expect(writes).toHaveLength(1);
  });

  test("keeps a line a line, whatever a fact holds", () => {
    const { log, lines, writes } = open("info");
    log.write("info", "e", { text: 'a\nb\r\n"c"\u2028\u0000' });
    log.flush();
    expect(writes.join("").match(/\n/g)).toHaveLength(1);
    expect(lines()[0]?.["text"]).toBe('a\nb\r\n"c"\u2028\u0000');
  });

  test("shows no secret", () => {
    const { log, writes } = open("debug");
    log.write("debug", "e", { key: new Secret("sk-canary"), deep: { list: [new Secret("sk-canary")] } });
    log.flush();
    expect(writes.join("")).not.toContain("canary");
    expect(writes.join("")).toContain("[secret]");
  });
});
