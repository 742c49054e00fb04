// What an upstream says, written once and told in each dialect: small answers of our own, in the shapes that the recordings have.
import type { Script } from "../../upstream/script";

export type UpstreamDialect = "chat" | "responses" | "messages" | "gemini";

export type Content =
  /** Text in two pieces; a broken stream breaks between them. */
  | { readonly text: readonly [string, string] }
  /** One call of a tool. */
  | { readonly tool: string; readonly input: object };

export interface Sample {
  /** What an upstream answers, as a map's entry. */
  answers: { whole: Script; stream: Script };
  /** Bytes of the stream after which only the first half of the content was said. */
  headBytes: number;
}

/** Told with every answer. */
export const USAGE = { input: 9, output: 5 };

const SSE = { "content-type": "text/event-stream; charset=utf-8" };
const CREATED = 1_780_000_000;
const CALL_ID = "call_sample";

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const event = (type: string, fields: object = {}): string => `event: ${type}\n${data({ type, ...fields })}`;
const halves = (text: string): [string, string] => [text.slice(0, text.length / 2), text.slice(text.length / 2)];

function sample(whole: unknown, before: readonly string[], after: readonly string[]): Sample {
  const opening = before.join("");
  return {
    answers: { whole: { body: JSON.stringify(whole) }, stream: { headers: SSE, body: opening + after.join("") } },
    headBytes: opening.length,
  };
}

function chat(content: Content): Sample {
  const base = { id: "chatcmpl-sample", created: CREATED, model: "sample-model-2026-01-01" };
  const usage = { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output };
  const chunk = (delta: unknown, finish: string | null = null): string =>
    data({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }], usage: null });
  const whole = (message: object, finish: string): object => ({
    ...base,
    object: "chat.completion",
    choices: [
      { index: 0, message: { role: "assistant", content: null, refusal: null, ...message }, logprobs: null, finish_reason: finish },
    ],
    usage,
  });
  const end = (finish: string): string[] => [
    chunk({}, finish),
    data({ ...base, object: "chat.completion.chunk", choices: [], usage }),
    "data: [DONE]\n\n",
  ];
  if ("text" in content) {
    const [head, rest] = content.text;
    const opening = [chunk({ role: "assistant", content: "", refusal: null }), chunk({ content: head })];
    return sample(whole({ content: head + rest }, "stop"), opening, [chunk({ content: rest }), ...end("stop")]);
  }
  const written = JSON.stringify(content.input);
  const [head, rest] = halves(written);
  const call = { id: CALL_ID, type: "function", function: { name: content.tool, arguments: written } };
  const piece = (text: string): string => chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  return sample(
    whole({ tool_calls: [call] }, "tool_calls"),
    [
      chunk({
        role: "assistant",
        content: null,
        tool_calls: [{ index: 0, ...call, function: { name: content.tool, arguments: "" } }],
        refusal: null,
      }),
      piece(head),
    ],
    [piece(rest), ...end("tool_calls")],
  );
}

const RESPONSE = {
  id: "resp_sample",
  object: "response",
  created_at: CREATED,
  model: "sample-model-2026-01-01",
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  max_output_tokens: null,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: false,
  text: { format: { type: "text" } },
  truncation: "disabled",
};

const RESPONSE_USAGE = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: USAGE.input + USAGE.output,
};

/** An item's events between its beginning and its end, without sequence numbers: `before` and `after` the break. */
interface ItemEvents {
  before: object[];
  after: object[];
}

function messageItem([head, rest]: readonly [string, string]): { item: object; empty: object; events: ItemEvents } {
  const item = { id: "msg_sample", type: "message", role: "assistant" };
  const part = { type: "output_text", text: head + rest, annotations: [], logprobs: [] };
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  const delta = (text: string): object => ({ type: "response.output_text.delta", ...at, delta: text, logprobs: [] });
  return {
    item: { ...item, status: "completed", content: [part] },
    empty: { ...item, status: "in_progress", content: [] },
    events: {
      before: [{ type: "response.content_part.added", ...at, part: { ...part, text: "" } }, delta(head)],
      after: [
        delta(rest),
        { type: "response.output_text.done", ...at, text: head + rest, logprobs: [] },
        { type: "response.content_part.done", ...at, part },
      ],
    },
  };
}

