// Ollama's answers → events: https://docs.ollama.com/api/chat
// A stream is lines of whole answers, each with the next piece; the last says `done`. So a whole answer is a stream of one.
import type { ChatEvent, FinishReason, Media } from "../core/chat";
import { Failure } from "../core/failure";
import type { Usage } from "../core/usage";
import type { Frame } from "../wire/frame";
import type { StreamDecoder } from "./dialect";
import { failureInStream } from "./ollama-error";
import { countOf, itemsOf, type JsonObject, objectOf, parseJson, parseJsonExactly, textOf } from "./provider-json";

const FROM = "ollama" as const;

/** `load` and `unload` answer a request that says nothing. Versions before 0.3 give no reason. */
const FINISH: Readonly<Record<string, FinishReason>> = { "": "stop", stop: "stop", length: "length", load: "stop", unload: "stop" };

/** A whole answer's body → events. Throws `upstream_error` for what is not a finished answer. */
export function decodeOllamaResponse(body: string): ChatEvent[] {
  const answer = new AnswerReader();
  const events = answer.read(body);
  if (!answer.done) throw new Failure("upstream_error", "The provider's answer is not finished");
  return events;
}

/** Feed it the frames of a stream in order. */
export function openOllamaStream(): StreamDecoder {
  const answer = new AnswerReader();
  return {
    push: (frame: Frame): ChatEvent[] => (answer.done || frame.data === undefined ? [] : answer.read(frame.data)),
    end(): ChatEvent[] {
      if (answer.done) return [];
      throw new Failure("stream_truncated", "The provider's stream ended before its last line");
    },
    get done() {
      return answer.done;
    },
  };
}

class AnswerReader {
  #started = false;
  /** The moment of the first line, as digits: it makes ids for calls that have none. */
  #moment = "";
  #tools = 0;
  /** Number of the thinking block that the next thought belongs to, and whether the last piece was one. */
  #block = 0;
  #thinking = false;
  done = false;

  read(text: string): ChatEvent[] {
    // Arguments of calls go on as text, so their digits are kept.
    const json = objectOf(text.includes('"tool_calls"') ? parseJsonExactly(text) : parseJson(text));
    if (!json) throw new Failure("upstream_error", "The provider's answer is not a JSON object");
    if (json["error"] !== undefined) throw failureInStream(json);
    const message = objectOf(json["message"]);
    if (!message) throw new Failure("upstream_error", "The provider's answer holds no message");
    const events = this.#started ? [] : [this.#start(json)];
    events.push(...this.#message(message, itemsOf(json["logprobs"])));
    if (json["done"] === true) events.push(...this.#finish(json));
    return events;
  }

  #start(json: JsonObject): ChatEvent {
    this.#started = true;
    const moment = textOf(json["created_at"]) ?? "";
    this.#moment = moment.replace(/\D/g, "");
    const created = Date.parse(moment);
    const at = Number.isNaN(created) ? {} : { createdAt: Math.floor(created / 1000) };
    return { type: "start", id: undefined, model: textOf(json["model"]), ...at };
  }

  #message(message: JsonObject, logprobs: readonly unknown[]): ChatEvent[] {
    const events: ChatEvent[] = [];
    const thought = textOf(message["thinking"]);
    if (thought) {
      events.push({ type: "reasoning", choice: 0, block: this.#block, text: thought, from: FROM });
      this.#thinking = true;
    }
    const text = textOf(message["content"]);
    if (text || logprobs.length > 0) {
      this.#endThought();
      events.push({ type: "text", choice: 0, text: text ?? "", ...(logprobs.length > 0 ? { logprobs: logprobs.map(entryOf) } : {}) });
    }
    for (const image of itemsOf(message["images"])) {
      if (typeof image === "string") events.push({ type: "image", choice: 0, media: pictureOf(image) });
    }
    for (const call of itemsOf(message["tool_calls"])) events.push(...this.#call(objectOf(call) ?? {}));
    return events;
  }

  #endThought(): void {
    if (this.#thinking) this.#block++;
    this.#thinking = false;
  }

  /** Calls come whole. Older versions give no id: it is made of the answer's moment and the call's place, the same in every replay. */
  #call(call: JsonObject): ChatEvent[] {
    this.#endThought();
    const called = objectOf(call["function"]);
    const name = textOf(called?.["name"]);
    if (name === undefined) throw new Failure("upstream_error", "The provider's tool call has no name");
    const index = this.#tools++;
    const id = textOf(call["id"]) || `call_${this.#moment}_${index}`;
    const args = called?.["arguments"];
    const text = typeof args === "string" ? args : JSON.stringify(args ?? {});
    return [
      { type: "tool-call", choice: 0, index, id, name },
      { type: "tool-arguments", choice: 0, index, text },
    ];
  }

  #finish(json: JsonObject): ChatEvent[] {
    const raw = textOf(json["done_reason"]) ?? "";
    const known = FINISH[raw];
    if (known === undefined) throw new Failure("upstream_error", "The provider ended its answer for a reason that is not known here");
    this.done = true;
    // Calls end with "stop" like any other answer.
    const reason = known === "stop" && this.#tools > 0 ? "tool_calls" : known;
    const usage = usageOf(json);
    return [{ type: "finish", choice: 0, reason, raw }, ...(usage ? [{ type: "usage" as const, usage }] : [])];
  }
}

/** A prompt that was kept from an earlier call goes uncounted in older versions: not told, not 0. */
function usageOf(json: JsonObject): Usage | undefined {
  const usage = { inputTokens: countOf(json["prompt_eval_count"]), outputTokens: countOf(json["eval_count"]) };
  return usage.inputTokens === undefined && usage.outputTokens === undefined ? undefined : usage;
}

/** The same entries as OpenAI's, less what is empty. */
function entryOf(entry: unknown): unknown {
  const said = objectOf(entry);
  const tops = itemsOf(said?.["top_logprobs"]).map(figureOf);
  return { ...figureOf(entry), top_logprobs: tops };
}

function figureOf(entry: unknown): { token: string; logprob: unknown; bytes: unknown } {
  const said = objectOf(entry);
  return { token: textOf(said?.["token"]) ?? "", logprob: said?.["logprob"] ?? 0, bytes: said?.["bytes"] ?? null };
}

/** Bare base64: what it is a picture of is told by its first bytes. */
function pictureOf(data: string): Media {
  const mediaType = data.startsWith("/9j/") ? "image/jpeg" : data.startsWith("UklGR") ? "image/webp" : "image/png";
  return { kind: "base64", mediaType, data };
}
