// Ollama's own chat, the provider's side: https://docs.ollama.com/api/chat
import { openJsonLines } from "../wire/json-lines";
import type { Dialect } from "./dialect";
import { decodeOllamaResponse, openOllamaStream } from "./ollama-decode";
import { encodeOllamaRequest } from "./ollama-encode";
import { decodeOllamaError } from "./ollama-error";

/** A picture that a model made comes whole in one line, base64. */
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

const STREAM_TYPES: ReadonlySet<string> = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl"]);

export const ollama: Dialect = {
  name: "ollama",
  encodeRequest: encodeOllamaRequest,
  decodeResponse: decodeOllamaResponse,
  openFramer: (contentType) =>
    STREAM_TYPES.has(contentType.split(";")[0]?.trim().toLowerCase() ?? "") ? openJsonLines({ maxFrameBytes: MAX_FRAME_BYTES }) : undefined,
  openStream: openOllamaStream,
  decodeError: decodeOllamaError,
};
