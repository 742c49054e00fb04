// Events → Chat Completions answers, whole and streamed. Cost and facts ride in the usage chunk where the caller asked for one,
// else in the last finish chunk, which therefore waits for the end.
import { type ChatEvent, isSpoken } from "../core/chat";
import { Failure } from "../core/failure";
import { mergeUsage, type Usage } from "../core/usage";
import type { AnswerContext, FailureBody, Stamp, StreamEncoder } from "./dialect";
import { encodedAnnotations, MessageBuilder, mediaUrl } from "./openai-chat-message";
import { detailOf, sealedDetail } from "./openai-chat-reasoning";
import { TERMINATOR } from "./openai-chat-stream";
import { encodeUsage } from "./openai-chat-usage";

export const encodeOpenaiChatFailure = (failure: FailureBody, extensionName: string): string =>
  JSON.stringify({
    error: { message: failure.message, type: failure.type, param: failure.param, code: failure.code, [extensionName]: failure.facts },
  });

/** The fields of an answer that carry the stamp. */
export function stampFields(stamp: Stamp, told: Usage | undefined, extensionName: string): Record<string, unknown> {
  const usage = encodeUsage(told ?? stamp.countedUsage, stamp.costUsd);
  return { ...(usage ? { usage } : {}), ...(stamp.extension ? { [extensionName]: stamp.extension } : {}) };
}

/** The tier that served the call, in OpenAI's words: other providers say "standard" for its "default". */
const TIERS: Readonly<Record<string, string>> = {
  auto: "auto",
  default: "default",
  standard: "default",
  flex: "flex",
  scale: "scale",
  priority: "priority",
};

function tierField(usage: Usage | undefined): Record<string, unknown> {
  const tier = TIERS[usage?.serviceTier ?? ""];
  return tier === undefined ? {} : { service_tier: tier };
}

/** A `chat.completion`. Throws `stream_truncated` where the events hold no finished choice. */
export function encodeOpenaiChatAnswer(events: readonly ChatEvent[], context: AnswerContext): string {
  const choices = new Map<number, MessageBuilder>();
  let start: Extract<ChatEvent, { type: "start" }> | undefined;
  let usage: Usage | undefined;
  for (const event of events) {
    if (event.type === "start") start = event;
    else if (event.type === "usage") usage = mergeUsage(usage, event.usage);
    else if (isSpoken(event)) {
      const builder = choices.get(event.choice) ?? new MessageBuilder();
      choices.set(event.choice, builder);
      builder.add(event);
    }
  }
  if (choices.size === 0) throw new Failure("stream_truncated", "The provider's answer holds no choice");
  return JSON.stringify({
    id: start?.id ?? `chatcmpl-${context.requestId}`,
    object: "chat.completion",
    created: start?.createdAt ?? context.createdAt,
    model: context.model,
    choices: [...choices].sort(([a], [b]) => a - b).map(([index, builder]) => ({ index, ...builder.build() })),
    ...(start?.systemFingerprint === undefined ? {} : { system_fingerprint: start.systemFingerprint }),
    ...tierField(usage),
    ...stampFields(context.stamp(usage), usage, context.extensionName),
  });
}

/** The members of a chunk before its choices, as JSON text without the closing brace. */
export const chunkHead = (
  start: { id?: string | undefined; createdAt?: number | undefined; systemFingerprint?: string | undefined },
  context: AnswerContext,
) =>
  JSON.stringify({
    id: start.id ?? `chatcmpl-${context.requestId}`,
    object: "chat.completion.chunk",
    created: start.createdAt ?? context.createdAt,
    model: context.model,
    ...(start.systemFingerprint === undefined ? {} : { system_fingerprint: start.systemFingerprint }),
  }).slice(0, -1);

export const openOpenaiChatEncoder = (context: AnswerContext): StreamEncoder => new ChunkWriter(context);