function callItem(name: string, input: object): { item: object; empty: object; events: ItemEvents } {
  const written = JSON.stringify(input);
  const [head, rest] = halves(written);
  const item = { id: "fc_sample", type: "function_call", call_id: CALL_ID, name };
  const at = { item_id: item.id, output_index: 0 };
  const delta = (text: string): object => ({ type: "response.function_call_arguments.delta", ...at, delta: text });
  return {
    item: { ...item, arguments: written, status: "completed" },
    empty: { ...item, arguments: "", status: "in_progress" },
    events: {
      before: [delta(head)],
      after: [delta(rest), { type: "response.function_call_arguments.done", ...at, name, arguments: written }],
    },
  };
}

/** A Response object, and the events by which it comes. */
function responses(content: Content): Sample {
  const { item, empty, events } = "text" in content ? messageItem(content.text) : callItem(content.tool, content.input);
  const started = { ...RESPONSE, status: "in_progress", output: [], usage: null };
  const whole = { ...RESPONSE, status: "completed", completed_at: CREATED, output: [item], usage: RESPONSE_USAGE };
  const before = [
    { type: "response.created", response: started },
    { type: "response.in_progress", response: started },
    { type: "response.output_item.added", output_index: 0, item: empty },
    ...events.before,
  ];
  const after = [
    ...events.after,
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: whole },
  ];
  const told = (list: readonly object[], from: number): string[] =>
    list.map((one, at) => event("type" in one ? String(one.type) : "", { ...one, sequence_number: from + at }));
  return sample(whole, told(before, 0), told(after, before.length));
}

const MESSAGE = { id: "msg_sample", type: "message", role: "assistant", model: "claude-sample-20260101", stop_sequence: null };

function messages(content: Content): Sample {
  const isText = "text" in content;
  const [head, rest] = isText ? content.text : halves(JSON.stringify(content.input));
  const empty = isText ? { type: "text", text: "" } : { type: "tool_use", id: "toolu_sample", name: content.tool, input: {} };
  const block = isText ? { ...empty, text: head + rest } : { ...empty, input: content.input };
  const stop = { stop_reason: isText ? "end_turn" : "tool_use", stop_sequence: null };
  const delta = (text: string): string =>
    event("content_block_delta", {
      index: 0,
      delta: isText ? { type: "text_delta", text } : { type: "input_json_delta", partial_json: text },
    });
  const usage = { input_tokens: USAGE.input, output_tokens: USAGE.output };
  return sample(
    { ...MESSAGE, content: [block], ...stop, usage },
    [
      event("message_start", { message: { ...MESSAGE, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } }),
      event("content_block_start", { index: 0, content_block: empty }),
      event("ping"),
      delta(head),
    ],
    [
      delta(rest),
      event("content_block_stop", { index: 0 }),
      event("message_delta", { delta: stop, usage: { output_tokens: USAGE.output } }),
      event("message_stop"),
    ],
  );
}

function gemini(content: Content): Sample {
  const answer = (parts: unknown[], finish?: string): unknown => ({
    candidates: [{ content: { parts, role: "model" }, index: 0, ...(finish === undefined ? {} : { finishReason: finish }) }],
    usageMetadata: {
      promptTokenCount: USAGE.input,
      totalTokenCount: USAGE.input + USAGE.output,
      ...(finish === undefined ? {} : { candidatesTokenCount: USAGE.output }),
    },
    modelVersion: "gemini-sample",
    responseId: "sample",
  });
  if ("text" in content) {
    const [head, rest] = content.text;
    return sample(answer([{ text: head + rest }], "STOP"), [data(answer([{ text: head }]))], [data(answer([{ text: rest }], "STOP"))]);
  }
  const call = { functionCall: { name: content.tool, args: content.input } };
  return sample(answer([call], "STOP"), [data(answer([call]))], [data(answer([{ text: "" }], "STOP"))]);
}

const TELL: Readonly<Record<UpstreamDialect, (content: Content) => Sample>> = { chat, responses, messages, gemini };

/** The content as a provider of that dialect says it, whole and streamed, with `USAGE`. */
export const said = (dialect: UpstreamDialect, content: Content): Sample => TELL[dialect](content);

/** A failure as a provider of that dialect tells it. */
export function refused(dialect: UpstreamDialect, status: number, kind: string, message: string): Script {
  if (dialect === "messages") {
    return { status, body: JSON.stringify({ type: "error", error: { type: kind, message }, request_id: "req_sample" }) };
  }
  if (dialect === "gemini") return { status, body: JSON.stringify({ error: { code: status, message, status: kind } }) };
  return { status, body: JSON.stringify({ error: { message, type: kind, param: null, code: null } }) };
}
