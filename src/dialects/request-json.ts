// A caller's body as a value. Numbers are doubles there, and that is right for what is computed with. What is only passed on (arguments of
// earlier calls, JSON Schemas) keeps its digits: 12345678901234567890 is not 12345678901234567000, and 1.0 is not 1 to everybody.
import { parseJsonExactly } from "./provider-json";

/** A number that a double would write otherwise: many digits, a fraction that ends in 0, an exponent. */
const CHANGED_NUMBER = /[[:,]\s*-?(?:\d{16}|\d+\.\d*0[\s,}\]]|\d+\.\d{15}|\d+(?:\.\d+)?[eE])/;
/** Members that are passed on as they came, where they are objects. */
const PASSED_ON: ReadonlySet<string> = new Set(["input", "parameters", "input_schema", "schema"]);
const HOLDS_PASSED_ON = /"(?:input|parameters|input_schema|schema)"\s*:\s*\{/;

/** Throws `SyntaxError` for what is no JSON. The text's depth is bounded already. */
export function parseRequestJson(text: string): unknown {
  const json: unknown = JSON.parse(text);
  if (HOLDS_PASSED_ON.test(text) && CHANGED_NUMBER.test(text)) keepDigits(json, parseJsonExactly(text));
  return json;
}

/** Takes what is passed on from the value that keeps its digits. Both are readings of one text. */
function keepDigits(json: unknown, exact: unknown): void {
  if (typeof json !== "object" || json === null || typeof exact !== "object" || exact === null) return;
  const members = json as Record<string, unknown>;
  for (const [name, value] of Object.entries(members)) {
    const same = (exact as Record<string, unknown>)[name];
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isObject && PASSED_ON.has(name)) members[name] = same;
    else keepDigits(value, same);
  }
}
