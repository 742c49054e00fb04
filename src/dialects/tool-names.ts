// Tools that only some dialects know, made to fit the others: free-text (custom) tools become functions of one string, grouped
// tools (Responses' namespaces) get their group's name in front. What the model then calls is turned back before the caller reads it.
import type { ChatEvent, ChatRequest, Tool } from "../core/chat";
import { objectOf, parseJson, textOf } from "./provider-json";

/** Most providers take names of up to 64 of a-z A-Z 0-9 _ - */
const NAME_MAX = 64;
const SEPARATOR = "__";
/** The one argument of a free-text tool that goes out as a function. */
export const CUSTOM_INPUT = "input";

/** The name under which a tool goes to a dialect that has no groups, or takes shorter names. The same for the same tool, always. */
export function wireToolName(tool: { name: string; namespace?: string | undefined }): string {
  const { name, namespace } = tool;
  const joined = namespace === undefined ? name : namespace.endsWith("_") ? namespace + name : `${namespace}${SEPARATOR}${name}`;
  if (joined.length <= NAME_MAX) return joined;
  const mark = fingerprint(joined);
  return `${joined.slice(0, NAME_MAX - mark.length - 1)}_${mark}`;
}

/** FNV-1a, in base 36: tells apart names that are equal in their first 56 characters. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36).padStart(7, "0");
}

/** A custom tool as a function, for dialects without free-text tools. Its grammar is told to the model in words: nothing holds it to them. */
export function asFunctionTool(tool: Tool): Tool {
  if (!tool.custom) return tool;
  const format = objectOf(tool.custom.format);
  const grammar = textOf(format?.["definition"]) ?? textOf(objectOf(format?.["grammar"])?.["definition"]);
  const rule = grammar === undefined ? "" : `\n\nThe input must follow this grammar:\n${grammar}`;
  const { custom: _, ...rest } = tool;
  return {
    ...rest,
    description: `${tool.description ?? ""}${rule}` || undefined,
    parameters: {
      type: "object",
      properties: { [CUSTOM_INPUT]: { type: "string", description: "The tool's input, as plain text." } },
      required: [CUSTOM_INPUT],
      additionalProperties: false,
    },
    strict: undefined,
  };
}

/** Whether a custom tool loses its grammar when it goes out as a function: to be named among the ignored fields. */
export const losesGrammar = (tool: Tool): boolean => {
  const format = objectOf(tool.custom?.format);
  return format !== undefined && format["type"] !== "text";
};

/** The arguments of a custom call as they go to a dialect without free-text tools. */
export const customArguments = (input: string): string => JSON.stringify({ [CUSTOM_INPUT]: input });

/** Turns the provider's calls back into those of the caller's tools. Feed it events in order. */
export interface ToolRestorer {
  push(event: ChatEvent): readonly ChatEvent[];
}

interface Buffered {
  event: Extract<ChatEvent, { type: "tool-call" }>;
  text: string;
}

/** undefined: every tool of the request is what every dialect knows, and events go on as they are. */
export function openToolRestorer(request: ChatRequest): ToolRestorer | undefined {
  const known = new Map<string, Tool>();
  for (const tool of request.tools ?? []) if (tool.custom || wireToolName(tool) !== tool.name) known.set(wireToolName(tool), tool);
  return known.size === 0 ? undefined : new Restorer(known);
}

class Restorer implements ToolRestorer {
  readonly #known: ReadonlyMap<string, Tool>;
  /** Calls whose text is waited for, by "choice index". */
  readonly #open = new Map<string, Buffered>();

  constructor(known: ReadonlyMap<string, Tool>) {
    this.#known = known;
  }

  push(event: ChatEvent): readonly ChatEvent[] {
    switch (event.type) {
      case "tool-call": {
        const before = this.#flush(event.choice, false);
        const tool = event.namespace === undefined ? this.#known.get(event.name) : undefined;
        if (!tool) return [...before, event];
        const named = { ...event, name: tool.name, ...(tool.namespace === undefined ? {} : { namespace: tool.namespace }) };
        if (!tool.custom || event.custom) return [...before, named];
        this.#open.set(`${event.choice} ${event.index}`, { event: { ...named, custom: true }, text: "" });
        return before;
      }
      case "tool-arguments": {
        const open = this.#open.get(`${event.choice} ${event.index}`);
        if (!open) return [event];
        open.text += event.text;
        return [];
      }
      case "finish":
        return [...this.#flush(event.choice, true), event];
      default:
        return [event];
    }
  }

  /** Writes the calls of a choice that are whole; all of them where the answer is `over`. */
  #flush(choice: number, over: boolean): ChatEvent[] {
    const events: ChatEvent[] = [];
    for (const [at, { event, text }] of this.#open) {
      if (event.choice !== choice) continue;
      const input = textOf(objectOf(parseJson(text))?.[CUSTOM_INPUT]);
      if (input === undefined && !over) continue;
      this.#open.delete(at);
      // A model that wrote something else than the one argument is passed on as it wrote.
      events.push(event, { type: "tool-arguments", choice, index: event.index, text: input ?? text });
    }
    return events;
  }
}
