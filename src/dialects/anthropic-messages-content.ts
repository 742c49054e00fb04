// The conversation of a Messages request → neutral messages, with the place that each part has in the caller's words.
// https://platform.claude.com/docs/en/api/messages/create#body-messages
import { z } from "zod";
import type { Message, Part } from "../core/chat";
import { cacheOf, decodeBlock, keepOthers, type RawBlock, type Rest } from "./anthropic-messages-block-decode";
import { callIdOf } from "./anthropic-messages-blocks";
import { check } from "./request-check";

/** Where a neutral message stands in the caller's request. */
export interface Place {
  /** The message, or the block that became one ("messages[3].content[0]"). */
  message: string;
  /** Its content. */
  content: string;
  /** Each part's block. */
  parts: readonly string[];
}

export interface Conversation {
  messages: Message[];
  /** One for each message. */
  places: Place[];
}

/** Claude Code's first system block tells its own billing what it is. Its nonce would spoil every other provider's prompt cache. */
const BILLING = "x-anthropic-billing-header";

const Turn = z.looseObject({ role: z.enum(["user", "assistant", "system"]), content: z.unknown() });
const TURN_FIELDS = ["role", "content"];
const Content = z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]);
type Content = z.infer<typeof Content>;
const SystemBlock = z.looseObject({ type: z.literal("text"), text: z.string() });
const ToolResult = z.looseObject({ tool_use_id: z.string(), content: Content.nullish(), is_error: z.boolean().nullish() });
const RESULT_FIELDS = ["type", "tool_use_id", "content", "is_error", "cache_control"];

/** Throws `Failure` with the caller's path in `param`. What has no neutral place goes to `rest`. */
export function decodeConversation(system: Content | null | undefined, turns: readonly unknown[], rest: Rest): Conversation {
  const said: Conversation = { messages: [], places: [] };
  if (system !== null && system !== undefined) addSystem(said, system, "system", "system", rest);
  for (const [index, item] of turns.entries()) {
    const at = `messages[${index}]`;
    const turn = check(Turn, item, at);
    keepOthers(turn, TURN_FIELDS, "message", rest);
    const content = check(Content, turn.content, `${at}.content`);
    if (turn.role === "system") addSystem(said, content, at, `${at}.content`, rest);
    else addTurn(said, turn.role, content, at, rest);
  }
  return said;
}

function addSystem(said: Conversation, content: Content, message: string, at: string, rest: Rest): void {
  const parts: Part[] = [];
  const places: string[] = [];
  if (typeof content === "string") {
    parts.push({ type: "text", text: content });
    places.push(at);
  } else {
    for (const [index, raw] of content.entries()) {
      const place = `${at}[${index}]`;
      const block = check(SystemBlock, raw, place);
      if (block.text.startsWith(BILLING)) continue;
      parts.push(...decodeBlock(block, place, rest, NO_SEALS));
      places.push(place);
    }
    // Nothing but the client's own mark was said.
    if (content.length > 0 && parts.length === 0) return;
  }
  said.messages.push({ role: "system", parts });
  said.places.push({ message, content: at, parts: places });
}

const NO_SEALS: Map<string, string> = new Map();

/** Results of tools stand in the user's turn here; elsewhere each is a message of its own, before what else the user says. */
function addTurn(said: Conversation, role: "user" | "assistant", content: Content, message: string, rest: Rest): void {
  const at = `${message}.content`;
  const parts: Part[] = [];
  const places: string[] = [];
  let results = 0;
  if (typeof content === "string") {
    if (content !== "") parts.push({ type: "text", text: content });
    places.push(at);
  } else {
    const seals = new Map<string, string>();
    for (const [index, block] of content.entries()) {
      const place = `${at}[${index}]`;
      if (role === "user" && block.type === "tool_result") {
        addResult(said, block, place, rest);
        results++;
        continue;
      }
      for (const part of decodeBlock(block, place, rest, seals)) {
        parts.push(part);
        places.push(place);
      }
    }
  }
  if (results > 0 && parts.length === 0) return;
  said.messages.push({ role, parts });
  said.places.push({ message, content: at, parts: places });
}

function addResult(said: Conversation, block: RawBlock, message: string, rest: Rest): void {
  const { tool_use_id: id, content, is_error: isError } = check(ToolResult, block, message);
  keepOthers(block, RESULT_FIELDS, "tool_result", rest);
  const at = `${message}.content`;
  const parts: Part[] = [];
  const places: string[] = [];
  if (typeof content === "string") {
    if (content !== "") parts.push({ type: "text", text: content });
    places.push(at);
  } else {
    for (const [index, inner] of (content ?? []).entries()) {
      const place = `${at}[${index}]`;
      for (const part of decodeBlock(inner, place, rest, NO_SEALS)) {
        parts.push(part);
        places.push(place);
      }
    }
  }
  const result: Part = { type: "tool-result", callId: callIdOf(id), content: parts, isError: isError || undefined, cache: cacheOf(block) };
  said.messages.push({ role: "tool", parts: [result] });
  said.places.push({ message, content: at, parts: places });
}
