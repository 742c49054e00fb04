// A neutral request → Anthropic Messages: https://platform.claude.com/docs/en/api/messages
import type { ChatRequest, Tool } from "../core/chat";
import { type Block, cached, namesFiles } from "./anthropic-messages-blocks";
import { type Thinking, thinkingOf } from "./anthropic-messages-thinking";
import { type Turn, turnsOf } from "./anthropic-messages-turns";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { objectOf } from "./provider-json";
import { innerHints, openRefusals, type Refuse } from "./refusal";
import { asFunctionTool, losesGrammar, wireToolName } from "./tool-names";

/** Fields with a place here, by their names in Chat Completions. */
const HONOURED: ReadonlySet<string> = new Set([
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "response_format",
  "reasoning_effort",
  "user",
  "service_tier",
  "cache_control",
]);

/** The version we speak; a provider's row or a door may not lower it. */
const VERSION = "2023-06-01";
const FILES_BETA = "files-api-2025-04-14";

/** `max_tokens` is mandatory: the caller's limit, else the context's. */
export function encodeAnthropicRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, HONOURED, context);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const maxTokens = request.maxOutputTokens ?? context.defaultMaxOutputTokens;
  const { system, messages } = turnsOf(request.messages, refuse);
  const thought = thinkingOf(request.reasoning, context.model, maxTokens);
  const wished = "refused" in thought ? (refuse("reasoning_effort", thought.refused) ?? { on: false }) : thought;
  // Asked for by a budget, thinking must have begun the turn that goes on now; clients that strip seals send that turn without.
  const bare = wished.thinking?.["type"] === "enabled" && goesOnWithoutThought(messages);
  const thinking: Thinking = bare ? { on: false } : wished;
  const tools = request.tools ?? [];
  const outputConfig = {
    ...(thinking.effort === undefined ? {} : { effort: thinking.effort }),
    ...formatOf(request, refuse),
  };
  const tier = tierOf(request.serviceTier);
  const leftOut = [
    ...(tier === undefined && request.serviceTier !== undefined ? ["service_tier"] : []),
    ...(tools.some(losesGrammar) ? ["tools.custom.format"] : []),
    ...(bare ? ["reasoning_effort"] : []),
  ];
  const body = {
    model: context.model,
    max_tokens: maxTokens,
    ...(system.length > 0 ? { system } : {}),
    messages,
    ...(tools.length > 0 ? { tools: tools.map(toolOf) } : {}),
    ...toolChoiceOf(request, thinking.on, refuse),
    ...samplingOf(request, thinking.on, refuse),
    ...(request.stop === undefined ? {} : { stop_sequences: request.stop }),
    ...(thinking.thinking === undefined ? {} : { thinking: thinking.thinking }),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...(request.user === undefined ? {} : { metadata: { user_id: request.user } }),
    ...(tier === undefined ? {} : { service_tier: tier }),
    stream: request.stream,
  };
  const files = messages.some(({ content }) => namesFiles(content));
  return {
    path: "/messages",
    body: JSON.stringify(body),
    headers: { "anthropic-version": VERSION, ...(files ? { "anthropic-beta": FILES_BETA } : {}) },
    ignored: [...ignored, ...innerHints(request, true), ...leftOut, ...dropped],
    maxOutputTokens: maxTokens,
  };
}

/** `input_schema.type` is required and must be "object". */
function toolOf(asked: Tool): Block {
  const tool = asFunctionTool(asked);
  const schema = objectOf(tool.parameters) ?? { properties: {} };
  return {
    name: wireToolName(tool),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: schema["type"] === undefined ? { ...schema, type: "object" } : schema,
    ...(tool.strict === true ? { strict: true } : {}),
    ...cached(tool.cache),
  };
}

/** Forced tools and thinking exclude each other (a 400 at the provider). Without tools, a choice other than a forced one says nothing. */
function toolChoiceOf(request: ChatRequest, thinking: boolean, refuse: Refuse): { tool_choice?: Block } {
  const { toolChoice } = request;
  const hasTools = (request.tools ?? []).length > 0;
  const forced = toolChoice === "required" || typeof toolChoice === "object";
  if (!hasTools && !forced) return {};
  if (forced && thinking) return refuse("tool_choice", "This provider cannot force a tool call while the model thinks") ?? {};
  if (toolChoice === "none") return { tool_choice: { type: "none" } };
  if (toolChoice === undefined && request.parallelToolCalls !== false) return {};
  const single = request.parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (typeof toolChoice === "object") {
    const chosen = request.tools?.find(({ name }) => name === toolChoice.name) ?? toolChoice;
    return { tool_choice: { type: "tool", name: wireToolName(chosen), ...single } };
  }
  return { tool_choice: { type: toolChoice === "required" ? "any" : "auto", ...single } };
}

/**
 * Temperature is 0 to 1 here (recorded: "temperature: range: 0..1"), and thinking allows no temperature but 1, no `top_k` and
 * no `top_p` under 0.95: https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
 */
function samplingOf({ temperature, topP, topK }: ChatRequest, thinking: boolean, refuse: Refuse): Block {
  const fits = (name: string, value: number | undefined, good: boolean): Block => {
    if (value === undefined) return {};
    if (good) return { [name]: value };
    const why = thinking ? "beside the model's thinking" : "above 1";
    return refuse(name, `This provider does not support this ${name} ${why}`) ?? {};
  };
  return {
    ...fits("temperature", temperature, thinking ? temperature === 1 : (temperature ?? 0) <= 1),
    ...fits("top_p", topP, !thinking || (topP ?? 1) >= 0.95),
    ...fits("top_k", topK, !thinking),
  };
}

/** A schema has a place, JSON without one has none. The description goes to the model inside the schema. */
function formatOf({ responseFormat }: ChatRequest, refuse: Refuse): { format?: Block } {
  if (responseFormat === undefined || responseFormat.type === "text") return {};
  if (responseFormat.type === "json") return refuse("response_format", "This provider makes JSON only by a schema (json_schema)") ?? {};
  const schema = objectOf(responseFormat.schema) ?? {};
  const { description } = responseFormat;
  const described = description === undefined || schema["description"] !== undefined ? schema : { ...schema, description };
  return { format: { type: "json_schema", schema: described } };
}

/** https://platform.claude.com/docs/en/api/service-tiers; OpenAI's word for the standard tier is `default`. */
function tierOf(tier: string | undefined): string | undefined {
  if (tier === "auto") return "auto";
  return tier === "default" || tier === "standard" || tier === "standard_only" ? "standard_only" : undefined;
}

/** Whether the last turn answers calls that the model made without a sealed thought before them. */
function goesOnWithoutThought(turns: readonly Turn[]): boolean {
  const [asked, answered] = turns.slice(-2);
  if (asked?.role !== "assistant" || !answered?.content.some((block) => block["type"] === "tool_result")) return false;
  return !["thinking", "redacted_thinking"].includes(String(asked.content[0]?.["type"]));
}
