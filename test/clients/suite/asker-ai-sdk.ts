// Vercel's AI SDK with its providers for OpenAI (Responses and Chat Completions), OpenAI-compatible servers, and Anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, isStepCount, jsonSchema, type LanguageModel, Output, streamText, tool } from "ai";
import { type Asker, type DoorName, STRUCTURED, TOOL, type Told, type ToolRun } from "./asker";
import type { Ground } from "./harness";

interface ShownUsage {
  inputTokens: number | undefined;
  outputTokens: number | undefined;
}

const usageOf = ({ inputTokens, outputTokens }: ShownUsage): Told["usage"] =>
  inputTokens === undefined || outputTokens === undefined ? undefined : { input: inputTokens, output: outputTokens };

const toolsWith = (run: ToolRun) => ({
  [TOOL.name]: tool({
    description: TOOL.description,
    inputSchema: jsonSchema<Record<string, string>>({ ...TOOL.schema, required: [...TOOL.schema.required] }),
    execute: (input) => run(String(input[TOOL.argument])),
  }),
});

/** Reads to the end. The SDK reports a failure as a part of the stream and goes on: here it is thrown. */
async function read(result: ReturnType<typeof streamText>): Promise<Told> {
  for await (const part of result.stream) {
    if (part.type === "error") throw part.error;
    if (part.type === "finish" && part.finishReason === "error") throw new Error("the SDK reports that the answer ended in an error");
  }
  // Asked for only now: these promises fail where the stream did, and nobody would hear them.
  return { text: await result.text, usage: usageOf(await result.usage) };
}

const unheard = (): void => undefined;

function asker(title: string, door: DoorName, modelOf: (ground: Ground, id: string, apiKey: string) => LanguageModel): Asker {
  const base = (ground: Ground, { model, prompt, apiKey = ground.key }: Parameters<Asker["whole"]>[1]) => ({
    model: modelOf(ground, model, apiKey),
    prompt,
    maxRetries: 0,
  });
  return {
    title,
    door,
    whole: async (ground, ask) => {
      const { text, usage } = await generateText(base(ground, ask));
      return { text, usage: usageOf(usage) };
    },
    stream: async (ground, ask) => read(streamText({ ...base(ground, ask), onError: unheard })),
    useTool: async (ground, ask, run, way) => {
      const options = { ...base(ground, ask), tools: toolsWith(run), stopWhen: isStepCount(2) };
      if (way === "stream") return read(streamText({ ...options, onError: unheard }) as unknown as ReturnType<typeof streamText>);
      const { text, usage } = await generateText(options);
      return { text, usage: usageOf(usage) };
    },
    structured: async (ground, ask) => {
      const schema = jsonSchema({ ...STRUCTURED.schema, required: [...STRUCTURED.schema.required] });
      const { output } = await generateText({ ...base(ground, ask), output: Output.object({ name: STRUCTURED.name, schema }) });
      return output;
    },
  };
}

const openai = ({ gateway }: Ground, apiKey: string) => createOpenAI({ baseURL: `${gateway}/v1`, apiKey });
const compatible = ({ gateway }: Ground, apiKey: string) =>
  createOpenAICompatible({ name: "tollway", baseURL: `${gateway}/v1`, apiKey, includeUsage: true, supportsStructuredOutputs: true });

export const aiSdk: readonly Asker[] = [
  asker("openai() (Responses)", "responses", (ground, id, apiKey) => openai(ground, apiKey)(id)),
  asker("openai.chat()", "chat", (ground, id, apiKey) => openai(ground, apiKey).chat(id)),
  asker("openai-compatible", "chat", (ground, id, apiKey) => compatible(ground, apiKey)(id)),
  asker("anthropic()", "messages", ({ gateway }, id, apiKey) => createAnthropic({ baseURL: `${gateway}/v1`, apiKey })(id)),
];

/** Vectors through both of its providers that have them. */
export const aiSdkEmbedders: Readonly<Record<string, NonNullable<Asker["embed"]>>> = {
  "openai.embedding()": async (ground, { model, texts }) =>
    (await embedMany({ model: openai(ground, ground.key).embedding(model), values: texts, maxRetries: 0 })).embeddings,
  "openai-compatible": async (ground, { model, texts }) =>
    (await embedMany({ model: compatible(ground, ground.key).embeddingModel(model), values: texts, maxRetries: 0 })).embeddings,
};
