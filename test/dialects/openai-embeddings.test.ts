import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { openaiEmbeddings } from "../../src/dialects/openai-embeddings";
import { inFormat } from "../../src/dialects/openai-embeddings-vector";
import { recording, sharedMissing } from "../recordings/load";
import {
  contextFor,
  decode,
  deviationsOf,
  dialectOf,
  EVERY,
  embeddingsIn,
  encodeContext,
  floats,
  read,
  requestFor,
  text,
  usageIn,
  utf8,
} from "./embeddings-replay";
import { schema } from "./openai-chat-replay";

const ANSWERS = EVERY.filter(([, { status }]) => status === 200);
const ERRORS = EVERY.filter(([, { status }]) => status !== 200);
const A = [0.5, -0.25, 0.125, 1];
const B = [-1.5, 2, 0, 0.0625];

interface Answer {
  object: string;
  data: { object: string; index: number; embedding: number[] | string }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number; cost: number };
  tollway?: object;
}

/** What leaves the door for a recorded answer: forwarded where the provider speaks the door's dialect, else translated. */
function answered(id: string, format?: "float" | "base64"): Answer {
  const recorded = recording(id);
  const events = decode(recorded);
  const context = contextFor(requestFor(events, format));
  const forwards = dialectOf(recorded).name === openaiEmbeddings.name;
  const body = forwards
    ? text(openaiEmbeddings.forwardResponse(recorded.body, context, deviationsOf(recorded)).bytes)
    : openaiEmbeddings.encodeResponse(events, context);
  return JSON.parse(body) as Answer;
}

const failureOf = (run: () => unknown): Failure => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("Nothing failed");
};

const forward = (body: object, more: Parameters<typeof encodeContext>[0] = {}) => {
  const decoded = openaiEmbeddings.decodeRequest(body);
  const { bytes, ...rest } = openaiEmbeddings.forwardRequest(utf8(JSON.stringify(body)), decoded, encodeContext(more));
  return { body: JSON.parse(text(bytes)) as object, ...rest };
};

