// The bytes of the benchmark: one request of 560 B, one answer of about 1 KB, one stream of 50 chunks of about 220 B.

const MODEL = "gpt-4o-mini";
const REQUEST_BYTES = 560;
/** Events of the stream, without its terminator. */
export const STREAM_CHUNKS = 50;

export type Mode = "json" | "sse";

const TEXT =
  "A gateway stands between a program and the services it calls. It checks who is calling, holds the money, picks a model, and passes the answer on. ";

/** The POST body, exactly 560 bytes. */
export function requestBody(mode: Mode): string {
  const make = (content: string): string =>
    JSON.stringify({
      model: MODEL,
      messages: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content },
      ],
      max_completion_tokens: 256,
      temperature: 0.5,
      ...(mode === "sse" ? { stream: true, stream_options: { include_usage: true } } : {}),
    });
  const missing = REQUEST_BYTES - make("").length;
  return make(TEXT.repeat(4).slice(0, missing));
}

const USAGE = {
  prompt_tokens: 104,
  completion_tokens: 48,
  total_tokens: 152,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};

/** A chat completion of about 1 KB with usage. */
export function answerBody(): string {
  return JSON.stringify({
    id: "chatcmpl-BenchmarkAnswer000000000001",
    object: "chat.completion",
    created: 1780000000,
    model: `${MODEL}-2024-07-18`,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: TEXT.repeat(3).trim(), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: USAGE,
    service_tier: "default",
    system_fingerprint: "fp_0000000000",
  });
}

function chunk(choices: unknown[], usage: unknown): string {
  return `data: ${JSON.stringify({
    id: "chatcmpl-BenchmarkStream01",
    object: "chat.completion.chunk",
    created: 1780000000,
    model: `${MODEL}-2024-07-18`,
    choices,
    usage,
  })}\n\n`;
}

/** The 50 events of the stream (the last has the usage), then the terminator. */
export function streamEvents(): string[] {
  const delta = (value: unknown, finish: string | null): unknown[] => [{ index: 0, delta: value, finish_reason: finish }];
  const words = TEXT.split(" ");
  const texts = Array.from({ length: STREAM_CHUNKS - 3 }, (_, n) => chunk(delta({ content: ` ${words[n % words.length]}` }, null), null));
  const opening = chunk(delta({ role: "assistant", content: "", refusal: null }, null), null);
  return [opening, ...texts, chunk(delta({}, "stop"), null), chunk([], USAGE), "data: [DONE]\n\n"];
}
