// Gemini's usage in our meaning: https://ai.google.dev/api/generate-content#UsageMetadata
import type { Usage } from "../core/usage";
import { countOf, itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

/**
 * Google's total = prompt + tool results + candidates + thoughts, and its parts leave each other out: our input is the first
 * two, our output the last two. Zero parts are not written, so an absent `candidatesTokenCount` is read off the total.
 */
export function geminiUsageOf(said: JsonObject, toolCalls: Usage["toolCalls"]): Usage {
  const prompt = countOf(said["promptTokenCount"]);
  const toolResults = countOf(said["toolUsePromptTokenCount"]) ?? 0;
  const thoughts = countOf(said["thoughtsTokenCount"]);
  const candidates = countOf(said["candidatesTokenCount"]);
  const total = countOf(said["totalTokenCount"]);
  const input = prompt === undefined ? undefined : prompt + toolResults;
  const rest = total === undefined || input === undefined || total < input ? undefined : total - input;
  return {
    inputTokens: input,
    outputTokens: candidates === undefined ? rest : candidates + (thoughts ?? 0),
    cacheReadInputTokens: countOf(said["cachedContentTokenCount"]),
    reasoningOutputTokens: thoughts,
    inputAudioTokens: modalityOf(said["promptTokensDetails"], "AUDIO"),
    outputAudioTokens: modalityOf(said["candidatesTokensDetails"], "AUDIO"),
    outputImageTokens: modalityOf(said["candidatesTokensDetails"], "IMAGE"),
    cacheReadAudioTokens: modalityOf(said["cacheTokensDetails"], "AUDIO"),
    toolCalls,
    serviceTier: textOf(said["serviceTier"]),
  };
}

/** The row of a breakdown by modality; undefined where there is none. */
function modalityOf(details: unknown, modality: "AUDIO" | "IMAGE"): number | undefined {
  for (const row of itemsOf(details)) if (objectOf(row)?.["modality"] === modality) return countOf(objectOf(row)?.["tokenCount"]);
  return undefined;
}
