// Whole numbers as they lie in a rollup's body: the smallest of them once, and each one's distance from it in as few bytes as the
// largest distance takes. Little-endian, as every machine is that Bun runs on. Pure: bytes in, numbers out.

/** Integers up to here are exact in a double, with room for one rounding. */
export const EXACT_LIMIT = 2 ** 52;

type Distances = Uint8Array | Uint16Array | Uint32Array | Float64Array;

export interface PackedColumn {
  readonly count: number;
  /** What is added to each distance. */
  readonly base: number;
  /** The sum of all values, rounded to a double. */
  readonly total: number;
  /** undefined: every value is `base`. A BigInt64Array: values themselves, some of them beyond `EXACT_LIMIT`. */
  readonly values: Distances | BigInt64Array | undefined;
}

/** Bytes per value, count (u32), base (f64), total (f64). */
const HEAD_BYTES = 24;
const BIG = 16;

const widthFor = (range: number): number => (range === 0 ? 0 : range < 2 ** 8 ? 1 : range < 2 ** 16 ? 2 : range < 2 ** 32 ? 4 : 8);
const bytesOf = (width: number, count: number): number => Math.ceil(((width === BIG ? 8 : width) * count) / 8) * 8;

/** Several columns of whole numbers, none below zero, one after the other. */
export function pack(columns: readonly (readonly (number | bigint)[])[]): Uint8Array {
  const plans = columns.map((values) => {
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    let total = 0;
    for (const value of values) {
      const number = Number(value);
      low = Math.min(low, number);
      high = Math.max(high, number);
      total += number;
    }
    const width = values.length === 0 ? 0 : high >= EXACT_LIMIT ? BIG : widthFor(high - low);
    return { values, total, width, base: width === BIG || values.length === 0 ? 0 : low };
  });
  const body = new Uint8Array(plans.reduce((sum, { width, values }) => sum + HEAD_BYTES + bytesOf(width, values.length), 0));
  const view = new DataView(body.buffer);
  let at = 0;
  for (const { values, width, base, total } of plans) {
    view.setUint8(at, width);
    view.setUint32(at + 4, values.length, true);
    view.setFloat64(at + 8, base, true);
    view.setFloat64(at + 16, total, true);
    at += HEAD_BYTES;
    const into = arrayOf(body.buffer, at, width, values.length);
    if (into instanceof BigInt64Array) for (let n = 0; n < values.length; n++) into[n] = BigInt(values[n] ?? 0);
    else if (into !== undefined) for (let n = 0; n < values.length; n++) into[n] = Number(values[n]) - base;
    at += bytesOf(width, values.length);
  }
  return body;
}

/** The reverse of `pack`, without a copy where the bytes lie well. */
export function unpack(bytes: Uint8Array): PackedColumn[] {
  const body = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const columns: PackedColumn[] = [];
  let at = 0;
  while (at < body.byteLength) {
    const width = view.getUint8(at);
    const count = view.getUint32(at + 4, true);
    const values = arrayOf(body.buffer, body.byteOffset + at + HEAD_BYTES, width, count);
    columns.push({ count, base: view.getFloat64(at + 8, true), total: view.getFloat64(at + 16, true), values });
    at += HEAD_BYTES + bytesOf(width, count);
  }
  return columns;
}

function arrayOf(buffer: ArrayBufferLike, at: number, width: number, count: number): PackedColumn["values"] {
  switch (width) {
    case 0:
      return undefined;
    case 1:
      return new Uint8Array(buffer, at, count);
    case 2:
      return new Uint16Array(buffer, at, count);
    case 4:
      return new Uint32Array(buffer, at, count);
    case 8:
      return new Float64Array(buffer, at, count);
    case BIG:
      return new BigInt64Array(buffer, at, count);
    default:
      throw new RangeError(`A rollup's body has columns of ${width} bytes, which this version does not know`);
  }
}

/** One value of a column; a number unless the column has some beyond `EXACT_LIMIT`. */
export function valueAt({ base, values }: PackedColumn, index: number): number | bigint {
  const value = values === undefined ? 0 : (values[index] ?? 0);
  return typeof value === "bigint" ? value : base + value;
}
