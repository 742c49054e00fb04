// OpenAI's Chat Completions, both ways: the door that most programs knock at, and what most providers speak.
// https://platform.openai.com/docs/api-reference/chat
import { openSse } from "../wire/sse";
import type { DoorDialect } from "./dialect";
import { decodeOpenaiChatAnswer } from "./openai-chat-answer";
import { encodeOpenaiChatAnswer, encodeOpenaiChatFailure, openOpenaiChatEncoder } from "./openai-chat-encode";
import { decodeOpenaiChatError } from "./openai-chat-error";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { forwardOpenaiChatAnswer, forwardOpenaiChatRequest } from "./openai-chat-forward";
import { OpenaiChatForwarder } from "./openai-chat-forward-stream";
import { decodeOpenaiChatRequest } from "./openai-chat-request";
import { encodeOpenaiChatRequest } from "./openai-chat-request-encode";
import { OpenaiChatStream } from "./openai-chat-stream";

/** The most bytes of one event (reliability.md, Fault matrix). */
const MAX_EVENT_BYTES = 1024 * 1024;

export const openaiChat: DoorDialect = {
  name: "openai-chat",
  streamType: "text/event-stream; charset=utf-8",
  fields: OPENAI_CHAT_FIELDS,
  readsHeaders: [],
  encodeRequest: encodeOpenaiChatRequest,
  decodeResponse: decodeOpenaiChatAnswer,
  openFramer: (contentType) =>
    /^text\/event-stream\b/i.test(contentType.trim()) ? openSse({ maxFrameBytes: MAX_EVENT_BYTES }) : undefined,
  openStream: (deviations) => new OpenaiChatStream(deviations),
  decodeError: decodeOpenaiChatError,
  decodeRequest: decodeOpenaiChatRequest,
  encodeResponse: encodeOpenaiChatAnswer,
  openEncoder: openOpenaiChatEncoder,
  encodeFailure: encodeOpenaiChatFailure,
  forwardRequest: forwardOpenaiChatRequest,
  forwardResponse: forwardOpenaiChatAnswer,
  openForwarder: (context, deviations) => new OpenaiChatForwarder(context, deviations),
};
