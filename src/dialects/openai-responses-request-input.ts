// The input of a Responses request: items → messages. What the model said in one turn (thoughts, text, calls) comes as items of
// their own and becomes one message. https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
import { z } from "zod";
import type { HostedTool, Message, Part, Role } from "../core/chat";
import { Failure } from "../core/failure";
import { type ContentPart, decodeContent } from "./openai-responses-request-parts";
import { AnyTool, decodeTools } from "./openai-responses-request-tools";
import { check } from "./request-check";
import { isEnvelope, openSeal } from "./sealed-envelope";

/** Where a message stands in the caller's request. */
export interface MessagePlace {
  /** Its text or its list of parts ("input[2].content"). */
  content: string;
  /** Each part, or each piece of a tool's result, in order. */
  parts: readonly string[];
  /** The first tool call. */
  call?: string | undefined;
}

export interface DecodedInput {
  messages: readonly Message[];
  /** One for each message. */
  places: readonly MessagePlace[];
  /** The provider's own tools that items bring along. */
  hosted: readonly HostedTool[];
  /** As in `ChatRequest`. */
  outside: string | undefined;
}

/** Collects what the neutral conversation has no place for. */
type Rest = Record<string, unknown>;

const Item = z.looseObject({ type: z.string().nullish(), role: z.string().nullish(), id: z.string().nullish() });
type Item = z.infer<typeof Item>;
const MessageItem = z.looseObject({ role: z.enum(["user", "assistant", "system", "developer"]), phase: z.unknown().optional() });
const Call = { call_id: z.string(), name: z.string(), namespace: z.string().nullish() };
const FunctionCall = z.looseObject({ ...Call, arguments: z.string() });
const CustomCall = z.looseObject({ ...Call, input: z.string() });
const Output = z.looseObject({ call_id: z.string(), name: z.string().nullish() });
const Thought = z.looseObject({ text: z.string().nullish() });
const Reasoning = z.looseObject({
  id: z.string().nullish(),
  summary: z.array(Thought).nullish(),
  content: z.array(Thought).nullish(),
  encrypted_content: z.string().nullish(),
});

/** What a provider's own tools did in an earlier turn. The text that followed tells what came of it. */
const HOSTED: ReadonlySet<string> = new Set([
  "web_search_call",
  "file_search_call",
  "code_interpreter_call",
  "image_generation_call",
  "mcp_call",
  "mcp_list_tools",
  "mcp_approval_request",
  "tool_search_call",
  "program",
  "program_output",
]);

/**
 * `instructions` become the first message. What has no place goes to `rest`: under its path ("input[3]") what the answer cannot
 * do without, under its path and type ("input[3]:web_search_call") what it can. Throws `Failure` with the path in `param`.
 */
export function decodeInput(
  input: unknown,
  instructions: string | undefined,
  rest: Rest,
  recall: (id: string) => unknown = () => undefined,
): DecodedInput {
  const conversation = new Conversation();
  if (instructions) conversation.add("system", [{ part: { type: "text", text: instructions }, at: "instructions" }], "instructions");
  if (typeof input === "string") conversation.add("user", [{ part: { type: "text", text: input }, at: "input" }], "input");
  else if (Array.isArray(input)) {
    for (const [index, raw] of input.entries()) {
      const at = `input[${index}]`;
      const item = check(Item, raw, at);
      const meant = recalled(item, recall);
      if (meant !== item) conversation.outside ??= at;
      addItem(meant, at, conversation, rest);
    }
  }
  const { messages, places, hosted, outside } = conversation;
  return { messages, places, hosted, outside };
}

class Conversation {
  readonly messages: { role: Role; parts: Part[] }[] = [];
  readonly places: { content: string; parts: string[]; call?: string }[] = [];
  /** Seals of tool calls, by the call's id: they come in an item of their own before the call. */
  readonly seals = new Map<string, string>();
  readonly hosted: HostedTool[] = [];
  outside: string | undefined;

  add(role: Role, content: readonly ContentPart[], at: string): void {
    this.messages.push({ role, parts: content.map(({ part }) => part) });
    this.places.push({ content: at, parts: content.map((each) => each.at) });
  }

  /** Goes on with the model's turn, or begins it. */
  say(content: readonly ContentPart[], at: string): void {
    const [message, place] = [this.messages.at(-1), this.places.at(-1)];
    if (message?.role === "assistant" && place) {
      message.parts.push(...content.map(({ part }) => part));
      place.parts.push(...content.map((each) => each.at));
    } else this.add("assistant", content, at);
  }

  call(part: Extract<Part, { type: "tool-call" }>, at: string): void {
    const signature = this.seals.get(part.id);
    this.say([{ part: signature === undefined ? part : { ...part, signature }, at }], at);
    const place = this.places.at(-1);
    if (place) place.call ??= at;
  }

  answer(callId: string, name: string | undefined, content: readonly ContentPart[], at: string): void {
    this.messages.push({ role: "tool", parts: [{ type: "tool-result", callId, name, content: content.map(({ part }) => part) }] });
    this.places.push({ content: at, parts: content.map((each) => each.at) });
  }
}

