// A provider as the simulator scripts it: answers of every kind, and every way of not answering, chosen by the seed.
import type { Dial, DialRequest, DialResponse, Random } from "../../src/core/ports";
import { DialError } from "../../src/core/ports";
import type { ManualClock } from "../contract/manual-clock";

export type Fate = "whole" | "error" | "limited" | "refused" | "reset" | "hang" | "garbage" | "cut" | "silent" | "no-usage";

/** How often each happens, of a hundred. */
const FATES: readonly (readonly [Fate, number])[] = [
  ["whole", 62],
  ["error", 6],
  ["limited", 5],
  ["refused", 4],
  ["reset", 4],
  ["hang", 3],
  ["garbage", 3],
  ["cut", 5],
  ["silent", 3],
  ["no-usage", 5],
];

const JSON_HEADERS = new Map([["content-type", "application/json"]]);
const SSE_HEADERS = new Map([["content-type", "text/event-stream"]]);
const encoder = new TextEncoder();

export class ScriptedProvider implements Dial {
  /** Requests that arrived. */
  sent = 0;
  readonly #random: Random;
  readonly #clock: ManualClock;

  constructor(random: Random, clock: ManualClock) {
    this.#random = random;
    this.#clock = clock;
  }

  async send(request: DialRequest, signal: AbortSignal): Promise<DialResponse> {
    this.sent++;
    const asked = JSON.parse(typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body)) as Asked;
    const fate = this.#fate();
    await this.#pause(signal);
    switch (fate) {
      case "refused":
        throw new DialError("refused", "nobody listens");
      case "reset":
        throw new DialError("reset", "the connection broke");
      case "hang":
        await never(signal);
        throw new DialError("aborted", "ended");
      case "error":
        return whole('{"error":{"message":"oops"}}', 500);
      case "limited":
        return whole('{"error":{"message":"slow down"}}', 429);
      case "garbage":
        return whole("<html>", 200);
      case "whole":
      case "cut":
      case "silent":
      case "no-usage":
        return asked.stream ? this.#stream(asked, fate, signal) : whole(answerText(asked, this.#tokens(asked), fate !== "no-usage"), 200);
    }
  }

  #fate(): Fate {
    let left = this.#random.next() * 100;
    for (const [fate, share] of FATES) {
      left -= share;
      if (left < 0) return fate;
    }
    return "whole";
  }

  /** Most answers come in the same instant, some later. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#random.next() < 0.7) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(Math.ceil(this.#random.next() * 5_000), resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    cancel();
    if (signal.aborted) throw new DialError("aborted", "ended");
  }

  #tokens(asked: Asked): number {
    const most = asked.max_completion_tokens ?? asked.max_tokens ?? 200;
    return Math.max(1, Math.floor(this.#random.next() * most));
  }

  #stream(asked: Asked, fate: Fate, signal: AbortSignal): DialResponse {
    const tokens = this.#tokens(asked);
    const frames = streamFrames(tokens, fate !== "no-usage");
    const end = fate === "cut" || fate === "silent" ? Math.floor(this.#random.next() * frames.length) : frames.length;
    let at = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const frame = frames[at];
          if (at < end && frame !== undefined) {
            at++;
            controller.enqueue(encoder.encode(frame));
          } else if (fate === "silent") {
            await never(signal);
            controller.error(new Error("ended"));
          } else if (fate === "cut") controller.error(new Error("the connection broke"));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    return { status: 200, headers: SSE_HEADERS, body, bytes: async () => new Uint8Array(await new Response(body).arrayBuffer()) };
  }
}

interface Asked {
  stream?: boolean;
  max_tokens?: number;
  max_completion_tokens?: number;
}

const never = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

function whole(text: string, status: number): DialResponse {
  const bytes = encoder.encode(text);
  return { status, headers: JSON_HEADERS, body: new Blob([bytes]).stream(), bytes: async () => bytes };
}

const usageOf = (tokens: number): object => ({ prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens });

const answerText = (_asked: Asked, tokens: number, usage: boolean): string =>
  JSON.stringify({
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "word ".repeat(Math.min(tokens, 20)) }, finish_reason: "stop" }],
    ...(usage ? { usage: usageOf(tokens) } : {}),
  });

function streamFrames(tokens: number, usage: boolean): string[] {
  const chunk = (choices: object[], more: object = {}): string =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices, ...more })}\n\n`;
  const words = Array.from({ length: Math.min(tokens, 6) }, () => chunk([{ index: 0, delta: { content: "word " }, finish_reason: null }]));
  return [
    ...words,
    chunk([{ index: 0, delta: {}, finish_reason: "stop" }]),
    ...(usage ? [chunk([], { usage: usageOf(tokens) })] : []),
    "data: [DONE]\n\n",
  ];
}
