// What leaves the Chat Completions door satisfies OpenAI's published types, whoever answered. Providers whose answers may break
// them declare it; each of their answers is looked at, and only one that breaks a type is written again: the others keep their
// bytes. https://platform.openai.com/docs/api-reference/chat/streaming
import type { Deviations } from "./dialect";
import { finishReasonOf } from "./openai-chat-answer";
import { CallNumbers } from "./openai-chat-call-numbers";
import { conformUsage, usageConforms } from "./openai-chat-conform-usage";
import { thinkingParts } from "./openai-chat-reasoning";
import { otherParts } from "./openai-chat-sources";
import { itemsOf, type JsonObject, objectOf, parseJsonExactly, textOf } from "./provider-json";

type Json = Record<string, unknown>;
type Kind = "chat.completion" | "chat.completion.chunk";

/** Used where the provider said nothing. */
export interface Fallbacks {
  id: string;
  createdAt: number;
  model: string;
}

const REASONS: ReadonlySet<unknown> = new Set(["stop", "length", "tool_calls", "content_filter", "function_call", null, undefined]);
const TIERS: ReadonlySet<unknown> = new Set(["auto", "default", "flex", "scale", "priority", "fast", null, undefined]);
const ROLES: ReadonlySet<unknown> = new Set(["developer", "system", "user", "assistant", "tool", null, undefined]);

const isTextOrNothing = (value: unknown): boolean => value === undefined || value === null || typeof value === "string";
const isListOrNothing = (value: unknown): boolean => value === undefined || value === null || Array.isArray(value);

/** Looks at the chunks of one stream in order, or at one whole answer. */
export class Conformer {
  readonly #kind: Kind;
  readonly #deviations: Deviations;
  readonly #fallbacks: Fallbacks;
  readonly #numbers = new CallNumbers();
  #id: string | undefined;

  constructor(kind: Kind, deviations: Deviations, fallbacks: Fallbacks) {
    this.#kind = kind;
    this.#deviations = deviations;
    this.#fallbacks = fallbacks;
  }

