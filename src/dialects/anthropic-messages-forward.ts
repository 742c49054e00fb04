// Messages in and out: bytes go through, with three named splices in answers (model, usage.cost, our object). In requests the
// model is set, and what is not the provider's is cut out: gateways' fields, and other providers' thoughts.
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { usdText } from "../core/money";
import { mergeUsage, type Usage } from "../core/usage";
import { type JsonEdit, spliceJson } from "../wire/json-splice";
import { parseMessage, readMessage } from "./anthropic-messages-decode";
import { ANTHROPIC_MESSAGES_FIELDS, BETA_HEADER, VERSION_HEADER } from "./anthropic-messages-fields";
import { withoutForeignThoughts } from "./anthropic-messages-foreign";
import { encodeAnthropicUsage } from "./anthropic-messages-usage";
import type { AnswerContext, DecodedRequest, DoorDialect, EncodeContext } from "./dialect";
import { type FieldTable, judgeField, presentFields, type Verdict } from "./field-table";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { type JsonObject, objectOf, textOf } from "./provider-json";

export const MESSAGES_PATH = "/messages";
/** Sent where the caller named no version. */
export const DEFAULT_VERSION = "2023-06-01";

/** Fields are judged by their names in Chat Completions where they have one; the caller's own come first. */
const FIELDS: FieldTable = { ...OPENAI_CHAT_FIELDS, ...ANTHROPIC_MESSAGES_FIELDS };

const inside = (name: string, inner: string): JsonEdit[] => [{ op: "within", name, edits: [{ op: "remove", name: inner }] }];

/** What to take out of a body for a field by its name in Chat Completions. */
const REMOVALS: Readonly<Record<string, readonly JsonEdit[]>> = {
  max_completion_tokens: [{ op: "remove", name: "max_tokens" }],
  stop: [{ op: "remove", name: "stop_sequences" }],
  reasoning_effort: [{ op: "remove", name: "thinking" }, ...inside("output_config", "effort")],
  response_format: [{ op: "remove", name: "output_format" }, ...inside("output_config", "format")],
  user: inside("metadata", "user_id"),
  parallel_tool_calls: inside("tool_choice", "disable_parallel_tool_use"),
};

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The caller's bytes for the provider. Throws `Failure` `unsupported_parameter` for a meaning that the provider refuses. */
export function forwardAnthropicRequest(
  bytes: Uint8Array,
  { request, nameOf = (name) => name }: DecodedRequest,
  context: EncodeContext,
  path = MESSAGES_PATH,
): ReturnType<DoorDialect["forwardRequest"]> {
  const ignored: string[] = [];
  const edits: JsonEdit[] = [];
  for (const [name, value] of presentFields(request)) {
    const verdict = judged(name, value, context, nameOf);
    if (verdict === "send") continue;
    edits.push(...(REMOVALS[name] ?? [{ op: "remove", name }]));
    if (verdict === "omit-and-name") ignored.push(nameOf(name));
  }
  if (request.model !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  const own = withoutForeignThoughts(edits.length === 0 ? bytes : spliceJson(bytes, merged(edits)));
  if (own.cut > 0) ignored.push("messages.thinking");
  const betas = textOf(request.rest[BETA_HEADER]);
  return {
    path,
    bytes: own.bytes,
    headers: {
      [VERSION_HEADER]: textOf(request.rest[VERSION_HEADER]) ?? DEFAULT_VERSION,
      ...(betas === undefined ? {} : { [BETA_HEADER]: betas }),
    },
    ignored,
    maxOutputTokens: request.maxOutputTokens,
  };
}

/** The verdict on a field; a refusal names it as the caller wrote it. */
function judged(name: string, value: unknown, context: EncodeContext, nameOf: (name: string) => string): Verdict {
  try {
    return judgeField(FIELDS, name, value, true, context);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    throw new Failure(thrown.code, `The provider of this model does not support the parameter "${nameOf(name)}"`, { param: nameOf(name) });
  }
}

/** Each name may be in one edit only: those within one member become one. */
function merged(edits: readonly JsonEdit[]): JsonEdit[] {
  const inner = new Map<string, JsonEdit[]>();
  const others: JsonEdit[] = [];
  for (const edit of edits) {
    if (edit.op === "within") inner.set(edit.name, [...(inner.get(edit.name) ?? []), ...edit.edits]);
    else others.push(edit);
  }
  return [...others, ...Array.from(inner, ([name, each]): JsonEdit => ({ op: "within", name, edits: each }))];
}

/** The edits that put cost and our object into what holds an answer's last `usage`: a message, or a `message_delta`. */
export function stampEdits(holder: JsonObject, usage: Usage | undefined, context: AnswerContext): JsonEdit[] {
  const stamp = context.stamp(usage);
  const edits: JsonEdit[] = [];
  if (objectOf(holder["usage"])) {
    // A decimal number as text: the amount never passes through a float.
    if (stamp.costUsd !== undefined) edits.push({ op: "set-inside", outer: "usage", name: "cost", value: usdText(stamp.costUsd) });
  } else if (usage || stamp.countedUsage) {
    // Our count holds what was told.
    const written = encodeAnthropicUsage(stamp.countedUsage ?? usage, stamp.costUsd);
    edits.push({ op: "set", name: "usage", value: JSON.stringify(written) });
  }
  if (stamp.extension !== undefined) edits.push({ op: "set", name: context.extensionName, value: JSON.stringify(stamp.extension) });
  return edits;
}

/** The provider's whole answer, spliced, and what the meter reads in it. */
export function forwardAnthropicAnswer(bytes: Uint8Array, context: AnswerContext): { bytes: Uint8Array; events: readonly ChatEvent[] } {
  const message = parseMessage(decoder.decode(bytes));
  const events = readMessage(message);
  let usage: Usage | undefined;
  for (const event of events) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  const edits = stampEdits(message, usage, context);
  if (message["model"] !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  return { bytes: spliceJson(bytes, edits), events };
}
