import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { globFault, isAllowedAddress, matchesGlob, mayUseModel, parseAddress, parseRange } from "../../src/policy/access";

describe("a glob of model ids", () => {
  test.each<[string, string, boolean]>([
    ["gpt-4o", "gpt-4o", true],
    ["gpt-4o", "gpt-4o-mini", false],
    ["gpt-4o*", "gpt-4o-mini", true],
    ["gpt-4o*", "gpt-4o", true],
    ["*", "anything/at:all", true],
    ["*", "", true],
    ["*-mini", "gpt-4o-mini", true],
    ["*-mini", "gpt-4o-mini-2024", false],
    ["gpt-*-mini", "gpt-mini", false],
    ["gpt-*-mini", "gpt-4o-mini", true],
    ["a*b*a", "aba", true],
    ["a*a", "a", false],
    ["a*b*c", "abbc", true],
    ["a*bc*bc", "abc", false],
    ["GPT-4o", "gpt-4o", false],
    ["byo:acme/*", "byo:acme/llama-3", true],
    ["gpt.4o", "gpt-4o", false],
  ])("%s and %s: %p", (glob, id, matches) => expect(matchesGlob(glob, id)).toBe(matches));

  test("matches what the same regular expression matches", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "-"), maxLength: 12 });
    const glob = fc.string({ unit: fc.constantFrom("a", "b", "-", "*"), maxLength: 8 });
    fc.assert(
      fc.property(glob, text, (pattern, id) => {
        const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(id);
        expect(matchesGlob(pattern, id)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  test("is read in no time, however it is made to be hard", () => {
    const started = performance.now();
    expect(matchesGlob(`${"a*".repeat(100)}b`, "a".repeat(100_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(50);
  });

  test("no list allows every model, an empty one none", () => {
    expect(mayUseModel(undefined, "gpt-4o")).toBe(true);
    expect(mayUseModel([], "gpt-4o")).toBe(false);
    expect(mayUseModel(["claude-*", "gpt-4o"], "gpt-4o")).toBe(true);
  });

  test.each(["", "gpt 4o", "gpt-4?", "[a-z]*", "{a,b}", "a".repeat(300), "gpt-4o\n"])("%p is none", (glob) =>
    expect(globFault(glob)).toBeString(),
  );
  test.each(["*", "gpt-4o*", "byo:acme/*", "meta-llama/Llama-3.3-70B", "claude-sonnet-4@2025*"])("%p is one", (glob) =>
    expect(globFault(glob)).toBeUndefined(),
  );
});

describe("an address", () => {
  test.each<[string, string, boolean]>([
    ["10.0.0.0/8", "10.255.3.4", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["192.168.1.7", "192.168.1.7", true],
    ["192.168.1.7", "192.168.1.8", false],
    ["192.168.1.128/25", "192.168.1.127", false],
    ["192.168.1.128/25", "192.168.1.200", true],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "8.8.8.8", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["127.0.0.1", "::ffff:127.0.0.1", true],
    ["::ffff:10.0.0.0/104", "10.9.9.9", true],
    ["::1", "::1", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["::1", "::2", false],
  ])("%s holds %s: %p", (range, address, held) => expect(isAllowedAddress([range], address)).toBe(held));

  test.each(["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "::1::", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::1"])(
    "%p is none",
    (text) => expect(parseAddress(text)).toBeUndefined(),
  );
  test.each(["fe80::1%eth0", "1:2:3:4:5:6:7::8:9", "::1.2.3.4:5", "12345::1", "::ffff:1.2.3"])("%p is none either", (text) =>
    expect(parseAddress(text)).toBeUndefined(),
  );
  test.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "::/129", "::ffff:10.0.0.0/8", "localhost", "10.0.0.0/8/8"])(
    "%p is no range",
    (text) => expect(parseRange(text)).toBeUndefined(),
  );

  test("that is not known is in no list, and a list that is not there holds all", () => {
    expect(isAllowedAddress(["0.0.0.0/0"], undefined)).toBe(false);
    expect(isAllowedAddress([], "127.0.0.1")).toBe(false);
    expect(isAllowedAddress(undefined, undefined)).toBe(true);
  });
});
