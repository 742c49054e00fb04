// What a recorded answer says, read from its bytes by code that shares nothing with the gateway's.

export interface ExpectedToolCall {
  name: string;
  /** The parsed arguments. */
  arguments: unknown;
}

export interface ExpectedChoice {
  text: string;
  toolCalls: ExpectedToolCall[];
  /** OpenAI's word; undefined where the provider's own has no agreed meaning. */
  finish: string | undefined;
}

export interface Expected {
  choices: ExpectedChoice[];
  /** undefined: the provider told none. */
  usage: { prompt: number; completion: number } | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON of three providers; a wrong guess fails the case that reads it.
type Json = any;

/** The provider's words for the end of an answer, in OpenAI's. */
const FINISH: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
  STOP: "stop",
  MAX_TOKENS: "length",
  SAFETY: "content_filter",
  RECITATION: "content_filter",
};

/** The JSON payloads of an SSE body (or of a JSON array, as Gemini streams without alt=sse). */
function payloads(body: string): Json[] {
  if (body.trimStart().startsWith("[")) return JSON.parse(body);
  return body
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trim())
    .filter((text) => text !== "" && text !== "[DONE]")
    .map((text): Json => JSON.parse(text));
}

const parsed = (text: string): unknown => (text === "" ? {} : JSON.parse(text));
const openaiUsage = (usage: Json): Expected["usage"] =>
  usage ? { prompt: usage.prompt_tokens, completion: usage.completion_tokens } : undefined;

function openaiWhole(answer: Json): Expected {
  return {
    choices: answer.choices.map(({ message, finish_reason }: Json) => ({
      text: message.content ?? "",
      toolCalls: (message.tool_calls ?? []).map((call: Json) => ({
        name: call.function.name,
        arguments: parsed(call.function.arguments),
      })),
      finish: finish_reason,
    })),
    usage: openaiUsage(answer.usage),
  };
}

function openaiStream(chunks: Json[]): Expected {
  const choices: { text: string; calls: { name: string; text: string }[]; finish: string | undefined }[] = [];
  let usage: Expected["usage"];
  for (const chunk of chunks) {
    if (chunk.usage) usage = openaiUsage(chunk.usage);
    for (const { index, delta, finish_reason } of chunk.choices) {
      choices[index] ??= { text: "", calls: [], finish: undefined };
      const choice = choices[index];
      choice.text += delta.content ?? "";
      if (finish_reason) choice.finish = finish_reason;
      for (const call of delta.tool_calls ?? []) {
        choice.calls[call.index] ??= { name: call.function.name, text: "" };
        const open = choice.calls[call.index];
        if (open) open.text += call.function.arguments ?? "";
      }
    }
  }
  return {
    choices: choices.map(({ text, calls, finish }) => ({
      text,
      toolCalls: calls.map((call) => ({ name: call.name, arguments: parsed(call.text) })),
      finish,
    })),
    usage,
  };
}

const anthropicUsage = (usage: Json): Expected["usage"] => ({
  prompt: usage.input_tokens + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0),
  completion: usage.output_tokens,
});

function anthropicWhole(answer: Json): Expected {
  const blocks: Json[] = answer.content;
  const text = blocks
    .filter((block) => block.type === "text")
    .map((block) => block.text)
    .join("");
  const toolCalls = blocks.filter((block) => block.type === "tool_use").map((block) => ({ name: block.name, arguments: block.input }));
  return { choices: [{ text, toolCalls, finish: FINISH[answer.stop_reason] }], usage: anthropicUsage(answer.usage) };
}

function anthropicStream(events: Json[]): Expected {
  const blocks: Json[] = [];
  let usage: Json = {};
  let stop = "";
  for (const event of events) {
    if (event.type === "message_start") usage = { ...event.message.usage };
    if (event.type === "content_block_start") blocks[event.index] = { ...event.content_block, json: "" };
    if (event.type === "content_block_delta") {
      const block = blocks[event.index];
      if (event.delta.type === "text_delta") block.text += event.delta.text;
      if (event.delta.type === "input_json_delta") block.json += event.delta.partial_json;
    }
    if (event.type === "message_delta") {
      stop = event.delta.stop_reason;
      usage = { ...usage, ...event.usage };
    }
  }
  for (const block of blocks) if (block.type === "tool_use") block.input = parsed(block.json);
  return anthropicWhole({ content: blocks, stop_reason: stop, usage });
}

function gemini(answers: Json[]): Expected {
  const choices: (ExpectedChoice & { raw: string | undefined })[] = [];
  let usage: Json;
  for (const answer of answers) {
    usage = answer.usageMetadata ? { ...usage, ...answer.usageMetadata } : usage;
    for (const candidate of answer.candidates ?? []) {
      const index: number = candidate.index ?? 0;
      choices[index] ??= { text: "", toolCalls: [], finish: undefined, raw: undefined };
      const choice = choices[index];
      for (const part of candidate.content?.parts ?? []) {
        if (part.thought !== true) choice.text += part.text ?? "";
        if (part.functionCall) choice.toolCalls.push({ name: part.functionCall.name, arguments: part.functionCall.args ?? {} });
      }
      choice.raw = candidate.finishReason ?? choice.raw;
    }
  }
  return {
    choices: choices.map(({ text, toolCalls, raw }) => ({
      text,
      toolCalls,
      finish: raw === "STOP" && toolCalls.length > 0 ? "tool_calls" : raw === undefined ? undefined : FINISH[raw],
    })),
    usage: usage && {
      prompt: (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0),
      completion: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
    },
  };
}

/** Reads a recorded or written answer with status 200. `format` is the recording's. */
export function expectedOf(format: string, body: string, stream: boolean): Expected {
  if (format === "openai-chat") return stream ? openaiStream(payloads(body)) : openaiWhole(JSON.parse(body));
  if (format === "anthropic-messages") return stream ? anthropicStream(payloads(body)) : anthropicWhole(JSON.parse(body));
  if (format === "gemini") return gemini(stream ? payloads(body) : [JSON.parse(body)]);
  throw new Error(`no reader for ${format}`);
}
