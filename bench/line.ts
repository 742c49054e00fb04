// `bun bench/line.ts [memory]`: what each step of the line costs, without sockets: a provider that answers at once, the real store
// (or memory). Says where to look; the figures that are claimed come from run.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TOLLWAY } from "../src/core/brand";
import type { DialResponse, Ports } from "../src/core/ports";
import { Secret } from "../src/core/secret";
import { accept, arrive } from "../src/gateway/accept";
import { admit } from "../src/gateway/admit";
import { answer } from "../src/gateway/answer";
import { authenticate } from "../src/gateway/authenticate";
import { call } from "../src/gateway/call";
import { CHAT_DOOR } from "../src/gateway/door";
import { govern } from "../src/gateway/govern";
import { lineMemory } from "../src/gateway/live-calls";
import { plan } from "../src/gateway/plan";
import { receive } from "../src/gateway/receive";
import { openNotify } from "../src/net/notify";
import { idsFrom, systemClock, systemRandom } from "../src/net/system";
import { BudgetBook } from "../src/policy/budget-book";
import { ItemMemory } from "../src/policy/item-memory";
import { RetryBudget } from "../src/policy/retry";
import { openMemoryStore } from "../src/store/memory";
import { openStore } from "../src/store/open";
import { openPrices } from "../src/store/prices";
import { storePorts } from "../src/store/store";
import { openVault } from "../src/store/vault";
import { answerBody, requestBody } from "./payload";

const WARM_CALLS = 15_000;
const CALLS = 20_000;
const MINUTE = 60_000;

const folder = mkdtempSync(join(tmpdir(), "tollway-line-"));
const log = { write: () => undefined };
const shared = {
  clock: systemClock,
  random: systemRandom,
  log,
  pepper: new Secret("pepper-of-the-benchmark-0123456789"),
  keyPrefix: "tw",
  reservations: new BudgetBook(),
};
const store =
  process.argv[2] === "memory"
    ? await openMemoryStore(shared)
    : await openStore({
        ...shared,
        url: `file:${join(folder, "line.db")}`,
        migrationsFolder: join(import.meta.dir, "../drizzle"),
        durability: "normal",
      });
const bytes = new TextEncoder().encode(answerBody());
const headers = new Map([
  ["content-type", "application/json"],
  ["content-length", String(bytes.length)],
]);
const provided: DialResponse = { status: 200, headers, body: undefined, bytes: async () => bytes };
const deadlines = { bodyMs: MINUTE, firstChunkMs: MINUTE, answerMs: MINUTE, idleGapMs: MINUTE, writeStallMs: MINUTE, drainMs: MINUTE };
const ports: Ports = {
  stopping: new AbortController().signal,
  settings: { brand: TOLLWAY, limits: { maxBodyBytes: 1 << 26, maxAnswerBytes: 1 << 26, maxTargets: 4 }, deadlines },
  connections: {
    connected: () => [{ provider: "openai", baseUrl: "http://upstream.invalid/v1", credential: new Secret("sk-bench") }],
    address: () => undefined,
  },
  clock: systemClock,
  random: systemRandom,
  ids: idsFrom(systemClock),
  dial: { send: async () => provided },
  retries: new RetryBudget(),
  items: new ItemMemory(systemClock),
  ...lineMemory(),
  ...storePorts(store, openPrices()),
  vault: openVault({ current: systemRandom.bytes(32), random: systemRandom }),
  notify: openNotify({ allowPrivate: false, clock: systemClock }),
  events: { emit: () => undefined, sendTo: () => Promise.reject(new Error("No courier")), again: async () => undefined },
  log,
};
const { plain } = await store.keys.create({ organizationId: "default", name: "bench", mode: "live" });
const body = requestBody("json");
const times = new Map<string, number>();

async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  times.set(name, (times.get(name) ?? 0) + performance.now() - start);
  return result;
}

async function oneCall(): Promise<void> {
  const request = new Request("http://localhost/v1/chat/completions", {
    method: "POST",
    headers: { authorization: `Bearer ${plain.reveal()}`, "content-length": String(body.length) },
    body,
  });
  const arrived = await timed("arrive", () => arrive(CHAT_DOOR, ports));
  const accepted = await timed("accept", () => accept(arrived, request, CHAT_DOOR, ports));
  const authenticated = await timed("authenticate", () => authenticate(accepted, ports));
  const received = await timed("receive", () => receive(authenticated, request, ports));
  const governed = await timed("govern", () => govern(received, CHAT_DOOR, ports));
  const planned = await timed("plan", () => plan(governed, CHAT_DOOR, ports));
  const admitted = await timed("admit", () => admit(planned, CHAT_DOOR, ports, request.signal));
  const called = await timed("call", () => call(admitted, CHAT_DOOR, ports, request.signal));
  await timed("answer", () => answer(called, CHAT_DOOR, ports));
}

for (let n = 0; n < WARM_CALLS; n++) await oneCall();
times.clear();
const cpuBefore = process.cpuUsage();
const start = performance.now();
for (let n = 0; n < CALLS; n++) await oneCall();
const cpu = process.cpuUsage(cpuBefore);
console.log(
  `a call: ${(((performance.now() - start) * 1000) / CALLS).toFixed(1)} µs, ${((cpu.user + cpu.system) / CALLS).toFixed(1)} µs CPU`,
);
for (const [name, ms] of times) console.log(`  ${name.padEnd(14)} ${((ms * 1000) / CALLS).toFixed(1)} µs`);
await store.close();
rmSync(folder, { recursive: true, force: true });
