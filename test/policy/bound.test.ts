// The bound is a promise: whatever a provider reports within what the request allows costs at most the bound.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ChatRequest, Message, Part } from "../../src/core/chat";
import { nanoUsd, perMillion } from "../../src/core/money";
import type { Price } from "../../src/core/price";
import type { Usage } from "../../src/core/usage";
import { type BoundAsk, boundOf, isOutputFree, maxOutputWithin, openBound } from "../../src/policy/bound";
import { costOf } from "../../src/policy/pricing";
import { openPrices } from "../../src/store/prices";
import { type Recording, recordings, sharedMissing } from "../recordings/load";

const prices = openPrices();
const AT = Date.parse("2026-10-01T12:00:00Z");
const priceOf = (provider: string, model: string): Price | undefined => prices.price(provider, model, AT);

const text = (words: string): Message => ({ role: "user", parts: [{ type: "text", text: words }] });
const request = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: [text("hi")],
  stream: false,
  rest: {},
  ...more,
});
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

const ask = (more: Partial<BoundAsk> = {}): BoundAsk => ({
  request: request(),
  body: bytesOf({ model: "m", messages: [{ role: "user", content: "hi" }] }),
  model: "gpt-5",
  price: priceOf("openai", "gpt-5"),
  contextWindow: 400_000,
  modelMaxOutputTokens: 128_000,
  maxOutputTokens: 1_000,
  ...more,
});

/** The bound, or the reason for none. */
const shown = (more: Partial<BoundAsk>) => {
  const bound = boundOf(ask(more));
  return bound.ok ? bound.bound : [bound.reason, bound.param];
};

