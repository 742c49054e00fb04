// Gemini's two stream forms → frames: server-sent events (`alt=sse`) and one JSON array.
// A fault of the event stream is not an event: the provider writes a bare JSON object after the last one and closes. Read as
// the SSE standard says it would vanish and leave a clean-looking end, so here it becomes a frame of its own.
import type { Frame, Framer } from "../wire/frame";
import { openJsonArray } from "../wire/json-array";
import { openSse } from "../wire/sse";

/** An image comes whole inside one event, base64; a few at 4K each still fit. */
const MAX_FRAME_BYTES = 32 * 1024 * 1024;
const OPEN_OBJECT = 0x7b;

const decoder = new TextDecoder();

/** How this stream is cut, by its content type; undefined: not a stream of this dialect. */
export function openGeminiFramer(contentType: string): Framer | undefined {
  const kind = contentType.split(";")[0]?.trim().toLowerCase();
  if (kind === "text/event-stream") return new EventsAndBareJson();
  if (kind === "application/json") return openJsonArray({ maxFrameBytes: MAX_FRAME_BYTES });
  return undefined;
}

class EventsAndBareJson implements Framer {
  readonly #events = openSse({ maxFrameBytes: MAX_FRAME_BYTES });
  /** Bytes pushed that are in no frame yet. */
  #pending = 0;
  /** Those bytes, kept only where they begin like an object: events begin with a field's name. */
  #bare: Uint8Array[] = [];

  push(bytes: Uint8Array): Frame[] {
    const frames = this.#events.push(bytes);
    const framed = frames.reduce((sum, { raw }) => sum + raw.length, 0);
    const wasPending = this.#pending;
    this.#pending += bytes.length - framed;
    if (frames.length > 0) this.#hold(bytes.subarray(bytes.length - this.#pending));
    else if (wasPending === 0) this.#hold(bytes);
    else if (this.#bare.length > 0) this.#bare.push(bytes.slice());
    return frames.map(asFrame);
  }

  end(): Frame[] {
    const frames = this.#events.end().map(asFrame);
    if (frames.length > 0 || this.#bare.length === 0) return frames;
    return [asFrame({ raw: joined(this.#bare), data: undefined, event: undefined, id: undefined })];
  }

  #hold(bytes: Uint8Array): void {
    this.#bare = bytes[0] === OPEN_OBJECT ? [bytes.slice()] : [];
  }
}

/** A frame without a field whose text is an object: its text is the payload. */
const asFrame = (frame: Frame): Frame =>
  frame.data === undefined && frame.raw[0] === OPEN_OBJECT ? { ...frame, data: decoder.decode(frame.raw) } : frame;

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
