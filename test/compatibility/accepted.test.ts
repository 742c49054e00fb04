// What leaves a door satisfies that door's types: every recorded answer of every provider, written whole and streamed, against OpenAI's
// schema (relaxed, as its own real traffic needs it) and Anthropic's own client.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import type { ChatEvent } from "../../src/core/chat";
import { Failure } from "../../src/core/failure";
import { allRecordings, SHARED, sharedMissing } from "../recordings/load";
import { CHAT_FORMATS, DOORS, readAnswer, rowOf, writeAnswer } from "./matrix";

interface Answer {
  id: string;
  events: readonly ChatEvent[];
}

const all = CHAT_FORMATS.flatMap((format) => allRecordings(undefined, format)).filter((one) => one.status < 400);
const failures: string[] = [];
const answers: Answer[] = all.flatMap((one): Answer[] => {
  try {
    return [{ id: one.id, events: readAnswer(one, rowOf(one)) }];
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    failures.push(one.id);
    return [];
  }
});

let ajv: Ajv2020 | undefined;
function schema(name: string): ValidateFunction {
  if (!ajv) {
    ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(JSON.parse(readFileSync(join(SHARED, "specs/openai-relaxed.schema.json"), "utf8")), "openai");
  }
  return ajv.compile({ $ref: `openai#/components/schemas/${name}` });
}

/** The JSON of each `data:` line, the terminator left out. */
const framesOf = (stream: string): unknown[] =>
  [...stream.matchAll(/^data: (.*)$/gm)].flatMap(([, data = ""]) => (data === "[DONE]" ? [] : [JSON.parse(data)]));

function expectValid(validate: ValidateFunction, value: unknown, id: string): void {
  if (!validate(value)) throw new Error(`${id}: ${JSON.stringify(validate.errors?.slice(0, 3))}`);
}

const [chat, responses, messages] = DOORS;
if (!chat || !responses || !messages) throw new Error("a door is missing");

test("nearly every recorded answer is one; the others are failures of the provider's, and told as such", () => {
  expect(answers.length).toBeGreaterThan(30);
  // A stream as one JSON array of Gemini's, streams that the provider broke, and answers that it called failures itself.
  for (const id of failures)
    expect(id).toMatch(/midstream-error|unterminated|json-array-stream|finish-(MALFORMED|OTHER|UNEXPECTED|ERROR)|failed-stream/);
});

describe.skipIf(sharedMissing)("OpenAI's schema accepts", () => {
  test("whole answers of Chat Completions", () => {
    const validate = schema("CreateChatCompletionResponse");
    for (const { id, events } of answers) expectValid(validate, JSON.parse(writeAnswer(events, chat, "whole")), id);
  });

  test("chunks of Chat Completions", () => {
    const validate = schema("CreateChatCompletionStreamResponse");
    // OpenAI's schema of chunks knows no free-text calls, which it streams; only callers that offer such tools are told them.
    const known = answers.filter(({ events }) => !events.some((event) => event.type === "tool-call" && event.custom));
    expect(known.length).toBeGreaterThan(answers.length - 3);
    for (const { id, events } of known)
      for (const frame of framesOf(writeAnswer(events, chat, "streamed"))) expectValid(validate, frame, id);
  });

  test("whole answers of Responses", () => {
    const validate = schema("Response");
    for (const { id, events } of answers) expectValid(validate, JSON.parse(writeAnswer(events, responses, "whole")), id);
  });

  test("events of Responses, numbered without a gap", () => {
    const validate = schema("ResponseStreamEvent");
    for (const { id, events } of answers) {
      for (const [number, frame] of framesOf(writeAnswer(events, responses, "streamed")).entries()) {
        expectValid(validate, frame, id);
        expect(frame).toMatchObject({ sequence_number: number });
      }
    }
  });
});

describe("Anthropic's client", () => {
  const read = async (body: string, contentType: string, stream: boolean): Promise<Anthropic.Message> => {
    const fetch = async (): Promise<Response> => new Response(body, { headers: { "content-type": contentType } });
    const client = new Anthropic({ apiKey: "key", fetch, maxRetries: 0 });
    const ask = { model: "m", max_tokens: 8, messages: [{ role: "user", content: "Hi" }] } as const;
    return stream
      ? client.messages.stream({ ...ask, messages: [...ask.messages] }).finalMessage()
      : client.messages.create({ ...ask, messages: [...ask.messages] });
  };

  test("reads every answer of Messages, and the same whole and streamed", async () => {
    for (const { id, events } of answers) {
      const whole = await read(writeAnswer(events, messages, "whole"), "application/json", false);
      const streamed = await read(writeAnswer(events, messages, "streamed"), "text/event-stream", true);
      const cut = whole.stop_reason === "max_tokens";
      expect({ id, content: streamed.content.map(plain(cut)), end: streamed.stop_reason }).toEqual({
        id,
        content: whole.content.map(plain(cut)),
        end: whole.stop_reason,
      });
    }
  });
});

/** The input of a call that was cut off is whatever could be read of it. */
const plain =
  (cut: boolean) =>
  (block: Anthropic.ContentBlock): unknown =>
    JSON.parse(JSON.stringify(cut && block.type === "tool_use" ? { ...block, input: "cut off" } : block));
