import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { nanoUsd } from "../../src/core/money";
import type { AnswerContext, Deviations, EncodeContext } from "../../src/dialects/dialect";
import { openaiChat } from "../../src/dialects/openai-chat";
import { cuts, ownRecordings, type Recording, recording, recordings, sharedMissing } from "../recordings/load";
import { deviationsOf } from "./openai-chat-deviations";
import {
  answerContext,
  answers,
  chunksOf,
  dataOf,
  decode,
  EXTENSION,
  encodeContext,
  failureOf,
  forward,
  framesOf,
  merged,
  schema,
  text,
  utf8,
} from "./openai-chat-replay";

const request = (json: string, changes: Partial<EncodeContext> = {}) => {
  const decoded = openaiChat.decodeRequest(JSON.parse(json));
  const forwarded = openaiChat.forwardRequest(utf8(json), decoded, encodeContext({ model: decoded.request.model, ...changes }));
  return { ...forwarded, text: text(forwarded.bytes) };
};

describe("forwardRequest()", () => {
  const MESSAGES = '"messages":[{"role":"user","content":"hi \\u0041"}]';

  test("sends the caller's bytes, with 12345678901234567890 and every space", () => {
    const json = `{ "model" : "gpt-x",\n ${MESSAGES}, "seed": 12345678901234567890, "x_new": 1.0 }`;
    expect(request(json).text).toBe(json);
    expect(request(json, { model: "gpt-y" }).text).toBe(json.replace('"gpt-x"', '"gpt-y"'));
  });

  test("always asks for usage in streams", () => {
    expect(request(`{"model":"m",${MESSAGES},"stream":true}`).text).toBe(
      `{"model":"m",${MESSAGES},"stream":true,"stream_options":{"include_usage":true}}`,
    );
    expect(request(`{"model":"m",${MESSAGES},"stream":true,"stream_options":{"include_obfuscation":false}}`).text).toContain(
      '{"include_obfuscation":false,"include_usage":true}',
    );
    expect(request(`{"model":"m",${MESSAGES},"stream":true,"stream_options":{"include_usage":false}}`).text).toContain(
      '"stream_options":{"include_usage":true}',
    );
    expect(request(`{"model":"m",${MESSAGES},"stream":true,"stream_options":null}`).text).toContain(
      '"stream_options":{"include_usage":true}',
    );
    const asked = `{"model":"m",${MESSAGES},"stream":true,"stream_options": {"include_usage": true}}`;
    expect(request(asked).text).toBe(asked);
  });

  test("gateways' own fields never go on", () => {
    const json = `{"tollway":{"tag":"a"},"model":"m",${MESSAGES},"provider":{"only":["groq"]},"models":["a"],"usage":{"include":true},"transforms":null,"tags":["x"]}`;
    const { text: sent, ignored } = request(json);
    expect(sent).toBe(`{"model":"m",${MESSAGES}}`);
    expect(ignored).toEqual(["models", "tags"]);
    expect(request(`{"acme":{},"model":"m",${MESSAGES}}`, { extensionName: "acme" }).text).toBe(`{"model":"m",${MESSAGES}}`);
  });

  test("what the provider refuses is refused by name, left out where it is a hint, dropped where the key says so", () => {
    const json = `{"model":"m",${MESSAGES},"logit_bias":{"1":2},"user":"u","n":1}`;
    expect(failureOf(() => request(json, { unsupported: ["logit_bias"] })).param).toBe("logit_bias");
    expect(request(json, { unsupported: ["logit_bias", "user", "n"], dropUnsupported: true })).toMatchObject({
      text: `{"model":"m",${MESSAGES}}`,
      ignored: ["user", "logit_bias"],
    });
  });

  test("the limit goes under the name that the provider reads", () => {
    const json = `{"model":"m","max_completion_tokens":9,${MESSAGES}}`;
    expect(request(json)).toMatchObject({ text: json, maxOutputTokens: 9, path: "/chat/completions", headers: {} });
    expect(request(json, { deviations: { maxTokensField: "max_tokens" } }).text).toBe(`{"model":"m",${MESSAGES},"max_tokens":9}`);
  });
});

/** The answer as it must read: the provider's JSON with the three splices, made by other means than the forwarder's. */
function spliced(body: string, changes: Record<string, unknown>, cost: number): unknown {
  const json = JSON.parse(body);
  return { ...json, ...changes, ...(json.usage ? { usage: { ...json.usage, cost } } : {}) };
}

