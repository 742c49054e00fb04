import { afterAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import type { AnswerContext, DecodedRequest, EncodeContext, FailureBody } from "../../src/dialects/dialect";
import { forwardResponsesAnswer, forwardResponsesRequest } from "../../src/dialects/openai-responses-forward";
import { ResponsesForwarder } from "../../src/dialects/openai-responses-forward-stream";
import { sealOf } from "../../src/dialects/sealed-envelope";
import { cuts, ownRecordings, recording } from "../recordings/load";
import { answerContext, EXTENSION, encodeContext, failureOf, schema, text, utf8 } from "./openai-chat-replay";
import { answers, decode, forward, framesOf, jsonOf, said } from "./openai-responses-recorded";

const own = (name: string) => recording(`own/openai/responses.${name}`);
const COUNTED = { countedUsage: { inputTokens: 1, outputTokens: 2 } };

const request = (json: string, changes: Partial<EncodeContext> = {}) => {
  const { model, max_output_tokens: maxOutputTokens } = JSON.parse(json);
  const decoded: DecodedRequest = { request: { model, maxOutputTokens, messages: [], stream: false, rest: {} }, includeUsage: true };
  const forwarded = forwardResponsesRequest(utf8(json), decoded, encodeContext({ model, ...changes }));
  return { ...forwarded, text: text(forwarded.bytes) };
};

describe("forwardResponsesRequest()", () => {
  const INPUT = '"input":[{"role":"user","content":"hi \\u0041"}]';

  test("sends the caller's bytes, with 12345678901234567890 and every space", () => {
    const json = `{ "model" : "gpt-x",\n ${INPUT}, "store": true, "max_output_tokens": 9, "x_new": [12345678901234567890, 1.0] }`;
    expect(request(json)).toMatchObject({ text: json, path: "/responses", headers: {}, ignored: [], maxOutputTokens: 9 });
    expect(request(json, { model: "gpt-y" }).text).toBe(json.replace('"gpt-x"', '"gpt-y"'));
  });

  test("gateways' own fields never go on", () => {
    const json = `{"tollway":{"tag":"a"},"model":"m",${INPUT},"provider":{"only":["groq"]},"models":["a"],"transforms":null,"tags":["x"]}`;
    expect(request(json)).toMatchObject({ text: `{"model":"m",${INPUT}}`, ignored: ["models", "tags"] });
    expect(request(`{"acme":{},"model":"m",${INPUT}}`, { extensionName: "acme" }).text).toBe(`{"model":"m",${INPUT}}`);
  });

  test("what the provider refuses is refused by the caller's name, left out where it is a hint, dropped where the key says so", () => {
    const json = `{"model":"m",${INPUT},"max_output_tokens":9,"reasoning":{"effort":"low"},"user":"u","metadata":{},"top_p":1}`;
    const refused = (name: string) => failureOf(() => request(json, { unsupported: [name] })).param;
    expect([refused("max_completion_tokens"), refused("reasoning_effort"), refused("reasoning")]).toEqual([
      "max_output_tokens",
      "reasoning",
      "reasoning",
    ]);
    expect(request(json, { unsupported: ["user", "metadata", "top_p"] })).toMatchObject({ ignored: ["user"] });
    expect(request(json, { unsupported: ["reasoning_effort", "user", "metadata", "top_p"], dropUnsupported: true })).toMatchObject({
      text: `{"model":"m",${INPUT},"max_output_tokens":9}`,
      ignored: ["reasoning", "user"],
    });
  });

  test("thoughts that another dialect sealed stay behind, and are named", () => {
    const item = (seal: string) => `{"type":"reasoning","summary":[],"encrypted_content":"${seal}"}`;
    const foreign = sealOf({ from: "anthropic-messages", signature: "s" });
    const asked = (...items: string[]) => `{"model":"m", "input": [${items.join(",")}], "seed": 12345678901234567890}`;
    const message = '{"role":"user","content":"1.0","n":1.0}';
    expect(request(asked(message, item("gAAAA"))).text).toBe(asked(message, item("gAAAA")));
    expect(request(asked(message, item(foreign), item("gAAAA")))).toMatchObject({
      text: asked(message, item("gAAAA")),
      ignored: ["input[1]"],
    });
    const quoting = asked('{"role":"user","content":"say \\"tw1.abc\\""}', '{"role":"user","content":"tw1.abc"}');
    expect(request(quoting).text).toBe(quoting);
  });
});

describe("forwardResponsesAnswer()", () => {
  test("changes model, usage.cost and our object, and no other byte", () => {
    const { body } = own("reasoning.1");
    const { context, asked } = answerContext();
    const forwarded = forwardResponsesAnswer(body, context);
    const expected = text(body)
      .replace('"gpt-5-mini-2025-08-07"', '"the-model-asked-for"')
      .replace(/("total_tokens": 258)/, '$1,"cost":0.0015')
      .replace(/("ratio": 1\.0 \})/, `$1,"tollway":${JSON.stringify(EXTENSION)}`);
    expect(text(forwarded.bytes)).toBe(expected);
    expect(expected).toContain("12345678901234567890");
    expect(said(forwarded.events)).toBe(said(decode(own("reasoning.1"))));
    expect(asked).toEqual([expect.objectContaining({ inputTokens: 210, outputTokens: 48 })]);
  });

  test("adds our count where the provider told no usage, and nothing where nothing is known", () => {
    const body = '{"id":"r","model":"the-model-asked-for","status":"completed","output":[],"usage":null}';
    const counted = answerContext({}, { ...COUNTED, extension: undefined });
    expect(JSON.parse(text(forwardResponsesAnswer(utf8(body), counted.context).bytes)).usage).toEqual({
      input_tokens: 1,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 3,
      cost: 0.0015,
    });
    const nothing = answerContext({}, { costUsd: undefined, extension: undefined });
    expect(text(forwardResponsesAnswer(utf8(body), nothing.context).bytes)).toBe(body);
  });

  test("refuses what is not an answer", () => {
    for (const body of ["", "<html>", "[]", '{"error":{"message":"x"}}', '{"output":{}}', '{"status":"in_progress","output":[]}'])
      expect(failureOf(() => forwardResponsesAnswer(utf8(body), answerContext().context)).code).toBe("upstream_error");
  });

  test("of every provider says the same but for the three splices", () => {
    for (const { id, body } of answers(false)) {
      const { context } = answerContext();
      const before = JSON.parse(text(body));
      const expected = { ...before, model: context.model, usage: { ...before.usage, cost: 0.0015 }, tollway: EXTENSION };
      expect([id, JSON.parse(text(forwardResponsesAnswer(body, context).bytes))]).toEqual([id, expected]);
    }
  });
});

