// LlamaIndex.TS with its OpenAI integration. Its own agents run tools through `chat`, as here.
import type { BaseTool, ChatMessage, ToolCall } from "@llamaindex/core/llms";
import { OpenAI, OpenAIEmbedding } from "@llamaindex/openai";
import { type Asker, TOOL, type Told } from "./asker";
import type { Ground } from "./harness";

const TOOLS: BaseTool[] = [
  { metadata: { name: TOOL.name, description: TOOL.description, parameters: { ...TOOL.schema, required: [...TOOL.schema.required] } } },
];

const llm = ({ gateway, key }: Ground, model: string, apiKey = key): OpenAI =>
  new OpenAI({
    model,
    apiKey,
    baseURL: `${gateway}/v1`,
    maxRetries: 0,
    additionalChatOptions: { stream_options: { include_usage: true } },
  });

interface RawUsage {
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
}

function usageOf(raw: object | null): Told["usage"] {
  const usage = (raw as RawUsage | null)?.usage;
  return usage ? { input: usage.prompt_tokens, output: usage.completion_tokens } : undefined;
}

/** An answer and the tool calls in it; the SDK hands both over as they come. */
interface Turn extends Told {
  calls: ToolCall[];
}

interface Called {
  toolCall?: { id: string; name: string; input: unknown }[];
}

const parsed = (input: unknown): ToolCall["input"] => JSON.parse(typeof input === "string" ? input : JSON.stringify(input));

async function whole(model: OpenAI, messages: ChatMessage[], tools?: BaseTool[]): Promise<Turn> {
  // The SDK has no other place for stream_options than the model's own options; they are not for whole answers.
  model.additionalChatOptions = {};
  const { message, raw } = await model.chat({ messages, ...(tools ? { tools } : {}) });
  const calls = (message.options as Called | undefined)?.toolCall ?? [];
  return {
    text: typeof message.content === "string" ? message.content : "",
    usage: usageOf(raw),
    calls: calls.map((call) => ({ ...call, input: parsed(call.input) })),
  };
}

async function streamed(model: OpenAI, messages: ChatMessage[], tools?: BaseTool[]): Promise<Turn> {
  const turn: Turn = { text: "", usage: undefined, calls: [] };
  let last: Called | undefined;
  for await (const chunk of await model.chat({ messages, stream: true, ...(tools ? { tools } : {}) })) {
    turn.text += chunk.delta;
    turn.usage = usageOf(chunk.raw) ?? turn.usage;
    last = (chunk.options as Called | undefined)?.toolCall ? (chunk.options as Called) : last;
  }
  turn.calls = (last?.toolCall ?? []).map((call) => ({ ...call, input: parsed(call.input) }));
  return turn;
}

const user = (content: string): ChatMessage => ({ role: "user", content });

export const llamaindex: readonly Asker[] = [
  {
    title: "OpenAI",
    door: "chat",
    whole: async (ground, { model, prompt, apiKey }) => whole(llm(ground, model, apiKey), [user(prompt)]),
    stream: async (ground, { model, prompt, apiKey }) => streamed(llm(ground, model, apiKey), [user(prompt)]),
    useTool: async (ground, { model, prompt }, run, way) => {
      const ask = way === "whole" ? whole : streamed;
      const client = llm(ground, model);
      const first = await ask(client, [user(prompt)], TOOLS);
      const messages: ChatMessage[] = [
        user(prompt),
        { role: "assistant", content: first.text, options: { toolCall: first.calls } },
        ...first.calls.map(
          ({ id, input }): ChatMessage => ({
            role: "user",
            content: run(String(input[TOOL.argument as keyof typeof input])),
            options: { toolResult: { id, isError: false } },
          }),
        ),
      ];
      // The result is the content of the message that carries `toolResult`.
      return ask(client, messages, TOOLS);
    },
  },
];

export const llamaindexEmbed: NonNullable<Asker["embed"]> = ({ gateway, key }, { model, texts }) =>
  new OpenAIEmbedding({ model, apiKey: key, baseURL: `${gateway}/v1`, maxRetries: 0 }).getTextEmbeddings(texts);
