// `bun bench/translate.ts`: CPU of one chunk on its way to the caller, from bytes to bytes: an Anthropic stream translated to Chat
// Completions, beside a Chat Completions stream of the same words that goes through untouched. The bar: at most 1.5 times as much.
//   --chunks 200  --rounds 21  --streams 400
import { parseArgs } from "node:util";
import type { ChatRequest } from "../src/core/chat";
import { nanoUsd } from "../src/core/money";
import { anthropicMessages } from "../src/dialects/anthropic-messages";
import type { AnswerContext, Dialect } from "../src/dialects/dialect";
import { openaiChat } from "../src/dialects/openai-chat";
import type { Framer } from "../src/wire/frame";
import { median } from "./report";

const BAR = 1.5;
const MODEL = "gpt-4o-2024-08-06";
const WORDS =
  "A gateway stands between a program and the services it calls: it checks who is calling, holds the money, and passes on.".split(" ");

/** One network read for each frame: at a model's pace nothing comes together. */
type Stream = readonly Uint8Array[];

const encoder = new TextEncoder();
const sse = (event: string | undefined, data: object | string): Uint8Array => {
  const name = event === undefined ? "" : `event: ${event}\n`;
  return encoder.encode(`${name}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
};

const wordAt = (n: number): string => ` ${WORDS[n % WORDS.length]}`;

/** As OpenAI writes it, in the recordings: about 300 bytes a chunk. */
function openaiStream(chunks: number): Stream {
  const chunk = (delta: object, finish: string | null): Uint8Array =>
    sse(undefined, {
      id: "chatcmpl-BenchmarkStream0000000000000001",
      object: "chat.completion.chunk",
      created: 1_790_000_000,
      model: MODEL,
      service_tier: "default",
      system_fingerprint: "fp_0000000000",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      usage: null,
    });
  const usage = { prompt_tokens: 104, completion_tokens: chunks, total_tokens: 104 + chunks };
  return [
    chunk({ role: "assistant", content: "", refusal: null }, null),
    ...Array.from({ length: chunks }, (_, n) => chunk({ content: wordAt(n) }, null)),
    chunk({}, "stop"),
    sse(undefined, { id: "chatcmpl-BenchmarkStream0000000000000001", object: "chat.completion.chunk", model: MODEL, choices: [], usage }),
    sse(undefined, "[DONE]"),
  ];
}

/** As Anthropic writes it, in the recordings: about 130 bytes an event. */
function anthropicStream(chunks: number): Stream {
  const message = {
    id: "msg_Benchmark00000000001",
    type: "message",
    role: "assistant",
    model: MODEL,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 104, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1, service_tier: "standard" },
  };
  const delta = (text: string): object => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
  const stop = { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: chunks } };
  return [
    sse("message_start", { type: "message_start", message }),
    sse("content_block_start", { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    sse("ping", { type: "ping" }),
    ...Array.from({ length: chunks }, (_, n) => sse("content_block_delta", delta(wordAt(n)))),
    sse("content_block_stop", { type: "content_block_stop", index: 0 }),
    sse("message_delta", stop),
    sse("message_stop", { type: "message_stop" }),
  ];
}

const REQUEST: ChatRequest = {
  model: MODEL,
  messages: [{ role: "user", parts: [{ type: "text", text: "Go on." }] }],
  stream: true,
  rest: {},
};

/** The model has its own name, so that forwarding has nothing to splice but the stamp. */
const CONTEXT: AnswerContext = {
  model: MODEL,
  extensionName: "tollway",
  requestId: "01900000-0000-7000-8000-000000000000",
  request: REQUEST,
  asked: {},
  createdAt: 1_790_000_000,
  includeUsage: true,
  stamp: () => ({ costUsd: nanoUsd(1_234n), extension: { request_id: "01900000-0000-7000-8000-000000000000" } }),
};

function framerOf(dialect: Dialect): Framer {
  const framer = dialect.openFramer("text/event-stream");
  if (!framer) throw new Error(`${dialect.name} is no stream`);
  return framer;
}

/** Bytes that go to the caller. */
function forward(stream: Stream): number {
  const framer = framerOf(openaiChat);
  const forwarder = openaiChat.openForwarder(CONTEXT, {});
  let sent = 0;
  for (const read of stream) {
    for (const frame of framer.push(read)) for (const bytes of forwarder.push(frame).bytes) sent += bytes.length;
  }
  for (const bytes of forwarder.end().bytes) sent += bytes.length;
  return sent;
}

function translate(stream: Stream): number {
  const framer = framerOf(anthropicMessages);
  const decoder = anthropicMessages.openStream({});
  const writer = openaiChat.openEncoder(CONTEXT);
  let sent = 0;
  const write = (text: string): void => {
    if (text !== "") sent += new TextEncoder().encode(text).length;
  };
  for (const read of stream) {
    for (const frame of framer.push(read)) {
      let text = "";
      for (const event of decoder.push(frame)) text += writer.push(event);
      write(text);
    }
  }
  let text = "";
  for (const event of decoder.end()) text += writer.push(event);
  write(text + writer.end());
  return sent;
}

/** Microseconds of CPU a text chunk, over so many streams. */
function cpuUs(run: (stream: Stream) => number, stream: Stream, streams: number, chunks: number): number {
  const before = process.cpuUsage();
  for (let n = 0; n < streams; n++) if (run(stream) === 0) throw new Error("Nothing was sent");
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (streams * chunks);
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: "${text}" is no count`);
  return value;
}

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "200" },
    rounds: { type: "string", default: "21" },
    streams: { type: "string", default: "400" },
  },
});
const chunks = count(values.chunks, "chunks");
const rounds = count(values.rounds, "rounds");
const streams = count(values.streams, "streams");
const [untouched, other] = [openaiStream(chunks), anthropicStream(chunks)];
// Compiled before anything is counted.
cpuUs(forward, untouched, streams, chunks);
cpuUs(translate, other, streams, chunks);
const measured = Array.from({ length: rounds }, () => ({
  forward: cpuUs(forward, untouched, streams, chunks),
  translate: cpuUs(translate, other, streams, chunks),
}));
const ratio = median(measured.map((round) => round.translate / round.forward));
console.log(`forward    ${median(measured.map((round) => round.forward)).toFixed(2)} µs CPU a chunk`);
console.log(`translate  ${median(measured.map((round) => round.translate)).toFixed(2)} µs CPU a chunk`);
console.log(`ratio      ${ratio.toFixed(2)} (median of ${rounds} rounds; at most ${BAR})`);
if (ratio > BAR) process.exitCode = 1;
