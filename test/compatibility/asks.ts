// One request for each capability, as each door's callers write it: what a table of compatibility asks every provider for.

export interface Capability {
  name: string;
  /** The request in each door's dialect, beside its model; undefined: the dialect cannot say it. */
  chat: object | undefined;
  responses: object | undefined;
  messages: object | undefined;
  /** Cells of the recordings' index that show an answer to it. */
  cells: readonly string[];
  /** What a recorded request for it holds, where its answer looks like any other. */
  asks?: RegExp;
}

const WEATHER = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const PERSON = { type: "object", properties: { name: { type: "string" } }, required: ["name"], additionalProperties: false };
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjQKJeLjz9MK";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

const hello = { messages: [{ role: "user", content: "Hello" }] };
const chat = (more: object = {}): object => ({ ...hello, ...more });
const responses = (more: object = {}): object => ({ input: "Hello", ...more });
const messages = (more: object = {}): object => ({ max_tokens: 2048, ...hello, ...more });

const chatTool = { type: "function", function: { name: "weather", parameters: WEATHER } };
const flatTool = { type: "function", name: "weather", parameters: WEATHER };
const messagesTool = { name: "weather", input_schema: WEATHER };
const withPart = (part: object): object => ({ messages: [{ role: "user", content: [{ type: "text", text: "What is it?" }, part] }] });
const withItemPart = (part: object): object => ({
  input: [{ role: "user", content: [{ type: "input_text", text: "What is it?" }, part] }],
});

/** A conversation in which a tool was called and has answered. */
const toolTurns = {
  chat: chat({
    messages: [
      { role: "user", content: "Weather?" },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "rain" },
    ],
    tools: [chatTool],
  }),
  responses: responses({
    input: [
      { role: "user", content: "Weather?" },
      { type: "function_call", call_id: "call_1", name: "weather", arguments: '{"city":"Oslo"}' },
      { type: "function_call_output", call_id: "call_1", output: "rain" },
    ],
    tools: [flatTool],
  }),
  messages: messages({
    messages: [
      { role: "user", content: "Weather?" },
      { role: "assistant", content: [{ type: "tool_use", id: "call_1", name: "weather", input: { city: "Oslo" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: "rain" }] },
    ],
    tools: [messagesTool],
  }),
};

