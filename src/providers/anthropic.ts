// https://docs.anthropic.com/en/api/messages
import { anthropicCountTokens } from "../dialects/anthropic-count-tokens";
import { anthropicMessages } from "../dialects/anthropic-messages";
import type { Provider } from "./provider";

export const anthropic: Provider = {
  name: "anthropic",
  aliases: [],
  displayName: "Anthropic",
  baseUrl: "https://api.anthropic.com/v1",
  keyVariable: "ANTHROPIC_API_KEY",
  auth: { scheme: "header", name: "x-api-key" },
  headers: {},
  operations: [
    { does: "chat", dialect: anthropicMessages },
    { does: "count-tokens", dialect: anthropicCountTokens },
  ],
  unsupported: [],
  deviations: {},
  onCallerGone: "cancel",
  families: [/^claude-/],
  autoModels: { simple: "claude-haiku-4-5", medium: "claude-sonnet-4-6", complex: "claude-opus-4-6" },
  passHeaders: [],
};
