// A caller's Responses request → the neutral one. Only fields that mean something here are checked; the rest is kept by name,
// for the field table to judge. https://platform.openai.com/docs/api-reference/responses/create
import { z } from "zod";
import type { ChatRequest, Reasoning, ResponseFormat } from "../core/chat";
import { Failure } from "../core/failure";
import type { DecodedRequest } from "./dialect";
import { decodeInput, type MessagePlace } from "./openai-responses-request-input";
import { AnyTool, decodeToolChoice, decodeTools } from "./openai-responses-request-tools";
import type { JsonObject } from "./provider-json";
import { check } from "./request-check";

const Body = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.unknown())]).nullish(),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({}).nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  max_tool_calls: z.int().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_logprobs: z.int().min(0).nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  include: z.array(z.string()).nullish(),
  tools: z.array(AnyTool).nullish(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish(), verbosity: z.string().nullish() }).nullish(),
  reasoning: z
    .looseObject({ effort: z.string().nullish(), summary: z.string().nullish(), generate_summary: z.string().nullish() })
    .nullish(),
  user: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  service_tier: z.string().nullish(),
});
type Body = z.infer<typeof Body>;
type Rest = Record<string, unknown>;

/** Top-level fields that are read; every other one goes to `rest`. */
const READ: ReadonlySet<string> = new Set(Object.keys(Body.shape));

/** Where the conversation may be instead of in `input`. */
const ELSEWHERE = ["previous_response_id", "conversation", "prompt"] as const;

/** Reads a parsed body. Throws `Failure` with the field's path in `param`. */
export function decodeResponsesRequest(
  json: unknown,
  _headers?: Readonly<Record<string, string>>,
  recall?: (id: string) => unknown,
): DecodedRequest {
  const body = check(Body, json);
  const rest: Rest = Object.create(null);
  for (const [name, value] of Object.entries(json as JsonObject)) if (!READ.has(name)) rest[name] = value;
  keepOthers(body.stream_options, "stream_options", [], rest);
  const isEmpty = body.input === null || body.input === undefined || body.input.length === 0;
  if (isEmpty && ELSEWHERE.every((name) => body[name] === null || body[name] === undefined)) {
    throw new Failure("missing_required_parameter", "Missing required parameter: 'input'.", { param: "input" });
  }
  const { messages, places, hosted: inside, outside } = decodeInput(body.input, body.instructions ?? undefined, rest, recall);
  const { tools, hosted: listed } = body.tools ? decodeTools(body.tools) : { tools: undefined, hosted: [] };
  const hosted = [...listed, ...inside];
  // Without hosted tools there is nothing that it counts.
  if (hosted.length > 0 && typeof body.max_tool_calls === "number") rest["max_tool_calls"] = body.max_tool_calls;
  const request: ChatRequest = {
    model: body.model,
    messages,
    stream: body.stream ?? false,
    tools,
    hostedTools: hosted.length > 0 ? hosted : undefined,
    toolChoice: decodeToolChoice(body.tool_choice, rest),
    parallelToolCalls: body.parallel_tool_calls ?? undefined,
    maxOutputTokens: body.max_output_tokens ?? undefined,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    ...decodeLogprobs(body, rest),
    responseFormat: decodeFormat(body, rest),
    reasoning: decodeReasoningWish(body, rest),
    user: body.user ?? undefined,
    metadata: body.metadata ? Object.assign(Object.create(null), body.metadata) : undefined,
    serviceTier: body.service_tier ?? undefined,
    outside,
    rest,
  };
  return { request, includeUsage: true, nameOf: (param) => nameOf(param, places) };
}

/** Sealed thoughts always come, and log probabilities have a place. What else is to be included is kept. */
function decodeLogprobs({ include, top_logprobs: top }: Body, rest: Rest): Pick<ChatRequest, "logprobs" | "topLogprobs"> {
  const others = (include ?? []).filter((each) => each !== "reasoning.encrypted_content" && each !== LOGPROBS);
  if (others.length > 0) rest["include"] = others;
  const wanted = include?.includes(LOGPROBS) === true || (top ?? 0) > 0;
  return wanted ? { logprobs: true, topLogprobs: top ?? undefined } : {};
}
const LOGPROBS = "message.output_text.logprobs";

const JsonSchemaFormat = z.looseObject({
  name: z.string(),
  schema: z.looseObject({}),
  description: z.string().nullish(),
  strict: z.boolean().nullish(),
});

function decodeFormat({ text }: Body, rest: Rest): ResponseFormat | undefined {
  keepOthers(text, "text", ["format", "verbosity"], rest);
  if (text?.verbosity !== null && text?.verbosity !== undefined) rest["verbosity"] = text.verbosity;
  const format = text?.format;
  switch (format?.type) {
    case undefined:
      return undefined;
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json" };
    case "json_schema": {
      const { name, schema, description, strict } = check(JsonSchemaFormat, format, "text.format");
      return { type: "json-schema", name, schema, description: description ?? undefined, strict: strict ?? undefined };
    }
    default:
      rest["text.format"] = format;
      return undefined;
  }
}

function decodeReasoningWish({ reasoning }: Body, rest: Rest): Reasoning | undefined {
  keepOthers(reasoning, "reasoning", ["effort", "summary", "generate_summary"], rest);
  const effort = reasoning?.effort ?? undefined;
  const summary = reasoning?.summary ?? reasoning?.generate_summary ?? undefined;
  return effort === undefined && summary === undefined ? undefined : { effort, summary };
}

/** Inner fields that have no place go to `rest` under their path. */
function keepOthers(object: JsonObject | null | undefined, at: string, known: readonly string[], rest: Rest): void {
  for (const [name, value] of Object.entries(object ?? {})) {
    if (!known.includes(name) && value !== null) rest[`${at}.${name}`] = value;
  }
}

/** Names of Chat Completions, which is what encoders say, by what they are called here. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["max_completion_tokens", "max_output_tokens"],
  ["response_format", "text.format"],
  ["reasoning_effort", "reasoning.effort"],
  ["verbosity", "text.verbosity"],
  ["logprobs", "include"],
  ["messages", "input"],
  ["cache_control", "prompt_cache_breakpoint"],
  ["image_url.detail", "input_image.detail"],
  ["tools.function.strict", "tools.strict"],
]);
const PLACE = /^messages\[(\d+)\](?:\.(content|tool_calls)(?:\[(\d+)\])?)?(.*)$/;
/** Parts are flat here: what Chat Completions has in an object of the part's kind stands in the part itself. */
const INNER = /^\.(?:file(?=\.|$)|image_url(?=\.url$)|function(?=\.))/;

function nameOf(param: string, places: readonly MessagePlace[]): string {
  const [, message, member, part, inner = ""] = PLACE.exec(param) ?? [];
  const place = message === undefined ? undefined : places[Number(message)];
  if (!place) return NAMES.get(param) ?? param;
  const suffix = inner.replace(INNER, "").replace(/^\.url$/, ".image_url");
  if (member === "tool_calls") return (place.call ?? place.content) + suffix;
  return ((part === undefined ? undefined : place.parts[Number(part)]) ?? place.content) + suffix;
}
