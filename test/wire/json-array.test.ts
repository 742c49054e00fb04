import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure } from "../../src/core/failure";
import type { Frame } from "../../src/wire/frame";
import { openJsonArray } from "../../src/wire/json-array";
import { recordings, sharedMissing } from "../recordings/load";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function frames(pieces: readonly Uint8Array[], maxFrameBytes = 1024 * 1024): Frame[] {
  const framer = openJsonArray({ maxFrameBytes });
  return [...pieces.flatMap((piece) => framer.push(piece)), ...framer.end()];
}

const elements = (found: readonly Frame[]): unknown[] => found.flatMap(({ data }) => (data === undefined ? [] : [JSON.parse(data)]));

describe("openJsonArray()", () => {
  test("gives each element as soon as its last byte is there, wherever the bytes are cut", () => {
    const text = '[{"a":"}]\\"[{","b":[{"c":1}]}\n,\r\n{"d":"é𝄞"} ,{}\n]\n';
    const bytes = utf8(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = frames([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(found.map((frame) => frame.data)).toEqual(['{"a":"}]\\"[{","b":[{"c":1}]}', '{"d":"é𝄞"}', "{}", undefined, undefined]);
      expect(Buffer.concat(found.map((frame) => frame.raw)).toString()).toBe(text);
    }
    expect(openJsonArray({ maxFrameBytes: 100 }).push(utf8('[{"a":1}')).length).toBe(1);
  });

  test("gives back any array of objects, whole and byte by byte", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(object), fc.boolean(), (values, pretty) => {
        const bytes = utf8(JSON.stringify(values, null, pretty ? 2 : 0));
        const expected = JSON.parse(JSON.stringify(values));
        expect(elements(frames([bytes]))).toEqual(expected);
        expect(elements(frames(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test("takes a lone object, drops an unfinished element and refuses the rest", () => {
    expect(elements(frames([utf8('{"error":{"code":503}}\n')]))).toEqual([{ error: { code: 503 } }]);
    expect(elements(frames([utf8('[{"a":1},{"b":')]))).toEqual([{ a: 1 }]);
    for (const garbage of ["<html>", "data: {}", "[1]", '["a"]', "{} {}", "[]x"]) {
      const framer = openJsonArray({ maxFrameBytes: 100 });
      expect(() => {
        framer.push(utf8(garbage));
        framer.end();
      }).toThrow(Failure);
    }
  });

  test("fails at the cap", () => {
    expect(() => frames([utf8(`[{"a":"${"x".repeat(100)}`)], 50)).toThrow("more than 50 bytes");
    expect(() => frames([utf8(`[{"a":"${"x".repeat(100)}"}]`)], 50)).toThrow("more than 50 bytes");
  });

  test.skipIf(sharedMissing)("reads the recorded stream that is one array", () => {
    const found = recordings("gemini", "gemini").filter((recording) => recording.id.includes("json-array-stream"));
    expect(found.length).toBe(1);
    for (const { body } of found) {
      const expected = JSON.parse(new TextDecoder().decode(body));
      expect(elements(frames([body]))).toEqual(expected);
      expect(elements(frames(Array.from(body, (_, i) => body.subarray(i, i + 1))))).toEqual(expected);
    }
  });
});
