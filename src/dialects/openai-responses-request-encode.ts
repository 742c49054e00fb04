// The neutral request → a Responses request. Nothing is stored at the provider: thoughts come back sealed, with the next turn.
// https://platform.openai.com/docs/api-reference/responses/create
import type { ChatRequest, Reasoning, ResponseFormat, Tool } from "../core/chat";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { RESPONSES_PATH } from "./openai-responses-forward";
import { InputWriter } from "./openai-responses-request-encode-input";
import { itemsOf, objectOf } from "./provider-json";
import { openRefusals, type Refuse, refuseNoAnswer } from "./refusal";
import { placeAt } from "./request-path";
import { asFunctionTool, losesGrammar, wireToolName } from "./tool-names";

type Json = Record<string, unknown>;

/** Fields with a place here, by their names in Chat Completions. */
const HONOURED: readonly string[] = [
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "logprobs",
  "top_logprobs",
  "response_format",
  "reasoning_effort",
  "user",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "verbosity",
];

/** What `reasoning.summary` may say. */
const SUMMARIES: ReadonlySet<string> = new Set(["auto", "concise", "detailed"]);
/** Other dialects' words for no summary, which is what comes unasked. */
const NO_SUMMARY: ReadonlySet<string> = new Set(["omitted", "none"]);

/** Throws `Failure` `unsupported_parameter` for what the Responses API cannot say. A limit below its least (16) is the provider's to refuse. */
export function encodeResponsesRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  refuseNoAnswer(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, honouredBy(asked, context), context);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const left = new Set(ignored);
  const input = new InputWriter(context, refuse, left).write(request.messages);
  const body: Json = { model: context.model, input, store: false, ...settingsOf(request, context, refuse, left) };
  for (const [name, value] of Object.entries(request.rest)) {
    if (name === "verbosity") body["text"] = { ...objectOf(body["text"]), verbosity: value };
    else if (name === "include") body["include"] = [...itemsOf(body["include"]), ...itemsOf(value)];
    else if (name !== "store" && !placeAt(body, name, value)) left.add(name);
  }
  return {
    path: RESPONSES_PATH,
    body: JSON.stringify(body),
    headers: {},
    ignored: [...left, ...dropped],
    maxOutputTokens: request.maxOutputTokens,
  };
}

/** Not storing is what is done anyway. A caller whose fields are this API's own gets all of them a place, at the top or by their path. */
function honouredBy({ rest }: ChatRequest, { caller }: EncodeContext): ReadonlySet<string> {
  const honoured = new Set(HONOURED);
  if (rest["store"] === false) honoured.add("store");
  if (caller?.name === "responses-at-chat") {
    for (const name of Object.keys(rest)) if (!name.startsWith("input") && name !== "store") honoured.add(name);
  }
  return honoured;
}

function settingsOf(request: ChatRequest, context: EncodeContext, refuse: Refuse, left: Set<string>): Json {
  const include = includeOf(request, context);
  const text = formatOf(request.responseFormat);
  const settings: Json = {
    stream: request.stream || undefined,
    tools: request.tools && request.tools.length > 0 ? toolsOf(request.tools, context, left) : undefined,
    tool_choice: choiceOf(request, context),
    parallel_tool_calls: request.parallelToolCalls,
    max_output_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_logprobs: request.topLogprobs,
    text: text && { format: text },
    reasoning: reasoningOf(request.reasoning, refuse),
    include: include.length > 0 ? include : undefined,
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
  };
  for (const [name, value] of Object.entries(settings)) if (value === undefined) delete settings[name];
  return settings;
}

/** Sealed thoughts are asked for where the model thinks: others refuse the wish ("Encrypted content is not supported with this model"). */
function includeOf({ reasoning, logprobs }: ChatRequest, { reasons }: EncodeContext): string[] {
  const thinks = reasons ?? (reasoning?.effort !== undefined && reasoning.effort !== "none");
  return [...(thinks ? ["reasoning.encrypted_content"] : []), ...(logprobs === true ? ["message.output_text.logprobs"] : [])];
}

function reasoningOf(reasoning: Reasoning | undefined, refuse: Refuse): Json | undefined {
  if (!reasoning) return undefined;
  const { effort, budgetTokens, summary } = reasoning;
  if (budgetTokens !== undefined && effort === undefined) {
    refuse("reasoning_effort", "The provider of this model takes a reasoning effort, not a budget in tokens");
  }
  const shown = summary === undefined || NO_SUMMARY.has(summary) ? undefined : SUMMARIES.has(summary) ? summary : "auto";
  if (effort === undefined && shown === undefined) return undefined;
  return { ...(effort === undefined ? {} : { effort }), ...(shown === undefined ? {} : { summary: shown }) };
}

function formatOf(format: ResponseFormat | undefined): Json | undefined {
  switch (format?.type) {
    case undefined:
      return undefined;
    case "text":
      return { type: "text" };
    case "json":
      return { type: "json_object" };
    case "json-schema": {
      const { type: _, ...described } = format;
      return { ...described, type: "json_schema" };
    }
  }
}

/** Tools of a group stand together, where its first one stood. */
function toolsOf(tools: readonly Tool[], context: EncodeContext, left: Set<string>): Json[] {
  const functionsOnly = context.deviations.functionToolsOnly === true;
  const groups = new Map<string, Json[]>();
  return tools.flatMap((tool): Json[] => {
    if (functionsOnly) {
      if (losesGrammar(tool)) left.add("tools.custom.format");
      return [toolOf({ ...asFunctionTool(tool), name: wireToolName(tool) })];
    }
    const { namespace } = tool;
    if (namespace === undefined) return [toolOf(tool)];
    const group = groups.get(namespace);
    if (group) {
      group.push(toolOf(tool));
      return [];
    }
    const opened = [toolOf(tool)];
    groups.set(namespace, opened);
    return [{ type: "namespace", name: namespace, description: namespace, tools: opened }];
  });
}

/** Unlike in Chat Completions, schemas are strict here unless the tool says otherwise. */
function toolOf({ name, description, parameters, strict, custom }: Tool): Json {
  const named = { name, ...(description === undefined ? {} : { description }) };
  if (!custom) return { type: "function", ...named, parameters: parameters ?? { type: "object", properties: {} }, strict: strict ?? false };
  const format = objectOf(custom.format);
  return { type: "custom", ...named, ...(format ? { format: grammarOf(format) } : {}) };
}

/** Chat Completions has an object of its own for what stands flat here. */
function grammarOf({ grammar, ...format }: Readonly<Record<string, unknown>>): Json {
  return { ...format, ...objectOf(grammar) };
}

function choiceOf({ toolChoice, tools }: ChatRequest, { deviations }: EncodeContext): unknown {
  if (typeof toolChoice !== "object") return toolChoice;
  const tool = tools?.find(({ name }) => name === toolChoice.name);
  if (deviations.functionToolsOnly === true) return { type: "function", name: tool ? wireToolName(tool) : toolChoice.name };
  return { type: tool?.custom ? "custom" : "function", name: toolChoice.name };
}
