// The top-level fields of a Messages request, each with what it is to the answer, the beta ones included:
// https://platform.claude.com/docs/en/api/messages/create
import type { MessageCreateParamsBase as BetaParams } from "@anthropic-ai/sdk/resources/beta/messages/messages";
import type { MessageCreateParamsBase } from "@anthropic-ai/sdk/resources/messages/messages";
import type { FieldRow, FieldTable } from "./field-table";
import { objectOf } from "./provider-json";

/** Under these names `rest` keeps the dialect's headers. */
export const BETA_HEADER = "anthropic-beta";
export const VERSION_HEADER = "anthropic-version";

export const ANTHROPIC_MESSAGES_FIELDS = {
  /** Betas switch on fields and blocks, and those are judged by themselves. */
  [BETA_HEADER]: { kind: "hint" },
  [VERSION_HEADER]: { kind: "gateway", done: true },
  betas: { kind: "hint" },
  /** Whom the provider bills. */
  billing_policy: { kind: "meaning", neutral: (value) => objectOf(value)?.["bill_to"] === "self" },
  cache_control: { kind: "hint" },
  /** Asks for a summary of the conversation in place of an answer. */
  compaction: { kind: "meaning" },
  /** Files and skills that the model works with. */
  container: { kind: "meaning" },
  context_management: { kind: "hint" },
  diagnostics: { kind: "hint" },
  fallback_credit_token: { kind: "hint" },
  /** Names other models, which the key may not allow and the price is not of: failover is the gateway's own. */
  fallbacks: { kind: "gateway" },
  /** Where the data may be processed. */
  inference_geo: { kind: "meaning" },
  max_tokens: { kind: "meaning" },
  mcp_servers: { kind: "meaning" },
  messages: { kind: "meaning" },
  metadata: { kind: "hint" },
  model: { kind: "meaning" },
  output_config: { kind: "meaning" },
  output_format: { kind: "meaning" },
  service_tier: { kind: "hint" },
  /** The same answer, sooner. */
  speed: { kind: "hint", neutral: (value) => value === "standard" },
  stop_sequences: { kind: "meaning" },
  stream: { kind: "meaning" },
  system: { kind: "meaning" },
  temperature: { kind: "meaning" },
  thinking: { kind: "meaning" },
  /** The conversation's beginning is held by the provider. */
  thread: { kind: "meaning" },
  tool_choice: { kind: "meaning" },
  tools: { kind: "meaning" },
  top_k: { kind: "meaning" },
  top_p: { kind: "meaning" },
  user_profile_id: { kind: "hint" },
  workspace_id: { kind: "hint" },

  // What callers send to gateways: OpenRouter's, LiteLLM's and Vercel's fields.
  models: { kind: "gateway" },
  plugins: { kind: "gateway" },
  preset: { kind: "gateway" },
  provider: { kind: "gateway", done: true },
  providerOptions: { kind: "gateway" },
  route: { kind: "gateway" },
  session_id: { kind: "gateway" },
  tags: { kind: "gateway" },
  trace: { kind: "gateway" },
  transforms: { kind: "gateway" },
} as const satisfies FieldTable & Readonly<Record<keyof BetaParams | keyof MessageCreateParamsBase, FieldRow>>;
