// What a target has no place for, below the level of whole fields: refused by name, or dropped and named where the key says so.
import type { ChatRequest } from "../core/chat";
import { Failure } from "../core/failure";

/** `param` is the place in the caller's request ("messages[2].content[0].image_url"). Answers only where the thing is dropped. */
export type Refuse = (param: string, message: string) => undefined;

export interface Refusals {
  refuse: Refuse;
  /** Names of what was dropped, each once. */
  readonly dropped: ReadonlySet<string>;
}

/** `drop`: the caller's key drops what has no place (`drop_params`), else it is a Failure `unsupported_parameter`. */
export function openRefusals(drop: boolean): Refusals {
  const dropped = new Set<string>();
  return {
    refuse(param, message) {
      if (!drop) throw new Failure("unsupported_parameter", message, { param });
      dropped.add(param);
      return undefined;
    },
    dropped,
  };
}

/** A limit of 0 only warms Anthropic's cache; other providers may take it for none at all, and nothing would end the answer. */
export function refuseNoAnswer({ maxOutputTokens }: ChatRequest): void {
  if (maxOutputTokens !== 0) return;
  throw new Failure("invalid_value", "The provider of this model takes no limit of 0 tokens", { param: "max_completion_tokens" });
}

/** Hints inside messages and tools that only OpenAI's dialect has a place for, by short names. `strict`: the target honours it. */
export function innerHints(request: ChatRequest, strict: boolean): string[] {
  const hints: string[] = [];
  const { messages, tools = [] } = request;
  if (messages.some(({ name }) => name !== undefined)) hints.push("messages.name");
  const detailed = messages.some(({ parts }) =>
    parts.some((part) => part.type === "image" && part.detail !== undefined && part.detail !== "auto"),
  );
  if (detailed) hints.push("image_url.detail");
  if (!strict && tools.some((tool) => tool.strict === true)) hints.push("tools.function.strict");
  return hints;
}
