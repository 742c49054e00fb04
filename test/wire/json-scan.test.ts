import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Failure } from "../../src/core/failure";
import { scanJson } from "../../src/wire/json-scan";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const scan = (text: string) => scanJson(utf8(text), { maxDepth: 64 });

function refusal(text: string): Failure {
  try {
    scan(text);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error(`Accepted: ${text.slice(0, 100)}`);
}

describe("scanJson()", () => {
  test.each([
    ['{"model":"a","model":"b"}', "model"],
    ['{"model":"a","\\u006dodel":"b"}', "model"],
    ['{"\\u006Dodel":"a","mod\\u0065l":"b"}', "model"],
    ['{"a":[{"b":1},{"c":{"d":1,"x":2,"d":3}}]}', "d"],
    ['{"a\\/b":1,"a/b":2}', "a/b"],
    ['{"é":1,"\\u00e9":2}', "é"],
    ['{"𝄞":1,"\\ud834\\udd1e":2}', "𝄞"],
    ['{"":1,"":2}', ""],
    ['{"a":{"b":1},"c":[],"a" : 2}', "a"],
    [`{${Array.from({ length: 50 }, (_, i) => `"k${i}":${i}`).join(",")},"k3":0}`, "k3"],
    [`{${Array.from({ length: 50 }, (_, i) => `"k${i}":{"k1":1}`).join(",")},"k\\u0033":0}`, "k3"],
  ])("refuses %s and names the key", (text, key) => {
    const failure = refusal(text);
    expect(failure.code).toBe("invalid_json");
    expect(failure.param).toBe(key);
  });

  test.each([
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"b"}',
    '{"a\\\\":1,"a":2}',
    '{"A":1,"a":2}',
    '["a","a",{"x":1},"x"]',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
    '"text"',
    "12",
    "{}",
    "",
  ])("lets %s through", (text) => {
    expect(() => scan(text)).not.toThrow();
  });

  test("bounds the depth at 64 objects and arrays", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(() => scan(nested(64))).not.toThrow();
    expect(refusal(nested(65)).message).toContain("64");
    expect(refusal(`${'{"a":'.repeat(5_000_000)}`).code).toBe("invalid_json");
    expect(() => scan(JSON.stringify("[".repeat(1000)))).not.toThrow();
  });

  test("gives the spans of the top-level members", () => {
    const text = ' { "a" : [1, {"x": "}"}] ,\n"b\\n":"é, \\"q\\"", "c":-1.5e3\t}';
    const bytes = utf8(text);
    const slice = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
    expect(scan(text).members.map((member) => [slice(member.keyStart, member.keyEnd), slice(member.valueStart, member.valueEnd)])).toEqual([
      ['"a"', '[1, {"x": "}"}]'],
      ['"b\\n"', '"é, \\"q\\""'],
      ['"c"', "-1.5e3"],
    ]);
  });

  test("lets every object through whose keys differ, and gives its members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue(), { maxKeys: 60 }), fc.boolean(), (value, pretty) => {
        const bytes = utf8(JSON.stringify(value, null, pretty ? 1 : 0));
        const { members } = scanJson(bytes, { maxDepth: 64 });
        const slice = (from: number, to: number) => JSON.parse(new TextDecoder().decode(bytes.subarray(from, to)));
        const read = members.map((member) => [slice(member.keyStart, member.keyEnd), slice(member.valueStart, member.valueEnd)]);
        expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(value))));
      }),
      { numRuns: 300 },
    );
  });

  test("finds a duplicate wherever it stands and however it is escaped", () => {
    const escaped = (key: string) => `"${Array.from(key, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`;
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: "grapheme-ascii" }), { minLength: 1, maxLength: 60 }),
        fc.nat(),
        fc.nat(),
        (keys, a, b) => {
          const twice = keys[a % keys.length] ?? "";
          const members = keys.map((key) => `${JSON.stringify(key)}:1`);
          members.splice(b % (members.length + 1), 0, `${escaped(twice)}:2`);
          expect(refusal(`[{${members.join(",")}}]`).param).toBe(twice.slice(0, 100));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("ends on any bytes", () => {
    const bits = fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", " ", "a", "\\u", '"a":', "é");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.array(bits, { maxLength: 60 }).map((parts) => utf8(parts.join(""))),
        ),
        (bytes) => {
          try {
            scanJson(bytes, { maxDepth: 64 });
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(Failure);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("stays linear for an object with a million keys and for a million small objects", () => {
    const million = `{${Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join(",")}}`;
    expect(scan(million).members.length).toBe(1_000_000);
    expect(() => scan(`[${'{"a":1,"b":2},'.repeat(1_000_000)}{}]`)).not.toThrow();
    expect(refusal(`${million.slice(0, -1)},"7":1}`).param).toBe("7");
    expect(() => scan(`[${`"${"x".repeat(60)}",`.repeat(100_000)}1]`)).not.toThrow();
    expect(() => scan(`"${'\\"'.repeat(2_000_000)}"`)).not.toThrow();
  });
});
