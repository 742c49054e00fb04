// Vectors of the simulator: a pure function of each input, of length 1 as most models' are.

/** The fields of an embeddings request that the simulator looks at. The line has validated them. */
export interface SimulatedEmbeddings {
  model: string;
  input: unknown;
  dimensions?: number | null;
  encoding_format?: string | null;
}

/** As many as OpenAI's smaller models have. */
const DEFAULT_DIMENSIONS = 1_536;
/** OpenAI's limit of inputs, and more numbers than it answers with: a caller cannot make this process fill its memory. */
const INPUTS_MAX = 2_048;
const NUMBERS_MAX = INPUTS_MAX * DEFAULT_DIMENSIONS;

/** The text of the last input, where directives stand. */
export function lastInput({ input }: SimulatedEmbeddings): string {
  const last: unknown = Array.isArray(input) ? input.at(-1) : input;
  return typeof last === "string" ? last : "";
}

/** Why a request gets no answer; undefined: it gets one. */
export function refuseEmbeddings({ input, dimensions }: SimulatedEmbeddings): { message: string; param: string } | undefined {
  const count = inputsOf(input).length;
  if (count > INPUTS_MAX) return { message: `The simulator takes at most ${INPUTS_MAX} inputs.`, param: "input" };
  if (count * (dimensions ?? DEFAULT_DIMENSIONS) <= NUMBERS_MAX) return undefined;
  return { message: `The simulator answers with at most ${NUMBERS_MAX} numbers.`, param: "dimensions" };
}

/** `noUsage`: the answer does not say what it consumed. */
export function simulateEmbeddings(request: SimulatedEmbeddings, noUsage: boolean): object {
  const inputs = inputsOf(request.input);
  const dimensions = request.dimensions ?? DEFAULT_DIMENSIONS;
  const tokens = inputs.reduce<number>((sum, input) => sum + tokensOf(input), 0);
  const data = inputs.map((input, index) => {
    const vector = vectorOf(JSON.stringify(input), dimensions);
    return { object: "embedding", index, embedding: request.encoding_format === "base64" ? base64Of(vector) : Array.from(vector) };
  });
  return {
    object: "list",
    data,
    model: request.model,
    ...(noUsage ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}

function inputsOf(input: unknown): readonly unknown[] {
  return Array.isArray(input) && typeof input[0] !== "number" ? input : [input];
}

/** Numbers are tokens; of text, about four characters are one. */
const tokensOf = (input: unknown): number =>
  Array.isArray(input) ? input.length : Math.ceil((typeof input === "string" ? input : JSON.stringify(input)).length / 4);

/** FNV-1a of the text seeds a xorshift32; the numbers are then scaled to a vector of length 1. */
function vectorOf(text: string, dimensions: number): Float32Array {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = state | 0 || 1;
  const numbers = Array.from({ length: dimensions }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
  const length = Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
  return Float32Array.from(numbers, (number) => number / length);
}

const base64Of = (vector: Float32Array): string => Buffer.from(vector.buffer).toString("base64");
