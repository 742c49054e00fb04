// Chat Completions answers → events. A whole answer is read as a stream of one chunk whose deltas are messages, so that
// there is one reader. https://platform.openai.com/docs/api-reference/chat/streaming
import type { ChatEvent, DialectName, FinishReason } from "../core/chat";
import { Failure } from "../core/failure";
import type { Deviations } from "./dialect";
import { failureInAnswer } from "./openai-chat-error";
import { reasoningFrom } from "./openai-chat-reasoning";
import { AnswerSources, imagesOf, sourcesOf } from "./openai-chat-sources";
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
  ["safety", "content_filter"],
  ["recitation", "content_filter"],
  ["blocklist", "content_filter"],
  ["prohibited_content", "content_filter"],
  ["spii", "content_filter"],
]);

/** Ends that are failures: the answer before them is not what the model would have said. Another try may work. */
const FAILED: ReadonlySet<string> = new Set([
  "error",
  "abort",
  "insufficient_system_resource",
  "malformed_function_call",
  "unexpected_tool_call",
]);

/** The reason in OpenAI's words. Google's compatible API says "content_filter: SAFETY". */
export const finishReasonOf = (raw: string): FinishReason => FINISH_REASONS.get(raw.toLowerCase().replace(/:.*/s, "")) ?? "stop";

interface OpenCall {
  index: number;
  id: string | undefined;
  name: string;
  custom: boolean;
  signature: string | undefined;
  /** It was told: its name was whole. */
  told: boolean;
}

interface Choice {
  finished: boolean;
  calls: number;
  /** Calls by the provider's own number. */
  open: Map<number, OpenCall>;
  /** Calls whose name may not be whole yet. */
  untold: OpenCall[];
  last: OpenCall | undefined;
  block: number;
  /** The last event was thinking of this origin: the next of the same continues its block. */
  thinking: DialectName | undefined;
  /** The provider's number of that block. */
  thoughtIndex: number | undefined;
}

/** Parses a frame's or a body's JSON. Throws `upstream_error` for what is not an answer, an error object included. */
export function parseAnswer(text: string): JsonObject {
  const answer = objectOf(parseJson(text));
  if (!answer) throw new Failure("upstream_error", "The provider's answer is not a JSON object");
  if ((answer["error"] !== undefined && answer["error"] !== null) || answer["object"] === "error") throw failureInAnswer(answer);
  return answer;
}

/** Reads chunks (or one whole answer) in order. */
export class AnswerReader {
  readonly #choices = new Map<number, Choice>();
  readonly #deviations: Deviations;
  readonly #whole: boolean;
  readonly #sources = new AnswerSources();
  #started = false;
  #id: string | undefined;
  #serviceTier: string | undefined;

