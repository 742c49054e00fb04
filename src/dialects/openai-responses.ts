// OpenAI's Responses API, both ways: the only one that Codex speaks, and the AI SDK's first choice.
// https://platform.openai.com/docs/api-reference/responses
import { openSse } from "../wire/sse";
import type { DoorDialect } from "./dialect";
import { encodeOpenaiChatFailure } from "./openai-chat-encode";
import { decodeResponsesAnswer } from "./openai-responses-answer";
import { encodeResponsesAnswer, openResponsesEncoder } from "./openai-responses-encode";
import { decodeResponsesError } from "./openai-responses-error";
import { OPENAI_RESPONSES_FIELDS } from "./openai-responses-fields";
import { forwardResponsesAnswer, forwardResponsesRequest } from "./openai-responses-forward";
import { ResponsesForwarder } from "./openai-responses-forward-stream";
import { decodeResponsesRequest } from "./openai-responses-request";
import { encodeResponsesRequest } from "./openai-responses-request-encode";
import { ResponsesStream } from "./openai-responses-stream";

/** The most bytes of one event: each of the last ones holds the whole answer, images too. */
const MAX_EVENT_BYTES = 32 * 1024 * 1024;

export const openaiResponses: DoorDialect = {
  name: "openai-responses",
  streamType: "text/event-stream; charset=utf-8",
  fields: OPENAI_RESPONSES_FIELDS,
  readsHeaders: [],
  encodeRequest: encodeResponsesRequest,
  decodeResponse: decodeResponsesAnswer,
  openFramer: (contentType) =>
    /^text\/event-stream\b/i.test(contentType.trim()) ? openSse({ maxFrameBytes: MAX_EVENT_BYTES }) : undefined,
  openStream: (deviations) => new ResponsesStream(deviations),
  decodeError: decodeResponsesError,
  decodeRequest: decodeResponsesRequest,
  encodeResponse: encodeResponsesAnswer,
  openEncoder: openResponsesEncoder,
  encodeFailure: encodeOpenaiChatFailure,
  forwardRequest: forwardResponsesRequest,
  forwardResponse: forwardResponsesAnswer,
  openForwarder: (context, deviations) => new ResponsesForwarder(context, deviations),
};
