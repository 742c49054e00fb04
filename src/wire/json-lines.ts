// A stream of JSON values, one a line: https://github.com/ndjson/ndjson-spec. Ollama streams so.
import { Failure } from "../core/failure";
import { HeldBytes } from "./bytes-held";
import type { Frame, Framer } from "./frame";

const LF = 0x0a;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export interface JsonLinesOptions {
  /** The most bytes one line may have, its end included. */
  maxFrameBytes: number;
}

/** A framer of lines. Empty lines are frames without `data`. Lines are not validated; whoever parses `data` does that. */
export function openJsonLines(options: JsonLinesOptions): Framer {
  return new JsonLinesFramer(options.maxFrameBytes);
}

class JsonLinesFramer implements Framer {
  readonly #maxFrameBytes: number;
  readonly #held = new HeldBytes();
  #fault: Failure | undefined;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(bytes: Uint8Array): Frame[] {
    if (this.#fault) throw this.#fault;
    const frames: Frame[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      const line = bytes.subarray(start, end + 1);
      if (this.#held.length + line.length > this.#maxFrameBytes) return this.#fail(frames);
      frames.push(frameOf(this.#take(line)));
      start = end + 1;
    }
    const rest = bytes.subarray(start);
    if (this.#held.length + rest.length > this.#maxFrameBytes) return this.#fail(frames);
    if (rest.length > 0) this.#held.append(rest);
    return frames;
  }

  /** The last line may lack its end. One that is not whole JSON was cut off, and is dropped. */
  end(): Frame[] {
    if (this.#fault) throw this.#fault;
    if (this.#held.length === 0) return [];
    const frame = frameOf(this.#held.take());
    return frame.data !== undefined && isJson(frame.data) ? [frame] : [];
  }

  #take(tail: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return tail;
    this.#held.append(tail);
    return this.#held.take();
  }

  /** Frames before the fault still come out; the fault is thrown at the next call. */
  #fail(frames: Frame[]): Frame[] {
    this.#fault = new Failure("upstream_error", `The provider sent one line of more than ${this.#maxFrameBytes} bytes`);
    if (frames.length === 0) throw this.#fault;
    return frames;
  }
}

function frameOf(raw: Uint8Array): Frame {
  const text = decoder.decode(raw).trim();
  return { raw, data: text === "" ? undefined : text, event: undefined, id: undefined };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
