// A vector as numbers and as base64, which is how OpenAI's own clients always ask for it: little-endian float32, four bytes a number.
// https://platform.openai.com/docs/api-reference/embeddings/create#embeddings-create-encoding_format
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import type { Deviations } from "./dialect";

export type Vector = readonly number[] | string;
export type VectorFormat = "float" | "base64";

const BYTES_PER_NUMBER = 4;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A provider's vector, checked. Throws `upstream_error` for what is none. */
export function readVector(value: unknown, deviations: Deviations): Vector {
  if (typeof value === "string") {
    if (!BASE64.test(value)) throw notAVector();
    if (deviations.vectors === "int8") return Array.from(new Int8Array(copyOf(Buffer.from(value, "base64"))));
    if (Buffer.byteLength(value, "base64") % BYTES_PER_NUMBER !== 0) throw notAVector();
    return value;
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every((number) => typeof number === "number")) throw notAVector();
  return value as number[];
}

/** The events of an answer that lists its vectors in the order of the inputs. `inputTokens` undefined: not told. */
export function vectorEvents(vectors: unknown, inputTokens: number | undefined): ChatEvent[] {
  if (!Array.isArray(vectors)) throw new Failure("upstream_error", "The provider's answer is not a list of embeddings");
  const events: ChatEvent[] = vectors.map((vector: unknown, index) => ({ type: "embedding", index, vector: readVector(vector, {}) }));
  // An embedding has no output: that is told by its being one.
  if (inputTokens !== undefined) events.push({ type: "usage", usage: { inputTokens, outputTokens: 0 } });
  return events;
}

/** The same vector in the format that was asked for. Numbers become float32 in base64: what OpenAI's models have, and no more. */
export function inFormat(vector: Vector, format: VectorFormat): Vector {
  switch (format) {
    case "float":
      return typeof vector === "string" ? numbersOf(vector) : vector;
    case "base64":
      return typeof vector === "string" ? vector : base64Of(vector);
  }
}

export const isInFormat = (vector: unknown, format: VectorFormat): boolean => (typeof vector === "string") === (format === "base64");

function numbersOf(base64: string): number[] {
  const view = new DataView(copyOf(Buffer.from(base64, "base64")));
  return Array.from({ length: view.byteLength / BYTES_PER_NUMBER }, (_, i) => view.getFloat32(i * BYTES_PER_NUMBER, true));
}

function base64Of(numbers: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(numbers.length * BYTES_PER_NUMBER);
  for (const [i, number] of numbers.entries()) bytes.writeFloatLE(number, i * BYTES_PER_NUMBER);
  return bytes.toString("base64");
}

/** A small `Buffer` is a window on a shared pool. */
const copyOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const notAVector = (): Failure => new Failure("upstream_error", "The provider's answer holds something that is not a vector");