  /** The answer's JSON text as the types have it; undefined: as it came. `answer` is `text` parsed, with a list of choices or none. */
  apply(answer: JsonObject, text: string): string | undefined {
    this.#id ??= textOf(answer["id"]) || undefined;
    const choices = itemsOf(answer["choices"]);
    const numbers = choices.map((choice, position) => this.#numbers.take(objectOf(choice), position));
    const conforms =
      this.#headConforms(answer) &&
      usageConforms(answer["usage"], this.#deviations) &&
      choices.every((choice, position) => this.#choiceConforms(objectOf(choice), numbers[position] ?? []));
    if (conforms) return undefined;
    // Digits that a double would change stay: what is copied below is not computed with.
    const exact = objectOf(parseJsonExactly(text));
    return exact && JSON.stringify(this.#conformed(answer, exact, numbers));
  }

  #headConforms(answer: JsonObject): boolean {
    return (
      answer["object"] === this.#kind &&
      typeof answer["id"] === "string" &&
      Number.isSafeInteger(answer["created"]) &&
      typeof answer["model"] === "string" &&
      Array.isArray(answer["choices"]) &&
      TIERS.has(answer["service_tier"]) &&
      isTextOrNothing(answer["system_fingerprint"])
    );
  }

  #choiceConforms(choice: JsonObject | undefined, numbers: readonly number[]): boolean {
    if (!choice) return false;
    const whole = this.#kind === "chat.completion";
    const message = objectOf(choice[whole ? "message" : "delta"]);
    const logprobs = choice["logprobs"];
    return (
      message !== undefined &&
      Number.isSafeInteger(choice["index"]) &&
      REASONS.has(choice["finish_reason"]) &&
      (logprobs === undefined || logprobs === null || logprobsConform(objectOf(logprobs))) &&
      (whole ? message["role"] === "assistant" : ROLES.has(message["role"])) &&
      isTextOrNothing(message["content"]) &&
      isTextOrNothing(message["refusal"]) &&
      isListOrNothing(message["tool_calls"]) &&
      isListOrNothing(message["annotations"]) &&
      itemsOf(message["annotations"]).every(isUrlCitation) &&
      itemsOf(message["tool_calls"]).every((call, position) => this.#callConforms(objectOf(call), numbers[position]))
    );
  }

  #callConforms(call: JsonObject | undefined, number: number | undefined): boolean {
    if (!call) return false;
    const { id, type } = call;
    const said = objectOf(call["function"] ?? call["custom"]);
    if (this.#kind === "chat.completion") {
      return (
        typeof said?.["name"] === "string" &&
        typeof id === "string" &&
        id !== "" &&
        typeof type === "string" &&
        typeof (said?.["arguments"] ?? said?.["input"]) === "string"
      );
    }
    return (
      call["index"] === number &&
      id !== "" &&
      isTextOrNothing(id) &&
      isTextOrNothing(type) &&
      isTextOrNothing(said?.["name"]) &&
      isTextOrNothing(said?.["arguments"])
    );
  }

  #conformed(answer: JsonObject, exact: JsonObject, numbers: readonly (readonly number[])[]): Json {
    const { id, createdAt, model } = this.#fallbacks;
    const fixed: Json = { ...exact, object: this.#kind };
    if (typeof answer["id"] !== "string") fixed["id"] = this.#id ?? id;
    if (!Number.isSafeInteger(answer["created"])) fixed["created"] = createdAt;
    if (typeof answer["model"] !== "string") fixed["model"] = model;
    if (!TIERS.has(answer["service_tier"])) delete fixed["service_tier"];
    if (!isTextOrNothing(answer["system_fingerprint"])) delete fixed["system_fingerprint"];
    if (!usageConforms(answer["usage"], this.#deviations)) fixed["usage"] = conformUsage(answer["usage"], exact["usage"], this.#deviations);
    const exactChoices = itemsOf(exact["choices"]);
    fixed["choices"] = itemsOf(answer["choices"]).map((choice, position) =>
      this.#conformedChoice(objectOf(choice) ?? {}, objectOf(exactChoices[position]) ?? {}, position, numbers[position] ?? []),
    );
    return fixed;
  }

  #conformedChoice(choice: JsonObject, exact: JsonObject, position: number, numbers: readonly number[]): Json {
    if (this.#choiceConforms(choice, numbers)) return exact;
    const whole = this.#kind === "chat.completion";
    const [name, other] = whole ? (["message", "delta"] as const) : (["delta", "message"] as const);
    const index = Number.isSafeInteger(choice["index"]) ? (choice["index"] as number) : position;
    const said = objectOf(exact[name]) ?? objectOf(exact[other]) ?? {};
    const fixed: Json = { ...exact, index, [name]: this.#conformedMessage(said, index, numbers) };
    const { finish_reason: reason, logprobs } = choice;
    if (!REASONS.has(reason)) fixed["finish_reason"] = typeof reason === "string" ? finishReasonOf(reason) : null;
    if (logprobs !== undefined && logprobs !== null && !logprobsConform(objectOf(logprobs))) {
      fixed["logprobs"] = Array.isArray(logprobs) ? { content: exact["logprobs"], refusal: null } : null;
    }
    return fixed;
  }

  #conformedMessage(said: JsonObject, choice: number, numbers: readonly number[]): Json {
    const whole = this.#kind === "chat.completion";
    const fixed: Json = { ...said };
    if (whole) fixed["role"] = "assistant";
    else if (!ROLES.has(said["role"])) delete fixed["role"];
    if (!isTextOrNothing(said["refusal"])) delete fixed["refusal"];
    if (!isTextOrNothing(said["content"])) Object.assign(fixed, contentFields(said));
    const sources = [...itemsOf(said["annotations"]).filter((each) => !isUrlCitation(each)), ...itemsOf(fixed["citations"])];
    if (!isListOrNothing(said["annotations"])) delete fixed["annotations"];
    else if (Array.isArray(said["annotations"])) fixed["annotations"] = said["annotations"].filter(isUrlCitation);
    if (sources.length > 0) fixed["citations"] = sources;
    if (Array.isArray(said["tool_calls"])) {
      fixed["tool_calls"] = said["tool_calls"].map((call, position) =>
        this.#conformedCall(objectOf(call) ?? {}, choice, numbers[position] ?? position),
      );
    } else if (!isListOrNothing(said["tool_calls"])) delete fixed["tool_calls"];
    return fixed;
  }

  #conformedCall(call: JsonObject, choice: number, number: number): Json {
    const whole = this.#kind === "chat.completion";
    const name = call["custom"] === undefined ? "function" : "custom";
    let said = objectOf(call[name]) ?? {};
    const field = name === "custom" ? "input" : "arguments";
    const opens = typeof said["name"] === "string";
    const fixed: Json = whole ? { ...call } : { ...call, index: number };
    // The same id that the reader of events gives it.
    const named = typeof call["id"] === "string" && call["id"] !== "";
    if (!named && (opens || whole)) fixed["id"] = `call_${this.#id ?? ""}_${choice}_${number}`;
    else if (!named) delete fixed["id"];
    if (opens || whole) fixed["type"] = name;
    if (!isTextOrNothing(said["name"]) || (whole && typeof said["name"] !== "string")) said = { ...said, name: "" };
    const text = said[field];
    if (typeof text !== "string" && (whole || (text !== undefined && text !== null))) {
      said = { ...said, [field]: text === undefined || text === null ? "" : JSON.stringify(text) };
    }
    if (whole || call[name] !== undefined) fixed[name] = said;
    return fixed;
  }
}

const isUrlCitation = (annotation: unknown): boolean => objectOf(annotation)?.["type"] === "url_citation";

const logprobsConform = (logprobs: JsonObject | undefined): boolean =>
  logprobs !== undefined && isListOrNothing(logprobs["content"]) && isListOrNothing(logprobs["refusal"]);

/** A list of parts as text, thinking and what else stands in it. */
function contentFields(said: JsonObject): Json {
  const { content } = said;
  if (!Array.isArray(content)) return { content: content === undefined || content === null ? null : JSON.stringify(content) };
  const typed = (type: string) => content.filter((part) => objectOf(part)?.["type"] === type);
  const texts = typed("text").map((part) => textOf(objectOf(part)?.["text"]) ?? "");
  const thinking = thinkingParts(content);
  const images = typed("image_url");
  const others = otherParts(content);
  return {
    content: texts.length === 0 ? null : texts.join(""),
    ...(thinking === "" ? {} : { reasoning_content: thinking }),
    ...(images.length === 0 ? {} : { images: [...itemsOf(said["images"]), ...images] }),
    ...(others.length === 0 ? {} : { citations: [...itemsOf(said["citations"]), ...others] }),
  };
}