class ChunkWriter implements StreamEncoder {
  readonly #context: AnswerContext;
  readonly #nullUsage: string;
  #head: string;
  readonly #spoken = new Set<number>();
  /** Calls whose input is free text, as "choice index". */
  readonly #custom = new Set<string>();
  #usage: Usage | undefined;
  /** The choices of the last finish chunk, not written yet, and which choice that is. */
  #held: string | undefined;
  #heldChoice: number | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#nullUsage = context.includeUsage ? ',"usage":null' : "";
    this.#head = chunkHead({}, context);
  }

  push(event: ChatEvent): string {
    switch (event.type) {
      case "start":
        this.#head = chunkHead(event, this.#context);
        return "";
      case "usage":
        this.#usage = mergeUsage(this.#usage, event.usage);
        return "";
      case "finish": {
        // Of two reasons of one choice the last counts.
        const before = event.choice === this.#heldChoice ? "" : this.#release();
        const delta = this.#spoken.has(event.choice) ? {} : { role: "assistant", content: null };
        this.#spoken.add(event.choice);
        this.#held = JSON.stringify([{ index: event.choice, delta, logprobs: null, finish_reason: event.reason }]);
        this.#heldChoice = event.choice;
        return before;
      }
      case "text":
        return this.#delta(event.choice, { content: event.text }, event.logprobs && { content: event.logprobs, refusal: null });
      case "refusal":
        return this.#delta(event.choice, { refusal: event.text }, event.logprobs && { content: null, refusal: event.logprobs });
      case "reasoning":
      case "redacted-reasoning":
        return this.#delta(event.choice, thoughtDelta(event));
      case "tool-call":
        return this.#openCall(event);
      case "tool-arguments": {
        const custom = this.#custom.has(`${event.choice} ${event.index}`);
        const piece = custom ? { custom: { input: event.text } } : { function: { arguments: event.text } };
        return this.#delta(event.choice, { tool_calls: [{ index: event.index, ...piece }] });
      }
      case "annotations":
        return this.#ahead(event.choice, encodedAnnotations(event.annotations));
      case "embedding":
      case "token-count":
        return "";
      case "audio":
        return this.#delta(event.choice, { audio: event.audio });
      case "image":
        return this.#delta(event.choice, { images: [{ type: "image_url", image_url: { url: mediaUrl(event.media) } }] });
    }
  }

  end(): string {
    if (this.#held === undefined) throw new Failure("stream_truncated", "The provider ended the stream before a finish reason");
    const context = this.#context;
    const stamped = JSON.stringify({
      ...tierField(this.#usage),
      ...stampFields(context.stamp(this.#usage), this.#usage, context.extensionName),
    }).slice(1);
    const tail = stamped === "}" ? "}" : `,${stamped}`;
    const held = this.#held;
    this.#held = undefined;
    const last = context.includeUsage ? `${this.#frame(held, `${this.#nullUsage}}`)}${this.#frame("[]", tail)}` : this.#frame(held, tail);
    return `${last}data: ${TERMINATOR}\n\n`;
  }

  fail(failure: FailureBody): string {
    this.#held = undefined;
    return `data: ${encodeOpenaiChatFailure(failure, this.#context.extensionName)}\n\n`;
  }

  #openCall(event: Extract<ChatEvent, { type: "tool-call" }>): string {
    if (event.custom) this.#custom.add(`${event.choice} ${event.index}`);
    const described = event.custom
      ? { type: "custom", custom: { name: event.name, input: "" } }
      : { type: "function", function: { name: event.name, arguments: "" } };
    const seal = event.signature === undefined ? {} : { extra_content: { google: { thought_signature: event.signature } } };
    return this.#delta(event.choice, { tool_calls: [{ index: event.index, id: event.id, ...described, ...seal }] });
  }

  #delta(choice: number, delta: Readonly<Record<string, unknown>>, logprobs: unknown = null): string {
    return (choice === this.#heldChoice ? "" : this.#release()) + this.#ahead(choice, delta, logprobs);
  }

  /** A held finish chunk stays held: some providers go on after a finish reason, or tell their sources then. */
  #ahead(choice: number, delta: Readonly<Record<string, unknown>>, logprobs: unknown = null): string {
    let said = delta;
    if (!this.#spoken.has(choice)) {
      this.#spoken.add(choice);
      said = { role: "assistant", ...("content" in delta ? {} : { content: null }), ...delta };
    }
    const choices = JSON.stringify([{ index: choice, delta: said, logprobs: logprobs ?? null, finish_reason: null }]);
    return this.#frame(choices, `${this.#nullUsage}}`);
  }

  #release(): string {
    if (this.#held === undefined) return "";
    const held = this.#frame(this.#held, `${this.#nullUsage}}`);
    this.#held = undefined;
    this.#heldChoice = undefined;
    return held;
  }

  /** `tail`: the members after the choices, with the closing brace. */
  #frame(choices: string, tail: string): string {
    return `data: ${this.#head},"choices":${choices}${tail}\n\n`;
  }
}

/** Plain text for every reader, and the sealed form for those that send it back. */
function thoughtDelta(event: Extract<ChatEvent, { type: "reasoning" | "redacted-reasoning" }>): Record<string, unknown> {
  if (event.type === "redacted-reasoning") {
    return { reasoning_details: [sealedDetail(event.data, event.from, event.block, event.id)] };
  }
  const text = event.text === "" ? undefined : event.text;
  return {
    ...(text === undefined ? {} : { reasoning_content: text }),
    ...(event.from === "openai-chat" ? {} : { reasoning_details: [detailOf(text, event.signature, event.from, event.block, event.id)] }),
  };
}
