// Thinking in Chat Completions. OpenAI shows none; other providers say `reasoning_content` or `reasoning`, and OpenRouter's
// `reasoning_details` carry the seals that some providers want back: https://openrouter.ai/docs/use-cases/reasoning-tokens
import { z } from "zod";
import type { DialectName, Part } from "../core/chat";
import { countOf, itemsOf, type JsonObject, objectOf, textOf } from "./provider-json";
import { check } from "./request-check";

/** The word for who sealed a block, as OpenRouter writes it. */
const FORMATS: readonly (readonly [string, DialectName])[] = [
  ["anthropic-claude-v1", "anthropic-messages"],
  ["google-gemini-v1", "gemini"],
  ["openai-responses-v1", "openai-responses"],
];

export const formatOf = (from: DialectName): string => FORMATS.find(([, dialect]) => dialect === from)?.[0] ?? "unknown";
const dialectOf = (format: string | null | undefined): DialectName | undefined => FORMATS.find(([name]) => name === format)?.[1];

const Carriers = z.looseObject({
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  reasoning_details: z
    .array(
      z.looseObject({
        type: z.string(),
        text: z.string().nullish(),
        summary: z.string().nullish(),
        signature: z.string().nullish(),
        data: z.string().nullish(),
        format: z.string().nullish(),
        id: z.string().nullish(),
        index: z.number().nullish(),
      }),
    )
    .nullish(),
});

type Detail = NonNullable<z.infer<typeof Carriers>["reasoning_details"]>[number];
type Thinking = Extract<Part, { type: "reasoning" }>;

/** The thinking that a caller sends back with an assistant's message, in order. `at` is the message's path. */
export function decodeReasoning(message: unknown, at: string): Part[] {
  const carriers = check(Carriers, message, at);
  const plain = carriers.reasoning_content || carriers.reasoning || "";
  const parts = joinDetails(carriers.reasoning_details ?? []);
  const thoughts = parts.filter((part): part is Thinking => part.type === "reasoning");
  const [only] = thoughts;
  // A caller that kept the text in one field and the seal in the other.
  if (thoughts.length === 1 && only && only.text === "") only.text = plain;
  if (parts.length === 0 && plain !== "") return [{ type: "reasoning", text: plain }];
  return parts.filter((part) => part.type !== "reasoning" || part.text !== "" || part.signature !== undefined);
}

/** A streamed block comes back in pieces that share an index: they are one block. */
function joinDetails(details: readonly Detail[]): Part[] {
  const parts: Part[] = [];
  let open: { index: number | null | undefined; part: Thinking } | undefined;
  for (const detail of details) {
    const from = dialectOf(detail.format);
    if (detail.type === "reasoning.encrypted") {
      open = undefined;
      if (detail.data) parts.push({ type: "redacted-reasoning", data: detail.data, from, id: detail.id ?? undefined });
      continue;
    }
    const text = detail.text ?? detail.summary ?? "";
    if (open && typeof detail.index === "number" && detail.index === open.index && open.part.signature === undefined) {
      open.part.text += text;
      open.part.signature = detail.signature ?? undefined;
      open.part.from ??= from;
      continue;
    }
    const part: Thinking = { type: "reasoning", text, signature: detail.signature ?? undefined, from, id: detail.id ?? undefined };
    open = { index: detail.index, part };
    parts.push(part);
  }
  return parts;
}

/**
 * The fields of an assistant's message that carry its thinking; empty where there is none. `field`: where the provider reads the
 * text ("content" is a list of parts, which the caller of this writes).
 */
export function encodeReasoning(
  parts: readonly Part[],
  field: "reasoning_content" | "reasoning" = "reasoning_content",
): Record<string, unknown> {
  let text = "";
  const details: Record<string, unknown>[] = [];
  for (const part of parts) {
    if (part.type === "reasoning") {
      text += part.text;
      if (part.from !== undefined && part.from !== "openai-chat") {
        details.push(detailOf(part.text, part.signature, part.from, details.length, part.id));
      }
    } else if (part.type === "redacted-reasoning") {
      details.push(sealedDetail(part.data, part.from ?? "openai-chat", details.length, part.id));
    }
  }
  return { ...(text === "" ? {} : { [field]: text }), ...(details.length === 0 ? {} : { reasoning_details: details }) };
}

/** An entry of `reasoning_details` that shows no text. */
export const sealedDetail = (data: string, from: DialectName, index: number, id?: string) => ({
  type: "reasoning.encrypted",
  data,
  ...(id === undefined ? {} : { id }),
  format: formatOf(from),
  index,
});

/** One entry of `reasoning_details`. */
export const detailOf = (text: string | undefined, signature: string | undefined, from: DialectName, index: number, id?: string) => ({
  type: "reasoning.text",
  ...(text === undefined ? {} : { text }),
  ...(signature === undefined ? {} : { signature }),
  ...(id === undefined ? {} : { id }),
  format: formatOf(from),
  index,
});

/** One step of thinking in an answer. `opens`: it begins a block even if the one before has the same origin. */
export interface Thought {
  text: string;
  signature?: string | undefined;
  /** A sealed block that shows no text. */
  data?: string | undefined;
  from: DialectName;
  /** The provider's id of the block. */
  id?: string | undefined;
  /** The provider's number of the block: another one is another block. undefined: not told. */
  index?: number | undefined;
  opens: boolean;
}

/**
 * The thinking in an answer's message or delta. `reasoning_details` count where they say who sealed them; else the text in
 * `reasoning_content`, `reasoning`, or the thinking parts of a content list.
 */
export function reasoningFrom(message: JsonObject): Thought[] {
  const details = itemsOf(message["reasoning_details"]);
  if (details.length > 0) {
    const thoughts = details.flatMap((each) => thoughtOf(objectOf(each)));
    if (thoughts.some(({ from }) => from !== "openai-chat")) return thoughts;
  }
  const text = textOf(message["reasoning_content"]) || textOf(message["reasoning"]) || thinkingParts(message["content"]);
  return text ? [{ text, from: "openai-chat", opens: false }] : [];
}

function thoughtOf(detail: JsonObject | undefined): Thought[] {
  if (!detail) return [];
  const from = dialectOf(textOf(detail["format"])) ?? "openai-chat";
  const id = textOf(detail["id"]);
  const index = countOf(detail["index"]);
  const data = textOf(detail["data"]);
  if (detail["type"] === "reasoning.encrypted") {
    // A seal of nobody that we know opens nowhere.
    return data === undefined || from === "openai-chat" ? [] : [{ text: "", data, from, id, index, opens: true }];
  }
  const text = textOf(detail["text"]) ?? textOf(detail["summary"]) ?? "";
  const signature = textOf(detail["signature"]) || undefined;
  return text === "" && signature === undefined ? [] : [{ text, signature, from, id, index, opens: false }];
}

/** The text of the thinking parts of a content list. */
export function thinkingParts(content: unknown): string {
  return itemsOf(content)
    .map(objectOf)
    .filter((part) => part?.["type"] === "thinking")
    .flatMap((part) => itemsOf(part?.["thinking"]))
    .map((each) => textOf(objectOf(each)?.["text"]) ?? "")
    .join("");
}
