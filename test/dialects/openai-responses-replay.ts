// What the tests of the Responses dialect share: an answer's frames, and the output as a client puts it together from them.
import type { ChatEvent } from "../../src/core/chat";
import type { AnswerContext } from "../../src/dialects/dialect";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { answerContext } from "./openai-chat-replay";

export interface Content {
  type: string;
  text?: string;
  refusal?: string;
  annotations?: unknown[];
  logprobs?: unknown[];
  citations?: unknown[];
}

export interface Item {
  [other: string]: unknown;
  type: string;
  id: string;
  status?: string;
  call_id?: string;
  arguments?: string;
  input?: string;
  content?: Content[];
  summary?: { type: string; text: string }[];
}

export interface Response {
  id: string;
  status: string;
  completed_at: number | null;
  incomplete_details: { reason: string } | null;
  output: Item[];
  usage: { input_tokens: number; output_tokens: number } | null;
}

/** A stream's event: every field that some event has. */
export interface Told {
  type: string;
  sequence_number: number;
  response?: Response;
  output_index: number;
  content_index: number;
  summary_index: number;
  item: Item;
  part: Content;
  delta: string;
  logprobs?: unknown[];
  annotation: unknown;
}

export const framesOf = (wire: string): Told[] =>
  wire
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const [event = "", data = ""] = frame.split("\n");
      const told: Told = JSON.parse(data.replace("data: ", ""));
      if (event !== `event: ${told.type}`) throw new Error(`The event's name is not its type: ${event}`);
      return told;
    });

/** An answer as it leaves the door in a stream. */
export function streamedResponse(events: readonly ChatEvent[], context: AnswerContext = answerContext().context) {
  const encoder = openaiResponses.openEncoder(context);
  const wire = events.map((event) => encoder.push(event)).join("") + encoder.end();
  return { wire, told: framesOf(wire) };
}

/** The output from the pieces alone: what was added, then every delta; only seals and states come with the finished item. */
export function rebuilt(told: readonly Told[]): Item[] {
  const items: Item[] = [];
  for (const { type, item, output_index: at, content_index: part, delta, ...event } of told) {
    const open = items[at] as Item;
    const content = open?.content?.[part];
    switch (type) {
      case "response.output_item.added":
        if (items.length !== at) throw new Error("An item was added out of its order");
        items.push(structuredClone(item));
        break;
      case "response.content_part.added":
        open.content?.push(structuredClone(event.part));
        break;
      case "response.output_text.delta":
        if (!content) throw new Error("A delta without its part");
        content.text += delta;
        content.logprobs?.push(...(event.logprobs ?? []));
        break;
      case "response.refusal.delta":
        if (!content) throw new Error("A delta without its part");
        content.refusal += delta;
        break;
      case "response.output_text.annotation.added":
        content?.annotations?.push(event.annotation);
        break;
      case "response.content_part.done":
        if (content && event.part.citations) content.citations = event.part.citations;
        break;
      case "response.reasoning_summary_part.added":
        open.summary?.push(structuredClone(event.part) as { type: string; text: string });
        break;
      case "response.reasoning_summary_text.delta":
        (open.summary?.[event.summary_index] as { text: string }).text += delta;
        break;
      case "response.function_call_arguments.delta":
        open.arguments += delta;
        break;
      case "response.custom_tool_call_input.delta":
        open.input += delta;
        break;
      case "response.output_item.done": {
        const { content: _, summary: __, arguments: ___, input: ____, ...rest } = item;
        Object.assign(open, rest);
        break;
      }
    }
  }
  return items;
}
