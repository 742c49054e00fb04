// Embeddings answers, both ways. openai-node reads floats where it had asked for base64 as an empty vector, in silence: what leaves
// is always in the format that was asked for. https://platform.openai.com/docs/api-reference/embeddings/object
import type { ChatEvent } from "../core/chat";
import { Failure } from "../core/failure";
import { usdNumber, usdText } from "../core/money";
import { mergeUsage, type Usage } from "../core/usage";
import { type JsonEdit, spliceJson } from "../wire/json-splice";
import type { AnswerContext, Deviations, Stamp } from "./dialect";
import { parseAnswer } from "./openai-chat-answer";
import { decodeUsage } from "./openai-chat-usage";
import { inFormat, isInFormat, readVector, type VectorFormat } from "./openai-embeddings-vector";
import { countOf, type JsonObject, objectOf, textOf } from "./provider-json";

type Embedding = Extract<ChatEvent, { type: "embedding" }>;

export function decodeEmbeddingsAnswer(body: string, deviations: Deviations = {}): ChatEvent[] {
  return eventsOf(parseAnswer(body), deviations);
}

/** A `list` of embeddings. Throws `upstream_error` where there is not one vector for each input. */
export function encodeEmbeddingsAnswer(events: readonly ChatEvent[], context: AnswerContext): string {
  const embeddings = checkedEmbeddings(events, context);
  const usage = usageIn(events);
  const stamp = context.stamp(usage);
  const known = usage ?? stamp.countedUsage;
  return JSON.stringify({
    object: "list",
    data: dataOf(embeddings, formatAsked(context)),
    model: context.model,
    usage: { ...tokensOf(known), ...(stamp.costUsd === undefined ? {} : { cost: usdNumber(stamp.costUsd) }) },
    ...(stamp.extension === undefined ? {} : { [context.extensionName]: stamp.extension }),
  });
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The provider's answer, spliced; its vectors are written again only where they are not in the format that was asked for. */
export function forwardEmbeddingsAnswer(
  bytes: Uint8Array,
  context: AnswerContext,
  deviations: Deviations = {},
): { bytes: Uint8Array; events: readonly ChatEvent[] } {
  const answer = parseAnswer(utf8.decode(bytes));
  const events = eventsOf(answer, deviations);
  const embeddings = checkedEmbeddings(events, context);
  const format = formatAsked(context);
  const edits: JsonEdit[] = [];
  if (!isPublishedShape(answer, format, deviations))
    edits.push({ op: "set", name: "data", value: JSON.stringify(dataOf(embeddings, format)) });
  if (answer["object"] !== "list") edits.push({ op: "set", name: "object", value: '"list"' });
  if (answer["model"] !== context.model) edits.push({ op: "set", name: "model", value: JSON.stringify(context.model) });
  const usage = usageIn(events);
  const stamp = context.stamp(usage);
  edits.push(...usageEdits(objectOf(answer["usage"]), usage, stamp));
  if (stamp.extension !== undefined) edits.push({ op: "set", name: context.extensionName, value: JSON.stringify(stamp.extension) });
  return { bytes: spliceJson(bytes, edits), events };
}

function eventsOf(answer: JsonObject, deviations: Deviations): ChatEvent[] {
  const { data } = answer;
  if (!Array.isArray(data)) throw new Failure("upstream_error", "The provider's answer is not a list of embeddings");
  const events: ChatEvent[] = [{ type: "start", id: textOf(answer["id"]), model: textOf(answer["model"]) }];
  for (const [place, raw] of data.entries()) {
    const item = objectOf(raw);
    events.push({ type: "embedding", index: countOf(item?.["index"]) ?? place, vector: readVector(item?.["embedding"], deviations) });
  }
  const said = objectOf(answer["usage"]);
  const usage = said && usageOf(said, deviations);
  if (usage) events.push({ type: "usage", usage });
  return events;
}

/** undefined: the input is not told. An embedding has no output, which is told by its being one. */
function usageOf(said: JsonObject, deviations: Deviations): Usage | undefined {
  const told = decodeUsage(said, undefined, deviations);
  const inputTokens = told.inputTokens ?? countOf(said["total_tokens"]);
  if (inputTokens === undefined) return undefined;
  return { ...told, inputTokens, outputTokens: 0 };
}

function usageIn(events: readonly ChatEvent[]): Usage | undefined {
  let usage: Usage | undefined;
  for (const event of events) if (event.type === "usage") usage = mergeUsage(usage, event.usage);
  return usage;
}

/** In the order of the inputs. */
function checkedEmbeddings(events: readonly ChatEvent[], { request }: AnswerContext): Embedding[] {
  const embeddings = events.filter((event) => event.type === "embedding").sort((a, b) => a.index - b.index);
  const asked = request.messages.length;
  if (embeddings.length !== asked || embeddings.some(({ index }, place) => index !== place)) {
    throw new Failure("upstream_error", `The provider's answer holds ${embeddings.length} vectors for ${asked} inputs`);
  }
  return embeddings;
}

const formatAsked = ({ request }: AnswerContext): VectorFormat => (request.rest["encoding_format"] === "base64" ? "base64" : "float");

const dataOf = (embeddings: readonly Embedding[], format: VectorFormat): object[] =>
  embeddings.map(({ index, vector }) => ({ object: "embedding", index, embedding: inFormat(vector, format) }));

/** Whether every vector can go to the caller as it came. */
function isPublishedShape(answer: JsonObject, format: VectorFormat, deviations: Deviations): boolean {
  const data = answer["data"] as readonly unknown[];
  return data.every((raw) => {
    const item = objectOf(raw);
    const vector = item?.["embedding"];
    if (item?.["object"] !== "embedding" || countOf(item["index"]) === undefined || !isInFormat(vector, format)) return false;
    return typeof vector !== "string" || deviations.vectors === undefined;
  });
}

/** The cost goes into the provider's usage; where that has no count of tokens, ours takes its place. */
function usageEdits(said: JsonObject | undefined, usage: Usage | undefined, stamp: Stamp): JsonEdit[] {
  // A decimal number as text: the amount never passes through a float.
  const cost = stamp.costUsd === undefined ? undefined : usdText(stamp.costUsd);
  if (said && countOf(said["prompt_tokens"]) !== undefined && countOf(said["total_tokens"]) !== undefined) {
    if (cost !== undefined) return [{ op: "set-inside", outer: "usage", name: "cost", value: cost }];
    const isOther = said["cost"] !== undefined && typeof said["cost"] !== "number";
    return isOther ? [{ op: "within", name: "usage", edits: [{ op: "remove", name: "cost" }] }] : [];
  }
  const members = Object.entries(tokensOf(usage ?? stamp.countedUsage)).map(([name, count]) => `"${name}":${count}`);
  if (cost !== undefined) members.push(`"cost":${cost}`);
  return [{ op: "set", name: "usage", value: `{${members.join(",")}}` }];
}

const tokensOf = (usage: Usage | undefined): Record<string, number> =>
  usage?.inputTokens === undefined ? {} : { prompt_tokens: usage.inputTokens, total_tokens: usage.inputTokens };
