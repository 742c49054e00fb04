// Responses in and out: the provider's bytes go through, with three named splices (model, usage.cost, our object) and nothing
// else changed. The reader of events runs beside them as a meter.
import type { ChatEvent } from "../core/chat";
import { usdText } from "../core/money";
import { mergeUsage, type Usage } from "../core/usage";
import { type JsonEdit, spliceJson } from "../wire/json-splice";
import { type MemberSpan, objectSpan, stringText } from "../wire/json-walk";
import type { AnswerContext, DecodedRequest, DoorDialect, EncodeContext } from "./dialect";
import { type FieldTable, judgeField } from "./field-table";
import { tierEdits } from "./openai-chat-forward";
import { parseResponse, ResponsesReader } from "./openai-responses-answer";
import { OPENAI_RESPONSES_FIELDS } from "./openai-responses-fields";
import { encodeResponsesUsage } from "./openai-responses-usage";
import { itemsOf, type JsonObject, objectOf, parseJson, parseJsonExactly, textOf } from "./provider-json";
import { isEnvelope } from "./sealed-envelope";

export const RESPONSES_PATH = "/responses";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a provider's list of refused fields calls these fields: the names of Chat Completions. */
const NAMES: Readonly<Record<string, string>> = { max_output_tokens: "max_completion_tokens", reasoning: "reasoning_effort" };

/** The caller's bytes for the provider. Throws `Failure` `unsupported_parameter` for a meaning that the provider refuses. */
export function forwardResponsesRequest(
  bytes: Uint8Array,
  { request }: DecodedRequest,
  context: EncodeContext,
): ReturnType<DoorDialect["forwardRequest"]> {
  const table: FieldTable = context.caller?.fields ?? OPENAI_RESPONSES_FIELDS;
  const unsupported = [...context.unsupported];
  for (const [name, other] of Object.entries(NAMES)) if (context.unsupported.includes(other)) unsupported.push(name);
  const judging = { ...context, unsupported };
  const ignored: string[] = [];
  const edits: JsonEdit[] = [];
  for (const member of objectSpan(bytes)?.members ?? []) {
    const name = stringText(bytes, member.keyStart, member.keyEnd);
    if (name === "input") {
      edits.push(...foreignSeals(bytes, member, ignored));
      continue;
    }
    // Most values are not looked at: what a provider takes goes on whatever it says.
    const kind = table[name]?.kind;
    const matters = unsupported.includes(name) || kind === "gateway" || typeof kind === "function";
    const verdict = judgeField(table, name, matters ? jsonOf(bytes, member) : undefined, true, judging);
    if (verdict === "send") continue;
    edits.push({ op: "remove", name });
    if (verdict === "omit-and-name") ignored.push(name);
  }
  if (request.model !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  edits.push(...tierEdits(context));
  const { injectMaxOutputTokens: ours } = context;
  const limits = request.maxOutputTokens === undefined && ours !== undefined;
  if (limits) edits.push({ op: "set", name: "max_output_tokens", value: String(ours) });
  const maxOutputTokens = limits ? ours : request.maxOutputTokens;
  return { path: RESPONSES_PATH, bytes: spliceJson(bytes, edits), headers: {}, ignored, maxOutputTokens };
}

const jsonOf = (bytes: Uint8Array, member: MemberSpan): unknown =>
  parseJson(decoder.decode(bytes.subarray(member.valueStart, member.valueEnd)));

const ENVELOPE = encoder.encode('"tw1.');

/** Thoughts of another dialect's provider, in the envelope that this gateway gave them: nobody here could open their seals. */
function foreignSeals(bytes: Uint8Array, { valueStart, valueEnd }: MemberSpan, ignored: string[]): JsonEdit[] {
  const written = bytes.subarray(valueStart, valueEnd);
  if (Buffer.from(written.buffer, written.byteOffset, written.byteLength).indexOf(ENVELOPE) < 0) return [];
  const items = itemsOf(parseJsonExactly(decoder.decode(written)));
  const kept = items.filter((item, index) => {
    const object = objectOf(item);
    const foreign = object?.["type"] === "reasoning" && isEnvelope(textOf(object["encrypted_content"]) ?? "");
    if (foreign) ignored.push(`input[${index}]`);
    return !foreign;
  });
  return kept.length === items.length ? [] : [{ op: "set", name: "input", value: JSON.stringify(kept) }];
}

/** The edits that put model and stamp into a finished Response. Its own usage object stays, with our cost in it. */
export function answerEdits(response: JsonObject, usage: Usage | undefined, context: AnswerContext): JsonEdit[] {
  const stamp = context.stamp(usage);
  const edits = modelEdits(response, context);
  if (objectOf(response["usage"])) {
    // A decimal number as text: the amount never passes through a float.
    if (stamp.costUsd !== undefined) edits.push({ op: "set-inside", outer: "usage", name: "cost", value: usdText(stamp.costUsd) });
  } else {
    const written = encodeResponsesUsage(usage?.inputTokens === undefined ? stamp.countedUsage : usage, stamp.costUsd);
    if (written !== undefined) edits.push({ op: "set", name: "usage", value: JSON.stringify(written) });
  }
  if (stamp.extension !== undefined) edits.push({ op: "set", name: context.extensionName, value: JSON.stringify(stamp.extension) });
  return edits;
}

export const modelEdits = (response: JsonObject, { model }: AnswerContext): JsonEdit[] =>
  response["model"] === model ? [] : [{ op: "set", name: "model", value: JSON.stringify(model) }];

/** The provider's whole answer, spliced, and what the meter reads in it. */
export function forwardResponsesAnswer(bytes: Uint8Array, context: AnswerContext): { bytes: Uint8Array; events: readonly ChatEvent[] } {
  const response = parseResponse(decoder.decode(bytes));
  const events = new ResponsesReader().whole(response);
  let usage: Usage | undefined;
  for (const event of events) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  return { bytes: spliceJson(bytes, answerEdits(response, usage, context)), events };
}
