// Anthropic's answers → events: https://platform.claude.com/docs/en/build-with-claude/streaming
// A whole answer is read by the same block reader as a stream: each block opened with all its content, then closed.
import type { ChatEvent, FinishReason } from "../core/chat";
import { Failure } from "../core/failure";
import type { Usage } from "../core/usage";
import type { Frame } from "../wire/frame";
import { failureInStream } from "./anthropic-messages-error";
import { type AnthropicUsage, mergeAnthropicUsage, usageOf } from "./anthropic-messages-usage";
import type { Deviations, StreamDecoder } from "./dialect";
import { countOf, itemsOf, type JsonObject, objectOf, parseJson, parseJsonExactly, textOf } from "./provider-json";

const FROM = "anthropic-messages" as const;

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  // A hosted tool's turn that may be continued. What was said so far is an answer; the raw word tells the rest.
  pause_turn: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
};

/** A whole answer's body → events. Throws `upstream_error` for what is not a finished answer. */
export const decodeAnthropicResponse = (body: string): ChatEvent[] => readMessage(parseMessage(body));

/** A body's `message`. Throws `upstream_error` for anything else, an error object included. */
export function parseMessage(body: string): JsonObject {
  const json = objectOf(body.includes('"tool_use"') ? parseJsonExactly(body) : parseJson(body));
  if (json?.["type"] === "error") throw failureInStream(json);
  if (json?.["type"] !== "message" || !Array.isArray(json["content"]))
    throw new Failure("upstream_error", "The provider's answer is not a message");
  return json;
}

/** A whole message's events. Throws `upstream_error` where it is not finished. */
export function readMessage(json: JsonObject): ChatEvent[] {
  const answer = new AnswerReader();
  const events = answer.start(json);
  itemsOf(json["content"]).forEach((block, index) => {
    events.push(...answer.open(index, objectOf(block) ?? {}), ...answer.close(index));
  });
  events.push(...answer.finish(json));
  if (!answer.finished) throw new Failure("upstream_error", "The provider's answer has no stop reason");
  events.push({ type: "usage", usage: answer.usage(objectOf(json["usage"]) ?? {}) });
  return events;
}

/** Feed it the frames of a stream in order. */
export function openAnthropicStream(deviations: Deviations): StreamDecoder {
  const answer = new AnswerReader();
  let over = false;
  return {
    push(frame: Frame): ChatEvent[] {
      if (over || frame.data === undefined) return [];
      const event = objectOf(parseJson(frame.data));
      if (!event) throw new Failure("upstream_error", "The provider's stream holds something that is not JSON");
      over = event["type"] === "message_stop";
      if (over && !answer.finished) throw new Failure("stream_truncated", "The provider ended its stream before a stop reason");
      return readEvent(event, answer);
    },
    end(): ChatEvent[] {
      if (over || (deviations.terminator === "eof" && answer.finished)) return [];
      throw new Failure("stream_truncated", "The provider's stream ended before its last event");
    },
    get done() {
      return over;
    },
  };
}

function readEvent(event: JsonObject, answer: AnswerReader): ChatEvent[] {
  const index = countOf(event["index"]) ?? 0;
  switch (event["type"]) {
    case "message_start": {
      const message = objectOf(event["message"]) ?? {};
      // `output_tokens` is a placeholder here. Left out, so that a stream cut short is counted and not settled at 1 token.
      const { output_tokens: _placeholder, ...input } = objectOf(message["usage"]) ?? {};
      return [...answer.start(message), { type: "usage", usage: answer.usage(input) }];
    }
    case "content_block_start":
      return answer.open(index, objectOf(event["content_block"]) ?? {});
    case "content_block_delta":
      return answer.delta(index, objectOf(event["delta"]) ?? {});
    case "content_block_stop":
      return answer.close(index);
    case "message_delta": {
      const finish = answer.finish(objectOf(event["delta"]) ?? {});
      return [...finish, { type: "usage", usage: answer.usage(objectOf(event["usage"]) ?? {}) }];
    }
    case "error":
      throw failureInStream(event);
    default:
      // `ping`, `message_stop`; and Anthropic's versioning promises that new event types may come and are to be passed over.
      return [];
  }
}

type Block =
  | { kind: "text"; from: number; citations: unknown[] }
  | { kind: "reasoning" }
  | { kind: "tool"; index: number; input: unknown; argued: boolean }
  /** Hosted tools' calls and results: a chat answer has no place for them; they are counted in `usage.toolCalls`. */
  | { kind: "hosted" };

