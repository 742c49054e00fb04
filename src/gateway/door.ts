// A door is what a caller's program speaks to: a name and the dialect of what comes in and goes out.
import type { DoorName, Received } from "../core/exchange";
import { anthropicCountTokens } from "../dialects/anthropic-count-tokens";
import { anthropicMessages } from "../dialects/anthropic-messages";
import type { DoorDialect } from "../dialects/dialect";
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import { openaiResponses } from "../dialects/openai-responses";
import { responsesAtChat } from "../dialects/responses-at-chat";
import type { Operation } from "../providers/provider";

export interface Door {
  readonly name: DoorName;
  /** What a provider must be able to do to serve it. */
  readonly operation: Operation;
  readonly dialect: DoorDialect;
}

export const CHAT_DOOR: Door = { name: "chat", operation: "chat", dialect: openaiChat };
export const RESPONSES_DOOR: Door = { name: "responses", operation: "chat", dialect: openaiResponses };
export const MESSAGES_DOOR: Door = { name: "messages", operation: "chat", dialect: anthropicMessages };
export const COUNT_TOKENS_DOOR: Door = { name: "count-tokens", operation: "count-tokens", dialect: anthropicCountTokens };
export const EMBEDDINGS_DOOR: Door = { name: "embeddings", operation: "embeddings", dialect: openaiEmbeddings };

const RESPONSES_AT_CHAT: Door = { ...CHAT_DOOR, dialect: responsesAtChat };

/** The door as the body's shape has it: Cursor sends Responses requests to Chat Completions, and reads its chunks. */
export const shapedDoor = (door: Door, { json }: Received): Door =>
  door === CHAT_DOOR && json["input"] !== undefined && json["messages"] === undefined ? RESPONSES_AT_CHAT : door;
