// LangChain.js with its OpenAI integration, on Chat Completions and on Responses.
import { type AIMessage, type AIMessageChunk, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { type Asker, STRUCTURED, TOOL, type Told } from "./asker";
import type { Ground } from "./harness";

const TOOLS = [{ type: "function" as const, function: { name: TOOL.name, description: TOOL.description, parameters: TOOL.schema } }];

interface Shown {
  text: string;
  usage_metadata?: { input_tokens: number; output_tokens: number } | undefined;
}

const told = ({ text, usage_metadata: usage }: Shown): Told => ({
  text,
  usage: usage && { input: usage.input_tokens, output: usage.output_tokens },
});

async function gathered(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined;
  for await (const chunk of stream) whole = whole === undefined ? chunk : whole.concat(chunk);
  if (whole === undefined) throw new Error("the stream had no chunk");
  return whole;
}

function asker(title: string, useResponsesApi: boolean): Asker {
  const chat = ({ gateway, key }: Ground, model: string, apiKey = key): ChatOpenAI =>
    new ChatOpenAI({ model, apiKey, useResponsesApi, maxRetries: 0, configuration: { baseURL: `${gateway}/v1` } });
  return {
    title,
    door: useResponsesApi ? "responses" : "chat",
    whole: async (ground, { model, prompt, apiKey }) => told(await chat(ground, model, apiKey).invoke(prompt)),
    stream: async (ground, { model, prompt, apiKey }) => told(await gathered(await chat(ground, model, apiKey).stream(prompt))),
    useTool: async (ground, { model, prompt }, run, way) => {
      const bound = chat(ground, model).bindTools(TOOLS);
      const messages: BaseMessage[] = [new HumanMessage(prompt)];
      const ask = async (): Promise<AIMessage | AIMessageChunk> =>
        way === "whole" ? bound.invoke(messages) : gathered(await bound.stream(messages));
      const first = await ask();
      messages.push(first);
      for (const { id, args } of first.tool_calls ?? []) {
        messages.push(new ToolMessage({ tool_call_id: id ?? "", content: run(String(args[TOOL.argument])) }));
      }
      return told(await ask());
    },
    structured: async (ground, { model, prompt }) =>
      chat(ground, model)
        .withStructuredOutput(
          { ...STRUCTURED.schema, title: STRUCTURED.name },
          { name: STRUCTURED.name, method: "jsonSchema", strict: true },
        )
        .invoke(prompt),
  };
}

export const langchain: readonly Asker[] = [asker("ChatOpenAI", false), asker("ChatOpenAI on Responses", true)];

export const langchainEmbed: NonNullable<Asker["embed"]> = ({ gateway, key }, { model, texts }) =>
  new OpenAIEmbeddings({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: `${gateway}/v1` } }).embedDocuments(texts);
