// Server-sent events, bytes to frames: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
// Each frame keeps its raw bytes, so that a gateway can forward what it does not change; frames are the same wherever the bytes are cut.
import { Failure } from "../core/failure";
import { HeldBytes } from "./bytes-held";
import type { Frame, Framer } from "./frame";

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const MARK_DONE = -1;
const NONE = Number.POSITIVE_INFINITY;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const DATA = new TextEncoder().encode("data");
const EVENT = new TextEncoder().encode("event");
const ID = new TextEncoder().encode("id");

export interface SseOptions {
  /** The most bytes one frame may have, its blank line included. */
  maxFrameBytes: number;
}

/**
 * A framer of an event stream. A frame is everything up to and including a blank line, comments included.
 * A frame that ends in CR waits for one more byte (or the end), which may be the other half of a CRLF.
 * `raw` may share memory with the bytes that were pushed.
 */
export function openSse(options: SseOptions): Framer {
  return new SseFramer(options.maxFrameBytes);
}

class SseFramer implements Framer {
  readonly #maxFrameBytes: number;
  readonly #held = new HeldBytes();
  #lineEmpty = true;
  /** The last byte was the CR that ended a line with text: a LF now belongs to it. */
  #afterCr = false;
  /** The last byte was the CR of a blank line: the frame is whole, but for a LF that may follow. */
  #afterBlankCr = false;
  /** Bytes of a byte order mark seen so far, at the start of the stream only. */
  #mark = 0;
  /** The first frame begins with a whole byte order mark. */
  #marked = false;
  /** Thrown at the next call where frames before the fault still have to come out. */
  #fault: Failure | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(bytes: Uint8Array): Frame[] {
    if (this.#fault) throw this.#fault;
    const frames: Frame[] = [];
    const ends = new LineEnds(bytes);
    let start = 0;
    let at = this.#mark === MARK_DONE ? 0 : this.#skipMark(bytes);
    while (at < bytes.length) {
      if (this.#afterBlankCr) {
        if (bytes[at] === LF) at++;
        this.#afterBlankCr = false;
        if (!this.#emit(bytes.subarray(start, at), frames)) return frames;
        start = at;
        continue;
      }
      if (this.#afterCr) {
        this.#afterCr = false;
        if (bytes[at] === LF) at++;
        continue;
      }
      const end = ends.from(at);
      const blank = this.#lineEmpty && end === at;
      this.#lineEmpty = end !== NONE;
      if (end === NONE) break;
      at = end + 1;
      if (bytes[end] === CR) {
        this.#afterBlankCr = blank;
        this.#afterCr = !blank;
      } else if (blank) {
        if (!this.#emit(bytes.subarray(start, at), frames)) return frames;
        start = at;
      }
    }
    if (start < bytes.length && this.#fits(bytes.length - start, frames)) this.#held.append(bytes.subarray(start));
    return frames;
  }

  end(): Frame[] {
    if (this.#fault) throw this.#fault;
    const frames: Frame[] = [];
    if (this.#afterBlankCr) this.#emit(new Uint8Array(0), frames);
    this.#afterBlankCr = false;
    return frames;
  }

  /** Where the first line begins in these bytes. Two thirds of a mark are text like any other. */
  #skipMark(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#mark < 3 && bytes[at] === BYTE_ORDER_MARK[this.#mark]) {
      at++;
      this.#mark++;
    }
    if (this.#mark === 3) this.#marked = true;
    else if (at < bytes.length) this.#lineEmpty = this.#mark === 0;
    else return at;
    this.#mark = MARK_DONE;
    return at;
  }

  /** Ends the frame whose last bytes these are. False: it was too large. */
  #emit(tail: Uint8Array, frames: Frame[]): boolean {
    if (!this.#fits(tail.length, frames)) return false;
    let raw = tail;
    if (this.#held.length > 0) {
      this.#held.append(tail);
      raw = this.#held.take();
    }
    frames.push(readFrame(raw, this.#marked ? 3 : 0));
    this.#marked = false;
    return true;
  }

  #fits(more: number, frames: readonly Frame[]): boolean {
    if (this.#held.length + more <= this.#maxFrameBytes) return true;
    this.#fault = new Failure("upstream_error", `The provider sent one event of more than ${this.#maxFrameBytes} bytes`);
    if (frames.length === 0) throw this.#fault;
    return false;
  }
}

/** Finds line ends going forward. Each kind is searched for once per occurrence, so a chunk of CRs alone stays linear. */
class LineEnds {
  readonly #bytes: Uint8Array;
  #lf = -1;
  #cr = -1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The position of the first CR or LF at or after `at`; NONE when there is none. */
  from(at: number): number {
    if (this.#lf < at) this.#lf = this.#find(LF, at);
    if (this.#cr < at) this.#cr = this.#find(CR, at);
    return Math.min(this.#lf, this.#cr);
  }

  #find(byte: number, at: number): number {
    const found = this.#bytes.indexOf(byte, at);
    return found < 0 ? NONE : found;
  }
}

function readFrame(raw: Uint8Array, from: number): Frame {
  const ends = new LineEnds(raw);
  let data: string | undefined;
  let event: string | undefined;
  let id: string | undefined;
  let at = from;
  while (at < raw.length) {
    const end = Math.min(ends.from(at), raw.length);
    if (end > at && raw[at] !== COLON) {
      const colon = raw.indexOf(COLON, at);
      const nameEnd = colon < 0 || colon > end ? end : colon;
      if (spells(raw, at, nameEnd, DATA)) {
        const value = readValue(raw, nameEnd, end);
        data = data === undefined ? value : `${data}\n${value}`;
      } else if (spells(raw, at, nameEnd, EVENT)) {
        event = readValue(raw, nameEnd, end) || undefined;
      } else if (spells(raw, at, nameEnd, ID)) {
        const value = readValue(raw, nameEnd, end);
        if (!value.includes("\0")) id = value;
      }
    }
    at = raw[end] === CR && raw[end + 1] === LF ? end + 2 : end + 1;
  }
  return { raw, data, event, id };
}

function spells(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}

/** The text after the colon (which may be missing) less one leading space. Bad UTF-8 becomes U+FFFD. */
function readValue(bytes: Uint8Array, nameEnd: number, end: number): string {
  if (nameEnd === end) return "";
  const from = bytes[nameEnd + 1] === SPACE ? nameEnd + 2 : nameEnd + 1;
  return from >= end ? "" : decoder.decode(bytes.subarray(from, end));
}

/** Where the data of a frame stands in its raw bytes; undefined unless it is on exactly one line. */
export function dataSpan(raw: Uint8Array): { start: number; end: number } | undefined {
  const ends = new LineEnds(raw);
  let span: { start: number; end: number } | undefined;
  for (let at = 0; at < raw.length; ) {
    const end = Math.min(ends.from(at), raw.length);
    if (spells(raw, at, at + DATA.length, DATA) && (raw[at + DATA.length] === COLON || at + DATA.length === end)) {
      if (span || at + DATA.length === end) return undefined;
      const value = at + DATA.length + 1;
      span = { start: raw[value] === SPACE ? value + 1 : value, end };
    }
    at = end + 1;
  }
  return span;
}
