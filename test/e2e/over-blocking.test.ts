// A hard budget does not refuse what it could pay for: the bar on recorded lengths, and how a call waits for money that others hold.
import { afterEach, describe, expect, test } from "bun:test";
import { Failure } from "../../src/core/failure";
import { ManualClock, turn } from "../contract/manual-clock";
import { sharedMissing } from "../recordings/load";
import { type ErrorBody, type Governed, MODEL, startGoverned, usd, wholeOf } from "./governed";
import { measureOverBlocking } from "./over-blocking";
import { mixes } from "./over-blocking-mixes";

/** 200 tokens a second. */
const TOKEN_MS = 5;
const CALLS = 10_000;
const SEED = 7;

describe.skipIf(sharedMissing)("10,000 calls without a limit, 32 at once, caps of 200 mean calls, until 95 % is spent:", () => {
  const all = sharedMissing ? [] : mixes("short", TOKEN_MS);
  test.each(all.map((mix) => [mix.name, mix] as const))(
    "%s: under 1 % of the affordable are refused, at most 0.5 % are cut, no cap is passed",
    async (_, mix) => {
      const found = await measureOverBlocking(mix, CALLS, SEED);
      expect(found.answered).toBeGreaterThan(CALLS * 0.95);
      expect(found.refusedAffordable / (found.answered + found.refusedAffordable)).toBeLessThan(0.01);
      expect(found.cut / found.answered).toBeLessThanOrEqual(0.005);
      expect(found.highest).toBeLessThanOrEqual(1);
    },
    120_000,
  );
});

let running: Governed | undefined;
afterEach(async () => {
  expect(running?.upstream.problems ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

const ASK = { model: MODEL, messages: [{ role: "user", content: "Hello" }] };

interface Waited {
  governed: Governed;
  /** Of the key that waits, and the call of the other. */
  plain: string;
  keyId: string;
  held: Promise<Response>;
  budget: string;
  /** Calls that have come to wait. */
  joined: () => number;
}

/** A call of another key holds $0.4096 of the organization's $0.50, until the gate "first" opens; then it costs $0.02. */
async function heldByAnother(clock?: ManualClock): Promise<Waited> {
  let asked = 0;
  let joined = 0;
  running = await startGoverned({
    clock,
    // Longer than any wait: the call that holds the money must not be given up and asked again meanwhile.
    settings: { deadlines: { firstChunkMs: 600_000, answerMs: 600_000 } },
    script: () => (++asked === 1 ? { ...wholeOf("m", 200), beforeHeaders: { gate: "first" } } : undefined),
    adapt: (ports) => ({
      ...ports,
      waiting: {
        join(call) {
          joined++;
          return ports.waiting.join(call);
        },
        blocked: (line, now) => ports.waiting.blocked(line, now),
        freed: (organizationId, now) => ports.waiting.freed(organizationId, now),
      },
    }),
  });
  const { house, upstream } = running;
  const budget = await running.budget({ kind: "organization", id: "default" }, "0.5");
  const other = await running.key();
  const { key, plain } = await running.key();
  const held = house.chat(other.plain, ASK);
  await upstream.request(1);
  expect(house.ports.budgets.state(budget, "live")).toMatchObject({ reserved: usd("0.4096") });
  return { governed: running, plain, keyId: key.id, held, budget, joined: () => joined };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await turn();
}

describe("a call without a limit whose answer would be cut short because others hold so much", () => {
  test("waits until they are answered, and then gets all it needs", async () => {
    const { governed, plain, held, joined } = await heldByAnother();
    const { house, upstream } = governed;
    const waiting = house.chat(plain, ASK);
    await until(() => joined() === 1);
    expect(upstream.requests).toHaveLength(1);
    upstream.openGate("first");
    expect((await held).status).toBe(200);
    const response = await waiting;
    expect([response.status, response.headers.get("x-tollway-max-tokens")]).toEqual([200, "4096"]);
    await house.settled();
    expect(house.ports.counters.read("organization:default", "live")).toEqual({ spent: usd("0.4296"), reserved: usd("0") });
  });

  test("does not wait where it brought a limit of its own, or where what is spent is in its way", async () => {
    const { governed, plain, held, joined } = await heldByAnother();
    const { house, upstream } = governed;
    expect((await house.chat(plain, { ...ASK, max_tokens: 1_000 })).status).toBe(402);
    expect((await house.chat(plain, { ...ASK, max_tokens: 100 })).status).toBe(200);
    const empty = await governed.key();
    await governed.budget({ kind: "key", id: empty.key.id }, "0.0001");
    expect((await house.chat(empty.plain, ASK)).status).toBe(402);
    expect(joined()).toBe(0);
    upstream.openGate("first");
    await held;
  });

  test("is refused when its key is revoked meanwhile", async () => {
    const { governed, plain, keyId, held, joined } = await heldByAnother();
    const { house, upstream } = governed;
    const waiting = house.chat(plain, ASK);
    await until(() => joined() === 1);
    await house.ports.keys.revoke("default", keyId);
    upstream.openGate("first");
    await held;
    const response = await waiting;
    expect(response.status).toBe(403);
    expect(((await response.json()) as ErrorBody).error.code).toBe("key_disabled");
    expect(upstream.requests).toHaveLength(1);
  });

  test("is forgotten when its caller leaves, and ended with the run that is cancelled", async () => {
    const { governed, plain, held, joined } = await heldByAnother();
    const { house, upstream } = governed;
    const leaving = new AbortController();
    const left = house.chat(plain, ASK, { signal: leaving.signal }).catch((error: Error) => error.name);
    const ended = house.chat(plain, ASK, { headers: { "x-tollway-run": "nightly" } });
    await until(() => joined() === 2);
    leaving.abort();
    expect(await left).toBe("AbortError");
    await until(() => house.log.lines.some(({ event, facts }) => event === "refused" && facts["error"] === "upstream_error"));
    house.ports.live.cut(({ run }) => run === "nightly", new Failure("account_inactive", "The run was cancelled."));
    expect((await ended).status).toBe(403);
    upstream.openGate("first");
    await held;
    await house.settled();
    expect(upstream.requests).toHaveLength(1);
  });

  test("goes on as soon as the limit is raised, and makes do with what is there after a minute", async () => {
    const clock = new ManualClock();
    const { governed, plain, held, budget, joined } = await heldByAnother(clock);
    const { house, upstream } = governed;
    const raised = house.chat(plain, ASK);
    await until(() => joined() === 1);
    const before = house.ports.directory.get("budget", budget);
    if (!before) throw new Error("It was just made");
    await house.ports.budgets.put({ ...before, limit: usd("0.9") });
    await clock.advance(1_000);
    expect((await raised).headers.get("x-tollway-max-tokens")).toBe("4096");
    await until(() => house.ports.holds.openCount() === 1);
    // $0.4096 is spent now and as much is held: $0.0808 are left, and $0.4904 if nothing were held.
    const patient = house.chat(plain, ASK);
    await until(() => joined() === 2);
    await clock.advance(59_000);
    expect(upstream.requests).toHaveLength(2);
    await clock.advance(2_000);
    expect((await patient).headers.get("x-tollway-max-tokens")).toBe("808");
    upstream.openGate("first");
    await held;
  });
});
