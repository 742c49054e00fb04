// A provider is a data row. Shared code reads its fields and never asks for its name.
import type { Clock, DialRequest, DialResponse } from "../core/ports";
import type { Tier } from "../core/price";
import type { Deviations, Dialect } from "../dialects/dialect";

export type AuthScheme = { scheme: "bearer" } | { scheme: "header"; name: string };

export type Operation = "chat" | "embeddings" | "count-tokens";

/** One way in which a provider does something. */
export interface OperationRow {
  readonly does: Operation;
  readonly dialect: Dialect;
}

export interface Provider {
  /** The slug: "openai". */
  readonly name: string;
  /** Other slugs that mean it. */
  readonly aliases: readonly string[];
  readonly displayName: string;
  /** With the provider's version prefix, without a trailing slash. Replaced by TOLLWAY_<NAME>_BASE_URL. */
  readonly baseUrl: string;
  /** The environment variable that holds the operator's key. */
  readonly keyVariable: string;
  /** It runs on the operator's own machines: connected by its base URL (`baseUrl` is only the usual one), with a key or without. */
  readonly selfHosted?: true | undefined;
  readonly auth: AuthScheme;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The caller's own dialect is used where it is among them, else the first that does the thing. */
  readonly operations: readonly OperationRow[];
  /** Fields of a request that this provider refuses, by OpenAI's names. */
  readonly unsupported: readonly string[];
  readonly deviations: Deviations;
  /** What a caller's leaving does upstream: `cancel` stops the bill, `drain` would be billed anyway. */
  readonly onCallerGone: "cancel" | "drain";
  /** Ids that the catalogue does not know go by these prefixes ("gpt-", "o3"). */
  readonly families: readonly RegExp[];
  /** The models that `auto` chooses from, by tier; none: never chosen by `auto`. */
  readonly autoModels: Readonly<Partial<Record<Tier, string>>>;
  /** Set for a provider that lives in this process instead of behind the network. */
  readonly inProcess?: (request: DialRequest, clock: Clock, signal: AbortSignal) => Promise<DialResponse>;
  /** Response headers that may go on to the caller (lower-case). */
  readonly passHeaders: readonly string[];
}
