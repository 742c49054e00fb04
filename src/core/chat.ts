// The neutral conversation: what every dialect is decoded to and encoded from. N + M codecs, never N × M.
// Parameter names in `param` of failures are the caller's dialect's; the names here are ours.
import type { Usage } from "./usage";

export type DialectName =
  | "openai-chat"
  | "openai-responses"
  | "anthropic-messages"
  | "gemini"
  | "cohere"
  | "ollama"
  | "openai-embeddings"
  | "gemini-embeddings"
  | "cohere-embeddings"
  | "ollama-embeddings"
  | "anthropic-count-tokens"
  | "gemini-count-tokens"
  /** A Responses request at the Chat Completions door, as Cursor sends it: answered as Chat Completions, and the same as no provider's. */
  | "responses-at-chat";

/** How long a provider may keep a marked prefix: Anthropic's `cache_control`. A hint. */
export type CacheHint = "5m" | "1h";

export type Media =
  | { kind: "url"; url: string }
  /** `data` is base64 without a data: prefix. */
  | { kind: "base64"; mediaType: string; data: string }
  /** An id of a file that the provider holds. */
  | { kind: "id"; id: string };

export type Part =
  | { type: "text"; text: string; cache?: CacheHint | undefined; citations?: readonly unknown[] | undefined }
  | { type: "refusal"; text: string }
  | { type: "image"; media: Media; detail?: string | undefined; cache?: CacheHint | undefined }
  | { type: "audio"; media: Media; format?: string | undefined }
  | { type: "file"; media: Media; name?: string | undefined; cache?: CacheHint | undefined }
  /** A thinking block. `signature` is the provider's seal; `from` the dialect that sealed it: dropped on another provider. */
  | { type: "reasoning"; text: string; signature?: string | undefined; from?: DialectName | undefined; id?: string | undefined }
  | { type: "redacted-reasoning"; data: string; from?: DialectName | undefined; id?: string | undefined }
  /**
   * `arguments` is JSON text, exactly as it came; free text where `custom`. `signature`: Gemini's thoughtSignature.
   * `namespace`: see `Tool`.
   */
  | {
      type: "tool-call";
      id: string;
      name: string;
      namespace?: string | undefined;
      arguments: string;
      signature?: string | undefined;
      custom?: boolean | undefined;
      cache?: CacheHint | undefined;
    }
  | {
      type: "tool-result";
      callId: string;
      name?: string | undefined;
      content: readonly Part[];
      isError?: boolean | undefined;
      cache?: CacheHint | undefined;
    };

export type Role = "system" | "developer" | "user" | "assistant" | "tool";

export interface Message {
  role: Role;
  name?: string | undefined;
  parts: readonly Part[];
}

export interface Tool {
  name: string;
  description?: string | undefined;
  /** JSON Schema of the arguments. */
  parameters?: unknown;
  strict?: boolean | undefined;
  cache?: CacheHint | undefined;
  /** A tool that takes free text instead of JSON: OpenAI's `custom`. `format` is its grammar, as it came. */
  custom?: { format?: unknown } | undefined;
  /** The group it belongs to (Responses' `namespace` tools). Unique together with `name`; dialects without groups join both (`wireToolName`). */
  namespace?: string | undefined;
}

/** A tool that a provider runs itself (web search, code execution), as one dialect writes it. No other dialect has a place for it. */
export interface HostedTool {
  /** The dialect's own word ("web_search_20250305"). */
  type: string;
  /** Where it stands in the caller's request ("tools[2]"). */
  at: string;
  /** The caller's cap on calls. Absent: none. 0: the caller's own program runs the tool, which the model was taught. */
  maxCalls?: number | undefined;
}

export type ToolChoice = "auto" | "none" | "required" | { name: string };

export type ResponseFormat =
  | { type: "text" }
  | { type: "json" }
  | { type: "json-schema"; name: string; schema: unknown; description?: string | undefined; strict?: boolean | undefined };

export interface Reasoning {
  /** "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max", as the caller wrote it. */
  effort?: string | undefined;
  budgetTokens?: number | undefined;
  /** The provider chooses how much to think: Anthropic's `thinking: {type: "adaptive"}`. */
  adaptive?: boolean | undefined;
  /** Whether thoughts are shown ("auto", "detailed", "summarized", "omitted", …). */
  summary?: string | undefined;
}

