// Chat Completions answers → events. A whole answer is read as a stream of one chunk whose deltas are messages, so that
// there is one reader. https://platform.openai.com/docs/api-reference/chat/streaming
import type { ChatEvent, DialectName, FinishReason, Media } from "../core/chat";
import { Failure } from "../core/failure";
import { failureInAnswer } from "./openai-chat-error";
import { reasoningFrom } from "./openai-chat-reasoning";
import { decodeUsage } from "./openai-chat-usage";
import { itemsOf, type JsonObject, objectOf, parseJson, textOf } from "./provider-json";

/** OpenAI's words and those of providers that pass on another API's. A word that is not here is an end like any other; `raw` keeps it. */
const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ["length", "length"],
  ["max_tokens", "length"],
  ["model_length", "length"],
  ["tool_calls", "tool_calls"],
  ["tool_use", "tool_calls"],
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
  ["refusal", "content_filter"],
]);

interface OpenCall {
  index: number;
  id: string | undefined;
}

interface Choice {
  finished: boolean;
  calls: number;
  /** Calls by the provider's own number. */
  open: Map<number, OpenCall>;
  last: OpenCall | undefined;
  block: number;
  /** The last event was thinking of this origin: the next of the same continues its block. */
  thinking: DialectName | undefined;
}

/** Parses a frame's or a body's JSON. Throws `upstream_error` for what is not an answer, an error object included. */
export function parseAnswer(text: string): JsonObject {
  const answer = objectOf(parseJson(text));
  if (!answer) throw new Failure("upstream_error", "The provider's answer is not a JSON object");
  if (answer["error"] !== undefined && answer["error"] !== null) throw failureInAnswer(answer);
  return answer;
}

/** Reads chunks (or one whole answer) in order. */
export class AnswerReader {
  readonly #choices = new Map<number, Choice>();
  #started = false;
  #id: string | undefined;
  #serviceTier: string | undefined;

