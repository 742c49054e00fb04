import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readyLine } from "./ready-line";

const folder = mkdtempSync(join(tmpdir(), "tollway-upstream-"));
const map = join(folder, "map.json");
writeFileSync(map, JSON.stringify({ "gpt-map": { body: "mapped" } }));
const server = Bun.spawn([process.execPath, join(import.meta.dir, "serve.ts"), "--port", "0", "--map", map], {
  stdout: "pipe",
  stderr: "inherit",
});
let url = "";

const requestsSchema = z.object({
  requests: z.array(z.object({ order: z.number(), path: z.string(), body: z.string(), model: z.string().optional() })),
  problems: z.array(z.string()),
});

const control = (method: string, word: string, body?: unknown): Promise<Response> =>
  fetch(`${url}/__control/${word}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
const ask = (model: string): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model }) });

beforeAll(async () => {
  url = await readyLine(server.stdout);
});
beforeEach(async () => {
  expect((await control("POST", "forget")).status).toBe(200);
});
afterAll(async () => {
  server.kill();
  await server.exited;
  rmSync(folder, { recursive: true });
});

test("the process answers from its map, which can be replaced", async () => {
  expect(await (await ask("gpt-map")).text()).toBe("mapped");
  await control("PUT", "models", { "gpt-map": { body: "mapped" }, "gpt-new": { whole: { body: "whole" }, stream: { body: "stream" } } });
  expect(await (await ask("gpt-new")).text()).toBe("whole");
});

test("a queued script is played once and the requests are listed", async () => {
  await control("POST", "play", { answer: { status: 429, headers: { "retry-after": "2" }, body: "{}" } });
  const first = await ask("gpt-map");
  expect([first.status, first.headers.get("retry-after")]).toEqual([429, "2"]);
  expect((await ask("gpt-map")).status).toBe(200);
  const { requests, problems } = requestsSchema.parse(await (await control("GET", "requests")).json());
  expect(requests.map(({ order, path, model }) => [order, path, model])).toEqual([
    [1, "/v1/chat/completions", "gpt-map"],
    [2, "/v1/chat/completions", "gpt-map"],
  ]);
  expect(problems).toEqual([]);
});

test("a gate holds an answer until it is opened by name", async () => {
  await control("POST", "play", { answer: { body: "late", beforeHeaders: { gate: "g" } } });
  const answer = ask("gpt-map");
  expect((await control("GET", "request/1")).status).toBe(200);
  await control("POST", "gates/g");
  expect(await (await answer).text()).toBe("late");
});

test("a client that leaves is told", async () => {
  await control("POST", "play", { answer: { beforeHeaders: "never" } });
  const leave = new AbortController();
  const answer = fetch(`${url}/v1/x`, { method: "POST", signal: leave.signal }).catch((error: Error) => error.name);
  await control("GET", "request/1");
  leave.abort();
  expect(await answer).toBe("AbortError");
  const ended = z.object({ ended: z.string(), goneAt: z.number() }).parse(await (await control("GET", "ended/1")).json());
  expect(ended.ended).toBe("gone");
});

test("what it does not understand is refused, by name", async () => {
  const wrong = await control("POST", "play", { answer: { boddy: "x" } });
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toContain("boddy");
  const unplayable = await control("POST", "play", { answer: { body: "abc", end: { kind: "cut", afterBytes: 9 } } });
  expect([unplayable.status, await unplayable.text()]).toEqual([400, expect.stringContaining("byte 9 of a body of 3 bytes")]);
  expect((await control("GET", "nothing")).status).toBe(404);
});
