// Ollama's own embeddings, towards the provider: https://docs.ollama.com/api/embed
import type { ChatEvent, ChatRequest } from "../core/chat";
import type { Dialect, EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { parseAnswer } from "./openai-chat-answer";
import { decodeOpenaiChatError } from "./openai-chat-error";
import { noStream } from "./openai-embeddings";
import { OPENAI_EMBEDDINGS_FIELDS } from "./openai-embeddings-fields";
import { dimensionsOf, textInputs } from "./openai-embeddings-input";
import { vectorEvents } from "./openai-embeddings-vector";
import { countOf, textOf } from "./provider-json";

const HONOURED: ReadonlySet<string> = new Set(["dimensions", "max_completion_tokens", "truncate"]);

export const ollamaEmbeddings: Dialect = {
  name: "ollama-embeddings",
  encodeRequest,
  decodeResponse,
  openFramer: () => undefined,
  openStream: noStream,
  decodeError: decodeOpenaiChatError,
};

function encodeRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const input = textInputs(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_EMBEDDINGS_FIELDS, HONOURED, context);
  // Its own default cuts a long text off without a word; OpenAI's API refuses it.
  const truncate = request.rest["truncate"] ?? false;
  const body = { model: context.model, input, dimensions: dimensionsOf(request), truncate };
  return { path: "/api/embed", body: JSON.stringify(body), headers: {}, ignored, maxOutputTokens: 0 };
}

function decodeResponse(body: string): ChatEvent[] {
  const answer = parseAnswer(body);
  return [{ type: "start", model: textOf(answer["model"]) }, ...vectorEvents(answer["embeddings"], countOf(answer["prompt_eval_count"]))];
}
