// A script made concrete: status line, headers, and the pieces of the body in order.
import { STATUS_CODES } from "node:http";
import { cut, fillBlocks, gzip, gzipFill } from "./pieces";
import { loadComposedError, loadRecording } from "./recording";
import type { Ending, Pieces, Script } from "./script";

export type Framing = "length" | "chunked" | "close";

export interface ReadyAnswer {
  /** Status line and headers with the final blank line. */
  head: Uint8Array;
  framing: Framing;
  pieces: Iterable<Uint8Array>;
}

interface Source {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
  chunkSizes: readonly number[] | undefined;
  stream: boolean;
}

const encoder = new TextEncoder();
const asBytes = (value: string | Uint8Array): Uint8Array => (typeof value === "string" ? encoder.encode(value) : value);

function sourceOf(script: Script): Source {
  if (script.recording !== undefined) return loadRecording(script.recording);
  if (script.composed !== undefined) {
    const { status, headers, body, sseTail } = loadComposedError(script.composed);
    return { status, headers, body: asBytes(body ?? sseTail ?? ""), chunkSizes: undefined, stream: sseTail !== undefined };
  }
  return { status: 200, headers: { "content-type": "application/json" }, body: new Uint8Array(0), chunkSizes: undefined, stream: false };
}

function bodyOf(script: Script, source: Source): Uint8Array {
  const body = script.body === undefined ? source.body : asBytes(script.body);
  const whole = script.append === undefined ? body : Buffer.concat([body, asBytes(script.append)]);
  return script.gzip === true ? gzip(whole) : whole;
}

/** What the ending says about the body's bytes; undefined where it says nothing. */
export function lastByteOf(end: Ending): number | undefined {
  return "afterBytes" in end ? end.afterBytes : undefined;
}

function headOf(status: number, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return encoder.encode(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n${lines.join("")}\r\n`);
}

/** Refuses a script that asks for what cannot happen: a test must not pass because its fault never came. */
function check(script: Script, framing: Framing, length: number): void {
  const points = (script.pauses ?? []).map((pause) => pause.afterBytes);
  const last = script.end === undefined ? undefined : lastByteOf(script.end);
  for (const point of last === undefined ? points : [...points, last]) {
    if (!Number.isInteger(point) || point < 0 || point > length) throw new Error(`byte ${point} of a body of ${length} bytes`);
  }
  const kind = script.end?.kind;
  if (framing !== "chunked" && (kind === "torn-chunk" || kind === "bad-chunk-size")) throw new Error(`${kind} needs chunked framing`);
  if (framing === "length" && kind === "clean-end") throw new Error("a body with a length cannot end early and be whole");
}

/** Resolves recordings and generated bodies. Throws, in the test's own line, for scripts that cannot be played. */
export function readyAnswer(script: Script): ReadyAnswer {
  const source = sourceOf(script);
  const headers: Record<string, string> = { ...source.headers };
  for (const [name, value] of Object.entries(script.headers ?? {})) headers[name.toLowerCase()] = value;
  const streamed = source.stream || /event-stream|ndjson/.test(headers["content-type"] ?? "");
  const untouched = script.body === undefined && script.append === undefined && script.gzip !== true;
  const recorded = untouched ? source.chunkSizes : undefined;
  const framing = script.framing ?? (streamed || recorded ? "chunked" : "length");

  const { fill } = script;
  const body = fill === undefined ? bodyOf(script, source) : undefined;
  const pieces: Pieces = script.pieces ?? (recorded ? "recorded" : streamed ? "frames" : "whole");
  const filled = fill === undefined ? [] : script.gzip === true ? [...gzipFill(fill)] : undefined;
  const length = body?.length ?? filled?.reduce((sum, block) => sum + block.length, 0) ?? fill?.total ?? 0;
  check(script, framing, length);

  if (script.gzip === true) headers["content-encoding"] = "gzip";
  if (framing === "length") headers["content-length"] = String(length);
  if (framing === "chunked") headers["transfer-encoding"] = "chunked";
  if (framing === "close") headers["connection"] = "close";
  const blocks = (): Iterable<Uint8Array> => filled ?? (fill === undefined ? [] : fillBlocks(fill));
  return {
    head: headOf(script.status ?? source.status, headers),
    framing,
    pieces: body === undefined ? blocks() : cut(body, pieces, recorded),
  };
}
