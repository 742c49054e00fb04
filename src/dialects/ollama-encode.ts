// A neutral request → Ollama's chat: https://docs.ollama.com/api/chat
import type { ChatRequest, ResponseFormat, Tool } from "../core/chat";
import { answerSchema } from "./answer-schema";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { ollamaMessagesOf } from "./ollama-messages";
import { ollamaThinkingOf } from "./ollama-thinking";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { type JsonObject, objectOf } from "./provider-json";
import { innerHints, openRefusals, type Refuse, refuseNoAnswer } from "./refusal";
import { asFunctionTool, losesGrammar, wireToolName } from "./tool-names";

/** Ollama's own options, for callers who know them: https://docs.ollama.com/modelfile#valid-parameters-and-values */
const OWN_OPTIONS: readonly string[] = [
  "min_p",
  "mirostat",
  "mirostat_eta",
  "mirostat_tau",
  "num_ctx",
  "num_keep",
  "repeat_last_n",
  "repeat_penalty",
  "typical_p",
];

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
  "top_logprobs",
  "response_format",
  "reasoning_effort",
  "keep_alive",
  ...OWN_OPTIONS,
]);

export function encodeOllamaRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  refuseNoAnswer(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, HONOURED, context);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const messages = ollamaMessagesOf(request.messages, refuse);
  const { think, leftOut } = ollamaThinkingOf(request.reasoning, context.model, context.reasons);
  const tools = offeredTools(request, refuse);
  const options = optionsOf(request);
  const keepAlive = request.rest["keep_alive"];
  const body = said({
    model: context.model,
    messages,
    tools: tools.length > 0 ? tools.map(toolOf) : undefined,
    format: formatOf(request.responseFormat),
    think,
    logprobs: request.logprobs,
    top_logprobs: request.topLogprobs,
    keep_alive: keepAlive,
    options: Object.keys(options).length > 0 ? options : undefined,
    // Absent means true here.
    stream: request.stream,
  });
  return {
    path: "/api/chat",
    body: JSON.stringify(body),
    headers: {},
    ignored: [
      ...ignored,
      ...innerHints(request, false),
      ...(tools.some(losesGrammar) ? ["tools.custom.format"] : []),
      ...(leftOut ? ["reasoning_effort"] : []),
      ...dropped,
    ],
    maxOutputTokens: request.maxOutputTokens,
  };
}

/** The fields that were said. */
const said = (fields: JsonObject): JsonObject => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const optionsOf = (request: ChatRequest): JsonObject =>
  said({
    num_predict: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    stop: request.stop,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    ...Object.fromEntries(OWN_OPTIONS.map((name) => [name, request.rest[name]])),
  });

/** There is no choice here: the model calls what it likes of what it is offered. *None* can be had by offering nothing. */
function offeredTools({ tools = [], toolChoice }: ChatRequest, refuse: Refuse): readonly Tool[] {
  if (toolChoice === "none") return [];
  if (toolChoice === undefined || toolChoice === "auto") return tools;
  return refuse("tool_choice", "This provider cannot force a tool call") ?? tools;
}

function toolOf(tool: Tool): JsonObject {
  const { description, parameters } = asFunctionTool(tool);
  return {
    type: "function",
    function: said({ name: wireToolName(tool), description, parameters: objectOf(parameters) ?? { type: "object", properties: {} } }),
  };
}

function formatOf(format: ResponseFormat | undefined): unknown {
  if (format === undefined || format.type === "text") return undefined;
  return format.type === "json" ? "json" : answerSchema(format);
}
