// Random answers, as a provider could give them: blocks in some order, each in pieces, then the end.
import fc from "fast-check";
import type { ChatEvent, DialectName } from "../../src/core/chat";

const words = fc.oneof(
  fc.string({ maxLength: 24 }),
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.constantFrom("日本 ", '"quoted" \\ ', "\n\n", "🙂"),
);
const some = words.filter((text) => text !== "");
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);
const seal = fc.base64String({ minLength: 4, maxLength: 24 });
const origins = fc.constantFrom<DialectName>("openai-chat", "anthropic-messages", "gemini", "openai-responses");

type Block = (place: { block: number; call: number }) => ChatEvent[];

/** A list of pieces whose joining is the text. */
const pieces = fc.array(some, { minLength: 1, maxLength: 4 });

const text: fc.Arbitrary<Block> = pieces.map((said) => () => said.map((piece) => ({ type: "text", choice: 0, text: piece })));

/** One provider thinks in one way. */
const thought = (from: DialectName): fc.Arbitrary<Block> =>
  fc.tuple(pieces, fc.option(seal, { nil: undefined })).map(([said, signature]) => ({ block }) => [
    ...said.map((piece): ChatEvent => ({ type: "reasoning", choice: 0, block, text: piece, from })),
    // Nobody seals thoughts in Chat Completions.
    ...(signature === undefined || from === "openai-chat"
      ? []
      : [{ type: "reasoning", choice: 0, block, text: "", signature, from } satisfies ChatEvent]),
  ]);

const redacted: fc.Arbitrary<Block> = seal.map((data) => ({ block }) => [
  { type: "redacted-reasoning", choice: 0, block, data, from: "anthropic-messages" },
]);

const thoughtsOf = (from: DialectName): fc.Arbitrary<Block[]> =>
  fc.array(from === "anthropic-messages" ? fc.oneof(thought(from), redacted) : thought(from), { maxLength: 3 });

const json = fc
  .dictionary(name, fc.oneof(some, fc.integer(), fc.boolean(), fc.constant(null)), { maxKeys: 3 })
  .map((value) => JSON.stringify(value));

const call: fc.Arbitrary<Block> = fc
  .tuple(name, json, fc.option(seal, { nil: undefined }), fc.integer({ min: 1, max: 5 }))
  .map(([tool, args, signature, step]) => ({ call: index }) => {
    const events: ChatEvent[] = [
      { type: "tool-call", choice: 0, index, id: `call_${index}`, name: tool, ...(signature === undefined ? {} : { signature }) },
    ];
    for (let at = 0; at < args.length; at += step)
      events.push({ type: "tool-arguments", choice: 0, index, text: args.slice(at, at + step) });
    return events;
  });

const count = fc.integer({ min: 0, max: 50_000 });
const usage: fc.Arbitrary<ChatEvent> = fc.tuple(count, count, count, count).map(([input, output, cached, thought]) => ({
  type: "usage",
  usage: {
    inputTokens: input + cached,
    outputTokens: output + thought,
    cacheReadInputTokens: cached,
    reasoningOutputTokens: thought,
  },
}));

/** One finished choice with its usage. Thinking comes first, as it does everywhere. */
export const anAnswer: fc.Arbitrary<readonly ChatEvent[]> = fc
  .tuple(
    origins.chain(thoughtsOf),
    fc.array(text, { maxLength: 2 }),
    fc.array(call, { maxLength: 3 }),
    usage,
    fc.constantFrom("stop", "length", "content_filter"),
  )
  .map(([thoughts, texts, calls, used, reason]) => {
    const events: ChatEvent[] = [{ type: "start", id: "answer_1", model: "m", createdAt: 1_790_000_000 }];
    for (const [block, make] of thoughts.entries()) events.push(...make({ block, call: 0 }));
    for (const make of texts) events.push(...make({ block: 0, call: 0 }));
    for (const [index, make] of calls.entries()) events.push(...make({ block: 0, call: index }));
    const finish = calls.length > 0 ? "tool_calls" : (reason as "stop");
    events.push({ type: "finish", choice: 0, reason: finish, raw: finish }, used);
    return events;
  });
