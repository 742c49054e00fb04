// What an answer says, whatever dialect it is written in: the things that a round trip may not lose.
import type { ChatEvent, Media } from "../../src/core/chat";
import { mergeUsage, type Usage } from "../../src/core/usage";
import { openSeal } from "../../src/dialects/sealed-envelope";

export interface Thought {
  text: string;
  signature?: string;
  data?: string;
  from: string;
}

export interface Call {
  id: string;
  name: string;
  namespace?: string | undefined;
  arguments: string;
  custom?: boolean | undefined;
  signature?: string;
}

export interface ChoiceFacts {
  text: string;
  refusal: string;
  thoughts: Thought[];
  calls: Call[];
  annotations: unknown[];
  logprobs: unknown[];
  refusalLogprobs: unknown[];
  audio: Record<string, unknown> | undefined;
  images: Media[];
  finish: string | undefined;
}

export interface Facts {
  choices: Map<number, ChoiceFacts>;
  usage: Usage;
  systemFingerprint: string | undefined;
}

const empty = (): ChoiceFacts => ({
  text: "",
  refusal: "",
  thoughts: [],
  calls: [],
  annotations: [],
  logprobs: [],
  refusalLogprobs: [],
  audio: undefined,
  images: [],
  finish: undefined,
});

export function factsOf(events: readonly ChatEvent[]): Facts {
  const facts: Facts = { choices: new Map(), usage: {}, systemFingerprint: undefined };
  const blocks = new Map<string, Thought>();
  const calls = new Map<string, Call>();
  for (const event of events) {
    if (event.type === "usage") facts.usage = mergeUsage(facts.usage, event.usage);
    if (event.type === "start") facts.systemFingerprint = event.systemFingerprint;
    if (!("choice" in event)) continue;
    const choice = facts.choices.get(event.choice) ?? empty();
    facts.choices.set(event.choice, choice);
    see(event, choice, blocks, calls);
  }
  for (const choice of facts.choices.values()) {
    openEnvelopes(choice);
    choice.thoughts = choice.thoughts.filter(
      (thought) => thought.text !== "" || thought.signature !== undefined || thought.data !== undefined,
    );
  }
  return facts;
}

function see(
  event: Extract<ChatEvent, { choice: number }>,
  choice: ChoiceFacts,
  blocks: Map<string, Thought>,
  calls: Map<string, Call>,
): void {
  switch (event.type) {
    case "text":
      choice.text += event.text;
      choice.logprobs.push(...(event.logprobs ?? []));
      return;
    case "refusal":
      choice.refusal += event.text;
      choice.refusalLogprobs.push(...(event.logprobs ?? []));
      return;
    case "reasoning": {
      const at = `${event.choice} ${event.block}`;
      const thought = blocks.get(at) ?? { text: "", from: event.from };
      if (!blocks.has(at)) choice.thoughts.push(thought);
      blocks.set(at, thought);
      thought.text += event.text;
      if (event.signature !== undefined) thought.signature = (thought.signature ?? "") + event.signature;
      return;
    }
    case "redacted-reasoning":
      // Responses has one place for both kinds of seal.
      if (event.from === "openai-responses") choice.thoughts.push({ text: "", signature: event.data, from: event.from });
      else choice.thoughts.push({ text: "", data: event.data, from: event.from });
      return;
    case "tool-call": {
      const { id, name, namespace, custom, signature } = event;
      const call: Call = {
        id,
        name,
        arguments: "",
        ...(namespace === undefined ? {} : { namespace }),
        ...(custom ? { custom } : {}),
        ...(signature === undefined ? {} : { signature }),
      };
      choice.calls.push(call);
      calls.set(`${event.choice} ${event.index}`, call);
      return;
    }
    case "tool-arguments": {
      const call = calls.get(`${event.choice} ${event.index}`);
      if (call) call.arguments += event.text;
      return;
    }
    case "annotations":
      choice.annotations.push(...event.annotations);
      return;
    case "audio":
      choice.audio = { ...choice.audio, ...event.audio };
      return;
    case "image":
      choice.images.push(event.media);
      return;
    case "finish":
      choice.finish = event.reason;
      return;
  }
}

/** The same facts as a plain value that can be compared: undefined members left out, arguments as the JSON they are. */
export const comparable = (facts: Facts): unknown =>
  JSON.parse(
    plainText({
      ...facts,
      choices: [...facts.choices]
        .sort(([a], [b]) => a - b)
        .map(([index, choice]) => ({ index, ...choice, calls: choice.calls.map(plainCall) })),
    }),
  );

/** White space between the arguments' members says nothing. */
function plainCall(call: Call): unknown {
  if (call.custom) return call;
  try {
    return { ...call, arguments: JSON.stringify(JSON.parse(call.arguments === "" ? "{}" : call.arguments)) };
  } catch {
    return call;
  }
}

const plainText = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) => (typeof each === "bigint" ? each.toString() : each));

/** A foreign seal travels in an envelope, which the door's reader of requests opens when it comes back. */
function openEnvelopes(choice: ChoiceFacts): void {
  choice.thoughts = choice.thoughts.flatMap((thought) => {
    const seal = openSeal(thought.signature ?? thought.data ?? "");
    if (!seal) return [thought];
    const { from, text, call } = seal;
    // Responses has one place for both kinds of seal.
    const signature = seal.signature ?? (from === "openai-responses" ? seal.data : undefined);
    const data = from === "openai-responses" ? undefined : seal.data;
    const sealed = choice.calls.find(({ id }) => id === call);
    if (sealed && signature !== undefined) {
      sealed.signature = signature;
      return thought.text === "" ? [] : [{ text: thought.text, from }];
    }
    return [
      {
        text: thought.text || (text ?? ""),
        from,
        ...(signature === undefined ? {} : { signature }),
        ...(data === undefined ? {} : { data }),
      },
    ];
  });
}
