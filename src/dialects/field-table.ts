// What happens to a request's field at a target that has no place for it: a meaning is refused by name, a hint is left out
// and named. Nothing is dropped in silence (product.md, Response rules).
import { TOLLWAY } from "../core/brand";
import type { ChatRequest, Part } from "../core/chat";
import { Failure } from "../core/failure";

export type FieldKind =
  /** It changes what the answer is. */
  | "meaning"
  /** The answer is as good without it. */
  | "hint"
  /** Meant for a gateway: never goes to a provider. */
  | "gateway";

export interface FieldRow {
  kind: FieldKind | ((value: unknown) => FieldKind);
  /** Values that say what is so anyway. null, empty lists and empty objects are neutral unless this says otherwise. */
  neutral?: (value: unknown) => boolean;
  /** A gateway's field that does what it says here, and so is not named among the ignored ones. */
  done?: boolean;
}

export type FieldTable = Readonly<Record<string, FieldRow>>;

export interface FieldContext {
  /** Fields that the provider refuses. */
  unsupported: readonly string[];
  /** True: a meaning without a place is dropped and named, not refused. */
  dropUnsupported: boolean;
  /** The key of our own object in bodies. Absent: "tollway". */
  extensionName?: string | undefined;
  /** The target speaks Chat Completions: it has a place for what the neutral request holds only as it was written, in `rest`. */
  asWritten?: true | undefined;
  /** The caller's dialect: its table says what the fields in `rest` are. Absent: Chat Completions. */
  caller?: { readonly name: string; readonly fields: FieldTable } | undefined;
}

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** What to do with one field that is there. */
export type Verdict = "send" | "omit" | "omit-and-name";

/**
 * The verdict on one field. `honoured`: the target's dialect has a place for it (every field, where the dialect is the caller's
 * own). Throws `Failure` `unsupported_parameter` for a meaning without a place.
 */
export function judgeField(table: FieldTable, name: string, value: unknown, honoured: boolean, context: FieldContext): Verdict {
  if (name === (context.extensionName ?? TOLLWAY.namespace)) return "omit";
  const row = table[name];
  const kind = kindOf(row, name, value);
  if (kind === "gateway") return row?.done || isNeutral(row, value) ? "omit" : "omit-and-name";
  if (honoured && !context.unsupported.includes(name)) return "send";
  if (isNeutral(row, value)) return "omit";
  if (kind === "meaning" && !context.dropUnsupported) {
    throw new Failure("unsupported_parameter", `The provider of this model does not support the parameter "${name}"`, { param: name });
  }
  return "omit-and-name";
}

/** A field that nobody documents is a hint, but a whole part of a message is what the caller said. */
function kindOf(row: FieldRow | undefined, name: string, value: unknown): FieldKind {
  if (!row) return PART_PATH.test(name) ? "meaning" : "hint";
  return typeof row.kind === "function" ? row.kind(value) : row.kind;
}

const PART_PATH = /^(?:messages\[\d+\]\.content|input)\[\d+\](?:\.content\[\d+\])?$/;

const isNeutral = (row: FieldRow | undefined, value: unknown): boolean =>
  value === null || value === undefined || (row?.neutral ? row.neutral(value) : isEmpty(value));

/** Where `ChatRequest` keeps a field, by the field's name in Chat Completions: the names that `unsupported` and `honours` use. */
const PROPERTIES = {
  tools: "tools",
  tool_choice: "toolChoice",
  parallel_tool_calls: "parallelToolCalls",
  max_completion_tokens: "maxOutputTokens",
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  stop: "stop",
  seed: "seed",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  n: "choices",
  logprobs: "logprobs",
  top_logprobs: "topLogprobs",
  response_format: "responseFormat",
  reasoning_effort: "reasoning",
  user: "user",
  metadata: "metadata",
  service_tier: "serviceTier",
} as const satisfies Readonly<Record<string, keyof ChatRequest>>;

const PROPERTY_ENTRIES = Object.entries(PROPERTIES);

/** Every field that the request has, by its name in Chat Completions (the caller's own name where it has no place there). */
export function presentFields(request: ChatRequest): (readonly [string, unknown])[] {
  const fields: (readonly [string, unknown])[] = [];
  for (const [name, property] of PROPERTY_ENTRIES) if (request[property] !== undefined) fields.push([name, request[property]]);
  const known = fields.length;
  for (const name of Object.keys(request.rest)) {
    if (!fields.some(([other], at) => at < known && other === name)) fields.push([name, request.rest[name]]);
  }
  return fields;
}

/** Stands for every cache mark on a message's part or a tool. */
const CACHE_CONTROL = "cache_control";

export interface FittedRequest {
  /** The request less what is left out. */
  request: ChatRequest;
  /** Names of what was left out, for `x-tollway-ignored`. */
  ignored: readonly string[];
}

/**
 * Fits a request to a dialect that honours only some fields, by their names in Chat Completions (with "cache_control" for
 * cache marks). Throws `Failure` `unsupported_parameter` that names the first meaning without a place.
 */
export function fitRequest(request: ChatRequest, table: FieldTable, honours: ReadonlySet<string>, context: FieldContext): FittedRequest {
  const fitted: Record<string, unknown> = { ...request };
  const rest: Record<string, unknown> = Object.create(null);
  const ignored: string[] = [];
  const asWritten = context.asWritten === true && (context.caller === undefined || context.caller.name === "openai-chat");
  const keeps = (fields: FieldTable, name: string, value: unknown, honoured: boolean): boolean => {
    const verdict = judgeField(fields, name, value, honoured, context);
    if (verdict === "omit-and-name" && !ignored.includes(name)) ignored.push(name);
    return verdict === "send";
  };
  for (const [name, property] of PROPERTY_ENTRIES) {
    const value = request[property];
    if (value !== undefined && !keeps(table, name, value, honours.has(name))) delete fitted[property];
  }
  for (const [name, value] of Object.entries(request.rest)) {
    // In `rest` a field with a place above is one that the place could not hold: custom tools, a choice among some.
    const honoured = honours.has(name) && (asWritten || !Object.hasOwn(PROPERTIES, name));
    if (keeps(context.caller?.fields ?? table, name, value, honoured)) rest[name] = value;
  }
  fitted["rest"] = rest;
  leaveHostedTools(request, ignored);
  if (!honours.has(CACHE_CONTROL) && hasCacheMarks(request)) ignored.push(CACHE_CONTROL);
  return { request: fitted as unknown as ChatRequest, ignored };
}

function hasCacheMarks(request: ChatRequest): boolean {
  const marked = (part: Part): boolean => "cache" in part && part.cache !== undefined;
  return request.messages.some(({ parts }) => parts.some(marked)) || (request.tools ?? []).some((tool) => tool.cache !== undefined);
}

/** Another dialect has no place for hosted tools. An unused one is a hint; a choice that forces one is in `rest`, and refused there. */
function leaveHostedTools(request: ChatRequest, ignored: string[]): void {
  for (const { at, type } of request.hostedTools ?? []) ignored.push(`${at}:${type}`);
}
