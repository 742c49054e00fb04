// Gemini's answers → events: https://ai.google.dev/api/generate-content#GenerateContentResponse
// A stream is a sequence of whole answers, each with the next parts; its end is the end of the connection. So a finish reason is
// only believed at the end: some models put STOP on every frame, and the last word (RECITATION) is the true one.
import type { ChatEvent, FinishReason } from "../core/chat";
import { Failure } from "../core/failure";
import type { Frame } from "../wire/frame";
import type { StreamDecoder } from "./dialect";
import { failureInStream } from "./gemini-error";
import { isGeneration3 } from "./gemini-model";
import { type Choice, logprobsOf, readPart } from "./gemini-parts";
import { annotationsOf } from "./gemini-sources";
import { geminiUsageOf } from "./gemini-usage";
import { countOf, itemsOf, type JsonObject, objectOf, parseJson, parseJsonExactly, textOf } from "./provider-json";

/** https://ai.google.dev/api/generate-content#FinishReason. "failed": the model broke; another attempt may do better. */
const FINISH: Readonly<Record<string, FinishReason | "failed">> = {
  STOP: "stop",
  MAX_TOKENS: "length",
  SAFETY: "content_filter",
  RECITATION: "content_filter",
  LANGUAGE: "content_filter",
  BLOCKLIST: "content_filter",
  PROHIBITED_CONTENT: "content_filter",
  SPII: "content_filter",
  MODEL_ARMOR: "content_filter",
  IMAGE_SAFETY: "content_filter",
  IMAGE_PROHIBITED_CONTENT: "content_filter",
  IMAGE_RECITATION: "content_filter",
  MALFORMED_FUNCTION_CALL: "failed",
  MALFORMED_RESPONSE: "failed",
  UNEXPECTED_TOOL_CALL: "failed",
  TOO_MANY_TOOL_CALLS: "failed",
  MISSING_THOUGHT_SIGNATURE: "failed",
};
/** Google's words for *stopped, we don't say why*: a failure without content; with content, an answer that was cut off on purpose. */
const UNSAID = new Set(["OTHER", "IMAGE_OTHER", "NO_IMAGE", "FINISH_REASON_UNSPECIFIED"]);

/** A whole answer's body → events. Throws `upstream_error` for what is not a finished answer. */
export function decodeGeminiResponse(body: string): ChatEvent[] {
  const json = objectOf(parseFrame(body));
  if (!json) throw new Failure("upstream_error", "The provider's answer is not a JSON object");
  const answer = new AnswerReader();
  const events = answer.read(json);
  if (!answer.finished) throw new Failure("upstream_error", "The provider's answer has no finish reason");
  return [...events, ...answer.finish()];
}

/** Feed it the frames of a stream in order. */
export function openGeminiStream(): StreamDecoder {
  const answer = new AnswerReader();
  return {
    push(frame: Frame): ChatEvent[] {
      if (frame.data === undefined) return [];
      const json = objectOf(parseFrame(frame.data));
      if (!json) throw new Failure("upstream_error", "The provider's stream holds something that is not a JSON object");
      return answer.read(json);
    },
    end(): ChatEvent[] {
      if (!answer.finished) throw new Failure("stream_truncated", "The provider's stream ended before a finish reason");
      return answer.finish();
    },
    done: false,
  };
}

/** Arguments of function calls go on as text, so their digits are kept. */
const parseFrame = (text: string): unknown => (text.includes('"functionCall"') ? parseJsonExactly(text) : parseJson(text));

class AnswerReader {
  readonly #choices = new Map<number, Choice>();
  #started = false;
  #id: string | undefined;
  #model = "";
  #usage: JsonObject | undefined;

  /** Every candidate seen so far has a finish reason, and there is one. */
  get finished(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every(({ raw }) => raw !== undefined);
  }