/** The item that a reference names, where it is one that this gateway has written; else the reference itself. */
function recalled(item: Item, recall: (id: string) => unknown): Item {
  const isReference = item.type === "item_reference" || (!item.type && !item.role);
  const found = isReference && item.id ? Item.safeParse(recall(item.id)) : undefined;
  return found?.success ? found.data : item;
}

function addItem(item: Item, at: string, conversation: Conversation, rest: Rest): void {
  switch (item.type ?? (item.role ? "message" : undefined)) {
    case "message":
      addMessage(item, at, conversation, rest);
      return;
    case "reasoning":
      addReasoning(item, at, conversation, rest);
      return;
    case "function_call":
    case "custom_tool_call":
      conversation.call(callOf(item, at), at);
      return;
    case "function_call_output":
    case "custom_tool_call_output": {
      const { call_id: callId, name } = check(Output, item, at);
      conversation.answer(callId, name ?? undefined, saying(decodeContent(item["output"], `${at}.output`, rest)), `${at}.output`);
      return;
    }
    case undefined:
      // A reference needs no type.
      if (!item.id) throw new Failure("missing_required_parameter", `Missing required parameter: '${at}.type'.`, { param: `${at}.type` });
      rest[at] = item;
      return;
    case "additional_tools":
    case "tool_search_output":
      conversation.hosted.push(...hostedIn(item["tools"], `${at}.tools`));
      rest[item.type === "additional_tools" ? at : `${at}:${item.type}`] = item;
      return;
    default:
      rest[item.type && HOSTED.has(item.type) ? `${at}:${item.type}` : at] = item;
  }
}

/** Tools that an item brings are the request's own from there on: those that the provider runs are billed all the same. */
const hostedIn = (tools: unknown, at: string): readonly HostedTool[] =>
  tools === null || tools === undefined ? [] : decodeTools(check(Tools, tools, at), at).hosted;
const Tools = z.array(AnyTool);

function callOf(item: Item, at: string): Extract<Part, { type: "tool-call" }> {
  if (item.type === "custom_tool_call") {
    const { call_id: id, name, namespace, input } = check(CustomCall, item, at);
    return { type: "tool-call", id, name, namespace: namespace ?? undefined, arguments: input, custom: true };
  }
  const { call_id: id, name, namespace, arguments: text } = check(FunctionCall, item, at);
  return { type: "tool-call", id, name, namespace: namespace ?? undefined, arguments: text };
}

function addMessage(item: Item, at: string, conversation: Conversation, rest: Rest): void {
  const { role, phase } = check(MessageItem, item, at);
  // A label that OpenAI's own models like to have back. Named once, however many messages carry it.
  if (phase !== null && phase !== undefined) rest["input.phase"] = phase;
  const place = `${at}.content`;
  if (role !== "assistant") conversation.add(role, decodeContent(item["content"], place, rest), place);
  else if (item["content"] !== null && item["content"] !== undefined) {
    const said = saying(decodeContent(item["content"], place, rest));
    if (said.length > 0) conversation.say(said, place);
  }
}

/** Without texts of no length, which providers refuse. */
const saying = (content: readonly ContentPart[]): ContentPart[] => content.filter(({ part }) => part.type !== "text" || part.text !== "");

/** Thoughts, with whose they are. What says nothing and is sealed by nobody can only be known to who stored it. */
function addReasoning(item: Item, at: string, conversation: Conversation, rest: Rest): void {
  const { id, summary, content, encrypted_content: sealed } = check(Reasoning, item, at);
  const seal = sealed ? openSeal(sealed) : undefined;
  if (seal?.call !== undefined) {
    if (seal.signature !== undefined) conversation.seals.set(seal.call, seal.signature);
    return;
  }
  // A foreign thought was written as one piece, and its seal is good for exactly that text.
  const text = textOf(summary, seal ? "" : "\n\n") || textOf(content, "") || seal?.text || "";
  if (seal?.data !== undefined) {
    conversation.say([{ part: { type: "redacted-reasoning", data: seal.data, from: seal.from, id: seal.id }, at }], at);
  } else if (seal) {
    conversation.say([{ part: { type: "reasoning", text, signature: seal.signature, from: seal.from, id: seal.id }, at }], at);
  } else if (sealed && !isEnvelope(sealed)) {
    const own = { type: "reasoning", text, signature: sealed, from: "openai-responses", id: id ?? undefined } as const;
    conversation.say([{ part: own, at }], at);
  } else if (text !== "") {
    // Whoever stored the thought knows all of it by its id, of which this may be a summary.
    if (id) conversation.outside ??= at;
    conversation.say([{ part: { type: "reasoning", text }, at }], at);
  } else rest[`${at}:reasoning`] = item;
}

const textOf = (thoughts: readonly z.infer<typeof Thought>[] | null | undefined, between: string): string =>
  (thoughts ?? []).flatMap(({ text }) => text ?? []).join(between);
