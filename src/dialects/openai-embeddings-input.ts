// What is to be embedded: each input is a message of the neutral request. Tokens and media stay in `rest.input` as they came, for
// providers of the caller's own dialect; the messages then only say how much there is.
import type { ChatRequest, Message, Part } from "../core/chat";
import { Failure } from "../core/failure";
import { itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";

export interface EmbeddingInputs {
  messages: readonly Message[];
  /** Every input is a text. */
  plain: boolean;
}

/** Reads `input`: a text, a list of texts, tokens, lists of tokens, or objects with `content`. Throws `Failure` that names the input. */
export function decodeInputs(input: unknown): EmbeddingInputs {
  if (input === undefined) throw new Failure("missing_required_parameter", "Missing required parameter: 'input'.", { param: "input" });
  if (typeof input === "string") return { messages: [messageOf(textPart(input, "input"))], plain: true };
  if (!Array.isArray(input)) throw wrongType("input");
  if (input.length === 0) throw isEmpty("input");
  if (typeof input[0] === "number") return { messages: [messageOf(tokenPart(input, "input"))], plain: false };
  let plain = true;
  const messages = input.map((item: unknown, index) => {
    const param = `input[${index}]`;
    if (typeof item === "string") return messageOf(textPart(item, param));
    plain = false;
    if (Array.isArray(item)) return messageOf(tokenPart(item, param));
    const holder = objectOf(item);
    if (!holder) throw wrongType(param);
    return messageOf(...mediaParts(holder));
  });
  return { messages, plain };
}

/**
 * The inputs as texts, for dialects that take nothing else. Throws `unsupported_parameter` for tokens and media, on every key:
 * without them there is nothing to embed.
 */
export function textInputs(request: ChatRequest): string[] {
  if (request.rest["input"] !== undefined) {
    throw new Failure("unsupported_parameter", "The provider of this model takes texts only, no tokens and no media", { param: "input" });
  }
  return request.messages.map(({ parts }) => parts.map((part) => (part.type === "text" ? part.text : "")).join(""));
}

/** A whole number of dimensions, as the request's reader has checked it. */
export function dimensionsOf(request: ChatRequest): number | undefined {
  const dimensions = request.rest["dimensions"];
  return typeof dimensions === "number" ? dimensions : undefined;
}

const messageOf = (...parts: Part[]): Message => ({ role: "user", parts });

function textPart(text: string, param: string): Part {
  if (text === "") throw isEmpty(param);
  return { type: "text", text };
}

/** Tokens written as numbers: read as a text they count for no less than they are. */
function tokenPart(tokens: readonly unknown[], param: string): Part {
  if (tokens.length === 0) throw isEmpty(param);
  const wrong = tokens.findIndex((token) => !Number.isSafeInteger(token) || (token as number) < 0);
  if (wrong >= 0) throw wrongType(`${param}[${wrong}]`);
  return { type: "text", text: tokens.join(" ") };
}

/**
 * `{content: [{type: "text"}, {type: "image_url"}]}` as OpenRouter and vLLM take it. What has another shape may be anything, and
 * so is held for at the most that the model reads.
 */
function mediaParts(holder: JsonObject): Part[] {
  const parts = itemsOf(holder["content"]).map(mediaPart);
  return parts.length === 0 ? [UNKNOWN] : parts;
}

const UNKNOWN: Part = { type: "file", media: { kind: "id", id: "" } };

function mediaPart(raw: unknown): Part {
  const part = objectOf(raw);
  const text = part?.["type"] === "text" ? textOf(part["text"]) : undefined;
  if (text !== undefined) return { type: "text", text };
  const image = part?.["type"] === "image_url" ? part["image_url"] : undefined;
  const url = textOf(image) ?? textOf(objectOf(image)?.["url"]);
  return url === undefined ? UNKNOWN : { type: "image", media: { kind: "url", url } };
}

const isEmpty = (param: string): Failure =>
  new Failure("invalid_value", `Invalid value for '${param}': there is nothing to embed.`, { param });

const wrongType = (param: string): Failure =>
  new Failure("invalid_type", `Invalid type for '${param}': expected a text, a list of texts, tokens, or lists of tokens.`, { param });
