// The answers of our own that the cases play: they prove the clients where no recordings are, and where a case needs known bytes.
import type { Script } from "../../upstream/script";
import { STRUCTURED, TOOL } from "./asker";
import type { ProviderUnderTest } from "./harness";
import { type Content, type Sample, said, type UpstreamDialect } from "./upstream-answers";

/** What a broken stream has said when it breaks. */
export const HEAD = "Hello";
export const TEXT = "Hello, traveller";
export const HELLO: Content = { text: [HEAD, TEXT.slice(HEAD.length)] };

/** The tool's argument, and what it returns. */
export const CITY = "Reykjavik";
export const RESULT = "Rain, and four degrees.";
export const CALL: Content = { tool: TOOL.name, input: { [TOOL.argument]: CITY } };

/** An object by `STRUCTURED`'s schema. */
export const OBJECT = { [STRUCTURED.field]: 7 };
export const OBJECT_TOLD: Content = { text: [`{"${STRUCTURED.field}"`, ":7}"] };

interface Hello extends Sample {
  head: string;
  text: string;
}

const hello = (dialect: UpstreamDialect): Hello => ({ ...said(dialect, HELLO), head: HEAD, text: TEXT });

/** "Hello, traveller" as each provider says it to a caller of Chat Completions. */
export const SAMPLES: Readonly<Record<ProviderUnderTest["name"], Hello>> = {
  openai: hello("chat"),
  anthropic: hello("messages"),
  gemini: hello("gemini"),
};

/** OpenAI's answer to a request with a JSON schema. No recording has one. */
export const OPENAI_STRUCTURED: Script = said("chat", { text: ['{"output"', ": 7}"] }).answers.whole;
