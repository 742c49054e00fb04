import { describe, expect, test } from "bun:test";
import { WaitingLines } from "../../src/policy/waiting";

const lines = (most?: number) => {
  const waiting = new WaitingLines(most);
  const came: string[] = [];
  let left = 0;
  const join = (name: string, needs: number, { line = "bdg_1", sinceMs = 0, organizationId = "default" } = {}) =>
    waiting.join({ organizationId, line, sinceMs, ready: () => needs <= left, come: () => void came.push(name) });
  return {
    waiting,
    came,
    join,
    free(amount: number, now = 0) {
      left = amount;
      waiting.freed("default", now);
    },
  };
};

describe("calls that wait for money", () => {
  test("come in the order in which they came, one of each line at a time", () => {
    const { join, came, free } = lines();
    join("second", 1, { sinceMs: 20 });
    join("first", 1, { sinceMs: 10 });
    join("of another budget", 1, { line: "bdg_2", sinceMs: 30 });
    join("of another organization", 1, { line: "bdg_3", organizationId: "org_2" });
    free(1);
    expect(came).toEqual(["first", "of another budget"]);
    free(1);
    free(1);
    expect(came).toEqual(["first", "of another budget", "second"]);
  });

  test("are overtaken by who needs less, but not after twenty seconds", () => {
    const { waiting, join, came, free } = lines();
    join("dear", 10);
    join("cheap", 1, { sinceMs: 1 });
    join("cheap too", 1, { sinceMs: 2 });
    free(5, 19_999);
    expect([came, waiting.blocked("bdg_1", 19_999)]).toEqual([["cheap"], false]);
    free(5, 20_000);
    expect([came, waiting.blocked("bdg_1", 20_000)]).toEqual([["cheap"], true]);
    free(10, 20_000);
    free(10, 20_000);
    expect(came).toEqual(["cheap", "dear", "cheap too"]);
  });

  test("leave when they are told to, once; and no more than so many wait", () => {
    const { waiting, join, came, free } = lines(2);
    const leave = join("a", 1);
    join("b", 1);
    expect(join("c", 1)).toBeUndefined();
    leave?.();
    leave?.();
    expect(join("d", 1)).toBeDefined();
    expect(join("e", 1)).toBeUndefined();
    free(1);
    free(1);
    free(1);
    expect([came, waiting.blocked("bdg_1", 60_000)]).toEqual([["b", "d"], false]);
  });
});
