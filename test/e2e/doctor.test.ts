// The doctor over its route: sound where all is well, calls going on or not, and pointing at what was broken. And bills against the ledger.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { DoctorDocument } from "../../src/admin/doctor";
import type { InvoiceDocument } from "../../src/admin/invoice";
import { addUsd, nanoUsd, usdText, ZERO_USD } from "../../src/core/money";
import { type MemoryData, memoryData } from "../../src/store/memory";
import { ManualClock } from "../contract/manual-clock";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { ADMIN_KEY, type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER } from "./own-answers";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Hello!" }] };
const DAY_MS = 86_400_000;

let upstream: Upstream;
let data: MemoryData;
let clock: ManualClock;
let house: RunningHouse;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  upstream.forget();
  upstream.play(CHAT_ANSWER, { times: "always" });
  data = memoryData();
  clock = new ManualClock();
  house = await startHouse({ upstream: upstream.url, connect: ["openai"], store: { kind: "memory", data }, clock });
});
afterEach(() => house.close());

async function admin<T>(method: string, path: string, body?: object, at = house): Promise<T> {
  const response = await fetch(`${at.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

const examine = (at = house): Promise<DoctorDocument> => admin<DoctorDocument>("GET", "/doctor", undefined, at);

async function faultsOf(at = house): Promise<Record<string, string[]>> {
  const { ok, checks } = await examine(at);
  const faults = checks.filter(({ status }) => status === "fault");
  expect(ok).toBe(faults.length === 0);
  return Object.fromEntries(faults.map(({ name, faults }) => [name, faults]));
}

async function call(key: string, times = 1, model = ASK.model): Promise<void> {
  for (let n = 0; n < times; n++) await (await house.chat(key, { ...ASK, model })).text();
  await house.settled();
}

describe("the doctor", () => {
  test("finds nothing after calls, refusals, budgets, balances and credentials", async () => {
    const key = await house.key();
    const trial = await house.key("test");
    await admin("POST", "/budgets", { scope: "organization", limit_usd: "5", window: "month" });
    await admin("POST", "/credentials", { provider: "openai", secret: "sk-own-00000000aaaa" });
    await call(key, 3);
    await call(trial, 2);
    await call(key, 1, "no-such-model");
    const report = await examine();
    expect(report).toMatchObject({ object: "doctor", ok: true, version: "test" });
    expect(report.checks.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      "config: ok",
      "database: skipped",
      "pepper: ok",
      "master key: ok",
      "clock: ok",
      "providers: ok",
      "ledger = counters: ok",
      "holds = reserved: ok",
      "one row per attempt: ok",
      "rollups = ledger: ok",
    ]);
    const says = Object.fromEntries(report.checks.map((check) => [check.name, check.says]));
    expect(says["master key"]).toBe(`Secrets that each master key seals: ${house.ports.vault.keyId} (current): 1.`);
    expect(says["ledger = counters"]).toStartWith("5 rows summed for ");
  });

  test("finds nothing while calls are under way", async () => {
    const key = await house.key();
    const calls = Array.from({ length: 40 }, () => house.chat(key, ASK).then((response) => response.text()));
    for (let n = 0; n < 5; n++) expect(await faultsOf()).toEqual({});
    await Promise.all(calls);
    expect(await faultsOf()).toEqual({});
  });

  test("says by how much the ledger and the counters differ, and for whom", async () => {
    const key = await house.key();
    await call(key, 2);
    const lost = data.ledger.pop();
    const faults = await faultsOf();
    const whole = usdText(addUsd(lost?.cost ?? ZERO_USD, data.ledger[0]?.cost ?? ZERO_USD));
    const half = usdText(data.ledger[0]?.cost ?? ZERO_USD);
    expect(faults["ledger = counters"]).toEqual([
      `organization:default (live): counted as spent ${whole} USD, the ledger sums to ${half} USD`,
      `key:${lost?.keyId} (live): counted as spent ${whole} USD, the ledger sums to ${half} USD`,
    ]);
  });

  test("names the secret that does not open, the key that it needs, and the provider that is nowhere", async () => {
    await admin("POST", "/credentials", { provider: "openai", secret: "sk-own-00000000aaaa" });
    await admin("POST", "/credentials", { provider: "byo:gpu", secret: "sk-own-00000000bbbb", base_url: "https://gpu.example.com/v1" });
    const [one, two] = house.ports.directory.list("credential", "default");
    if (!one || !two) throw new Error("They are not there");
    await house.ports.directory.put("credential", { ...one, sealed: two.sealed });
    await house.ports.directory.put("credential", { ...two, masterKeyId: "mk_0000000000000000", baseUrl: undefined });
    expect(await faultsOf()).toEqual({
      "master key": [
        `Column sealed of credential ${one.id} is not what was sealed there. Rotate it to mend it.`,
        `Column sealed of credential ${two.id} is sealed by the master key mk_0000000000000000. That key is not here.`,
      ],
      providers: [`Credential ${two.id} is for byo:gpu, which has no address here.`],
    });
  });

  test("says that the clock went back", async () => {
    await call(await house.key());
    await house.close();
    data.owner = undefined;
    house = await startHouse({ store: { kind: "memory", data }, clock: new ManualClock(clock.now() - 2 * DAY_MS) });
    expect((await faultsOf())["clock"]?.[0]).toContain("which is yet to come");
  });
});

describe("a bill", () => {
  const compare = (lines: object[], more: object = {}, query = "") =>
    admin<InvoiceDocument>("POST", `/doctor/invoice${query}`, { lines, ...more });
  const today = (): string => new Date(clock.now()).toISOString().slice(0, 10);

  test("of what the ledger says matches it, by whatever date its model carries", async () => {
    await call(await house.key(), 3);
    const cost = data.ledger.reduce((sum, row) => addUsd(sum, row.cost ?? ZERO_USD), ZERO_USD);
    const found = await compare([{ day: today(), model: "GPT-4o-mini-2024-07-18", amount_usd: usdText(cost) }], { provider: "openai" });
    expect(found).toMatchObject({ ok: true, difference_usd: "0", from: today(), to: today(), provider: "openai" });
    expect(found.data).toEqual([
      { day: today(), model: "gpt-4o-mini", billed_usd: usdText(cost), ledger_usd: usdText(cost), difference_usd: "0", matches: true },
    ]);
  });

  test("of more, of a model that nobody called, and of another day differs there alone", async () => {
    await call(await house.key(), 3);
    const cost = data.ledger.reduce((sum, row) => addUsd(sum, row.cost ?? ZERO_USD), ZERO_USD);
    const yesterday = new Date(clock.now() - DAY_MS).toISOString().slice(0, 10);
    const found = await compare([
      { day: yesterday, model: "gpt-4o-mini", amount_usd: 0.5 },
      { day: today(), model: "gpt-4o-mini", amount_usd: usdText(cost) },
      { day: today(), model: "o3", amount_usd: "2.50" },
    ]);
    expect(found.ok).toBe(false);
    expect(found.difference_usd).toBe("3");
    expect(found.data.map(({ day, model, difference_usd, matches }) => [day, model, difference_usd, matches])).toEqual([
      [yesterday, "gpt-4o-mini", "0.5", false],
      [today(), "gpt-4o-mini", "0", true],
      [today(), "o3", "2.5", false],
    ]);
  });

  test("without models is held against whole days; a cent and a hundredth are no difference", async () => {
    await call(await house.key(), 2);
    const cost = data.ledger.reduce((sum, row) => addUsd(sum, row.cost ?? ZERO_USD), ZERO_USD);
    expect(await compare([{ day: today(), amount_usd: usdText(addUsd(cost, nanoUsd(9_000_000n))) }])).toMatchObject({ ok: true });
    expect(await compare([{ day: today(), amount_usd: usdText(addUsd(cost, nanoUsd(11_000_000n))) }])).toMatchObject({ ok: false });
  });

  test("leaves out test keys, other providers and other organizations", async () => {
    await call(await house.key("test"), 2);
    await call(await house.key(), 1);
    expect((await compare([{ day: today(), amount_usd: 0 }], { provider: "mistral" })).ledger_usd).toBe("0");
    const other = await admin<{ id: string }>("POST", "/organizations", { name: "other" });
    expect((await compare([{ day: today(), amount_usd: 0 }], {}, `?organization=${other.id}`)).ledger_usd).toBe("0");
    expect((await compare([{ day: today(), amount_usd: 0 }])).ledger_usd).not.toBe("0");
  });

  test.each<[string, object, string]>([
    ["no lines", { lines: [] }, "lines"],
    ["lines that are none", { lines: "x" }, "lines"],
    ["a line without a day", { lines: [{ amount_usd: 1 }] }, "lines[0].day"],
    ["a day that is none", { lines: [{ day: "2026-02-30x", amount_usd: 1 }] }, "lines[0].day"],
    ["a line without an amount", { lines: [{ day: "2026-02-01" }] }, "lines[0].amount_usd"],
    ["an amount of currency text", { lines: [{ day: "2026-02-01", amount_usd: "$1" }] }, "lines[0].amount_usd"],
    ["a field that is none", { lines: [{ day: "2026-02-01", amount_usd: 1, cost: 1 }] }, "lines[0].cost"],
  ])("is refused with %s", async (_, body, param) => {
    expect(await admin<object>("POST", "/doctor/invoice", body)).toMatchObject({ error: { param } });
  });
});
