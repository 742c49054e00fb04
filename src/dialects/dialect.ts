// A dialect is a wire format both ways: pure, synchronous, no I/O, no clock, so a test can cut its input anywhere.
import type { ChatEvent, ChatRequest, DialectName } from "../core/chat";
import type { Failure } from "../core/failure";
import type { NanoUsd } from "../core/money";
import type { HeaderView } from "../core/ports";
import type { Usage } from "../core/usage";
import type { Frame, Framer } from "../wire/frame";
import type { FieldTable } from "./field-table";

/** How a provider departs from the dialect it speaks. Each is a fact with a meaning, never a name. */
export interface Deviations {
  /** How a stream says it is over. Absent: the dialect's own terminator. `eof`: the connection ends. */
  terminator?: "eof" | undefined;
  /** The token-limit field that this provider reads. Absent: `max_completion_tokens`. */
  maxTokensField?: "max_tokens" | undefined;
  /** Chat Completions only: the provider reads the thinking of earlier answers. Absent: it is left out. */
  takesReasoning?: true | undefined;
  /** The field of an assistant's message in which the provider reads thinking (with `takesReasoning`). Absent: `reasoning_content`. */
  reasoningField?: "reasoning" | undefined;
  /** With `takesReasoning`: it reads `reasoning_details` too, and the seals of tool calls. */
  reasoningDetails?: true | undefined;
  /** Answers may break the dialect's published types: each is checked, and written again where it does. Absent: they go through as they came. */
  looseAnswers?: true | undefined;
  /** Output tokens are told without the reasoning tokens beside them. */
  reasoningBesideCompletion?: true | undefined;
  /** Input tokens are told without the audio tokens beside them. */
  audioBesidePrompt?: true | undefined;
  /** The provider's word for the role "developer". Absent: the same. */
  developerRole?: "system" | undefined;
  /** The only ids of tool calls that the provider takes: this many of A-Z a-z 0-9. Others go out under such ids. Absent: any. */
  toolCallIdLength?: number | undefined;
  /** The provider's name of `seed`. */
  seedField?: "random_seed" | undefined;
  /** The provider does not know `stream_options`; usage comes unasked. */
  noStreamOptions?: true | undefined;
  /** No free-text tools: they go out as functions of one string. */
  functionToolsOnly?: true | undefined;
  /** A user's message may not follow a tool's: an assistant's of one word goes between them. */
  noUserAfterTool?: true | undefined;
  /** The provider reads `cache_control` marks on parts and tools. */
  takesCacheMarks?: true | undefined;
  /** Members of messages that are not the provider's own are refused there: they are left out of what is sent back. */
  strictMessages?: true | undefined;
  /** Embeddings only: what base64 stands for in answers, whatever was asked for. Absent: little-endian float32, as OpenAI has it. */
  vectors?: "int8" | undefined;
  /** Embeddings only: the path under the provider's base URL. Absent: "/embeddings". */
  embeddingsPath?: string | undefined;
  /** The provider's name of `dimensions`. */
  dimensionsField?: "output_dimension" | undefined;
}

/** What `encodeRequest` needs beside the request. */
export interface EncodeContext {
  /** The provider's own model id. */
  model: string;
  /** Always sent where the dialect demands one (Anthropic) and the caller gave none. */
  defaultMaxOutputTokens: number;
  /** Goes out as the output limit where bytes are forwarded and the caller gave none. undefined: nothing is put in. */
  injectMaxOutputTokens?: number | undefined;
  /** Goes out as the service tier where bytes are forwarded, in place of none or "auto". */
  injectServiceTier?: string | undefined;
  /** Fields the provider refuses, by the caller's names: refused (meaning) or left out (hint). */
  unsupported: readonly string[];
  /** True: a meaning that has no place is dropped and named, not refused. */
  dropUnsupported: boolean;
  deviations: Deviations;
  /** The gateway chose the model: the request goes out in the names that every model of the dialect reads. */
  routed?: boolean | undefined;
  /** The key of our own object in bodies: it never goes to a provider. Absent: "tollway". */
  extensionName?: string | undefined;
  /** Whether the model may think, as the catalogue knows it. undefined: not known. */
  reasons?: boolean | undefined;
  /** The dialect that the caller speaks, which says what the names in `request.rest` mean. Absent: Chat Completions. */
  caller?: Pick<DoorDialect, "name" | "fields"> | undefined;
}

export interface EncodedRequest {
  /** Path after the provider's base URL, with its query ("/models/gemini-2.5-pro:streamGenerateContent?alt=sse"). */
  path: string;
  /** JSON text. */
  body: string;
  /** Extra headers that the body needs (betas, versions). */
  headers: Readonly<Record<string, string>>;
  /** Names of the caller's fields that were left out, for `x-tollway-ignored`. */
  ignored: readonly string[];
  /** The output limit that goes out, when there is one. */
  maxOutputTokens: number | undefined;
}

/** Feed it frames in order; it gives events. Throws `Failure` for provider errors, garbage and truncation. */
export interface StreamDecoder {
  push(frame: Frame): ChatEvent[];
  /** The bytes are over. Throws `stream_truncated` unless the provider had ended cleanly. */
  end(): ChatEvent[];
  /** The provider's terminator was read: what may follow is dropped. Always false for a dialect that ends with its connection. */
  readonly done: boolean;
}

/** What the provider's error answer means. */
export interface ProviderError {
  failure: Failure;
  /** Whether the same target may be asked again, another one, or nobody (the request itself is wrong). */
  retry: "same" | "elsewhere" | "never";
}

