// Changing a JSON object's bytes without re-serialising it: what is not named keeps every byte, 12345678901234567890 too.
import { type MemberSpan, type ObjectSpan, objectSpan, stringIs } from "./json-walk";

/** `value` is JSON text. Names are ASCII without quotes or backslashes. */
export type JsonEdit =
  /** Replaces the member's value, or adds the member before the closing brace. */
  | { op: "set"; name: string; value: string }
  /** Sets a member inside a top-level object. Where `outer` is missing or is not an object, it becomes one. */
  | { op: "set-inside"; outer: string; name: string; value: string }
  /** Makes edits inside a top-level object; where `name` is missing or is no object, nothing. */
  | { op: "within"; name: string; edits: readonly JsonEdit[] }
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
  const { members } = span;
  let added = "";
  let removed: Set<number> | undefined;
  // Plain loops: an answer on its way to a caller waits for this.
  for (const edit of edits) {
    const name = edit.op === "set-inside" ? edit.outer : edit.name;
    let found = false;
    for (let index = 0; index < members.length; index++) {
      const member = members[index] as MemberSpan;
      if (!stringIs(bytes, member.keyStart, member.keyEnd, name)) continue;
      found = true;
      if (edit.op === "remove") {
        removed ??= new Set();
        removed.add(index);
      } else if (edit.op === "set") cuts.push({ start: member.valueStart, end: member.valueEnd, text: edit.value });
      else if (edit.op === "within") {
        const inner = objectSpan(bytes, member.valueStart);
        if (inner) cuts.push(...cutsOf(bytes, inner, edit.edits));
      } else cuts.push(...cutsInside(bytes, member.valueStart, member.valueEnd, edit));
    }
    if (found || edit.op === "remove" || edit.op === "within") continue;
    if (added !== "") added += ",";
    added += edit.op === "set" ? `"${name}":${edit.value}` : `"${name}":{"${edit.name}":${edit.value}}`;
  }
  if (removed) cuts.push(...removals(span, removed));
  if (added !== "") cuts.push(insertion(span, (removed?.size ?? 0) < members.length, added));
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
function insertion(span: ObjectSpan, afterOthers: boolean, added: string): Cut {
  const at = span.members.at(-1)?.valueEnd ?? span.open + 1;
  return { start: at, end: at, text: (afterOthers ? "," : "") + added };
}

function applyCuts(bytes: Uint8Array, cuts: Cut[]): Uint8Array {
  if (cuts.length === 0) return bytes;
  // Equal starts: a removal ends where the insertion stands, so the longer one comes first only if it starts first.
  cuts.sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, text } of cuts) {
    if (start > at) pieces.push(bytes.subarray(at, start));
    if (text !== "") pieces.push(encoder.encode(text));
    at = end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}
