// Events → output items, in the order in which the model spoke. An item is told as done only when all before it are: clients keep
// the conversation in that order and send it back so.
import { type ChatEvent, type FinishReason, isSpoken } from "../core/chat";
import { Failure } from "../core/failure";
import {
  CallItem,
  CallSealItem,
  type Emit,
  ImageItem,
  type ItemStatus,
  type Json,
  MessageItem,
  type OutputItem,
  type Place,
  ReasoningItem,
} from "./openai-responses-encode-items";

type ThoughtEvent = Extract<ChatEvent, { type: "reasoning" | "redacted-reasoning" }>;

interface Written {
  item: OutputItem;
  place: Place;
  ended: boolean;
  status: ItemStatus;
}

export class OutputWriter {
  readonly #base: string;
  readonly #emit: Emit;
  readonly #items: Written[] = [];
  /** How many items, from the first, were told as done. */
  #done = 0;
  #textLength = 0;
  readonly #calls = new Map<number, { call: CallItem; written: Written }>();
  /** Seals of the text before them. They wait, so that the text's sources, which come last, find it open. */
  #waiting: ThoughtEvent[] = [];
  #reason: FinishReason | undefined;

  /** `base`: what the items' ids are made of. */
  constructor(base: string, emit: Emit) {
    this.#base = base;
    this.#emit = emit;
  }

  /** Why the answer ended; undefined: it did not yet. */
  get reason(): FinishReason | undefined {
    return this.#reason;
  }

  /** Takes in one event of the answer. Throws `upstream_error` for what no item can hold. */
  add(event: ChatEvent): void {
    // There is one choice here.
    if (!isSpoken(event) || event.type === "start" || event.type === "usage" || event.choice !== 0) return;
    switch (event.type) {
      case "text":
      case "refusal":
        this.#say(event);
        return;
      case "annotations":
        this.#cite(event.annotations);
        return;
      case "reasoning":
      case "redacted-reasoning":
        this.#think(event);
        return;
      case "tool-call":
        this.#call(event);
        return;
      case "tool-arguments":
        this.#argue(event.index, event.text);
        return;
      case "image":
        this.#release();
        this.#begin("ig", (place) => new ImageItem(place, event.media));
        return;
      case "audio":
        throw new Failure("upstream_error", "The provider answered with audio, which a Responses answer cannot hold");
      case "finish":
        this.#reason = event.reason;
        this.close();
    }
  }

  /** Ends what is open. */
  close(): void {
    this.#release();
    for (const written of this.#items) written.ended = true;
    this.#settle();
  }

  /** The items as they stand. Those that were not told as done are incomplete. */
  build(): Json[] {
    return this.#items.map(({ item, status }) => item.build(status === "in_progress" ? "incomplete" : status));
  }

  #say(event: Extract<ChatEvent, { type: "text" | "refusal" }>): void {
    const { type, text, logprobs = [] } = event;
    if (text === "" && logprobs.length === 0) return;
    this.#release();
    this.#message().say(type, text, logprobs, this.#textLength);
    if (type === "text") this.#textLength += text.length;
  }

  #cite(annotations: readonly unknown[]): void {
    if (annotations.length === 0) return;
    const open = this.#items.findLast(({ item }, index) => item instanceof MessageItem && index >= this.#done)?.item;
    // The text was told as done: its sources come with an empty one.
    const message = open instanceof MessageItem ? open : this.#message();
    message.cite(annotations, this.#textLength);
  }

  #think(event: ThoughtEvent): void {
    const last = this.#items.at(-1);
    const onlySeals = event.type === "reasoning" && event.text === "";
    if (onlySeals && (this.#waiting.length > 0 || (last?.item instanceof MessageItem && !last.ended))) {
      this.#waiting.push(event);
      return;
    }
    this.#release();
    this.#thought(event);
  }

  #thought(event: ThoughtEvent): void {
    const last = this.#items.at(-1)?.item;
    const own = event.from === "openai-responses" ? event.id : undefined;
    const block =
      last instanceof ReasoningItem && last.goesOnWith(event) ? last : this.#begin("rs", (place) => new ReasoningItem(place, event), own);
    block.add(event);
  }

  #call(event: Extract<ChatEvent, { type: "tool-call" }>): void {
    this.#release();
    const { id, signature } = event;
    if (signature !== undefined) this.#begin("rs", (place) => new CallSealItem(place, id, signature));
    const call = this.#begin(event.custom ? "ctc" : "fc", (place) => new CallItem(place, event));
    const written = this.#items.at(-1);
    if (written) this.#calls.set(event.index, { call, written });
  }

  #argue(index: number, text: string): void {
    const open = this.#calls.get(index);
    if (!open) throw new Failure("upstream_error", "The provider's answer continues a tool call that it did not begin");
    if (open.written.status === "in_progress") {
      if (text !== "") open.call.say(text);
    } else if (text.trim() !== "") throw new Failure("upstream_error", "The provider's answer continues a tool call that was whole");
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#thought(event);
  }

  /** The message that is being said, or a new one. */
  #message(): MessageItem {
    const last = this.#items.at(-1);
    if (last?.item instanceof MessageItem && !last.ended) return last.item;
    return this.#begin("msg", (place) => new MessageItem(place));
  }

  #begin<T extends OutputItem>(prefix: string, make: (place: Place) => T, ownId?: string): T {
    for (const written of this.#items) if (!written.ended) written.ended = written.item.isWhole;
    this.#settle();
    const index = this.#items.length;
    const place: Place = { id: ownId ?? `${prefix}_${this.#base}_${index}`, index, emit: this.#emit };
    const item = make(place);
    this.#items.push({ item, place, ended: false, status: "in_progress" });
    this.#emit("response.output_item.added", { output_index: index, item: item.build("in_progress") });
    return item;
  }

  #settle(): void {
    for (let next = this.#items[this.#done]; next?.ended; next = this.#items[this.#done]) {
      const isLast = this.#done === this.#items.length - 1;
      const cut = isLast && (this.#reason === "length" || this.#reason === "content_filter");
      next.item.close(cut);
      next.status = cut ? "incomplete" : "completed";
      this.#emit("response.output_item.done", { output_index: next.place.index, item: next.item.build(next.status) });
      this.#done++;
    }
  }
}
