// Changing the JSON of an SSE frame: the frame's other bytes stay as they came.
import type { Frame } from "./frame";
import { type JsonEdit, spliceJson } from "./json-splice";
import { dataSpan } from "./sse";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The frame's bytes with the edits made. Data on several lines is written again, line for line. Throws `SyntaxError` where it is no JSON object. */
export function spliceFrame(frame: Frame, edits: readonly JsonEdit[]): Uint8Array {
  const { raw } = frame;
  const span = dataSpan(raw);
  if (span) {
    const json = raw.subarray(span.start, span.end);
    const edited = spliceJson(json, edits);
    return edited === json ? raw : Buffer.concat([raw.subarray(0, span.start), edited, raw.subarray(span.end)]);
  }
  return rewritten(frame, decoder.decode(spliceJson(encoder.encode(frame.data ?? ""), edits))).raw;
}

/** The frame with other data. */
export function rewritten(frame: Frame, json: string): Frame {
  const lines = json.split("\n").map((line) => `data: ${line}\n`);
  const event = frame.event === undefined ? "" : `event: ${frame.event}\n`;
  const id = frame.id === undefined ? "" : `id: ${frame.id}\n`;
  return { ...frame, raw: encoder.encode(`${event}${id}${lines.join("")}\n`), data: json };
}
