// The items of a Responses answer, each read from its pieces or whole: what came in pieces is told once, and what came only whole
// is not lost. https://platform.openai.com/docs/api-reference/responses/object#responses/object-output
import type { ChatEvent, Media } from "../core/chat";
import { Failure } from "../core/failure";
import { countOf, itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

const FROM = "openai-responses" as const;
/** Stands between the parts of one item's thoughts: each is a paragraph of its own. */
const PARAGRAPH = "\n\n";

/** What the items of one answer share. */
export interface Totals {
  /** Length of the visible text so far: citations count from its start. */
  textLength: number;
  blocks: number;
  calls: number;
}

export interface OpenItem {
  /** What a stream's event about this item adds. */
  add(event: JsonObject): ChatEvent[];
  /** What the whole item says beyond what was added. Called once, last. */
  close(item: JsonObject): ChatEvent[];
}

/** `item` may be unfinished: only what it says about itself is read, its content comes later. */
export function openItem(type: string, item: JsonObject, totals: Totals): { opened: OpenItem; events: ChatEvent[] } {
  switch (type) {
    case "message":
      return { opened: new MessageItem(totals), events: [] };
    case "reasoning":
      return { opened: new ReasoningItem(textOf(item["id"]) || undefined, totals), events: [] };
    case "function_call":
    case "custom_tool_call": {
      const opened = new CallItem(type === "custom_tool_call", totals);
      return { opened, events: opened.open(item) };
    }
    case "image_generation_call":
      return { opened: IMAGE, events: [] };
    default:
      return { opened: SILENT, events: [] };
  }
}

/** Calls of hosted tools and their results, and kinds that are not known: a chat answer has no place for them. */
const SILENT: OpenItem = { add: () => [], close: () => [] };

const IMAGE: OpenItem = {
  add: () => [],
  close(item) {
    const result = textOf(item["result"]);
    return result ? [{ type: "image", choice: 0, media: imageOf(result, textOf(item["output_format"]) ?? "png") }] : [];
  },
};

function imageOf(result: string, format: string): Media {
  return /^https?:/.test(result.slice(0, 6))
    ? { kind: "url", url: result }
    : { kind: "base64", mediaType: `image/${format}`, data: result };
}

interface MessagePart {
  /** Length of the answer's text before this part. */
  from: number;
  /** How much of it was told. */
  length: number;
  logprobs: number;
  annotations: number;
}

class MessageItem implements OpenItem {
  readonly #totals: Totals;
  readonly #parts = new Map<number, MessagePart>();

  constructor(totals: Totals) {
    this.#totals = totals;
  }

  add(event: JsonObject): ChatEvent[] {
    const index = countOf(event["content_index"]) ?? 0;
    switch (event["type"]) {
      case "response.output_text.delta":
        return this.#say("text", index, textOf(event["delta"]), itemsOf(event["logprobs"]));
      case "response.output_text.done":
        return this.#rest("text", index, textOf(event["text"]), itemsOf(event["logprobs"]));
      case "response.output_text.annotation.added":
        return this.#cite(index, event["annotation"] === undefined ? [] : [event["annotation"]]);
      case "response.refusal.delta":
        return this.#say("refusal", index, textOf(event["delta"]), []);
      case "response.refusal.done":
        return this.#rest("refusal", index, textOf(event["refusal"]), []);
      case "response.content_part.done":
        return this.#part(index, objectOf(event["part"]));
      default:
        return [];
    }
  }

  close(item: JsonObject): ChatEvent[] {
    return itemsOf(item["content"]).flatMap((part, index) => this.#part(index, objectOf(part)));
  }

  #part(index: number, part: JsonObject | undefined): ChatEvent[] {
    if (part?.["type"] === "refusal") return this.#rest("refusal", index, textOf(part["refusal"]), []);
    if (part?.["type"] !== "output_text") return [];
    const told = this.#rest("text", index, textOf(part["text"]), itemsOf(part["logprobs"]));
    return [...told, ...this.#cite(index, itemsOf(part["annotations"]).slice(this.#at(index).annotations))];
  }

  /** `whole` is all of the part's text: what of it was not told yet. */
  #rest(type: "text" | "refusal", index: number, whole: string | undefined, logprobs: readonly unknown[]): ChatEvent[] {
    const part = this.#at(index);
    return this.#say(type, index, whole?.slice(part.length), logprobs.slice(part.logprobs));
  }

  #say(type: "text" | "refusal", index: number, text: string | undefined, logprobs: readonly unknown[]): ChatEvent[] {
    const part = this.#at(index);
    const length = text?.length ?? 0;
    part.length += length;
    part.logprobs += logprobs.length;
    if (type === "text") this.#totals.textLength += length;
    if (length === 0 && logprobs.length === 0) return [];
    return [{ type, choice: 0, text: text ?? "", ...(logprobs.length > 0 ? { logprobs } : {}) }];
  }

  #cite(index: number, annotations: readonly unknown[]): ChatEvent[] {
    if (annotations.length === 0) return [];
    const part = this.#at(index);
    part.annotations += annotations.length;
    return [{ type: "annotations", choice: 0, annotations: annotations.map((each) => annotationOf(each, part.from)) }];
  }

  #at(index: number): MessagePart {
    let part = this.#parts.get(index);
    if (!part) {
      part = { from: this.#totals.textLength, length: 0, logprobs: 0, annotations: 0 };
      this.#parts.set(index, part);
    }
    return part;
  }
}

