// The neutral request → a Chat Completions request. Used where the caller speaks another dialect, or where bytes cannot be kept.
import type { ChatRequest, Media, Message, Part, ResponseFormat, Tool, ToolChoice } from "../core/chat";
import { Failure } from "../core/failure";
import type { EncodeContext, EncodedRequest } from "./dialect";
import { fitRequest } from "./field-table";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { encodeCall, mediaUrl } from "./openai-chat-message";
import { encodeReasoning } from "./openai-chat-reasoning";
import { placeAt } from "./request-path";

export const OPENAI_CHAT_PATH = "/chat/completions";

/** Every documented field has a place here; what other APIs call their own has none. */
const HONOURED: ReadonlySet<string> = new Set(Object.keys(OPENAI_CHAT_FIELDS));
const isPath = (name: string): boolean => name.startsWith("messages[") || name.startsWith("stream_options.");

type Json = Record<string, unknown>;

/** Throws `Failure` `unsupported_parameter` for what Chat Completions cannot say. */
export function encodeOpenaiChatRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const honours = new Set([...HONOURED, ...Object.keys(asked.rest).filter(isPath)]);
  const { request, ignored } = fitRequest(asked, OPENAI_CHAT_FIELDS, honours, { ...context, asWritten: true });
  const left = new Set(ignored);
  const body: Json = { model: context.model, messages: request.messages.flatMap((message) => encodeMessage(message, context, left)) };
  Object.assign(body, encodeSettings(request, context, left));
  for (const [name, value] of Object.entries(request.rest)) {
    if (!isPath(name)) body[name] = value;
    else if (!placeAt(body, name, value)) left.add(name);
  }
  if (request.stream) body["stream_options"] = { ...(body["stream_options"] as Json | undefined), include_usage: true };
  return { path: OPENAI_CHAT_PATH, body: JSON.stringify(body), headers: {}, ignored: [...left], maxOutputTokens: request.maxOutputTokens };
}

function encodeSettings(request: ChatRequest, context: EncodeContext, left: Set<string>): Json {
  const legacy = request.rest["functions"];
  const tools = Array.isArray(legacy) ? request.tools?.slice(0, -legacy.length || undefined) : request.tools;
  const settings: Json = {
    stream: request.stream || undefined,
    tools: tools && tools.length > 0 ? tools.map((tool) => encodeTool(tool, left)) : undefined,
    tool_choice: encodeChoice(request.toolChoice),
    parallel_tool_calls: request.parallelToolCalls,
    [context.deviations.maxTokensField ?? "max_completion_tokens"]: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    stop: request.stop,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    n: request.choices,
    logprobs: request.logprobs,
    top_logprobs: request.topLogprobs,
    response_format: encodeFormat(request.responseFormat),
    reasoning_effort: encodeEffort(request, context, left),
    user: request.user,
    metadata: request.metadata,
    service_tier: request.serviceTier,
  };
  for (const [name, value] of Object.entries(settings)) if (value === undefined) delete settings[name];
  return settings;
}

/** A budget in tokens has no place beside an effort's word. */
function encodeEffort({ reasoning }: ChatRequest, context: EncodeContext, left: Set<string>): string | undefined {
  if (reasoning?.summary !== undefined) left.add("reasoning.summary");
  if (reasoning?.budgetTokens !== undefined && reasoning.effort === undefined) {
    if (!context.dropUnsupported) {
      throw new Failure("unsupported_parameter", "The provider of this model takes a reasoning effort, not a budget in tokens", {
        param: "reasoning",
      });
    }
    left.add("reasoning");
  }
  return reasoning?.effort;
}

function encodeTool(tool: Tool, left: Set<string>): Json {
  if (tool.cache !== undefined) left.add("cache_control");
  const described: Json = { name: tool.name };
  if (tool.description !== undefined) described["description"] = tool.description;
  if (tool.parameters !== undefined) described["parameters"] = tool.parameters;
  if (tool.strict !== undefined) described["strict"] = tool.strict;
  return { type: "function", function: described };
}

const encodeChoice = (choice: ToolChoice | undefined): unknown =>
  typeof choice === "object" ? { type: "function", function: { name: choice.name } } : choice;

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

/** Results of tools are messages of their own here, whatever message they came in. */
function encodeMessage(message: Message, context: EncodeContext, left: Set<string>): Json[] {
  const results = message.parts.filter((part) => part.type === "tool-result");
  const others = message.parts.filter((part) => part.type !== "tool-result");
  const encoded: Json[] = results.map((result) => {
    if (result.isError) left.add("is_error");
    return { role: "tool", tool_call_id: result.callId, content: encodeContent(result.content) ?? "" };
  });
  if (others.length === 0 && results.length > 0) return encoded;
  const name = message.name === undefined ? {} : { name: message.name };
  if (message.role === "assistant") encoded.push({ role: "assistant", ...name, ...encodeAssistant(others, context, left) });
  else encoded.push({ role: message.role, ...name, content: encodeContent(others) ?? "" });
  return encoded;
}

function encodeAssistant(parts: readonly Part[], context: EncodeContext, left: Set<string>): Json {
  const fields: Json = {
    content: encodeContent(parts.filter((part) => part.type === "text" || part.type === "image" || part.type === "file")) ?? null,
  };
  const refusal = parts.flatMap((part) => (part.type === "refusal" ? [part.text] : []));
  if (refusal.length > 0) fields["refusal"] = refusal.join("");
  const takesReasoning = context.deviations.takesReasoning === true;
  const reasoning = encodeReasoning(parts);
  if (takesReasoning) Object.assign(fields, reasoning);
  else for (const name of Object.keys(reasoning)) left.add(name);
  for (const part of parts) {
    if (part.type === "audio" && part.media.kind === "id") fields["audio"] = { id: part.media.id };
  }
  const calls = parts.flatMap((part) =>
    part.type === "tool-call" ? [encodeCall(takesReasoning ? part : { ...part, signature: undefined }, [part.arguments])] : [],
  );
  if (calls.length > 0) fields["tool_calls"] = calls;
  return fields;
}

/** One text is a string; anything more is a list. undefined: nothing is said. */
function encodeContent(parts: readonly Part[]): string | Json[] | undefined {
  const [first] = parts;
  if (!first) return undefined;
  return parts.length === 1 && first.type === "text" ? first.text : parts.map(encodePart);
}

function encodePart(part: Part): Json {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "refusal", refusal: part.text };
    case "image":
      return {
        type: "image_url",
        image_url: { url: mediaUrl(withPlace(part.media)), ...(part.detail === undefined ? {} : { detail: part.detail }) },
      };
    case "audio":
      if (part.media.kind !== "base64") throw noPlace("audio by address");
      return {
        type: "input_audio",
        input_audio: { data: part.media.data, format: part.format ?? part.media.mediaType.replace(/^audio\//, "") },
      };
    case "file": {
      const name = part.name === undefined ? {} : { filename: part.name };
      if (part.media.kind === "id") return { type: "file", file: { ...name, file_id: part.media.id } };
      return { type: "file", file: { ...name, file_data: mediaUrl(part.media) } };
    }
    case "reasoning":
    case "redacted-reasoning":
    case "tool-call":
    case "tool-result":
      throw noPlace(`a ${part.type} in this message`);
  }
}

function withPlace(media: Media): Media {
  if (media.kind === "id") throw noPlace("an image by file id");
  return media;
}

const noPlace = (what: string): Failure =>
  new Failure("unsupported_parameter", `The provider of this model does not take ${what}`, { param: "messages" });
