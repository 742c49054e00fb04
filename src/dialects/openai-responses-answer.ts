// Responses answers → events. A whole answer is read as a stream of its last event, which holds everything.
// https://platform.openai.com/docs/api-reference/responses-streaming
import type { ChatEvent, FinishReason } from "../core/chat";
import { Failure } from "../core/failure";
import { failureInResponse } from "./openai-responses-error";
import { type OpenItem, openItem, type Totals } from "./openai-responses-items";
import { decodeResponsesUsage } from "./openai-responses-usage";
import { countOf, itemsOf, type JsonObject, objectOf, parseJson, textOf } from "./provider-json";

interface Entry {
  readonly type: string;
  readonly item: OpenItem;
  closed: boolean;
}

/** The fee of a hosted tool, by the type of its calls. What has no fee of its own is not here. */
const FEES: ReadonlyMap<string, string> = new Map([
  ["web_search_call", "web_search"],
  ["file_search_call", "file_search"],
  ["code_interpreter_call", "code_interpreter"],
  ["image_generation_call", "image_generation"],
]);

/** Why an answer was cut. A word that is not here is a cut like any other; `raw` keeps it. */
const INCOMPLETE: ReadonlyMap<string, FinishReason> = new Map([["content_filter", "content_filter"]]);

/** The kind of item that an event belongs to, where its opening was not sent. */
const KIND_OF_EVENT: readonly (readonly [string, string])[] = [
  ["response.output_text.", "message"],
  ["response.refusal.", "message"],
  ["response.reasoning_", "reasoning"],
];

/** Reads a stream's events in order. */
export class ResponsesReader {
  readonly #byIndex = new Map<number, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #totals: Totals = { textLength: 0, blocks: 0, calls: 0 };
  readonly #toolCalls: Record<string, number> = {};
  readonly #containers = new Set<unknown>();
  #started = false;
  /** The event that ends an answer was read. */
  finished = false;

  /** Throws `Failure` where the event says that the provider failed. Unknown events say nothing. */
  read(event: JsonObject): ChatEvent[] {
    switch (event["type"]) {
      case "response.created":
      case "response.in_progress":
      case "response.queued":
        return this.#start(objectOf(event["response"]) ?? {});
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return this.whole(objectOf(event["response"]) ?? {});
      case "error":
        throw failureInResponse(objectOf(event["error"]) ?? event);
      case "response.output_item.added":
        return this.#open(objectOf(event["item"]) ?? {}, countOf(event["output_index"])).events;
      case "response.output_item.done": {
        const item = objectOf(event["item"]) ?? {};
        const index = countOf(event["output_index"]);
        const entry = (index === undefined ? undefined : this.#byIndex.get(index)) ?? this.#byId.get(textOf(item["id"]) ?? "");
        return this.#close(item, entry?.type === item["type"] ? entry : undefined, index);
      }
      default:
        return this.#add(event);
    }
  }

  /** A whole answer: what it says beyond what was read. */
  whole(response: JsonObject): ChatEvent[] {
    const end = endOf(response);
    const events = this.#start(response);
    for (const [index, each] of itemsOf(response["output"]).entries()) {
      const item = objectOf(each) ?? {};
      const placed = this.#byIndex.get(index);
      const entry = this.#byId.get(textOf(item["id"]) ?? "") ?? (placed?.type === item["type"] ? placed : undefined);
      events.push(...this.#close(item, entry, index));
    }
    this.finished = true;
    const reason = end.reason ?? (this.#totals.calls > 0 ? "tool_calls" : "stop");
    events.push({ type: "finish", choice: 0, reason, raw: end.raw });
    const toolCalls = Object.keys(this.#toolCalls).length > 0 ? this.#toolCalls : undefined;
    const usage = objectOf(response["usage"]);
    if (usage || toolCalls) {
      events.push({ type: "usage", usage: decodeResponsesUsage(usage ?? {}, textOf(response["service_tier"]), toolCalls) });
    }
    return events;
  }

  #start(response: JsonObject): ChatEvent[] {
    const id = textOf(response["id"]) || undefined;
    const model = textOf(response["model"]);
    if (this.#started || (id === undefined && model === undefined)) return [];
    this.#started = true;
    return [{ type: "start", id, model, createdAt: countOf(response["created_at"]) }];
  }

  #open(item: JsonObject, index: number | undefined): { entry: Entry; events: ChatEvent[] } {
    const type = textOf(item["type"]) ?? "";
    const { opened, events } = openItem(type, item, this.#totals);
    const entry = { type, item: opened, closed: false };
    const id = textOf(item["id"]);
    if (id) this.#byId.set(id, entry);
    if (index !== undefined) this.#byIndex.set(index, entry);
    return { entry, events };
  }

  #close(item: JsonObject, opened: Entry | undefined, index: number | undefined): ChatEvent[] {
    if (opened?.closed) return [];
    const { entry, events } = opened ? { entry: opened, events: [] } : this.#open(item, index);
    entry.closed = true;
    this.#count(item);
    return [...events, ...entry.item.close(item)];
  }

  #add(event: JsonObject): ChatEvent[] {
    const index = countOf(event["output_index"]);
    const id = textOf(event["item_id"]);
    const known = (index === undefined ? undefined : this.#byIndex.get(index)) ?? this.#byId.get(id ?? "");
    if (known) return known.closed ? [] : known.item.add(event);
    const type = textOf(event["type"]) ?? "";
    const kind = KIND_OF_EVENT.find(([start]) => type.startsWith(start))?.[1];
    return kind === undefined ? [] : this.#open({ type: kind, id }, index).entry.item.add(event);
  }

  /** Of searches only those that search have a fee, not the pages opened after; of code the containers, not the runs in them. */
  #count(item: JsonObject): void {
    const fee = FEES.get(textOf(item["type"]) ?? "");
    if (fee === undefined) return;
    const action = textOf(objectOf(item["action"])?.["type"]);
    if (action !== undefined && action !== "search") return;
    const container = item["container_id"];
    if (container !== undefined && this.#containers.has(container)) return;
    this.#containers.add(container);
    this.#toolCalls[fee] = (this.#toolCalls[fee] ?? 0) + 1;
  }
}

/** How an answer ended; `reason` is undefined where its content tells. Throws `Failure` for one that did not. */
function endOf(response: JsonObject): { reason?: FinishReason; raw: string } {
  const status = textOf(response["status"]) ?? "completed";
  if (status === "completed") return { raw: status };
  if (status === "incomplete") {
    const raw = textOf(objectOf(response["incomplete_details"])?.["reason"]) ?? status;
    return { reason: INCOMPLETE.get(raw) ?? "length", raw };
  }
  if (status === "failed") throw failureInResponse(objectOf(response["error"]) ?? {});
  throw new Failure("upstream_error", `The provider's answer is not finished (${status.slice(0, 50)})`);
}

/** Parses a body that should be a Response. Throws `upstream_error` for what is not one, an error object included. */
export function parseResponse(body: string): JsonObject {
  const response = objectOf(parseJson(body));
  if (!response) throw new Failure("upstream_error", "The provider's answer is not a JSON object");
  const error = response["error"];
  if (error !== undefined && error !== null) throw failureInResponse(objectOf(error) ?? response);
  if (!Array.isArray(response["output"])) throw new Failure("upstream_error", "The provider's answer holds no list of output items");
  return response;
}

/** A whole answer's body → events. Throws `upstream_error` for what is not a finished answer. */
export const decodeResponsesAnswer = (body: string): ChatEvent[] => new ResponsesReader().whole(parseResponse(body));
