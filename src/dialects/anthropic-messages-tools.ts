// The tools of a caller's Messages request: its own, those that the provider runs, and those whose shape the model was taught.
// https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
import { z } from "zod";
import type { HostedTool, Tool, ToolChoice } from "../core/chat";
import { cacheOf, keepOthers, type Rest, refuseOtherModel } from "./anthropic-messages-block-decode";
import { countOf, type JsonObject, textOf } from "./provider-json";
import { check } from "./request-check";

const ClientTool = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
});
const TOOL_FIELDS = ["type", "name", "description", "input_schema", "strict", "cache_control"];

/** The model was taught these tools, and the caller's program runs them: nothing is billed beside the tokens of their description. */
const TAUGHT = /^(?:bash|text_editor|memory|computer|computer_toolset|browser_toolset)_\d+$/;

interface Tools {
  tools: Tool[] | undefined;
  hostedTools: HostedTool[] | undefined;
}

/** Tools of the caller's own have no type, or "custom". Every other type is a tool of Anthropic's: an unused one is a hint. */
export function decodeTools(
  raw: readonly (JsonObject & { readonly type?: string | null | undefined })[] | null | undefined,
  rest: Rest,
): Tools {
  if (!raw) return { tools: undefined, hostedTools: undefined };
  const tools: Tool[] = [];
  const hostedTools: HostedTool[] = [];
  for (const [index, item] of raw.entries()) {
    const at = `tools[${index}]`;
    if ((item.type ?? "custom") === "custom") {
      tools.push(clientTool(item, at));
      keepOthers(item, TOOL_FIELDS, "tools", rest);
      continue;
    }
    hostedTools.push(hostedTool(item, item.type ?? "", at));
    // Kept by name so that an hour's cache is known to be asked for.
    if (item["cache_control"]) rest[`${at}.cache_control`] = item["cache_control"];
  }
  return { tools: tools.length > 0 ? tools : undefined, hostedTools: hostedTools.length > 0 ? hostedTools : undefined };
}

function clientTool(item: JsonObject, at: string): Tool {
  const tool = check(ClientTool, item, at);
  return {
    name: tool.name,
    description: tool.description ?? undefined,
    parameters: tool.input_schema ?? undefined,
    strict: tool.strict ?? undefined,
    cache: cacheOf(item),
  };
}

function hostedTool(item: JsonObject, type: string, at: string): HostedTool {
  refuseOtherModel(item, at);
  const cap = TAUGHT.test(type) ? 0 : countOf(item["max_uses"]) || undefined;
  return cap === undefined ? { type, at } : { type, at, maxCalls: cap };
}

/** A choice that only a tool of Anthropic's could meet goes to `rest`: other dialects refuse it. */
export function decodeToolChoice(
  choice: (JsonObject & { readonly type: "auto" | "any" | "tool" | "none" }) | null | undefined,
  tools: readonly Tool[] | undefined,
  rest: Rest,
): ToolChoice | undefined {
  if (!choice) return undefined;
  keepOthers(choice, ["type", "name", "disable_parallel_tool_use"], "tool_choice", rest);
  switch (choice.type) {
    case "auto":
    case "none":
      return choice.type;
    case "any":
      if (tools) return "required";
      break;
    case "tool": {
      const name = textOf(choice["name"]);
      if (name !== undefined && tools?.some((tool) => tool.name === name)) return { name };
      break;
    }
  }
  rest["tool_choice"] = choice;
  return undefined;
}
