// What errors of the Responses API mean: the object is Chat Completions', the names of fields are not.
// https://platform.openai.com/docs/guides/error-codes
import { Failure } from "../core/failure";
import type { HeaderView } from "../core/ports";
import type { ProviderError } from "./dialect";
import { decodeOpenaiChatError, failureInAnswer } from "./openai-chat-error";
import { type JsonObject, textOf } from "./provider-json";

/** Our names (Chat Completions') of what is called otherwise here. Deeper paths count items as they went out. */
const PARAM_OF_FIELD: Readonly<Record<string, string>> = {
  max_output_tokens: "max_completion_tokens",
  "reasoning.effort": "reasoning_effort",
  reasoning: "reasoning_effort",
  "text.format": "response_format",
  "text.verbosity": "verbosity",
  input: "messages",
  instructions: "messages",
};

/** `headers` are lower-case. `failure.param` has our name of the field, `failure.says.param` the provider's. */
export function decodeResponsesError(status: number, headers: HeaderView, body: string): ProviderError {
  const { failure, retry } = decodeOpenaiChatError(status, headers, body);
  const ours = paramOf(failure.param);
  return { failure: ours === failure.param ? failure : failure.with({ param: ours }), retry };
}

/** The name itself, or that of the nearest field around it ("text.format.schema", "input[2].content"). */
function paramOf(param: string | undefined): string | undefined {
  if (param === undefined) return undefined;
  for (const [name, ours] of Object.entries(PARAM_OF_FIELD)) if (isWithin(param, name)) return ours;
  return param;
}

const isWithin = (path: string, name: string): boolean => path === name || (path.startsWith(name) && /[.[]/.test(path[name.length] ?? ""));

/** The failure of an error object that came in a stream, or as a failed answer's `error`. */
export function failureInResponse(error: JsonObject): Failure {
  const failure = failureInAnswer({ error });
  // The API counts tokens only after it has begun its answer.
  if (textOf(error["code"]) !== "context_length_exceeded") return failure;
  return new Failure("context_length_exceeded", failure.message, { param: "messages", says: failure.says });
}