/** Chat Completions' form of a citation with an address; any other stays as it came. Places count from the start of all text. */
function annotationOf(annotation: unknown, from: number): unknown {
  const said = objectOf(annotation);
  const url = textOf(said?.["url"]);
  if (said?.["type"] !== "url_citation" || url === undefined) return annotation;
  const place = (name: string): Record<string, number> => {
    const at = countOf(said[name]);
    return at === undefined ? {} : { [name]: at + from };
  };
  const { type: _, ...told } = said;
  return {
    type: "url_citation",
    url_citation: { ...told, url, title: textOf(said["title"]) ?? url, ...place("start_index"), ...place("end_index") },
  };
}

/** Summaries and raw thoughts are one text. The seal counts when the item is whole: what an unfinished one carries is replaced. */
class ReasoningItem implements OpenItem {
  readonly #id: string | undefined;
  readonly #totals: Totals;
  #block: number | undefined;
  /** How much of each part was told, by "summary 0" or "content 0". */
  readonly #told = new Map<string, number>();
  #last: string | undefined;

  constructor(id: string | undefined, totals: Totals) {
    this.#id = id;
    this.#totals = totals;
  }

  add(event: JsonObject): ChatEvent[] {
    const summary = `summary ${countOf(event["summary_index"]) ?? 0}`;
    const content = `content ${countOf(event["content_index"]) ?? 0}`;
    switch (event["type"]) {
      case "response.reasoning_summary_text.delta":
        return this.#tell(this.#say(summary, textOf(event["delta"]) ?? ""));
      case "response.reasoning_summary_text.done":
        return this.#tell(this.#rest(summary, event["text"]));
      case "response.reasoning_summary_part.done":
        return this.#tell(this.#rest(summary, objectOf(event["part"])?.["text"]));
      case "response.reasoning_text.delta":
        return this.#tell(this.#say(content, textOf(event["delta"]) ?? ""));
      case "response.reasoning_text.done":
        return this.#tell(this.#rest(content, event["text"]));
      case "response.content_part.done":
        return this.#tell(this.#rest(content, objectOf(event["part"])?.["text"]));
      default:
        return [];
    }
  }

  close(item: JsonObject): ChatEvent[] {
    const parts = ["summary", "content"].flatMap((kind) =>
      itemsOf(item[kind]).map((part, index) => this.#rest(`${kind} ${index}`, objectOf(part)?.["text"])),
    );
    return this.#tell(parts.join(""), textOf(item["encrypted_content"]) || undefined);
  }

  #rest(part: string, whole: unknown): string {
    return this.#say(part, textOf(whole)?.slice(this.#told.get(part) ?? 0) ?? "");
  }

  #say(part: string, text: string): string {
    if (text === "") return "";
    this.#told.set(part, (this.#told.get(part) ?? 0) + text.length);
    const before = this.#last !== undefined && this.#last !== part ? PARAGRAPH : "";
    this.#last = part;
    return before + text;
  }

  #tell(text: string, signature?: string): ChatEvent[] {
    if (text === "" && signature === undefined) return [];
    this.#block ??= this.#totals.blocks++;
    const seal = signature === undefined ? {} : { signature };
    const id = this.#id === undefined ? {} : { id: this.#id };
    return [{ type: "reasoning", choice: 0, block: this.#block, text, ...seal, from: FROM, ...id }];
  }
}

class CallItem implements OpenItem {
  readonly #custom: boolean;
  readonly #totals: Totals;
  #index: number | undefined;
  /** How much of the arguments was told. */
  #length = 0;

  constructor(custom: boolean, totals: Totals) {
    this.#custom = custom;
    this.#totals = totals;
  }

  /** Nothing until the item says who is called. */
  open(item: JsonObject): ChatEvent[] {
    const id = textOf(item["call_id"]) || textOf(item["id"]);
    const name = textOf(item["name"]);
    if (this.#index !== undefined || !id || !name) return [];
    this.#index = this.#totals.calls++;
    const namespace = textOf(item["namespace"]);
    return [
      {
        type: "tool-call",
        choice: 0,
        index: this.#index,
        id,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(this.#custom ? { custom: true } : {}),
      },
    ];
  }

  add(event: JsonObject): ChatEvent[] {
    switch (event["type"]) {
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        return this.#say(textOf(event["delta"]) ?? "");
      case "response.function_call_arguments.done":
        return this.#rest(event["arguments"]);
      case "response.custom_tool_call_input.done":
        return this.#rest(event["input"]);
      default:
        return [];
    }
  }

  close(item: JsonObject): ChatEvent[] {
    const opening = this.open(item);
    if (this.#index === undefined) throw new Failure("upstream_error", "The provider's tool call has no id or name");
    return [...opening, ...this.#rest(item[this.#custom ? "input" : "arguments"])];
  }

  #rest(whole: unknown): ChatEvent[] {
    return this.#say(argumentsText(whole).slice(this.#length));
  }

  #say(text: string): ChatEvent[] {
    if (text === "" || this.#index === undefined) return [];
    this.#length += text.length;
    return [{ type: "tool-arguments", choice: 0, index: this.#index, text }];
  }
}

/** JSON text; some providers give the object itself. */
const argumentsText = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
