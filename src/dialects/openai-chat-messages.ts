// The messages of a Chat Completions request: every role and part, legacy functions too.
// https://platform.openai.com/docs/api-reference/chat/create#chat_create-messages
import { z } from "zod";
import type { CacheHint, Media, Message, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { decodeReasoning } from "./openai-chat-reasoning";
import { objectOf } from "./provider-json";
import { check } from "./request-check";

export const CacheMark = z.looseObject({ type: z.string().nullish(), ttl: z.string().nullish() }).nullish();

/** `{type: "ephemeral", ttl: "1h"}` as OpenRouter and LiteLLM accept it; without a ttl the provider's default of five minutes. */
export function cacheHint(mark: z.infer<typeof CacheMark>): CacheHint | undefined {
  if (!mark) return undefined;
  return mark.ttl === "1h" ? "1h" : "5m";
}

const Base = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  name: z.string().nullish(),
  content: z.unknown().optional(),
});
const ROLES: ReadonlySet<unknown> = new Set(Base.shape.role.options);

/** What `Base` says, by hand: every message of every call is looked at, and the schema is asked only what is wrong with one. */
function isBase(item: unknown): item is z.infer<typeof Base> {
  const message = objectOf(item);
  return message !== undefined && ROLES.has(message["role"]) && (isNothing(message["name"]) || typeof message["name"] === "string");
}

const isNothing = (value: unknown): value is null | undefined => value === undefined || value === null;

const Assistant = z.looseObject({
  refusal: z.string().nullish(),
  audio: z.looseObject({ id: z.string() }).nullish(),
  tool_calls: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
  function_call: z.looseObject({ name: z.string(), arguments: z.string() }).nullish(),
});
const FunctionCall = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
  extra_content: z.looseObject({ google: z.looseObject({ thought_signature: z.string().nullish() }).nullish() }).nullish(),
});
const CustomCall = z.looseObject({ id: z.string(), custom: z.looseObject({ name: z.string(), input: z.string() }) });
const ToolResult = z.looseObject({ tool_call_id: z.string() });
const FunctionResult = z.looseObject({ name: z.string() });

const AnyPart = z.looseObject({ type: z.string() });
const TextOrParts = z.union([z.string(), z.array(AnyPart)]);
const TextPart = z.looseObject({ text: z.string(), cache_control: CacheMark });
const RefusalPart = z.looseObject({ refusal: z.string() });
const ImagePart = z.looseObject({
  image_url: z.union([z.string(), z.looseObject({ url: z.string(), detail: z.string().nullish() })]),
  cache_control: CacheMark,
});
const AudioPart = z.looseObject({ input_audio: z.looseObject({ data: z.string(), format: z.string() }) });
const FilePart = z.looseObject({
  file: z.looseObject({ file_data: z.string().nullish(), filename: z.string().nullish(), file_id: z.string().nullish() }),
  cache_control: CacheMark,
});

const PART_FIELDS: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "cache_control"],
  refusal: ["type", "refusal"],
  image_url: ["type", "image_url", "cache_control"],
  input_audio: ["type", "input_audio"],
  file: ["type", "file", "cache_control"],
};
const MESSAGE_FIELDS = ["role", "name", "content"];
const ASSISTANT_FIELDS = ["refusal", "audio", "tool_calls", "function_call", "reasoning_content", "reasoning", "reasoning_details"];
const ALL_ASSISTANT_FIELDS = [...MESSAGE_FIELDS, ...ASSISTANT_FIELDS];

/** Collects, by path, what the neutral conversation has no place for. */
type Rest = Record<string, unknown>;

/**
 * Chat Completions messages → neutral ones, one for one. What has no place there goes to `rest` under its path
 * ("messages[3].prefix", "messages[0].content[1]"). Throws `Failure` with the path in `param`.
 */
export function decodeMessages(raw: readonly unknown[], rest: Rest): Message[] {
  const messages: Message[] = [];
  // A legacy call has no id: its result is the next message of role "function".
  let legacyCall = "";
  for (const [index, item] of raw.entries()) {
    const at = `messages[${index}]`;
    const base = isBase(item) ? item : check(Base, item, at);
    if (base.role === "assistant") legacyCall = `call_legacy_${index}`;
    messages.push(decodeMessage(base, at, legacyCall, rest));
  }
  return messages;
}

function decodeMessage(base: z.infer<typeof Base>, at: string, legacyCall: string, rest: Rest): Message {
  const name = base.name ?? undefined;
  switch (base.role) {
    case "system":
    case "developer":
    case "user":
      keepOthers(base, MESSAGE_FIELDS, at, rest);
      return { role: base.role, name, parts: decodeContent(base.content, at, rest) };
    case "assistant":
      keepOthers(base, ALL_ASSISTANT_FIELDS, at, rest);
      return { role: "assistant", name, parts: decodeAssistant(base, at, legacyCall, rest) };
    case "tool": {
      keepOthers(base, [...MESSAGE_FIELDS, "tool_call_id"], at, rest);
      const { tool_call_id: callId } = check(ToolResult, base, at);
      return { role: "tool", parts: [{ type: "tool-result", callId, name, content: withoutEmpty(decodeContent(base.content, at, rest)) }] };
    }
    case "function": {
      keepOthers(base, MESSAGE_FIELDS, at, rest);
      const result = check(FunctionResult, base, at);
      const content = base.content === null ? [] : withoutEmpty(decodeContent(base.content, at, rest));
      return { role: "tool", parts: [{ type: "tool-result", callId: legacyCall, name: result.name, content }] };
    }
  }
}

