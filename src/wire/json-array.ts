// A stream that is one JSON array: each element's text is a frame as soon as its last byte is there.
// Gemini's streamGenerateContent answers so without `alt=sse`: https://ai.google.dev/api/generate-content
import { Failure } from "../core/failure";
import { HeldBytes } from "./bytes-held";
import type { Frame, Framer } from "./frame";

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface JsonArrayOptions {
  /** The most bytes one element may have, with what stands between it and the one before. */
  maxFrameBytes: number;
}

/**
 * A framer of an array of objects. `raw` also holds the brackets, commas and white space before the element, so that all
 * `raw` together are the input. A lone object instead of the array is one frame: a gateway before the provider answers its errors so.
 * Elements are not validated; whoever parses `data` does that.
 */
export function openJsonArray(options: JsonArrayOptions): Framer {
  return new JsonArrayFramer(options.maxFrameBytes);
}

type Place = "before" | "between" | "element" | "string" | "escape" | "after";

class JsonArrayFramer implements Framer {
  readonly #maxFrameBytes: number;
  readonly #held = new HeldBytes();
  #place: Place = "before";
  /** Whether an array was opened (or a lone object stands in its place). */
  #inArray = false;
  #depth = 0;
  /** Bytes of the held frame that stand before its element. */
  #lead = 0;
  #fault: Failure | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(bytes: Uint8Array): Frame[] {
    if (this.#fault) throw this.#fault;
    const frames: Frame[] = [];
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      const opened = this.#place;
      const ended = this.#step(bytes[i] ?? 0);
      if (ended === "garbage") return this.#fail(frames, "The provider's stream is not a JSON array of objects");
      if ((opened === "before" || opened === "between") && this.#place === "element") this.#lead = this.#held.length + i - start;
      if (ended === "open") continue;
      const raw = this.#take(bytes.subarray(start, i + 1));
      if (raw.length > this.#maxFrameBytes) return this.#failLarge(frames);
      const data = ended === "element" ? decoder.decode(raw.subarray(this.#lead)) : undefined;
      frames.push({ raw, data, event: undefined, id: undefined });
      start = i + 1;
    }
    if (start === bytes.length) return frames;
    if (this.#held.length + bytes.length - start > this.#maxFrameBytes) return this.#failLarge(frames);
    this.#held.append(bytes.subarray(start));
    return frames;
  }

  /** White space after the array is still forwarded; an element without its end is dropped. */
  end(): Frame[] {
    if (this.#fault) throw this.#fault;
    if (this.#place !== "after" || this.#held.length === 0) return [];
    return [{ raw: this.#held.take(), data: undefined, event: undefined, id: undefined }];
  }

  #take(tail: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return tail;
    this.#held.append(tail);
    return this.#held.take();
  }

  /** One byte further. Says whether an element or the array ends with it. */
  #step(byte: number): "open" | "element" | "array" | "garbage" {
    switch (this.#place) {
      case "string":
        if (byte === BACKSLASH) this.#place = "escape";
        else if (byte === QUOTE) this.#place = "element";
        return "open";
      case "escape":
        this.#place = "string";
        return "open";
      case "element":
        return this.#stepElement(byte);
      case "before":
        if (isSpace(byte)) return "open";
        if (byte === OPEN_ARRAY) {
          this.#inArray = true;
          this.#place = "between";
          return "open";
        }
        return this.#openElement(byte);
      case "between":
        if (byte === CLOSE_ARRAY) {
          this.#place = "after";
          return "array";
        }
        return isSpace(byte) || byte === COMMA ? "open" : this.#openElement(byte);
      case "after":
        return isSpace(byte) ? "open" : "garbage";
    }
  }

  #openElement(byte: number): "open" | "garbage" {
    if (byte !== OPEN_OBJECT) return "garbage";
    this.#place = "element";
    this.#depth = 1;
    return "open";
  }

  #stepElement(byte: number): "open" | "element" {
    if (byte === QUOTE) this.#place = "string";
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth++;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#depth--;
      if (this.#depth > 0) return "open";
      this.#place = this.#inArray ? "between" : "after";
      return "element";
    }
    return "open";
  }

  #failLarge(frames: Frame[]): Frame[] {
    return this.#fail(frames, `The provider sent one element of more than ${this.#maxFrameBytes} bytes`);
  }

  /** Frames before the fault still come out; the fault is thrown at the next call. */
  #fail(frames: Frame[], message: string): Frame[] {
    this.#fault = new Failure("upstream_error", message);
    if (frames.length === 0) throw this.#fault;
    return frames;
  }
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
