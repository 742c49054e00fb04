// "What leaves a door always satisfies that door's types": every recorded answer of every provider that speaks Chat Completions,
// after forwarding, against OpenAI's own schema.
import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { type NanoUsd, nanoUsd } from "../../src/core/money";
import type { Usage } from "../../src/core/usage";
import type { Deviations } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { cuts, type Recording, sharedMissing } from "../recordings/load";
import { COMPATIBLE, deviationsOf } from "./openai-chat-deviations";
import { answerContext, chunksOf, compatibleAnswers, dataOf, decode, forward, merged, schema, text, utf8 } from "./openai-chat-replay";

const counted: { costUsd: NanoUsd; countedUsage: Usage } = {
  costUsd: nanoUsd(1_500_000n),
  countedUsage: { inputTokens: 1, outputTokens: 2 },
};
const isCompletion = schema("CreateChatCompletionResponse");
const isChunk = schema("CreateChatCompletionStreamResponse");

/** undefined: the recording breaks off with an error. */
function expectedOf(each: Recording): ChatEvent[] | undefined {
  try {
    return decode(each);
  } catch {
    return undefined;
  }
}

describe("forwarded answers of every provider", () => {
  test("satisfy OpenAI's schema when whole, and tell the meter what the decoder reads", () => {
    for (const each of compatibleAnswers(false)) {
      const { context } = answerContext({}, counted);
      const { bytes, events } = openaiChat.forwardResponse(each.body, context, deviationsOf(each.provider));
      const answer = JSON.parse(text(bytes));
      if (isCompletion && !isCompletion(answer)) throw new Error(`${each.id}: ${JSON.stringify(isCompletion.errors)}`);
      expect([each.id, answer.usage.cost, answer.model, "tollway" in answer]).toEqual([each.id, 0.0015, context.model, true]);
      expect(events).toEqual(decode(each));
      // A reader of what went out, without deviations, reads the same answer.
      expect([each.id, comparable(openaiChat.decodeResponse(text(bytes)))]).toEqual([each.id, comparable(events)]);
    }
  });

  for (const includeUsage of [false, true]) {
    test(`satisfy OpenAI's schema chunk by chunk, and end with the terminator (usage asked for: ${includeUsage})`, () => {
      for (const each of compatibleAnswers(true)) {
        const expected = expectedOf(each);
        if (!expected) continue;
        const { context, asked } = answerContext({ includeUsage }, counted);
        const { text: out, events } = forward([each.body], context, deviationsOf(each.provider));
        expect([each.id, dataOf(out).at(-1)]).toEqual([each.id, "[DONE]"]);
        const chunks = chunksOf(out);
        for (const chunk of chunks) {
          if (isChunk && !isChunk(chunk)) throw new Error(`${each.id}: ${JSON.stringify(isChunk.errors)} ${JSON.stringify(chunk)}`);
          const { usage, choices } = chunk as { usage?: { cost?: unknown } | null; choices: unknown[] };
          if (usage) expect([each.id, typeof (usage.cost ?? 0)]).toEqual([each.id, "number"]);
          if (!includeUsage && usage) expect([each.id, choices.length > 0]).toEqual([each.id, true]);
        }
        expect(chunks.findLast((chunk) => chunk["usage"])).toMatchObject({ usage: { cost: 0.0015 } });
        expect(chunks.filter((chunk) => "tollway" in chunk).length).toBe(1);
        expect(asked.length).toBe(1);
        expect(events).toEqual(expected);
        expect([each.id, comparable(decodeForwarded(out))]).toEqual([each.id, comparable(events)]);
      }
    });
  }

  test("are the same wherever the provider's bytes are cut", () => {
    for (const each of compatibleAnswers(true).filter(({ provider }) => provider !== "openai")) {
      if (!expectedOf(each) || each.body.length > 30_000) continue;
      const run = (...pieces: Uint8Array[]) => forward(pieces, answerContext({}, counted).context, deviationsOf(each.provider)).text;
      const expected = run(each.body);
      for (const cut of cuts(each.body).filter((_, position) => position % 13 === 0)) {
        if (run(each.body.subarray(0, cut), each.body.subarray(cut)) !== expected) throw new Error(`${each.id} differs when cut at ${cut}`);
      }
    }
  }, 60_000);

  test.skipIf(sharedMissing)("keep every byte but the three splices where they break no type", () => {
    const rewritten = new Map<string, number>();
    for (const each of compatibleAnswers(true).filter(({ provider }) => provider !== "openai" && COMPATIBLE.includes(provider))) {
      if (!expectedOf(each)) continue;
      const plain = forward([each.body], answerContext({ includeUsage: true }, counted).context, {
        ...deviationsOf(each.provider),
        ...STRICT,
      }).text;
      const loose = forward([each.body], answerContext({ includeUsage: true }, counted).context, deviationsOf(each.provider)).text;
      if (plain !== loose) rewritten.set(each.provider, (rewritten.get(each.provider) ?? 0) + 1);
    }
    expect([...rewritten.keys()].sort()).toEqual(["azure", "gemini", "groq", "mistral", "perplexity", "together", "xai"]);
  });
});

const STRICT: Deviations = { looseAnswers: undefined, reasoningBesideCompletion: undefined, audioBesidePrompt: undefined };

const decodeForwarded = (out: string): ChatEvent[] => {
  const stream = openaiChat.openStream({});
  const framer = openaiChat.openFramer("text/event-stream");
  return [...(framer?.push(utf8(out)) ?? []).flatMap((frame) => stream.push(frame)), ...stream.end()];
};

/** What an answer says. Its name, its end's raw word, our count and the place of its sources may differ. */
function comparable(events: readonly ChatEvent[]): unknown {
  const said = merged(events.filter(({ type }) => type !== "start" && type !== "usage" && type !== "annotations"));
  const usage = events.findLast((event) => event.type === "usage")?.usage ?? counted.countedUsage;
  return {
    said: said.map((event) => ({ ...event, raw: undefined })),
    totals: [usage.inputTokens, usage.outputTokens, usage.reasoningOutputTokens, usage.cacheReadInputTokens],
  };
}
