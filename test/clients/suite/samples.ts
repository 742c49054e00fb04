// Small answers of our own, written to the recorded shapes: they prove the clients where no recordings are, and where a case needs known bytes.
import type { Script } from "../../upstream/script";
import type { ProviderUnderTest } from "./harness";

export interface Sample {
  /** What an upstream answers, as a map's entry. */
  answers: { whole: Script; stream: Script };
  /** Bytes of the stream after which only `head` was said. */
  headBytes: number;
  head: string;
  text: string;
}

const HEAD = "Hello";
const TEXT = "Hello, traveller";
const SSE = { "content-type": "text/event-stream; charset=utf-8" };

function sampleOf(whole: unknown, before: readonly string[], after: readonly string[]): Sample {
  const opening = before.join("");
  return {
    answers: { whole: { body: JSON.stringify(whole) }, stream: { headers: SSE, body: opening + after.join("") } },
    headBytes: opening.length,
    head: HEAD,
    text: TEXT,
  };
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const event = (value: { type: string } & Record<string, unknown>): string => `event: ${value.type}\n${data(value)}`;

const chunk = (delta: unknown, finish: string | null = null): string =>
  data({
    id: "chatcmpl-sample",
    object: "chat.completion.chunk",
    created: 1780000000,
    model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, delta, finish_reason: finish }],
    usage: null,
  });
const OPENAI_USAGE = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 };

const openai = sampleOf(
  {
    id: "chatcmpl-sample",
    object: "chat.completion",
    created: 1780000000,
    model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, message: { role: "assistant", content: TEXT, refusal: null }, logprobs: null, finish_reason: "stop" }],
    usage: OPENAI_USAGE,
  },
  [chunk({ role: "assistant", content: "", refusal: null }), chunk({ content: HEAD })],
  [
    chunk({ content: ", traveller" }),
    chunk({}, "stop"),
    data({
      id: "chatcmpl-sample",
      object: "chat.completion.chunk",
      created: 1780000000,
      model: "gpt-4o-mini-2024-07-18",
      choices: [],
      usage: OPENAI_USAGE,
    }),
    "data: [DONE]\n\n",
  ],
);

const MESSAGE = { id: "msg_sample", type: "message", role: "assistant", model: "claude-sonnet-4-5-20250929", stop_sequence: null };
const delta = (text: string): string => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });

const anthropic = sampleOf(
  { ...MESSAGE, content: [{ type: "text", text: TEXT }], stop_reason: "end_turn", usage: { input_tokens: 9, output_tokens: 5 } },
  [
    event({ type: "message_start", message: { ...MESSAGE, content: [], stop_reason: null, usage: { input_tokens: 9, output_tokens: 1 } } }),
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    event({ type: "ping" }),
    delta(HEAD),
  ],
  [
    delta(", traveller"),
    event({ type: "content_block_stop", index: 0 }),
    event({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 5 } }),
    event({ type: "message_stop" }),
  ],
);

const candidate = (text: string, finish?: string): unknown => ({
  candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0, ...(finish === undefined ? {} : { finishReason: finish }) }],
  usageMetadata: { promptTokenCount: 9, totalTokenCount: 14, ...(finish === undefined ? {} : { candidatesTokenCount: 5 }) },
  modelVersion: "gemini-2.5-flash",
  responseId: "sample",
});

const gemini = sampleOf(candidate(TEXT, "STOP"), [data(candidate(HEAD))], [data(candidate(", traveller", "STOP"))]);

export const SAMPLES: Readonly<Record<ProviderUnderTest["name"], Sample>> = { openai, anthropic, gemini };

/** OpenAI's answer to a request with a JSON schema. No recording has one. */
export const OPENAI_STRUCTURED: Script = {
  body: JSON.stringify({
    id: "chatcmpl-structured",
    object: "chat.completion",
    created: 1780000000,
    model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, message: { role: "assistant", content: '{"output": 7}', refusal: null }, logprobs: null, finish_reason: "stop" }],
    usage: OPENAI_USAGE,
  }),
};
