// Stands in for providers that cannot count: it answers a count of tokens in this process, with an estimate. Nothing is
// billed by a count, so an estimate is better than a refusal.
import type { Message, Part, Tool } from "../core/chat";
import type { DialRequest, DialResponse } from "../core/ports";
import { anthropicCountTokens } from "../dialects/anthropic-count-tokens";
import type { Provider } from "./provider";

export const counter: Provider = {
  name: "counter",
  aliases: [],
  displayName: "Counter",
  baseUrl: "counter:",
  keyVariable: "",
  auth: { scheme: "bearer" },
  headers: {},
  operations: [{ does: "count-tokens", dialect: anthropicCountTokens }],
  unsupported: [],
  deviations: {},
  onCallerGone: "cancel",
  families: [],
  autoModels: {},
  passHeaders: [],
  inProcess: count,
};

/** What most tokenizers make of most texts: four bytes of English a token, and most of a character of Chinese. */
const BYTES_PER_TOKEN = 4;
/** Role markers and separators. */
const MESSAGE_TOKENS = 4;
const TOOL_TOKENS = 16;
/** An image or a page in the middle of what providers charge (258 to 1,600). */
const MEDIA_TOKENS = 1_000;

async function count(request: DialRequest): Promise<DialResponse> {
  const text = typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body);
  const asked = anthropicCountTokens.decodeRequest(JSON.parse(text)).request;
  const bytes = new TextEncoder().encode(JSON.stringify({ input_tokens: tokensOf(asked.messages, asked.tools ?? []) }));
  return {
    status: 200,
    headers: new Map([["content-type", "application/json"]]),
    body: new Blob([bytes]).stream(),
    bytes: async () => bytes,
  };
}

/** Estimated tokens of a conversation with its tools; at least 1. */
export function tokensOf(messages: readonly Message[], tools: readonly Tool[]): number {
  let tokens = 0;
  for (const { parts } of messages) tokens += MESSAGE_TOKENS + sum(parts);
  for (const { name, description = "", parameters = {} } of tools) {
    tokens += TOOL_TOKENS + ofText(name) + ofText(description) + ofText(JSON.stringify(parameters));
  }
  return Math.max(1, tokens);
}

const ofText = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
const sum = (parts: readonly Part[]): number => parts.reduce((total, part) => total + ofPart(part), 0);

function ofPart(part: Part): number {
  switch (part.type) {
    case "text":
    case "refusal":
      return ofText(part.text);
    case "reasoning":
    case "redacted-reasoning":
      // Thoughts of earlier turns are left out by those that made them.
      return 0;
    case "tool-call":
      return ofText(part.name) + ofText(part.arguments);
    case "tool-result":
      return sum(part.content);
    case "image":
    case "audio":
    case "file":
      return MEDIA_TOKENS;
  }
}
