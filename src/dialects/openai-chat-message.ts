// One choice of a whole Chat Completions answer, put together from its events.
import type { ChatEvent, FinishReason, Media, SpokenEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { detailOf, sealedDetail } from "./openai-chat-reasoning";
import { objectOf } from "./provider-json";

type ChoiceEvent = Exclude<SpokenEvent, { type: "start" | "usage" }>;
type CallEvent = Extract<ChatEvent, { type: "tool-call" }>;
type ReasoningEvent = Extract<ChatEvent, { type: "reasoning" }>;

/** The address of an image, or the image itself as a data URL; a provider's own id as it is. */
export const mediaUrl = (media: Media): string => {
  switch (media.kind) {
    case "url":
      return media.url;
    case "base64":
      return `data:${media.mediaType};base64,${media.data}`;
    case "id":
      return media.id;
  }
};

/** OpenAI's list takes citations with an address only; other providers' sources stand beside it as they came. */
export function encodedAnnotations(annotations: readonly unknown[]): Record<string, unknown> {
  const cited = annotations.filter((each) => objectOf(each)?.["type"] === "url_citation");
  const others = annotations.filter((each) => objectOf(each)?.["type"] !== "url_citation");
  return { ...(cited.length > 0 ? { annotations: cited } : {}), ...(others.length > 0 ? { citations: others } : {}) };
}

export class MessageBuilder {
  #text: string[] | undefined;
  #refusal: string[] | undefined;
  readonly #contentLogprobs: unknown[] = [];
  readonly #refusalLogprobs: unknown[] = [];
  readonly #reasoning: string[] = [];
  readonly #details = new Map<number, Record<string, unknown>>();
  readonly #calls = new Map<number, { event: CallEvent; pieces: string[] }>();
  readonly #annotations: unknown[] = [];
  readonly #images: Media[] = [];
  #audio: Readonly<Record<string, unknown>> | undefined;
  #finish: FinishReason | undefined;

  add(event: ChoiceEvent): void {
    switch (event.type) {
      case "text":
        this.#text ??= [];
        this.#text.push(event.text);
        this.#contentLogprobs.push(...(event.logprobs ?? []));
        return;
      case "refusal":
        this.#refusal ??= [];
        this.#refusal.push(event.text);
        this.#refusalLogprobs.push(...(event.logprobs ?? []));
        return;
      case "reasoning":
        this.#reason(event);
        return;
      case "redacted-reasoning":
        this.#details.set(event.block, sealedDetail(event.data, event.from, event.block, event.id));
        return;
      case "tool-call":
        this.#calls.set(event.index, { event, pieces: [] });
        return;
      case "tool-arguments":
        this.#calls.get(event.index)?.pieces.push(event.text);
        return;
      case "annotations":
        this.#annotations.push(...event.annotations);
        return;
      case "audio":
        this.#audio = joinAudio(this.#audio, event.audio);
        return;
      case "image":
        this.#images.push(event.media);
        return;
      case "finish":
        this.#finish = event.reason;
        return;
    }
  }

  /** Everything of the choice but its index. Throws `stream_truncated` where it was never finished. */
  build(): Record<string, unknown> {
    if (this.#finish === undefined) throw new Failure("stream_truncated", "The provider's answer holds a choice without a finish reason");
    const details = [...this.#details].sort(([a], [b]) => a - b).map(([, detail]) => detail);
    const message = {
      role: "assistant",
      content: this.#text?.join("") ?? null,
      refusal: this.#refusal?.join("") ?? null,
      ...(this.#reasoning.length > 0 ? { reasoning_content: this.#reasoning.join("") } : {}),
      ...(details.length > 0 ? { reasoning_details: details } : {}),
      ...encodedAnnotations(this.#annotations),
      ...(this.#audio ? { audio: this.#audio } : {}),
      ...(this.#images.length > 0
        ? { images: this.#images.map((media) => ({ type: "image_url", image_url: { url: mediaUrl(media) } })) }
        : {}),
      ...(this.#calls.size > 0
        ? { tool_calls: [...this.#calls].sort(([a], [b]) => a - b).map(([, call]) => encodeCall(call.event, call.pieces)) }
        : {}),
    };
    return { message, logprobs: this.#logprobs(), finish_reason: this.#finish };
  }

  #reason(event: ReasoningEvent): void {
    if (event.text !== "") this.#reasoning.push(event.text);
    if (event.from === "openai-chat") return;
    const before = this.#details.get(event.block);
    const text = `${typeof before?.["text"] === "string" ? before["text"] : ""}${event.text}`;
    this.#details.set(event.block, detailOf(text === "" ? undefined : text, event.signature, event.from, event.block, event.id));
  }

  #logprobs(): Record<string, unknown> | null {
    if (this.#contentLogprobs.length === 0 && this.#refusalLogprobs.length === 0) return null;
    return {
      content: this.#contentLogprobs.length > 0 ? this.#contentLogprobs : null,
      refusal: this.#refusalLogprobs.length > 0 ? this.#refusalLogprobs : null,
    };
  }
}

/** A call as it stands in a message. `extra_content` is where Google's compatible API keeps its seal. */
export function encodeCall(
  call: { id: string; name: string; signature?: string | undefined; custom?: boolean | undefined },
  pieces: readonly string[],
) {
  const text = pieces.join("");
  return {
    id: call.id,
    ...(call.custom
      ? { type: "custom", custom: { name: call.name, input: text } }
      : { type: "function", function: { name: call.name, arguments: text } }),
    ...(call.signature === undefined ? {} : { extra_content: { google: { thought_signature: call.signature } } }),
  };
}

/** Streamed audio comes in pieces: data and transcript go on, the rest is said once. */
function joinAudio(
  before: Readonly<Record<string, unknown>> | undefined,
  piece: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const joined: Record<string, unknown> = { ...before, ...piece };
  for (const name of ["data", "transcript"]) {
    const [first, second] = [before?.[name], piece[name]];
    if (typeof first === "string") joined[name] = typeof second === "string" ? first + second : first;
  }
  return joined;
}
