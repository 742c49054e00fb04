// What of a caller's messages cannot go to a provider as it stands, though both speak Chat Completions: roles, ids, members and
// an order that the provider refuses. Only where something is wrong are the messages written again; every digit stays.
import type { ChatRequest } from "../core/chat";
import type { JsonEdit } from "../wire/json-splice";
import type { Deviations } from "./dialect";
import { callIdFor, isPlain } from "./openai-chat-call-ids";
import { BETWEEN_TURNS } from "./openai-chat-messages-encode";
import { itemsOf, type JsonObject, objectOf, parseJsonExactly, textOf } from "./provider-json";

type Json = Record<string, unknown>;

export interface MessageEdits {
  edits: readonly JsonEdit[];
  /** Names of what was left out. */
  ignored: readonly string[];
}

const NOTHING: MessageEdits = { edits: [], ignored: [] };
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Members of messages that every provider knows. `prefix` is Mistral's, who is the strictest. */
const KNOWN: ReadonlySet<string> = new Set(["role", "content", "tool_calls", "tool_call_id", "prefix"]);
const THINKING = ["reasoning_content", "reasoning"] as const;

export function messageEdits(bytes: Uint8Array, request: ChatRequest, deviations: Deviations): MessageEdits {
  if (!mayBreak(request, deviations)) return NOTHING;
  const body = objectOf(parseJsonExactly(decoder.decode(bytes)));
  const ignored = new Set<string>();
  const before = itemsOf(body?.["messages"]);
  const messages: unknown[] = [];
  let changed = false;
  for (const raw of before) {
    const message = objectOf(raw);
    const fitted = message ? fittedMessage(message, deviations, ignored) : raw;
    changed ||= fitted !== raw;
    if (deviations.noUserAfterTool && message?.["role"] === "user" && objectOf(messages.at(-1))?.["role"] === "tool") {
      messages.push(BETWEEN_TURNS);
      changed = true;
    }
    messages.push(fitted);
  }
  const edits: JsonEdit[] = changed ? [{ op: "set", name: "messages", value: JSON.stringify(messages) }] : [];
  const tools = deviations.strictMessages ? unmarked(body?.["tools"], ignored) : undefined;
  if (tools) edits.push({ op: "set", name: "tools", value: JSON.stringify(tools) });
  return { edits, ignored: [...ignored] };
}

/** Whether the messages are worth reading again. False for every provider that declares nothing. */
function mayBreak({ messages }: ChatRequest, deviations: Deviations): boolean {
  const { strictMessages, developerRole, toolCallIdLength: length, noUserAfterTool, takesReasoning } = deviations;
  if (strictMessages) return true;
  if (!developerRole && length === undefined && !noUserAfterTool && !takesReasoning) return false;
  return messages.some(
    ({ role, parts }, index) =>
      (developerRole !== undefined && role === "developer") ||
      (noUserAfterTool && role === "user" && messages[index - 1]?.role === "tool") ||
      parts.some(
        (part) =>
          (takesReasoning && part.type === "reasoning") ||
          (length !== undefined && part.type === "tool-call" && !isPlain(part.id, length)) ||
          (length !== undefined && part.type === "tool-result" && !isPlain(part.callId, length)),
      ),
  );
}

/** The same object where nothing is wrong with it. */
function fittedMessage(message: JsonObject, deviations: Deviations, ignored: Set<string>): JsonObject {
  const changes: Json = {};
  if (message["role"] === "developer" && deviations.developerRole) changes["role"] = deviations.developerRole;
  const callId = textOf(message["tool_call_id"]);
  if (callId !== undefined && callIdFor(callId, deviations) !== callId) changes["tool_call_id"] = callIdFor(callId, deviations);
  const calls = itemsOf(message["tool_calls"]);
  const fitted = calls.map((call) => fittedCall(call, deviations));
  if (fitted.some((call, index) => call !== calls[index])) changes["tool_calls"] = fitted;
  const content = deviations.strictMessages ? unmarked(message["content"], ignored) : undefined;
  if (content) changes["content"] = content;
  const thinking = deviations.takesReasoning ? renamedThinking(message, deviations) : undefined;
  if (Object.keys(changes).length === 0 && !thinking && !deviations.strictMessages) return message;
  const written = { ...(thinking ?? message), ...changes };
  const unknown = deviations.strictMessages ? unknownMembers(written, deviations) : [];
  if (Object.keys(changes).length === 0 && !thinking && unknown.length === 0) return message;
  for (const name of unknown) {
    // An empty member says nothing: OpenAI's own SDK writes `refusal: null` and `annotations: []` back.
    if (!isEmpty(written[name])) ignored.add(name === "name" ? "messages.name" : name);
    delete written[name];
  }
  return written;
}

function fittedCall(call: unknown, deviations: Deviations): unknown {
  const id = textOf(objectOf(call)?.["id"]);
  const fitted = id === undefined ? undefined : callIdFor(id, deviations);
  return fitted === id ? call : { ...objectOf(call), id: fitted };
}

const thinkingField = ({ reasoningField }: Deviations): string => reasoningField ?? "reasoning_content";

/** The message with its thinking under the name that the provider reads; undefined where there is none under another. */
function renamedThinking(message: JsonObject, deviations: Deviations): Json | undefined {
  const to = thinkingField(deviations);
  const from = THINKING.find((name) => name !== to);
  if (from === undefined || typeof message[from] !== "string" || typeof message[to] === "string") return undefined;
  const { [from]: thinking, ...others } = message;
  return { ...others, [to]: thinking };
}

/** What a strict provider would refuse. Thinking is kept where the provider reads it, a tool's name beside its result. */
const unknownMembers = (message: JsonObject, deviations: Deviations): string[] =>
  Object.keys(message).filter((name) => {
    if (KNOWN.has(name)) return message[name] === null && name !== "content";
    if (name === "name") return message["role"] !== "tool";
    return !deviations.takesReasoning || name !== thinkingField(deviations);
  });

const isEmpty = (value: unknown): boolean => value === null || value === "" || (Array.isArray(value) && value.length === 0);

/** Parts or tools less their cache marks; undefined where none has one. */
function unmarked(parts: unknown, ignored: Set<string>): unknown[] | undefined {
  if (!Array.isArray(parts) || !parts.some((part) => objectOf(part)?.["cache_control"] !== undefined)) return undefined;
  ignored.add("cache_control");
  return parts.map((part) => {
    const { cache_control: _, ...rest } = objectOf(part) ?? {};
    return objectOf(part) ? rest : part;
  });
}