  /** Choices were seen, and each has its finish reason. */
  get finished(): boolean {
    if (this.#choices.size === 0) return false;
    for (const choice of this.#choices.values()) if (!choice.finished) return false;
    return true;
  }

  read(answer: JsonObject): ChatEvent[] {
    const events: ChatEvent[] = [];
    const { choices } = answer;
    this.#start(answer, events);
    this.#serviceTier = textOf(answer["service_tier"]) ?? this.#serviceTier;
    if (Array.isArray(choices)) {
      for (const [position, raw] of choices.entries()) this.#choice(objectOf(raw), position, events);
    } else if (choices !== undefined && choices !== null) {
      throw new Failure("upstream_error", "The provider's answer holds no list of choices");
    }
    const usage = objectOf(answer["usage"]);
    if (usage) events.push({ type: "usage", usage: decodeUsage(usage, this.#serviceTier) });
    return events;
  }

  #start(answer: JsonObject, events: ChatEvent[]): void {
    const id = textOf(answer["id"]) || undefined;
    // Azure's first chunk is empty but for what its filters say of the prompt.
    if (this.#started || (id === undefined && itemsOf(answer["choices"]).length === 0)) return;
    this.#started = true;
    this.#id = id;
    const { created } = answer;
    events.push({
      type: "start",
      id,
      model: textOf(answer["model"]) || undefined,
      createdAt: typeof created === "number" ? created : undefined,
      systemFingerprint: textOf(answer["system_fingerprint"]),
    });
  }

  #choice(raw: JsonObject | undefined, position: number, events: ChatEvent[]): void {
    if (!raw) throw new Failure("upstream_error", "The provider's answer holds a choice that is no object");
    if (raw["error"] !== undefined && raw["error"] !== null) throw failureInAnswer(raw);
    const index = typeof raw["index"] === "number" ? raw["index"] : position;
    const choice = this.#choices.get(index) ?? newChoice();
    this.#choices.set(index, choice);
    if (choice.finished) return;
    const delta = objectOf(raw["delta"]);
    const message = delta ?? objectOf(raw["message"]);
    if (message) this.#message(message, raw, choice, index, delta === undefined, events);
    const reason = textOf(raw["finish_reason"]);
    if (reason === undefined) return;
    if (reason === "error") throw failureInAnswer({ error: { message: "it ended its answer with an error" } });
    choice.finished = true;
    events.push({ type: "finish", choice: index, reason: FINISH_REASONS.get(reason.toLowerCase()) ?? "stop", raw: reason });
  }

  #message(message: JsonObject, raw: JsonObject, choice: Choice, index: number, whole: boolean, events: ChatEvent[]): void {
    for (const thought of reasoningFrom(message)) {
      if (choice.thinking !== thought.from || thought.opens) choice.block++;
      choice.thinking = thought.signature === undefined && thought.data === undefined ? thought.from : undefined;
      const { from } = thought;
      if (thought.data !== undefined)
        events.push({ type: "redacted-reasoning", choice: index, block: choice.block, data: thought.data, from });
      else events.push({ type: "reasoning", choice: index, block: choice.block, text: thought.text, signature: thought.signature, from });
    }
    const logprobs = objectOf(raw["logprobs"]);
    said(events, "text", index, contentText(message["content"]), logprobs?.["content"]);
    said(events, "refusal", index, textOf(message["refusal"]), logprobs?.["refusal"]);
    const annotations = itemsOf(message["annotations"]);
    if (annotations.length > 0) events.push({ type: "annotations", choice: index, annotations });
    const audio = objectOf(message["audio"]);
    if (audio) events.push({ type: "audio", choice: index, audio });
    for (const image of itemsOf(message["images"])) {
      const url = textOf(objectOf(objectOf(image)?.["image_url"])?.["url"]);
      if (url !== undefined) events.push({ type: "image", choice: index, media: imageOf(url) });
    }
    for (const [position, call] of itemsOf(message["tool_calls"]).entries()) {
      this.#call(objectOf(call), whole ? position : undefined, choice, index, events);
    }
    const legacy = objectOf(message["function_call"]);
    if (legacy) this.#call({ index: 0, function: legacy }, 0, choice, index, events);
  }

  /** A piece of a call opens it or goes on with it. Some providers number none, or give several calls one number and an id each. */
  #call(raw: JsonObject | undefined, position: number | undefined, choice: Choice, index: number, events: ChatEvent[]): void {
    if (!raw) return;
    const custom = objectOf(raw["custom"]);
    const said = custom ?? objectOf(raw["function"]);
    const id = textOf(raw["id"]) || undefined;
    const name = textOf(said?.["name"]) || undefined;
    const number = typeof raw["index"] === "number" ? raw["index"] : position;
    let call = number === undefined ? choice.last : choice.open.get(number);
    const another = call !== undefined && id !== undefined && call.id !== undefined && id !== call.id;
    if (!call || another || (number === undefined && id === undefined && name !== undefined)) {
      call = { index: choice.calls++, id };
      if (number !== undefined) choice.open.set(number, call);
      const signature = textOf(objectOf(objectOf(raw["extra_content"])?.["google"])?.["thought_signature"]);
      events.push({
        type: "tool-call",
        choice: index,
        index: call.index,
        id: id ?? `call_${this.#id ?? ""}_${index}_${call.index}`,
        name: name ?? "",
        signature,
        ...(custom ? { custom: true } : {}),
      });
    }
    choice.last = call;
    const text = argumentsText(custom ? custom["input"] : said?.["arguments"]);
    if (text !== "") events.push({ type: "tool-arguments", choice: index, index: call.index, text });
  }
}

const newChoice = (): Choice => ({ finished: false, calls: 0, open: new Map(), last: undefined, block: -1, thinking: undefined });

function said(events: ChatEvent[], type: "text" | "refusal", choice: number, text: string | undefined, entries: unknown): void {
  const logprobs = itemsOf(entries);
  if (!text && logprobs.length === 0) return;
  events.push({ type, choice, text: text ?? "", ...(logprobs.length > 0 ? { logprobs } : {}) });
}

/** Text, or the text parts of a list. */
function contentText(content: unknown): string | undefined {
  if (!Array.isArray(content)) return textOf(content);
  return content.map((part) => (objectOf(part)?.["type"] === "text" ? (textOf(objectOf(part)?.["text"]) ?? "") : "")).join("");
}

/** JSON text; some providers give the object itself. */
const argumentsText = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);

function imageOf(url: string): Media {
  const match = /^data:([^,]*);base64,/i.exec(url.slice(0, 200));
  return match ? { kind: "base64", mediaType: match[1] ?? "", data: url.slice(match[0].length) } : { kind: "url", url };
}

/** A whole answer's body → events. Throws `upstream_error` where a choice or its finish reason is missing. */
export function decodeOpenaiChatAnswer(body: string): ChatEvent[] {
  const reader = new AnswerReader();
  const events = reader.read(parseAnswer(body));
  if (!reader.finished) throw new Failure("upstream_error", "The provider's answer holds no finished choice");
  return events;
}
