// A neutral request → Gemini's generateContent: https://ai.google.dev/api/generate-content
import type { ChatRequest, ResponseFormat, Tool, ToolChoice } from "../core/chat";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { contentsOf } from "./gemini-contents";
import { thinkingConfigOf } from "./gemini-thinking";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import type { JsonObject } from "./provider-json";
import { innerHints, openRefusals } from "./refusal";

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
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, HONOURED, context);
  const { refuse, dropped } = openRefusals(context.dropUnsupported);
  const { systemInstruction, contents } = contentsOf(request.messages, context.model, refuse);
  const thought = thinkingConfigOf(request.reasoning, context.model);
  const thinkingConfig = thought && "refused" in thought ? refuse("reasoning_effort", String(thought["refused"])) : thought;
  const tools = request.tools ?? [];
  const serviceTier = request.serviceTier === undefined ? undefined : TIER[request.serviceTier];
  const leftOut = request.serviceTier !== undefined && request.serviceTier !== "auto" && serviceTier === undefined ? ["service_tier"] : [];
  const generationConfig = said({ ...generationConfigOf(request), thinkingConfig });
  const body = said({
    systemInstruction,
    contents,
    tools: tools.length > 0 ? [{ functionDeclarations: tools.map(declarationOf) }] : undefined,
    toolConfig: toolConfigOf(request.toolChoice, tools.length > 0),
    generationConfig: Object.keys(generationConfig).length > 0 ? generationConfig : undefined,
    serviceTier,
  });
  const method = request.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  return {
    // The id may come from a caller (ids that the catalogue does not know go by their family), so it cannot reach another path.
    path: `/models/${encodeURIComponent(context.model)}:${method}`,
    body: JSON.stringify(body),
    headers: {},
    ignored: [...ignored, ...innerHints(request, false), ...leftOut, ...dropped],
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

const declarationOf = (tool: Tool): JsonObject =>
  said({ name: tool.name, description: tool.description, parametersJsonSchema: tool.parameters });

/**
 * https://ai.google.dev/gemini-api/docs/function-calling#function_calling_modes. Without tools, a choice other than a forced
 * one says nothing; a forced one is the provider's to refuse.
 */
function toolConfigOf(choice: ToolChoice | undefined, hasTools: boolean): JsonObject | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === "object") return { functionCallingConfig: { mode: "ANY", allowedFunctionNames: [choice.name] } };
  if (choice !== "required" && !hasTools) return undefined;
  const mode = { auto: "AUTO", none: "NONE", required: "ANY" } as const;
  return { functionCallingConfig: { mode: mode[choice] } };
}