  read(json: JsonObject): ChatEvent[] {
    if (objectOf(json["error"])) throw failureInStream(json);
    const events: ChatEvent[] = [];
    if (!this.#started) events.push(this.#start(json));
    const candidates = itemsOf(json["candidates"]);
    for (const candidate of candidates) events.push(...this.#candidate(objectOf(candidate) ?? {}));
    const blocked = textOf(objectOf(json["promptFeedback"])?.["blockReason"]);
    // A blocked prompt has no candidates at all.
    if (blocked !== undefined && candidates.length === 0) this.#choice(0).raw = blocked;
    const usage = objectOf(json["usageMetadata"]);
    if (usage) this.#usage = usage;
    return events;
  }

  /**
   * What is known only at the end. Usage too: figures of earlier frames are running counts (the prompt's own doubles in
   * the last frame of some), and a stream cut short must be counted, not settled at one of them.
   */
  finish(): ChatEvent[] {
    const choices = [...this.#choices.values()].sort((a, b) => a.index - b.index);
    const events: ChatEvent[] = [];
    for (const choice of choices) {
      const annotations = annotationsOf(choice.text.join(""), choice.grounding, [...choice.citations.values()]);
      if (annotations.length > 0) events.push({ type: "annotations", choice: choice.index, annotations });
      events.push({ type: "finish", choice: choice.index, ...finishOf(choice) });
    }
    const searches = choices.reduce((sum, { grounding }) => sum + this.#searches(grounding), 0);
    const usage = geminiUsageOf(this.#usage ?? {}, searches > 0 ? { web_search: searches } : undefined);
    const told = Object.values(usage).some((figure) => figure !== undefined);
    return told ? [...events, { type: "usage", usage }] : events;
  }

  #start(json: JsonObject): ChatEvent {
    this.#started = true;
    this.#id = textOf(json["responseId"]);
    this.#model = textOf(json["modelVersion"]) ?? "";
    const created = Date.parse(textOf(json["createTime"]) ?? "");
    return {
      type: "start",
      id: this.#id,
      model: textOf(json["modelVersion"]),
      ...(Number.isNaN(created) ? {} : { createdAt: Math.floor(created / 1000) }),
    };
  }

  #candidate(candidate: JsonObject): ChatEvent[] {
    const choice = this.#choice(countOf(candidate["index"]) ?? 0);
    const events = itemsOf(objectOf(candidate["content"])?.["parts"]).flatMap((part) => readPart(objectOf(part) ?? {}, choice, this.#id));
    const logprobs = logprobsOf(candidate["logprobsResult"]);
    if (logprobs.length > 0) events.push({ type: "text", choice: choice.index, text: "", logprobs });
    const raw = textOf(candidate["finishReason"]);
    if (raw !== undefined) choice.raw = raw;
    failWhereBroken(choice);
    const grounding = objectOf(candidate["groundingMetadata"]);
    if (grounding) choice.grounding = { ...choice.grounding, ...grounding };
    for (const citation of citationsOf(candidate)) choice.citations.set(JSON.stringify(citation), citation);
    return events;
  }

  #choice(index: number): Choice {
    const known = this.#choices.get(index);
    if (known) return known;
    const choice: Choice = {
      index,
      block: 0,
      thinking: false,
      tools: 0,
      text: [],
      hasContent: false,
      raw: undefined,
      grounding: undefined,
      citations: new Map(),
    };
    this.#choices.set(index, choice);
    return choice;
  }

  /** Google bills each search query from the third generation on, and a grounded prompt once before. https://ai.google.dev/gemini-api/docs/pricing */
  #searches(grounding: JsonObject | undefined): number {
    const queries = itemsOf(grounding?.["webSearchQueries"]).length;
    return isGeneration3(this.#model) ? queries : Math.min(queries, 1);
  }
}

/** Vertex writes `citations`, the Gemini API `citationSources`. */
function citationsOf(candidate: JsonObject): readonly unknown[] {
  const said = objectOf(candidate["citationMetadata"]);
  return [...itemsOf(said?.["citations"]), ...itemsOf(said?.["citationSources"])];
}

/** Thrown as soon as it is known, so that another target may still be tried. */
function failWhereBroken({ raw, hasContent }: Choice): void {
  if (raw === undefined) return;
  const known = UNSAID.has(raw) ? (hasContent ? "content_filter" : "failed") : FINISH[raw];
  if (known === "failed") throw new Failure("upstream_error", `The model failed to give an answer (${raw})`);
  if (known === undefined) throw new Failure("upstream_error", "The provider ended its answer for a reason that is not known here");
}

function finishOf({ raw = "", tools }: Choice): { reason: FinishReason; raw: string } {
  const known = FINISH[raw];
  // Function calls end with STOP like any other answer.
  if (known === "stop") return { reason: tools > 0 ? "tool_calls" : "stop", raw };
  // What is not in the table got here as a blocked prompt (promptFeedback.blockReason) or as an unsaid reason with content.
  return { reason: known === "length" ? "length" : "content_filter", raw };
}
