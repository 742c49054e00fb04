import { describe, expect, test } from "bun:test";
import type { ChatEvent } from "../../src/core/chat";
import { nanoUsd } from "../../src/core/money";
import type { Usage } from "../../src/core/usage";
import { decodeUsage } from "../../src/dialects/openai-chat-usage";
import { type Recording, recording, sharedMissing } from "../recordings/load";
import { deviationsOf } from "./openai-chat-deviations";
import { compatibleAnswers, dataOf, decode, text } from "./openai-chat-replay";

const usageOf = (events: readonly ChatEvent[]): Usage | undefined => events.findLast((event) => event.type === "usage")?.usage;
const recorded = (id: string): Usage | undefined => usageOf(decode(recording(id)));

/** The last usage object of a recording, read without the dialect. */
function told(each: Recording): Record<string, unknown> | undefined {
  const answers = each.stream ? dataOf(text(each.body)).filter((data) => data !== "[DONE]") : [text(each.body)];
  return answers.map((answer) => JSON.parse(answer)).findLast(({ usage }) => usage)?.usage;
}

describe("usage", () => {
  test("adds up to the provider's own total, everywhere", () => {
    let checked = 0;
    for (const each of compatibleAnswers()) {
      const said = told(each);
      if (!said || /midstream|unterminated|MALFORMED/.test(each.id)) continue;
      const usage = usageOf(decode(each));
      expect([each.id, (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0)]).toEqual([each.id, said["total_tokens"] as number]);
      checked++;
    }
    expect(checked).toBeGreaterThan(sharedMissing ? 5 : 130);
  });

  const read = (said: object, provider: string, tier?: string) =>
    decodeUsage(said as Record<string, unknown>, tier, deviationsOf(provider));

  test("reasoning tokens that stand beside the output are added, unless the sum shows that they are inside", () => {
    const said = { prompt_tokens: 468, completion_tokens: 77, completion_tokens_details: { reasoning_tokens: 582 } };
    expect(read({ ...said, total_tokens: 1127 }, "xai")).toMatchObject({ inputTokens: 468, outputTokens: 659, reasoningOutputTokens: 582 });
    expect(read(said, "xai").outputTokens).toBe(659);
    expect(read({ ...said, total_tokens: 545 }, "xai").outputTokens).toBe(77);
    expect(read({ ...said, total_tokens: 1127 }, "groq").outputTokens).toBe(77);
    expect(read({ prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 }, "gemini").outputTokens).toBe(74);
  });

  test("audio tokens that stand beside the input are added", () => {
    const said = { prompt_tokens: 9, completion_tokens: 201, total_tokens: 585, prompt_tokens_details: { audio_tokens: 375 } };
    expect(read(said, "mistral")).toMatchObject({ inputTokens: 384, outputTokens: 201, inputAudioTokens: 375 });
  });

  test("cached tokens are found where each provider puts them", () => {
    expect(read({ cached_tokens: 7 }, "together").cacheReadInputTokens).toBe(7);
    expect(read({ prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 2 }, "deepseek").cacheReadInputTokens).toBe(8);
    expect(read({ prompt_tokens_details: { cached_tokens: 9, cache_write_tokens: 3 } }, "openrouter")).toMatchObject({
      cacheReadInputTokens: 9,
      cacheCreationInputTokens: 3,
    });
    expect(read({}, "openai")).toEqual({});
  });

  test("the provider's own cost is a number, ticks, or a sum, rounded up to a nano-USD", () => {
    const cost = (said: object) => read(said, "openrouter").reportedCost;
    expect(cost({ cost: 0.0000000011 })).toBe(nanoUsd(2n));
    expect(cost({ cost: 0 })).toBe(nanoUsd(0n));
    expect(cost({ cost_in_usd_ticks: 4_389_400 })).toBe(nanoUsd(438_940n));
    expect(cost({ cost_in_usd_ticks: 11 })).toBe(nanoUsd(2n));
    expect(cost({ cost: { total_cost: 0.00501, request_cost: 0.005 } })).toBe(nanoUsd(5_010_000n));
    // An own key at the router: its own fee, and what the key was charged.
    expect(cost({ cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } })).toBe(nanoUsd(21_000_000n));
    expect(cost({ cost: 0.001, is_byok: false, cost_details: { upstream_inference_cost: 0.001 } })).toBe(nanoUsd(1_000_000n));
  });

  test("a sum or ticks of nothing are not told: they stand where the cost is not known yet", () => {
    for (const said of [{ cost: { total_cost: 0 } }, { cost_in_usd_ticks: 0 }, { cost: "1" }, { cost: -1 }, { cost_in_usd_ticks: 1.5 }])
      expect(read(said, "xai").reportedCost).toBeUndefined();
  });

  test("searches that have a fee are counted", () => {
    expect(read({ num_search_queries: 3 }, "perplexity").toolCalls).toEqual({ web_search: 3 });
    expect(read({ server_tool_use_details: { web_search_requests: 1 } }, "openrouter").toolCalls).toEqual({ web_search: 1 });
    expect(read({ num_search_queries: 0 }, "perplexity").toolCalls).toBeUndefined();
  });

  test("the tier stands in the answer or in its usage", () => {
    expect(read({ service_tier: "standard" }, "mistral").serviceTier).toBe("standard");
    expect(read({ service_tier: "standard" }, "mistral", "priority").serviceTier).toBe("priority");
  });
});

describe.skipIf(sharedMissing)("recorded usage", () => {
  test("of a search is the last one said, with its fee", () => {
    expect(recorded("perplexity/chat.usage-final-chunk.1")).toMatchObject({
      inputTokens: 8,
      outputTokens: 5,
      reportedCost: nanoUsd(5_010_000n),
    });
    expect(recorded("openrouter/chat.citations-stream.1")).toMatchObject({
      toolCalls: { web_search: 1 },
      reportedCost: nanoUsd(7_650_917n),
    });
  });

  test("in ticks is the provider's cost", () => {
    expect(recorded("xai/chat.parallel-tool-calls.1")).toMatchObject({ outputTokens: 253, reportedCost: nanoUsd(438_940n) });
  });

  test("in a place of the provider's own is read", () => {
    expect(recorded("groq/chat.citations-stream.1")).toMatchObject({ inputTokens: 5003, outputTokens: 359 });
  });
});
