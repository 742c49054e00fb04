// How many input tokens a Gemini request would have, the provider's side: https://ai.google.dev/api/tokens

import type { ChatRequest } from "../core/chat";
import { countEvents, countedPart } from "./anthropic-count-tokens";
import type { Dialect, EncodeContext, EncodedRequest } from "./dialect";
import { encodeGeminiRequest } from "./gemini-encode";
import { decodeGeminiError } from "./gemini-error";
import { countOf, objectOf, parseJson } from "./provider-json";

/** Tools and instructions count only inside a whole request, which names its model once more. */
function encodeCountRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const encoded = encodeGeminiRequest(countedPart(asked), context);
  const model = encodeURIComponent(context.model);
  const request = { model: `models/${context.model}`, ...objectOf(parseJson(encoded.body)) };
  return {
    ...encoded,
    path: `/models/${model}:countTokens`,
    body: JSON.stringify({ generateContentRequest: request }),
    maxOutputTokens: 0,
  };
}

export const geminiCountTokens: Dialect = {
  name: "gemini-count-tokens",
  encodeRequest: encodeCountRequest,
  decodeResponse: (body) => countEvents(countOf(objectOf(parseJson(body))?.["totalTokens"])),
  openFramer: () => undefined,
  openStream() {
    throw new Error("A count of tokens is never a stream");
  },
  decodeError: decodeGeminiError,
};
