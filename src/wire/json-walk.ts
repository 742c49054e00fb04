// Finding one's way in JSON text without parsing it: where strings, values and members begin and end, as byte positions.
// Every function goes forward only and ends on any input; on garbage the positions mean nothing, and parsing will say so.

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Strings up to this length are walked; in longer ones the runtime's search is faster. */
const WALKED_BYTES = 48;

/** One member of an object. Ends are exclusive; the key's span includes its quotes. */
export interface MemberSpan {
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

export interface ObjectSpan {
  /** Position of the opening brace. */
  open: number;
  /** Position of the closing brace. */
  close: number;
  members: readonly MemberSpan[];
}

export function spaceEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  for (; end < bytes.length; end++) {
    const byte = bytes[end];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
  }
  return end;
}

/** The position after the closing quote of the string that opens at `at`; the length where it is never closed. */
export function stringEnd(bytes: Uint8Array, at: number): number {
  let i = at + 1;
  const near = Math.min(bytes.length, i + WALKED_BYTES);
  while (i < near) {
    const byte = bytes[i];
    if (byte === QUOTE) return i + 1;
    i += byte === BACKSLASH ? 2 : 1;
  }
  while (i < bytes.length) {
    const quote = bytes.indexOf(QUOTE, i);
    if (quote < 0) return bytes.length;
    // A quote is escaped by an odd number of backslashes in front of it.
    let run = quote;
    while (bytes[run - 1] === BACKSLASH) run--;
    if ((quote - run) % 2 === 0) return quote + 1;
    i = quote + 1;
  }
  return bytes.length;
}

/** The position after the value that begins at `at` (not white space). */
export function valueEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return stringEnd(bytes, at);
  let i = at;
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
    while (i < bytes.length && !endsScalar(bytes[i])) i++;
    return i;
  }
  for (let depth = 0; i < bytes.length; ) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      i = stringEnd(bytes, i);
      continue;
    }
    i++;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) return i;
  }
  return i;
}

const endsScalar = (byte: number | undefined): boolean =>
  byte === COMMA ||
  byte === CLOSE_OBJECT ||
  byte === CLOSE_ARRAY ||
  byte === 0x20 ||
  byte === 0x0a ||
  byte === 0x0d ||
  byte === 0x09 ||
  byte === COLON ||
  byte === QUOTE;

/** The members of the object that opens at `at` (white space is skipped); undefined where no whole object stands there. */
export function objectSpan(bytes: Uint8Array, at = 0): ObjectSpan | undefined {
  const open = spaceEnd(bytes, at);
  if (bytes[open] !== OPEN_OBJECT) return undefined;
  const members: MemberSpan[] = [];
  let i = spaceEnd(bytes, open + 1);
  if (bytes[i] === CLOSE_OBJECT) return { open, close: i, members };
  while (bytes[i] === QUOTE) {
    const keyStart = i;
    const keyEnd = stringEnd(bytes, i);
    i = spaceEnd(bytes, keyEnd);
    if (bytes[i] !== COLON) return undefined;
    const valueStart = spaceEnd(bytes, i + 1);
    const end = valueEnd(bytes, valueStart);
    members.push({ keyStart, keyEnd, valueStart, valueEnd: end });
    i = spaceEnd(bytes, end);
    if (bytes[i] === CLOSE_OBJECT) return { open, close: i, members };
    if (bytes[i] !== COMMA) return undefined;
    i = spaceEnd(bytes, i + 1);
  }
  return undefined;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text of the string whose quotes stand at both ends of the span. A lone surrogate becomes U+FFFD, as in any UTF-8 reader. */
export function stringText(bytes: Uint8Array, start: number, end: number): string {
  const written = decoder.decode(bytes.subarray(start + 1, end - 1));
  return written.includes("\\") ? unescaped(written).toWellFormed() : written;
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Escapes that are none stay as they are written: they are not JSON, and parsing refuses them. */
const unescaped = (written: string): string =>
  written.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (whole, hex: string | undefined, letter: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (letter === undefined || letter === "u") return whole;
    return ESCAPES[letter] ?? letter;
  });

/** Whether the string of the span says `name` (ASCII without quotes or backslashes), however it is escaped. */
export function stringIs(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  const length = end - start - 2;
  if (length === name.length) {
    for (let i = 0; ; i++) {
      if (i === length) return true;
      if (bytes[start + 1 + i] !== name.charCodeAt(i)) break;
    }
  }
  return length > name.length && hasEscape(bytes, start, end) && stringText(bytes, start, end) === name;
}

/** Whether the string of the span is written with escapes. */
export function hasEscape(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start + 1; i < end - 1; i++) if (bytes[i] === BACKSLASH) return true;
  return false;
}