describe("what the bound is made of", () => {
  test("input by its bytes with overhead, output by the limit, both at their rates", () => {
    const bound = boundOf(ask());
    // 57 bytes + 256 a call + 16 a message = 329 tokens × 1,250 + 1,000 × 10,000
    expect(bound).toEqual({ ok: true, bound: nanoUsd(411_250n + 10_000_000n), inputTokens: 329, outputTokens: 1_000 });
  });

  test("the smaller of the limit that goes out and the model's own, for each choice", () => {
    expect(boundOf(ask({ maxOutputTokens: 1_000_000, request: request({ choices: 3 }) }))).toMatchObject({ outputTokens: 384_000 });
    expect(boundOf(ask({ maxOutputTokens: undefined }))).toMatchObject({ outputTokens: 128_000 });
    expect(boundOf(ask({ modelMaxOutputTokens: undefined }))).toMatchObject({ outputTokens: 1_000 });
    // Whatever is not told, an answer ends with the window.
    expect(boundOf(ask({ maxOutputTokens: undefined, modelMaxOutputTokens: undefined }))).toMatchObject({ outputTokens: 400_000 });
    expect(shown({ maxOutputTokens: undefined, modelMaxOutputTokens: undefined, contextWindow: undefined })).toEqual([
      "unbounded",
      "max_tokens",
    ]);
  });

  test("cache writes are dearer than input, one-hour writes only where the request asks for them", () => {
    const haiku = { model: "claude-haiku-4-5", price: priceOf("anthropic", "claude-haiku-4-5"), maxOutputTokens: 0 };
    const marked = (cache: "5m" | "1h"): Partial<BoundAsk> => ({
      ...haiku,
      request: request({ messages: [{ role: "user", parts: [{ type: "text", text: "hi", cache }] }] }),
    });
    // 329 × 1,250 and 329 × 2,000
    expect(shown(marked("5m"))).toBe(nanoUsd(411_250n));
    expect(shown(marked("1h"))).toBe(nanoUsd(658_000n));
    expect(shown({ ...haiku, request: request({ rest: { cache_control: { type: "ephemeral", ttl: "1h" } } }) })).toBe(nanoUsd(658_000n));
  });

  test("what may be answered in the US is bound at its price, unless the request says that it is not", () => {
    const opus = { model: "claude-opus-4-6", price: priceOf("anthropic", "claude-opus-4-6"), maxOutputTokens: 1_000 };
    const at = (inference_geo: string | undefined, serviceTier?: string) =>
      shown({ ...opus, request: request({ serviceTier, rest: inference_geo === undefined ? {} : { inference_geo } }) });
    // 329 × 6,250 and 1,000 × 25,000, and a tenth more; fast mode is six times that.
    expect(at("global")).toBe(nanoUsd(27_056_250n));
    expect(at("us")).toBe(nanoUsd(29_761_875n));
    expect(at(undefined)).toBe(nanoUsd(29_761_875n));
    expect(at("us", "fast")).toBe(nanoUsd(178_571_250n));
    expect(priceOf("anthropic", "claude-haiku-4-5")?.serviceTiers).not.toHaveProperty("us");
    expect(priceOf("anthropic", "claude-sonnet-5")?.serviceTiers).toHaveProperty("us");
  });

  test("the long-context tier applies once the bound passes it", () => {
    const pro = { model: "gemini-2.5-pro", price: priceOf("gemini", "gemini-2.5-pro"), contextWindow: 1_048_576, maxOutputTokens: 0 };
    // 272 tokens of overhead. 199,728 + 272 = 200,000 × 1,250; one byte more: 200,001 × 2,500
    expect(shown({ ...pro, body: new Uint8Array(199_728).fill(0x61) })).toBe(nanoUsd(250_000_000n));
    expect(shown({ ...pro, body: new Uint8Array(199_729).fill(0x61) })).toBe(nanoUsd(500_002_500n));
  });

  test("no request can fill more than the window, unless the window is older than the price", () => {
    const body = new Uint8Array(2_000_000).fill(0x61);
    expect(boundOf(ask({ body }))).toMatchObject({ inputTokens: 400_000 });
    const sonnet = { model: "claude-sonnet-4-5", price: priceOf("anthropic", "claude-sonnet-4-5"), contextWindow: 200_000 };
    expect(boundOf(ask({ ...sonnet, body }))).toMatchObject({ inputTokens: 2_000_272 });
  });

  test("a service tier is held at the dearer of it and the standard one, an unknown one is unpriced", () => {
    const standard = shown({});
    expect(shown({ request: request({ serviceTier: "flex" }) })).toEqual(standard);
    expect(shown({ request: request({ serviceTier: "priority" }) })).toBe(nanoUsd((411_250n + 10_000_000n) * 2n));
    expect(shown({ request: request({ serviceTier: "scale" }) })).toEqual(["unpriced", "service_tier"]);
    expect(shown({ price: undefined })).toEqual(["unpriced", undefined]);
  });

  test("text that grows when a tokenizer normalises it counts in its longer form", () => {
    const plain = boundOf(ask({ body: bytesOf({ text: "x".repeat(3_000) }) }));
    const grows = boundOf(ask({ body: bytesOf({ text: "\ufdfa".repeat(1_000) }) }));
    const escaped = boundOf(ask({ body: bytesOf(`{"text":"${"\\ufdfa".repeat(1_000)}"}`) }));
    expect(plain).toMatchObject({ inputTokens: 3_000 + 11 + 272 });
    expect(grows).toMatchObject({ inputTokens: 33_000 + 11 + 272 });
    expect(escaped).toMatchObject({ inputTokens: 33_000 + 11 + 272 });
  });
});

