// What each door can ask of each provider, found by doing it: the request is encoded for the provider's row, and every recorded
// answer that shows the capability is decoded and written in the door's dialect.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChatEvent } from "../../src/core/chat";
import { Failure } from "../../src/core/failure";
import type { AnswerContext, Dialect, DoorDialect, EncodeContext } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { CHAT_DOOR, type Door, MESSAGES_DOOR, RESPONSES_DOOR } from "../../src/gateway/door";
import { dialectFor } from "../../src/gateway/operation";
import type { Provider } from "../../src/providers/provider";
import { PROVIDERS, providerNamed } from "../../src/providers/registry";
import { openPrices } from "../../src/store/prices";
import { type Recording, recordings, SHARED, sharedMissing } from "../recordings/load";
import type { Capability } from "./asks";

export const DOORS: readonly Door[] = [CHAT_DOOR, RESPONSES_DOOR, MESSAGES_DOOR];
export const ROWS: readonly Provider[] = [...PROVIDERS, providerNamed("byo:any")];

/** Recordings of these stand for a row that speaks the same: clouds that host another's models, and servers of one's own. */
const STANDS_FOR: Readonly<Record<string, string>> = { azure: "byo:any", llamacpp: "byo:any", vertex: "gemini", bedrock: "anthropic" };
/** The recorded formats, by the dialect that reads them. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  "openai-chat": ["openai-chat", "gemini-openai-compat"],
  "openai-responses": ["openai-responses"],
  "anthropic-messages": ["anthropic-messages"],
  gemini: ["gemini"],
  cohere: ["cohere-v2-chat"],
  ollama: ["ollama-chat"],
};
/** The recorded formats that a chat door's caller may be answered from. */
export const CHAT_FORMATS: readonly string[] = Object.values(FORMATS).flat();

/** A model of each provider that thinks, where it has one. */
const MODELS: Readonly<Record<string, string>> = {
  openai: "gpt-5-mini",
  anthropic: "claude-sonnet-4-6",
  gemini: "gemini-2.5-flash",
  mistral: "mistral-medium-latest",
  groq: "openai/gpt-oss-120b",
  deepseek: "deepseek-reasoner",
  xai: "grok-4",
  together: "openai/gpt-oss-120b",
  fireworks: "accounts/fireworks/models/gpt-oss-120b",
  perplexity: "sonar-reasoning-pro",
  openrouter: "openai/gpt-5-mini",
  cohere: "command-a-reasoning-08-2025",
  ollama: "qwen3",
  vllm: "Qwen/Qwen3-8B",
};

const AT = Date.UTC(2026, 10, 23);
const prices = openPrices();

export type Cell =
  /** The dialect of the door has no words for it. */
  | { kind: "unsaid" }
  /** Refused by name, before anything is sent. */
  | { kind: "refused"; param: string }
  /** It goes out; `answers` recorded answers show it and were read and written; `leftOut` names what did not go along. */
  | { kind: "sent"; answers: number; leftOut: readonly string[] };

export function cellOf(door: Door, provider: Provider, capability: Capability): Cell {
  const asked = capability[door.name as "chat" | "responses" | "messages"];
  if (asked === undefined) return { kind: "unsaid" };
  const dialect = dialectFor(provider, door);
  if (!dialect) return { kind: "refused", param: "model" };
  try {
    const leftOut = send(door.dialect, dialect, provider, { model: "m", ...asked });
    return { kind: "sent", leftOut, answers: answersOf(door, dialect, provider, capability) };
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== "unsupported_parameter") throw thrown;
    return { kind: "refused", param: thrown.param ?? thrown.message };
  }
}

