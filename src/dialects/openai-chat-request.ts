// A caller's Chat Completions request → the neutral one. Only fields that mean something here are checked; the rest is kept
// by name, for the field table to judge.
import { z } from "zod";
import type { ChatRequest, Reasoning, ResponseFormat, Tool, ToolChoice } from "../core/chat";
import { Failure } from "../core/failure";
import type { DecodedRequest } from "./dialect";
import { CacheMark, cacheHint, decodeMessages } from "./openai-chat-messages";
import { type JsonObject, objectOf } from "./provider-json";
import { check } from "./request-check";

const LegacyFunction = z.looseObject({
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
});
const FunctionTool = z.looseObject({ function: LegacyFunction, cache_control: CacheMark });
const CustomTool = z.looseObject({
  custom: z.looseObject({ name: z.string(), description: z.string().nullish(), format: z.unknown().optional() }),
  cache_control: CacheMark,
});
const CustomChoice = z.looseObject({ custom: z.looseObject({ name: z.string() }) });
const NamedChoice = z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) });
const JsonSchemaFormat = z.looseObject({
  type: z.literal("json_schema"),
  json_schema: z.looseObject({
    name: z.string().nullish(),
    schema: z.looseObject({}).nullish(),
    description: z.string().nullish(),
    strict: z.boolean().nullish(),
  }),
});

const Body = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.unknown()).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  seed: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  n: z.int().min(1).max(128).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).nullish(),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  functions: z.array(LegacyFunction).nullish(),
  function_call: z.union([z.enum(["none", "auto"]), z.looseObject({ name: z.string() })]).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  reasoning_effort: z.string().nullish(),
  user: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  service_tier: z.string().nullish(),
});
type Body = z.infer<typeof Body>;

/** Top-level fields that are read; every other one goes to `rest`. */
const READ: ReadonlySet<string> = new Set(Object.keys(Body.shape));

/**
 * Whether a body is certain to fit the schema, read by hand. Most are: the schema takes three times as long as all the rest of
 * the reading, so it is asked only about bodies with rarer fields, and about those in which something is wrong.
 */
function isPlainBody(json: unknown): json is Body {
  if (typeof json !== "object" || json === null || !("model" in json) || !("messages" in json)) return false;
  const fields = json as JsonObject;
  for (const name of Object.keys(fields)) if (READ.has(name) && !isPlainField(name, fields[name])) return false;
  return true;
}

function isPlainField(name: string, value: unknown): boolean {
  switch (name) {
    case "model":
      return typeof value === "string" && value !== "";
    case "messages":
      return Array.isArray(value) && value.length > 0;
    case "stream":
    case "parallel_tool_calls":
    case "logprobs":
      return typeof value === "boolean";
    case "max_tokens":
    case "max_completion_tokens":
      return Number.isSafeInteger(value) && (value as number) >= 1;
    case "temperature":
    case "top_p":
    case "presence_penalty":
    case "frequency_penalty":
    case "seed":
      return Number.isFinite(value);
    case "stream_options": {
      const usage = objectOf(value)?.["include_usage"];
      return typeof usage === "boolean";
    }
    case "user":
    case "reasoning_effort":
    case "service_tier":
      return typeof value === "string";
    default:
      return false;
  }
}

/** Reads a parsed body. Throws `Failure` with the field's path in `param`. */
export function decodeOpenaiChatRequest(json: unknown): DecodedRequest {
  const body = isPlainBody(json) ? json : check(Body, json);
  const rest: Record<string, unknown> = Object.create(null);
  const fields = json as JsonObject;
  for (const name of Object.keys(fields)) if (!READ.has(name)) rest[name] = fields[name];
  if (body.stream_options) {
    for (const [name, value] of Object.entries(body.stream_options)) if (name !== "include_usage") rest[`stream_options.${name}`] = value;
  }
  const request: ChatRequest = {
    model: body.model,
    messages: decodeMessages(body.messages, rest),
    stream: body.stream ?? false,
    tools: decodeTools(body, rest),
    toolChoice: decodeToolChoice(body, rest),
    parallelToolCalls: body.parallel_tool_calls ?? undefined,
    maxOutputTokens: decodeMaxTokens(body),
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: body.top_k ?? undefined,
    stop: typeof body.stop === "string" ? [body.stop] : (body.stop ?? undefined),
    seed: body.seed ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    choices: body.n ?? undefined,
    logprobs: body.logprobs ?? undefined,
    topLogprobs: body.top_logprobs ?? undefined,
    responseFormat: decodeFormat(body, rest),
    reasoning: decodeReasoningWish(body, rest),
    user: body.user ?? undefined,
    metadata: body.metadata ? Object.assign(Object.create(null), body.metadata) : undefined,
    serviceTier: body.service_tier ?? undefined,
    rest,
  };
  return { request, includeUsage: body.stream_options?.include_usage ?? false };
}

