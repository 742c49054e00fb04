// A door is what a caller's program speaks to: a name and the dialect of what comes in and goes out.
import type { DoorName } from "../core/exchange";
import type { DoorDialect } from "../dialects/dialect";
import { openaiChat } from "../dialects/openai-chat";

export interface Door {
  readonly name: DoorName;
  readonly dialect: DoorDialect;
}

export const CHAT_DOOR: Door = { name: "chat", dialect: openaiChat };
