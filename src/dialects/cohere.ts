// Cohere's chat, version 2, the provider's side: https://docs.cohere.com/reference/chat
import { openSse } from "../wire/sse";
import { decodeCohereResponse, openCohereStream } from "./cohere-decode";
import { encodeCohereRequest } from "./cohere-encode";
import { decodeCohereError } from "./cohere-error";
import type { Dialect } from "./dialect";

/** A citation repeats the whole documents and tool results that it names. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export const cohere: Dialect = {
  name: "cohere",
  encodeRequest: encodeCohereRequest,
  decodeResponse: decodeCohereResponse,
  openFramer: (contentType) =>
    contentType.split(";")[0]?.trim().toLowerCase() === "text/event-stream" ? openSse({ maxFrameBytes: MAX_FRAME_BYTES }) : undefined,
  openStream: openCohereStream,
  decodeError: decodeCohereError,
};
