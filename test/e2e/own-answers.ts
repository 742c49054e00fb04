// Hand-written answers in the recorded shapes, for tests that are about faults and not about dialects.
import type { Script } from "../upstream/script";

const HEAD = {
  id: "chatcmpl-own1",
  created: 1_790_000_000,
  model: "gpt-4o-mini-2024-07-18",
  service_tier: "default",
  system_fingerprint: "fp_own",
};

const WORDS = ["Hello", " there", ",", " this", " is", " an", " answer", " of", " some", " length", "."];

const USAGE = {
  prompt_tokens: 11,
  completion_tokens: 12,
  total_tokens: 23,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};

const chunk = (delta: object, finish: string | null): object => ({
  ...HEAD,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  usage: null,
});

export const CHAT_ANSWER: Script = {
  status: 200,
  headers: { "content-type": "application/json", "openai-processing-ms": "120", "x-request-id": "req_own" },
  body: JSON.stringify({
    ...HEAD,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: WORDS.join(""), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: USAGE,
  }),
};

export const CHAT_STREAM: Script = {
  status: 200,
  headers: { "content-type": "text/event-stream; charset=utf-8" },
  body: [
    chunk({ role: "assistant", content: "", refusal: null }, null),
    ...WORDS.map((word) => chunk({ content: word }, null)),
    chunk({}, "stop"),
    { ...HEAD, object: "chat.completion.chunk", choices: [], usage: USAGE },
  ]
    .map((frame) => `data: ${JSON.stringify(frame)}\n\n`)
    .concat("data: [DONE]\n\n")
    .join(""),
};

/** The JSON of every data frame, without the terminator. */
export const frames = (text: string): unknown[] =>
  text
    .split("\n\n")
    .filter((frame) => frame.startsWith("data: ") && !frame.includes("[DONE]"))
    .map((frame) => JSON.parse(frame.slice("data: ".length)));
