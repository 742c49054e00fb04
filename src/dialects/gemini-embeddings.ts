// Gemini's batchEmbedContents, towards the provider: https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
import type { ChatEvent, ChatRequest } from "../core/chat";
import { Failure } from "../core/failure";
import type { Dialect, EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { decodeGeminiError, failureInStream } from "./gemini-error";
import { noStream } from "./openai-embeddings";
import { OPENAI_EMBEDDINGS_FIELDS } from "./openai-embeddings-fields";
import { dimensionsOf, textInputs } from "./openai-embeddings-input";
import { vectorEvents } from "./openai-embeddings-vector";
import { countOf, objectOf, parseJson } from "./provider-json";

const HONOURED: ReadonlySet<string> = new Set(["dimensions", "input_type", "max_completion_tokens"]);

/** What vectors are for, in the words of Cohere and OpenRouter. Google's own words go as they are. */
const TASKS: Readonly<Record<string, string>> = {
  search_document: "RETRIEVAL_DOCUMENT",
  document: "RETRIEVAL_DOCUMENT",
  search_query: "RETRIEVAL_QUERY",
  query: "RETRIEVAL_QUERY",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
};
const OWN_TASK = /^[A-Z][A-Z_]+$/;

export const geminiEmbeddings: Dialect = {
  name: "gemini-embeddings",
  encodeRequest,
  decodeResponse,
  openFramer: () => undefined,
  openStream: noStream,
  decodeError: decodeGeminiError,
};

function encodeRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const texts = textInputs(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_EMBEDDINGS_FIELDS, HONOURED, context);
  const settings = { taskType: taskOf(request.rest["input_type"]), outputDimensionality: dimensionsOf(request) };
  const model = `models/${context.model}`;
  const requests = texts.map((text) => ({ model, content: { parts: [{ text }] }, ...settings }));
  return {
    path: `/models/${encodeURIComponent(context.model)}:batchEmbedContents`,
    body: JSON.stringify({ requests }),
    headers: {},
    ignored,
    maxOutputTokens: 0,
  };
}

function taskOf(inputType: unknown): string | undefined {
  if (inputType === undefined || inputType === null) return undefined;
  const word = typeof inputType === "string" ? inputType : "";
  const task = Object.hasOwn(TASKS, word) ? TASKS[word] : OWN_TASK.test(word) ? word : undefined;
  if (task === undefined) {
    const says = `Invalid value for 'input_type': expected ${Object.keys(TASKS).join(", ")}, or one of Google's task types.`;
    throw new Failure("invalid_value", says, { param: "input_type" });
  }
  return task;
}

function decodeResponse(body: string): ChatEvent[] {
  const answer = objectOf(parseJson(body));
  if (answer?.["error"] !== undefined) throw failureInStream(answer);
  const embeddings = answer?.["embeddings"];
  const vectors = Array.isArray(embeddings) ? embeddings.map((each: unknown) => objectOf(each)?.["values"]) : undefined;
  // Older models tell no usage.
  return vectorEvents(vectors, countOf(objectOf(answer?.["usageMetadata"])?.["promptTokenCount"]));
}
