// Changing a JSON object's bytes without re-serialising it: what is not named keeps every byte, 12345678901234567890 too.
import { type ObjectSpan, objectSpan, stringIs } from "./json-walk";

/** `value` is JSON text. Names are ASCII without quotes or backslashes. */
export type JsonEdit =
  /** Replaces the member's value, or adds the member before the closing brace. */
  | { op: "set"; name: string; value: string }
  /** Sets a member inside a top-level object. Where `outer` is missing or is not an object, it becomes one. */
  | { op: "set-inside"; outer: string; name: string; value: string }
  | { op: "remove"; name: string };

interface Cut {
  start: number;
  end: number;
  text: string;
}

const encoder = new TextEncoder();

/**
 * The object with the edits made, each name in at most one of them. A member that stands twice is changed (or removed) twice.
 * Throws `SyntaxError` where the bytes do not hold one JSON object; returns the same bytes where nothing changes.
 */
export function spliceJson(bytes: Uint8Array, edits: readonly JsonEdit[]): Uint8Array {
  const span = objectSpan(bytes);
  if (!span) throw new SyntaxError("The text is not a JSON object");
  return applyCuts(bytes, cutsOf(bytes, span, edits));
}

function cutsOf(bytes: Uint8Array, span: ObjectSpan, edits: readonly JsonEdit[]): Cut[] {
  const cuts: Cut[] = [];
  const added: string[] = [];
  const removed = new Set<number>();
  for (const edit of edits) {
    const name = edit.op === "set-inside" ? edit.outer : edit.name;
    let found = false;
    span.members.forEach((member, index) => {
      if (!stringIs(bytes, member.keyStart, member.keyEnd, name)) return;
      found = true;
      if (edit.op === "remove") removed.add(index);
      else if (edit.op === "set") cuts.push({ start: member.valueStart, end: member.valueEnd, text: edit.value });
      else cuts.push(...cutsInside(bytes, member.valueStart, member.valueEnd, edit));
    });
    if (found || edit.op === "remove") continue;
    added.push(edit.op === "set" ? `"${name}":${edit.value}` : `"${name}":{"${edit.name}":${edit.value}}`);
  }
  cuts.push(...removals(span, removed));
  if (added.length > 0) cuts.push(insertion(span, removed.size < span.members.length, added));
  return cuts;
}

function cutsInside(bytes: Uint8Array, start: number, end: number, edit: { name: string; value: string }): Cut[] {
  const inner = objectSpan(bytes, start);
  if (!inner) return [{ start, end, text: `{"${edit.name}":${edit.value}}` }];
  return cutsOf(bytes, inner, [{ op: "set", name: edit.name, value: edit.value }]);
}

/** A member goes with the comma after it; those at the end with the comma before them. */
function removals({ members }: ObjectSpan, removed: ReadonlySet<number>): Cut[] {
  const cuts: Cut[] = [];
  let tail = members.length;
  while (tail > 0 && removed.has(tail - 1)) tail--;
  for (const index of removed) {
    const member = members[index];
    const next = members[index + 1];
    if (index < tail && member && next) cuts.push({ start: member.keyStart, end: next.keyStart, text: "" });
  }
  const first = members[tail];
  const last = members.at(-1);
  if (first && last) cuts.push({ start: members[tail - 1]?.valueEnd ?? first.keyStart, end: last.valueEnd, text: "" });
  return cuts;
}

/** New members go behind the last value, before the closing brace and the white space in front of it. */
function insertion(span: ObjectSpan, afterOthers: boolean, added: readonly string[]): Cut {
  const at = span.members.at(-1)?.valueEnd ?? span.open + 1;
  return { start: at, end: at, text: (afterOthers ? "," : "") + added.join(",") };
}

function applyCuts(bytes: Uint8Array, cuts: Cut[]): Uint8Array {
  if (cuts.length === 0) return bytes;
  // Equal starts: a removal ends where the insertion stands, so the longer one comes first only if it starts first.
  cuts.sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Uint8Array[] = [];
  let length = 0;
  let at = 0;
  const add = (piece: Uint8Array): void => {
    pieces.push(piece);
    length += piece.length;
  };
  for (const cut of cuts) {
    if (cut.start > at) add(bytes.subarray(at, cut.start));
    if (cut.text !== "") add(encoder.encode(cut.text));
    at = cut.end;
  }
  add(bytes.subarray(at));
  return joined(pieces, length);
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
