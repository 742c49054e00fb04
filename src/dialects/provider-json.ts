// JSON that a provider wrote: read without trust, and without losing digits where it goes on to the caller.

export type JsonObject = Readonly<Record<string, unknown>>;

/** https://tc39.es/proposal-json-parse-with-source/ : not yet in TypeScript's library. */
interface ExactJson {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context?: { source?: string }) => unknown): unknown;
}
const exact = JSON as unknown as ExactJson;

/** Deeper than any answer is. What is parsed here can be written again: `JSON.stringify` gives up at tens of thousands. */
const DEPTH_MAX = 512;

/** The value of a JSON text; undefined when it is not JSON, or nested beyond reason (no JSON text means undefined). */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * As `parseJson`, but a number whose digits a double would change (12345678901234567890, 1.0) is written again as it came
 * by `JSON.stringify`. Such a number is an opaque object until then: only for values that are passed on, never computed with.
 */
export function parseJsonExactly(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return exact.parse(text, (_key, value, context) => {
      const source = context?.source;
      return typeof value === "number" && source !== undefined && String(value) !== source ? exact.rawJSON(source) : value;
    });
  } catch {
    return undefined;
  }
}

/** An object that is not an array; undefined for anything else. */
export const objectOf = (value: unknown): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;

/** The items of an array; none for anything else. */
export const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A non-negative whole number; undefined (not told) for anything else. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts brackets outside strings. Strings are leapt over, so that a picture in base64 costs nothing. */
function isTooDeep(text: string): boolean {
  if (text.length < DEPTH_MAX * 2) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i + 1);
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > DEPTH_MAX) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** The place of the quote that ends the string, or the text's end. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
