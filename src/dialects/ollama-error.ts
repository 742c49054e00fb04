// What Ollama's errors mean: https://docs.ollama.com/api/errors. Each is `{"error": "a sentence"}`; the cloud's may be an object.
import type { Failure } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { type FlatWords, flatFailureInStream, meaningOfFlatError } from "./flat-error";
import { type JsonObject, objectOf, parseJson, textOf } from "./provider-json";
import { retryAfterMs } from "./provider-message";

/** "… does not support tools": what the model lacks, by the caller's names. */
const PARAM_OF_LACK: Readonly<Record<string, string>> = {
  tools: "tools",
  thinking: "reasoning_effort",
  images: "messages",
  vision: "messages",
  chat: "model",
};

const WORDS: FlatWords = {
  /** "prompt too long; exceeded max context length by 1119046 tokens"; "the input length exceeds the context length" */
  contextLength: /context length|prompt (?:is )?too long/i,
  /** "you've reached your hourly usage limit": an hour is longer than any wait of ours. */
  lasting: /(?:hourly|daily|weekly|monthly) usage limit/i,
  unsupported: /does not support/i,
  paramOf(message) {
    const lack = /does not support (\w+)/i.exec(message)?.[1]?.toLowerCase();
    return lack !== undefined && Object.hasOwn(PARAM_OF_LACK, lack) ? PARAM_OF_LACK[lack] : undefined;
  },
};

/** What an error answer means. `headers` are lower-case. */
export function decodeOllamaError(status: number, headers: HeaderView, body: string): ProviderError {
  const error = objectOf(parseJson(body));
  return meaningOfFlatError({ status, message: messageIn(error), retryAfterMs: retryAfterMs(headers) }, WORDS);
}

/** The failure of an error line inside a stream, or of an error object in place of an answer. */
export const failureInStream = (json: JsonObject): Failure => flatFailureInStream(messageIn(json));

const messageIn = (error: JsonObject | undefined): string | undefined =>
  textOf(error?.["error"]) ?? textOf(objectOf(error?.["error"])?.["message"]) ?? textOf(error?.["message"]);
