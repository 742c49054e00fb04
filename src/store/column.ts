// Column types that read the same on both drivers. Integers arrive as bigint (safeIntegers, intMode: "bigint"): without
// that 9007199254740993 reads back as …992 and sums round in silence, so a driver set otherwise is an error here.
import { customType } from "drizzle-orm/sqlite-core";
import { type NanoUsd, nanoUsd } from "../core/money";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A value that no row can hold. Only its own write fails. */
export class UnstorableValue extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnstorableValue";
  }
}

/** A 64-bit integer; throws `UnstorableValue` for what does not fit. */
export function int64(value: bigint): bigint {
  if (value > INT64_MAX || value < INT64_MIN) throw new UnstorableValue(`${value} does not fit 64 bits`);
  return value;
}

function whole(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new UnstorableValue(`${value} is not a whole number`);
  return BigInt(value);
}

/** A bigint as the driver gave it. */
export function fromInteger(value: unknown): bigint {
  if (typeof value !== "bigint") throw new TypeError(`The driver read an integer as ${typeof value}: it must be set to bigint`);
  return value;
}

/** A whole number below 2^53 as the driver gave it. */
export function fromWhole(value: unknown): number {
  const number = Number(fromInteger(value));
  if (!Number.isSafeInteger(number)) throw new RangeError(`${number} is beyond 2^53`);
  return number;
}

/** Nano-USD. */
export const money = customType<{ data: NanoUsd; driverData: bigint }>({
  dataType: () => "integer",
  toDriver: int64,
  fromDriver: (value) => nanoUsd(fromInteger(value)),
});

/** Counts, ids, Unix milliseconds: whole numbers below 2^53. */
export const count = customType<{ data: number; driverData: bigint }>({
  dataType: () => "integer",
  toDriver: whole,
  fromDriver: fromWhole,
});

export const flag = customType<{ data: boolean; driverData: bigint }>({
  dataType: () => "integer",
  toDriver: (value) => (value ? 1n : 0n),
  fromDriver: (value) => fromInteger(value) === 1n,
});

/** Milliseconds, with their fraction. */
export const duration = customType<{ data: number; driverData: number }>({
  dataType: () => "real",
  toDriver: (value) => {
    // libSQL's client would throw on its own here, and that looks like a broken connection.
    if (!Number.isFinite(value)) throw new UnstorableValue(`${value} is not a number of milliseconds`);
    return value;
  },
});

/** Bytes. libSQL reads them as an ArrayBuffer. */
export const packed = customType<{ data: Uint8Array; driverData: Uint8Array | ArrayBuffer }>({
  dataType: () => "blob",
  fromDriver: (value) => (value instanceof Uint8Array ? value : new Uint8Array(value)),
});
