// How many input tokens a Messages request would have: https://platform.claude.com/docs/en/api/messages-count-tokens
// The request is a Messages request less what only matters to an answer; the answer is one number, and nothing is billed.
import type { ChatEvent, ChatRequest } from "../core/chat";
import { Failure } from "../core/failure";
import { encodeAnthropicFailure } from "./anthropic-messages-answer";
import { encodeAnthropicRequest } from "./anthropic-messages-encode";
import { decodeAnthropicError } from "./anthropic-messages-error";
import { ANTHROPIC_MESSAGES_FIELDS, BETA_HEADER, VERSION_HEADER } from "./anthropic-messages-fields";
import { forwardAnthropicRequest } from "./anthropic-messages-forward";
import { decodeCountRequest } from "./anthropic-messages-request";
import type { AnswerContext, DoorDialect, EncodeContext, EncodedRequest } from "./dialect";
import { countOf, objectOf, parseJson } from "./provider-json";

const PATH = "/messages/count_tokens";

/** The fields of a Messages body that a count takes: others are refused there. */
const COUNTED = ["model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"];

/** What of a request is counted: nothing that only steers the answer may make a count fail. `rest` keeps what stands in the conversation. */
export function countedPart(request: ChatRequest): ChatRequest {
  const { model, messages, tools, hostedTools, rest } = request;
  const kept = Object.entries(rest).filter(([name]) => /^(?:messages\[|system|tools\b)/.test(name));
  return { model, messages, tools, hostedTools, stream: false, rest: Object.fromEntries(kept) };
}

/** The events of a count. It is told as a call that used nothing, so that it is settled at nothing. */
export function countEvents(inputTokens: number | undefined): ChatEvent[] {
  if (inputTokens === undefined) throw new Failure("upstream_error", "The provider's answer is not a count of tokens");
  return [
    { type: "token-count", inputTokens },
    { type: "usage", usage: { inputTokens: 0, outputTokens: 0 } },
  ];
}

function encodeCountRequest(asked: ChatRequest, context: EncodeContext): EncodedRequest {
  const encoded = encodeAnthropicRequest(countedPart(asked), context);
  const body = objectOf(parseJson(encoded.body)) ?? {};
  const counted = COUNTED.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]] as const]));
  return { ...encoded, path: PATH, body: JSON.stringify(Object.fromEntries(counted)), maxOutputTokens: 0 };
}

const decodeCount = (body: string): ChatEvent[] => countEvents(countOf(objectOf(parseJson(body))?.["input_tokens"]));

/** The stamp is asked for all the same: it settles the call. The answer has no place for it. */
function settle(events: readonly ChatEvent[], context: AnswerContext): void {
  for (const event of events) if (event.type === "usage") context.stamp(event.usage);
}

function encodeCount(events: readonly ChatEvent[], context: AnswerContext): string {
  const count = events.find((event) => event.type === "token-count");
  if (!count) throw new Failure("upstream_error", "The provider's answer holds no count of tokens");
  settle(events, context);
  return JSON.stringify({ input_tokens: count.inputTokens });
}

const neverStreams = (): never => {
  throw new Error("A count of tokens is never a stream");
};

export const anthropicCountTokens: DoorDialect = {
  name: "anthropic-count-tokens",
  streamType: "application/json",
  fields: ANTHROPIC_MESSAGES_FIELDS,
  readsHeaders: [VERSION_HEADER, BETA_HEADER],
  requestIdHeader: "request-id",
  encodeRequest: encodeCountRequest,
  decodeResponse: decodeCount,
  openFramer: () => undefined,
  openStream: neverStreams,
  decodeError: decodeAnthropicError,
  decodeRequest: decodeCountRequest,
  encodeResponse: encodeCount,
  openEncoder: neverStreams,
  encodeFailure: encodeAnthropicFailure,
  forwardRequest: (bytes, request, context) => ({ ...forwardAnthropicRequest(bytes, request, context, PATH), maxOutputTokens: 0 }),
  forwardResponse(bytes, context) {
    const events = decodeCount(new TextDecoder().decode(bytes));
    settle(events, context);
    return { bytes, events };
  },
  openForwarder: neverStreams,
};
