// Recorded requests → what an OpenAI client would have sent for them → our encoding: it must say what was recorded.
import { describe, expect, test } from "bun:test";
import { gemini } from "../../src/dialects/gemini";
import { decodeOpenaiChatRequest } from "../../src/dialects/openai-chat-request";
import { ownRecordings, recordings, sharedMissing } from "../recordings/load";

/** A recorded part, with the fields of every kind. */
interface Part {
  text?: string;
  thought?: boolean;
  thoughtSignature?: string;
  inlineData?: { mimeType: string; data: string };
  fileData?: { fileUri: string };
  functionCall?: { id?: string; name: string; args: object };
  functionResponse?: { id?: string; name: string; response: object };
}

interface Turn {
  role: string;
  parts: Part[];
}

interface Body {
  contents: Turn[];
  systemInstruction?: { parts: Part[] };
  tools?: { functionDeclarations: { name: string; description?: string; parametersJsonSchema?: object }[] }[];
  generationConfig?: {
    maxOutputTokens?: number;
    temperature?: number;
    topP?: number;
    topK?: number;
    stopSequences?: string[];
    seed?: number;
    candidateCount?: number;
    responseMimeType?: string;
    responseJsonSchema?: object;
    thinkingConfig?: { thinkingBudget?: number };
  };
}

/** Not expressible by a Chat Completions caller. */
const INEXPRESSIBLE: Readonly<Record<string, string>> = {
  "gemini/gemini.cache-read.1": "a cached content",
  "gemini/gemini.cache-read.2": "a hosted search",
  "gemini/gemini.cache-read-stream.1": "a cached content",
  "gemini/gemini.cache-read-stream.2": "a hosted search",
  "gemini/gemini.error-403.1": "safety settings as numbers",
  "gemini/gemini.max-tokens-stream.2": "a forced choice among one tool as a list: the same as the named tool",
  "gemini/gemini.finish-MALFORMED_FUNCTION_CALL.1": "a forced choice among a list of tools",
};

const CAMEL: Record<string, string> = {
  inline_data: "inlineData",
  mime_type: "mimeType",
  parameters_json_schema: "parametersJsonSchema",
  include_thoughts: "includeThoughts",
  thinking_budget: "thinkingBudget",
};

/** Schemas and arguments are the caller's own: not walked. */
const OPAQUE = new Set(["parametersJsonSchema", "responseJsonSchema", "args", "response"]);

/** One way to write what Google reads the same: camel case, JSON Schema, no nulls, empty objects or defaults. */
function canonical(value: unknown, within = ""): unknown {
  if (Array.isArray(value)) return value.map((each) => canonical(each));
  if (typeof value !== "object" || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const field = CAMEL[name] ?? name;
    if (inner === null || inner === undefined || DEFAULTS[field]?.(inner, within)) continue;
    if (field === "parameters") out["parametersJsonSchema"] = jsonSchema(inner);
    else if (field === "responseSchema") out["responseJsonSchema"] = jsonSchema(inner);
    else out[field] = OPAQUE.has(field) ? inner : canonical(inner, field);
  }
  return out;
}

const empty = (value: unknown): boolean => Object.keys(canonical(value) as object).length === 0;

/** What changes nothing, or has no place in Chat Completions and nothing to do with the shape of a conversation. */
const DEFAULTS: Record<string, (value: unknown, within: string) => boolean> = {
  safetySettings: () => true,
  modelArmorConfig: () => true,
  responseModalities: () => true,
  role: (_, within) => within === "systemInstruction",
  thought: (value) => value === false,
  candidateCount: (value) => value === 1,
  description: (value) => value === "",
  includeThoughts: () => true,
  id: (_, within) => within === "functionCall" || within === "functionResponse",
  mimeType: (_, within) => within === "fileData",
  generationConfig: empty,
  thinkingConfig: empty,
};

/** OpenAPI's types are in capitals; Google's own `property_ordering` is not JSON Schema. */
const jsonSchema = (schema: unknown): unknown =>
  JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => {
      if (key === "property_ordering") return undefined;
      return key === "type" && typeof value === "string" ? value.toLowerCase() : value;
    }),
  );

const isResult = (part: Part): boolean => part.functionResponse !== undefined;

/** Parts that say nothing are left out; results stand alone in their content. */
const contentsOf = (recorded: readonly Turn[]): Turn[] =>
  recorded.flatMap(({ role, parts }) => {
    const said = parts.filter((part) => part.thoughtSignature || (!part.thought && part.text !== ""));
    const halves = [said.filter(isResult), said.filter((part) => !isResult(part))];
    return halves.filter((some) => some.length > 0).map((some) => ({ role, parts: some }));
  });