describe("a request for embeddings", () => {
  test("has its inputs for messages, no output, and is never a stream", () => {
    expect(read({ model: "m", input: ["Cologne", "Bonn"], dimensions: 4, user: "u" })).toMatchObject({
      model: "m",
      messages: [
        { role: "user", parts: [{ type: "text", text: "Cologne" }] },
        { role: "user", parts: [{ type: "text", text: "Bonn" }] },
      ],
      stream: false,
      maxOutputTokens: 0,
      user: "u",
      rest: { dimensions: 4 },
    });
    expect(read({ model: "m", input: "Cologne" }).messages).toHaveLength(1);
  });

  test("keeps tokens and media as they came", () => {
    for (const input of [
      [1, 2, 3],
      [[1, 2], [3]],
      ["text", [1]],
      [{ content: [{ type: "image_url", image_url: { url: "https://x/y" } }] }],
    ]) {
      expect(read({ model: "m", input }).rest["input"]).toEqual(input);
    }
    expect(read({ model: "m", input: [1, 2, 3] }).messages).toHaveLength(1);
    expect(read({ model: "m", input: [[1, 2], [3]] }).messages).toHaveLength(2);
    expect(read({ model: "m", input: [{ content: [{ type: "image_url", image_url: "https://x/y" }] }] }).messages[0]?.parts).toEqual([
      { type: "image", media: { kind: "url", url: "https://x/y" } },
    ]);
    // What nobody knows may fill the model's window.
    expect(read({ model: "m", input: [{ video: "https://x/y" }] }).messages[0]?.parts).toMatchObject([{ type: "file" }]);
  });

  test.each<[string, object, string, string]>([
    ["no input", { model: "m" }, "missing_required_parameter", "input"],
    ["an empty text", { model: "m", input: "" }, "invalid_value", "input"],
    ["an empty list", { model: "m", input: [] }, "invalid_value", "input"],
    ["an empty text among others", { model: "m", input: ["a", ""] }, "invalid_value", "input[1]"],
    ["an empty list of tokens", { model: "m", input: [[1], []] }, "invalid_value", "input[1]"],
    ["tokens that are none", { model: "m", input: [1, "a"] }, "invalid_type", "input[1]"],
    ["tokens below zero", { model: "m", input: [[1, -2]] }, "invalid_type", "input[0][1]"],
    ["an input of no kind", { model: "m", input: [true] }, "invalid_type", "input[0]"],
    ["an object", { model: "m", input: { text: "a" } }, "invalid_type", "input"],
    ["no model", { input: "a" }, "missing_required_parameter", "model"],
    ["a stream", { model: "m", input: "a", stream: true }, "invalid_value", "stream"],
    ["an unknown format", { model: "m", input: "a", encoding_format: "base64_int8" }, "invalid_value", "encoding_format"],
    ["no dimensions at all", { model: "m", input: "a", dimensions: 0 }, "invalid_value", "dimensions"],
  ])("with %s is refused by name", (_, body, code, param) => {
    expect(failureOf(() => openaiEmbeddings.decodeRequest(body))).toMatchObject({ code, param });
  });

  test("goes to the same dialect as it came, but for the model", () => {
    const body = { model: "asked", input: [[1, 2]], encoding_format: "base64", dimensions: 12345678901, user: "u", unknown: 1 };
    const sent = forward({ ...body, stream: false, tollway: { tag: "t" }, provider: { only: ["openai"] } });
    expect(sent).toEqual({ path: "/embeddings", body: { ...body, model: "served" }, headers: {}, ignored: [], maxOutputTokens: 0 });
  });

  test("leaves the format out where the provider refuses it: the answer is converted instead, and nothing is named", () => {
    const sent = forward({ model: "m", input: "a", encoding_format: "base64", user: "u" }, { unsupported: ["encoding_format", "user"] });
    expect(sent.body).toEqual({ model: "served", input: "a" });
    expect(sent.ignored).toEqual(["user"]);
  });

  test("asks for dimensions under the provider's name, and is refused by a provider that has none", () => {
    const body = { model: "m", input: "a", dimensions: 256 };
    const renamed = forward(body, { deviations: { dimensionsField: "output_dimension", embeddingsPath: "/v1/embeddings" } });
    expect(renamed).toMatchObject({ path: "/v1/embeddings", body: { model: "served", input: "a", output_dimension: 256 } });
    expect(renamed.body).not.toHaveProperty("dimensions");
    expect(failureOf(() => forward(body, { unsupported: ["dimensions"] }))).toMatchObject({
      code: "unsupported_parameter",
      param: "dimensions",
    });
    expect(forward(body, { unsupported: ["dimensions"], dropUnsupported: true }).ignored).toEqual(["dimensions"]);
  });

  test("can be written anew from the neutral one", () => {
    const encode = (body: object) =>
      openaiEmbeddings.encodeRequest(read(body), encodeContext({ deviations: { dimensionsField: "output_dimension" } }));
    expect(JSON.parse(encode({ model: "m", input: "a", dimensions: 4, user: "u", encoding_format: "base64" }).body)).toEqual({
      model: "served",
      input: ["a"],
      output_dimension: 4,
      user: "u",
    });
    expect(JSON.parse(encode({ model: "m", input: [[1, 2]] }).body)).toEqual({ model: "served", input: [[1, 2]] });
  });
});

describe("vectors", () => {
  test("are the same numbers as floats and as base64", () => {
    const base64 = inFormat(A, "base64") as string;
    expect(floats(base64)).toEqual(A);
    expect(inFormat(base64, "float")).toEqual(A);
    expect(inFormat(base64, "base64")).toBe(base64);
    expect(inFormat(A, "float")).toBe(A);
    const rounded = [0.1, -1e-40, 3.4e38].map(Math.fround);
    expect(inFormat(inFormat([0.1, -1e-40, 3.4e38], "base64"), "float")).toEqual(rounded);
  });

  test.each([["null"], ["[]"], ['[1,"2"]'], ["[null]"], ['""'], ['"not base64!"'], ['"AAA="'], ["{}"], ["1"]])(
    "are refused as %s",
    (vector) => {
      const body = `{"object":"list","data":[{"object":"embedding","index":0,"embedding":${vector}}],"model":"m"}`;
      expect(failureOf(() => openaiEmbeddings.decodeResponse(body))).toMatchObject({ code: "upstream_error" });
    },
  );
});

