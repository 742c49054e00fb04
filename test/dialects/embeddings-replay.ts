// What the tests of the embeddings dialects share: recordings by format, requests as the door reads them, contexts with a known stamp.
import type { ChatEvent, ChatRequest } from "../../src/core/chat";
import { type NanoUsd, nanoUsd } from "../../src/core/money";
import type { Usage } from "../../src/core/usage";
import { cohereEmbeddings } from "../../src/dialects/cohere-embeddings";
import type { AnswerContext, Deviations, Dialect, EncodeContext } from "../../src/dialects/dialect";
import { geminiEmbeddings } from "../../src/dialects/gemini-embeddings";
import { ollamaEmbeddings } from "../../src/dialects/ollama-embeddings";
import { openaiEmbeddings } from "../../src/dialects/openai-embeddings";
import { allRecordings, type Recording } from "../recordings/load";

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const utf8 = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Embeddings recordings' formats, and who reads them. */
export const DIALECTS: Readonly<Record<string, Dialect>> = {
  "openai-embeddings": openaiEmbeddings,
  "gemini-embed": geminiEmbeddings,
  "cohere-embed": cohereEmbeddings,
  "ollama-embed": ollamaEmbeddings,
};

export const EVERY: readonly (readonly [id: string, recording: Recording])[] = Object.keys(DIALECTS)
  .flatMap((format) => allRecordings(undefined, format))
  .map((each) => [each.id, each] as const);

export const dialectOf = (recording: Recording): Dialect => {
  const dialect = DIALECTS[recording.format];
  if (!dialect) throw new Error(`No dialect reads ${recording.format}`);
  return dialect;
};

/** How the recorded providers depart from OpenAI's dialect, as their rows say it. */
export const deviationsOf = (recording: Recording): Deviations => (recording.provider === "perplexity" ? { vectors: "int8" } : {});

export const decode = (recording: Recording): ChatEvent[] =>
  dialectOf(recording).decodeResponse(text(recording.body), deviationsOf(recording));

export type Embedding = Extract<ChatEvent, { type: "embedding" }>;
export const embeddingsIn = (events: readonly ChatEvent[]): Embedding[] => events.filter((event) => event.type === "embedding");
export const usageIn = (events: readonly ChatEvent[]): Usage | undefined => events.flatMap((e) => (e.type === "usage" ? [e.usage] : []))[0];

/** The base64 of little-endian float32 as numbers, by other means than the code under test. */
export const floats = (base64: string): number[] => Array.from(new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer));

export const read = (body: object): ChatRequest => openaiEmbeddings.decodeRequest(body).request;

/** As many inputs as the recorded answer has vectors. */
export const requestFor = (events: readonly ChatEvent[], format?: "float" | "base64"): ChatRequest =>
  read({
    model: "asked",
    input: embeddingsIn(events).map((_, n) => `input ${n}`),
    ...(format === undefined ? {} : { encoding_format: format }),
  });

export const COST: NanoUsd = nanoUsd(1_234n);

export const contextFor = (request: ChatRequest, more: Partial<AnswerContext> = {}): AnswerContext => ({
  model: request.model,
  extensionName: "tollway",
  requestId: "request-1",
  request,
  asked: {},
  createdAt: 1_790_000_000,
  includeUsage: false,
  stamp: (usage) => ({
    costUsd: COST,
    extension: { request_id: "request-1" },
    countedUsage: usage === undefined ? { inputTokens: 7, outputTokens: 0 } : undefined,
  }),
  ...more,
});

export const encodeContext = (more: Partial<EncodeContext> = {}): EncodeContext => ({
  model: "served",
  defaultMaxOutputTokens: 4_096,
  unsupported: [],
  dropUnsupported: false,
  deviations: {},
  caller: openaiEmbeddings,
  ...more,
});
