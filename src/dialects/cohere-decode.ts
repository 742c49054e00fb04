// Cohere's answers → events: https://docs.cohere.com/docs/streaming
// A whole answer is read by the same reader as a stream: each piece opened with all its content, then closed.
import type { ChatEvent, FinishReason } from "../core/chat";
import { Failure } from "../core/failure";
import type { Frame } from "../wire/frame";
import { failureInStream } from "./cohere-error";
import { annotationsOf, type CitedText } from "./cohere-sources";
import { cohereUsageOf } from "./cohere-usage";
import type { StreamDecoder } from "./dialect";
import { countOf, itemsOf, type JsonObject, objectOf, parseJson, textOf } from "./provider-json";

const FROM = "cohere" as const;
const TERMINATOR = "[DONE]";

/** https://docs.cohere.com/reference/chat#response.body.finish_reason, and the words of the first version. */
const FINISH: Readonly<Record<string, FinishReason | "failed" | "late">> = {
  COMPLETE: "stop",
  STOP_SEQUENCE: "stop",
  MAX_TOKENS: "length",
  ERROR_LIMIT: "length",
  TOOL_CALL: "tool_calls",
  ERROR_TOXIC: "content_filter",
  ERROR: "failed",
  USER_CANCEL: "failed",
  TIMEOUT: "late",
};

/** A whole answer's body → events. Throws `upstream_error` for what is not a finished answer. */
export function decodeCohereResponse(body: string): ChatEvent[] {
  const json = objectOf(parseJson(body));
  const message = objectOf(json?.["message"]);
  if (!json || !message) throw json ? failureInStream(json) : new Failure("upstream_error", "The provider's answer is not a JSON object");
  const answer = new AnswerReader();
  const events = [...answer.start(json), ...answer.plan(message["tool_plan"])];
  const { content } = message;
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : itemsOf(content);
  blocks.forEach((block, index) => {
    events.push(...answer.open(index, objectOf(block) ?? {}));
  });
  const logprobs = itemsOf(json["logprobs"]).map(entryOf);
  if (logprobs.length > 0) events.push({ type: "text", choice: 0, text: "", logprobs });
  itemsOf(message["tool_calls"]).forEach((call, index) => {
    events.push(...answer.openCall(index, objectOf(call) ?? {}), ...answer.closeCall(index));
  });
  for (const citation of itemsOf(message["citations"])) events.push(...answer.cite(objectOf(citation) ?? {}));
  events.push(...answer.finish(json));
  if (!answer.finished) throw new Failure("upstream_error", "The provider's answer has no finish reason");
  return events;
}

/** Feed it the frames of a stream in order. */
export function openCohereStream(): StreamDecoder {
  const answer = new AnswerReader();
  let over = false;
  return {
    push(frame: Frame): ChatEvent[] {
      // What follows the end of the message is the terminator.
      if (over || frame.data === undefined) return [];
      over = frame.data.trim() === TERMINATOR;
      if (over || answer.finished) return [];
      const event = objectOf(parseJson(frame.data));
      if (!event) throw new Failure("upstream_error", "The provider's stream holds something that is not JSON");
      return readEvent(event, answer);
    },
    end(): ChatEvent[] {
      // `message-end` is the last event that Cohere documents; the terminator after it is only seen.
      if (answer.finished) return [];
      throw new Failure("stream_truncated", "The provider's stream ended before its last event");
    },
    get done() {
      return over;
    },
  };
}

function readEvent(event: JsonObject, answer: AnswerReader): ChatEvent[] {
  const index = countOf(event["index"]) ?? 0;
  const delta = objectOf(event["delta"]) ?? {};
  const message = objectOf(delta["message"]) ?? {};
  switch (event["type"]) {
    case "message-start":
      return answer.start(event);
    case "tool-plan-delta":
      return answer.plan(message["tool_plan"]);
    case "content-start":
      return answer.open(index, objectOf(message["content"]) ?? {});
    case "content-delta":
      return answer.delta(index, objectOf(message["content"]) ?? {}, objectOf(event["logprobs"]));
    case "tool-call-start":
      return answer.openCall(index, objectOf(message["tool_calls"]) ?? {});
    case "tool-call-delta":
      return answer.argue(index, objectOf(message["tool_calls"]) ?? {});
    case "tool-call-end":
      return answer.closeCall(index);
    case "citation-start":
      return answer.cite(objectOf(message["citations"]) ?? {});
    case "message-end":
      return answer.finish(delta);
    case undefined:
    case "error":
    case "stream-error":
      throw failureInStream(event);
    default:
      // `content-end`, `citation-end`, `debug`; new event types may come.
      return [];
  }
}

type Block = { kind: "text"; cited: CitedText } | { kind: "reasoning"; block: number };

interface Call {
  index: number;
  argued: boolean;
}

