// How many input tokens a request can be billed for at most, read from the request itself, without a tokenizer.
// Every token of a byte-level BPE is at least one byte of the text, so text counts by its bytes; what is not text counts by
// what a model can make of it at most.
import type { ChatRequest, Media, Part } from "../core/chat";
import { isSet, keptOf, outsideOf } from "./bound-kept";

/** What is billed per call by a tool that the provider runs itself. */
export interface HostedTool {
  /** The field that asks for it ("tools[2]"). */
  param: string;
  /** The fee's name in the price. undefined: a tool that we know no fee of. */
  fee: string | undefined;
  /** The caller's cap on calls. undefined: none. */
  maxCalls: number | undefined;
}

export interface InputCeiling {
  /** Tokens of text, with what templates and tool prompts add. */
  textTokens: number;
  /** Tokens of images, audio and files whose size is known. */
  mediaTokens: number;
  /** The first field whose content is elsewhere or cannot be counted: it may fill the context window. */
  windowParam: string | undefined;
  hostedTools: readonly HostedTool[];
  /** Tokens that may be billed as output beside the answer: a prediction's rejected part. */
  extraOutputTokens: number;
  /** A one-hour cache write may happen. */
  mayWrite1h: boolean;
}

/**
 * Template tokens that a provider adds to every call. Measured over the recordings: 7 tokens for "hi" on OpenAI, up to 190
 * more than the text with a JSON schema on Anthropic; xAI bills a prompt of its own of about 680.
 */
const CALL_OVERHEAD = 256;
const CALL_OVERHEADS: readonly { models: RegExp; tokens: number }[] = [{ models: /(^|\/)grok-/, tokens: 1_024 }];
/** Role markers and separators around one message (OpenAI's cookbook: 4 and a name). */
const MESSAGE_OVERHEAD = 16;
/** A provider's prompt that explains tools: at most 530 (https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview). */
const TOOLS_OVERHEAD = 1_024;
/** A tool's definition is rendered anew, with a frame of its own. */
const TOOL_OVERHEAD = 64;
/** A document gets a frame, and citations a prompt: about 420 tokens in the recordings. */
const FILE_OVERHEAD = 1_024;

/**
 * The most that one image costs, by model; the first row that matches.
 * https://platform.openai.com/docs/guides/images-vision: base + tile × 8 (at most 2048×768, tiles of 512), or patches × multiplier.
 * https://platform.claude.com/docs/en/build-with-claude/vision: 1568 px (about 1,600 tokens), 2576 px (4,784) on later models.
 * https://ai.google.dev/gemini-api/docs/tokens: 258 a tile of 768, scaled into 3072×3072; 24 tiles in the worst shape, and one more.
 */
const IMAGE_CEILINGS: readonly { models: RegExp; tokens: number }[] = [
  { models: /(^|\/)gpt-4o-mini/, tokens: 2_833 + 8 * 5_667 },
  { models: /(^|\/)(gpt-4o|gpt-4-turbo|gpt-4\.1|gpt-5|o1|o3)(-20\d\d|-latest|-pro|-chat|$)/, tokens: 85 + 8 * 170 },
  { models: /(^|\/)claude-/, tokens: 4_784 },
  { models: /(^|\/)gemini-/, tokens: 25 * 258 },
];
/** 10,000 patches (detail "original") × 2.46, the largest multiplier that is published. */
const IMAGE_CEILING = 24_600;

/** Bytes of audio that cost a token at most, in formats with a constant least bit rate: 5.3 kbit/s is 660 bytes for at most 32 tokens. */
const AUDIO_BYTES_PER_TOKEN = 16;
const CONSTANT_RATE_AUDIO: ReadonlySet<string> = new Set(["wav", "mp3", "pcm16", "audio/wav", "audio/x-wav", "audio/mpeg", "audio/mp3"]);

/** What a provider hears is told by the data where that has a name of its own: FLAC, Ogg, Matroska, MP4. */
const OTHER_AUDIO = /^(?:ZkxhQ|T2dnU|GkXfo|.{6}Z0eX)/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Formats of one picture: not SVG, which is text, and not TIFF, which has pages. */
const ONE_IMAGE = /^image\/(?:png|jpe?g|gif|webp|heic|heif|avif|bmp)$/i;
const WEB = /^https?:\/\//i;

/** Request fields that let a provider call paid tools as often as it likes. */
const HOSTED_FIELDS: readonly string[] = [
  "web_search_options",
  "plugins",
  "search_parameters",
  "mcp_servers",
  "compound_custom",
  "background",
  "compaction",
];
/** What a provider may do to a conversation that calls a model once more: "compact_20260112" at Anthropic, "compaction" at OpenAI. */
const COMPACTION = /^compact/;
const FEES: readonly { type: RegExp; fee: string }[] = [
  { type: /^web_search/, fee: "web_search" },
  { type: /^web_fetch/, fee: "web_fetch" },
  { type: /^file_search/, fee: "file_search" },
];
/** Tool types that the caller runs itself. */
const CALLERS_TOOLS: ReadonlySet<string> = new Set(["function", "custom", "tool"]);