describe("images, audio and files", () => {
  const data = "A".repeat(100_000);
  const withPart = (part: Part): Partial<BoundAsk> => ({
    request: request({ messages: [{ role: "user", parts: [part] }] }),
    body: bytesOf({ data }),
    maxOutputTokens: 0,
  });
  const tokens = (part: Part, more: Partial<BoundAsk> = {}) => boundOf(ask({ ...withPart(part), ...more }));

  test("an image costs the model's maximum, not its bytes", () => {
    const image: Part = { type: "image", media: { kind: "base64", mediaType: "image/png", data } };
    expect(tokens(image)).toMatchObject({ inputTokens: 11 + 272 + 1_445 });
    expect(tokens(image, { model: "gpt-4o-mini-2024-07-18" })).toMatchObject({ inputTokens: 11 + 272 + 48_169 });
    expect(tokens(image, { model: "claude-opus-4-8" })).toMatchObject({ inputTokens: 11 + 272 + 4_784 });
    expect(tokens(image, { model: "some-new-model" })).toMatchObject({ inputTokens: 11 + 272 + 24_600 });
    const url: Part = { type: "image", media: { kind: "url", url: "https://example.com/a.png" } };
    expect(tokens(url)).toMatchObject({ inputTokens: 11 + 100_000 + 272 + 1_445 });
  });

  test("an image in a tool's result counts too", () => {
    const image: Part = { type: "image", media: { kind: "base64", mediaType: "image/png", data } };
    expect(tokens({ type: "tool-result", callId: "c", content: [image, image] })).toMatchObject({ inputTokens: 272 + 2 * 1_445 });
  });

  test("audio counts by its bytes where the format has a least bit rate, at the audio rate", () => {
    const audio: Part = { type: "audio", media: { kind: "base64", mediaType: "audio/wav", data }, format: "wav" };
    const price = priceOf("openai", "gpt-4o-audio-preview");
    // 75,000 bytes / 16 = 4,688 tokens × 40,000 + 283 of text × 2,500
    expect(shown({ ...withPart(audio), price })).toBe(nanoUsd(4_688n * 40_000n + 283n * 2_500n));
    const flac: Part = { type: "audio", media: { kind: "base64", mediaType: "audio/flac", data }, format: "flac" };
    expect(tokens(flac)).toMatchObject({ inputTokens: 400_000 });
  });

  test("a file that may unpack to anything, and anything that the provider holds, may fill the window", () => {
    const pdf: Part = { type: "file", media: { kind: "base64", mediaType: "application/pdf", data } };
    const plain: Part = { type: "file", media: { kind: "base64", mediaType: "text/plain", data } };
    const held: Part = { type: "file", media: { kind: "id", id: "file-1" } };
    expect(tokens(pdf)).toMatchObject({ inputTokens: 400_000 });
    expect(tokens(plain)).toMatchObject({ inputTokens: 100_011 + 272 + 1_024 });
    expect(tokens(held)).toMatchObject({ inputTokens: 400_000 });
    expect(shown({ ...withPart(held), contextWindow: undefined })).toEqual(["unbounded", "messages[0].content[0]"]);
    expect(boundOf(ask({ request: request({ rest: { cachedContent: "cachedContents/1" } }) }))).toMatchObject({ inputTokens: 400_000 });
    expect(shown({ contextWindow: undefined, request: request({ rest: { previous_response_id: "resp_1" } }) })).toEqual([
      "unbounded",
      "previous_response_id",
    ]);
  });
});

describe("tools that the provider runs", () => {
  const haiku = { model: "claude-haiku-4-5", price: priceOf("anthropic", "claude-haiku-4-5"), contextWindow: 200_000, maxOutputTokens: 10 };
  const tools = (tool: unknown): Partial<BoundAsk> => ({ ...haiku, request: request({ rest: { tools: [tool] } }) });

  test("have a bound only with a cap on calls and a known fee", () => {
    // 4 turns × 200,000 × 1,250 + 3 × 10,000,000 + 10 × 5,000
    expect(shown(tools({ type: "web_search_20250305", name: "web_search", max_uses: 3 }))).toBe(
      nanoUsd(1_000_000_000n + 30_000_000n + 50_000n),
    );
    expect(shown(tools({ type: "web_search_20250305", name: "web_search" }))).toEqual(["unbounded", "tools[0]"]);
    expect(shown(tools({ type: "code_execution_20250825", name: "code_execution", max_uses: 3 }))).toEqual(["unbounded", "tools[0]"]);
    expect(shown(tools({ google_search: {} }))).toEqual(["unbounded", "tools[0]"]);
    expect(shown({ ...tools({ type: "web_search_20250305", max_uses: 3 }), contextWindow: undefined })).toEqual(["unbounded", "tools[0]"]);
    expect(shown({ request: request({ rest: { web_search_options: {} } }) })).toEqual(["unbounded", "web_search_options"]);
  });

  test("are not the caller's own", () => {
    expect(boundOf(ask(tools({ type: "function", function: { name: "f" } })))).toMatchObject({ ok: true });
    expect(boundOf(ask({ request: request({ rest: { web_search_options: null } }) }))).toMatchObject({ ok: true });
  });

  test("a fee of the call itself is held", () => {
    const sonar = { model: "sonar", price: priceOf("perplexity", "sonar"), maxOutputTokens: 0 };
    // 329 × 1,000 + $12 per thousand
    expect(shown(sonar)).toBe(nanoUsd(329_000n + 12_000_000n));
  });
});