/** One request for a chat answer. Everything optional is absent when the caller did not say it. */
export interface ChatRequest {
  model: string;
  messages: readonly Message[];
  stream: boolean;
  tools?: readonly Tool[] | undefined;
  /** Hosted tools of the caller's list. An unused one is a hint: left out and named by targets of another dialect. */
  hostedTools?: readonly HostedTool[] | undefined;
  toolChoice?: ToolChoice | undefined;
  parallelToolCalls?: boolean | undefined;
  maxOutputTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  topK?: number | undefined;
  stop?: readonly string[] | undefined;
  seed?: number | undefined;
  presencePenalty?: number | undefined;
  frequencyPenalty?: number | undefined;
  /** Number of answers. Absent is 1. */
  choices?: number | undefined;
  logprobs?: boolean | undefined;
  topLogprobs?: number | undefined;
  responseFormat?: ResponseFormat | undefined;
  reasoning?: Reasoning | undefined;
  /** The caller's end user. A hint. */
  user?: string | undefined;
  metadata?: Readonly<Record<string, string>> | undefined;
  serviceTier?: string | undefined;
  /** The first place whose content is not in the caller's body: a thought or an item that is known by its id. */
  outside?: string | undefined;
  /** Fields with no place above, by the caller's own name: refused as meanings or left out as hints, by the field table. */
  rest: Readonly<Record<string, unknown>>;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** One step of an answer. A whole answer is the same list, with each text in one piece. `choice` is the answer's number, from 0. */
export type ChatEvent =
  | {
      type: "start";
      id?: string | undefined;
      model?: string | undefined /** Unix seconds. */;
      createdAt?: number | undefined;
      systemFingerprint?: string | undefined;
    }
  | { type: "text"; choice: number; text: string /** OpenAI's logprob entries, as they came. */; logprobs?: readonly unknown[] | undefined }
  | { type: "refusal"; choice: number; text: string; logprobs?: readonly unknown[] | undefined }
  /** Thinking. Consecutive events with the same `block` are one block; a signature closes it. */
  | {
      type: "reasoning";
      choice: number;
      block: number;
      text: string;
      signature?: string | undefined;
      from: DialectName;
      /** The provider's id of the block (Responses' reasoning items have one, and want it back). */
      id?: string | undefined;
    }
  | { type: "redacted-reasoning"; choice: number; block: number; data: string; from: DialectName; id?: string | undefined }
  /** Opens tool call number `index`. Its arguments follow. `signature`: Gemini's thoughtSignature. */
  | {
      type: "tool-call";
      choice: number;
      index: number;
      id: string;
      name: string;
      namespace?: string | undefined;
      signature?: string | undefined;
      custom?: boolean | undefined;
    }
  | { type: "tool-arguments"; choice: number; index: number; text: string }
  /** Sources of the text so far, as OpenAI's `url_citation` annotations where they have an address, else the provider's own object. */
  | { type: "annotations"; choice: number; annotations: readonly unknown[] }
  /** Spoken answer: OpenAI's audio object, as it came (whole or a delta). */
  | { type: "audio"; choice: number; audio: Readonly<Record<string, unknown>> }
  /** An image that the model made. */
  | { type: "image"; choice: number; media: Media }
  /** The vector of input number `index`: numbers, or base64 of little-endian float32. Only answers of embedding models hold it. */
  | { type: "embedding"; index: number; vector: readonly number[] | string }
  /** What a request would have as input tokens: the answer of a count, and nothing that is billed. */
  | { type: "token-count"; inputTokens: number }
  | { type: "finish"; choice: number; reason: FinishReason /** The provider's own word. */; raw: string }
  /** Cumulative: the last one said wins (mergeUsage). */
  | { type: "usage"; usage: Usage };

/** What answers of other operations hold: embeddings and counts. */
export type FigureEvent = Extract<ChatEvent, { type: "embedding" | "token-count" }>;

/** A step of a spoken answer: doors for chat write these only. */
export type SpokenEvent = Exclude<ChatEvent, FigureEvent>;

export const isSpoken = (event: ChatEvent): event is SpokenEvent => event.type !== "embedding" && event.type !== "token-count";