  /** `whole`: one answer, not the chunks of a stream. Some providers write a delta beside each message, or the other way round. */
  constructor(deviations: Deviations, whole = false) {
    this.#deviations = deviations;
    this.#whole = whole;
  }

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
    const sources = this.#sources.read(answer);
    if (sources.length > 0) events.push({ type: "annotations", choice: 0, annotations: sources });
    if (Array.isArray(choices)) {
      for (const [position, raw] of choices.entries()) this.#choice(objectOf(raw), position, events);
    } else if (choices !== undefined && choices !== null) {
      throw new Failure("upstream_error", "The provider's answer holds no list of choices");
    }
    // Groq's own: why a stream was stopped early, and usage where nobody asked for it.
    const aside = objectOf(answer["x_groq"]);
    if (aside?.["error"]) throw failureInAnswer(aside);
    const usage = objectOf(answer["usage"]) ?? objectOf(aside?.["usage"]);
    if (usage) events.push({ type: "usage", usage: decodeUsage(usage, this.#serviceTier, this.#deviations) });
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
    const [first, second] = this.#whole ? [raw["message"], raw["delta"]] : [raw["delta"], raw["message"]];
    const message = objectOf(first) ?? objectOf(second);
    if (message) this.#message(message, raw, choice, index, events);
    const reason = textOf(raw["finish_reason"]);
    if (reason === undefined) return;
    if (FAILED.has(reason.toLowerCase())) throw failureInAnswer({ error: { message: "it ended its answer with an error" } });
    choice.finished = true;
    this.#tellCalls(choice, index, events);
    const said = finishReasonOf(reason);
    // Some providers end an answer that calls tools as any other, OpenAI too where the caller named the tool.
    events.push({ type: "finish", choice: index, reason: said === "stop" && choice.calls > 0 ? "tool_calls" : said, raw: reason });
  }

  /** What a provider says after a finish reason is said all the same: some finish after each call. The last reason counts. */
  #message(message: JsonObject, raw: JsonObject, choice: Choice, index: number, events: ChatEvent[]): void {
    for (const thought of reasoningFrom(message)) {
      const another = thought.index !== undefined && choice.thoughtIndex !== undefined && thought.index !== choice.thoughtIndex;
      if (choice.thinking !== thought.from || thought.opens || another) choice.block++;
      choice.thinking = thought.signature === undefined && thought.data === undefined ? thought.from : undefined;
      choice.thoughtIndex = thought.index;
      const { from, id } = thought;
      if (thought.data !== undefined)
        events.push({ type: "redacted-reasoning", choice: index, block: choice.block, data: thought.data, from, id });
      else
        events.push({ type: "reasoning", choice: index, block: choice.block, text: thought.text, signature: thought.signature, from, id });
    }
    const logprobs = objectOf(raw["logprobs"]);
    said(events, "text", index, contentText(message["content"]), logprobs?.["content"]);
    said(events, "refusal", index, textOf(message["refusal"]), logprobs?.["refusal"]);
    const annotations = sourcesOf(message);
    if (annotations.length > 0) events.push({ type: "annotations", choice: index, annotations });
    const audio = objectOf(message["audio"]);
    if (audio) events.push({ type: "audio", choice: index, audio });
    events.push(...imagesOf(message, index));
    for (const [position, call] of itemsOf(message["tool_calls"]).entries()) {
      this.#call(objectOf(call), this.#whole ? position : undefined, choice, index, events);
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
      this.#tellCalls(choice, index, events);
      const signature = textOf(objectOf(objectOf(raw["extra_content"])?.["google"])?.["thought_signature"]);
      call = { index: choice.calls++, id, name: "", custom: custom !== undefined, signature, told: false };
      if (number !== undefined) choice.open.set(number, call);
      choice.untold.push(call);
    }
    choice.last = call;
    call.id ??= id;
    // A name may come in pieces, or again with each of them.
    if (name !== undefined && !call.told && name !== call.name) call.name += name;
    const text = argumentsText(custom ? custom["input"] : said?.["arguments"]);
    if (text === "" && (this.#whole === false || call.name === "")) return;
    this.#tellCalls(choice, index, events);
    if (text !== "") events.push({ type: "tool-arguments", choice: index, index: call.index, text });
  }

  /** Names are whole once the arguments begin, another call does, or the answer is over. */
  #tellCalls(choice: Choice, index: number, events: ChatEvent[]): void {
    for (const call of choice.untold.splice(0)) {
      call.told = true;
      const id = call.id ?? `call_${this.#id ?? ""}_${index}_${call.index}`;
      const { name, signature, custom } = call;
      events.push({ type: "tool-call", choice: index, index: call.index, id, name, signature, ...(custom ? { custom } : {}) });
    }
  }
}

const newChoice = (): Choice => ({
  finished: false,
  calls: 0,
  open: new Map(),
  untold: [],
  last: undefined,
  block: -1,
  thinking: undefined,
  thoughtIndex: undefined,
});

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

/** A whole answer's body → events. Throws `upstream_error` where a choice or its finish reason is missing. */
export function decodeOpenaiChatAnswer(body: string, deviations: Deviations = {}): ChatEvent[] {
  const reader = new AnswerReader(deviations, true);
  const events = reader.read(parseAnswer(body));
  if (!reader.finished) throw new Failure("upstream_error", "The provider's answer holds no finished choice");
  return events;
}