describe("answers", () => {
  test.each(ANSWERS)("%s has a vector for each input and says what it consumed, without output", (id, recorded) => {
    const events = decode(recorded);
    expect(embeddingsIn(events).length).toBeGreaterThan(0);
    expect(embeddingsIn(events).map(({ index }) => index)).toEqual(embeddingsIn(events).map((_, n) => n));
    const usage = usageIn(events);
    // Together's and Google's older answers tell nothing.
    if (/^(own\/)?together|gemini\/embed\.embeddings\.1|own\/gemini\/embeddings\.batch/.test(id)) expect(usage).toBeUndefined();
    else expect(usage).toMatchObject({ inputTokens: expect.any(Number), outputTokens: 0 });
  });

  const PAIRS = ANSWERS.flatMap(([id]) => ([undefined, "float", "base64"] as const).map((format) => [id, format] as const));
  test.each(PAIRS)("%s leaves in the format that was asked for (%s), with the same numbers", (id, format) => {
    const answer = answered(id, format);
    const decoded = embeddingsIn(decode(recording(id)));
    expect(answer).toMatchObject({ object: "list", model: "asked", usage: { cost: 0.000001234 }, tollway: { request_id: "request-1" } });
    expect(answer.data).toHaveLength(decoded.length);
    for (const [n, { object, index, embedding }] of answer.data.entries()) {
      expect([object, index, typeof embedding]).toEqual(["embedding", n, format === "base64" ? "string" : "object"]);
      const told = decoded[n]?.vector ?? [];
      const numbers = typeof told === "string" ? floats(told) : told;
      expect(typeof embedding === "string" ? floats(embedding) : embedding.map(Math.fround)).toEqual(numbers.map(Math.fround));
    }
    const usage = usageIn(decode(recording(id)));
    expect(answer.usage.prompt_tokens).toBe(usage?.inputTokens ?? 7);
    expect(answer.usage.total_tokens).toBe(usage?.inputTokens ?? 7);
  });

  test("in the format that was asked for go through byte for byte, but for the three splices", () => {
    for (const [name, format] of [
      ["float", undefined],
      ["base64", "base64"],
    ] as const) {
      const { body } = recording(`own/openai/embeddings.${name}.1`);
      const context = contextFor(requestFor(openaiEmbeddings.decodeResponse(text(body)), format));
      const forwarded = text(openaiEmbeddings.forwardResponse(body, context).bytes);
      const undone = forwarded
        .replace('"model": "asked"', '"model": "text-embedding-3-small"')
        .replace(',"cost":0.000001234', "")
        .replace(',"tollway":{"request_id":"request-1"}', "");
      expect(undone).toBe(text(body));
    }
  });

  test("of signed bytes are numbers", () => {
    const [embedding] = embeddingsIn(decode(recording("own/perplexity/embeddings.int8.1")));
    expect(embedding?.vector).toEqual([1, -1, -128, 127]);
    expect(usageIn(decode(recording("own/perplexity/embeddings.int8.1")))?.reportedCost as bigint).toBe(12n);
    const answer = answered("own/perplexity/embeddings.int8.1", "base64");
    expect(floats(answer.data[0]?.embedding as string)).toEqual([1, -1, -128, 127]);
  });

  test("with a cost that is no number do not keep it where there is none of ours", () => {
    const { body } = recording("own/perplexity/embeddings.int8.1");
    const context = contextFor(read({ model: "m", input: "a" }), { stamp: () => ({ costUsd: undefined, extension: undefined }) });
    const answer = JSON.parse(text(openaiEmbeddings.forwardResponse(body, context, { vectors: "int8" }).bytes));
    expect(answer.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    expect(answer).not.toHaveProperty("tollway");
  });

  test("that came in another order leave in the order of the inputs when they are written again", () => {
    const item = (index: number, embedding: number[]) => ({ object: "embedding", index, embedding });
    const body = utf8(
      JSON.stringify({ object: "list", data: [item(1, B), item(0, A)], model: "m", usage: { prompt_tokens: 1, total_tokens: 1 } }),
    );
    const context = contextFor(read({ model: "m", input: ["a", "b"], encoding_format: "base64" }));
    const { data } = JSON.parse(text(openaiEmbeddings.forwardResponse(body, context).bytes)) as Answer;
    expect(data.map(({ embedding }) => floats(embedding as string))).toEqual([A, B]);
  });

  test("with fewer or more vectors than inputs are no answers", () => {
    const { body } = recording("own/openai/embeddings.float.1");
    for (const input of [["a"], ["a", "b", "c"]]) {
      const context = contextFor(read({ model: "m", input }), {
        stamp: () => {
          throw new Error("No cost is told of what is no answer");
        },
      });
      expect(failureOf(() => openaiEmbeddings.forwardResponse(body, context))).toMatchObject({ code: "upstream_error" });
      const events = openaiEmbeddings.decodeResponse(text(body));
      expect(failureOf(() => openaiEmbeddings.encodeResponse(events, context))).toMatchObject({ code: "upstream_error" });
    }
  });

  test.each([["<html>"], ["[]"], ["{}"], ['{"data":{}}'], ['{"error":{"message":"no"}}']])("%s is no answer", (body) => {
    expect(failureOf(() => openaiEmbeddings.decodeResponse(body))).toMatchObject({ code: "upstream_error" });
  });

  describe.skipIf(sharedMissing)("against OpenAI's own schema", () => {
    test.each(PAIRS)("%s (%s) is accepted", (id, format) => {
      const accepts = schema("CreateEmbeddingResponse");
      if (!accepts) throw new Error("There is no schema");
      const answer = answered(id, format);
      // The schema knows numbers only; base64 is the same vector.
      const numbers = answer.data.map((item) => ({
        ...item,
        embedding: typeof item.embedding === "string" ? floats(item.embedding) : item.embedding,
      }));
      expect(accepts({ ...answer, data: numbers }) ? [] : accepts.errors).toEqual([]);
      expect(accepts({ ...answer, data: [{ index: "0" }] })).toBe(false);
    });
  });
});

describe("errors", () => {
  test.each(ERRORS)("%s says what is wrong", (_, recorded) => {
    const { failure, retry } = dialectOf(recorded).decodeError(recorded.status, recorded.headers, text(recorded.body));
    expect(failure.message.length).toBeGreaterThan(10);
    if (recorded.status === 404) expect([failure.code, retry]).toEqual(["model_not_found", "never"]);
    if (recorded.status === 401) expect(failure.code).toBe("provider_auth_failed");
    if (recorded.status === 400) expect(retry).toBe(failure.code === "provider_auth_failed" ? "elsewhere" : "never");
  });

  test("a text that is too long is the caller's to shorten", () => {
    const { body } = recording("own/openai/embeddings.error-400.1");
    expect(openaiEmbeddings.decodeError(400, new Map(), text(body)).failure.code).toBe("context_length_exceeded");
  });
});

test("nothing of a stream is answered", () => {
  expect(openaiEmbeddings.openFramer("text/event-stream")).toBeUndefined();
  const context = contextFor(read({ model: "m", input: "a" }));
  for (const open of [
    () => openaiEmbeddings.openStream({}),
    () => openaiEmbeddings.openEncoder(context),
    () => openaiEmbeddings.openForwarder(context, {}),
  ]) {
    expect(failureOf(open)).toMatchObject({ code: "invalid_value", param: "stream" });
  }
});
