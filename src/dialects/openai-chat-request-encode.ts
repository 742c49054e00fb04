// The neutral request → a Chat Completions request. Used where the caller speaks another dialect, or where bytes cannot be kept.
import type { ChatRequest, ResponseFormat, Tool, ToolChoice } from "../core/chat";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { effortOf } from "./openai-chat-effort";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { COMPATIBLE_FIELDS } from "./openai-chat-fields-compatible";
import { cacheMark, MessageWriter } from "./openai-chat-messages-encode";
import { objectOf } from "./provider-json";
import { openRefusals, refuseNoAnswer } from "./refusal";
import { placeAt } from "./request-path";
import { asFunctionTool, losesGrammar, wireToolName } from "./tool-names";

export const OPENAI_CHAT_PATH = "/chat/completions";

/** Every field that OpenAI documents has a place here; what other APIs call their own has none. */
const HONOURED: ReadonlySet<string> = new Set(Object.keys(OPENAI_CHAT_FIELDS).filter((name) => !Object.hasOwn(COMPATIBLE_FIELDS, name)));
const isPath = (name: string): boolean => name.startsWith("messages[") || name.startsWith("stream_options.");

type Json = Record<string, unknown>;

/** Throws `Failure` `unsupported_parameter` for what Chat Completions cannot say. */
export function encodeOpenaiChatRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  refuseNoAnswer(asked);
  const { deviations } = context;
  // Paths of another dialect lead nowhere here.
  const own = context.caller === undefined || context.caller.name === "openai-chat";
  const honours = new Set([...HONOURED, ...(own ? Object.keys(asked.rest).filter(isPath) : [])]);
  if (deviations.takesCacheMarks) honours.add("cache_control");
  const wish = effortOf(asked.reasoning, context);
  const { request, ignored } = fitRequest({ ...asked, reasoning: undefined }, OPENAI_CHAT_FIELDS, honours, { ...context, asWritten: true });
  const left = new Set([...ignored, ...wish.ignored]);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const writer = new MessageWriter(context, left, refuse);
  const body: Json = { model: context.model, messages: writer.write(request.messages) };
  Object.assign(body, encodeSettings(request, context, left));
  if (wish.effort !== undefined) body["reasoning_effort"] = wish.effort;
  for (const [name, value] of Object.entries(request.rest)) {
    if (!isPath(name)) body[name] = value;
    else if (!placeAt(body, name, value)) left.add(name);
  }
  body["messages"] = writer.arrange(body["messages"] as Json[]);
  if (deviations.noStreamOptions) delete body["stream_options"];
  else if (request.stream) body["stream_options"] = { ...objectOf(body["stream_options"]), include_usage: true };
  return {
    path: OPENAI_CHAT_PATH,
    body: JSON.stringify(body),
    headers: {},
    ignored: [...new Set([...left, ...dropped])],
    maxOutputTokens: request.maxOutputTokens,
  };
}

function encodeSettings(request: ChatRequest, context: EncodeContext, left: Set<string>): Json {
  const { deviations } = context;
  const legacy = request.rest["functions"];
  const tools = Array.isArray(legacy) ? request.tools?.slice(0, -legacy.length || undefined) : request.tools;
  const settings: Json = {
    stream: request.stream || undefined,
    tools: tools && tools.length > 0 ? tools.map((tool, index) => encodeTool(tool, `tools[${index}]`, context, left)) : undefined,
    tool_choice: encodeChoice(request.toolChoice, request.tools ?? [], context),
    parallel_tool_calls: request.parallelToolCalls,
    [deviations.maxTokensField ?? "max_completion_tokens"]: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    stop: request.stop,
    [deviations.seedField ?? "seed"]: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    n: request.choices,
    logprobs: request.logprobs,
    top_logprobs: request.topLogprobs,
    response_format: encodeFormat(request.responseFormat),
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
  };
  for (const [name, value] of Object.entries(settings)) if (value === undefined) delete settings[name];
  return settings;
}

function encodeTool(tool: Tool, at: string, { deviations }: EncodeContext, left: Set<string>): Json {
  const marked = deviations.takesCacheMarks === true && tool.cache !== undefined;
  const mark = marked && tool.cache !== undefined ? { cache_control: cacheMark(tool.cache) } : {};
  if (tool.cache !== undefined && !marked) left.add("cache_control");
  const name = wireToolName(tool);
  const description = tool.description === undefined ? {} : { description: tool.description };
  if (tool.custom && !deviations.functionToolsOnly) {
    const format = nestedFormat(tool.custom.format);
    return { type: "custom", custom: { name, ...description, ...(format === undefined ? {} : { format }) }, ...mark };
  }
  if (losesGrammar(tool)) left.add(`${at}.format`);
  const { parameters, strict, description: told } = asFunctionTool(tool);
  const described: Json = { name, ...(told === undefined ? {} : { description: told }) };
  if (parameters !== undefined) described["parameters"] = parameters;
  if (strict !== undefined) described["strict"] = strict;
  return { type: "function", function: described, ...mark };
}

/** Responses writes a grammar's members beside its type, Chat Completions in an object of their own. */
function nestedFormat(format: unknown): unknown {
  const said = objectOf(format);
  if (said?.["type"] !== "grammar" || said["grammar"] !== undefined) return format;
  const { type, ...grammar } = said;
  return { type, grammar };
}

function encodeChoice(choice: ToolChoice | undefined, tools: readonly Tool[], { deviations }: EncodeContext): unknown {
  if (typeof choice !== "object") return choice;
  const tool = tools.find((each) => each.name === choice.name);
  const name = tool ? wireToolName(tool) : choice.name;
  return tool?.custom && !deviations.functionToolsOnly ? { type: "custom", custom: { name } } : { type: "function", function: { name } };
}

function encodeFormat(format: ResponseFormat | undefined): unknown {
  switch (format?.type) {
    case undefined:
      return undefined;
    case "text":
      return { type: "text" };
    case "json":
      return { type: "json_object" };
    case "json-schema": {
      const { type: _, ...described } = format;
      return { type: "json_schema", json_schema: described };
    }
  }
}
