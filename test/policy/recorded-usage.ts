// Recording → usage, through the decoder of its dialect: the same way that a live answer takes.
import type { ChatEvent } from "../../src/core/chat";
import { mergeUsage, type Usage } from "../../src/core/usage";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import type { Dialect } from "../../src/dialects/dialect";
import { gemini } from "../../src/dialects/gemini";
import { openaiChat } from "../../src/dialects/openai-chat";

import type { Recording } from "../recordings/load";

const DIALECTS: Readonly<Record<string, Dialect>> = { "openai-chat": openaiChat, "anthropic-messages": anthropicMessages, gemini };

export function usageOfRecording(recording: Recording): Usage | undefined {
  let usage: Usage | undefined;
  for (const event of eventsOf(recording)) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  return usage;
}

function eventsOf(recording: Recording): readonly ChatEvent[] {
  const dialect = DIALECTS[recording.format];
  if (!dialect) throw new Error(`No dialect for ${recording.format}`);
  const framer = recording.stream ? dialect.openFramer(recording.headers.get("content-type") ?? "text/event-stream") : undefined;
  if (!framer) return dialect.decodeResponse(new TextDecoder().decode(recording.body));
  const decoder = dialect.openStream({});
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
