// A neutral request → Gemini's generateContent: https://ai.google.dev/api/generate-content
import type { ChatRequest, ResponseFormat, Tool, ToolChoice } from "../core/chat";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { contentsOf } from "./gemini-contents";
import { geminiThinkingOf } from "./gemini-thinking";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import type { JsonObject } from "./provider-json";
import { innerHints, openRefusals, refuseNoAnswer } from "./refusal";
import { asFunctionTool, losesGrammar, wireToolName } from "./tool-names";

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
  "n",
  "logprobs",
  "top_logprobs",
  "response_format",
  "reasoning_effort",
  "service_tier",
]);

/** OpenAI's words → Google's; the rest of OpenAI's has no tier here. https://ai.google.dev/gemini-api/docs/priority-inference */
const TIER: Readonly<Record<string, string>> = { default: "standard", standard: "standard", flex: "flex", priority: "priority" };

export function encodeGeminiRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  refuseNoAnswer(asked);
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, HONOURED, context);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const { systemInstruction, contents } = contentsOf(request.messages, context.model, refuse);
  const thought = geminiThinkingOf(request.reasoning, context.model, context.reasons);
  const tools = request.tools ?? [];
  const serviceTier = request.serviceTier === undefined ? undefined : TIER[request.serviceTier];
  const noTier = request.serviceTier !== undefined && request.serviceTier !== "auto" && serviceTier === undefined;
  const generationConfig = said({ ...generationConfigOf(request), thinkingConfig: thought.config });
  const body = said({
    systemInstruction,
    contents,
    tools: tools.length > 0 ? [{ functionDeclarations: tools.map(declarationOf) }] : undefined,
    toolConfig: toolConfigOf(request.toolChoice, tools),
    generationConfig: Object.keys(generationConfig).length > 0 ? generationConfig : undefined,
    serviceTier,
  });
  const method = request.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  return {
    // The id may come from a caller (ids that the catalogue does not know go by their family), so it cannot reach another path.
    path: `/models/${encodeURIComponent(context.model)}:${method}`,
    body: JSON.stringify(body),
    headers: {},
    ignored: [
      ...ignored,
      ...innerHints(request, false),
      ...(tools.some(losesGrammar) ? ["tools.custom.format"] : []),
      ...(thought.leftOut ? ["reasoning_effort"] : []),
      ...(noTier ? ["service_tier"] : []),
      ...dropped,
    ],
    maxOutputTokens: request.maxOutputTokens,
  };
}

/** The fields that were said. */
const said = (fields: JsonObject): JsonObject => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function generationConfigOf(request: ChatRequest): JsonObject {
  return {
    maxOutputTokens: request.maxOutputTokens,
    temperature: request.temperature,
    topP: request.topP,
    topK: request.topK,
    stopSequences: request.stop,
    seed: request.seed,
    presencePenalty: request.presencePenalty,
    frequencyPenalty: request.frequencyPenalty,
    candidateCount: request.choices,
    responseLogprobs: request.logprobs,
    logprobs: request.topLogprobs,
    ...formatOf(request.responseFormat),
  };
}

/** `responseJsonSchema` takes JSON Schema; the older `responseSchema` only a subset of OpenAPI's. */
function formatOf(format: ResponseFormat | undefined): JsonObject {
  if (format === undefined || format.type === "text") return {};
  if (format.type === "json") return { responseMimeType: "application/json" };
  return { responseMimeType: "application/json", responseJsonSchema: format.schema };
}

/** `parametersJsonSchema` takes JSON Schema whole; the older `parameters` only a subset of OpenAPI's. */
function declarationOf(tool: Tool): JsonObject {
  const { description, parameters } = asFunctionTool(tool);
  return said({ name: wireToolName(tool), description, parametersJsonSchema: parameters });
}

/**
 * https://ai.google.dev/gemini-api/docs/function-calling#function_calling_modes. Without tools, a choice other than a forced
 * one says nothing; a forced one is the provider's to refuse.
 */
function toolConfigOf(choice: ToolChoice | undefined, tools: readonly Tool[]): JsonObject | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === "object") {
    const chosen = wireToolName(tools.find(({ name }) => name === choice.name) ?? choice);
    return { functionCallingConfig: { mode: "ANY", allowedFunctionNames: [chosen] } };
  }
  if (choice !== "required" && tools.length === 0) return undefined;
  const mode = { auto: "AUTO", none: "NONE", required: "ANY" } as const;
  return { functionCallingConfig: { mode: mode[choice] } };
}