describe("maxOutputWithin()", () => {
  test("gives the largest limit whose bound is within the amount", () => {
    // 329 × 1,250 = 411,250 of input; 10,000 a token
    expect(maxOutputWithin(ask(), nanoUsd(411_250n + 10_000n * 77n))).toBe(77);
    expect(maxOutputWithin(ask(), nanoUsd(411_250n + 10_000n * 77n - 1n))).toBe(76);
    expect(maxOutputWithin(ask(), nanoUsd(411_249n))).toBe(0);
    expect(maxOutputWithin(ask(), nanoUsd(10n ** 15n))).toBe(128_000);
    expect(maxOutputWithin(ask({ price: undefined }), nanoUsd(1n))).toBeUndefined();
  });

  test("agrees with boundOf()", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 3_000_000_000n), fc.integer({ min: 1, max: 4 }), (amount, choices) => {
        const asked = ask({ request: request({ choices, serviceTier: "priority" }) });
        const most = maxOutputWithin(asked, nanoUsd(amount)) ?? -1;
        const fits = (limit: number) => {
          const bound = boundOf({ ...asked, maxOutputTokens: limit });
          return bound.ok && bound.bound <= amount;
        };
        return (most === 0 || fits(most)) && (most === 128_000 || !fits(most + 1));
      }),
    );
  });
});

describe("costOf() never exceeds boundOf()", () => {
  const MODELS: readonly [string, string][] = [
    ["openai", "gpt-5"],
    ["openai", "gpt-5.4"],
    ["openai", "gpt-5.6-sol"],
    ["openai", "gpt-4o-audio-preview"],
    ["openai", "gpt-4o-mini-search-preview"],
    ["anthropic", "claude-sonnet-4-5"],
    ["anthropic", "claude-opus-4-6"],
    ["gemini", "gemini-2.5-pro"],
    ["gemini", "gemini-2.5-flash"],
    ["gemini", "gemini-2.5-flash-image"],
    ["perplexity", "sonar-pro"],
  ];
  /** A share of what is left, so that parts never exceed their whole. */
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const arbitrary = fc.record({
    model: fc.constantFrom(...MODELS),
    bytes: fc.nat(600_000),
    limit: fc.nat(200_000),
    choices: fc.integer({ min: 1, max: 4 }),
    tier: fc.constantFrom(undefined, "default", "flex", "priority"),
    hour: fc.boolean(),
    audio: fc.boolean(),
    searches: fc.option(fc.nat(4), { nil: undefined }),
    shares: fc.array(share, { minLength: 10, maxLength: 10 }),
  });
  type Case = typeof arbitrary extends fc.Arbitrary<infer T> ? T : never;

  function asked({ model: [provider, model], bytes, limit, choices, tier, hour, audio, searches }: Case): BoundAsk {
    const info = prices.model(provider, model, AT);
    const data = "A".repeat(bytes);
    const parts: Part[] = [{ type: "text", text: "hi", cache: hour ? "1h" : undefined }];
    if (audio) parts.push({ type: "audio", media: { kind: "base64", mediaType: "audio/wav", data }, format: "wav" });
    const tools = searches === undefined ? {} : { tools: [{ type: "web_search_20250305", max_uses: searches }] };
    return {
      request: request({ messages: [{ role: "user", parts }], choices, serviceTier: tier, rest: tools }),
      body: bytesOf(data),
      model,
      price: priceOf(provider, model),
      contextWindow: info?.contextWindow,
      modelMaxOutputTokens: info?.maxOutputTokens ?? 16_384,
      maxOutputTokens: limit,
    };
  }

  /** A usage that keeps to the request: at most the bound's tokens, no audio without audio, no one-hour write unasked. */
  function reported(shares: readonly number[], bound: { inputTokens: number; outputTokens: number }, mine: Case): Usage {
    let at = 0;
    const part = (whole: number) => Math.floor(whole * (shares[at++] ?? 0));
    const inputTokens = part(bound.inputTokens);
    const read = part(inputTokens);
    const written = part(inputTokens - read);
    // Audio may be as much as its bytes allow.
    const audio = mine.audio ? Math.min(inputTokens - read - written, Math.ceil((mine.bytes * 3) / 4 / 16)) : 0;
    const outputTokens = part(bound.outputTokens);
    const outputAudio = part(outputTokens);
    return {
      inputTokens,
      cacheReadInputTokens: read,
      cacheCreationInputTokens: written,
      cacheCreation1hInputTokens: mine.hour ? part(written) : 0,
      inputAudioTokens: audio,
      outputTokens,
      outputAudioTokens: outputAudio,
      outputImageTokens: part(outputTokens - outputAudio),
      serviceTier: (shares[8] ?? 0) < 0.5 ? mine.tier : "default",
      toolCalls: mine.searches === undefined ? undefined : { web_search: part(mine.searches) },
    };
  }

  test("for 1,500 random requests and what a provider may report of them", () => {
    let checked = 0;
    fc.assert(
      fc.property(arbitrary, (mine) => {
        const question = asked(mine);
        const bound = boundOf(question);
        if (!bound.ok) return true;
        const cost = costOf(reported(mine.shares, bound, mine), question.price);
        if (!cost) return true;
        checked++;
        return cost.total <= bound.bound;
      }),
      { numRuns: 1_500 },
    );
    expect(checked).toBeGreaterThan(700);
  });
});