describe("forwardResponse()", () => {
  test("changes model, usage.cost and our object, and no other byte", () => {
    const { body } = recording("own/openai/chat.tool-call.1");
    const { context, asked } = answerContext();
    const forwarded = openaiChat.forwardResponse(body, context);
    const expected = text(body)
      .replace('"gpt-5-mini-2025-08-07"', '"the-model-asked-for"')
      .replace(/("rejected_prediction_tokens": 0\s*\})/, '$1,"cost":0.0015')
      .replace('"fp_own"', `"fp_own","tollway":${JSON.stringify(EXTENSION)}`);
    expect(text(forwarded.bytes)).toBe(expected);
    expect(text(forwarded.bytes)).toContain("12345678901234567890");
    expect(forwarded.events).toEqual(decode(recording("own/openai/chat.tool-call.1")));
    expect(asked.length).toBe(1);
    expect(asked[0]).toMatchObject({ inputTokens: 19, outputTokens: 7 });
  });

  test("adds our count where the provider told no usage, and nothing where nothing is known", () => {
    const body = '{"id":"c","model":"the-model-asked-for","choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":null}';
    const counted = answerContext({}, { countedUsage: { inputTokens: 3, outputTokens: 1 }, extension: undefined });
    expect(text(openaiChat.forwardResponse(utf8(body), counted.context).bytes)).toBe(
      body.replace('"usage":null', '"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4,"cost":0.0015}'),
    );
    const nothing = answerContext({}, { costUsd: undefined, extension: undefined });
    expect(text(openaiChat.forwardResponse(utf8(body), nothing.context).bytes)).toBe(body);
  });

  test("refuses what is not an answer", () => {
    const { context } = answerContext();
    for (const body of ["", "<html>", "[]", '{"error":{"message":"x"}}', '{"choices":[]}'])
      expect(failureOf(() => openaiChat.forwardResponse(utf8(body), context)).code).toBe("upstream_error");
  });

  test("of every answer of OpenAI's and ours says the same but for the three splices, and satisfies the schema", () => {
    const isCompletion = schema("CreateChatCompletionResponse");
    for (const { id, body } of answers(false)) {
      const { context } = answerContext();
      const out = text(openaiChat.forwardResponse(body, context).bytes);
      expect([id, JSON.parse(out)]).toEqual([id, spliced(text(body), { model: context.model, tollway: EXTENSION }, 0.0015)]);
      if (isCompletion && !isCompletion(JSON.parse(out))) throw new Error(`${id}: ${JSON.stringify(isCompletion.errors)}`);
    }
  });
});

/** An independent reading of the rules, on text: line by line, with JSON.parse and string replacement only. */
function checkForwarded(each: Recording, out: string, model: string, includeUsage: boolean): void {
  const blocks = (stream: string) => stream.split(/(?<=\r?\n\r?\n)/);
  const payload = (block: string) => /^data: ?(.*?)\r?\n/.exec(block)?.[1] ?? "";
  const json = (block: string) => (payload(block).startsWith("{") ? JSON.parse(payload(block)) : undefined);
  const isUsageOnly = (block: string) => json(block)?.usage && json(block).choices.length === 0;
  const original = blocks(text(each.body));
  const kept = usageLast(original.filter((block) => includeUsage || !isUsageOnly(block)));
  const got = blocks(out);
  // A usage chunk goes behind the data frames that follow it (OpenAI's moderation results), before the terminator.
  function usageLast(stream: string[]): string[] {
    const at = stream.findLastIndex(isUsageOnly);
    const end = stream.findLastIndex((block) => json(block)) + 1;
    return at === -1 ? stream : [...stream.slice(0, at), ...stream.slice(at + 1, end), stream[at] as string, ...stream.slice(end)];
  }
  const usageChunk = original.find((block) => json(block)?.usage);
  const added = includeUsage && !usageChunk ? 1 : 0;
  expect(got.length).toBe(kept.length + added);
  const finish = (block: string) => json(block)?.choices.some((choice: { finish_reason: unknown }) => choice.finish_reason);
  // The usage chunk where one goes out, else the last finish chunk.
  const lastData = got.findLastIndex((block) => (includeUsage ? json(block)?.usage : finish(block)));
  for (const [index, block] of got.entries()) {
    const before = kept[index] ?? "";
    if (index !== lastData) {
      const sameButModel = json(before)
        ? before.replace(`"model":${JSON.stringify(json(before).model)}`, `"model":${JSON.stringify(model)}`)
        : before;
      if (index < lastData || !added) expect(block).toBe(sameButModel);
      expect(json(block)?.tollway).toBeUndefined();
      continue;
    }
    const stamped = json(block);
    expect(stamped.tollway).toEqual(EXTENSION);
    expect(stamped.usage.cost).toBe(0.0015);
    if (added) continue;
    const { usage, tollway: _, ...others } = stamped;
    const { usage: usageBefore, ...othersBefore } = json(before);
    expect(others).toEqual({ ...othersBefore, model });
    const { cost: __, ...told } = usage;
    expect(told).toEqual(
      usageBefore ?? (usageChunk ? json(usageChunk).usage : { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }),
    );
  }
  expect(got.at(-1)).toBe(kept.at(-1));
}

