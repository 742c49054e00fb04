// A conversation that began with another provider holds that provider's thoughts in envelopes. Anthropic would check their
// seals and refuse the request, so they are cut out of the caller's bytes; every other byte stays.
import { type MemberSpan, objectSpan, spaceEnd, stringIs, stringText, valueEnd } from "../wire/json-walk";
import { ENVELOPE_PREFIX, isEnvelope } from "./sealed-envelope";

const OPEN_ARRAY = 0x5b;
const COMMA = 0x2c;

interface Span {
  start: number;
  end: number;
}

/** The body less its foreign thoughts, and how many were cut. A message that held nothing else goes too. */
export function withoutForeignThoughts(bytes: Uint8Array): { bytes: Uint8Array; cut: number } {
  // Almost no request holds one: the walk is for those that might.
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(ENVELOPE_PREFIX) < 0) return { bytes, cut: 0 };
  const messages = memberOf(bytes, 0, "messages");
  if (!messages) return { bytes, cut: 0 };
  const cuts: Span[] = [];
  let count = 0;
  const items = itemSpans(bytes, messages.valueStart);
  const empty = items.map(({ start }) => {
    const content = memberOf(bytes, start, "content");
    if (!content) return false;
    const blocks = itemSpans(bytes, content.valueStart);
    const foreign = blocks.map((block) => isForeign(bytes, block.start));
    const found = foreign.filter((each) => each).length;
    count += found;
    if (found > 0 && found === blocks.length) return true;
    cuts.push(...removals(blocks, foreign));
    return false;
  });
  cuts.push(...removals(items, empty));
  return { bytes: without(bytes, cuts), cut: count };
}

function isForeign(bytes: Uint8Array, at: number): boolean {
  for (const name of ["signature", "data"]) {
    const member = memberOf(bytes, at, name);
    if (member && bytes[member.valueStart] === 0x22 && isEnvelope(stringText(bytes, member.valueStart, member.valueEnd))) return true;
  }
  return false;
}

const memberOf = (bytes: Uint8Array, at: number, name: string): MemberSpan | undefined =>
  objectSpan(bytes, at)?.members.findLast((member) => stringIs(bytes, member.keyStart, member.keyEnd, name));

/** The items of the array that opens at `at`; none where there is no array. */
function itemSpans(bytes: Uint8Array, at: number): Span[] {
  const items: Span[] = [];
  if (bytes[at] !== OPEN_ARRAY) return items;
  for (let start = spaceEnd(bytes, at + 1); start < bytes.length; ) {
    const end = valueEnd(bytes, start);
    if (end === start) return items;
    items.push({ start, end });
    const next = spaceEnd(bytes, end);
    if (bytes[next] !== COMMA) return items;
    start = spaceEnd(bytes, next + 1);
  }
  return items;
}

/** An item goes with the comma after it; those at the end with the comma before them. */
function removals(items: readonly Span[], removed: readonly boolean[]): Span[] {
  const cuts: Span[] = [];
  let tail = items.length;
  while (tail > 0 && removed[tail - 1]) tail--;
  for (const [index, item] of items.entries()) {
    const next = items[index + 1];
    if (removed[index] && index < tail && next) cuts.push({ start: item.start, end: next.start });
  }
  const first = items[tail];
  const last = items.at(-1);
  if (first && last) cuts.push({ start: items[tail - 1]?.end ?? first.start, end: last.end });
  return cuts;
}

function without(bytes: Uint8Array, cuts: readonly Span[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end } of cuts.toSorted((a, b) => a.start - b.start)) {
    pieces.push(bytes.subarray(at, start));
    at = end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}
