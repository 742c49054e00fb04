// What a place of the neutral request is called in a caller's Messages request.
import type { Place } from "./anthropic-messages-content";

const FIELDS: ReadonlyMap<string, string> = new Map([
  ["max_completion_tokens", "max_tokens"],
  ["stop", "stop_sequences"],
  ["reasoning", "thinking"],
  ["reasoning.summary", "thinking.display"],
  ["reasoning_content", "messages.thinking"],
  ["reasoning_details", "messages.thinking"],
  ["user", "metadata.user_id"],
  ["parallel_tool_calls", "tool_choice.disable_parallel_tool_use"],
  ["tools.function.strict", "tools.strict"],
  ["is_error", "tool_result.is_error"],
]);

/** Members of Chat Completions' parts and messages, by what stands there in Messages. */
const MEMBERS: readonly (readonly [RegExp, string])[] = [
  [/^\.(?:image_url|input_audio|file)(?:\.(?:url|data|file_data|file_id))?$/, ".source"],
  [/^\.tool_call_id$/, ".tool_use_id"],
];

const MESSAGE = /^messages\[(\d+)\](\.content|\.tool_calls(?:\[\d+\])?)?(?:\[(\d+)\])?(.*)$/s;

export interface Naming {
  /** One for each neutral message. */
  places: readonly Place[];
  /** Names that are the caller's already. */
  rest: Readonly<Record<string, unknown>>;
  /** Where the caller wrote the effort of thinking, and the format of the answer. */
  reasoning: string;
  format: string;
}

/** A function for `DecodedRequest.nameOf`. What it does not know keeps its name. */
export function namesOf({ places, rest, reasoning, format }: Naming): (param: string) => string {
  return (param) => {
    if (Object.hasOwn(rest, param)) return param;
    if (param === "reasoning_effort") return reasoning;
    if (param === "response_format") return format;
    const field = FIELDS.get(param);
    if (field !== undefined) return field;
    const [, message, holder, part, member = ""] = MESSAGE.exec(param) ?? [];
    const place = message === undefined ? undefined : places[Number(message)];
    return place ? placeOf(place, holder, part, member) : param;
  };
}

function placeOf(place: Place, holder: string | undefined, part: string | undefined, member: string): string {
  const at =
    holder === undefined
      ? place.message
      : part === undefined || holder !== ".content"
        ? place.content
        : (place.parts[Number(part)] ?? `${place.content}[${part}]`);
  return at + (MEMBERS.find(([written]) => written.test(member))?.[1] ?? member);
}