class AnswerReader {
  readonly #blocks = new Map<number, Block>();
  #textLength = 0;
  #tools = 0;
  #said: AnthropicUsage = {};
  finished = false;

  start(message: JsonObject): ChatEvent[] {
    return [{ type: "start", id: textOf(message["id"]), model: textOf(message["model"]) }];
  }

  open(index: number, block: JsonObject): ChatEvent[] {
    switch (block["type"]) {
      case "text": {
        this.#blocks.set(index, { kind: "text", from: this.#textLength, citations: [...itemsOf(block["citations"])] });
        return this.#text(textOf(block["text"]));
      }
      case "thinking":
        this.#blocks.set(index, { kind: "reasoning" });
        return reasoning(index, textOf(block["thinking"]), textOf(block["signature"]));
      case "redacted_thinking":
        this.#blocks.set(index, { kind: "reasoning" });
        return [{ type: "redacted-reasoning", choice: 0, block: index, data: textOf(block["data"]) ?? "", from: FROM }];
      case "tool_use": {
        const call = { kind: "tool", index: this.#tools++, input: block["input"], argued: false } as const;
        this.#blocks.set(index, call);
        const id = textOf(block["id"]);
        const name = textOf(block["name"]);
        if (id === undefined || name === undefined) throw new Failure("upstream_error", "The provider's tool call has no id or name");
        return [{ type: "tool-call", choice: 0, index: call.index, id, name }];
      }
      default:
        this.#blocks.set(index, { kind: "hosted" });
        return [];
    }
  }

  delta(index: number, delta: JsonObject): ChatEvent[] {
    const block = this.#blocks.get(index);
    if (!block) throw new Failure("upstream_error", "The provider's stream continues a block that it did not open");
    switch (block.kind) {
      case "text":
        if (delta["type"] === "citations_delta") block.citations.push(delta["citation"]);
        return this.#text(textOf(delta["text"]));
      case "reasoning":
        return reasoning(index, textOf(delta["thinking"]), textOf(delta["signature"]));
      case "tool": {
        const text = textOf(delta["partial_json"]);
        if (!text) return [];
        block.argued = true;
        return [{ type: "tool-arguments", choice: 0, index: block.index, text }];
      }
      case "hosted":
        return [];
    }
  }

  close(index: number): ChatEvent[] {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block?.kind === "tool" && !block.argued)
      // A tool without parameters streams no argument text at all; callers parse the arguments as JSON.
      return [{ type: "tool-arguments", choice: 0, index: block.index, text: JSON.stringify(block.input ?? {}) }];
    if (block?.kind !== "text" || block.citations.length === 0) return [];
    const annotations = block.citations.map((citation) => annotationOf(citation, block.from, this.#textLength));
    return [{ type: "annotations", choice: 0, annotations }];
  }

  /** `said` is a `message_delta`'s delta, or a whole message. */
  finish(said: JsonObject): ChatEvent[] {
    const raw = textOf(said["stop_reason"]);
    if (raw === undefined || this.finished) return [];
    // New reasons may come at any time; the answer is whole and billed, and `raw` keeps the word.
    const reason = (Object.hasOwn(FINISH, raw) ? FINISH[raw] : undefined) ?? "stop";
    this.finished = true;
    const explanation = textOf(objectOf(said["stop_details"])?.["explanation"]);
    const refusal: ChatEvent[] = explanation ? [{ type: "refusal", choice: 0, text: explanation }] : [];
    return [...refusal, { type: "finish", choice: 0, reason, raw }];
  }

  usage(said: JsonObject): Usage {
    this.#said = mergeAnthropicUsage(this.#said, said);
    return usageOf(this.#said);
  }

  #text(text: string | undefined): ChatEvent[] {
    if (!text) return [];
    this.#textLength += text.length;
    return [{ type: "text", choice: 0, text }];
  }
}

/** Nothing for an empty delta; a signature without text is a block whose thinking is not shown. */
const reasoning = (block: number, text: string | undefined, signature: string | undefined): ChatEvent[] =>
  text || signature ? [{ type: "reasoning", choice: 0, block, text: text ?? "", ...(signature ? { signature } : {}), from: FROM }] : [];

/** A citation stands for its whole text block. What has no address (a passage of a document) stays the provider's own object. */
function annotationOf(citation: unknown, from: number, to: number): unknown {
  const said = objectOf(citation);
  const url = textOf(said?.["url"]);
  if (url === undefined) return citation;
  return { type: "url_citation", url_citation: { url, title: textOf(said?.["title"]) ?? url, start_index: from, end_index: to } };
}
