// What the matrix asks of a client: one adapter for each client and door, so that the same cases run through all of them.
import type { Ground } from "./harness";

/** The dialects in which callers speak. */
export type DoorName = "chat" | "responses" | "messages";

export interface Ask {
  model: string;
  prompt: string;
  /** Default: the gateway's own. */
  apiKey?: string | undefined;
}

/** What a client made of an answer. */
export interface Told {
  text: string;
  /** As the client shows it. Undefined: it shows none. */
  usage: { input: number; output: number } | undefined;
}

/** A tool as every client can declare it: a function with one string argument. */
export const TOOL = {
  name: "get_weather",
  description: "The weather of a city.",
  argument: "city",
  schema: {
    type: "object",
    properties: { city: { type: "string", description: "The city." } },
    required: ["city"],
    additionalProperties: false,
  },
} as const;

/** The schema of structured output, and the field that it has. */
export const STRUCTURED = {
  name: "answer",
  field: "travellers",
  schema: { type: "object", properties: { travellers: { type: "integer" } }, required: ["travellers"], additionalProperties: false },
} as const;

/** How an answer comes. */
export type Way = "whole" | "stream";

/** Every function throws what the client throws, or an error made of what the client reports instead; it never tries again by itself. */
export interface Asker {
  /** "Chat Completions", with what tells two adapters of one client apart. */
  title: string;
  door: DoorName;
  whole(ground: Ground, ask: Ask): Promise<Told>;
  stream(ground: Ground, ask: Ask): Promise<Told>;
  /** Lets the model call `TOOL`, gives `result` back, and returns the last answer. */
  useTool(ground: Ground, ask: Ask, run: ToolRun, way: Way): Promise<Told>;
  /** An object by `STRUCTURED`. */
  structured?(ground: Ground, ask: Ask): Promise<unknown>;
  /** One vector for each text. */
  embed?(ground: Ground, ask: { model: string; texts: string[] }): Promise<number[][]>;
}

/** Runs the tool with its argument, as the client parsed it, and returns its result. */
export type ToolRun = (city: string) => string;
