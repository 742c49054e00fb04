// The conversation → Anthropic's `system` and alternating `messages`.
import type { Message, Part } from "../core/chat";
import { type Block, blockOf, cached } from "./anthropic-messages-blocks";
import type { Refuse } from "./refusal";

export interface Turn {
  role: "user" | "assistant";
  content: Block[];
}

export interface Turns {
  system: readonly Block[];
  messages: readonly Turn[];
}

/**
 * System and developer messages go to the top, wherever they stood: the version we speak knows no other place.
 * Neighbours of one role become one turn, so that all results of one turn's tool calls stand in one user message.
 */
export function turnsOf(messages: readonly Message[], refuse: Refuse): Turns {
  const system: Block[] = [];
  const turns: Turn[] = [];
  messages.forEach((message, i) => {
    const param = `messages[${i}]`;
    if (message.role === "system" || message.role === "developer") {
      system.push(...systemBlocks(message, param, refuse));
      return;
    }
    const role = message.role === "assistant" ? "assistant" : "user";
    const content: Block[] = [];
    for (const { part, at } of placed(message)) {
      const block = blockOf(part, placeOf(param, part, at), refuse);
      if (block) content.push(block);
    }
    if (content.length === 0) return;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  });
  return { system, messages: turns.map(resultsFirst) };
}

function systemBlocks(message: Message, param: string, refuse: Refuse): Block[] {
  return message.parts.flatMap((part, at): Block[] => {
    if (part.type !== "text") return refuse(placeOf(param, part, at), "This provider takes only text in system messages") ?? [];
    return part.text === "" ? [] : [{ type: "text", text: part.text, ...cached(part.cache) }];
  });
}

/** A tool call's place is counted among the calls; a tool message is its result. */
const placeOf = (param: string, part: Part, at: number): string => {
  if (part.type === "tool-call") return `${param}.tool_calls`;
  return part.type === "tool-result" ? `${param}.content` : `${param}.content[${at}]`;
};

const isThinking = (part: Part): boolean => part.type === "reasoning" || part.type === "redacted-reasoning";

/** An assistant turn must begin with its thinking. One that does already may think again later, between calls: its order stays. */
function placed(message: Message): { part: Part; at: number }[] {
  const parts = message.parts.map((part, at) => ({ part, at }));
  const first = parts[0];
  if (message.role !== "assistant" || !first || isThinking(first.part)) return parts;
  return [...parts.filter(({ part }) => isThinking(part)), ...parts.filter(({ part }) => !isThinking(part))];
}

/** In a user turn the results come before anything else: https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls */
function resultsFirst({ role, content }: Turn): Turn {
  if (role === "assistant") return { role, content };
  const isResult = (block: Block): boolean => block["type"] === "tool_result";
  return { role, content: [...content.filter(isResult), ...content.filter((block) => !isResult(block))] };
}
