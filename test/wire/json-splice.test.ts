import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type JsonEdit, spliceJson } from "../../src/wire/json-splice";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const splice = (text: string, ...edits: JsonEdit[]): string => new TextDecoder().decode(spliceJson(utf8(text), edits));

describe("spliceJson()", () => {
  const set = (name: string, value: string): JsonEdit => ({ op: "set", name, value });
  const inside = (outer: string, name: string, value: string): JsonEdit => ({ op: "set-inside", outer, name, value });
  const remove = (name: string): JsonEdit => ({ op: "remove", name });
  const table: [string, JsonEdit[], string][] = [
    ['{"model":"a", "n":12345678901234567890}', [set("model", '"b"')], '{"model":"b", "n":12345678901234567890}'],
    ['{ "n": 1.0 }\n', [set("model", '"b"')], '{ "n": 1.0,"model":"b" }\n'],
    ["{}", [set("a", "1"), set("b", "2")], '{"a":1,"b":2}'],
    ['{"mod\\u0065l":"a"}', [set("model", '"b"')], '{"mod\\u0065l":"b"}'],
    ['{"a":1,"b":2,"c":3}', [remove("a")], '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', [remove("b")], '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', [remove("c")], '{"a":1,"b":2}'],
    ['{"a":1,"b":2,"c":3}', [remove("c"), remove("b")], '{"a":1}'],
    ['{ "a":1, "b":2 }', [remove("b"), remove("a")], "{  }"],
    ['{"a":1,"b":2}', [remove("a"), remove("b"), set("c", "3")], '{"c":3}'],
    ['{"a":1,"b":2}', [remove("b"), set("c", "3")], '{"a":1,"c":3}'],
    ['{"a":1,"b":2}', [remove("z")], '{"a":1,"b":2}'],
    ['{"usage":{"total": 3 }}', [inside("usage", "cost", "0.1")], '{"usage":{"total": 3,"cost":0.1 }}'],
    ['{"usage":{"cost":9}}', [inside("usage", "cost", "0.1")], '{"usage":{"cost":0.1}}'],
    ['{"usage":{}}', [inside("usage", "cost", "0.1")], '{"usage":{"cost":0.1}}'],
    ['{"usage":null}', [inside("usage", "cost", "0.1")], '{"usage":{"cost":0.1}}'],
    ['{"a":[{"usage":1}]}', [inside("usage", "cost", "0.1")], '{"a":[{"usage":1}],"usage":{"cost":0.1}}'],
    ['{"a":"\\"model\\":1","b":{"model":1}}', [set("model", "2")], '{"a":"\\"model\\":1","b":{"model":1},"model":2}'],
    ['{"a":1,"a":2}', [set("a", "3")], '{"a":3,"a":3}'],
  ];
  test.each(table)("turns %s with %j into %s", (text, edits, expected) => {
    expect(splice(text, ...edits)).toBe(expected);
  });

  test("gives the same bytes back where nothing changes, and refuses what is no object", () => {
    const bytes = utf8('{"a":1}');
    expect(spliceJson(bytes, [])).toBe(bytes);
    for (const text of ["[]", "", "{", '{"a":1', '{"a" 1}', "null", '{"a":1,}'])
      expect(() => splice(text, set("a", "1"))).toThrow(SyntaxError);
  });

  test("sets, sets inside and removes any member of any object, and leaves the rest as it is", () => {
    const names = ["a", "b", "c", "usage", "model"];
    const value = fc.jsonValue({ maxDepth: 2 });
    const object = fc
      .array(fc.tuple(fc.constantFrom(...names, "d", "é", 'q"', "\\"), value), { maxLength: 8 })
      .map((pairs) => Object.fromEntries(pairs));
    const edit = fc.constantFrom(...names).chain((name) =>
      fc.oneof(
        value.map((to): JsonEdit => ({ op: "set", name, value: JSON.stringify(to) })),
        fc.constant<JsonEdit>({ op: "remove", name }),
        fc
          .tuple(fc.constantFrom("x", "cost"), value)
          .map(([inner, to]): JsonEdit => ({ op: "set-inside", outer: name, name: inner, value: JSON.stringify(to) })),
        fc
          .tuple(fc.constantFrom("x", "cost"), value)
          .map(([inner, to]): JsonEdit => ({ op: "within", name, edits: [{ op: "set", name: inner, value: JSON.stringify(to) }] })),
      ),
    );
    const edits = fc.uniqueArray(edit, { selector: (each) => (each.op === "set-inside" ? each.outer : each.name), maxLength: 4 });
    fc.assert(
      fc.property(object, edits, fc.constantFrom(0, 1, "\t"), (before, changes, indent) => {
        const expected: Record<string, unknown> = JSON.parse(JSON.stringify(before));
        for (const change of changes) {
          if (change.op === "remove") delete expected[change.name];
          else if (change.op === "set") expected[change.name] = JSON.parse(change.value);
          else {
            const [inner] = change.op === "within" ? change.edits : [change];
            const place = change.op === "within" ? change.name : change.outer;
            const outer = expected[place];
            const isObject = typeof outer === "object" && outer !== null && !Array.isArray(outer);
            if (change.op === "within" && !isObject) continue;
            if (inner && "value" in inner) expected[place] = { ...(isObject ? outer : {}), [inner.name]: JSON.parse(inner.value) };
          }
        }
        expect(JSON.parse(splice(JSON.stringify(before, null, indent), ...changes))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test("keeps the bytes of every member that it does not touch", () => {
    const odd = ["12345678901234567890", "1.0", "-0", "1E5", '"\\u0041"', "[ 1 , 2 ]", "{ }"];
    const members = odd.map((text, i) => `"k${i}" : ${text}`).join(" ,\n ");
    const result = splice(`{ ${members} }`, set("model", '"m"'), remove("k3"), set("k0", "0"));
    for (const [i, text] of odd.entries()) if (i !== 3 && i !== 0) expect(result).toContain(`"k${i}" : ${text}`);
    expect(result).not.toContain("k3");
  });
});
