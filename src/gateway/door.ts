// A door is what a caller's program speaks to: a name and the dialect of what comes in and goes out.
import type { DoorName } from "../core/exchange";
import type { DoorDialect } from "../dialects/dialect";
import { openaiChat } from "../dialects/openai-chat";
import { openaiEmbeddings } from "../dialects/openai-embeddings";
import type { Operation } from "../providers/provider";

export interface Door {
  readonly name: DoorName;
  /** What a provider must be able to do to serve it. */
  readonly operation: Operation;
  readonly dialect: DoorDialect;
}

export const CHAT_DOOR: Door = { name: "chat", operation: "chat", dialect: openaiChat };
export const EMBEDDINGS_DOOR: Door = { name: "embeddings", operation: "embeddings", dialect: openaiEmbeddings };
