// Embeddings towards providers that do not speak OpenAI's dialect: what goes out. What comes back is tested with OpenAI's own.
import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { cohereEmbeddings } from "../../src/dialects/cohere-embeddings";
import type { Dialect } from "../../src/dialects/dialect";
import { geminiEmbeddings } from "../../src/dialects/gemini-embeddings";
import { ollamaEmbeddings } from "../../src/dialects/ollama-embeddings";
import { recording } from "../recordings/load";
import { decode, encodeContext, read, usageIn } from "./embeddings-replay";

const DIALECTS: readonly (readonly [string, Dialect])[] = [geminiEmbeddings, cohereEmbeddings, ollamaEmbeddings].map((each) => [
  each.name,
  each,
]);

const sent = (dialect: Dialect, body: object, more: Parameters<typeof encodeContext>[0] = {}) => {
  const encoded = dialect.encodeRequest(read({ model: "asked", ...body }), encodeContext(more));
  return { ...encoded, body: JSON.parse(encoded.body) as object };
};

function refusal(dialect: Dialect, body: object, more: Parameters<typeof encodeContext>[0] = {}): Failure {
  try {
    sent(dialect, body, more);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("Nothing was refused");
}

test("Google gets one request for each input, with the dimensions in each", () => {
  expect(sent(geminiEmbeddings, { input: ["Cologne", "Bonn"], dimensions: 768, input_type: "search_query" }, { model: "a/b" })).toEqual({
    path: "/models/a%2Fb:batchEmbedContents",
    body: {
      requests: ["Cologne", "Bonn"].map((text) => ({
        model: "models/a/b",
        content: { parts: [{ text }] },
        taskType: "RETRIEVAL_QUERY",
        outputDimensionality: 768,
      })),
    },
    headers: {},
    ignored: [],
    maxOutputTokens: 0,
  });
  expect(sent(geminiEmbeddings, { input: "Cologne" }, { model: "gemini-embedding-001" }).body).toEqual(
    recordedRequest("own/gemini/embeddings.batch.1", 1),
  );
});

/** Our own recorded request, less the inputs after the first few. */
function recordedRequest(id: string, inputs: number): object {
  const { requests } = recording(id).request as { requests: object[] };
  return { requests: requests.slice(0, inputs) };
}

test("Google's own task types go as they are, and words of nobody are refused", () => {
  expect(sent(geminiEmbeddings, { input: "a", input_type: "CODE_RETRIEVAL_QUERY" }).body).toMatchObject({
    requests: [{ taskType: "CODE_RETRIEVAL_QUERY" }],
  });
  expect(sent(geminiEmbeddings, { input: "a", input_type: null }).body).not.toHaveProperty("requests.0.taskType");
  for (const input_type of ["poetry", "toString", 3]) {
    expect(refusal(geminiEmbeddings, { input: "a", input_type })).toMatchObject({ code: "invalid_value", param: "input_type" });
  }
});

test("Cohere is told what the vectors are for, and not to cut texts off", () => {
  expect(sent(cohereEmbeddings, { input: ["Cologne", "Bonn"] }, { model: "embed-v4.0" })).toMatchObject({
    path: "/v2/embed",
    body: recording("own/cohere/embeddings.text.1").request as object,
    ignored: [],
    maxOutputTokens: 0,
  });
  expect(sent(cohereEmbeddings, { input: "a", input_type: "query", dimensions: 1024, truncate: "END" }).body).toMatchObject({
    input_type: "search_query",
    output_dimension: 1024,
    truncate: "END",
  });
  expect(sent(cohereEmbeddings, { input: "a", input_type: "clustering", truncate: null }).body).toMatchObject({
    input_type: "clustering",
    truncate: "NONE",
  });
});

test("Ollama gets its own request, and is not to cut texts off", () => {
  expect(sent(ollamaEmbeddings, { input: ["Cologne"] }, { model: "nomic-embed-text" })).toMatchObject({
    path: "/api/embed",
    body: recording("own/ollama/embeddings.text.1").request as object,
    ignored: [],
  });
  expect(sent(ollamaEmbeddings, { input: "a", dimensions: 4, truncate: true }).body).toMatchObject({ dimensions: 4, truncate: true });
  expect(refusal(ollamaEmbeddings, { input: "a", input_type: "query" })).toMatchObject({ param: "input_type" });
});

describe.each(DIALECTS)("%s", (_, dialect) => {
  test("does the format here, and names the hints that have no place", () => {
    const { ignored, body } = sent(dialect, {
      input: "a",
      encoding_format: "base64",
      user: "u",
      metadata: { a: "b" },
      unknown: 1,
      usage: {},
    });
    expect(ignored.toSorted()).toEqual(["metadata", "unknown", "user"]);
    expect(JSON.stringify(body)).not.toMatch(/base64|metadata|unknown/);
  });

  test("refuses tokens and media by name, on keys that drop what has no place too", () => {
    for (const input of [[1, 2], [[1, 2]], ["a", [1]], [{ content: [{ type: "text", text: "a" }] }]]) {
      for (const dropUnsupported of [false, true]) {
        expect(refusal(dialect, { input }, { dropUnsupported })).toMatchObject({ code: "unsupported_parameter", param: "input" });
      }
    }
  });

  test("refuses a meaning without a place, or drops it where the key says so", () => {
    const body = { input: "a", output_dtype: "int8" };
    expect(refusal(dialect, body)).toMatchObject({ code: "unsupported_parameter", param: "output_dtype" });
    expect(sent(dialect, body, { dropUnsupported: true }).ignored).toEqual(["output_dtype"]);
    expect(sent(dialect, { input: "a", output_dtype: "float" }).ignored).toEqual([]);
  });

  test("never streams", () => {
    expect(dialect.openFramer("text/event-stream")).toBeUndefined();
    expect(() => dialect.openStream({})).toThrow("not streamed");
  });

  test.each([["<html>"], ["{}"], ['{"embeddings":"x"}'], ['{"error":{"message":"no"}}'], ['{"embeddings":[1]}']])(
    "takes %s for no answer",
    (body) => {
      expect(() => dialect.decodeResponse(body)).toThrow(Failure);
    },
  );
});

test("Google's newer answers tell their tokens", () => {
  expect(usageIn(decode(recording("own/gemini/embeddings.usage.1")))).toEqual({ inputTokens: 3, outputTokens: 0 });
});
