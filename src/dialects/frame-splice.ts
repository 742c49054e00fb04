// Changing the JSON in one frame of a stream; the frame's other bytes stay.
import type { Frame } from "../wire/frame";
import { type JsonEdit, spliceJson } from "../wire/json-splice";
import { dataSpan } from "../wire/sse";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The frame's bytes with the edits made in its data. Data on several lines is written again, line for line. */
export function spliceFrame(frame: Frame, edits: readonly JsonEdit[]): Uint8Array {
  const span = dataSpan(frame.raw);
  if (span) {
    const json = spliceJson(frame.raw.subarray(span.start, span.end), edits);
    return Buffer.concat([frame.raw.subarray(0, span.start), json, frame.raw.subarray(span.end)]);
  }
  const json = decoder.decode(spliceJson(encoder.encode(frame.data ?? ""), edits));
  const lines = json.split("\n").map((line) => `data: ${line}\n`);
  const event = frame.event === undefined ? "" : `event: ${frame.event}\n`;
  const id = frame.id === undefined ? "" : `id: ${frame.id}\n`;
  return encoder.encode(`${event}${id}${lines.join("")}\n`);
}
