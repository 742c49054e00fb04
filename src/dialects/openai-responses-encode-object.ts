// The Response object: every field that OpenAI's and the Open Responses schema ask for, with what the caller asked for or the
// API's default. https://platform.openai.com/docs/api-reference/responses/object, https://www.openresponses.org/reference
import type { AnswerContext } from "./dialect";
import type { Json } from "./openai-responses-encode-items";
import { itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

/** What is the same in every object of one answer. */
export interface ResponseHead {
  id: string;
  /** Unix seconds. */
  createdAt: number;
}

/** How far the answer is. */
export interface ResponseState {
  status: "in_progress" | "completed" | "incomplete" | "failed";
  output: readonly Json[];
  /** Unix seconds; absent: not completed, or nobody looked at a clock. */
  completedAt?: number | undefined;
  incompleteReason?: "max_output_tokens" | "content_filter" | undefined;
  usage?: Json | undefined;
  /** The tier that served, in the provider's word. */
  serviceTier?: string | undefined;
}

/** https://platform.openai.com/docs/api-reference/responses/object#responses/object-service_tier */
const TIERS: ReadonlySet<string> = new Set(["default", "flex", "scale", "priority", "fast", "ultrafast"]);

export function responseObject(head: ResponseHead, state: ResponseState, context: AnswerContext): Json {
  const asked = context.asked;
  const or = <T>(name: string, unsaid: T): unknown => asked[name] ?? unsaid;
  return {
    id: head.id,
    object: "response",
    created_at: head.createdAt,
    status: state.status,
    background: false,
    completed_at: state.completedAt ?? null,
    error: null,
    incomplete_details: state.incompleteReason === undefined ? null : { reason: state.incompleteReason },
    instructions: or("instructions", null),
    max_output_tokens: or("max_output_tokens", null),
    max_tool_calls: or("max_tool_calls", null),
    model: context.model,
    output: state.output,
    parallel_tool_calls: or("parallel_tool_calls", true),
    presence_penalty: or("presence_penalty", 0),
    frequency_penalty: or("frequency_penalty", 0),
    previous_response_id: or("previous_response_id", null),
    prompt_cache_key: or("prompt_cache_key", null),
    reasoning: reasoningOf(objectOf(asked["reasoning"])),
    safety_identifier: or("safety_identifier", null),
    service_tier: tierOf(state.serviceTier, textOf(asked["service_tier"])),
    // Nothing can be fetched later, whatever was asked for.
    store: false,
    temperature: or("temperature", 1),
    text: textFieldOf(objectOf(asked["text"])),
    tool_choice: or("tool_choice", "auto"),
    tools: itemsOf(asked["tools"]).map(toolOf),
    top_logprobs: or("top_logprobs", 0),
    top_p: or("top_p", 1),
    truncation: or("truncation", "disabled"),
    usage: state.usage ?? null,
    user: or("user", null),
    metadata: or("metadata", {}),
  };
}

const reasoningOf = (asked: JsonObject | undefined): Json => ({
  ...asked,
  effort: asked?.["effort"] ?? null,
  summary: asked?.["summary"] ?? null,
});

const textFieldOf = (asked: JsonObject | undefined): Json => ({
  ...asked,
  format: asked?.["format"] ?? { type: "text" },
  verbosity: asked?.["verbosity"] ?? "medium",
});

/** A function's members are all there in an answer. */
function toolOf(tool: unknown): unknown {
  const asked = objectOf(tool);
  if (!asked || (asked["type"] ?? "function") !== "function") return tool;
  const { name, description = null, parameters = null, strict = null, ...others } = asked;
  return { ...others, type: "function", name, description, parameters, strict };
}

/** Other providers' words are not OpenAI's. Until it is known the wish is told. */
function tierOf(served: string | undefined, asked: string | undefined): string {
  if (served !== undefined) return TIERS.has(served) ? served : "default";
  return asked !== undefined && TIERS.has(asked) ? asked : "auto";
}