function asRecorded(body: unknown): Body {
  const plain = canonical(body) as Body;
  return { ...plain, contents: contentsOf(plain.contents) };
}

type Call = { id: string; name: string };

function openaiMessages(body: Body): object[] {
  const system = body.systemInstruction?.parts.map(({ text }) => ({ type: "text", text }));
  const open: Call[] = [];
  const turns = body.contents.flatMap(({ role, parts }, at) =>
    role === "model" ? [assistant(parts, at, open)] : userMessages(parts, open),
  );
  return [...(system ? [{ role: "system", content: system }] : []), ...turns];
}

function assistant(parts: readonly Part[], at: number, open: Call[]): object {
  const calls = parts.flatMap(({ functionCall, thoughtSignature }, i) => {
    if (!functionCall) return [];
    const id = functionCall.id ?? `call_${at}_${i}`;
    open.push({ id, name: functionCall.name });
    const extra = thoughtSignature ? { extra_content: { google: { thought_signature: thoughtSignature } } } : {};
    return [{ id, type: "function", function: { name: functionCall.name, arguments: JSON.stringify(functionCall.args) }, ...extra }];
  });
  const texts = parts.filter((part) => part.text && !part.thought).map(contentPart);
  return { role: "assistant", content: texts.length > 0 ? texts : null, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}

function userMessages(parts: readonly Part[], open: Call[]): object[] {
  const results = parts.flatMap(({ functionResponse }) => {
    if (!functionResponse) return [];
    const [call] = open.splice(
      open.findIndex(({ name }) => name === functionResponse.name),
      1,
    );
    return [{ role: "tool", tool_call_id: call?.id, content: JSON.stringify(functionResponse.response) }];
  });
  const others = parts.filter((part) => !isResult(part)).map(contentPart);
  return [...results, ...(others.length > 0 ? [{ role: "user", content: others }] : [])];
}

function contentPart(part: Part): object {
  if (part.text !== undefined) return { type: "text", text: part.text };
  if (part.fileData) return { type: "image_url", image_url: { url: part.fileData.fileUri } };
  const url = `data:${part.inlineData?.mimeType};base64,${part.inlineData?.data}`;
  if (part.inlineData?.mimeType.startsWith("image/")) return { type: "image_url", image_url: { url } };
  return { type: "file", file: { filename: "a", file_data: url } };
}

/** The Chat Completions body of a recorded (canonical) generateContent body. */
function asChatCompletions(body: Body): object {
  const config = body.generationConfig ?? {};
  const schema = config.responseJsonSchema;
  const json = config.responseMimeType === undefined ? undefined : { type: "json_object" };
  return {
    model: "m",
    messages: openaiMessages(body),
    max_completion_tokens: config.maxOutputTokens,
    temperature: config.temperature,
    top_p: config.topP,
    top_k: config.topK,
    stop: config.stopSequences,
    seed: config.seed,
    n: config.candidateCount,
    reasoning: config.thinkingConfig && { max_tokens: config.thinkingConfig.thinkingBudget },
    response_format: schema ? { type: "json_schema", json_schema: { name: "answer", schema } } : json,
    tools: body.tools?.flatMap(({ functionDeclarations }) =>
      functionDeclarations.map(({ name, description, parametersJsonSchema }) => ({
        type: "function",
        function: { name, description, parameters: parametersJsonSchema },
      })),
    ),
  };
}

const expressible = [...ownRecordings("gemini", "gemini"), ...recordings(undefined, "gemini")].filter(
  ({ id, request }) => request !== undefined && INEXPRESSIBLE[id] === undefined && !JSON.stringify(request).includes("cachedContent"),
);

describe("an OpenAI client's request says what was recorded", () => {
  test.skipIf(sharedMissing)("for every recorded request but those that name a reason", () => {
    expect(expressible.length).toBeGreaterThanOrEqual(30);
  });

  for (const each of expressible) {
    test(each.id, () => {
      const recorded = asRecorded(each.request);
      const { request } = decodeOpenaiChatRequest(JSON.parse(JSON.stringify(asChatCompletions(recorded))));
      const model = /models\/([^:]+):/.exec(each.path)?.[1] ?? "";
      const encoded = gemini.encodeRequest(
        { ...request, stream: each.path.includes(":stream") },
        { model, defaultMaxOutputTokens: 1, unsupported: [], dropUnsupported: false, deviations: {} },
      );
      expect(asRecorded(JSON.parse(encoded.body))).toEqual(recorded);
      expect(encoded.ignored).toEqual([]);
      expect(`/v1beta${encoded.path.replace("?alt=sse", "")}`).toEndWith(each.path.slice(each.path.indexOf("/models/")));
    });
  }
});
