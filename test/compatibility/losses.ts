// What a door's dialect has no place for in an answer, and the rule that decides what happens to it. Each is also code: applied to
// both sides of a round trip, it takes away what may be lost, and nothing else.
import type { DoorName } from "../../src/core/exchange";
import { objectOf } from "../../src/dialects/provider-json";
import type { ChoiceFacts, Facts, Thought } from "./facts";

export interface Loss {
  fact: string;
  doors: readonly DoorName[];
  rule: string;
  apply(facts: Facts): void;
}

const choices =
  (change: (choice: ChoiceFacts) => void) =>
  (facts: Facts): void => {
    for (const choice of facts.choices.values()) change(choice);
  };

const ALL: readonly DoorName[] = ["chat", "responses", "messages"];

const isAddress = (annotation: unknown): boolean => objectOf(annotation)?.["type"] === "url_citation";
const isFile = (annotation: unknown): boolean => /^(container_)?file_/.test(String(objectOf(annotation)?.["type"]));
const isPassage = (annotation: unknown): boolean => String(objectOf(annotation)?.["type"]).endsWith("_location");

export const LOSSES: readonly Loss[] = [
  {
    fact: "answers beside the first (`n` > 1)",
    doors: ["responses", "messages"],
    rule: "callers of these doors cannot ask for them",
    apply: (facts) => {
      for (const index of [...facts.choices.keys()]) if (index > 0) facts.choices.delete(index);
    },
  },
  {
    fact: "`system_fingerprint`",
    doors: ["responses", "messages"],
    rule: "left out: it names a build of the provider's, not the answer",
    apply: (facts) => {
      facts.systemFingerprint = undefined;
    },
  },
  {
    fact: "where one thought ends and the next begins, and who thought it, when nobody sealed them",
    doors: ALL,
    rule: "their text is told whole and in order; only sealed thoughts keep their blocks, and go back to their provider",
    apply: choices((choice) => {
      choice.thoughts = joinUnsealed(choice.thoughts);
    }),
  },
  {
    fact: "the tier that served the call, in the provider's own word",
    doors: ALL,
    rule: 'told in the dialect\'s words ("standard" is OpenAI\'s "default"); a word that it lacks is left out',
    apply: (facts) => {
      facts.usage.serviceTier = undefined;
    },
  },
  {
    fact: "tokens written to a one-hour cache, apart",
    doors: ["chat", "responses"],
    rule: "counted among the tokens written to a cache, and priced as what they are",
    apply: (facts) => {
      facts.usage.cacheCreation1hInputTokens = undefined;
    },
  },
  {
    fact: "Cohere's `tokens` and `cached_tokens` beside its `billed_units`",
    doors: ALL,
    rule: "what is billed is told; the other count is of another kind (12 tokens billed, 480 of them cached), and would be charged wrongly",
    apply: () => undefined,
  },
  {
    fact: "audio and image tokens, apart",
    doors: ["responses", "messages"],
    rule: "counted in the totals, and priced as what they are",
    apply: (facts) => {
      facts.usage.inputAudioTokens = undefined;
      facts.usage.outputAudioTokens = undefined;
      facts.usage.outputImageTokens = undefined;
      facts.usage.cacheReadAudioTokens = undefined;
    },
  },
  {
    fact: "the number of calls of hosted tools",
    doors: ALL,
    rule: "their fees are in `usage.cost`; Messages tells searches and fetches",
    apply: (facts) => {
      facts.usage.toolCalls = undefined;
    },
  },
  {
    fact: "the provider's own figure of the cost",
    doors: ["responses", "messages"],
    rule: "told as `usage.cost`, which these dialects' readers pass over",
    apply: (facts) => {
      facts.usage.reportedCost = undefined;
    },
  },
  {
    fact: "that a count of cached or reasoning tokens was not told",
    doors: ["responses", "messages"],
    rule: "these dialects' clients need numbers there: 0 stands for what nobody told",
    apply: (facts) => {
      facts.usage.cacheReadInputTokens ||= undefined;
      facts.usage.cacheCreationInputTokens ||= undefined;
      facts.usage.cacheCreation1hInputTokens ||= undefined;
      facts.usage.reasoningOutputTokens ||= undefined;
    },
  },
  {
    fact: "figures of usage where the provider told only some of them, or none",
    doors: ["responses", "messages"],
    rule: "the gateway's own count takes their place, marked `usage_source: counted`",
    apply: (facts) => {
      const { inputTokens, outputTokens } = facts.usage;
      if (!inputTokens || !outputTokens) facts.usage = {};
    },
  },
  {
    fact: "figures that contradict each other (more cached tokens than input)",
    doors: ["messages"],
    rule: "Messages tells uncached input apart: it is never told below zero",
    apply: (facts) => {
      const { cacheReadInputTokens: read = 0, cacheCreationInputTokens: written = 0 } = facts.usage;
      if (facts.usage.inputTokens !== undefined && facts.usage.inputTokens <= read + written) facts.usage.inputTokens = undefined;
    },
  },
  {
    fact: "log probabilities",
    doors: ["messages"],
    rule: "callers of this door cannot ask for them",
    apply: choices((choice) => {
      choice.logprobs = [];
      choice.refusalLogprobs = [];
    }),
  },
  {
    fact: "the bytes of a token where the provider told none",
    doors: ["responses"],
    rule: "Responses demands them: they are made from the token's text",
    apply: choices((choice) => {
      choice.logprobs = choice.logprobs.map(withoutBytes);
    }),
  },
  {
    fact: "log probabilities of a refusal",
    doors: ["responses"],
    rule: "a refusal has no place for them there",
    apply: choices((choice) => {
      choice.refusalLogprobs = [];
    }),
  },
  {
    fact: "that a refusal is one",
    doors: ["messages"],
    rule: "its words are the text, and `stop_reason` is `refusal`",
    apply: choices((choice) => {
      if (choice.refusal !== "" && choice.finish === "stop") choice.finish = "content_filter";
      choice.text += choice.refusal;
      choice.refusal = "";
    }),
  },
  {
    fact: "images and speech that the model made",
    doors: ["messages"],
    rule: "an image is told as Markdown in the text, speech by its transcript",
    apply: choices((choice) => {
      if (choice.images.length > 0 || choice.audio || choice.text.includes("![image](")) choice.text = "";
      choice.images = [];
      choice.audio = undefined;
    }),
  },
  {
    fact: "speech",
    doors: ["responses"],
    rule: "refused before it is asked for: this door has no place for it",
    apply: choices((choice) => {
      choice.audio = undefined;
    }),
  },
  {
    fact: "which words a source is for, its date, score and quotation",
    doors: ["messages"],
    rule: "Anthropic's citations stand for a block of text, and name address and title",
    apply: choices((choice) => {
      choice.annotations = choice.annotations.map(addressAndTitle);
    }),
  },
  {
    fact: "sources without an address, of other providers",
    doors: ["messages"],
    rule: "left out: a citation of Anthropic's needs a passage or an address",
    apply: choices((choice) => {
      choice.annotations = choice.annotations.filter((each) => isAddress(each) || isPassage(each));
    }),
  },
  {
    fact: "sources of an answer that says no text",
    doors: ["messages"],
    rule: "a citation stands in a block of text, and there is none",
    apply: choices((choice) => {
      if (choice.text.trim() === "") choice.annotations = [];
    }),
  },
  {
    fact: "sources without an address, apart",
    doors: ["responses"],
    rule: "told in `citations` beside the annotations, which OpenAI's readers pass over",
    apply: choices((choice) => {
      choice.annotations = choice.annotations.filter((each) => isAddress(each) || isFile(each));
    }),
  },
  {
    fact: "the place of a source that is told before its text",
    doors: ["responses"],
    rule: "it stands for the part that follows",
    apply: choices((choice) => {
      choice.annotations = choice.annotations.map((each) => {
        const cited = objectOf(objectOf(each)?.["url_citation"]);
        if (!cited || (cited["start_index"] !== 0 && cited["start_index"] !== cited["end_index"])) return each;
        const { start_index: _, end_index: __, ...rest } = cited;
        return { type: "url_citation", url_citation: rest };
      });
    }),
  },
  {
    fact: "the group of a tool (namespace), and that a tool takes free text",
    doors: ["chat", "messages"],
    rule: "only the caller's own tools are told: callers of these doors have no groups, and those of Messages no free text",
    apply: choices((choice) => {
      for (const call of choice.calls) {
        call.namespace = undefined;
        if (call.custom) call.arguments = "";
        if (call.arguments.startsWith('{"input":')) call.arguments = "";
        call.custom = undefined;
      }
    }),
  },
  {
    fact: "characters of a call's id beside a-z A-Z 0-9 _ -",
    doors: ["messages"],
    rule: "written as their codes, and read back when the caller returns the call",
    apply: choices((choice) => {
      for (const call of choice.calls) if (!/^[\w-]+$/.test(call.id) || call.id.startsWith("x-")) call.id = "";
    }),
  },
  {
    fact: "arguments that were cut off in the middle of their JSON",
    doors: ["messages", "responses"],
    rule: "told as `INVALID_JSON`, as Anthropic's own client does; a stream tells the pieces as they came",
    apply: choices((choice) => {
      for (const call of choice.calls) if (!isJson(call.arguments) || call.arguments.includes("INVALID_JSON")) call.arguments = "";
    }),
  },
];

export const lossesOf = (door: DoorName): readonly Loss[] => LOSSES.filter((loss) => loss.doors.includes(door));

function joinUnsealed(thoughts: readonly Thought[]): Thought[] {
  const joined: Thought[] = [];
  for (const thought of thoughts) {
    const last = joined.at(-1);
    const sealed = thought.signature !== undefined || thought.data !== undefined;
    if (sealed) joined.push(thought);
    else if (last && last.from === "unsealed") last.text += thought.text;
    else joined.push({ text: thought.text, from: "unsealed" });
  }
  return joined.filter(({ from, text }) => from !== "unsealed" || text !== "");
}

function addressAndTitle(annotation: unknown): unknown {
  const cited = objectOf(objectOf(annotation)?.["url_citation"]);
  return cited ? { type: "url_citation", url_citation: { url: cited["url"], title: cited["title"] } } : annotation;
}

function withoutBytes(entry: unknown): unknown {
  const said = objectOf(entry);
  if (!said) return entry;
  const { bytes: _, top_logprobs: top, ...rest } = said;
  return { ...rest, top_logprobs: Array.isArray(top) ? top.map(withoutBytes) : top };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
