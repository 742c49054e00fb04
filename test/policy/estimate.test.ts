import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { countedUsage, estimateTokens } from "../../src/policy/estimate";
import { recordings, sharedMissing } from "../recordings/load";
import { outputTextOf, usageOfRecording } from "./recorded-usage";

describe("estimateTokens()", () => {
  test("counts by classes of characters", () => {
    const cases: readonly [string, number][] = [
      ["", 0],
      [" ", 1],
      ["hello", 1],
      ["hello world", 2],
      ["internationalization", 3],
      ["12345", 2],
      ["a\n\nb", 3],
      ["{}", 1],
      ["Привет", 2],
      ["你好吗", 3],
      ["🌊", 2],
    ];
    for (const [text, tokens] of cases) expect([text, estimateTokens(text)]).toEqual([text, tokens]);
  });

  test("is at least 1 for any text, at most its UTF-16 length, and never more whole than in pieces", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), fc.nat(200), (text, at) => {
        const whole = estimateTokens(text);
        const pieces = estimateTokens(text.slice(0, at)) + estimateTokens(text.slice(at));
        return whole >= 1 && whole <= text.length && pieces >= whole;
      }),
    );
  });

  test.skipIf(sharedMissing)("is near what providers counted for their own answers", () => {
    const ratios: number[] = [];
    const whole = recordings().filter(
      (each) => each.status === 200 && ["openai-chat", "anthropic-messages", "gemini"].includes(each.format),
    );
    for (const recording of whole.filter(
      (each) => ["openai", "anthropic", "gemini"].includes(each.provider) && /text|max-tokens|citations|stop|tool-result/.test(each.id),
    )) {
      const text = outputTextOf(recording);
      const usage = usageOfRecording(recording);
      const visible = (usage?.outputTokens ?? 0) - (usage?.reasoningOutputTokens ?? 0);
      if (visible >= 10 && text !== "") ratios.push(estimateTokens(text) / visible);
    }
    ratios.sort((a, b) => a - b);
    const median = ratios[Math.floor(ratios.length / 2)] ?? 0;
    expect(ratios.length).toBeGreaterThanOrEqual(8);
    expect(median).toBeGreaterThan(0.8);
    expect(median).toBeLessThan(1.2);
    expect(ratios.at(-1)).toBeLessThan(1.5);
  });
});

describe("countedUsage()", () => {
  test("keeps what the provider told and counts the rest", () => {
    expect(countedUsage(undefined, "hello world", "你好吗")).toEqual({ inputTokens: 2, outputTokens: 3 });
    expect(countedUsage({ inputTokens: 99, cacheReadInputTokens: 7 }, "hello", "hello world")).toEqual({
      inputTokens: 99,
      cacheReadInputTokens: 7,
      outputTokens: 2,
    });
  });

  test("never counts less output than was told", () => {
    expect(countedUsage({ inputTokens: 1, outputTokens: 50 }, "", "hello").outputTokens).toBe(50);
    expect(countedUsage({ inputTokens: 1, outputTokens: 1 }, "", "hello there world").outputTokens).toBe(3);
  });
});
