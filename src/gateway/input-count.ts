// Our own count of a request's input, made only where the provider told none.
import type { Message, Part } from "../core/chat";
import type { Governed } from "../core/exchange";
import { estimateTokens } from "../policy/estimate";

/** Estimated tokens of the messages and tools; media are not text and count by what they are, not by their bytes. */
export function inputTokensOf(governed: Governed): number {
  const { messages, tools } = governed.request;
  let total = 0;
  const overhead = governed.door === "embeddings" ? 0 : MESSAGE_OVERHEAD;
  for (const message of messages) total += overhead + ofMessage(message);
  for (const tool of tools ?? []) {
    total += estimateTokens(tool.name) + estimateTokens(tool.description ?? "") + estimateTokens(JSON.stringify(tool.parameters ?? {}));
  }
  return total;
}

/** Tokens that a chat template adds around each message (OpenAI's cookbook: 3 and one for the role). Inputs to embed have no template. */
const MESSAGE_OVERHEAD = 4;
/** An image or a page in the middle of what providers charge (258 to 1,600). */
const MEDIA_TOKENS = 1_000;

const ofMessage = (message: Message): number => message.parts.reduce((sum, part) => sum + ofPart(part), 0);

function ofPart(part: Part): number {
  switch (part.type) {
    case "text":
    case "refusal":
    case "reasoning":
      return estimateTokens(part.text);
    case "redacted-reasoning":
      return estimateTokens(part.data);
    case "tool-call":
      return estimateTokens(part.name) + estimateTokens(part.arguments);
    case "tool-result":
      return part.content.reduce((sum, inner) => sum + ofPart(inner), 0);
    case "image":
    case "audio":
    case "file":
      return MEDIA_TOKENS;
  }
}