function decodeAssistant(base: z.infer<typeof Base>, at: string, legacyCall: string, rest: Rest): Part[] {
  const { content } = base;
  const said = (): Part[] => (isNothing(content) ? [] : withoutEmpty(decodeContent(content, at, rest)));
  if (ASSISTANT_FIELDS.every((name) => isNothing(base[name]))) return said();
  const message = check(Assistant, base, at);
  const parts: Part[] = decodeReasoning(base, at);
  parts.push(...said());
  if (message.refusal) parts.push({ type: "refusal", text: message.refusal });
  if (message.audio) parts.push({ type: "audio", media: { kind: "id", id: message.audio.id } });
  for (const [index, call] of (message.tool_calls ?? []).entries()) parts.push(decodeCall(call, `${at}.tool_calls[${index}]`));
  const { function_call: legacy } = message;
  if (legacy) parts.push({ type: "tool-call", id: legacyCall, name: legacy.name, arguments: legacy.arguments });
  return parts;
}

function decodeCall(raw: { type?: string | null | undefined }, at: string): Part {
  if (raw.type === "custom") {
    const { id, custom } = check(CustomCall, raw, at);
    return { type: "tool-call", id, name: custom.name, arguments: custom.input, custom: true };
  }
  const call = check(FunctionCall, raw, at);
  return {
    type: "tool-call",
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
    signature: call.extra_content?.google?.thought_signature ?? undefined,
  };
}

/** Providers refuse empty text beside tool calls and as a result; it says nothing there. */
const withoutEmpty = (parts: readonly Part[]): Part[] => parts.filter((part) => part.type !== "text" || part.text !== "");

function decodeContent(content: unknown, message: string, rest: Rest): Part[] {
  const at = `${message}.content`;
  // The common shapes are told apart by hand: a union's failed branches cost more than the reading.
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) check(TextOrParts, content, at);
  return (content as unknown[]).flatMap((item, index) => {
    if (isPlainText(item)) return [{ type: "text", text: item.text, cache: undefined }];
    const raw = check(AnyPart, item, `${at}[${index}]`);
    const part = decodePart(raw, `${at}[${index}]`);
    if (part) keepOthers(raw, PART_FIELDS[raw.type] ?? [], `${at}[${index}]`, rest);
    else rest[`${at}[${index}]`] = raw;
    return part ? [part] : [];
  });
}

/** A text and nothing beside it: the commonest part by far needs no schema. */
function isPlainText(item: unknown): item is { text: string } {
  const part = objectOf(item);
  return part !== undefined && part["type"] === "text" && typeof part["text"] === "string" && Object.keys(part).length === 2;
}

/** undefined: a part that the neutral conversation does not know (other providers have more kinds than OpenAI). */
function decodePart(raw: { type: string }, at: string): Part | undefined {
  switch (raw.type) {
    case "text": {
      const part = check(TextPart, raw, at);
      return { type: "text", text: part.text, cache: cacheHint(part.cache_control) };
    }
    case "refusal":
      return { type: "refusal", text: check(RefusalPart, raw, at).refusal };
    case "image_url": {
      const { image_url: image, cache_control: mark } = check(ImagePart, raw, at);
      const { url, detail } = typeof image === "string" ? { url: image } : image;
      return { type: "image", media: mediaOf(url, `${at}.image_url`), detail: detail ?? undefined, cache: cacheHint(mark) };
    }
    case "input_audio": {
      const { data, format } = check(AudioPart, raw, at).input_audio;
      return { type: "audio", media: { kind: "base64", mediaType: `audio/${format}`, data }, format };
    }
    case "file":
      return decodeFile(raw, at);
    default:
      return undefined;
  }
}

function decodeFile(raw: unknown, at: string): Part | undefined {
  const { file, cache_control: mark } = check(FilePart, raw, at);
  const shared = { type: "file", name: file.filename ?? undefined, cache: cacheHint(mark) } as const;
  if (file.file_id) return { ...shared, media: { kind: "id", id: file.file_id } };
  if (!file.file_data)
    throw new Failure("missing_required_parameter", `Missing required parameter: '${at}.file.file_data'.`, {
      param: `${at}.file.file_data`,
    });
  // Bare base64 does not say what it is: only a provider that guesses can take it.
  if (!/^(?:data:|https?:)/i.test(file.file_data.slice(0, 6))) return undefined;
  return { ...shared, media: mediaOf(file.file_data, `${at}.file.file_data`) };
}

/** A data: URL (RFC 2397) is taken apart; any other address is left to the provider, and never fetched. */
export function mediaOf(url: string, at: string): Media {
  if (!/^data:/i.test(url.slice(0, 5))) return { kind: "url", url };
  const comma = url.indexOf(",");
  const head = url.slice(5, comma);
  if (comma < 0 || !/;base64$/i.test(head)) {
    throw new Failure("invalid_value", `Invalid value for '${at}': a data URL must be 'data:<media type>;base64,<data>'.`, { param: at });
  }
  return { kind: "base64", mediaType: head.slice(0, -";base64".length), data: url.slice(comma + 1) };
}

function keepOthers(object: Readonly<Record<string, unknown>>, known: readonly string[], at: string, rest: Rest): void {
  for (const name of Object.keys(object)) if (!known.includes(name)) rest[`${at}.${name}`] = object[name];
}
