// A neutral request → Cohere's chat, version 2: https://docs.cohere.com/reference/chat
import type { ChatRequest, Tool } from "../core/chat";
import { answerSchema } from "./answer-schema";
import { cohereTurnsOf } from "./cohere-messages";
import { cohereThinkingOf, cohereThinks } from "./cohere-thinking";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { itemsOf, type JsonObject, objectOf } from "./provider-json";
import { innerHints, openRefusals, type Refuse, refuseNoAnswer } from "./refusal";
import { asFunctionTool, losesGrammar, wireToolName } from "./tool-names";

/** Cohere's own fields, for callers who know them: they go out as they came. */
const OWN_FIELDS: readonly string[] = ["citation_options", "documents", "priority", "safety_mode", "strict_tools"];

/** Fields with a place here, by their names in Chat Completions. One call at a time (`parallel_tool_calls: false`) cannot be asked for. */
const HONOURED: ReadonlySet<string> = new Set([
  "tools",
  "tool_choice",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "logprobs",
  "response_format",
  "reasoning_effort",
  ...OWN_FIELDS,
]);

export function encodeCohereRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  refuseNoAnswer(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, HONOURED, context);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const thinks = cohereThinks(context.model, context.reasons);
  const turns = cohereTurnsOf(request.messages, thinks, refuse);
  const thought = cohereThinkingOf(request.reasoning, thinks);
  const strict = takesStrictly(request.tools ?? []);
  const documents = [...itemsOf(request.rest["documents"]), ...turns.documents];
  const body = {
    model: context.model,
    messages: turns.messages,
    ...toolsOf(request),
    ...(strict ? { strict_tools: true } : {}),
    ...formatOf(request),
    ...samplingOf(request, refuse),
    ...(request.maxOutputTokens === undefined ? {} : { max_tokens: request.maxOutputTokens }),
    ...(request.stop === undefined ? {} : { stop_sequences: request.stop }),
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    ...(request.logprobs === undefined ? {} : { logprobs: request.logprobs }),
    ...(thought.thinking === undefined ? {} : { thinking: thought.thinking }),
    ...Object.fromEntries(OWN_FIELDS.flatMap((name) => (request.rest[name] === undefined ? [] : [[name, request.rest[name]]]))),
    ...(documents.length > 0 ? { documents } : {}),
    stream: request.stream,
  };
  return {
    path: "/v2/chat",
    body: JSON.stringify(body),
    headers: {},
    ignored: [
      ...ignored,
      // Pictures have a `detail` here too.
      ...innerHints(request, strict).filter((name) => name !== "image_url.detail"),
      ...((request.tools ?? []).some(losesGrammar) ? ["tools.custom.format"] : []),
      ...(thought.leftOut ? ["reasoning_effort"] : []),
      ...dropped,
    ],
    maxOutputTokens: request.maxOutputTokens,
  };
}

/**
 * A named tool cannot be forced, but one of a list of one can: the others are not offered. Without tools, a choice other than
 * a forced one says nothing; a forced one is the provider's to refuse.
 */
function toolsOf({ tools = [], toolChoice }: ChatRequest): JsonObject {
  const named = typeof toolChoice === "object" ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  const forced = toolChoice === "required" || typeof toolChoice === "object";
  return {
    ...(named.length > 0 ? { tools: named.map(toolOf) } : {}),
    ...(forced ? { tool_choice: "REQUIRED" } : {}),
    ...(toolChoice === "none" && tools.length > 0 ? { tool_choice: "NONE" } : {}),
  };
}

function toolOf(tool: Tool): JsonObject {
  const { description, parameters } = asFunctionTool(tool);
  return {
    type: "function",
    function: {
      name: wireToolName(tool),
      ...(description === undefined ? {} : { description }),
      parameters: objectOf(parameters) ?? { type: "object", properties: {} },
    },
  };
}

/** Strictness is one switch for all tools, and needs a required argument in each: https://docs.cohere.com/docs/structured-outputs#structured-outputs-tools */
const takesStrictly = (tools: readonly Tool[]): boolean =>
  tools.length > 0 && tools.every(({ strict, parameters }) => strict === true && itemsOf(objectOf(parameters)?.["required"]).length > 0);

function formatOf({ responseFormat }: ChatRequest): JsonObject {
  if (responseFormat === undefined || responseFormat.type === "text") return {};
  if (responseFormat.type === "json") return { response_format: { type: "json_object" } };
  return { response_format: { type: "json_object", json_schema: answerSchema(responseFormat) } };
}

const TOP_P_MIN = 0.01;
const TOP_P_MAX = 0.99;

/** Ranges are narrower than OpenAI's: "temperature must be between 0 and 1.0 inclusive", "presence_penalty must be between 0 and 1 inclusive". */
function samplingOf({ temperature, topP, topK, presencePenalty, frequencyPenalty }: ChatRequest, refuse: Refuse): JsonObject {
  const within = (name: string, field: string, value: number | undefined, least: number, most: number): JsonObject => {
    if (value === undefined) return {};
    if (value >= least && value <= most) return { [field]: value };
    return refuse(name, `This provider takes a ${name} from ${least} to ${most}`) ?? {};
  };
  // A penalty of 0 is none, and some models refuse to be told of both.
  const said = (penalty: number | undefined): number | undefined => (penalty === 0 ? undefined : penalty);
  // 1 means no limit. Left out it would mean 0.75 here, and 0.99 is the provider's word for it.
  const p = topP !== undefined && topP > TOP_P_MAX && topP <= 1 ? TOP_P_MAX : topP;
  return {
    ...within("temperature", "temperature", temperature, 0, 1),
    ...within("top_p", "p", p, TOP_P_MIN, TOP_P_MAX),
    ...within("top_k", "k", topK, 0, 500),
    ...within("presence_penalty", "presence_penalty", said(presencePenalty), 0, 1),
    ...within("frequency_penalty", "frequency_penalty", said(frequencyPenalty), 0, 1),
  };
}
