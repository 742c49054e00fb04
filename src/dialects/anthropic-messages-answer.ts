// Events → Messages answers, whole and streamed. Cost and facts ride in the message, or in the `message_delta` before the end.
// https://platform.claude.com/docs/en/api/messages/create#returns
import { type ChatEvent, isSpoken, type SpokenEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { mergeUsage, type Usage } from "../core/usage";
import { encodeAnthropicUsage } from "./anthropic-messages-usage";
import { type BlockStep, BlockWriter } from "./anthropic-messages-writer";
import type { AnswerContext, FailureBody, StreamEncoder } from "./dialect";
import { objectOf, parseJsonExactly, textOf } from "./provider-json";

type Json = Record<string, unknown>;
type Finish = Extract<ChatEvent, { type: "finish" }>;

/** https://platform.claude.com/docs/en/api/errors; what has no word of its own is by its hundred. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The error object; code, field and facts stand in ours beside it. */
export function encodeAnthropicFailure(failure: FailureBody, extensionName: string): string {
  const type = ERROR_TYPES[failure.status] ?? (failure.status < 500 ? "invalid_request_error" : "api_error");
  return JSON.stringify({
    type: "error",
    error: { type, message: failure.message },
    request_id: textOf(failure.facts["request_id"]) ?? null,
    [extensionName]: { code: failure.code, param: failure.param, ...failure.facts },
  });
}

/** A frame of a stream. */
export const anthropicFrame = (type: string, data: string): string => `event: ${type}\ndata: ${data}\n\n`;

/** The words that a provider may have said in this dialect already. */
const STOP_REASONS: ReadonlySet<string> = new Set([
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
]);

function stopReasonOf({ reason, raw }: Finish, blocks: BlockWriter): string {
  if (STOP_REASONS.has(raw)) return raw;
  switch (reason) {
    case "length":
      return "max_tokens";
    case "content_filter":
      return "refusal";
    case "tool_calls":
      return "tool_use";
    case "stop":
      if (blocks.refused) return "refusal";
      return blocks.called ? "tool_use" : "end_turn";
  }
}

/** No provider says which of the stop sequences it met; a refusal's details are Anthropic's own. */
const UNFINISHED = { stop_reason: null, stop_sequence: null, stop_details: null };

/** What is known of an answer beside its blocks. */
class Answer {
  readonly blocks = new BlockWriter();
  usage: Usage | undefined;
  #id: string | undefined;
  #finish: Finish | undefined;

  /** Notes the event; the steps of its blocks. */
  read(event: SpokenEvent): BlockStep[] {
    switch (event.type) {
      case "start":
        this.#id = event.id;
        return [];
      case "usage":
        this.usage = mergeUsage(this.usage, event.usage);
        return [];
      case "finish":
        if (event.choice !== 0) return [];
        // The last block stays open: some providers tell their sources after the end.
        this.#finish = event;
        return [];
      default:
        return this.blocks.push(event);
    }
  }

  head({ model, requestId }: AnswerContext, content: readonly unknown[]): Json {
    const id = this.#id?.startsWith("msg_") ? this.#id : `msg_${requestId}`;
    return { id, type: "message", role: "assistant", model, content, ...UNFINISHED };
  }

  /** Throws `stream_truncated` where the provider never finished. */
  end(): Json {
    if (!this.#finish) throw new Failure("stream_truncated", "The provider ended its answer before a finish reason");
    return { ...UNFINISHED, stop_reason: stopReasonOf(this.#finish, this.blocks) };
  }

  stamped(context: AnswerContext): Json {
    const stamp = context.stamp(this.usage);
    const usage = encodeAnthropicUsage(stamp.countedUsage ?? this.usage, stamp.costUsd);
    return { usage, ...(stamp.extension ? { [context.extensionName]: stamp.extension } : {}) };
  }
}

/** A whole `message`. Throws `stream_truncated` where the events hold no finished answer. */
export function encodeAnthropicAnswer(events: readonly ChatEvent[], context: AnswerContext): string {
  const answer = new Answer();
  const content = new WholeBlocks();
  for (const event of events) if (isSpoken(event)) content.add(answer.read(event));
  content.add(answer.blocks.end());
  const end = answer.end();
  return JSON.stringify({ ...answer.head(context, content.build()), ...end, ...answer.stamped(context) });
}

/** Puts blocks together from the steps of a stream, as clients do. */
class WholeBlocks {
  readonly #blocks: Json[] = [];
  readonly #inputs: string[][] = [];

  add(steps: readonly BlockStep[]): void {
    for (const step of steps) {
      if (step.type === "content_block_start") this.#blocks[step.index] = { ...step.content_block };
      else if (step.type === "content_block_delta") this.#extend(this.#blocks[step.index] ?? {}, step.index, step.delta);
    }
  }

  build(): Json[] {
    return this.#blocks.map((block, index) => (block["type"] === "tool_use" ? { ...block, input: inputOf(this.#inputs[index]) } : block));
  }

  #extend(block: Json, index: number, delta: Json): void {
    switch (delta["type"]) {
      case "text_delta":
        block["text"] = `${block["text"]}${delta["text"]}`;
        return;
      case "thinking_delta":
        block["thinking"] = `${block["thinking"]}${delta["thinking"]}`;
        return;
      case "signature_delta":
        block["signature"] = delta["signature"];
        return;
      case "citations_delta":
        block["citations"] = [...((block["citations"] as unknown[] | undefined) ?? []), delta["citation"]];
        return;
      case "input_json_delta":
        this.#inputs[index] ??= [];
        this.#inputs[index].push(String(delta["partial_json"]));
    }
  }
}

/** Numbers keep their digits. What the model wrote wrong (or not to its end) goes on under the name that Anthropic gives it. */
function inputOf(pieces: readonly string[] | undefined): unknown {
  const text = pieces?.join("") ?? "";
  return text.trim() === "" ? {} : (objectOf(parseJsonExactly(text)) ?? { INVALID_JSON: text });
}

export const openAnthropicEncoder = (context: AnswerContext): StreamEncoder => new EventWriter(context);

class EventWriter implements StreamEncoder {
  readonly #context: AnswerContext;
  readonly #answer = new Answer();
  #begun = false;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  push(event: ChatEvent): string {
    return isSpoken(event) ? this.#write(this.#answer.read(event)) : "";
  }

  end(): string {
    const delta = this.#answer.end();
    const closing = this.#write(this.#answer.blocks.end());
    const last = { type: "message_delta", delta, ...this.#answer.stamped(this.#context) };
    const head = this.#begin();
    return (
      closing + head + anthropicFrame("message_delta", JSON.stringify(last)) + anthropicFrame("message_stop", '{"type":"message_stop"}')
    );
  }

  fail(failure: FailureBody): string {
    return anthropicFrame("error", encodeAnthropicFailure(failure, this.#context.extensionName));
  }

  #write(steps: readonly BlockStep[]): string {
    let text = steps.length > 0 ? this.#begin() : "";
    for (const step of steps) text += anthropicFrame(step.type, JSON.stringify(step));
    return text;
  }

  /** Waits for the first block, so that a provider that fails before it can still be replaced. */
  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    // The figures of this frame are placeholders at Anthropic too; most providers tell theirs at the end.
    const usage = encodeAnthropicUsage({ ...this.#answer.usage, outputTokens: undefined }, undefined);
    const message = { ...this.#answer.head(this.#context, []), usage };
    return anthropicFrame("message_start", JSON.stringify({ type: "message_start", message }));
  }
}
