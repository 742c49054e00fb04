import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TOLLWAY } from "../src/core/brand";
import type { Ports } from "../src/core/ports";
import { Secret } from "../src/core/secret";
import { accept, arrive } from "../src/gateway/accept";
import { admit } from "../src/gateway/admit";
import { answer } from "../src/gateway/answer";
import { authenticate } from "../src/gateway/authenticate";
import { call } from "../src/gateway/call";
import { CHAT_DOOR } from "../src/gateway/door";
import { govern } from "../src/gateway/govern";
import { plan } from "../src/gateway/plan";
import { idsFrom, systemClock, systemRandom } from "../src/net/system";
import { RetryBudget } from "../src/policy/retry";
import { openMemoryStore } from "../src/store/memory";
import { openStore } from "../src/store/open";
import { openPrices } from "../src/store/prices";

const body = JSON.stringify({
  id: "chatcmpl-own1",
  created: 1790000000,
  model: "gpt-4o-mini-2024-07-18",
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Hello there, ".repeat(40), refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: {
    prompt_tokens: 11,
    completion_tokens: 12,
    total_tokens: 23,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  },
});
const bytes = new TextEncoder().encode(body);
const log = { write: () => undefined };
const shared = {
  clock: systemClock,
  random: systemRandom,
  log,
  pepper: new Secret("pepper-of-the-tests-0123456789abcdef"),
  keyPrefix: "tw",
};
const store =
  process.argv[2] === "memory"
    ? await openMemoryStore(shared)
    : await openStore({
        ...shared,
        url: `file:${mkdtempSync(join(tmpdir(), "x"))}/t.db`,
        migrationsFolder: join(import.meta.dir, "../drizzle"),
        durability: "normal",
      });
const headers = new Map([
  ["content-type", "application/json"],
  ["content-length", String(bytes.length)],
]);
const ports: Ports = {
  stopping: new AbortController().signal,
  settings: {
    brand: TOLLWAY,
    limits: { maxBodyBytes: 1 << 26, maxAnswerBytes: 1 << 26, maxTargets: 4 },
    deadlines: { bodyMs: 1e4, firstChunkMs: 1e4, answerMs: 1e4, idleGapMs: 1e4, writeStallMs: 1e4, drainMs: 1e4 },
  },
  connections: { connected: () => [{ provider: "openai", baseUrl: "http://x/v1", credential: new Secret("sk") }] },
  clock: systemClock,
  random: systemRandom,
  ids: idsFrom(systemClock),
  dial: { send: async () => ({ status: 200, headers, body: undefined, bytes: async () => bytes }) },
  retries: new RetryBudget(),
  prices: store.priceVersions.keeping(openPrices()),
  keys: store.keys,
  holds: store.holds,
  ledger: store.ledger,
  records: store.records,
  rollups: store.rollups,
  counters: store.counters,
  log,
};
const { plain } = await store.keys.create({ organizationId: "default", name: "x", mode: "live" });
const ask = JSON.stringify({
  model: "gpt-4o-mini",
  max_tokens: 100,
  messages: [
    { role: "system", content: "You are a helpful assistant that answers in one sentence." },
    { role: "user", content: "Say something about the weather. ".repeat(12) },
  ],
});
const times = new Map<string, number>();
async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const t = performance.now();
  const r = await work();
  times.set(name, (times.get(name) ?? 0) + performance.now() - t);
  return r;
}
async function one(): Promise<void> {
  const request = new Request("http://localhost/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${plain.reveal()}`, "content-length": String(ask.length) },
    body: ask,
  });
  const arrived = await timed("arrive", () => arrive(CHAT_DOOR, ports));
  const accepted = await timed("accept", () => accept(arrived, request, ports));
  const auth = await timed("authenticate", () => authenticate(accepted, ports));
  const governed = await timed("govern", () => govern(auth, CHAT_DOOR));
  const planned = await timed("plan", () => plan(governed, CHAT_DOOR, ports));
  const admitted = await timed("admit", () => admit(planned, ports));
  const called = await timed("call", () => call(admitted, CHAT_DOOR, ports, request.signal));
  await timed("answer", () => answer(called, CHAT_DOOR, ports));
}
const N = 20000;
for (let i = 0; i < 15000; i++) await one();
times.clear();
const t0 = performance.now();
const c0 = process.cpuUsage();
for (let i = 0; i < N; i++) await one();
const c1 = process.cpuUsage(c0);
console.log("total us", (((performance.now() - t0) * 1000) / N).toFixed(1), "cpu", ((c1.user + c1.system) / N).toFixed(1));
for (const [k, v] of times) console.log(k.padEnd(14), ((v * 1000) / N).toFixed(1));
process.exit(0);
