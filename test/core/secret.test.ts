import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { Failure } from "../../src/core/failure";
import { Secret } from "../../src/core/secret";

const CANARY = "sk-canary-3f9c2a";
const secret = new Secret(CANARY);

const error = (): Error => new Error(`the key is ${secret}`, { cause: { secret } });
const failure = (): Failure => new Failure("internal_error", `the key is ${secret}`, { cause: secret, facts: { secret } });

describe("a secret is not shown", () => {
  test.each<[string, () => unknown]>([
    ["String()", () => String(secret)],
    ["a template", () => `${secret}`],
    ["concatenation", () => `${"key "}${secret}`],
    ["JSON", () => JSON.stringify(secret)],
    ["JSON, deep inside", () => JSON.stringify({ a: [{ credential: secret }] })],
    ["JSON of its spread", () => JSON.stringify({ ...secret })],
    ["Node's inspect", () => inspect(secret, { depth: null, showHidden: true })],
    ["inspect of what holds it", () => inspect({ a: [secret], b: new Map([["c", secret]]) }, { depth: null })],
    ["inspect without custom functions", () => inspect(secret, { customInspect: false, showHidden: true })],
    ["Bun's inspect", () => Bun.inspect({ a: secret })],
    ["its keys and entries", () => JSON.stringify([Object.keys(secret), Object.entries(secret), Object.values(secret)])],
    ["all its own properties", () => Reflect.ownKeys(secret).map((name) => String(Reflect.get(secret, name)))],
    ["an error's message", () => error().message],
    ["an error's inspection", () => inspect(error(), { depth: null })],
    ["an error's stack", () => String(error().stack)],
    ["a failure", () => inspect(failure(), { depth: null }) + JSON.stringify(failure()) + failure().message],
    ["its tag", () => Object.prototype.toString.call(secret)],
  ])("by %s", (_, show) => {
    expect(String(show())).not.toContain(CANARY);
  });

  test("and says so where it stands", () => {
    expect(`${secret}`).toBe("[secret]");
    expect(JSON.stringify({ key: secret })).toBe('{"key":"[secret]"}');
    expect(inspect({ key: secret })).toBe("{ key: [secret] }");
  });

  test("by a copy: there is none that keeps the value", () => {
    expect(inspect(structuredClone({ secret: { ...secret } }))).not.toContain(CANARY);
  });
});

test("reveal() is the way to the value", () => {
  expect(secret.reveal()).toBe(CANARY);
});
