// What the simulator says: a pure function of the request.
import { schemaExample } from "./schema-example";

/** The fields of a Chat Completions request that the simulator looks at. The line has validated them. */
export interface SimulatedRequest {
  model: string;
  messages: readonly { role: string; content?: unknown; tool_call_id?: string }[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  n?: number;
  max_tokens?: number;
  max_completion_tokens?: number;
  tools?: readonly { type: string; function?: { name: string; parameters?: unknown } }[];
  tool_choice?: unknown;
  response_format?: { type: string; json_schema?: { schema?: unknown } };
}

export interface Directives {
  status: number | undefined;
  retryAfterSeconds: number | undefined;
  delayMs: number;
  paceMs: number;
  cutAfter: number | undefined;
  garbage: boolean;
  noUsage: boolean;
}

/** How fast the simulated model speaks unless told otherwise: about 60 chunks a second. */
const DEFAULT_PACE_MS = 16;

export function readDirectives(request: SimulatedRequest): Directives {
  const found = /\[\[simulate:([^\]]*)\]\]/.exec(lastText(request))?.[1] ?? "";
  const words = new Map(
    found
      .split(/\s+/)
      .filter((word) => word !== "")
      .map((word) => [word.split("=")[0] as string, word.split("=")[1] ?? ""]),
  );
  const number = (name: string): number | undefined => (/^\d{1,7}$/.test(words.get(name) ?? "") ? Number(words.get(name)) : undefined);
  const status = number("status");
  return {
    status: status !== undefined && status >= 400 && status <= 599 ? status : undefined,
    retryAfterSeconds: number("retry-after"),
    delayMs: number("delay") ?? 0,
    paceMs: number("pace") ?? DEFAULT_PACE_MS,
    cutAfter: number("cut"),
    garbage: words.has("garbage"),
    noUsage: words.has("no-usage"),
  };
}

export interface SimulatedAnswer {
  whole: object;
  chunks: readonly object[];
}

interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export function simulateAnswer(request: SimulatedRequest, nowMs: number): SimulatedAnswer {
  const calls = toolCalls(request);
  const said = calls.length > 0 ? "" : textFor(request);
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY;
  const words = said.match(/\S+\s*/g) ?? [];
  const spoken = words.slice(0, limit);
  const finish = calls.length > 0 ? "tool_calls" : spoken.length < words.length ? "length" : "stop";
  const choices = request.n ?? 1;
  const outputTokens = choices * (calls.length > 0 ? calls.reduce((sum, call) => sum + tokens(call.arguments) + 8, 0) : spoken.length);
  const inputTokens = request.messages.reduce((sum, message) => sum + 4 + tokens(textOf(message.content)), 2);
  const usage = readDirectives(request).noUsage
    ? undefined
    : { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens };
  const head = { id: `chatcmpl-sim-${hash(JSON.stringify(request.messages))}`, created: Math.floor(nowMs / 1000), model: request.model };
  const numbers = Array.from({ length: choices }, (_, index) => index);
  return {
    whole: {
      ...head,
      object: "chat.completion",
      choices: numbers.map((index) => ({ index, message: wholeMessage(spoken.join(""), calls), logprobs: null, finish_reason: finish })),
      ...(usage ? { usage } : {}),
    },
    chunks: chunksOf(head, numbers, spoken, calls, finish, usage, request.stream_options?.include_usage === true),
  };
}

function wholeMessage(text: string, calls: readonly ToolCall[]): object {
  if (calls.length === 0) return { role: "assistant", content: text, refusal: null };
  const asked = calls.map((call) => ({ id: call.id, type: "function", function: { name: call.name, arguments: call.arguments } }));
  return { role: "assistant", content: null, refusal: null, tool_calls: asked };
}

function chunksOf(
  head: object,
  numbers: readonly number[],
  words: readonly string[],
  calls: readonly ToolCall[],
  finish: string,
  usage: object | undefined,
  includeUsage: boolean,
): object[] {
  const base = { ...head, object: "chat.completion.chunk" };
  const told = includeUsage ? { usage: null } : {};
  const chunk = (index: number, delta: object, reason: string | null): object => ({
    ...base,
    choices: [{ index, delta, logprobs: null, finish_reason: reason }],
    ...told,
  });
  const deltas: object[] = words.map((word) => ({ content: word }));
  for (const [index, call] of calls.entries()) {
    deltas.push({ tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }] });
    for (const piece of call.arguments.match(/.{1,8}/gs) ?? []) deltas.push({ tool_calls: [{ index, function: { arguments: piece } }] });
  }
  const chunks = numbers.flatMap((index) => [
    chunk(index, { role: "assistant", content: calls.length > 0 ? null : "", refusal: null }, null),
    ...deltas.map((delta) => chunk(index, delta, null)),
    chunk(index, {}, finish),
  ]);
  if (includeUsage && usage) chunks.push({ ...base, choices: [], usage });
  return chunks;
}

/** A tool is called when one is offered and its result is not there yet; "in parallel" in the question calls them all. */
function toolCalls(request: SimulatedRequest): ToolCall[] {
  const offered = (request.tools ?? []).flatMap((tool) => (tool.function ? [tool.function] : []));
  const choice = request.tool_choice as { function?: { name?: string } } | string | undefined;
  if (offered.length === 0 || choice === "none") return [];
  if (request.messages.at(-1)?.role === "tool") return [];
  const named = typeof choice === "object" && choice !== null ? choice.function?.name : undefined;
  const chosen = named
    ? offered.filter((tool) => tool.name === named)
    : /\bparallel\b/i.test(lastText(request))
      ? offered
      : offered.slice(0, 1);
  return chosen.map((tool, index) => ({
    id: `call_sim_${hash(tool.name + index + lastText(request))}`,
    name: tool.name,
    arguments: JSON.stringify(argumentsFor(tool.parameters)),
  }));
}

/** Arguments are an object always, and one without parameters is empty. */
const argumentsFor = (parameters: unknown): unknown =>
  schemaExample({ type: "object", ...(typeof parameters === "object" ? parameters : undefined) });

function textFor(request: SimulatedRequest): string {
  const format = request.response_format;
  if (format?.type === "json_schema") return JSON.stringify(schemaExample(format.json_schema?.schema));
  if (format?.type === "json_object") return '{"simulated": true}';
  const asked = lastText(request)
    .replace(/\[\[simulate:[^\]]*\]\]/g, "")
    .trim();
  if (request.messages.at(-1)?.role === "tool") return `The tool answered: ${asked.slice(0, 400)}`;
  return `This is the simulator: no provider was called and nothing was charged. You said: ${asked.slice(0, 400)}`;
}

const lastText = (request: SimulatedRequest): string => textOf(request.messages.at(-1)?.content);

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) => (isTextPart(part) ? part.text : "")).join("");
}

const isTextPart = (part: unknown): part is { text: string } =>
  typeof part === "object" && part !== null && "text" in part && typeof part.text === "string";

/** About four bytes a token: enough for figures that nobody pays. */
const tokens = (text: string): number => Math.ceil(text.length / 4);

/** FNV-1a, 32 bits, in hexadecimal. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(16).padStart(8, "0");
}