const counted = { costUsd: nanoUsd(1_500_000n), countedUsage: { inputTokens: 1, outputTokens: 2 } };

describe("openForwarder()", () => {
  for (const includeUsage of [false, true]) {
    test(`passes every stream on as it came, but for the three splices (usage asked for: ${includeUsage})`, () => {
      const isChunk = schema("CreateChatCompletionStreamResponse");
      for (const each of answers(true)) {
        const { context, asked } = answerContext({ includeUsage }, counted);
        const { text: out, events } = forward([each.body], context);
        checkForwarded(each, out, context.model, includeUsage);
        expect(asked.length).toBe(1);
        expect(events).toEqual(decode(each));
        if (isChunk)
          for (const chunk of chunksOf(out))
            if (!isChunk(chunk)) throw new Error(`${each.id}: ${JSON.stringify(isChunk.errors)} ${JSON.stringify(chunk)}`);
      }
    });
  }

  test("writes the same bytes wherever the provider's are cut", () => {
    for (const { id, body } of ownRecordings("openai", "openai-chat").filter((each) => each.stream)) {
      const expected = forward([body], answerContext({}, counted).context).text;
      for (const cut of cuts(body))
        expect([id, cut, forward([body.subarray(0, cut), body.subarray(cut)], answerContext({}, counted).context).text]).toEqual([
          id,
          cut,
          expected,
        ]);
    }
  });

  test.skipIf(sharedMissing)("passes on other providers' streams too, wherever their usage comes", () => {
    for (const provider of ["azure", "deepseek", "fireworks", "groq", "llamacpp", "ollama", "openrouter", "together", "vllm", "xai"]) {
      for (const each of recordings(provider, "openai-chat").filter((one) => one.stream && one.status === 200)) {
        let expected: ChatEvent[];
        try {
          expected = decode(each);
        } catch {
          continue; // Those that break off: openai-chat-decode.test.ts names them.
        }
        for (const includeUsage of [false, true]) {
          const { context, asked } = answerContext({ includeUsage }, counted);
          const { text: out, events } = forward([each.body], context, deviationsOf(provider));
          const data = dataOf(out);
          expect([each.id, data.at(-1)]).toEqual([each.id, "[DONE]"]);
          const chunks = chunksOf(out);
          expect([each.id, chunks.map((chunk) => "tollway" in chunk).indexOf(true)]).toEqual([each.id, chunks.length - 1]);
          expect(chunks.at(-1)).toMatchObject({ usage: { cost: 0.0015 } });
          expect(chunks.filter((chunk) => "tollway" in chunk).length).toBe(1);
          expect(chunks.every((chunk) => chunk["model"] === context.model)).toBe(true);
          expect(asked.length).toBe(1);
          expect(merged(events)).toEqual(merged(expected));
        }
      }
    }
  });

  const chunk = (choices: object[], more: object = {}) =>
    `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "up", choices, ...more })}\n\n`;
  const say = (content: string, index = 0) => ({ index, delta: { content }, finish_reason: null });
  const finish = (index = 0) => ({ index, delta: {}, finish_reason: "stop" });
  const run = (frames: string, changes: Partial<AnswerContext> = {}, deviations: Deviations = {}) =>
    forward([utf8(frames)], answerContext({ model: "up", ...changes }, counted).context, deviations).text;
  const stamp = `"tollway":${JSON.stringify(EXTENSION)}`;

  test("holds the finish chunk back until the usage is known, and gives it the provider's usage object with our cost", () => {
    const forwarder = openaiChat.openForwarder(answerContext({ model: "up" }).context, {});
    const steps = framesOf([
      utf8(`${chunk([say("a")])}${chunk([finish()])}${chunk([], { usage: { prompt_tokens: 12345678901, total: 1.0 } })}data: [DONE]\n\n`),
    ]).map((frame) => forwarder.push(frame).bytes.map((bytes) => text(bytes)));
    expect(steps.map((step) => step.length)).toEqual([1, 0, 1, 1]);
    const stamped = chunk([finish()]).replace("}\n\n", `,"usage":{"prompt_tokens":12345678901,"total":1,"cost":0.0015},${stamp}}\n\n`);
    expect(steps.slice(2)).toEqual([[stamped], ["data: [DONE]\n\n"]]);
    expect(forwarder.done).toBe(true);
    expect(forwarder.push({ raw: utf8("data: late\n\n"), data: "late", event: undefined, id: undefined })).toEqual({
      bytes: [],
      events: [],
    });
  });

  test("digits of the provider's usage stay as they are written", () => {
    const usage = '{"prompt_tokens":3,"odd":12345678901234567890, "ratio":1.0}';
    const out = run(`${chunk([finish()])}data: {"choices":[],"usage":${usage}}\n\ndata: [DONE]\n\n`);
    expect(out).toContain('"usage":{"prompt_tokens":3,"odd":12345678901234567890, "ratio":1.0,"cost":0.0015}');
  });

  test("comments never wait, and other choices do not lose their order", () => {
    const frames = [chunk([say("a", 0)]), chunk([finish(0)]), ": ping\n\n", chunk([say("b", 1)]), chunk([finish(1)]), ": ping\n\n"];
    const out = run(`${frames.join("")}data: [DONE]\n\n`);
    expect(out.startsWith(`${frames[0]}: ping\n\n${frames[1]}${frames[3]}: ping\n\n`)).toBe(true);
    expect(out.match(/"tollway"/g)?.length).toBe(1);
    expect(out.indexOf('"tollway"')).toBeGreaterThan(out.lastIndexOf('"index":1'));
  });

  test("a caller that asked for usage gets a chunk of it, even where the provider sent none", () => {
    const out = chunksOf(run(`${chunk([finish()])}data: [DONE]\n\n`, { includeUsage: true }));
    expect(out.length).toBe(2);
    expect(out[0]).not.toHaveProperty("tollway");
    expect(out[1]).toEqual({
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "up",
      choices: [],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost: 0.0015 },
      tollway: EXTENSION,
    });
  });

  test("a provider that ends with its connection gets the terminator that the caller waits for", () => {
    const out = run(`${chunk([say("a")])}${chunk([finish()])}`, {}, { terminator: "eof" });
    expect(dataOf(out).at(-1)).toBe("[DONE]");
    expect(out).toContain(stamp);
  });

  test("model is replaced where it stands at the top, and nowhere else", () => {
    const odd = [
      'data: {"choices":[{"index":0,"delta":{"content":"\\"model\\":\\"up\\""}}],"x":{"model":"up"},"model":"up"}\n\n',
      'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"x":{"model":"up"}}\n\n',
      `data:{"id":"c","mod\\u0065l":"up","choices":[]}\r\n\r\n`,
      'id: 7\ndata: {"choices":[],\ndata: "model":"up"}\n\n',
    ];
    const out = run(`${odd.join("")}${chunk([finish()])}data: [DONE]\n\n`, { model: "asked" });
    expect(
      out.startsWith(
        `${odd[0]?.replace('"model":"up"}\n', '"model":"asked"}\n')}${odd[1]}${odd[2]?.replace('"up"', '"asked"')}id: 7\ndata: {"choices":[],\ndata: "model":"asked"}\n\n`,
      ),
    ).toBe(true);
  });

  test("an error or a cut leaves the held chunk unwritten: what follows is the error event, and no terminator", () => {
    const forwarder = openaiChat.openForwarder(answerContext({ model: "up" }).context, {});
    const frames = framesOf([utf8(`${chunk([say("a")])}${chunk([finish()])}event: error\ndata: {"error":{"message":"broke"}}\n\n`)]);
    const written = frames.slice(0, 2).flatMap((frame) => forwarder.push(frame).bytes.map((bytes) => text(bytes)));
    expect(written).toEqual([chunk([say("a")])]);
    const last = frames[2];
    expect(failureOf(() => last && forwarder.push(last)).message).toContain("broke");
    expect(failureOf(() => forwarder.end()).code).toBe("stream_truncated");
    const failed = forwarder.fail({
      status: 502,
      message: "m",
      type: "server_error",
      param: null,
      code: "upstream_error",
      facts: { a: 1 },
    });
    expect(failed).toBe('data: {"error":{"message":"m","type":"server_error","param":null,"code":"upstream_error","tollway":{"a":1}}}\n\n');
  });
});
