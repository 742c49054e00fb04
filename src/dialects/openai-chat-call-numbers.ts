// The numbers of tool calls in a stream. Some providers number none, or give several calls one number and an id each: a reader
// that goes by the number would join them.
import { itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

interface Calls {
  next: number;
  last: number | undefined;
  /** Our number and the provider's id of the open call, by the provider's number. */
  open: Map<number, { number: number; id: string | undefined }>;
  /** By the provider's id, for calls without a number. */
  byId: Map<string, number>;
}

export class CallNumbers {
  readonly #choices = new Map<number, Calls>();

  /** The numbers of the calls in one choice of a chunk, in order. Each chunk is taken once. */
  take(choice: JsonObject | undefined, position: number): number[] {
    const said = itemsOf(objectOf(choice?.["delta"])?.["tool_calls"]);
    if (said.length === 0) return [];
    const index = typeof choice?.["index"] === "number" ? choice["index"] : position;
    const calls = this.#choices.get(index) ?? { next: 0, last: undefined, open: new Map(), byId: new Map() };
    this.#choices.set(index, calls);
    return said.map((call) => {
      const raw = objectOf(call);
      const number = numberOf(raw, calls);
      const id = textOf(raw?.["id"]) || undefined;
      const said = raw?.["index"];
      if (typeof said === "number") calls.open.set(said, { number, id: id ?? calls.open.get(said)?.id });
      if (id !== undefined) calls.byId.set(id, number);
      calls.last = number;
      calls.next = Math.max(calls.next, number + 1);
      return number;
    });
  }
}

function numberOf(raw: JsonObject | undefined, calls: Calls): number {
  const id = textOf(raw?.["id"]) || undefined;
  const said = raw?.["index"];
  if (typeof said === "number") {
    const open = calls.open.get(said);
    if (!open) return Math.max(said, calls.next);
    return open.id !== undefined && id !== undefined && id !== open.id ? calls.next : open.number;
  }
  if (id !== undefined) return calls.byId.get(id) ?? calls.next;
  const opens = textOf(objectOf(raw?.["function"])?.["name"]) || undefined;
  return opens !== undefined || calls.last === undefined ? calls.next : calls.last;
}
