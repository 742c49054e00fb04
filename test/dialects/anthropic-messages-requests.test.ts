// Recorded requests → what an OpenAI client would have sent for them → our encoding: it must say what was recorded.
import { describe, expect, test } from "bun:test";
import { anthropicMessages } from "../../src/dialects/anthropic-messages";
import { decodeOpenaiChatRequest } from "../../src/dialects/openai-chat-request";
import { ownRecordings, recordings, sharedMissing } from "../recordings/load";
import { type Block, type Body, canonical, list, type Turn } from "./anthropic-messages-canonical";

/** Not expressible by a Chat Completions caller: hosted tools, citations of documents, or a body that the provider refused for its shape. */
const INEXPRESSIBLE: Readonly<Record<string, string>> = {
  "anthropic/messages.image-base64.1": "a computer tool",
  "anthropic/messages.reasoning-roundtrip-stream.1": "a hosted search in the history",
  "anthropic/messages.error-400.1": "a negative temperature is the provider's to refuse",
  "anthropic/messages.error-400.3": "a message that is a string",
  "anthropic/messages.error-400.5": "an effort without thinking",
  "own/anthropic.messages.search-stream": "a hosted search",
};

const marked = (block: { cache_control?: object }): object => (block.cache_control ? { cache_control: block.cache_control } : {});

function contentPart(block: Block): object {
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text, ...marked(block) };
    case "image":
      return { type: "image_url", image_url: { url: addressOf(block.source) }, ...marked(block) };
    case "document":
      return { type: "file", file: { filename: block.title, file_data: `data:text/plain;base64,${btoa(block.source?.data ?? "")}` } };
    default:
      throw new Error(`No part for ${block.type}`);
  }
}

const addressOf = (source: Block["source"]): string | undefined =>
  source?.type === "url" ? source.url : `data:${source?.media_type};base64,${source?.data}`;

function openaiMessages({ role, content }: Turn): object[] {
  const blocks = list(content);
  const results = blocks.filter(({ type }) => type === "tool_result");
  const others = blocks.filter(({ type }) => type !== "tool_result");
  if (role === "user")
    return [
      ...results.map((block) => ({ role: "tool", tool_call_id: block.tool_use_id, content: list(block.content).map(contentPart) })),
      ...(others.length > 0 ? [{ role, content: others.map(contentPart) }] : []),
    ];
  const calls = blocks.filter(({ type }) => type === "tool_use");
  const details = blocks.flatMap((block, index): object[] =>
    block.type === "thinking"
      ? [{ type: "reasoning.text", text: block.thinking, signature: block.signature, format: "anthropic-claude-v1", index }]
      : block.type === "redacted_thinking"
        ? [{ type: "reasoning.encrypted", data: block.data, format: "anthropic-claude-v1", index }]
        : [],
  );
  const texts = blocks.filter(({ type }) => type === "text");
  return [
    {
      role,
      content: texts.length > 0 ? texts.map(contentPart) : null,
      ...(details.length > 0 ? { reasoning_details: details } : {}),
      ...(calls.length > 0
        ? {
            tool_calls: calls.map(({ id, name, input }) => ({
              id,
              type: "function",
              function: { name, arguments: JSON.stringify(input) },
            })),
          }
        : {}),
    },
  ];
}

const CHOICE: Record<string, string> = { any: "required", auto: "auto", none: "none" };

/** The Chat Completions body of a recorded Messages body. */
function asChatCompletions(body: Body): object {
  const schema = body.output_format?.schema ?? body.output_config?.format?.schema;
  const system = list(body.system);
  return {
    model: body.model,
    messages: [
      ...(system.length > 0 ? [{ role: "system", content: system.map(contentPart) }] : []),
      ...body.messages.flatMap(openaiMessages),
    ],
    max_completion_tokens: body.max_tokens,
    stream: body.stream ?? false,
    temperature: body.temperature,
    top_p: body.top_p,
    top_k: body.top_k,
    stop: body.stop_sequences,
    user: body.metadata?.user_id,
    service_tier: body.service_tier,
    thinking: body.thinking,
    tools: body.tools?.map((tool) => ({
      type: "function",
      function: { name: tool.name, description: tool.description, parameters: tool.input_schema, strict: tool.strict },
      ...marked(tool),
    })),
    tool_choice: body.tool_choice && CHOICE[body.tool_choice.type],
    parallel_tool_calls:
      body.tool_choice?.disable_parallel_tool_use === undefined ? undefined : !body.tool_choice.disable_parallel_tool_use,
    response_format: schema && { type: "json_schema", json_schema: { name: "answer", schema } },
  };
}

const expressible = [...ownRecordings("anthropic", "anthropic-messages"), ...recordings("anthropic", "anthropic-messages")].filter(
  ({ id, request }) => request !== undefined && INEXPRESSIBLE[id] === undefined,
);

describe("an OpenAI client's request says what was recorded", () => {
  test.skipIf(sharedMissing)("for every recorded request but those that name a reason", () => {
    expect(expressible.length).toBeGreaterThanOrEqual(30);
  });

  for (const each of expressible) {
    test(each.id, () => {
      const recorded = each.request as Body;
      const { request } = decodeOpenaiChatRequest(JSON.parse(JSON.stringify(asChatCompletions(recorded))));
      const encoded = anthropicMessages.encodeRequest(request, {
        model: recorded.model,
        defaultMaxOutputTokens: 1,
        unsupported: [],
        dropUnsupported: false,
        deviations: {},
      });
      expect(canonical(JSON.parse(encoded.body))).toEqual(canonical(recorded));
      expect(encoded.ignored).toEqual([]);
    });
  }
});
