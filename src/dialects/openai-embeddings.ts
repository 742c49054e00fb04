// OpenAI's Embeddings, both ways. Never a stream.
import { Failure } from "../core/failure";
import type { DoorDialect } from "./dialect";
import { encodeOpenaiChatFailure } from "./openai-chat-encode";
import { decodeOpenaiChatError } from "./openai-chat-error";
import { decodeEmbeddingsAnswer, encodeEmbeddingsAnswer, forwardEmbeddingsAnswer } from "./openai-embeddings-answer";
import { OPENAI_EMBEDDINGS_FIELDS } from "./openai-embeddings-fields";
import { decodeEmbeddingsRequest, encodeEmbeddingsRequest, forwardEmbeddingsRequest } from "./openai-embeddings-request";

/** A request for a stream is refused when it is read, so nothing gets here. */
export function noStream(): never {
  throw new Failure("invalid_value", "Embeddings are not streamed.", { param: "stream" });
}

export const openaiEmbeddings: DoorDialect = {
  name: "openai-embeddings",
  streamType: "application/json",
  fields: OPENAI_EMBEDDINGS_FIELDS,
  readsHeaders: [],
  encodeRequest: encodeEmbeddingsRequest,
  decodeResponse: decodeEmbeddingsAnswer,
  openFramer: () => undefined,
  openStream: noStream,
  decodeError: decodeOpenaiChatError,
  decodeRequest: decodeEmbeddingsRequest,
  encodeResponse: encodeEmbeddingsAnswer,
  openEncoder: noStream,
  encodeFailure: encodeOpenaiChatFailure,
  forwardRequest: forwardEmbeddingsRequest,
  forwardResponse: forwardEmbeddingsAnswer,
  openForwarder: noStream,
};
