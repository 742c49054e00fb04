// Parts of a message → Anthropic's content blocks: https://platform.claude.com/docs/en/api/messages
import type { CacheHint, Media, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { itemsOf, objectOf, parseJsonExactly, textOf } from "./provider-json";
import type { Refuse } from "./refusal";
import { CUSTOM_INPUT, wireToolName } from "./tool-names";

export type Block = Readonly<Record<string, unknown>>;

/** A block, or undefined for what has nothing to say to this provider (an empty text, another provider's sealed thoughts). */
export function blockOf(part: Part, param: string, refuse: Refuse): Block | undefined {
  switch (part.type) {
    case "text":
      // Empty text blocks are a 400 ("text content blocks must be non-empty"), and say nothing.
      if (part.text === "") return undefined;
      return { type: "text", text: part.text, ...citationsOf(part.citations), ...cached(part.cache) };
    case "refusal":
      return part.text === "" ? undefined : { type: "text", text: part.text };
    case "image":
      return { type: "image", source: sourceOf(part.media), ...cached(part.cache) };
    case "file":
      return fileBlock(part, param, refuse);
    case "audio":
      return refuse(`${param}.input_audio`, "This provider takes no audio");
    case "reasoning":
      // A signature is only good at the provider that made it, and thinking without one is refused.
      if (part.from !== "anthropic-messages" || part.signature === undefined) return undefined;
      return { type: "thinking", thinking: part.text, signature: part.signature };
    case "redacted-reasoning":
      return part.from === "anthropic-messages" ? { type: "redacted_thinking", data: part.data } : undefined;
    case "tool-call":
      return { type: "tool_use", id: toolUseId(part.id), name: wireToolName(part), input: inputOf(part, param), ...cached(part.cache) };
    case "tool-result": {
      const content = part.content.flatMap((piece, i) => blockOf(piece, `${param}[${i}]`, refuse) ?? []);
      const error = part.isError === undefined ? {} : { is_error: part.isError };
      return { type: "tool_result", tool_use_id: toolUseId(part.callId), content, ...error, ...cached(part.cache) };
    }
  }
}

/** https://platform.claude.com/docs/en/build-with-claude/prompt-caching: five minutes unless a `ttl` says otherwise. */
export function cached(hint: CacheHint | undefined): Block {
  if (hint === undefined) return {};
  return { cache_control: hint === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" } };
}

/** Whether these blocks name files of Anthropic's Files API, which needs a beta header. */
export const namesFiles = (blocks: readonly Block[]): boolean =>
  blocks.some((block) => objectOf(block["source"])?.["type"] === "file" || namesFiles(itemsOf(block["content"]) as readonly Block[]));

/** Ids must match ^[a-zA-Z0-9_-]+$ (other providers write "functions.add:0"). Each other character becomes its code, so no two ids meet. */
export const toolUseId = (id: string): string =>
  /^[a-zA-Z0-9_-]+$/.test(id) ? id : `x-${id.replace(/[^a-zA-Z0-9]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`)}`;

/** The id that `toolUseId` was given. */
export const callIdOf = (id: string): string =>
  /^x-(?=[^_]*_)(?:[a-zA-Z0-9]|_[0-9a-f]{1,4}_)+$/.test(id)
    ? id.slice(2).replace(/_([0-9a-f]+)_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : id;

/** `input` must be an object. Its numbers keep their digits; the free text of a custom call becomes one. */
function inputOf(call: Extract<Part, { type: "tool-call" }>, param: string): unknown {
  if (call.custom) return { [CUSTOM_INPUT]: call.arguments };
  if (call.arguments.trim() === "") return {};
  const input = objectOf(parseJsonExactly(call.arguments));
  if (!input) throw new Failure("invalid_value", "The arguments of a tool call must be a JSON object", { param });
  return input;
}

function sourceOf(media: Media): Block {
  switch (media.kind) {
    case "url":
      return { type: "url", url: media.url };
    case "base64":
      return { type: "base64", media_type: media.mediaType, data: media.data };
    case "id":
      return { type: "file", file_id: media.id };
  }
}

/** PDFs by value, address or id; plain text by value. An image sent as a file is still an image. */
function fileBlock(part: Extract<Part, { type: "file" }>, param: string, refuse: Refuse): Block | undefined {
  const rest = { ...(part.name === undefined ? {} : { title: part.name }), ...cached(part.cache) };
  if (part.media.kind !== "base64") return { type: "document", source: sourceOf(part.media), ...rest };
  const { mediaType, data } = part.media;
  if (mediaType.startsWith("image/")) return { type: "image", source: sourceOf(part.media), ...cached(part.cache) };
  if (mediaType === "application/pdf") return { type: "document", source: sourceOf(part.media), ...rest };
  if (!mediaType.startsWith("text/")) return refuse(`${param}.file`, `This provider takes no files of type ${mediaType.slice(0, 100)}`);
  return { type: "document", source: { type: "text", media_type: "text/plain", data: textOfBase64(data, param) }, ...rest };
}

function textOfBase64(data: string, param: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
  } catch (cause) {
    throw new Failure("invalid_value", "The file's data is not base64 of UTF-8 text", { param: `${param}.file.file_data`, cause });
  }
}

/** Only Anthropic's own citations may stand in a request; annotations of other providers are not theirs to check. */
function citationsOf(citations: readonly unknown[] | undefined): Block {
  const own = (citations ?? []).filter((citation) => (textOf(objectOf(citation)?.["type"]) ?? "").endsWith("_location"));
  return own.length > 0 ? { citations: own } : {};
}
