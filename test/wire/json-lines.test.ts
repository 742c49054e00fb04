import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure } from "../../src/core/failure";
import type { Frame } from "../../src/wire/frame";
import { openJsonLines } from "../../src/wire/json-lines";
import { allRecordings } from "../recordings/load";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function frames(pieces: readonly Uint8Array[], maxFrameBytes = 1024 * 1024): Frame[] {
  const framer = openJsonLines({ maxFrameBytes });
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
}

const values = (found: readonly Frame[]): unknown[] => found.flatMap(({ data }) => (data === undefined ? [] : [JSON.parse(data)]));

describe("openJsonLines()", () => {
  test("gives each line as soon as its end is there, wherever the bytes are cut", () => {
    const text = '{"a":"é𝄞\\n"}\r\n\n  {"b":[1]}  \n7\n';
    const bytes = utf8(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = frames([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(found.map(({ data }) => data)).toEqual(['{"a":"é𝄞\\n"}', undefined, '{"b":[1]}', "7"]);
      expect(Buffer.concat(found.map(({ raw }) => raw)).toString()).toBe(text);
    }
    expect(openJsonLines({ maxFrameBytes: 100 }).push(utf8('{"a":1}\n')).length).toBe(1);
  });

  test("gives back any values, whole and byte by byte", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (list) => {
        const bytes = utf8(list.map((value) => `${JSON.stringify(value)}\n`).join(""));
        const expected = JSON.parse(JSON.stringify(list));
        expect(values(frames([bytes]))).toEqual(expected);
        expect(values(frames(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test("takes a last line without its end, and drops one that was cut off", () => {
    expect(values(frames([utf8('{"a":1}\n{"b":{"c":2}}')]))).toEqual([{ a: 1 }, { b: { c: 2 } }]);
    expect(values(frames([utf8('{"a":1}\n{"b":{"c":2}')]))).toEqual([{ a: 1 }]);
  });

  test("fails at the cap, after the lines before it", () => {
    const long = utf8(`{"a":"${"x".repeat(100)}"}\n`);
    expect(() => frames([long], 50)).toThrow("more than 50 bytes");
    expect(() => frames([long.subarray(0, 60)], 50)).toThrow(Failure);
    const framer = openJsonLines({ maxFrameBytes: 50 });
    expect(framer.push(new Uint8Array([...utf8("{}\n"), ...long])).length).toBe(1);
    expect(() => framer.end()).toThrow("more than 50 bytes");
  });

  for (const { id, body, bodyFile } of allRecordings("ollama")) {
    if (!bodyFile.endsWith(".ndjson")) continue;
    test(`${id} is the same lines whole and byte by byte`, () => {
      const whole = frames([body]);
      expect(frames(Array.from(body, (_, i) => body.subarray(i, i + 1)))).toEqual(whole);
      expect(Buffer.concat(whole.map(({ raw }) => raw)).equals(body)).toBe(true);
    });
  }
});
