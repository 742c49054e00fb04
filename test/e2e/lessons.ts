// What the regressions named after other projects' issues share: a provider that answers as told, and what was spent.
import type { Budget } from "../../src/core/budget";
import { nanoUsd } from "../../src/core/money";
import type { Script } from "../upstream/script";
import { ADMIN_KEY, type RunningHouse } from "./house";

const JSON_HEADERS = { "content-type": "application/json" };
const SSE_HEADERS = { "content-type": "text/event-stream" };

export const ask = (model: string, more: object = {}): object => ({ model, messages: [{ role: "user", content: "Hello" }], ...more });

/** A whole Chat Completions answer with this usage. */
export const chatAnswer = (model: string, usage: object): Script => ({
  headers: JSON_HEADERS,
  body: JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_790_000_000,
    model,
    choices: [{ index: 0, message: { role: "assistant", content: "Hello there", refusal: null }, logprobs: null, finish_reason: "stop" }],
    usage,
  }),
});

/** Events of a stream that names its events in the data alone. */
export const sse = (...frames: readonly object[]): string => frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("");

/** Events of a stream that names them (`type`) before the data too. */
export const namedSse = (...frames: readonly { type: string }[]): string =>
  frames.map((frame) => `event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`).join("");

export const stream = (body: string, more: Partial<Script> = {}): Script => ({ headers: SSE_HEADERS, body, ...more });

export const chatChunk = (model: string, content: string): object => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_790_000_000,
  model,
  choices: [{ index: 0, delta: { role: "assistant", content }, logprobs: null, finish_reason: null }],
});

/** An Anthropic answer of one text block, streamed. */
export const messagesStream = (model: string, usage: object, outputTokens: number): string =>
  namedSse(
    {
      type: "message_start",
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage, output_tokens: 1 },
      },
    } as { type: string },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } } as { type: string },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello there" } } as { type: string },
    { type: "content_block_stop", index: 0 } as { type: string },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { ...usage, output_tokens: outputTokens },
    } as { type: string },
    { type: "message_stop" },
  );

export const post = (house: RunningHouse, key: string, path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
  fetch(house.url + path, {
    method: "POST",
    body: JSON.stringify(body),
    ...init,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...init.headers },
  });

export const admin = (house: RunningHouse, method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${house.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** What live keys of the default organization have spent, in nano-USD, once everything is settled. */
export async function spent(house: RunningHouse): Promise<bigint> {
  await house.settled();
  return house.ports.counters.read("organization:default", "live").spent;
}

export const keyId = (key: string): string => `key_${key.slice("tw_live_".length, "tw_live_".length + 12)}`;

let made = 0;

/** A budget in force. Default: hard, on the organization, for life. */
export async function budget(house: RunningHouse, limitNano: bigint, changes: Partial<Budget> = {}): Promise<Budget> {
  const whole: Budget = {
    id: `bdg_${String(made++).padStart(12, "0")}`,
    organizationId: "default",
    scope: { kind: "organization", id: "default" },
    limit: nanoUsd(limitNano),
    window: { unit: "lifetime", rolling: false, zone: "UTC" },
    hard: true,
    thresholds: [],
    createdAt: house.ports.clock.now(),
    ...changes,
  };
  await house.ports.budgets.put(whole);
  return whole;
}

export async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000;
  while (!(await met())) {
    if (performance.now() > end) throw new Error("It did not come to that");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
