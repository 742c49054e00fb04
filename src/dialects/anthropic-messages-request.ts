// A caller's Messages request → the neutral one. What has no place there is kept by name, for the field table to judge.
// https://platform.claude.com/docs/en/api/messages/create
import { z } from "zod";
import type { ChatRequest, Reasoning, ResponseFormat } from "../core/chat";
import { keepOthers, type Rest } from "./anthropic-messages-block-decode";
import { decodeConversation } from "./anthropic-messages-content";
import { BETA_HEADER, VERSION_HEADER } from "./anthropic-messages-fields";
import { namesOf } from "./anthropic-messages-names";
import { decodeToolChoice, decodeTools } from "./anthropic-messages-tools";
import type { DecodedRequest } from "./dialect";
import type { JsonObject } from "./provider-json";
import { check } from "./request-check";

const Format = z.looseObject({ type: z.string(), schema: z.looseObject({}).nullish() });

const Countable = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.unknown()).min(1),
  system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  service_tier: z.string().nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.int().min(1).nullish(), display: z.string().nullish() }).nullish(),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(["auto", "any", "tool", "none"]),
      name: z.string().nullish(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  output_config: z.looseObject({ effort: z.string().nullish(), format: Format.nullish() }).nullish(),
  output_format: Format.nullish(),
});
/** 0 only warms the prompt cache. */
const Body = Countable.extend({ max_tokens: z.int().min(0) });
type Body = z.infer<typeof Countable>;

/** Top-level fields that are read; every other one goes to `rest`. */
const READ: ReadonlySet<string> = new Set(Object.keys(Body.shape));

/** Reads a parsed body. `headers`: the version and the betas, any of each. Throws `Failure` with the field's path in `param`. */
export function decodeAnthropicRequest(json: unknown, headers: Readonly<Record<string, string>> = {}): DecodedRequest {
  const { max_tokens: limit, ...body } = check(Body, json);
  return decodeBody(body, json as JsonObject, headers, limit);
}

/** As `decodeAnthropicRequest`, for a request that is only counted: it has no limit, and nothing comes of it. */
export function decodeCountRequest(json: unknown, headers: Readonly<Record<string, string>> = {}): DecodedRequest {
  const decoded = decodeBody(check(Countable, json), json as JsonObject, headers, 0);
  return { ...decoded, request: { ...decoded.request, stream: false } };
}

function decodeBody(body: Body, fields: JsonObject, headers: Readonly<Record<string, string>>, limit: number): DecodedRequest {
  const rest: Rest = Object.create(null);
  for (const name of Object.keys(fields)) if (!READ.has(name)) rest[name] = fields[name];
  for (const name of [VERSION_HEADER, BETA_HEADER]) if (headers[name] !== undefined) rest[name] = headers[name];
  const { messages, places } = decodeConversation(body.system, body.messages, rest);
  const { tools, hostedTools } = decodeTools(body.tools, rest);
  if (body.metadata) keepOthers(body.metadata, ["user_id"], "metadata", rest);
  const request: ChatRequest = {
    model: body.model,
    messages,
    stream: body.stream ?? false,
    tools,
    hostedTools,
    toolChoice: decodeToolChoice(body.tool_choice, tools, rest),
    parallelToolCalls: body.tool_choice?.disable_parallel_tool_use ? false : undefined,
    maxOutputTokens: limit,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: body.top_k ?? undefined,
    stop: body.stop_sequences ?? undefined,
    responseFormat: decodeFormat(body, rest),
    reasoning: decodeThinking(body, rest),
    user: body.metadata?.user_id ?? undefined,
    serviceTier: body.service_tier === "standard_only" ? "default" : (body.service_tier ?? undefined),
    rest,
  };
  const reasoning = body.thinking ? "thinking" : "output_config.effort";
  const format = body.output_config?.format ? "output_config.format" : "output_format";
  // Usage is part of every answer.
  return { request, includeUsage: true, nameOf: namesOf({ places, rest, reasoning, format }) };
}

/** OpenAI's dialects demand a name for a schema. */
const FORMAT_NAME = "response";

function decodeFormat(body: Body, rest: Rest): ResponseFormat | undefined {
  const format = body.output_config?.format ?? body.output_format;
  if (!format) return undefined;
  if (format.type === "json_schema" && format.schema) return { type: "json-schema", name: FORMAT_NAME, schema: format.schema };
  rest[body.output_config?.format ? "output_config.format" : "output_format"] = format;
  return undefined;
}

/** `thinking` and `output_config.effort`, which steers models that choose themselves how much they think. */
function decodeThinking({ thinking, output_config: config }: Body, rest: Rest): Reasoning | undefined {
  if (config) keepOthers(config, ["effort", "format"], "output_config", rest);
  const effort = config?.effort ?? undefined;
  if (!thinking) return effort === undefined ? undefined : { effort };
  keepOthers(thinking, ["type", "budget_tokens", "display"], "thinking", rest);
  const summary = thinking.display ?? undefined;
  switch (thinking.type) {
    case "enabled":
      return { effort, budgetTokens: thinking.budget_tokens ?? undefined, summary };
    case "adaptive":
      return { effort, adaptive: true, summary };
    case "disabled":
      if (effort !== undefined) rest["output_config.effort"] = effort;
      return { effort: "none" };
    default:
      rest["thinking.type"] = thinking.type;
      return effort === undefined ? undefined : { effort };
  }
}
