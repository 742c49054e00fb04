// Events → Responses answers, whole and streamed. Both are written by the same hand: a whole answer is a stream of which only the
// last object is kept. https://platform.openai.com/docs/api-reference/responses-streaming
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { mergeUsage, type Usage } from "../core/usage";
import type { AnswerContext, FailureBody, StreamEncoder } from "./dialect";
import type { Json } from "./openai-responses-encode-items";
import { type ResponseHead, responseObject } from "./openai-responses-encode-object";
import { OutputWriter } from "./openai-responses-encode-output";
import { responsesFailureFrame } from "./openai-responses-failure";
import { encodeResponsesUsage } from "./openai-responses-usage";

/** A Response object. Throws `stream_truncated` where the events hold no finish. */
export function encodeResponsesAnswer(events: readonly ChatEvent[], context: AnswerContext): string {
  const output = new OutputWriter(context.requestId, () => undefined);
  let usage: Usage | undefined;
  for (const event of events) {
    if (event.type === "usage") usage = mergeUsage(usage, event.usage);
    output.add(event);
  }
  return JSON.stringify(finishedObject(headOf(events[0], context), output, usage, context).response);
}

export const openResponsesEncoder = (context: AnswerContext): StreamEncoder => new ResponsesWriter(context);

class ResponsesWriter implements StreamEncoder {
  readonly #context: AnswerContext;
  readonly #output: OutputWriter;
  #head: ResponseHead | undefined;
  #usage: Usage | undefined;
  #sequence = 0;
  #text = "";

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#output = new OutputWriter(context.requestId, (type, fields) => this.#emit(type, fields));
  }

  push(event: ChatEvent): string {
    this.#start(event);
    if (event.type === "usage") this.#usage = mergeUsage(this.#usage, event.usage);
    this.#output.add(event);
    return this.#take();
  }

  end(): string {
    const head = this.#start(undefined);
    const { type, response } = finishedObject(head, this.#output, this.#usage, this.#context);
    this.#emit(type, { response });
    return this.#take();
  }

  /** A failed answer holds what was said so far. */
  fail(failure: FailureBody): string {
    const head = this.#head ?? headOf(undefined, this.#context);
    const response = responseObject(head, { status: "failed", output: this.#output.build() }, this.#context);
    return this.#take() + responsesFailureFrame(failure, this.#sequence, this.#context.extensionName, response);
  }

  /** Opens the response with whatever comes first. */
  #start(event: ChatEvent | undefined): ResponseHead {
    if (this.#head) return this.#head;
    this.#head = headOf(event, this.#context);
    const response = responseObject(this.#head, { status: "in_progress", output: [] }, this.#context);
    this.#emit("response.created", { response });
    this.#emit("response.in_progress", { response });
    return this.#head;
  }

  #emit(type: string, fields: Json): void {
    this.#text += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence++, ...fields })}\n\n`;
  }

  #take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

/** The provider's id is kept where it is one of this API. */
function headOf(first: ChatEvent | undefined, context: AnswerContext): ResponseHead {
  const start = first?.type === "start" ? first : undefined;
  return {
    id: start?.id?.startsWith("resp_") ? start.id : `resp_${context.requestId}`,
    createdAt: start?.createdAt ?? context.createdAt,
  };
}

/** The last object of an answer, stamped, and the event that brings it. */
function finishedObject(
  head: ResponseHead,
  output: OutputWriter,
  told: Usage | undefined,
  context: AnswerContext,
): { type: string; response: Json } {
  if (output.reason === undefined) throw new Failure("stream_truncated", "The provider's answer ended before a finish reason");
  output.close();
  const { costUsd, extension, countedUsage } = context.stamp(told);
  const incompleteReason = INCOMPLETE[output.reason];
  const response = responseObject(
    head,
    {
      status: incompleteReason ? "incomplete" : "completed",
      output: kept(output.build(), context),
      completedAt: incompleteReason ? undefined : context.nowSeconds?.(),
      incompleteReason,
      usage: encodeResponsesUsage(told, costUsd) ?? encodeResponsesUsage(countedUsage, costUsd),
      serviceTier: told?.serviceTier,
    },
    context,
  );
  return {
    type: incompleteReason ? "response.incomplete" : "response.completed",
    response: extension ? { ...response, [context.extensionName]: extension } : response,
  };
}

/** Clients that believe that answers are stored name items by their ids in the next request: those who say that nothing is, do not. */
function kept(items: Json[], { asked, keepItem }: AnswerContext): Json[] {
  if (asked["store"] === false) return items;
  for (const item of items) if (typeof item["id"] === "string") keepItem?.(item["id"], item);
  return items;
}

const INCOMPLETE = {
  stop: undefined,
  tool_calls: undefined,
  length: "max_output_tokens",
  content_filter: "content_filter",
} as const;
