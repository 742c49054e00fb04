// Cohere's Embed, towards the provider: https://docs.cohere.com/reference/embed
import type { ChatEvent, ChatRequest } from "../core/chat";
import type { Dialect, EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { parseAnswer } from "./openai-chat-answer";
import { decodeOpenaiChatError } from "./openai-chat-error";
import { noStream } from "./openai-embeddings";
import { OPENAI_EMBEDDINGS_FIELDS } from "./openai-embeddings-fields";
import { dimensionsOf, textInputs } from "./openai-embeddings-input";
import { vectorEvents } from "./openai-embeddings-vector";
import { countOf, objectOf, textOf } from "./provider-json";

const HONOURED: ReadonlySet<string> = new Set(["dimensions", "input_type", "max_completion_tokens", "truncate"]);

/** Demanded by the provider and unknown to OpenAI's callers: what is stored to be searched is what most embed. */
const DEFAULT_INPUT_TYPE = "search_document";
const INPUT_TYPES: Readonly<Record<string, string>> = { document: "search_document", query: "search_query" };
/** The provider's own default cuts a long text off without a word; OpenAI's API refuses it. */
const DEFAULT_TRUNCATE = "NONE";

export const cohereEmbeddings: Dialect = {
  name: "cohere-embeddings",
  encodeRequest,
  decodeResponse,
  openFramer: () => undefined,
  openStream: noStream,
  decodeError: decodeOpenaiChatError,
};

function encodeRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const texts = textInputs(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_EMBEDDINGS_FIELDS, HONOURED, context);
  const inputType = request.rest["input_type"] ?? DEFAULT_INPUT_TYPE;
  const known = typeof inputType === "string" && Object.hasOwn(INPUT_TYPES, inputType) ? INPUT_TYPES[inputType] : inputType;
  const body = {
    model: context.model,
    texts,
    input_type: known,
    embedding_types: ["float"],
    output_dimension: dimensionsOf(request),
    truncate: request.rest["truncate"] ?? DEFAULT_TRUNCATE,
  };
  return { path: "/v2/embed", body: JSON.stringify(body), headers: {}, ignored, maxOutputTokens: 0 };
}

function decodeResponse(body: string): ChatEvent[] {
  const answer = parseAnswer(body);
  const billed = objectOf(objectOf(answer["meta"])?.["billed_units"]);
  return [
    { type: "start", id: textOf(answer["id"]) },
    ...vectorEvents(objectOf(answer["embeddings"])?.["float"], countOf(billed?.["input_tokens"])),
  ];
}
