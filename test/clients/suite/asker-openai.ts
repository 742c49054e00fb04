// The OpenAI SDK on the Responses API. Its Chat Completions have cases of their own.
import type OpenAI from "openai-7";
import { type Ask, type Asker, STRUCTURED, TOOL, type Told } from "./asker";
import type { Ground, Sdk } from "./harness";

type Response = OpenAI.Responses.Response;
type Input = OpenAI.Responses.ResponseInput;

const TOOLS = [{ type: "function" as const, name: TOOL.name, description: TOOL.description, parameters: TOOL.schema, strict: true }];

const told = ({ output_text, usage }: Response): Told => ({
  text: output_text,
  usage: usage ? { input: usage.input_tokens, output: usage.output_tokens } : undefined,
});

export function openaiResponses(sdk: Sdk): Asker {
  const responsesOf = ({ gateway, key }: Ground, apiKey = key): OpenAI["responses"] =>
    new sdk.default({ apiKey, baseURL: `${gateway}/v1`, maxRetries: 0, organization: null, project: null }).responses;
  return {
    title: "Responses",
    door: "responses",
    whole: async (ground, { model, prompt, apiKey }) => told(await responsesOf(ground, apiKey).create({ model, input: prompt })),
    stream: async (ground, { model, prompt, apiKey }) =>
      told(await responsesOf(ground, apiKey).stream({ model, input: prompt }).finalResponse()),
    useTool: async (ground, { model, prompt }, run, way) => {
      const responses = responsesOf(ground);
      const ask = (input: Input): Promise<Response> => {
        const body = { model, input, tools: TOOLS, store: false, include: ["reasoning.encrypted_content" as const] };
        return way === "whole" ? responses.create(body) : responses.stream(body).finalResponse();
      };
      const input: Input = [{ role: "user", content: prompt }];
      const first = await ask(input);
      // What came goes back as it is, as the documentation says.
      input.push(...(first.output as Input));
      for (const item of first.output) {
        if (item.type !== "function_call") continue;
        const output = run(JSON.parse(item.arguments)[TOOL.argument]);
        input.push({ type: "function_call_output", call_id: item.call_id, output });
      }
      return told(await ask(input));
    },
    structured: async (ground, { model, prompt }: Ask) => {
      const format = { type: "json_schema" as const, name: STRUCTURED.name, schema: STRUCTURED.schema, strict: true };
      const answer = await responsesOf(ground).parse({ model, input: prompt, text: { format } });
      return answer.output_parsed;
    },
  };
}