/** What the encoders leave out of a request, by the caller's names. Throws `unsupported_parameter`, likewise. */
function send(door: DoorDialect, dialect: Dialect, provider: Provider, body: object): readonly string[] {
  const decoded = door.decodeRequest(body, {});
  const model = MODELS[provider.name] ?? "any-model";
  const info = prices.model(provider.name, model, AT);
  const context: EncodeContext = {
    model,
    defaultMaxOutputTokens: 8_192,
    unsupported: provider.unsupported,
    dropUnsupported: false,
    deviations: provider.deviations,
    caller: door,
    reasons: info?.capabilities.includes("reasoning"),
  };
  const nameOf = decoded.nameOf ?? ((param: string) => param);
  if (dialect.name === door.name) return door.forwardRequest(new TextEncoder().encode(JSON.stringify(body)), decoded, context).ignored;
  try {
    return dialect.encodeRequest(decoded.request, context).ignored.map(nameOf);
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.param !== undefined) throw thrown.with({ param: nameOf(thrown.param) });
    throw thrown;
  }
}

const cellsById = new Map<string, readonly string[]>();
function cellsOf(recording: Recording): readonly string[] {
  if (cellsById.size === 0 && !sharedMissing) {
    const index: { recordings: { id: string; cells: string[] }[] } = JSON.parse(
      readFileSync(join(SHARED, "recordings/index.json"), "utf8"),
    );
    for (const { id, cells } of index.recordings) cellsById.set(id, cells);
  }
  return cellsById.get(recording.id) ?? [];
}

/** Number of recorded answers of the provider that show the capability. Throws where one cannot be written at the door. */
function answersOf(door: Door, dialect: Dialect, provider: Provider, capability: Capability): number {
  const formats = FORMATS[dialect.name] ?? [];
  const shown = recordings().filter(
    (one) =>
      (STANDS_FOR[one.provider] ?? one.provider) === provider.name &&
      formats.includes(one.format) &&
      one.status < 400 &&
      (cellsOf(one).some((cell) => capability.cells.includes(cell)) || capability.asks?.test(JSON.stringify(one.request ?? {}))),
  );
  return shown.filter((one) => wasWritten(one, door, dialect, provider)).length;
}

/** Answers that end in a failure, as a caller must be told, show nothing. */
function wasWritten(one: Recording, door: Door, dialect: Dialect, provider: Provider): boolean {
  try {
    writeAnswer(readAnswer(one, { dialect, provider }), door, one.stream ? "streamed" : "whole");
    return true;
  } catch (thrown) {
    if (thrown instanceof Failure) return false;
    throw thrown;
  }
}

export const context: AnswerContext = {
  model: "asked-for",
  extensionName: "tollway",
  requestId: "01890000-0000-7000-8000-000000000000",
  request: { model: "asked-for", messages: [], stream: false, rest: {} },
  asked: { model: "asked-for" },
  createdAt: 1_790_000_000,
  includeUsage: true,
  stamp: (usage) => ({ costUsd: usage?.reportedCost, extension: undefined }),
};

/** An answer as the door's caller reads it. */
export function writeAnswer(events: readonly ChatEvent[], { dialect }: Door, way: "whole" | "streamed"): string {
  if (way === "whole") return dialect.encodeResponse(events, context);
  const encoder = dialect.openEncoder(context);
  return events.map((event) => encoder.push(event)).join("") + encoder.end();
}

/** Who reads a recording: the row of its provider and the dialect of its format. */
export function rowOf(one: Recording): { dialect: Dialect; provider: Provider } {
  const provider = providerNamed(STANDS_FOR[one.provider] ?? one.provider);
  const dialect = provider.operations.map((operation) => operation.dialect).find((each) => FORMATS[each.name]?.includes(one.format));
  // A format that the row does not speak (Ollama's compatible API, say) is read as any compatible endpoint's.
  return dialect ? { dialect, provider } : { dialect: openaiChat, provider: providerNamed("byo:any") };
}

/** What a recorded answer says. Throws `Failure` where it is one. */
export function readAnswer(one: Recording, { dialect, provider }: ReturnType<typeof rowOf>): ChatEvent[] {
  if (!one.stream) return dialect.decodeResponse(new TextDecoder().decode(one.body), provider.deviations);
  const framer = dialect.openFramer(one.headers.get("content-type") ?? "text/event-stream");
  if (!framer) throw new Error(`${one.id} is no stream of ${dialect.name}`);
  const decoder = dialect.openStream(provider.deviations);
  const frames = [...framer.push(one.body), ...framer.end()];
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}
