// Messages bodies as tests compare them: one way to write what Anthropic reads the same.

export type Content = string | Block[];

/** A recorded content block, with the fields of every kind. */
export interface Block {
  type: string;
  text?: string;
  source?: { type: string; url?: string; media_type?: string; data?: string };
  title?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: Content;
  is_error?: boolean;
  thinking?: string;
  signature?: string;
  data?: string;
  cache_control?: { type: string; ttl?: string };
  citations?: unknown;
}

export interface Turn {
  role: string;
  content: Content;
}

export interface Body {
  model: string;
  max_tokens: number;
  messages: Turn[];
  system?: Content;
  stream?: boolean;
  temperature?: number;
  top_p?: number;
  top_k?: number;
  stop_sequences?: string[];
  metadata?: { user_id: string };
  service_tier?: string;
  thinking?: { type: string; budget_tokens?: number };
  tools?: { name: string; description?: string; input_schema: object; strict?: boolean; cache_control?: { type: string; ttl?: string } }[];
  tool_choice?: { type: string; disable_parallel_tool_use?: boolean };
  output_format?: { schema: object };
  output_config?: { format?: { schema: object } };
}

export const list = (content: Content | undefined): Block[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);

/** One way to write what Anthropic reads the same: texts as blocks, defaults left out, the newer place of the schema. */
export function canonical(body: Body): object {
  const { output_format, ...rest } = body;
  const plain: Body = JSON.parse(JSON.stringify(rest, withoutDefaults));
  return {
    ...plain,
    stream: plain.stream ?? false,
    ...(plain.system === undefined ? {} : { system: list(plain.system) }),
    messages: plain.messages.map(({ role, content }) => ({ role, content: list(content).map(({ citations: _, ...block }) => block) })),
    ...(output_format === undefined ? {} : { output_config: { format: output_format } }),
  };
}

function withoutDefaults(key: string, value: unknown): unknown {
  const said = value as Block | undefined;
  if (key === "cache_control") return { type: "ephemeral", ttl: (value as { ttl?: string }).ttl ?? "5m" };
  if (said?.type === "tool_result") {
    const { is_error, cache_control: _, content, ...block } = said;
    return { ...block, ...(is_error ? { is_error } : {}), content: list(content) };
  }
  if ((key === "strict" || key === "disable_parallel_tool_use") && value === false) return undefined;
  return key === "thinking" && said?.type === "disabled" ? undefined : value;
}