class AnswerReader {
  readonly #blocks = new Map<number, Block>();
  readonly #calls = new Map<number, Call>();
  #id: string | undefined;
  #plan: number | undefined;
  #reasoning = 0;
  #tools = 0;
  #textLength = 0;
  finished = false;

  start(json: JsonObject): ChatEvent[] {
    this.#id = textOf(json["id"]);
    return [{ type: "start", id: this.#id }];
  }

  /** "A chain-of-thought style reflection and plan": thinking, in Cohere's own words. It is one block. */
  plan(said: unknown): ChatEvent[] {
    const text = textOf(said);
    if (!text) return [];
    this.#plan ??= this.#reasoning++;
    return [{ type: "reasoning", choice: 0, block: this.#plan, text, from: FROM }];
  }

  open(index: number, content: JsonObject): ChatEvent[] {
    const thinking = content["type"] === "thinking";
    this.#blocks.set(
      index,
      thinking ? { kind: "reasoning", block: this.#reasoning++ } : { kind: "text", cited: { from: this.#textLength, text: "" } },
    );
    return this.delta(index, content, undefined);
  }

  delta(index: number, content: JsonObject, logprobs: JsonObject | undefined): ChatEvent[] {
    const block = this.#blocks.get(index);
    if (!block) throw new Failure("upstream_error", "The provider's stream continues a block that it did not open");
    const text = textOf(content[block.kind === "text" ? "text" : "thinking"]);
    if (block.kind === "reasoning") return text ? [{ type: "reasoning", choice: 0, block: block.block, text, from: FROM }] : [];
    if (!text && !logprobs) return [];
    block.cited.text += text ?? "";
    this.#textLength += text?.length ?? 0;
    return [{ type: "text", choice: 0, text: text ?? "", ...(logprobs ? { logprobs: [entryOf(logprobs)] } : {}) }];
  }

  openCall(index: number, call: JsonObject): ChatEvent[] {
    const name = textOf(objectOf(call["function"])?.["name"]);
    if (name === undefined) throw new Failure("upstream_error", "The provider's tool call has no name");
    const opened = { index: this.#tools++, argued: false };
    this.#calls.set(index, opened);
    const id = textOf(call["id"]) || `call_${this.#id ?? ""}_${opened.index}`;
    return [{ type: "tool-call", choice: 0, index: opened.index, id, name }, ...this.argue(index, call)];
  }

  argue(index: number, call: JsonObject): ChatEvent[] {
    const opened = this.#calls.get(index);
    if (!opened) throw new Failure("upstream_error", "The provider's stream continues a tool call that it did not open");
    const text = textOf(objectOf(call["function"])?.["arguments"]);
    if (!text) return [];
    opened.argued = true;
    return [{ type: "tool-arguments", choice: 0, index: opened.index, text }];
  }

  /** A tool without parameters streams no argument text at all; callers parse the arguments as JSON. */
  closeCall(index: number): ChatEvent[] {
    const opened = this.#calls.get(index);
    this.#calls.delete(index);
    return opened && !opened.argued ? [{ type: "tool-arguments", choice: 0, index: opened.index, text: "{}" }] : [];
  }

  /** Older models name no block: there is one text. */
  cite(citation: JsonObject): ChatEvent[] {
    const named = this.#blocks.get(countOf(citation["content_index"]) ?? -1);
    const first = [...this.#blocks.values()].find(({ kind }) => kind === "text");
    const block = named ?? first;
    const cited = block?.kind === "text" ? block.cited : { from: 0, text: "" };
    return [{ type: "annotations", choice: 0, annotations: annotationsOf(citation, cited) }];
  }

  /** `said` is a whole answer, or the delta of its end. */
  finish(said: JsonObject): ChatEvent[] {
    const raw = textOf(said["finish_reason"]);
    if (raw === undefined) return [];
    const reason = FINISH[raw];
    if (reason === "late") throw new Failure("upstream_timeout", "The provider ran out of time");
    if (reason === "failed") throw failureInStream(textOf(said["error"]) ? said : { message: `the model gave no answer (${raw})` });
    if (reason === undefined) throw new Failure("upstream_error", "The provider ended its answer for a reason that is not known here");
    this.finished = true;
    const open = [...this.#calls.keys()].flatMap((index) => this.closeCall(index));
    const usage = cohereUsageOf(objectOf(said["usage"]));
    return [...open, { type: "finish", choice: 0, reason, raw }, ...(usage ? [{ type: "usage" as const, usage }] : [])];
  }
}

/** https://docs.cohere.com/reference/chat: a piece of text with the figures of its tokens. OpenAI has an entry a token; the piece's is their sum. */
function entryOf(item: unknown): { token: string; logprob: number; bytes: null; top_logprobs: [] } {
  const said = objectOf(item);
  const figures = itemsOf(said?.["logprobs"]).filter((figure) => typeof figure === "number");
  return { token: textOf(said?.["text"]) ?? "", logprob: figures.reduce((sum, figure) => sum + figure, 0), bytes: null, top_logprobs: [] };
}
