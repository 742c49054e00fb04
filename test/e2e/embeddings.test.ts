// Embeddings through the whole line: OpenAI's own client, every provider that embeds, exact money, test keys.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import type { LedgerRow } from "../../src/core/ports";
import { costOf } from "../../src/policy/pricing";
import { PROVIDERS } from "../../src/providers/registry";
import { decode, EVERY, embeddingsIn, floats, usageIn } from "../dialects/embeddings-replay";
import { type Recording, recording } from "../recordings/load";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";

interface Answer {
  object: string;
  data: { embedding: number[] | string }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number; cost?: number };
  tollway: Record<string, unknown>;
}

let upstream: Upstream;
let house: RunningHouse;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
  house = await startHouse({ upstream: upstream.url });
  key = await house.key();
});
afterAll(async () => {
  await house.close();
  await upstream.close();
});

const embed = (body: object, init: { key?: string } = {}): Promise<Response> =>
  fetch(`${house.url}/v1/embeddings`, {
    method: "POST",
    headers: { authorization: `Bearer ${init.key ?? key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const play = ({ status, headers, body }: Recording): void => upstream.play({ status, headers: Object.fromEntries(headers), body });

async function rowOf(response: Response): Promise<LedgerRow> {
  await house.settled();
  const requestId = response.headers.get("x-request-id") ?? "";
  const { data } = await house.ports.records.audit({ organizationId: "default", requestId, limit: 1 });
  const attempts = data[0]?.attempts ?? [];
  expect(attempts).toHaveLength(1);
  return attempts[0] as LedgerRow;
}

async function refused(response: Response): Promise<{ status: number; code: string; param: string }> {
  const { error } = (await response.json()) as { error: { code: string; param: string } };
  return { status: response.status, code: error.code, param: error.param };
}

/** A model of the provider that the catalogue prices, where it has one. */
const MODELS: Readonly<Record<string, string>> = {
  openai: "text-embedding-3-small",
  gemini: "gemini-embedding-001",
  mistral: "mistral-embed",
  cohere: "embed-v4.0",
};

/** Answers of providers that have a row which embeds. */
const ANSWERS = EVERY.filter(
  ([, { status, provider }]) =>
    status === 200 && PROVIDERS.some((row) => row.name === provider && row.operations.some(({ does }) => does === "embeddings")),
).filter(([, { provider, format }]) => provider !== "ollama" || format === "ollama-embed");

describe("OpenAI's own client, which asks for base64 unless told otherwise,", () => {
  const client = () => new OpenAI({ apiKey: key, baseURL: `${house.url}/v1`, maxRetries: 0 });

  test.each(ANSWERS)("reads the right numbers of %s, in both formats", async (_, recorded) => {
    const expected = embeddingsIn(decode(recorded)).map(({ vector }) =>
      typeof vector === "string" ? floats(vector) : vector.map(Math.fround),
    );
    const input = expected.map((_vector, n) => `input ${n}`);
    const model = MODELS[recorded.provider] ?? "a-model";
    for (const encoding_format of [undefined, "float", "base64"] as const) {
      play(recorded);
      const answer = await client().embeddings.create({
        model,
        input,
        ...(encoding_format === undefined ? {} : { encoding_format }),
        ...{ provider: { only: [recorded.provider] } },
      });
      const read = answer.data.map(({ embedding }) => {
        const told = embedding as unknown as number[] | string;
        return typeof told === "string" ? floats(told) : told.map(Math.fround);
      });
      expect(read).toEqual(expected);
      expect(answer).toMatchObject({ object: "list", model });
      expect(answer.usage.prompt_tokens).toBe(answer.usage.total_tokens);
    }
  });

  test("reads a refusal with its field", async () => {
    const failed: unknown = await client()
      .embeddings.create({ model: "auto", input: "a" })
      .catch((thrown: unknown) => thrown);
    expect(failed).toBeInstanceOf(OpenAI.BadRequestError);
    expect(failed).toMatchObject({ code: "invalid_value", param: "model" });
  });
});

describe("money:", () => {
  test.each(ANSWERS)("%s costs what its tokens cost, and less than was held", async (_, recorded) => {
    const events = decode(recorded);
    const model = MODELS[recorded.provider] ?? "a-model";
    play(recorded);
    const response = await embed({
      model,
      input: embeddingsIn(events).map((_each, n) => `input ${n}`),
      provider: { only: [recorded.provider] },
    });
    const answer = (await response.json()) as Answer;
    const row = await rowOf(response);
    const usage = usageIn(events);
    const price = house.ports.prices.price(recorded.provider, model, house.ports.clock.now());
    expect(row).toMatchObject({ door: "embeddings", stream: false, usageSource: usage ? "provider" : "counted" });
    if (usage) expect(row.settlement).toBe("exact");
    const cost = costOf(usage ?? { inputTokens: answer.usage.prompt_tokens, outputTokens: 0 }, price)?.total;
    expect(row.cost).toBe(cost);
    if (cost === undefined) return;
    expect(answer.usage.cost).toBe(Number(cost) / 1e9);
    if (price) expect(row.bound as bigint).toBeGreaterThanOrEqual(cost);
  });

  test("the hold has no output, and as many windows as there are inputs", async () => {
    const input = Array.from({ length: 3 }, () => "word ".repeat(20_000));
    play({ ...recording("own/openai/embeddings.float.1"), body: new TextEncoder().encode(answerOf(3, 24_000)) });
    const response = await embed({ model: "text-embedding-3-small", input });
    expect([response.status, response.headers.get("x-tollway-max-tokens")]).toEqual([200, null]);
    const row = await rowOf(response);
    // 3 × 8,191 tokens at 20 nano-USD: one window alone would be less than the call costs.
    expect(row.bound as bigint).toBe(491_460n);
    expect(row.cost as bigint).toBe(480_000n);
    expect(row.usage).toMatchObject({ inputTokens: 24_000, outputTokens: 0 });
  });

  /** An answer of vectors that nobody looks at. */
  const answerOf = (inputs: number, tokens: number): string =>
    JSON.stringify({
      object: "list",
      data: Array.from({ length: inputs }, (_, index) => ({ object: "embedding", index, embedding: [1] })),
      model: "m",
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });

  test("an answer with too few vectors is none, and is charged at what was held", async () => {
    play(recording("own/openai/embeddings.float.1"));
    const response = await embed({ model: "text-embedding-3-small", input: ["a", "b", "c"] });
    expect(response.status).toBe(502);
    await response.text();
    const row = await rowOf(response);
    expect(row.cost).toBe(row.bound);
  });
});

describe("requests:", () => {
  test("the caller's bytes go on but for the model's name and what is a gateway's", async () => {
    play(recording("own/openai/embeddings.base64.1"));
    await (
      await embed({ model: "text-embedding-3-small", input: [[4438, 656], [358]], encoding_format: "base64", tollway: { tag: "t" } })
    ).text();
    const sent = upstream.requests.at(-1);
    expect(sent?.path).toBe("/v1/embeddings");
    expect(sent?.json()).toEqual({ model: "text-embedding-3-small", input: [[4438, 656], [358]], encoding_format: "base64" });
  });

  test.each<[string, object, string]>([
    ["auto", { model: "auto", input: "a" }, "model"],
    ["a stream", { model: "text-embedding-3-small", input: "a", stream: true }, "stream"],
    ["nothing", { model: "text-embedding-3-small", input: [] }, "input"],
    ["an unknown format", { model: "text-embedding-3-small", input: "a", encoding_format: "hex" }, "encoding_format"],
  ])("%s is refused by name", async (_, body, param) => {
    expect(await refused(await embed(body))).toEqual({ status: 400, code: "invalid_value", param });
  });

  test("tokens are refused where a provider takes texts only, and so is a provider that does not embed", async () => {
    expect(await refused(await embed({ model: "gemini-embedding-001", input: [[1, 2]] }))).toEqual({
      status: 400,
      code: "unsupported_parameter",
      param: "input",
    });
    expect(await refused(await embed({ model: "claude-haiku-4-5", input: "a" }))).toMatchObject({ status: 400, param: "model" });
  });

  test("what has no place is named in the answer", async () => {
    play(recording("own/gemini/embeddings.usage.1"));
    const response = await embed({ model: "gemini-embedding-001", input: "a", user: "u", encoding_format: "base64" });
    expect(response.headers.get("x-tollway-ignored")).toBe("user");
    expect(((await response.json()) as Answer).tollway).toMatchObject({ ignored: ["user"], provider: "gemini", attempts: 1 });
  });

  test("a provider's error is told in OpenAI's words", async () => {
    play(recording("own/openai/embeddings.error-400.1"));
    const response = await embed({ model: "text-embedding-3-small", input: "a" });
    expect(await refused(response)).toMatchObject({ status: 400, code: "context_length_exceeded" });
  });
});

describe("a test key", () => {
  let testKey: string;
  beforeAll(async () => {
    testKey = await house.key("test");
  });
  const vectorsOf = async (body: object): Promise<(number[] | string)[]> => {
    const response = await embed({ model: "text-embedding-3-small", ...body }, { key: testKey });
    expect(response.status).toBe(200);
    return ((await response.json()) as Answer).data.map(({ embedding }) => embedding);
  };

  test("gets the same vectors for the same text, of length 1, and others for another", async () => {
    const [[a, b], [again]] = [await vectorsOf({ input: ["Cologne", "Bonn"] }), await vectorsOf({ input: "Cologne" })];
    expect(again).toEqual(a as number[]);
    expect(b).not.toEqual(a as number[]);
    expect(a).toHaveLength(1_536);
    expect(Math.hypot(...(a as number[]))).toBeCloseTo(1, 5);
    const [base64] = await vectorsOf({ input: "Cologne", encoding_format: "base64" });
    expect(floats(base64 as string)).toEqual(a as number[]);
  });

  test("has the dimensions that it asks for, and tokens for inputs", async () => {
    expect((await vectorsOf({ input: "a", dimensions: 256 }))[0]).toHaveLength(256);
    expect(await vectorsOf({ input: [[1, 2, 3], [4]], dimensions: 2 })).toHaveLength(2);
    const response = await embed({ model: "text-embedding-3-small", input: Array.from({ length: 2_049 }, () => "a") }, { key: testKey });
    expect(await refused(response)).toMatchObject({ status: 400, param: "input" });
    expect(await refused(await embed({ model: "text-embedding-3-small", input: "a", dimensions: 1e9 }, { key: testKey }))).toMatchObject({
      status: 400,
      param: "dimensions",
    });
  });

  test("is told simulated prices, and can be made to fail", async () => {
    const response = await embed({ model: "text-embedding-3-small", input: "four letters a token" }, { key: testKey });
    const { usage, tollway } = (await response.json()) as Answer;
    expect(usage).toEqual({ prompt_tokens: 5, total_tokens: 5, cost: 0.0000001 });
    expect(tollway).toMatchObject({ test: true, provider: "simulator" });
    const failed = await embed({ model: "text-embedding-3-small", input: "[[simulate: status=404]]" }, { key: testKey });
    expect(failed.status).toBe(404);
  });
});
