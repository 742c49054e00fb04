import { describe, expect, test } from "bun:test";
import { parseJson, parseJsonExactly } from "../../src/dialects/provider-json";

describe("parseJsonExactly()", () => {
  for (const text of ['{"a":12345678901234567890,"b":1.0,"c":[1e400,-0.10]}', '{"__proto__":{"x":1},"t":"\\\\"}', "[]", "1.50"]) {
    test(`writes ${text} as it came`, () => expect(JSON.stringify(parseJsonExactly(text))).toBe(text));
  }

  test("leaves plain numbers to be computed with", () => expect(parseJsonExactly('{"a":12,"b":0.5}')).toEqual({ a: 12, b: 0.5 }));
});

describe("parseJson()", () => {
  test("is undefined for what is not JSON", () => {
    expect(parseJson("{")).toBeUndefined();
    expect(parseJsonExactly("data: [DONE]")).toBeUndefined();
  });

  test("is undefined for what is nested beyond reason, and takes brackets in strings for text", () => {
    expect(parseJson("[".repeat(600) + "]".repeat(600))).toBeUndefined();
    expect(parseJsonExactly("[".repeat(2_000_000))).toBeUndefined();
    expect(parseJson("[".repeat(500) + "]".repeat(500))).toBeDefined();
    const brackets = JSON.stringify([`\\"${"[".repeat(2000)}\\`, "{".repeat(2000)]);
    expect(JSON.stringify(parseJson(brackets))).toBe(brackets);
  });
});
