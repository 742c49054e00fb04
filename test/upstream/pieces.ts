// Cuts a body into the writes of a replay, and makes bodies that are too large to hold.
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import type { Fill, Pieces } from "./script";

const FILL_BLOCK = 1 << 20;
const encoder = new TextEncoder();

/** mulberry32: small, seeded, the same everywhere. In [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** After each blank line (LF LF or CR LF CR LF): the sizes of the SSE frames, the rest as a last one. */
function frameSizes(body: Uint8Array): number[] {
  const sizes: number[] = [];
  let start = 0;
  for (let i = 0; i < body.length; i++) {
    const blank = body[i] === 10 && (body[i - 1] === 10 || (body[i - 1] === 13 && body[i - 2] === 10));
    if (!blank || i - start < 2) continue;
    sizes.push(i + 1 - start);
    start = i + 1;
  }
  if (start < body.length) sizes.push(body.length - start);
  return sizes;
}

function sizesOf(body: Uint8Array, pieces: Pieces, recorded: readonly number[] | undefined): readonly number[] {
  if (pieces === "whole") return [body.length];
  if (pieces === "bytes") return new Array<number>(body.length).fill(1);
  if (pieces === "frames") return frameSizes(body);
  if (pieces === "recorded") {
    if (!recorded) throw new Error("this recording has no chunk sizes");
    return recorded;
  }
  if ("sizes" in pieces) return pieces.sizes;
  const next = seeded(pieces.seed);
  const sizes: number[] = [];
  for (let left = body.length; left > 0; ) {
    const size = Math.min(left, 1 + Math.floor(next() * 96));
    sizes.push(size);
    left -= size;
  }
  return sizes;
}

/** The body cut as `pieces` says; bytes past the last given size are one more piece. */
export function cut(body: Uint8Array, pieces: Pieces, recorded: readonly number[] | undefined): Iterable<Uint8Array> {
  return slices(body, sizesOf(body, pieces, recorded));
}

function* slices(body: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let start = 0;
  for (const size of sizes) {
    if (size > 0 && start < body.length) yield body.subarray(start, start + size);
    start += size;
  }
  if (start < body.length) yield body.subarray(start);
}

/** How many bytes of `unit` a fill has between prefix and suffix. */
function middleOf(fill: Fill): number {
  const middle = fill.total - encoder.encode(fill.prefix + fill.suffix).length;
  if (middle < 0) throw new Error("the total is smaller than prefix and suffix");
  return middle;
}

/** One block of repeated units; its length is a multiple of the unit's. */
function blockOf(fill: Fill): Uint8Array {
  const unit = encoder.encode(fill.unit);
  if (unit.length === 0) throw new Error("the unit is empty");
  return encoder.encode(fill.unit.repeat(Math.max(1, Math.floor(FILL_BLOCK / unit.length))));
}

/** The fill as blocks of about 1 MiB. */
export function* fillBlocks(fill: Fill): Generator<Uint8Array> {
  yield encoder.encode(fill.prefix);
  const block = blockOf(fill);
  let left = middleOf(fill);
  for (; left > block.length; left -= block.length) yield block;
  yield block.subarray(0, left);
  yield encoder.encode(fill.suffix);
}

/** `bytes` as DEFLATE blocks that refer to nothing before them and end on a byte (RFC 1951; zlib's Z_FULL_FLUSH = 3). */
const independentDeflate = (bytes: Uint8Array): Uint8Array => new Uint8Array(deflateRawSync(bytes, { level: 9, finishFlush: 3 }));

/** The fill as one gzip member (RFC 1952): equal blocks are compressed once and repeated, so a bomb of gigabytes costs nothing to make. */
export function* gzipFill(fill: Fill): Generator<Uint8Array> {
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255);
  let checksum = 0;
  let last: { plain: Uint8Array; packed: Uint8Array } | undefined;
  for (const plain of fillBlocks(fill)) {
    checksum = crc32(plain, checksum);
    if (last?.plain !== plain) last = { plain, packed: independentDeflate(plain) };
    yield last.packed;
  }
  const tail = new DataView(new ArrayBuffer(10));
  tail.setUint16(0, 0x0300);
  tail.setUint32(2, checksum, true);
  tail.setUint32(6, fill.total % 2 ** 32, true);
  yield new Uint8Array(tail.buffer);
}

export const gzip = (body: Uint8Array): Uint8Array => new Uint8Array(gzipSync(body));
