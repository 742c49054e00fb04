// The Anthropic SDK on the Messages API.
import Anthropic from "@anthropic-ai/sdk";
import { type Asker, STRUCTURED, TOOL, type Told } from "./asker";
import type { Ground } from "./harness";

type Message = Anthropic.Messages.Message;

const TOOLS = [{ name: TOOL.name, description: TOOL.description, input_schema: { ...TOOL.schema, required: [...TOOL.schema.required] } }];
const MAX_TOKENS = 100;

/** `suffix` is what stands after the gateway's address: the SDK adds /v1 itself. */
export const anthropicClient = ({ gateway, key }: Ground, apiKey = key, suffix = ""): Anthropic =>
  new Anthropic({ apiKey, baseURL: gateway + suffix, maxRetries: 0 });

function told({ content, usage }: Message): Told {
  const texts = content.map((block) => (block.type === "text" ? block.text : ""));
  return { text: texts.join(""), usage: { input: usage.input_tokens, output: usage.output_tokens } };
}

export const anthropicMessages = (suffix: "" | "/v1"): Asker => ({
  title: suffix === "" ? "Messages" : "Messages, base URL with /v1",
  door: "messages",
  whole: async (ground, { model, prompt, apiKey }) =>
    told(
      await anthropicClient(ground, apiKey, suffix).messages.create({
        model,
        max_tokens: MAX_TOKENS,
        messages: [{ role: "user", content: prompt }],
      }),
    ),
  stream: async (ground, { model, prompt, apiKey }) =>
    told(
      await anthropicClient(ground, apiKey, suffix)
        .messages.stream({ model, max_tokens: MAX_TOKENS, messages: [{ role: "user", content: prompt }] })
        .finalMessage(),
    ),
  useTool: async (ground, { model, prompt }, run, way) => {
    const { messages } = anthropicClient(ground, undefined, suffix);
    const said: Anthropic.Messages.MessageParam[] = [{ role: "user", content: prompt }];
    const ask = (): Promise<Message> => {
      const body = { model, max_tokens: MAX_TOKENS, messages: said, tools: TOOLS };
      return way === "whole" ? messages.create(body) : messages.stream(body).finalMessage();
    };
    const first = await ask();
    const results = first.content.flatMap((block): Anthropic.Messages.ToolResultBlockParam[] => {
      if (block.type !== "tool_use") return [];
      const input = block.input as Readonly<Record<string, string>>;
      return [{ type: "tool_result", tool_use_id: block.id, content: run(String(input[TOOL.argument])) }];
    });
    said.push({ role: "assistant", content: first.content }, { role: "user", content: results });
    return told(await ask());
  },
  structured: async (ground, { model, prompt }) => {
    const answer = await anthropicClient(ground, undefined, suffix).messages.create({
      model,
      max_tokens: MAX_TOKENS,
      messages: [{ role: "user", content: prompt }],
      output_config: { format: { type: "json_schema", schema: STRUCTURED.schema } },
    });
    return JSON.parse(told(answer).text);
  },
});
