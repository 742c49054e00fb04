import { describe, expect, test } from "bun:test";
import { allRecordings, cuts, ownRecordings, recording, recordings, seeded, sharedMissing } from "./load";

describe("cuts()", () => {
  test("are at every byte of a short stream", () => {
    expect(cuts(new Uint8Array(3))).toEqual([0, 1, 2, 3]);
    expect(cuts(new Uint8Array(8192)).length).toBe(8193);
  });

  test("are around every frame boundary and at 200 seeded places of a long one, the same every time", () => {
    const bytes = new TextEncoder().encode(`data: ${"x".repeat(20_000)}\n\ndata: ${"y".repeat(20_000)}\r\n\r\n`);
    const places = cuts(bytes);
    const boundary = 20_008;
    for (let i = boundary - 64; i <= boundary + 64; i++) expect(places).toContain(i);
    expect(places.length).toBeGreaterThan(129 + 65 + 150);
    expect([places[0], places.at(-1)]).toEqual([0, bytes.length]);
    expect(cuts(bytes)).toEqual(places);
  });
});

test("seeded() gives the same numbers for the same seed, in [0, 1)", () => {
  const [a, b] = [seeded(7), seeded(7)];
  for (let i = 0; i < 100; i++) {
    const value = a();
    expect(value).toBe(b());
    expect(value >= 0 && value < 1).toBe(true);
  }
});

describe("our own set", () => {
  test("has exchanges of each dialect, whose bodies are read on demand", () => {
    for (const provider of ["openai", "anthropic", "gemini"]) {
      const found = ownRecordings(provider);
      expect(found.length).toBeGreaterThan(3);
      for (const each of found) expect(each.body.length).toBeGreaterThan(0);
    }
    expect(recording("own/openai/chat.text.1").status).toBe(200);
    expect(() => recording("own/openai/none")).toThrow("none");
  });

  test("has an id for each exchange", () => {
    const ids = allRecordings().map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test.skipIf(sharedMissing)("the shared pack holds 439 exchanges, 40 of them OpenAI's chat", () => {
  expect(recordings().length).toBe(439);
  expect(recordings("openai", "openai-chat").length).toBe(40);
});
