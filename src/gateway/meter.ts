// What one attempt was seen to do. Written by the code that reads the provider, read once, when the attempt is settled.
import type { ChatEvent } from "../core/chat";
import { mergeUsage, type Usage } from "../core/usage";
import { estimateTokens } from "../policy/estimate";
import type { Ending, Settled } from "../policy/settlement";

export class Meter {
  #ending: Ending = "unsent";
  usage: Usage | undefined;
  /** Choices that were begun, and ends of choices. */
  #choices = 0;
  #finishes = 0;
  /** The last usage came with the answer's end, or after it. */
  #toldLast = false;
  /** A whole answer's events: counted only if the provider told no usage. */
  #whole: readonly ChatEvent[] = [];
  #counted = 0;
  #spoke = false;
  #filtered = false;
  upstreamStatus: number | undefined;
  errorCode: string | undefined;
  finishReason: string | undefined;
  /** Monotonic milliseconds. */
  firstChunkMs: number | undefined;
  #flags: Set<string> | undefined;
  /** What a complete answer costs, once that is told to the caller: the ledger says the same. */
  final: Settled | undefined;

  /** Some providers tell running figures with every chunk: those of a broken answer are the last word only if its end was seen. */
  get ending(): Ending {
    return this.#ending === "broken" && this.usage !== undefined && !this.#toldLast ? "cut" : this.#ending;
  }

  set ending(ending: Ending) {
    this.#ending = ending === "cut" ? "broken" : ending;
  }

  /** Made when the first one is raised: most attempts have none. */
  get flags(): Set<string> {
    this.#flags ??= new Set();
    return this.#flags;
  }

  get raised(): readonly string[] {
    return this.#flags === undefined ? [] : [...this.#flags];
  }

  /** Events of a stream, as they come. */
  see(events: readonly ChatEvent[]): void {
    let told = false;
    for (const event of events) {
      this.#note(event);
      this.#counted += tokensOf(event);
      told ||= event.type === "usage";
    }
    // One frame may hold both, in either order.
    if (told) this.#toldLast = this.#finishes > 0 && this.#finishes >= this.#choices;
  }

  /** All events of a whole answer. */
  seeWhole(events: readonly ChatEvent[]): void {
    for (const event of events) this.#note(event);
    this.#whole = events;
    this.#toldLast = true;
  }

  /** The prompt was blocked before the model said or thought anything. */
  get blocked(): boolean {
    return this.#filtered && !this.#spoke;
  }

  /** Our own count of the visible output. */
  countOutputTokens(): number {
    return this.#whole.reduce((sum, event) => sum + tokensOf(event), this.#counted);
  }

  #note(event: ChatEvent): void {
    switch (event.type) {
      case "usage":
        this.usage = mergeUsage(this.usage, event.usage);
        return;
      case "finish":
        this.#finishes++;
        this.finishReason = event.raw;
        this.#filtered ||= event.reason === "content_filter";
        return;
      case "text":
      case "reasoning":
      case "redacted-reasoning":
      case "tool-call":
      case "tool-arguments":
      case "audio":
      case "image":
        this.#spoke = true;
        this.#choices = Math.max(this.#choices, event.choice + 1);
        return;
      case "start":
      case "refusal":
      case "annotations":
      case "embedding":
      case "token-count":
        return;
    }
  }
}

function tokensOf(event: ChatEvent): number {
  switch (event.type) {
    case "text":
    case "refusal":
    case "reasoning":
    case "tool-arguments":
      return estimateTokens(event.text);
    case "tool-call":
      return estimateTokens(event.name);
    case "start":
    case "redacted-reasoning":
    case "annotations":
    case "audio":
    case "image":
    case "embedding":
    case "token-count":
    case "finish":
    case "usage":
      return 0;
  }
}
