// Anthropic Messages, the provider's side: https://platform.claude.com/docs/en/api/messages
import { openSse } from "../wire/sse";
import { decodeAnthropicResponse, openAnthropicStream } from "./anthropic-messages-decode";
import { encodeAnthropicRequest } from "./anthropic-messages-encode";
import { decodeAnthropicError } from "./anthropic-messages-error";
import type { Dialect } from "./dialect";

/** One event holds at most one delta, or one whole block of a hosted tool's results. */
const MAX_FRAME_BYTES = 1024 * 1024;

export const anthropicMessages: Dialect = {
  name: "anthropic-messages",
  encodeRequest: encodeAnthropicRequest,
  decodeResponse: decodeAnthropicResponse,
  openFramer: (contentType) =>
    contentType.split(";")[0]?.trim().toLowerCase() === "text/event-stream" ? openSse({ maxFrameBytes: MAX_FRAME_BYTES }) : undefined,
  openStream: openAnthropicStream,
  decodeError: decodeAnthropicError,
};
