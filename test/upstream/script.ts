// What the replay upstream answers, as data: an answer (recorded, composed or given), how its bytes are cut, where it waits, how it ends.

/** A wait. `never` ends only when the client leaves; a gate is opened by name (control mode), a promise by the test. */
export type Pause = "never" | Promise<void> | { readonly ms: number } | { readonly gate: string };

/** How a body is cut into writes; with chunked framing each is one HTTP chunk. */
export type Pieces =
  | "whole"
  /** The recording's own network chunks. */
  | "recorded"
  /** One SSE event each (cut after every blank line). */
  | "frames"
  /** One byte each. */
  | "bytes"
  | { readonly sizes: readonly number[] }
  /** 1 to 96 bytes each, the same for the same seed. */
  | { readonly seed: number };

/** How the answer ends. Byte counts are of the body as sent (after compression), without HTTP framing. */
export type Ending =
  | { readonly kind: "whole" }
  /** The whole answer, keep-alive promised, then FIN: the next request meets a stale connection. */
  | { readonly kind: "close-after" }
  /** The body stops early and HTTP says that it is whole. */
  | { readonly kind: "clean-end"; readonly afterBytes: number }
  /** FIN in the middle: Content-Length not reached, or no last chunk. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** RST in the middle. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  | { readonly kind: "cut-before-headers" }
  | { readonly kind: "reset-before-headers" }
  /** A chunk announces more bytes than follow, then FIN. Chunked framing only. */
  | { readonly kind: "torn-chunk"; readonly afterBytes: number }
  /** A chunk size that is no number, then FIN. Chunked framing only. */
  | { readonly kind: "bad-chunk-size"; readonly afterBytes: number };

/** A generated body: prefix, then `unit` repeated until `total` bytes with the suffix, then the suffix. Never held in memory whole. */
export interface Fill {
  readonly prefix: string;
  readonly unit: string;
  readonly total: number;
  readonly suffix: string;
}

export interface Script {
  /** Status, headers and body of this recording. What stands below replaces its parts. */
  readonly recording?: string | undefined;
  /** The same of a composed error ("openai.429.tpm"). */
  readonly composed?: string | undefined;
  readonly status?: number | undefined;
  /** Added to the recorded headers; the same name replaces. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** After the body: a second terminator, late chunks. */
  readonly append?: string | Uint8Array | undefined;
  readonly fill?: Fill | undefined;
  /** Compresses the body and says so in content-encoding. */
  readonly gzip?: boolean | undefined;
  /** Default: chunked for streams, else length. `close`: the end of the connection is the end of the body. */
  readonly framing?: "length" | "chunked" | "close" | undefined;
  /** Default: the recorded chunks, else SSE frames for streams, else whole. */
  readonly pieces?: Pieces | undefined;
  /** `head`: answers (or breaks) as soon as the request's head is there, its body unread. Default `body`. */
  readonly answerAt?: "head" | "body" | undefined;
  readonly beforeHeaders?: Pause | undefined;
  /** Before every piece but the first. */
  readonly betweenPieces?: Pause | undefined;
  /** Waits at these points of the body; 0 is after the headers. */
  readonly pauses?: readonly { readonly afterBytes: number; readonly until: Pause }[] | undefined;
  readonly end?: Ending | undefined;
  /** These bytes instead of an HTTP answer, then FIN. */
  readonly raw?: string | Uint8Array | undefined;
}

/** A script, or the id of a recording. */
export type Answer = Script | string;

/** An answer for each model; a pair chooses by whether the request asks for a stream. */
export type ByModel = Readonly<Record<string, Answer | { readonly whole: Answer; readonly stream: Answer }>>;

export const asScript = (answer: Answer): Script => (typeof answer === "string" ? { recording: answer } : answer);

/** A promise and the function that fulfils it. */
export function gate(): { promise: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: () => resolve() };
}
