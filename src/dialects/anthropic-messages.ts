// Anthropic Messages, both ways: the door of Claude Code and of Anthropic's SDKs. https://platform.claude.com/docs/en/api/messages
import { openSse } from "../wire/sse";
import { encodeAnthropicAnswer, encodeAnthropicFailure, openAnthropicEncoder } from "./anthropic-messages-answer";
import { decodeAnthropicResponse, openAnthropicStream } from "./anthropic-messages-decode";
import { encodeAnthropicRequest } from "./anthropic-messages-encode";
import { decodeAnthropicError } from "./anthropic-messages-error";
import { ANTHROPIC_MESSAGES_FIELDS, BETA_HEADER, VERSION_HEADER } from "./anthropic-messages-fields";
import { forwardAnthropicAnswer, forwardAnthropicRequest } from "./anthropic-messages-forward";
import { AnthropicForwarder } from "./anthropic-messages-forward-stream";
import { decodeAnthropicRequest } from "./anthropic-messages-request";
import type { DoorDialect } from "./dialect";

/** One event holds at most one delta, or one whole block of a hosted tool's results. */
const MAX_FRAME_BYTES = 1024 * 1024;

export const anthropicMessages: DoorDialect = {
  name: "anthropic-messages",
  streamType: "text/event-stream; charset=utf-8",
  fields: ANTHROPIC_MESSAGES_FIELDS,
  readsHeaders: [VERSION_HEADER, BETA_HEADER],
  requestIdHeader: "request-id",
  encodeRequest: encodeAnthropicRequest,
  decodeResponse: decodeAnthropicResponse,
  openFramer: (contentType) =>
    contentType.split(";")[0]?.trim().toLowerCase() === "text/event-stream" ? openSse({ maxFrameBytes: MAX_FRAME_BYTES }) : undefined,
  openStream: openAnthropicStream,
  decodeError: decodeAnthropicError,
  decodeRequest: decodeAnthropicRequest,
  encodeResponse: encodeAnthropicAnswer,
  openEncoder: openAnthropicEncoder,
  encodeFailure: encodeAnthropicFailure,
  forwardRequest: (bytes, request, context) => forwardAnthropicRequest(bytes, request, context),
  forwardResponse: forwardAnthropicAnswer,
  openForwarder: (context, deviations) => new AnthropicForwarder(context, deviations),
};