function decodeMaxTokens(body: Body): number | undefined {
  const { max_tokens: older, max_completion_tokens: newer } = body;
  if (typeof older === "number" && typeof newer === "number") {
    throw new Failure("invalid_value", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", {
      param: "max_tokens",
    });
  }
  return newer ?? older ?? undefined;
}

/** Function and custom tools. With any other among them, the list as it came is in `rest` too: other dialects refuse it. */
function decodeTools(body: Body, rest: Record<string, unknown>): Tool[] | undefined {
  // A target that has no legacy functions refuses them by name: its answer would not be the one that the caller reads.
  if (body.functions) rest["functions"] = body.functions;
  if (!body.tools && !body.functions) return undefined;
  if (body.tools?.some((tool) => !isFunction(tool) && tool.type !== "custom")) rest["tools"] = body.tools;
  const tools: Tool[] = [];
  for (const [index, raw] of (body.tools ?? []).entries()) {
    if (isFunction(raw)) {
      const { function: described, cache_control: mark } = check(FunctionTool, raw, `tools[${index}]`);
      tools.push({ ...toolOf(described), cache: cacheHint(mark) });
    } else if (raw.type === "custom") {
      const { custom, cache_control: mark } = check(CustomTool, raw, `tools[${index}]`);
      const { name, description, format } = custom;
      tools.push({ name, description: description ?? undefined, custom: { format: format ?? undefined }, cache: cacheHint(mark) });
    }
  }
  return [...tools, ...(body.functions ?? []).map(toolOf)];
}

/** Some providers let the type go without saying. */
const isFunction = (tool: { type?: string | null | undefined }): boolean => (tool.type ?? "function") === "function";

const toolOf = (described: z.infer<typeof LegacyFunction>): Tool => ({
  name: described.name,
  description: described.description ?? undefined,
  parameters: described.parameters ?? undefined,
  strict: described.strict ?? undefined,
});

function decodeToolChoice(body: Body, rest: Record<string, unknown>): ToolChoice | undefined {
  const { tool_choice: choice, function_call: legacy } = body;
  if (legacy !== null && legacy !== undefined) rest["function_call"] = legacy;
  if (choice === null || choice === undefined) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (typeof choice === "object" && choice.type === "function") return { name: check(NamedChoice, choice, "tool_choice").function.name };
  if (typeof choice === "object" && choice.type === "custom") return { name: check(CustomChoice, choice, "tool_choice").custom.name };
  rest["tool_choice"] = choice;
  return undefined;
}

function decodeFormat(body: Body, rest: Record<string, unknown>): ResponseFormat | undefined {
  const { response_format: format } = body;
  if (!format) return undefined;
  switch (format.type) {
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json" };
    case "json_schema": {
      const { name, schema, description, strict } = check(JsonSchemaFormat, format, "response_format").json_schema;
      // OpenAI demands a name, other providers do without.
      if (typeof name === "string")
        return { type: "json-schema", name, schema: schema ?? {}, description: description ?? undefined, strict: strict ?? undefined };
      break;
    }
  }
  rest["response_format"] = format;
  return undefined;
}

const RouterReasoning = z.strictObject({
  effort: z.string().nullish(),
  max_tokens: z.int().min(1).nullish(),
  enabled: z.boolean().nullish(),
});
const Thinking = z.union([
  z.strictObject({ type: z.literal("enabled"), budget_tokens: z.int().min(1).nullish() }),
  z.strictObject({ type: z.enum(["adaptive", "disabled"]) }),
]);

/** OpenAI's `reasoning_effort`, OpenRouter's `reasoning` and Anthropic's `thinking`, as far as they say the same. */
function decodeReasoningWish(body: Body, rest: Record<string, unknown>): Reasoning | undefined {
  const router = taken(RouterReasoning, "reasoning", rest);
  const thinking = taken(Thinking, "thinking", rest);
  const off = thinking?.type === "disabled" || router?.enabled === false;
  const effort = body.reasoning_effort ?? router?.effort ?? (off ? "none" : undefined);
  const budget = router?.max_tokens ?? (thinking?.type === "enabled" ? thinking.budget_tokens : undefined) ?? undefined;
  const adaptive = thinking?.type === "adaptive" || router?.enabled === true || undefined;
  if (effort === undefined && budget === undefined && adaptive === undefined) return undefined;
  return { effort, budgetTokens: budget, adaptive };
}

/** A field of `rest` that has the known shape, taken out of it; any other shape stays there as it is. */
function taken<T>(schema: z.ZodType<T>, name: string, rest: Record<string, unknown>): T | undefined {
  if (rest[name] === undefined) return undefined;
  const parsed = schema.safeParse(rest[name]);
  if (parsed.success) delete rest[name];
  return parsed.data;
}
