// Chat Completions in and out: the provider's bytes go through, with three named splices (model, usage.cost, our object) and
// nothing else changed. The reader of events runs beside them as a meter.
import type { ChatEvent, ChatRequest } from "../core/chat";
import { Failure } from "../core/failure";
import { usdText } from "../core/money";
import { mergeUsage, type Usage } from "../core/usage";
import { type JsonEdit, spliceJson } from "../wire/json-splice";
import { type MemberSpan, objectSpan, stringIs } from "../wire/json-walk";
import type { AnswerContext, DecodedRequest, Deviations, DoorDialect, EncodeContext } from "./dialect";
import { judgeField, presentFields, type Verdict } from "./field-table";
import { AnswerReader, parseAnswer } from "./openai-chat-answer";
import { Conformer } from "./openai-chat-conform";
import { OPENAI_CHAT_FIELDS } from "./openai-chat-fields";
import { messageEdits } from "./openai-chat-forward-messages";
import { OPENAI_CHAT_PATH } from "./openai-chat-request-encode";
import { encodeUsage } from "./openai-chat-usage";
import { type JsonObject, objectOf } from "./provider-json";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The caller's bytes for the provider. Throws `Failure` `unsupported_parameter` for a meaning that the provider refuses. */
export function forwardOpenaiChatRequest(
  bytes: Uint8Array,
  { request, includeUsage }: DecodedRequest,
  context: EncodeContext,
): ReturnType<DoorDialect["forwardRequest"]> {
  const { deviations } = context;
  refuseCustomTools(request, deviations);
  const ignored: string[] = [];
  const edits: JsonEdit[] = [];
  const sent = new Set<string>();
  for (const [name, value] of presentFields(request)) {
    const verdict: Verdict = judgeField(OPENAI_CHAT_FIELDS, name, value, true, context);
    if (verdict === "send") sent.add(name);
    else edits.push({ op: "remove", name });
    if (verdict === "omit-and-name") ignored.push(name);
  }
  if (request.model !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  if (deviations.noStreamOptions) edits.push({ op: "remove", name: "stream_options" });
  else if (request.stream && !includeUsage) {
    edits.push({ op: "set-inside", outer: "stream_options", name: "include_usage", value: "true" });
  }
  edits.push(...limitEdits(request, context), ...tierEdits(context));
  if (deviations.seedField && sent.has("seed")) edits.push(...renamed(bytes, "seed", deviations.seedField));
  const fitted = messageEdits(bytes, request, deviations);
  // A field that is written again and one that is removed are never the same: a refused `tools` list is not looked into.
  const removed = new Set(edits.flatMap((edit) => (edit.op === "remove" ? [edit.name] : [])));
  edits.push(...fitted.edits.filter((edit) => edit.op !== "set" || !removed.has(edit.name)));
  ignored.push(...fitted.ignored);
  return {
    path: OPENAI_CHAT_PATH,
    bytes: spliceJson(bytes, edits),
    headers: {},
    ignored,
    maxOutputTokens: request.maxOutputTokens ?? context.injectMaxOutputTokens,
  };
}

/** The member under another name, with its digits as they came. */
function renamed(bytes: Uint8Array, from: string, to: string): JsonEdit[] {
  const member = memberOf(bytes, from);
  if (!member) return [];
  return [
    { op: "remove", name: from },
    { op: "set", name: to, value: decoder.decode(bytes.subarray(member.valueStart, member.valueEnd)) },
  ];
}

/** What such a tool is called with comes back as a function's arguments, which bytes that are passed on cannot turn back. */
function refuseCustomTools({ tools = [] }: ChatRequest, { functionToolsOnly }: Deviations): void {
  if (!functionToolsOnly) return;
  const index = tools.findIndex(({ custom }) => custom !== undefined);
  if (index === -1) return;
  throw new Failure("unsupported_parameter", "The provider of this model takes function tools only", { param: `tools[${index}]` });
}

/**
 * A provider that reads only the older name of the limit gets it under that name: unread, it would be no limit. A model that we
 * chose gets the newer one: reasoning models refuse the older.
 */
function limitEdits(request: ChatRequest, context: EncodeContext): JsonEdit[] {
  const { injectMaxOutputTokens: ours, deviations } = context;
  if (request.maxOutputTokens === undefined && ours !== undefined) {
    return [{ op: "set", name: deviations.maxTokensField ?? "max_completion_tokens", value: String(ours) }];
  }
  const value = String(request.maxOutputTokens);
  const wanted = deviations.maxTokensField ?? (context.routed === true ? "max_completion_tokens" : undefined);
  if (request.maxOutputTokens === undefined || wanted === undefined) return [];
  const other = wanted === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  return [
    { op: "remove", name: other },
    { op: "set", name: wanted, value },
  ];
}

/** What the caller left to the provider's settings, which may be a dearer tier. */
export const tierEdits = ({ injectServiceTier: tier }: EncodeContext): JsonEdit[] =>
  tier === undefined ? [] : [{ op: "set", name: "service_tier", value: JSON.stringify(tier) }];

/** The edits that put the stamp into an answer or a chunk. `usageText`: the provider's usage object where it stood elsewhere. */
export function stampEdits(holder: JsonObject, usage: Usage | undefined, context: AnswerContext, usageText?: string): JsonEdit[] {
  const stamp = context.stamp(usage);
  // A decimal number as text: the amount never passes through a float.
  const cost = stamp.costUsd === undefined ? undefined : usdText(stamp.costUsd);
  const edits: JsonEdit[] = [];
  if (objectOf(holder["usage"])) {
    if (cost !== undefined) edits.push({ op: "set-inside", outer: "usage", name: "cost", value: cost });
  } else if (usageText !== undefined) {
    edits.push({ op: "set", name: "usage", value: cost === undefined ? usageText : withCost(usageText, cost) });
  } else {
    const written = encodeUsage(usage ?? stamp.countedUsage, stamp.costUsd);
    if (written !== undefined) edits.push({ op: "set", name: "usage", value: JSON.stringify(written) });
  }
  if (stamp.extension !== undefined) edits.push({ op: "set", name: context.extensionName, value: JSON.stringify(stamp.extension) });
  return edits;
}

const encoder = new TextEncoder();

const withCost = (usageText: string, cost: string): string =>
  decoder.decode(spliceJson(encoder.encode(usageText), [{ op: "set", name: "cost", value: cost }]));

/** undefined: the provider keeps to the published types, and its answers are not looked at. */
export function conformerOf(
  kind: "chat.completion" | "chat.completion.chunk",
  context: AnswerContext,
  deviations: Deviations,
): Conformer | undefined {
  if (!deviations.looseAnswers && !deviations.reasoningBesideCompletion && !deviations.audioBesidePrompt) return undefined;
  return new Conformer(kind, deviations, { id: `chatcmpl-${context.requestId}`, createdAt: context.createdAt, model: context.model });
}

/** The last member of that name of the object that the bytes hold. */
export const memberOf = (bytes: Uint8Array, name: string): MemberSpan | undefined =>
  objectSpan(bytes)?.members.findLast((member) => stringIs(bytes, member.keyStart, member.keyEnd, name));

/** The provider's whole answer, spliced, and what the meter reads in it. */
export function forwardOpenaiChatAnswer(
  bytes: Uint8Array,
  context: AnswerContext,
  deviations: Deviations = {},
): { bytes: Uint8Array; events: readonly ChatEvent[] } {
  const text = decoder.decode(bytes);
  const answer = parseAnswer(text);
  const reader = new AnswerReader(deviations, true);
  const events = reader.read(answer);
  if (!reader.finished) throw new Failure("upstream_error", "The provider's answer holds no finished choice");
  let usage: Usage | undefined;
  for (const event of events) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  const rewritten = conformerOf("chat.completion", context, deviations)?.apply(answer, text);
  const edits = stampEdits(answer, usage, context);
  if (answer["model"] !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  return { bytes: spliceJson(rewritten === undefined ? bytes : encoder.encode(rewritten), edits), events };
}
