// Hard budgets over real sockets: what is let through, what is refused, and that nothing is ever above a limit.
import { afterEach, describe, expect, test } from "bun:test";
import type { BudgetState } from "../../src/core/budget";
import type { Ports } from "../../src/core/ports";
import { rawConnect, rawPost } from "../upstream/raw-client";
import { DIME, type ErrorBody, type Governed, MODEL, startGoverned, streamOf, UNLIMITED_TOKENS, usd, wholeOf } from "./governed";

let running: Governed | undefined;
afterEach(async () => {
  expect(running?.upstream.problems ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

/** Ports that look at the budgets at every hold and settlement: the most that each has come to. */
function watching(most: Map<string, bigint>): (ports: Ports) => Ports {
  return (ports) => {
    const look = (states: readonly BudgetState[]): void => {
      for (const { budget, spent, reserved } of states) {
        const sum = spent + reserved;
        if (sum > (most.get(budget.id) ?? 0n)) most.set(budget.id, sum);
      }
    };
    return {
      ...ports,
      holds: {
        open(attempt) {
          const opening = ports.holds.open(attempt);
          look(ports.budgets.states(attempt, attempt.mode));
          return opening;
        },
        openCount: () => ports.holds.openCount(),
      },
      ledger: {
        settle(attempt, outcome) {
          const settling = ports.ledger.settle(attempt, outcome);
          look(ports.budgets.states(attempt, attempt.mode));
          return settling;
        },
        drain: () => ports.ledger.drain(),
      },
    };
  };
}

interface DoorCase {
  path: string;
  ask: object;
}
const DOORS: Readonly<Record<string, DoorCase>> = {
  chat: { path: "/v1/chat/completions", ask: DIME },
  responses: { path: "/v1/responses", ask: { model: MODEL, max_output_tokens: 1_000, input: "Hello" } },
  messages: { path: "/v1/messages", ask: DIME },
};
const CALLS = 1_000;

describe("1,000 calls of $0.10 at once against $5 on key, project and organization", () => {
  test.each([
    ["chat", false],
    ["chat", true],
    ["responses", false],
    ["responses", true],
    ["messages", false],
    ["messages", true],
  ])("at the door of %s (streamed: %p): 50 are let through, 950 are 402, $5 is spent, nothing is left held", async (door, stream) => {
    const { path, ask } = DOORS[door] as DoorCase;
    const most = new Map<string, bigint>();
    const first = { afterBytes: 0, until: { gate: "all were answered" } } as const;
    running = await startGoverned({ adapt: watching(most), script: (_, usual) => ({ ...usual, pauses: [first] }) });
    const { house, upstream } = running;
    await house.ports.directory.put("project", { id: "proj_1", organizationId: "default", createdAt: 0, name: "p" });
    const { key, plain } = await running.key({ projectId: "proj_1" });
    const budgets = [
      await running.budget({ kind: "key", id: key.id }, "5"),
      await running.budget({ kind: "project", id: "proj_1" }, "5"),
      await running.budget({ kind: "organization", id: "default" }, "5"),
    ];
    let refused = 0;
    const port = Number(new URL(house.url).port);
    const statuses = await Promise.all(
      Array.from({ length: CALLS }, async () => {
        const caller = await rawConnect(port);
        caller.send(rawPost(path, { ...ask, stream }, { host: "gateway", authorization: `Bearer ${plain}` }));
        const head = await caller.until(/\r\n\r\n/);
        const status = head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length);
        // Those that are let through wait at the provider until all others have been told.
        if (status === "402" && ++refused === CALLS - 50) upstream.openGate("all were answered");
        if (status === "200")
          await caller.until(stream ? (door === "chat" ? /\[DONE\]/ : /(message_stop|response\.completed)"/) : /"cost"/);
        caller.close();
        return status;
      }),
    );
    await house.settled();
    expect(statuses.filter((status) => status === "200")).toHaveLength(50);
    expect(statuses.filter((status) => status === "402")).toHaveLength(950);
    expect(upstream.requests).toHaveLength(50);
    for (const id of budgets) {
      expect(house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("5"), reserved: usd("0") });
      expect(most.get(id)).toBe(usd("5"));
    }
    expect(house.ports.counters.read("organization:default", "live")).toEqual({ spent: usd("5"), reserved: usd("0") });
  });
});

describe("a refusal for money", () => {
  test("names the scope, its limit, what is spent and held, and when it begins anew; nothing is asked of the provider", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    const { key, plain } = await running.key();
    const id = await running.budget({ kind: "key", id: key.id }, "0.15", { window: { unit: "month", rolling: false, zone: "UTC" } });
    expect((await house.chat(plain, DIME)).status).toBe(200);
    await house.settled();
    const response = await house.chat(plain, DIME);
    const { error } = (await response.json()) as ErrorBody;
    expect(response.status).toBe(402);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(response.headers.get("retry-after")).toBeNull();
    expect(error).toMatchObject({ type: "insufficient_quota", code: "budget_exceeded", param: null });
    const { resets_at: resetsAt, ...facts } = error.tollway;
    expect(facts).toMatchObject({
      scope: `key:${key.id}`,
      budget_id: id,
      limit_usd: 0.15,
      spent_usd: 0.1,
      reserved_usd: 0,
      needed_usd: 0.1,
      source: "gateway",
    });
    expect(new Date(String(resetsAt)).getUTCDate()).toBe(1);
    for (const words of [`key:${key.id}`, "$0.15", "$0.1 spent", "$0 reserved", String(resetsAt)]) expect(error.message).toContain(words);
    expect(upstream.requests).toHaveLength(1);
    const { data } = (await (await house.get(plain, "/v1/account/audit")).json()) as { data: { status: string; error: string }[] };
    expect(data[0]).toMatchObject({ status: "refused", error: "budget_exceeded" });
  });

  test("is an Anthropic error at the Messages door", async () => {
    running = await startGoverned();
    const { key, plain } = await running.key();
    await running.budget({ kind: "key", id: key.id }, "0.05");
    const response = await fetch(`${running.house.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": plain, "content-type": "application/json" },
      body: JSON.stringify(DIME),
    });
    expect(response.status).toBe(402);
    expect((await response.json()) as object).toMatchObject({
      type: "error",
      error: { message: expect.stringContaining(`key:${key.id}`) },
    });
  });

  test("a budget that is raised, in the middle of all, lets the next call through; one that is lowered refuses it", async () => {
    running = await startGoverned();
    const { house } = running;
    const { key, plain } = await running.key();
    const id = await running.budget({ kind: "key", id: key.id }, "0.05");
    const budget = house.ports.directory.get("budget", id);
    if (!budget) throw new Error("It was just made");
    expect((await house.chat(plain, DIME)).status).toBe(402);
    await house.ports.budgets.put({ ...budget, limit: usd("1") });
    expect((await house.chat(plain, DIME)).status).toBe(200);
    await house.settled();
    await house.ports.budgets.put({ ...budget, limit: usd("0.1") });
    expect((await house.chat(plain, DIME)).status).toBe(402);
  });

  test("test keys spend on counters of their own", async () => {
    running = await startGoverned();
    const { house } = running;
    const id = await running.budget({ kind: "organization", id: "default" }, "5");
    const { plain } = await running.key({}, "test");
    const ask = { model: "gpt-4o-mini", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] };
    expect((await house.chat(plain, ask)).status).toBe(200);
    await house.settled();
    expect(house.ports.budgets.state(id, "live")).toMatchObject({ spent: 0n, reserved: 0n });
    expect((house.ports.budgets.state(id, "test")?.spent ?? 0n) > 0n).toBe(true);
  });
});

describe("an output limit, where the caller gave none and a hard budget counts the call,", () => {
  const ASK = { model: MODEL, messages: [{ role: "user", content: "Hello" }] };

  test("is put in at every door, whole and streamed, and told", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    const { key, plain } = await running.key();
    await running.budget({ kind: "key", id: key.id }, "100");
    const asks: [string, object][] = [
      ["/v1/chat/completions", ASK],
      ["/v1/responses", { model: MODEL, input: "Hello" }],
    ];
    for (const [path, ask] of asks) {
      for (const stream of [false, true]) {
        upstream.forget();
        const response = await fetch(house.url + path, {
          method: "POST",
          headers: { authorization: `Bearer ${plain}`, "content-type": "application/json" },
          body: JSON.stringify({ ...ask, stream }),
        });
        expect(response.status).toBe(200);
        await response.text();
        expect(response.headers.get("x-tollway-max-tokens")).toBe("4096");
        expect(upstream.requests[0]?.json()).toMatchObject({ max_tokens: 4_096 });
      }
    }
  });

  test("is what the budget can still bear, if that is less", async () => {
    running = await startGoverned({ script: (request) => wholeOf(request.model ?? "", 7) });
    const { house, upstream } = running;
    const { key, plain } = await running.key();
    await running.budget({ kind: "key", id: key.id }, "0.0123");
    const response = await house.chat(plain, ASK);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-max-tokens")).toBe("123");
    expect(upstream.requests[0]?.json()).toMatchObject({ max_tokens: 123 });
  });

  test("follows the lengths of the model's answers", async () => {
    running = await startGoverned({ script: (request) => wholeOf(request.model ?? "", UNLIMITED_TOKENS) });
    const { house } = running;
    const { key, plain } = await running.key();
    await running.budget({ kind: "key", id: key.id }, "1000");
    for (let n = 0; n < 30; n++) await (await house.chat(plain, ASK)).text();
    // Thirty say nothing of one in a thousand.
    expect((await house.chat(plain, ASK)).headers.get("x-tollway-max-tokens")).toBe("4096");
    for (let n = 0; n < 1_000; n++) house.ports.lengths.saw("byo:acme", "round", UNLIMITED_TOKENS, false);
    expect((await house.chat(plain, ASK)).headers.get("x-tollway-max-tokens")).toBe("1024");
    for (let n = 0; n < 30; n++) house.ports.lengths.saw("byo:acme", "round", 3_000, false);
    const limit = Number((await house.chat(plain, ASK)).headers.get("x-tollway-max-tokens"));
    expect(limit).toBeGreaterThanOrEqual(4_500);
    expect(limit).toBeLessThanOrEqual(5_000);
  });

  test("is not put in without a budget, and one that was given is never changed", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    const free = await running.key();
    const { key, plain } = await running.key();
    await running.budget({ kind: "key", id: key.id }, "0.05");
    const response = await house.chat(free.plain, ASK);
    expect(response.headers.get("x-tollway-max-tokens")).toBeNull();
    expect(upstream.requests[0]?.json()).not.toHaveProperty("max_tokens");
    expect((await house.chat(plain, { ...ASK, max_tokens: 501 })).status).toBe(402);
    expect((await house.chat(plain, { ...ASK, max_tokens: 500 })).status).toBe(200);
    expect(upstream.requests.at(-1)?.json()).toMatchObject({ max_tokens: 500 });
  });
});

describe("a call that a hard budget counts and that has no bound", () => {
  test("is refused by the field: an unpriced model, a hosted tool without a cap", async () => {
    running = await startGoverned({ names: ["byo:acme", "openai"] });
    const { house, upstream } = running;
    const { key, plain } = await running.key();
    await running.budget({ kind: "key", id: key.id }, "100");
    const messages = [{ role: "user", content: "Hello" }];
    const unpriced = await house.chat(plain, { model: "gpt-nobody-knows", max_tokens: 10, messages });
    expect(unpriced.status).toBe(400);
    expect(((await unpriced.json()) as ErrorBody).error).toMatchObject({ code: "model_not_priced", param: "model" });
    const searching = await house.chat(plain, { ...DIME, model: "gpt-4o-search-preview", web_search_options: {} });
    expect(searching.status).toBe(400);
    expect(((await searching.json()) as ErrorBody).error).toMatchObject({ code: "unbounded_request", param: "web_search_options" });
    expect(upstream.requests).toEqual([]);
    const free = await running.key();
    expect((await house.chat(free.plain, { model: "gpt-nobody-knows", max_tokens: 10, messages })).status).toBe(200);
  });

  test("a model that costs nothing needs no limit", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    await house.close();
    const endpoints = [{ provider: "byo:acme", baseUrl: `${upstream.url}/v1`, credential: undefined, price: { input: "0", output: "0" } }];
    const free = await startGoverned({ endpoints });
    const { key, plain } = await free.key();
    await free.budget({ kind: "key", id: key.id }, "0.000000001");
    const response = await free.house.chat(plain, { model: MODEL, messages: [{ role: "user", content: "Hello" }] });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-max-tokens")).toBeNull();
    await free.close();
  });
});

describe("when a target fails, the next attempt holds anew", () => {
  test("what the first held is free by then, and a stream that never ends is held in full", async () => {
    let asked = 0;
    running = await startGoverned({
      script: (request, usual) =>
        ++asked === 1
          ? { status: 500, headers: { "content-type": "application/json" }, body: "{}" }
          : request.stream
            ? streamOf("m", 1_000)
            : usual,
    });
    const { house } = running;
    const { key, plain } = await running.key();
    const id = await running.budget({ kind: "key", id: key.id }, "0.1");
    for (let n = 0; n < 10; n++) house.ports.retries.deposit("byo:acme/round");
    const response = await house.chat(plain, { ...DIME, stream: true });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-attempts")).toBe("2");
    await response.text();
    await house.settled();
    expect(house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("0.1"), reserved: 0n });
  });
});
