// What the operator set, frozen at start. config.ts reads it; the line only reads fields.
import type { Brand } from "./brand";
import type { Secret } from "./secret";

export interface Limits {
  /** Bytes of a request's body. */
  maxBodyBytes: number;
  /** Decoded bytes of a provider's whole answer. */
  maxAnswerBytes: number;
  /** Targets tried for one call. */
  maxTargets: number;
}

/** Milliseconds. */
export interface Deadlines {
  /** The caller's whole body. */
  bodyMs: number;
  /** A stream's first frame, from the moment the request goes out. */
  firstChunkMs: number;
  /** A whole answer, from the moment the request goes out. */
  answerMs: number;
  /** Silence in the middle of a stream. */
  idleGapMs: number;
  /** A caller that does not read. */
  writeStallMs: number;
  /** How long a provider that bills anyway is listened to after the caller left. */
  drainMs: number;
}

export interface Settings {
  readonly brand: Brand;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
}

/** A provider account that the operator connected: where it is and with which credential. */
export interface Connection {
  /** The provider's slug. */
  readonly provider: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly credential: Secret;
}
