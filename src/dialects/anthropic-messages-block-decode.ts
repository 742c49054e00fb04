// One content block of a caller's Messages request → neutral parts:
// https://platform.claude.com/docs/en/api/messages/create#body-messages-content
import { z } from "zod";
import type { CacheHint, Media, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { callIdOf } from "./anthropic-messages-blocks";
import { itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";
import { check } from "./request-check";
import { isEnvelope, openSeal } from "./sealed-envelope";

/** Collects what the neutral conversation has no place for: whole blocks by their path, members by their block's type. */
export type Rest = Record<string, unknown>;

export type RawBlock = JsonObject & { readonly type: string };

const FROM = "anthropic-messages" as const;

const Text = z.looseObject({ text: z.string() });
const Source = z.looseObject({ source: z.looseObject({ type: z.string() }) });
const Thinking = z.looseObject({ thinking: z.string(), signature: z.string().nullish() });
const Redacted = z.looseObject({ data: z.string() });
const ToolUse = z.looseObject({ id: z.string(), name: z.string(), input: z.unknown().optional() });
const SearchResult = z.looseObject({
  source: z.string(),
  title: z.string().nullish(),
  content: z.array(z.looseObject({ text: z.string().nullish() })),
});
const Compaction = z.looseObject({ content: z.string().nullish() });
const Base64Source = z.looseObject({ media_type: z.string(), data: z.string() });
const UrlSource = z.looseObject({ url: z.string() });
const FileSource = z.looseObject({ file_id: z.string() });
const TextSource = z.looseObject({ data: z.string() });

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "cache_control", "citations"],
  image: ["type", "source", "cache_control"],
  document: ["type", "source", "cache_control", "title", "context"],
  thinking: ["type", "thinking", "signature"],
  redacted_thinking: ["type", "data"],
  tool_use: ["type", "id", "name", "input", "cache_control"],
  search_result: ["type", "source", "title", "content", "cache_control"],
  compaction: ["type", "content", "cache_control"],
};

/** What an earlier turn's hosted tools did and found: the answer that followed says what came of it, so others may do without. */
const HOSTED = /^(?:server_tool_use|mcp_tool_(?:use|listing)|tool_(?:addition|removal|reference)|fallback|.+_tool_result)$/;

/**
 * The parts of one block, in order; none for a block that says nothing or has no neutral place. `at` is its path. `seals`: the
 * seals of tool calls that stood in envelopes before, by the call's id. Throws `Failure` with the path in `param`.
 */
export function decodeBlock(raw: RawBlock, at: string, rest: Rest, seals: Map<string, string>): Part[] {
  const known = KNOWN[raw.type];
  refuseAdditions(raw, at);
  if (!known) {
    rest[HOSTED.test(raw.type) ? `${at}:${raw.type}` : at] = raw;
    return [];
  }
  const parts = knownBlock(raw, at, seals);
  if (!parts) {
    rest[at] = raw;
    return [];
  }
  keepOthers(raw, known, raw.type, rest);
  // Nothing is said by an empty text, and providers refuse it.
  return parts.filter((part) => part.type !== "text" || part.text !== "");
}

/** Tools may also be added in the middle of a conversation, and by what was compacted of one. */
function refuseAdditions(item: unknown, at: string): void {
  const block = objectOf(item);
  if (block?.["type"] === "tool_addition") {
    const definition = objectOf(objectOf(block["tool"])?.["definition"]);
    if (definition) refuseOtherModel(definition, `${at}.tool.definition`);
  } else if (block?.["type"] === "compaction") {
    for (const [i, change] of itemsOf(block["tool_changes"]).entries()) refuseAdditions(change, `${at}.tool_changes[${i}]`);
  }
}

/** A second model (`advisor`) would answer beside the one asked for: the key may not allow it, and the price is not its. */
export function refuseOtherModel(tool: JsonObject, at: string): void {
  if (tool["model"] === undefined || tool["model"] === null) return;
  const param = `${at}.model`;
  throw new Failure("unsupported_parameter", `A hosted tool may not name a model of its own here: ${param}`, { param });
}

