// Compares what an SDK made of an answer with what the provider said.
import assert from "node:assert/strict";
import type OpenAI from "openai-7";
import { loadRecording } from "../../upstream/recording";
import { type Expected, expectedOf } from "./expected";

export type Completion = OpenAI.Chat.Completions.ChatCompletion;
type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;

export function recorded(id: string): Expected {
  const { format, body, stream } = loadRecording(id);
  return expectedOf(format, new TextDecoder().decode(body), stream);
}

/** Text, tool calls, finish reason, model and usage of a completion, whole or accumulated. */
export function assertCompletion(completion: Completion, expected: Expected, model: string): void {
  assert.equal(completion.model, model, "the model is the one that was asked for");
  assert.equal(completion.choices.length, expected.choices.length, "number of choices");
  for (const [at, wanted] of expected.choices.entries()) {
    const choice = completion.choices[at];
    assert.ok(choice, `choice ${at}`);
    assert.equal(choice.message.content ?? "", wanted.text, `text of choice ${at}`);
    const calls = (choice.message.tool_calls ?? []).map((call) => {
      assert.equal(call.type, "function");
      assert.ok(call.id.length > 0, "a tool call has an id");
      return call.type === "function" ? { name: call.function.name, arguments: JSON.parse(call.function.arguments || "{}") } : undefined;
    });
    assert.deepEqual(calls, wanted.toolCalls, `tool calls of choice ${at}`);
    const ids = (choice.message.tool_calls ?? []).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "tool call ids differ");
    if (wanted.finish !== undefined) assert.equal(choice.finish_reason, wanted.finish, `finish reason of choice ${at}`);
  }
  if (expected.usage) assertUsage(completion.usage, expected.usage);
}

/** Token counts, and the cost that always rides in usage. */
export function assertUsage(usage: unknown, expected: { prompt: number; completion: number }): void {
  assert.ok(typeof usage === "object" && usage !== null, "there is usage");
  assert.ok("prompt_tokens" in usage && "completion_tokens" in usage && "total_tokens" in usage);
  assert.equal(usage.prompt_tokens, expected.prompt, "prompt_tokens");
  assert.equal(usage.completion_tokens, expected.completion, "completion_tokens");
  assert.ok("cost" in usage && typeof usage.cost === "number" && usage.cost > 0, "usage.cost");
}

/** Reads a stream to its end. */
export async function readAll(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

export const textOf = (chunks: readonly Chunk[]): string => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");
