// Counting a request's tokens: at Anthropic, at Gemini, and in this process.
import { describe, expect, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import { anthropicCountTokens } from "../../src/dialects/anthropic-count-tokens";
import type { EncodeContext } from "../../src/dialects/dialect";
import { geminiCountTokens } from "../../src/dialects/gemini-count-tokens";
import { allRecordings, type Recording } from "../recordings/load";
import { bodyText, failureOf } from "./anthropic-gemini-replay";
import { answerContext, encodeContext, text, utf8 } from "./openai-chat-replay";

const context = (model: string): EncodeContext => encodeContext({ model, caller: anthropicCountTokens });
const counted = (each: Recording): number => JSON.parse(bodyText(each)).input_tokens ?? JSON.parse(bodyText(each)).totalTokens;
const answers = (format: string) => allRecordings(undefined, format).filter(({ status }) => status === 200);

describe("at Anthropic a count", () => {
  for (const each of answers("anthropic-count-tokens")) {
    test(`goes through as it is, and costs nothing: ${each.id}`, () => {
      const sent = utf8(JSON.stringify(each.request, undefined, 1));
      const decoded = anthropicCountTokens.decodeRequest(each.request);
      expect(decoded.request).toMatchObject({ maxOutputTokens: 0, stream: false });
      const forwarded = anthropicCountTokens.forwardRequest(sent, decoded, context(decoded.request.model));
      expect(forwarded).toMatchObject({ path: "/messages/count_tokens", ignored: [], maxOutputTokens: 0 });
      expect(text(forwarded.bytes)).toBe(text(sent));
      const { context: answer, asked } = answerContext();
      const { bytes, events } = anthropicCountTokens.forwardResponse(each.body, answer);
      expect(bytes).toEqual(each.body);
      expect(asked).toEqual([{ inputTokens: 0, outputTokens: 0 }]);
      expect(events[0]).toEqual({ type: "token-count", inputTokens: counted(each) });
    });
  }

  test("is written with what counts, and nothing else", () => {
    const { request } = anthropicCountTokens.decodeRequest({
      model: "m",
      max_tokens: 5,
      stream: true,
      temperature: 0.1,
      container: "c_1",
      system: "Be brief.",
      messages: [{ role: "user", content: "Hi" }],
      tools: [{ name: "add", input_schema: { type: "object" } }],
    });
    const encoded = anthropicCountTokens.encodeRequest(request, context("claude"));
    expect(encoded).toMatchObject({ path: "/messages/count_tokens", maxOutputTokens: 0 });
    expect(JSON.parse(encoded.body)).toEqual({
      model: "claude",
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
      system: [{ type: "text", text: "Be brief." }],
      tools: [{ name: "add", input_schema: { type: "object" } }],
    });
  });

  test("is refused where it is none", () => {
    for (const body of ["", "[]", "{}", '{"input_tokens":"7"}'])
      expect(failureOf(() => anthropicCountTokens.decodeResponse(body)).code).toBe("upstream_error");
    for (const each of allRecordings("anthropic", "anthropic-count-tokens").filter(({ status }) => status === 404))
      expect(anthropicCountTokens.decodeError(404, each.headers, bodyText(each)).failure.code).toBe("model_not_found");
  });
});

describe("at Gemini a count", () => {
  for (const each of answers("gemini-count-tokens")) {
    test(`is asked for as it was recorded, and read by Anthropic's client: ${each.id}`, async () => {
      const model = /models\/(.*):/.exec(each.path)?.[1] ?? "";
      const [{ parts }] = (each.request as { generateContentRequest: { contents: [{ parts: [{ text: string }] }] } }).generateContentRequest
        .contents;
      const { request } = anthropicCountTokens.decodeRequest({ model: "m", messages: [{ role: "user", content: parts[0].text }] });
      const encoded = geminiCountTokens.encodeRequest({ ...request, temperature: 0.5, stop: ["x"] }, context(model));
      expect(`/v1beta${encoded.path}`).toBe(each.path);
      expect(JSON.parse(encoded.body)).toEqual(each.request);
      const { context: answer, asked } = answerContext();
      const written = anthropicCountTokens.encodeResponse(geminiCountTokens.decodeResponse(bodyText(each)), answer);
      expect(asked).toEqual([{ inputTokens: 0, outputTokens: 0 }]);
      const fetch = async () => new Response(written, { headers: { "content-type": "application/json" } });
      const client = new Anthropic({ apiKey: "key", fetch });
      const read = await client.messages.countTokens({ model: "m", messages: [{ role: "user", content: "Hi" }] });
      expect(read.input_tokens).toBe(counted(each));
    });
  }

  test("is refused where it is none", () => {
    expect(failureOf(() => geminiCountTokens.decodeResponse("{}")).code).toBe("upstream_error");
    expect(failureOf(() => anthropicCountTokens.encodeResponse([], answerContext().context)).code).toBe("upstream_error");
  });
});
