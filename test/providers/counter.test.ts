import { expect, test } from "bun:test";
import type { Clock, DialRequest } from "../../src/core/ports";
import { counter } from "../../src/providers/counter";
import { allRecordings, sharedMissing } from "../recordings/load";

const clock = {} as Clock;

async function count(body: object): Promise<number> {
  const request: DialRequest = {
    url: "counter:/messages/count_tokens",
    method: "POST",
    headers: {},
    credential: undefined,
    body: JSON.stringify(body),
  };
  const response = await counter.inProcess?.(request, clock, new AbortController().signal);
  return JSON.parse(new TextDecoder().decode(await response?.bytes(1024))).input_tokens;
}

test("a count holds the conversation, the tools and the images", async () => {
  const ask = { model: "m", messages: [{ role: "user", content: "Four bytes are a token" }] };
  const plain = await count(ask);
  expect(plain).toBe(10);
  expect(await count({ ...ask, system: "Be brief." })).toBeGreaterThan(plain);
  expect(await count({ ...ask, tools: [{ name: "add", description: "Adds", input_schema: { type: "object" } }] })).toBeGreaterThan(
    plain + 16,
  );
  const image = { type: "image", source: { type: "url", url: "https://img.example/a.png" } };
  expect(await count({ ...ask, messages: [{ role: "user", content: [image] }] })).toBeGreaterThan(1000);
});

test.skipIf(sharedMissing)("a count is near what the providers count themselves", async () => {
  for (const { request, body } of allRecordings("anthropic", "anthropic-count-tokens").filter(
    ({ status, id }) => status === 200 && !id.startsWith("own/"),
  )) {
    const told = JSON.parse(new TextDecoder().decode(body)).input_tokens;
    expect(Math.abs((await count(request as object)) - told)).toBeLessThan(told);
  }
});
