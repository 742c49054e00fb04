// Tokens of a text without a tokenizer: one pass, by classes of characters. Good for routing and for settling what a provider
// did not tell; never for a hard budget (bound.ts).
import type { Usage } from "../core/usage";

/** Characters of one token, by class, fitted to what providers reported in the recordings. */
const WORD_LETTERS = 9;
const DIGITS = 3;
const MARKS = 2;
const OTHER_LETTERS = 3;
const ASCII_SPACE = 0x20;

type CharClass = "letter" | "digit" | "space" | "mark" | "other" | "ideograph" | "surrogate";

/**
 * Estimated tokens of `text`; 0 only for "". Linear, no allocation. Summed over the pieces of a stream it is never less than
 * over the whole.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let start = 0;
  let kind = classOf(text.charCodeAt(0));
  for (let i = 1; i <= text.length; i++) {
    const next = i < text.length ? classOf(text.charCodeAt(i)) : undefined;
    if (next === kind) continue;
    tokens += tokensOfRun(kind, i - start, text.charCodeAt(start), next !== undefined);
    start = i;
    kind = next ?? kind;
  }
  return text === "" ? 0 : Math.max(1, tokens);
}

function tokensOfRun(kind: CharClass, length: number, first: number, followed: boolean): number {
  switch (kind) {
    case "letter":
      return Math.ceil(length / WORD_LETTERS);
    case "digit":
      return Math.ceil(length / DIGITS);
    case "space":
      // One space belongs to the word after it; line breaks and indents are a token a run.
      return length === 1 && first === ASCII_SPACE && followed ? 0 : 1;
    case "mark":
      return Math.ceil(length / MARKS);
    case "other":
      return Math.ceil(length / OTHER_LETTERS);
    case "ideograph":
    case "surrogate":
      return length;
  }
}

function classOf(unit: number): CharClass {
  if ((unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a)) return "letter";
  if (unit === ASCII_SPACE || (unit >= 0x09 && unit <= 0x0d)) return "space";
  if (unit >= 0x30 && unit <= 0x39) return "digit";
  if (unit < 0x80) return "mark";
  if (unit >= 0xd800 && unit <= 0xdfff) return "surrogate";
  // Han, kana, Hangul and their full-width forms: about a token each.
  if ((unit >= 0x2e80 && unit <= 0xd7ff) || (unit >= 0xf900 && unit <= 0xfaff) || (unit >= 0xff00 && unit <= 0xffef)) return "ideograph";
  return "other";
}

/**
 * The usage of an attempt whose provider told it in part or not at all: what was told stays, what was not is counted from
 * the text that went out and the text that came back. Output never goes below the count.
 */
export function countedUsage(told: Usage | undefined, inputText: string, outputText: string): Usage {
  return {
    ...told,
    inputTokens: told?.inputTokens ?? estimateTokens(inputText),
    outputTokens: Math.max(told?.outputTokens ?? 0, estimateTokens(outputText)),
  };
}