/**
 * `body` is the caller's own, from which `request` was decoded; `model` is the target's, and `provider` whose price applies.
 * Linear in the body.
 */
export function inputCeiling(request: ChatRequest, body: Uint8Array, model: string, provider?: string): InputCeiling {
  const found = new Found(model, provider);
  for (const [m, message] of request.messages.entries()) {
    for (const [p, part] of message.parts.entries()) found.see(part, () => `messages[${m}].content[${p}]`);
  }
  const tools = request.tools ?? [];
  for (const tool of tools) if (tool.cache === "1h") found.write1h = true;
  // Most requests have no field beside the ones that every dialect has.
  const plain = isEmpty(request.rest);
  const kept = plain ? undefined : keptOf(request.rest);
  const named = request.hostedTools ?? [];
  // Capped at no call: the caller's own program runs it.
  const hostedTools = [...(plain ? [] : hostedToolsOf(request.rest)), ...named.filter(({ maxCalls }) => maxCalls !== 0).map(billedTool)];
  const overhead =
    (CALL_OVERHEADS.find((row) => row.models.test(model))?.tokens ?? CALL_OVERHEAD) +
    (request.messages.length + (kept?.count ?? 0)) * MESSAGE_OVERHEAD +
    tools.length * TOOL_OVERHEAD +
    // The provider describes its own tools to the model, at length.
    named.length * TOOLS_OVERHEAD +
    (tools.length + hostedTools.length > 0 ? TOOLS_OVERHEAD : 0) +
    (request.responseFormat ? TOOLS_OVERHEAD : 0);
  return {
    textTokens: Math.max(0, textBytes(body) - found.uncountedBytes) + overhead,
    mediaTokens: found.mediaTokens,
    windowParam: outsideOf(request) ?? kept?.outside ?? found.windowParam,
    hostedTools,
    extraOutputTokens: isSet(request.rest["prediction"]) ? JSON.stringify(request.rest["prediction"]).length * 4 : 0,
    mayWrite1h: found.write1h || (!plain && JSON.stringify(request.rest).includes('"1h"')) || says1h(body),
  };
}

/** Collects what the parts of a request hold beside text. */
class Found {
  mediaTokens = 0;
  /** Bytes of the body that are media counted otherwise. */
  uncountedBytes = 0;
  windowParam: string | undefined;
  write1h = false;
  readonly #model: string;
  /** Google reads whatever is at an address: a video, a document. */
  readonly #opensAddresses: boolean;

  constructor(model: string, provider: string | undefined) {
    this.#model = model;
    this.#opensAddresses = provider === "gemini" || /(^|\/)gem(ini|ma)-/.test(model);
  }

  /** `param` says where the part is: asked for only where that must be told. */
  see(part: Part, param: () => string): void {
    if ("cache" in part && part.cache === "1h") this.write1h = true;
    switch (part.type) {
      case "text":
      case "refusal":
      case "reasoning":
      case "redacted-reasoning":
      case "tool-call":
        return;
      case "tool-result":
        part.content.forEach((inner, i) => {
          this.see(inner, () => `${param()}.content[${i}]`);
        });
        return;
      case "image":
        this.#image(part.media, param);
        return;
      case "audio":
        this.#audio(part.media, part.format, param);
        return;
      case "file":
        this.#file(part.media, param);
        return;
    }
  }

  /**
   * An image costs by its pixels, of which a small file may have many: the model's maximum, wherever the image is. What only
   * stands in an image's place (a PDF, a video's address) is a file.
   */
  #image(media: Media, param: () => string): void {
    const isImage = media.kind === "base64" ? ONE_IMAGE.test(media.mediaType) : media.kind === "url" && WEB.test(media.url);
    if (!isImage || (media.kind === "url" && this.#opensAddresses)) {
      this.#file(media, param);
      return;
    }
    this.mediaTokens += IMAGE_CEILINGS.find((row) => row.models.test(this.#model))?.tokens ?? IMAGE_CEILING;
    if (media.kind === "base64") this.uncountedBytes += media.data.length;
  }

  /** Audio costs by its length. Only a constant bit rate bounds that by the bytes: seconds of silence are nothing in FLAC or Opus. */
  #audio(media: Media, format: string | undefined, param: () => string): void {
    const bounds = media.kind === "base64" && CONSTANT_RATE_AUDIO.has((format ?? media.mediaType).toLowerCase());
    // Some providers take an address in the data's place.
    if (!bounds || !BASE64.test(media.data) || OTHER_AUDIO.test(media.data)) {
      this.windowParam ??= param();
      return;
    }
    this.mediaTokens += Math.ceil((media.data.length * 3) / 4 / AUDIO_BYTES_PER_TOKEN);
    this.uncountedBytes += media.data.length;
  }

  /** A text file stays in the count of bytes: base64 only makes it longer, unless its text grows. Any other may unpack to anything. */
  #file(media: Media, param: () => string): void {
    this.mediaTokens += FILE_OVERHEAD;
    if (media.kind !== "base64" || !media.mediaType.startsWith("text/")) this.windowParam ??= param();
    else this.mediaTokens += Math.max(0, textBytes(Buffer.from(media.data, "base64")) - media.data.length);
  }
}

