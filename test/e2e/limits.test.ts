// Rate limits over real sockets: who is refused, what is told, and that places come free on every exit.
import { afterEach, describe, expect, test } from "bun:test";
import type { Scope } from "../../src/core/budget";
import type { RateLimits } from "../../src/core/governance";
import { ManualClock } from "../contract/manual-clock";
import { DIME, type ErrorBody, type Governed, MODEL, startGoverned, wholeOf } from "./governed";

let running: Governed | undefined;
afterEach(async () => {
  expect(running?.upstream.problems ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

const limitOf = ({ house }: Governed, scope: Scope, limits: RateLimits): Promise<void> =>
  house.ports.directory.put("scope-limits", { id: `lim_${scope.kind}`, organizationId: "default", createdAt: 0, scope, ...limits });
const refused = async (response: Response): Promise<ErrorBody["error"]> => ((await response.json()) as ErrorBody).error;

describe("requests a minute", () => {
  test("of a key: the next is 429 with its delay, the scope, the kind and the limit; answers tell what is left", async () => {
    const clock = new ManualClock();
    running = await startGoverned({ clock });
    const { house, upstream } = running;
    const { key, plain } = await running.key({ requestsPerMinute: 2 });
    const first = await house.chat(plain, DIME);
    expect(first.headers.get("x-ratelimit-limit-requests")).toBe("2");
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("1");
    expect(first.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+s$/);
    expect(first.headers.get("x-ratelimit-limit-tokens")).toBeNull();
    await clock.advance(20_000);
    await house.chat(plain, DIME);
    await clock.advance(10_000);
    const third = await house.chat(plain, DIME);
    expect(third.status).toBe(429);
    const after = Number(third.headers.get("retry-after-ms"));
    expect(after).toBeGreaterThan(30_000 - 1);
    expect(after).toBeLessThanOrEqual(31_000);
    expect(third.headers.get("retry-after")).toBe(String(Math.ceil(after / 1000)));
    expect(third.headers.get("x-should-retry")).toBeNull();
    expect(third.headers.get("x-ratelimit-remaining-requests")).toBe("0");
    expect(await refused(third)).toMatchObject({
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      message: `The limit of 2 requests a minute of key:${key.id} is reached.`,
      tollway: { scope: `key:${key.id}`, kind: "requests", limit: 2 },
    });
    expect(upstream.requests).toHaveLength(2);
    await clock.advance(after);
    expect((await house.chat(plain, DIME)).status).toBe(200);
  });

  test.each<[Scope["kind"], string, Record<string, string>]>([
    ["organization", "default", {}],
    ["team", "team_1", {}],
    ["project", "proj_1", {}],
    ["user", "alice", { "x-tollway-user": "alice" }],
    ["agent", "bot", { "x-tollway-agent": "bot" }],
  ])("of a %s hold for every key in it", async (kind, id, headers) => {
    running = await startGoverned();
    const { house } = running;
    const made = { organizationId: "default", createdAt: 0 };
    await house.ports.directory.put("project", { ...made, id: "proj_1", name: "p", teamId: "team_1" });
    await limitOf(running, { kind, id }, { requestsPerMinute: 2 });
    const keys = [await running.key({ projectId: "proj_1" }), await running.key({ projectId: "proj_1" })];
    for (const { plain } of keys) expect((await house.chat(plain, DIME, { headers })).status).toBe(200);
    const late = await house.chat(keys[0]?.plain ?? "", DIME, { headers });
    expect(late.status).toBe(429);
    expect((await refused(late)).tollway).toMatchObject({ scope: `${kind}:${id}`, kind: "requests", limit: 2 });
    const test = await running.key({ projectId: "proj_1" }, "test");
    const ask = { model: "gpt-4o-mini", max_tokens: 10, messages: DIME.messages };
    expect((await house.chat(test.plain, ask, { headers })).status).toBe(200);
  });

  test("a call that was refused for money is given back", async () => {
    running = await startGoverned();
    const { house } = running;
    const { key, plain } = await running.key({ requestsPerMinute: 1, concurrency: 1 });
    const id = await running.budget({ kind: "key", id: key.id }, "0.05");
    for (let n = 0; n < 3; n++) expect((await house.chat(plain, DIME)).status).toBe(402);
    await house.ports.budgets.remove(id);
    expect((await house.chat(plain, DIME)).status).toBe(200);
    expect((await house.chat(plain, DIME)).status).toBe(429);
  });

  test("and one with a fault of the caller's is not", async () => {
    running = await startGoverned();
    const { house } = running;
    const { plain } = await running.key({ requestsPerMinute: 1 });
    expect((await house.chat(plain, { ...DIME, model: "nobody-knows-it" })).status).toBe(404);
    expect((await house.chat(plain, DIME)).status).toBe(429);
  });
});

describe("calls at once", () => {
  test("are so many and no more; each place comes free when its answer is over", async () => {
    running = await startGoverned({
      script: (request, usual) => (request.stream ? { ...usual, pauses: [{ afterBytes: 700, until: { gate: "go on" } }] } : usual),
    });
    const { house, upstream } = running;
    const { key, plain } = await running.key({ concurrency: 2 });
    const streams = [await house.chat(plain, { ...DIME, stream: true }), await house.chat(plain, { ...DIME, stream: true })];
    const third = await house.chat(plain, DIME);
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toBe("1");
    expect((await refused(third)).tollway).toMatchObject({ scope: `key:${key.id}`, kind: "concurrency", limit: 2 });
    upstream.openGate("go on");
    for (const stream of streams) expect(await stream.text()).toContain("[DONE]");
    await house.settled();
    expect((await house.chat(plain, DIME)).status).toBe(200);
    expect(house.ports.rates.running(`key:${key.id}`)).toBe(0);
  });

  test("a place comes free exactly once on every exit: errors, broken streams, callers that leave", async () => {
    let asked = 0;
    running = await startGoverned({
      script: (_, usual) => {
        switch (++asked) {
          case 1:
            return { status: 400, headers: { "content-type": "application/json" }, body: '{"error":{"message":"no"}}' };
          case 2:
            return { ...usual, end: { kind: "reset-before-headers" } };
          case 3:
            return { ...usual, end: { kind: "cut", afterBytes: 300 } };
          case 4:
            return { ...usual, pauses: [{ afterBytes: 700, until: "never" }] };
          case 5:
            return { ...usual, beforeHeaders: "never" };
          default:
            return usual;
        }
      },
    });
    const { house, upstream } = running;
    const { key, plain } = await running.key({ concurrency: 1 });
    const free = (): number => house.ports.rates.running(`key:${key.id}`);
    expect((await house.chat(plain, DIME)).status).toBe(400);
    expect(free()).toBe(0);
    expect((await house.chat(plain, DIME)).status).toBe(502);
    expect(free()).toBe(0);
    expect(await (await house.chat(plain, { ...DIME, stream: true })).text()).not.toContain("[DONE]");
    await house.settled();
    expect(free()).toBe(0);
    for (const stream of [true, false]) {
      const leaving = new AbortController();
      const call = house.chat(plain, { ...DIME, stream }, { signal: leaving.signal });
      if (stream) await (await call).body?.getReader().read();
      else await upstream.request(5);
      expect(free()).toBe(1);
      leaving.abort();
      await call.catch(() => undefined);
      while (free() > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await house.chat(plain, DIME)).status).toBe(200);
    expect(free()).toBe(0);
  });
});

describe("tokens a minute", () => {
  test("are estimated when the call comes, and corrected when it is over", async () => {
    running = await startGoverned({ script: (request) => wholeOf(request.model ?? "", 40) });
    const { house } = running;
    const { plain } = await running.key({ tokensPerMinute: 1_100 });
    const ask = { model: MODEL, max_tokens: 1_000, messages: [{ role: "user", content: "Hello" }] };
    // 10 in and 40 out each: 50 remain counted of the thousand that were expected.
    const first = await house.chat(plain, ask);
    expect(first.headers.get("x-ratelimit-limit-tokens")).toBe("1100");
    expect(Number(first.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(100);
    expect((await house.chat(plain, ask)).status).toBe(200);
    const late = await house.chat(plain, { ...ask, max_tokens: 1_090 });
    expect(late.status).toBe(429);
    expect((await refused(late)).tollway).toMatchObject({ kind: "tokens", limit: 1_100 });
    const small = await house.chat(plain, { ...ask, max_tokens: 10 });
    expect(small.status).toBe(200);
  });
});

test("a key without limits has no headers of ours", async () => {
  running = await startGoverned();
  const { plain } = await running.key();
  const response = await running.house.chat(plain, DIME);
  expect([...response.headers.keys()].filter((name) => name.startsWith("x-ratelimit"))).toEqual([]);
});