export const CAPABILITIES: readonly Capability[] = [
  { name: "text", chat: chat(), responses: responses(), messages: messages(), cells: ["text"] },
  {
    name: "text, streamed",
    chat: chat({ stream: true }),
    responses: responses({ stream: true }),
    messages: messages({ stream: true }),
    cells: ["text-stream", "usage-final-chunk"],
  },
  {
    name: "system instructions",
    chat: chat({ messages: [{ role: "system", content: "Be brief." }, ...hello.messages] }),
    responses: responses({ instructions: "Be brief." }),
    messages: messages({ system: "Be brief." }),
    cells: [],
    asks: /"role":"(?:system|developer)"|"system":|"systemInstruction":|"system_instruction":|"instructions":"|"preamble":/,
  },
  {
    name: "tools",
    chat: chat({ tools: [chatTool] }),
    responses: responses({ tools: [flatTool] }),
    messages: messages({ tools: [messagesTool] }),
    cells: ["tool-call"],
  },
  {
    name: "tools, streamed",
    chat: chat({ stream: true, tools: [chatTool] }),
    responses: responses({ stream: true, tools: [flatTool] }),
    messages: messages({ stream: true, tools: [messagesTool] }),
    cells: ["tool-call-stream"],
  },
  {
    name: "parallel tools",
    chat: chat({ tools: [chatTool], parallel_tool_calls: true }),
    responses: responses({ tools: [flatTool], parallel_tool_calls: true }),
    messages: messages({ tools: [messagesTool] }),
    cells: ["parallel-tool-calls", "parallel-tool-calls-stream"],
  },
  { name: "tool results", ...toolTurns, cells: ["tool-result", "tool-result-stream"] },
  {
    name: "a forced tool",
    chat: chat({ tools: [chatTool], tool_choice: { type: "function", function: { name: "weather" } } }),
    responses: responses({ tools: [flatTool], tool_choice: { type: "function", name: "weather" } }),
    messages: messages({ tools: [messagesTool], tool_choice: { type: "tool", name: "weather" } }),
    cells: ["tool-choice"],
    asks: /"tool_choice":(?:\{|"required"|"REQUIRED")|"mode":"ANY"/,
  },
  {
    name: "one tool call at a time",
    chat: chat({ tools: [chatTool], parallel_tool_calls: false }),
    responses: responses({ tools: [flatTool], parallel_tool_calls: false }),
    messages: messages({ tools: [messagesTool], tool_choice: { type: "auto", disable_parallel_tool_use: true } }),
    cells: ["parallel-flag"],
  },
  {
    name: "a custom (free text) tool",
    chat: chat({ tools: [{ type: "custom", custom: { name: "patch" } }] }),
    responses: responses({ tools: [{ type: "custom", name: "patch" }] }),
    messages: undefined,
    cells: [],
  },
  {
    name: "grouped tools (namespace)",
    chat: undefined,
    responses: responses({ tools: [{ type: "namespace", name: "mail", description: "Mail", tools: [flatTool] }] }),
    messages: undefined,
    cells: [],
  },
  {
    name: "an unused hosted tool",
    chat: undefined,
    responses: responses({ tools: [{ type: "web_search" }] }),
    messages: messages({ tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 1 }] }),
    cells: [],
  },
  {
    name: "JSON schema",
    chat: chat({ response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema: PERSON } } }),
    responses: responses({ text: { format: { type: "json_schema", name: "person", strict: true, schema: PERSON } } }),
    messages: messages({ output_config: { format: { type: "json_schema", schema: PERSON } } }),
    cells: ["json-schema", "json-schema-stream"],
  },
  {
    name: "JSON without a schema",
    chat: chat({ response_format: { type: "json_object" } }),
    responses: responses({ text: { format: { type: "json_object" } } }),
    messages: undefined,
    cells: ["json-mode"],
  },
  {
    name: "an image by value",
    chat: chat(withPart({ type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL}` } })),
    responses: responses(withItemPart({ type: "input_image", image_url: `data:image/png;base64,${PIXEL}` })),
    messages: messages(withPart({ type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } })),
    cells: ["image-base64"],
  },
  {
    name: "an image by address",
    chat: chat(withPart({ type: "image_url", image_url: { url: "https://example.com/a.png" } })),
    responses: responses(withItemPart({ type: "input_image", image_url: "https://example.com/a.png" })),
    messages: messages(withPart({ type: "image", source: { type: "url", url: "https://example.com/a.png" } })),
    cells: ["image-url"],
  },
  {
    name: "a PDF",
    chat: chat(withPart({ type: "file", file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` } })),
    responses: responses(withItemPart({ type: "input_file", filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` })),
    messages: messages(withPart({ type: "document", source: { type: "base64", media_type: "application/pdf", data: PDF } })),
    cells: ["pdf-input"],
  },
  {
    name: "audio",
    chat: chat(withPart({ type: "input_audio", input_audio: { data: WAV, format: "wav" } })),
    responses: responses(withItemPart({ type: "input_audio", input_audio: { data: WAV, format: "wav" } })),
    messages: undefined,
    cells: ["audio-input"],
  },
  {
    name: "reasoning effort",
    chat: chat({ reasoning_effort: "low" }),
    responses: responses({ reasoning: { effort: "low" } }),
    messages: messages({ thinking: { type: "adaptive" }, output_config: { effort: "low" } }),
    cells: ["reasoning", "reasoning-stream", "reasoning-tokens"],
  },
  {
    name: "a thinking budget",
    chat: chat({ thinking: { type: "enabled", budget_tokens: 1024 }, max_completion_tokens: 4096 }),
    responses: undefined,
    messages: messages({ thinking: { type: "enabled", budget_tokens: 1024 } }),
    cells: [],
  },
  {
    name: "an output limit",
    chat: chat({ max_completion_tokens: 64 }),
    responses: responses({ max_output_tokens: 64 }),
    messages: messages({ max_tokens: 64 }),
    cells: ["max-tokens", "max-tokens-stream"],
  },
  {
    name: "temperature",
    chat: chat({ temperature: 0.5 }),
    responses: responses({ temperature: 0.5 }),
    messages: messages({ temperature: 0.5 }),
    cells: [],
    asks: /"temperature":\d/,
  },
  {
    name: "top_k",
    chat: chat({ top_k: 5 }),
    responses: undefined,
    messages: messages({ top_k: 5 }),
    cells: [],
    asks: /"(?:top_k|topK|k)":\d/,
  },
  {
    name: "stop sequences",
    chat: chat({ stop: ["END"] }),
    responses: undefined,
    messages: messages({ stop_sequences: ["END"] }),
    cells: ["stop-sequence"],
  },
  { name: "seed", chat: chat({ seed: 7 }), responses: undefined, messages: undefined, cells: ["seed"] },
  {
    name: "several answers (n)",
    chat: chat({ n: 2 }),
    responses: undefined,
    messages: undefined,
    cells: ["n-choices", "n-choices-stream"],
  },
  {
    name: "log probabilities",
    chat: chat({ logprobs: true, top_logprobs: 2 }),
    responses: responses({ include: ["message.output_text.logprobs"], top_logprobs: 2 }),
    messages: undefined,
    cells: ["logprobs", "logprobs-stream"],
  },
  {
    name: "cache marks",
    chat: chat({ messages: [{ role: "user", content: [{ type: "text", text: "Hello", cache_control: { type: "ephemeral" } }] }] }),
    responses: responses({ prompt_cache_key: "k" }),
    messages: messages({ system: [{ type: "text", text: "Long.", cache_control: { type: "ephemeral" } }] }),
    cells: ["cache-read", "cache-read-stream", "cache-write", "cache-write-stream", "cache-control-request"],
  },
  { name: "citations", chat: chat(), responses: responses(), messages: messages(), cells: ["citations", "citations-stream"] },
  {
    name: "refusals",
    chat: chat(),
    responses: responses(),
    messages: messages(),
    cells: ["refusal", "refusal-stream", "safety-block", "safety-block-stream"],
  },
  {
    name: "an earlier response by id",
    chat: undefined,
    responses: responses({ previous_response_id: "resp_1" }),
    messages: undefined,
    cells: ["previous-response-id"],
  },
  {
    name: "context management and betas",
    chat: undefined,
    responses: undefined,
    messages: messages({ context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } }),
    cells: [],
  },
];
