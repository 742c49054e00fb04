import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { openaiResponses } from "../../src/dialects/openai-responses";
import { encodeResponsesRequest } from "../../src/dialects/openai-responses-request-encode";
import { answerContext, encodeContext, utf8 } from "./openai-chat-replay";
import { answers, decode, decodeStream, plain, said } from "./openai-responses-recorded";

/** What must be kept: all that was said, with its ids, seals and figures. Whose model it was and what it cost are the gateway's to say. */
const kept = (events: readonly ChatEvent[]): unknown[] =>
  // As JSON: a -0 among the log probabilities is written as 0.
  JSON.parse(said(plain(events))).map((event: ChatEvent) => {
    // Ids of other providers' answers are made anew, of the dialect's kind.
    if (event.type === "start") return { createdAt: event.createdAt, id: event.id?.startsWith("resp_") ? event.id : "resp_fallback" };
    if (event.type === "finish") return { type: event.type, reason: event.reason };
    if (event.type !== "usage") return event;
    const { inputTokens, outputTokens, cacheReadInputTokens = 0, reasoningOutputTokens = 0 } = event.usage;
    return { inputTokens, outputTokens, cacheReadInputTokens, reasoningOutputTokens };
  });

describe("an answer that is read and written again", () => {
  test("says the same, whole", () => {
    for (const each of answers()) {
      const events = decode(each);
      const written = openaiResponses.encodeResponse(events, answerContext().context);
      expect([each.id, kept(openaiResponses.decodeResponse(written))]).toEqual([each.id, kept(events)]);
    }
  });

  test("says the same, streamed", () => {
    for (const each of answers()) {
      const events = decode(each);
      const encoder = openaiResponses.openEncoder(answerContext().context);
      const written = events.map((event) => encoder.push(event)).join("") + encoder.end();
      expect([each.id, kept(decodeStream(utf8(written)))]).toEqual([each.id, kept(events)]);
    }
  });
});

test("an answer's items go back as they came: ids, seals and groups", () => {
  for (const each of answers()) {
    const written = JSON.parse(openaiResponses.encodeResponse(decode(each), answerContext().context));
    const sealed = written.output.filter(
      (item: { type: string; encrypted_content?: string | null }) => item.type !== "reasoning" || item.encrypted_content,
    );
    const { request } = openaiResponses.decodeRequest({ model: "m", input: [...written.output, { role: "user", content: "go on" }] });
    const sent = JSON.parse(encodeResponsesRequest(request, encodeContext()).body).input;
    const essence = (items: Record<string, unknown>[]) =>
      items
        .filter((item) => item["type"] !== undefined && item["type"] !== "message" && item["type"] !== "image_generation_call")
        .map(({ type, id, call_id, name, namespace, arguments: args, input, encrypted_content }) =>
          type === "reasoning" ? { type, id, encrypted_content } : { type, call_id, name, namespace, args, input },
        );
    expect([each.id, essence(sent)]).toEqual([each.id, essence(sealed)]);
  }
});