describe("recorded calls", () => {
  const FORMATS: readonly string[] = ["openai-chat", "anthropic-messages", "gemini"];
  const first = (recording: Recording, field: string): number => {
    const said = new TextDecoder().decode(recording.body).match(new RegExp(`"${field}"\\s*:\\s*(\\d+)`));
    return Number(said?.[1] ?? 0);
  };
  const inputTokens = (recording: Recording): number =>
    Math.max(
      first(recording, "prompt_tokens"),
      first(recording, "promptTokenCount"),
      first(recording, "input_tokens") + first(recording, "cache_creation_input_tokens") + first(recording, "cache_read_input_tokens"),
    );
  /** Text alone: what the provider holds, media and hosted tools have bounds of their own. */
  const isPlain = (body: string): boolean =>
    !/base64|inline_?data|image_url|"type":"(image|document|file|input_audio)|file_?data|file_?uri|cachedContent|search|plugins|compound/i.test(
      body,
    );

  test.skipIf(sharedMissing)("no recorded text request has more input tokens than its bound", () => {
    let checked = 0;
    for (const recording of recordings().filter(
      (each) => each.status === 200 && each.request !== undefined && FORMATS.includes(each.format),
    )) {
      const body = JSON.stringify(recording.request);
      const told = inputTokens(recording);
      if (told === 0 || !isPlain(body)) continue;
      const model = /"model":"([^"]+)"/.exec(body)?.[1] ?? "gemini";
      // The messages are not decoded: only their bytes and the overhead of a call with tools are asked for.
      const tools = /"(tools|functionDeclarations|response_format|responseSchema|output_format)"/.test(body) ? [{ name: "t" }] : [];
      const bound = boundOf(ask({ request: request({ tools }), body: bytesOf(body), model, contextWindow: undefined }));
      expect([recording.id, bound.ok && bound.inputTokens >= told]).toEqual([recording.id, true]);
      checked++;
    }
    expect(checked).toBeGreaterThan(100);
  });
});

describe("a model whose output costs nothing", () => {
  const rates = (input: bigint, output: bigint) => ({ input: perMillion(input), output: perMillion(output) });
  const free: Price = {
    provider: "p",
    model: "m",
    version: "v",
    source: "s",
    date: "2026-01-01",
    rates: rates(0n, 0n),
    tiers: [],
    serviceTiers: {},
    feesPerThousand: {},
  };
  const unknown = { contextWindow: undefined, modelMaxOutputTokens: undefined, maxOutputTokens: undefined };

  test("needs no limit to be bound", () => {
    expect(shown({ price: free, ...unknown })).toBe(nanoUsd(0n));
    expect(shown({ price: { ...free, rates: rates(1_000_000n, 0n) }, ...unknown })).toBe(nanoUsd(329n));
    expect(shown({ price: { ...free, rates: rates(0n, 1n) }, ...unknown })).toEqual(["unbounded", "max_tokens"]);
  });

  test("is free in every tier, or it is not", () => {
    expect(isOutputFree(free)).toBe(true);
    expect(isOutputFree({ ...free, tiers: [{ aboveInputTokens: 1, rates: rates(0n, 1n) }] })).toBe(false);
    expect(isOutputFree({ ...free, serviceTiers: { fast: { rates: rates(0n, 1n), tiers: [] } } })).toBe(false);
  });
});

test("a request that was read once is bound as one that is read each time", () => {
  const open = openBound(ask());
  for (const maxOutputTokens of [undefined, 1, 1_000, 128_000]) expect(open.at(maxOutputTokens)).toEqual(boundOf(ask({ maxOutputTokens })));
  for (const room of [0n, 411_250n, 5_000_000n, 10n ** 12n]) expect(open.within(nanoUsd(room))).toBe(maxOutputWithin(ask(), nanoUsd(room)));
});