/** undefined: a form of the block that is not known here. */
function knownBlock(raw: RawBlock, at: string, seals: Map<string, string>): Part[] | undefined {
  const cache = cacheOf(raw);
  switch (raw.type) {
    case "text": {
      const citations = itemsOf(raw["citations"]);
      return [{ type: "text", text: check(Text, raw, at).text, cache, ...(citations.length > 0 ? { citations } : {}) }];
    }
    case "image": {
      const media = mediaOf(check(Source, raw, at).source, `${at}.source`);
      return media && [{ type: "image", media, cache }];
    }
    case "document":
      return documentParts(raw, at, cache);
    case "thinking": {
      const { thinking, signature } = check(Thinking, raw, at);
      return thoughtParts(thinking, signature || undefined, seals);
    }
    case "redacted_thinking":
      return sealedParts(check(Redacted, raw, at).data);
    case "tool_use": {
      const call = check(ToolUse, raw, at);
      const id = callIdOf(call.id);
      return [{ type: "tool-call", id, name: call.name, arguments: JSON.stringify(call.input ?? {}), signature: seals.get(id), cache }];
    }
    case "search_result": {
      const { source, title, content } = check(SearchResult, raw, at);
      const lines = [title ?? "", source, ...content.map(({ text }) => text ?? "")];
      return [{ type: "text", text: lines.filter((line) => line !== "").join("\n"), cache }];
    }
    default:
      // The provider's own summary of what was said before: plain text.
      return [{ type: "text", text: check(Compaction, raw, at).content ?? "", cache }];
  }
}

/** A thought of Anthropic's, or one of another provider in an envelope. An envelope that cannot be read leaves a thought without a seal. */
function thoughtParts(text: string, signature: string | undefined, seals: Map<string, string>): Part[] {
  const seal = signature === undefined ? undefined : openSeal(signature);
  if (!seal) {
    if (signature !== undefined && isEnvelope(signature)) return text === "" ? [] : [{ type: "reasoning", text }];
    return [{ type: "reasoning", text, signature, from: FROM }];
  }
  const { from, id, data } = seal;
  if (data !== undefined) return [{ type: "redacted-reasoning", data, from, id }];
  if (seal.call !== undefined && seal.signature !== undefined) seals.set(seal.call, seal.signature);
  const own = seal.call === undefined ? seal.signature : undefined;
  return text === "" && own === undefined && id === undefined ? [] : [{ type: "reasoning", text, signature: own, from, id }];
}

function sealedParts(data: string): Part[] {
  if (!isEnvelope(data)) return [{ type: "redacted-reasoning", data, from: FROM }];
  const seal = openSeal(data);
  return seal?.data === undefined ? [] : [{ type: "redacted-reasoning", data: seal.data, from: seal.from, id: seal.id }];
}

/** A document's `context` is read by the model before it, as text. */
function documentParts(raw: RawBlock, at: string, cache: CacheHint | undefined): Part[] | undefined {
  const { source } = check(Source, raw, at);
  const name = textOf(raw["title"]);
  const context: Part[] = [{ type: "text", text: textOf(raw["context"]) ?? "" }];
  if (source.type === "content") {
    const { content } = source;
    const lead: Part[] = name === undefined ? context : [...context, { type: "text", text: name }];
    if (typeof content === "string") return [...lead, { type: "text", text: content, cache }];
    const parts = itemsOf(content).map((piece) => contentPiece(objectOf(piece), `${at}.source`));
    return parts.every((part) => part !== undefined) ? [...lead, ...parts] : undefined;
  }
  const media = mediaOf(source, `${at}.source`);
  return media && [...context, { type: "file", media, name, cache }];
}

function contentPiece(piece: JsonObject | undefined, at: string): Part | undefined {
  const text = textOf(piece?.["text"]);
  if (piece?.["type"] === "text" && text !== undefined) return { type: "text", text };
  const source = objectOf(piece?.["source"]);
  const media = piece?.["type"] === "image" && source ? mediaOf(source, at) : undefined;
  return media && { type: "image", media };
}

function mediaOf(source: JsonObject, at: string): Media | undefined {
  switch (source["type"]) {
    case "base64": {
      const { media_type: mediaType, data } = check(Base64Source, source, at);
      return { kind: "base64", mediaType, data };
    }
    case "url":
      return { kind: "url", url: check(UrlSource, source, at).url };
    case "file":
      return { kind: "id", id: check(FileSource, source, at).file_id };
    case "text":
      return { kind: "base64", mediaType: "text/plain", data: Buffer.from(check(TextSource, source, at).data).toString("base64") };
    default:
      return undefined;
  }
}

/** `{type: "ephemeral", ttl: "1h"}`; without a ttl five minutes. */
export function cacheOf(holder: JsonObject): CacheHint | undefined {
  const mark = objectOf(holder["cache_control"]);
  return mark && (mark["ttl"] === "1h" ? "1h" : "5m");
}

/** Members that the neutral part has no place for, by short names: Claude Code marks every block of a long conversation alike. */
export function keepOthers(object: JsonObject, known: readonly string[], type: string, rest: Rest): void {
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (known.includes(name) || value === null || value === undefined) continue;
    // Who called a tool: the model itself, which goes without saying.
    if (name === "caller" && objectOf(value)?.["type"] === "direct") continue;
    rest[`${type}.${name}`] = value;
  }
}
