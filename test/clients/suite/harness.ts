// What a case is and what it works with. Cases run one after the other, each with an upstream that knows nothing of the last.
import type OpenAI from "openai-7";
import type { ByModel } from "../../upstream/script";
import type { Control } from "./control";

/** Both releases under test, by the newer one's types. */
export type Sdk = typeof import("openai-7");

/** What every client is given. */
export interface Ground {
  /** The gateway, without /v1. */
  gateway: string;
  key: string;
  upstream: Control;
}

/** What the cases of the OpenAI SDK are given besides. */
export interface World extends Ground {
  sdk: Sdk;
  /** The release's own zod helper. */
  zodResponseFormat: typeof import("openai-7/helpers/zod").zodResponseFormat;
  /** The gateway, with /v1. */
  baseURL: string;
  /** A client without retries of its own, and the number of HTTP requests that it has sent. */
  client(options?: { apiKey?: string; maxRetries?: number }): { openai: OpenAI; sent(): number };
}

export interface Case<W extends Ground = World> {
  name: string;
  /** Whether it replays recordings; skipped visibly where there are none. */
  recorded?: boolean;
  /** What the upstream answers unless the case plays something else. */
  models?: ByModel;
  run(world: W): Promise<void>;
}

export interface ProviderUnderTest {
  name: "openai" | "anthropic" | "gemini";
  /** An id that the catalogue knows. */
  model: string;
  /** Another one for cases that fail upstream, so that a circuit opened there does not touch the rest. */
  troubled: string;
}

export const PROVIDERS: readonly ProviderUnderTest[] = [
  { name: "openai", model: "gpt-4o-mini", troubled: "gpt-4.1-nano" },
  { name: "anthropic", model: "claude-sonnet-4-5", troubled: "claude-haiku-4-5" },
  { name: "gemini", model: "gemini-2.5-flash", troubled: "gemini-2.5-flash-lite" },
];

/** Calls until it throws, and returns what was thrown. Throws when nothing was. */
export async function thrownBy(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}
