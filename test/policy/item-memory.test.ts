import { describe, expect, test } from "bun:test";
import { ItemMemory } from "../../src/policy/item-memory";

describe("items of answers", () => {
  test("are found by the key that was answered them, and by no other", () => {
    const memory = new ItemMemory({ elapsedMs: () => 0 });
    memory.keep("key_a", "msg_1", { text: "hello" });
    expect(memory.find("key_a", "msg_1")).toEqual({ text: "hello" });
    expect(memory.find("key_b", "msg_1")).toBeUndefined();
    expect(memory.find("key_a", "msg_2")).toBeUndefined();
  });

  test("are forgotten after their time", () => {
    let now = 0;
    const memory = new ItemMemory({ elapsedMs: () => now }, { bytes: 1_000, ms: 100 });
    memory.keep("k", "a", 1);
    now = 99;
    expect(memory.find("k", "a")).toBe(1);
    now = 100;
    expect(memory.find("k", "a")).toBeUndefined();
    memory.keep("k", "b", 2);
    now = 150;
    expect(memory.find("k", "b")).toBe(2);
  });

  test("never take more than their bytes: the oldest goes first, and what is larger is not kept", () => {
    const memory = new ItemMemory({ elapsedMs: () => 0 }, { bytes: 100, ms: 100 });
    const item = (letter: string): string => letter.repeat(38); // 40 bytes of JSON
    memory.keep("k", "a", item("a"));
    memory.keep("k", "b", item("b"));
    memory.keep("k", "a", item("A"));
    memory.keep("k", "c", item("c"));
    expect([memory.find("k", "a"), memory.find("k", "b"), memory.find("k", "c")]).toEqual([item("A"), undefined, item("c")]);
    memory.keep("k", "huge", "x".repeat(200));
    expect(memory.find("k", "huge")).toBeUndefined();
    expect(memory.find("k", "c")).toBe(item("c"));
  });
});
