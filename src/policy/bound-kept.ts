// What a dialect keeps as it was written and sends on as it is: whether the model can be billed more for it than its own text.
// Fails closed: whatever is not known to be text alone may stand for a file, a video or a stored answer, and fill the window.
import type { ChatRequest } from "../core/chat";

export interface Kept {
  /** The first path whose content is elsewhere, or is no text. undefined: all of it is in the body, as text. */
  outside: string | undefined;
  /** Whole parts and items. */
  count: number;
}

/**
 * Types of whole parts and items whose content is text in the item itself. "words": written by a model, so that whatever an
 * address in it says, it is only read as text; "checked": text alone, as long as no member points at content.
 * Left out on purpose: compactions and search results, whose sealed text may unpack to more than its seal; calls that are known
 * to the provider by an id beside which all else is optional; images.
 * Responses: ResponseInputItem in the openai package. Messages: BetaContentBlockParam in @anthropic-ai/sdk.
 */
const INLINE: ReadonlyMap<string, "words" | "checked"> = new Map([
  ["web_search_call", "words"],
  ["tool_search_call", "words"],
  ["local_shell_call", "words"],
  ["shell_call", "checked"],
  ["local_shell_call_output", "checked"],
  ["shell_call_output", "checked"],
  ["apply_patch_call", "checked"],
  ["apply_patch_call_output", "checked"],
  ["mcp_list_tools", "checked"],
  ["mcp_call", "checked"],
  ["mcp_approval_request", "checked"],
  ["mcp_approval_response", "checked"],
  // Their tools are read as the request's own, and hosted ones refused or billed as those are.
  ["tool_search_output", "checked"],
  ["additional_tools", "checked"],
  ["server_tool_use", "words"],
  ["mcp_tool_use", "words"],
  ["mcp_tool_result", "checked"],
  ["mcp_tool_listing", "checked"],
  ["tool_search_tool_result", "checked"],
  ["tool_reference", "checked"],
  ["fallback", "checked"],
  // Mistral's.
  ["thinking", "checked"],
  ["reference", "checked"],
]);

/** The path of a whole part or item, with its type where the dialect adds it: "input[3]:reasoning". */
const WHOLE = /^(?:messages|input|system)\[\d+\](?:\.[a-z_]+\[\d+\])*(?::[a-z_]+)?$/;
/** A member of a message or a part that the neutral one has no place for: "messages[0].content[1].video_url". */
const MEMBER = /^(?:messages|input|system)\[\d+\].*\.[^.[\]]+$/;
/** Sources of what the model said: their addresses were read long ago. */
const QUOTED = /\.(?:annotations|citations|reasoning_details)$/;

/** Members that say where content is, or hold what is no text. */
const POINTER = /^(?:data|source|result|(?:.+_)?(?:url|uri|urls|uris|data|file|file_ids?|document_id|container_id)|encrypted_.+)$/;

export function keptOf(rest: Readonly<Record<string, unknown>>): Kept {
  const kept: { outside: string | undefined; count: number } = { outside: undefined, count: 0 };
  const named = new Set<string>();
  for (const path of Object.keys(rest)) {
    if (WHOLE.test(path)) {
      kept.count++;
      if (!isInline(rest[path], named)) kept.outside ??= path;
    } else if (MEMBER.test(path) && !QUOTED.test(path) && pointsElsewhere({ [path.slice(path.lastIndexOf(".") + 1)]: rest[path] }, named)) {
      kept.outside ??= path;
    }
  }
  return kept;
}

function isInline(value: unknown, named: Set<string>): boolean {
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  const trust = typeof type === "string" ? INLINE.get(type) : undefined;
  return trust === "words" || (trust === "checked" && !pointsElsewhere(value, named));
}

/**
 * Whether any member points at content. `named` collects tools that are referred to: the provider writes a tool's definition out
 * at each reference, and the body has it once.
 */
function pointsElsewhere(value: unknown, named: Set<string>): boolean {
  const left = [value];
  while (left.length > 0) {
    const at = left.pop();
    if (typeof at !== "object" || at === null) continue;
    if ("type" in at && at.type === "tool_reference" && "tool_name" in at && typeof at.tool_name === "string") {
      if (named.has(at.tool_name)) return true;
      named.add(at.tool_name);
    }
    for (const [name, member] of Object.entries(at)) {
      if (typeof member === "string" && member !== "" && POINTER.test(name)) return true;
      if (typeof member === "object" && member !== null) left.push(member);
    }
  }
  return false;
}

/** Request fields whose content the provider holds: it may fill the window. */
const OUTSIDE_FIELDS: readonly string[] = [
  "previous_response_id",
  "conversation",
  "prompt",
  "thread",
  "cachedContent",
  "cached_content",
  "container",
];

/** Whether the caller set a field to something: a list of nothing is nothing. */
export const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);

/** The first field of the request whose content is not in the body. */
export const outsideOf = (request: ChatRequest): string | undefined =>
  OUTSIDE_FIELDS.find((field) => isSet(request.rest[field])) ?? request.outside;
