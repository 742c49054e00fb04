// A frame is one unit on the wire of a stream: an SSE event, or one JSON value of an array or of lines.

export interface Frame {
  /** The bytes exactly as they came, with everything up to and including the blank line. */
  raw: Uint8Array;
  /** The payload: SSE `data` (joined by \n), or the JSON value's text. undefined: a comment or an empty frame, forwarded but not decoded. */
  data: string | undefined;
  /** SSE `event`, where the frame has one. */
  event: string | undefined;
  /** SSE `id`, where the frame has one. */
  id: string | undefined;
}

/** Bytes → frames. Bytes may be cut anywhere. */
export interface Framer {
  /** Throws `Failure` when one frame exceeds the cap. */
  push(bytes: Uint8Array): Frame[];
  /** The bytes are over. An unfinished frame is dropped, as the SSE standard says. */
  end(): Frame[];
}