function isEmpty(fields: Readonly<Record<string, unknown>>): boolean {
  for (const _ in fields) return false;
  return true;
}

/** xAI's search that is switched off, as the table of fields has it. */
const isOff = (field: string, value: unknown): boolean =>
  field === "search_parameters" && typeof value === "object" && value !== null && "mode" in value && value.mode === "off";

/** Tools that the provider runs, in whatever field the dialect kept them. */
function hostedToolsOf(rest: Readonly<Record<string, unknown>>): HostedTool[] {
  const found: HostedTool[] = [];
  for (const field of HOSTED_FIELDS) {
    if (isSet(rest[field]) && !isOff(field, rest[field])) found.push({ param: field, fee: undefined, maxCalls: undefined });
  }
  if (compacts(rest["context_management"])) found.push({ param: "context_management", fee: undefined, maxCalls: undefined });
  for (const [field, value] of Object.entries(rest)) {
    if (!Array.isArray(value) || !/tools?$/i.test(field)) continue;
    value.forEach((tool: unknown, i) => {
      const hosted = hostedTool(tool, `${field}[${i}]`);
      if (hosted) found.push(hosted);
    });
  }
  return found;
}

/** Messages lists its edits in an object, Responses in the field itself. */
function compacts(field: unknown): boolean {
  const edits = typeof field === "object" && field !== null && "edits" in field ? field.edits : field;
  if (!Array.isArray(edits)) return false;
  return edits.some((edit: unknown) => {
    const type = typeof edit === "object" && edit !== null && "type" in edit ? edit.type : undefined;
    return typeof type === "string" && COMPACTION.test(type);
  });
}

function hostedTool(tool: unknown, param: string): HostedTool | undefined {
  if (typeof tool !== "object" || tool === null || "functionDeclarations" in tool) return undefined;
  const type = "type" in tool && typeof tool.type === "string" ? tool.type : "";
  if (CALLERS_TOOLS.has(type)) return undefined;
  const cap = "max_uses" in tool ? tool.max_uses : undefined;
  return {
    param,
    fee: feeOf(type),
    maxCalls: typeof cap === "number" && Number.isSafeInteger(cap) && cap >= 0 ? cap : undefined,
  };
}

const feeOf = (type: string): string | undefined => FEES.find((row) => row.type.test(type))?.fee;

/** A hosted tool that the caller's dialect named. Some run on the caller's machine and cost nothing, but which is the dialect's to know. */
const billedTool = ({ type, at, maxCalls }: NonNullable<ChatRequest["hostedTools"]>[number]): HostedTool => ({
  param: at,
  fee: feeOf(type),
  maxCalls,
});

/** Every way to write the lifetime of an hour: a mark may stand in a block that the neutral request has no place for. */
const HOUR = ['"1h"', '"1\\u0068"', '"\\u0031h"', '"\\u0031\\u0068"'].map((text) => Buffer.from(text));

/** Whether the body has the lifetime anywhere: it is too much to hold where only a text says so, and never too little. */
function says1h(body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return HOUR.some((text) => bytes.includes(text));
}

const utf8 = new TextDecoder();

/** Whether every byte is a printable ASCII character or white space, and none a backslash: what a tokenizer sees is what was sent. */
function isPlainText(body: Uint8Array): boolean {
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] as number;
    if (byte > 0x7e || byte === 0x5c || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) return false;
  }
  return true;
}

/**
 * Bytes of the text that a tokenizer may see. Some normalise first (NFKC), which can make text longer: U+FDFA is 3 bytes
 * and becomes 33, so whichever form is longer counts.
 */
function textBytes(body: Uint8Array): number {
  if (isPlainText(body)) return body.length;
  const plain = utf8.decode(body).replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Math.max(body.length, utf8Length(plain.normalize("NFKC")));
}

/** Bytes in UTF-8; a lone surrogate counts as the replacement character does. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
