// Recording → usage, through the decoder of its dialect: the same way that a live answer takes.
import type { ChatEvent } from "../../src/core/chat";
import { mergeUsage, type Usage } from "../../src/core/usage";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import { cohere } from "../../src/dialects/cohere";
import { cohereEmbeddings } from "../../src/dialects/cohere-embeddings";
import type { Deviations, Dialect } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { ollama } from "../../src/dialects/ollama";
import { ollamaEmbeddings } from "../../src/dialects/ollama-embeddings";
import { openaiChat } from "../../src/dialects/openai-chat";
import { openaiEmbeddings } from "../../src/dialects/openai-embeddings";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { PROVIDERS } from "../../src/providers/registry";
import type { Recording } from "../recordings/load";

const DIALECTS: Readonly<Record<string, Dialect>> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "openai-embeddings": openaiEmbeddings,
  "anthropic-messages": anthropicMessages,
  gemini,
  "cohere-v2-chat": cohere,
  "cohere-embed": cohereEmbeddings,
  "ollama-chat": ollama,
  "ollama-embed": ollamaEmbeddings,
};

/** Whether a live answer of this kind could come: the provider has a row, the format a dialect. */
export const isServed = (recording: Recording): boolean =>
  Object.hasOwn(DIALECTS, recording.format) && PROVIDERS.some((row) => row.name === recording.provider);

export function usageOfRecording(recording: Recording): Usage | undefined {
  let usage: Usage | undefined;
  for (const event of eventsOf(recording)) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  return usage;
}

function eventsOf(recording: Recording): readonly ChatEvent[] {
  const dialect = DIALECTS[recording.format];
  if (!dialect) throw new Error(`No dialect for ${recording.format}`);
  const deviations: Deviations = PROVIDERS.find((row) => row.name === recording.provider)?.deviations ?? {};
  const framer = recording.stream ? dialect.openFramer(recording.headers.get("content-type") ?? "text/event-stream") : undefined;
  if (!framer) return dialect.decodeResponse(new TextDecoder().decode(recording.body), deviations);
  const decoder = dialect.openStream(deviations);
  const frames = [...framer.push(recording.body), ...framer.end()];
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

/** Every text of an answer: what a meter counts. */
export function outputTextOf(recording: Recording): string {
  return eventsOf(recording)
    .map((event) =>
      event.type === "text" || event.type === "refusal" || event.type === "reasoning" || event.type === "tool-arguments" ? event.text : "",
    )
    .join("");
}
