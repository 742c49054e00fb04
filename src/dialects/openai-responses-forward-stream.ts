// A Responses stream goes through frame by frame. Frames that carry the answer so far get our model, the last one the stamp too:
// it has the usage, so nothing has to wait.
import type { ChatEvent } from "../core/chat";
import { mergeUsage, type Usage } from "../core/usage";
import type { Frame } from "../wire/frame";
import { spliceFrame } from "../wire/sse-splice";
import type { AnswerContext, Deviations, FailureBody, StreamForwarder } from "./dialect";
import { responsesFailureFrame } from "./openai-responses-failure";
import { answerEdits, modelEdits } from "./openai-responses-forward";
import { ResponsesStream } from "./openai-responses-stream";
import { countOf, type JsonObject, objectOf } from "./provider-json";

interface Passed {
  bytes: readonly Uint8Array[];
  events: readonly ChatEvent[];
}

const NOTHING: Passed = { bytes: [], events: [] };

export class ResponsesForwarder implements StreamForwarder {
  readonly #context: AnswerContext;
  readonly #stream: ResponsesStream;
  /** The answer as it was written last: what a failed one is made of. */
  #response: JsonObject | undefined;
  #sequenceNumber = -1;

  constructor(context: AnswerContext, deviations: Deviations) {
    this.#context = context;
    this.#stream = new ResponsesStream(deviations);
  }

  get done(): boolean {
    return this.#stream.done;
  }

  /** Behind the last event nothing goes on: OpenAI's streams have no [DONE], which some other providers send. */
  push(frame: Frame): Passed {
    if (this.#stream.done) return NOTHING;
    const event = this.#stream.eventOf(frame);
    if (!event) return { bytes: [frame.raw], events: [] };
    const events = this.#stream.read(event);
    this.#sequenceNumber = countOf(event["sequence_number"]) ?? this.#sequenceNumber + 1;
    const response = objectOf(event["response"]);
    if (!response) return { bytes: [frame.raw], events };
    const edits = this.#stream.done ? answerEdits(response, usageOf(events), this.#context) : modelEdits(response, this.#context);
    this.#response = { ...response, model: this.#context.model };
    return { bytes: [spliceFrame(frame, [{ op: "within", name: "response", edits }])], events };
  }

  end(): Passed {
    return { bytes: [], events: this.#stream.end() };
  }

  fail(failure: FailureBody): string {
    return responsesFailureFrame(failure, this.#sequenceNumber + 1, this.#context.extensionName, this.#response);
  }
}

function usageOf(events: readonly ChatEvent[]): Usage | undefined {
  let usage: Usage | undefined;
  for (const event of events) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  return usage;
}