/** An independent reading of the rules, on text: frame by frame, with JSON.parse and string replacement only. */
function checkForwarded(id: string, before: string, after: string, model: string): void {
  const blocks = (stream: string) => stream.split(/(?<=\r?\n\r?\n)/);
  const json = (block: string) => {
    const payload = /^data: ?(\{.*?)\r?$/m.exec(block)?.[1];
    return payload === undefined ? undefined : JSON.parse(payload);
  };
  const kept = blocks(before).filter((block) => !block.includes("[DONE]"));
  const got = blocks(after);
  expect([id, got.length]).toEqual([id, kept.length]);
  for (const [index, block] of got.entries()) {
    const original = kept[index] ?? "";
    const told = json(original)?.response;
    if (index < got.length - 1) {
      const spliced = told ? original.replace(`"model":${JSON.stringify(told.model)}`, `"model":${JSON.stringify(model)}`) : original;
      expect([id, block]).toEqual([id, spliced]);
      continue;
    }
    const usage = { ...told.usage, cost: 0.0015 };
    expect([id, json(block)]).toEqual([id, { ...json(original), response: { ...told, model, usage, tollway: EXTENSION } }]);
  }
}

describe("ResponsesForwarder", () => {
  test("passes every stream on as it came, but for the three splices and what follows the end", () => {
    const isEvent = schema("ResponseStreamEvent");
    for (const { id, body } of answers(true)) {
      const { context, asked } = answerContext();
      const through = forward([body], context);
      checkForwarded(id, text(body), through.text, context.model);
      expect(asked.length).toBe(1);
      expect(said(through.events)).toBe(said(decode(recording(id))));
      if (!isEvent) continue;
      // OpenAI's own `…arguments.done` lacks the name that its schema demands; everything else satisfies it. Ours has events that no schema knows.
      for (const event of jsonOf(utf8(through.text)))
        if (event["type"] !== "response.function_call_arguments.done" && event["type"] !== "response.something_new" && !isEvent(event))
          throw new Error(`${id}: ${JSON.stringify(event)}`);
    }
  });

  test("writes the same bytes wherever the provider's are cut", () => {
    for (const { id, body } of ownRecordings("openai", "openai-responses").filter((each) => each.stream && !each.id.includes("error"))) {
      const expected = forward([body], answerContext().context).text;
      for (const cut of cuts(body)) {
        const { text: out } = forward([body.subarray(0, cut), body.subarray(cut)], answerContext().context);
        if (out !== expected) throw new Error(`${id} differs when cut at ${cut}`);
      }
    }
  });

  test("comments go on, [DONE] does not: this API has none", () => {
    const { text: out } = forward([own("loose-stream.1").body], answerContext().context);
    expect(out).toStartWith(": PROCESSING\n\n");
    expect(out).not.toContain("[DONE]");
  });

  test("writes our count where the provider told no usage", () => {
    const body = 'data: {"type":"response.completed","response":{"id":"r","model":"m","output":[],"usage":null}}\n\n';
    const { text: out } = forward([utf8(body)], answerContext({}, COUNTED).context);
    expect(jsonOf(utf8(out))[0]?.["response"]).toMatchObject({ usage: { input_tokens: 1, output_tokens: 2, cost: 0.0015 } });
  });

  test("a frame whose data stands on several lines is spliced too", () => {
    const body =
      'id: 1\r\ndata: {"type":"response.completed","response":\r\ndata: {"id":"r","model":"m","output":[],"usage":null}}\r\n\r\n';
    const { text: out } = forward([utf8(body)], answerContext({}, { costUsd: undefined, extension: undefined }).context);
    expect(out).toBe(
      'id: 1\ndata: {"type":"response.completed","response":\ndata: {"id":"r","model":"the-model-asked-for","output":[],"usage":null}}\n\n',
    );
  });
});

const failure: FailureBody = {
  status: 502,
  message: "The provider ended the stream before its last event",
  type: "server_error",
  param: null,
  code: "stream_truncated",
  facts: { request_id: "r" },
};

/** What a caller reads of a stream that breaks after `frames` frames. */
function broken(body: Uint8Array, frames: number, context: AnswerContext): string {
  const forwarder = new ResponsesForwarder(context, {});
  const written = framesOf([body])
    .slice(0, frames)
    .flatMap((frame) => forwarder.push(frame).bytes);
  expect(failureOf(() => forwarder.end()).code).toBe("stream_truncated");
  return text(Buffer.concat(written)) + forwarder.fail(failure);
}

describe("a stream that breaks", () => {
  test("ends with the error and the failed answer, numbered on, in the caller's model", () => {
    const events = jsonOf(utf8(broken(own("max-tokens-stream.1").body, 6, answerContext().context)));
    expect(events.map((event) => event["type"]).slice(-3)).toEqual(["response.output_text.delta", "error", "response.failed"]);
    expect(events.map((event) => event["sequence_number"])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(events.at(-1)?.["response"]).toMatchObject({
      id: "resp_own3",
      model: "the-model-asked-for",
      status: "failed",
      error: { code: "server_error", message: failure.message },
      tollway: failure.facts,
    });
  });

  test("has no failed answer where none was begun", () => {
    expect(jsonOf(utf8(broken(utf8(""), 0, answerContext().context))).map((event) => event["type"])).toEqual(["error"]);
  });

  const { body } = own("max-tokens-stream.1");
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(call) {
      const { context } = answerContext();
      const stream = new URL(call.url).pathname.startsWith("/whole") ? forward([body], context).text : broken(body, 6, context);
      return new Response(stream, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
    },
  });
  afterAll(() => server.stop(true));
  const client = (path: string) => new OpenAI({ apiKey: "k", baseURL: `http://127.0.0.1:${server.port}/${path}`, maxRetries: 0 });

  test("is an error to OpenAI's SDK, and an unbroken one an answer", async () => {
    const read = async (path: string): Promise<string[]> => {
      const types: string[] = [];
      for await (const event of await client(path).responses.create({ model: "m", input: "hi", stream: true })) types.push(event.type);
      return types;
    };
    expect((await read("whole")).at(-1)).toBe("response.incomplete");
    await expect(read("broken")).rejects.toThrow(failure.message);
    const helper = client("whole").responses.stream({ model: "m", input: "hi" });
    expect((await helper.finalResponse()).output_text).toBe("Grüße aus");
    await expect(client("broken").responses.stream({ model: "m", input: "hi" }).finalResponse()).rejects.toThrow(failure.message);
  });
});
