// Google Gemini's generateContent, the provider's side: https://ai.google.dev/api/generate-content
import type { Dialect } from "./dialect";
import { decodeGeminiResponse, openGeminiStream } from "./gemini-decode";
import { encodeGeminiRequest } from "./gemini-encode";
import { decodeGeminiError } from "./gemini-error";
import { openGeminiFramer } from "./gemini-framer";

export const gemini: Dialect = {
  name: "gemini",
  encodeRequest: encodeGeminiRequest,
  decodeResponse: decodeGeminiResponse,
  openFramer: openGeminiFramer,
  openStream: openGeminiStream,
  decodeError: decodeGeminiError,
};
