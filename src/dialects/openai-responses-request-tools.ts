// The tools of a Responses request: functions and free-text tools, alone or in groups, and those that OpenAI runs itself.
// https://platform.openai.com/docs/api-reference/responses/create#responses-create-tools
import { z } from "zod";
import type { HostedTool, Tool, ToolChoice } from "../core/chat";
import { check } from "./request-check";

export const AnyTool = z.looseObject({ type: z.string().nullish() });
type AnyTool = z.infer<typeof AnyTool>;

const FunctionTool = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
});
const CustomTool = z.looseObject({ name: z.string().min(1), description: z.string().nullish(), format: z.looseObject({}).nullish() });
const Namespace = z.looseObject({ name: z.string().min(1), tools: z.array(AnyTool).nullish() });
const NamedChoice = z.looseObject({ name: z.string() });

export interface DecodedTools {
  tools: readonly Tool[];
  hosted: readonly HostedTool[];
}

/** Tools of a list, those of groups too. What is neither a function nor free text is a hosted tool, by its own word. */
export function decodeTools(list: readonly AnyTool[], place = "tools"): DecodedTools {
  const tools: Tool[] = [];
  const hosted: HostedTool[] = [];
  const read = (raw: AnyTool, at: string, namespace: string | undefined): void => {
    const type = raw.type ?? "function";
    if (type === "function") tools.push({ ...functionOf(raw, at), namespace });
    else if (type === "custom") tools.push({ ...customOf(raw, at), namespace });
    else if (type === "namespace" && namespace === undefined) {
      const group = check(Namespace, raw, at);
      for (const [index, tool] of (group.tools ?? []).entries()) read(tool, `${at}.tools[${index}]`, group.name);
    } else hosted.push({ type, at });
  };
  for (const [index, raw] of list.entries()) read(raw, `${place}[${index}]`, undefined);
  return { tools, hosted };
}

function functionOf(raw: unknown, at: string): Tool {
  const { name, description, parameters, strict } = check(FunctionTool, raw, at);
  return { name, description: description ?? undefined, parameters: parameters ?? undefined, strict: strict ?? undefined };
}

function customOf(raw: unknown, at: string): Tool {
  const { name, description, format } = check(CustomTool, raw, at);
  return { name, description: description ?? undefined, custom: { format: format ?? undefined } };
}

/** A choice among some tools, or of a hosted one, has no place in the neutral request: it goes to `rest`. */
export function decodeToolChoice(choice: string | AnyTool | null | undefined, rest: Record<string, unknown>): ToolChoice | undefined {
  if (choice === null || choice === undefined) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (typeof choice === "object" && (choice.type === "function" || choice.type === "custom")) {
    return { name: check(NamedChoice, choice, "tool_choice").name };
  }
  rest["tool_choice"] = choice;
  return undefined;
}