/** The provider's side of a dialect. */
export interface Dialect {
  readonly name: DialectName;
  encodeRequest(request: ChatRequest, context: EncodeContext): EncodedRequest;
  /** A whole answer's body → events. Throws `Failure` (`upstream_error`) for what is not an answer. */
  decodeResponse(body: string, deviations?: Deviations): ChatEvent[];
  /** How this stream is cut into frames, by the answer's content type; undefined: not a stream of this dialect. */
  openFramer(contentType: string): Framer | undefined;
  openStream(deviations: Deviations): StreamDecoder;
  /** Never echoes a secret. */
  decodeError(status: number, headers: HeaderView, body: string): ProviderError;
}

/** What goes into the three named splices. Costs are undefined where the model has no price. */
export interface Stamp {
  costUsd: NanoUsd | undefined;
  /** The `tollway` object; undefined when the key's response metadata is not inline. */
  extension: Readonly<Record<string, unknown>> | undefined;
  /** Used where the provider told no usage: our own count. */
  countedUsage?: Usage | undefined;
}

/** What an answer's writer needs to know. */
export interface AnswerContext {
  /** What `model` says to the caller. */
  model: string;
  /** The namespace: key of the extension object. */
  extensionName: string;
  /** The gateway's own id of the call: an answer's id is made of it where the provider gave none of the dialect's kind. */
  requestId: string;
  /** What the caller asked for, as it was read and as it was written: some dialects' answers repeat it. */
  request: ChatRequest;
  asked: Readonly<Record<string, unknown>>;
  /** Keeps an item of the answer for a while, for a next request that names it by its id. Absent: nothing is kept. */
  keepItem?: ((id: string, item: unknown) => void) | undefined;
  /** Unix seconds, used where the provider gave none. */
  createdAt: number;
  /** The time now, in Unix seconds, for answers that say when they were finished. Absent: they say nothing of it. */
  nowSeconds?: (() => number) | undefined;
  /** Whether the caller asked for the usage chunk (`stream_options.include_usage`). */
  includeUsage: boolean;
  /** Called once, when everything is known. */
  stamp(usage: Usage | undefined): Stamp;
}

/** Writes a stream in the caller's dialect. Every result is text ready for the wire (may be ""). */
export interface StreamEncoder {
  push(event: ChatEvent): string;
  /** The clean end: last frames and the dialect's terminator. */
  end(): string;
  /** The stream broke: the dialect's error event, without terminator. */
  fail(failure: FailureBody): string;
}

/** Same dialect in and out: the provider's frames go through, spliced; the decoder runs beside them as a meter. */
export interface StreamForwarder {
  /** Bytes to write now (may be empty), and what the meter saw. */
  push(frame: Frame): { bytes: readonly Uint8Array[]; events: readonly ChatEvent[] };
  end(): { bytes: readonly Uint8Array[]; events: readonly ChatEvent[] };
  fail(failure: FailureBody): string;
  /** The provider's terminator was read (and written). */
  readonly done: boolean;
}

/** A failure as the caller will read it: made in one place (gateway/failure-body.ts) from `Failure` and the table. */
export interface FailureBody {
  /** HTTP status that goes with it. */
  status: number;
  message: string;
  type: string;
  param: string | null;
  code: string;
  /** The extension object's content. */
  facts: Readonly<Record<string, unknown>>;
}

/** What a caller's request in this dialect says. */
export interface DecodedRequest {
  request: ChatRequest;
  /** The caller asked for the usage chunk of a stream. */
  includeUsage: boolean;
  /**
   * What a field or a place is called in the caller's dialect, from its name in ours ("max_completion_tokens", "messages[2].content[0]").
   * Absent: the same.
   */
  nameOf?: ((param: string) => string) | undefined;
}

/** The caller's side of a dialect that has a door. */
export interface DoorDialect extends Dialect {
  /** Content type of a stream that leaves the door. */
  readonly streamType: string;
  /** Every top-level field of a request: what each is to the answer. */
  readonly fields: FieldTable;
  /** Request headers that belong to the dialect (lower-case): versions and betas. `decodeRequest` gets those that came. */
  readonly readsHeaders: readonly string[];
  /** The header that carries the request id beside `x-request-id`, where the dialect's clients look for another. */
  readonly requestIdHeader?: string | undefined;
  /** `json` is the parsed body; `recall` finds an item of an earlier answer by its id. Throws `Failure` with the field in `param`. */
  decodeRequest(json: unknown, headers?: Readonly<Record<string, string>>, recall?: (id: string) => unknown): DecodedRequest;
  encodeResponse(events: readonly ChatEvent[], context: AnswerContext): string;
  openEncoder(context: AnswerContext): StreamEncoder;
  encodeFailure(failure: FailureBody, extensionName: string): string;
  /** The caller's bytes towards the same dialect: spliced, never re-serialised. */
  forwardRequest(
    bytes: Uint8Array,
    request: DecodedRequest,
    context: EncodeContext,
  ): {
    path: string;
    bytes: Uint8Array;
    headers: Readonly<Record<string, string>>;
    ignored: readonly string[];
    maxOutputTokens: number | undefined;
  };
  /** The provider's whole answer, spliced. `events` is the meter's reading of the same body. */
  forwardResponse(bytes: Uint8Array, context: AnswerContext, deviations?: Deviations): { bytes: Uint8Array; events: readonly ChatEvent[] };
  openForwarder(context: AnswerContext, deviations: Deviations): StreamForwarder;
}
