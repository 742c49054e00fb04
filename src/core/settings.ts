// What the operator set, frozen at start. config.ts reads it; the line only reads fields.
import type { Brand } from "./brand";
import type { Secret } from "./secret";

export interface Limits {
  /** Bytes of a request's body. */
  maxBodyBytes: number;
  /** Decoded bytes of a provider's whole answer. */
  maxAnswerBytes: number;
  /** Targets tried for one call. */
  maxTargets: number;
}

/** Milliseconds. */
export interface Deadlines {
  /** The caller's whole body. */
  bodyMs: number;
  /** A stream's first frame, from the moment the request goes out. */
  firstChunkMs: number;
  /** A whole answer, from the moment the request goes out. */
  answerMs: number;
  /** Silence in the middle of a stream. */
  idleGapMs: number;
  /** A caller that does not read. */
  writeStallMs: number;
  /** How long a provider that bills anyway is listened to after the caller left. */
  drainMs: number;
}

export interface Settings {
  readonly brand: Brand;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
}

/** A provider account that the operator connected: where it is and with which credential. */
export interface Connection {
  /** The provider's slug, or an endpoint's name ("byo:acme"). */
  readonly provider: string;
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** undefined: it is asked without one (the operator's own machines). */
  readonly credential: Secret | undefined;
  /** Ids of the models there as callers name them, where the operator listed them: no catalogue knows the operator's own machines. */
  readonly models?: readonly string[] | undefined;
  /** What every model there costs, in USD per million tokens, as decimal text. undefined: nobody said. */
  readonly price?: { readonly input: string; readonly output: string } | undefined;
  /** During a rotation: what it is asked with where it does not take `credential`. */
  readonly older?: Secret | undefined;
  /** The stored credential's id; undefined: connected by the environment. */
  readonly credentialId?: string | undefined;
}

/** Provider accounts that calls may use: a port. Synchronous, and asked several times a call. */
export interface Connections {
  /** At most one of each provider: the project's own, else the organization's own, else the operator's for all. */
  connected(organizationId: string, projectId?: string): readonly Connection[];
  /** Where a provider is for those who connect it without an address of their own. undefined: it has none. */
  address(provider: string): string | undefined;
}

/** The variable that moves a provider or connects an endpoint: "byo:my-llm" is at TOLLWAY_BYO_MY_LLM_BASE_URL. */
export const baseUrlVariable = (provider: string): string => `TOLLWAY_${provider.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_BASE_URL`;

/** What is wrong with a base URL, after its name; undefined: nothing. Whether its address may be asked is another question. */
export function baseUrlFault(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "is not a URL";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "takes http: or https:";
  if (url.username !== "" || url.password !== "") return "must not hold credentials";
  if (url.search !== "" || url.hash !== "") return "takes no query and no fragment";
  return undefined;
}
