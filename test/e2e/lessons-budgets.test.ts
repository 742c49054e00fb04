// Budgets that other gateways overshot, forgot or closed too early, each by its issue's number, and what Tollway does.
import { afterEach, describe, expect, test } from "bun:test";
import { ROUTES } from "../../src/http/routes";
import { ManualClock } from "../contract/manual-clock";
import { gate } from "../upstream/script";
import { DIME, type ErrorBody, type Governed, startGoverned, usd } from "./governed";
import { ask, chatAnswer, post, spent, until } from "./lessons";

let running: Governed | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

const open = async (options: Parameters<typeof startGoverned>[0] = {}): Promise<Governed> => {
  running = await startGoverned(options);
  return running;
};

const count = (statuses: readonly number[], status: number): number => statuses.filter((one) => one === status).length;

/** Sends them all at once, lets the provider answer when every other one is refused, and tells the statuses. */
async function atOnce(
  governed: Governed,
  passing: number,
  calls: readonly (() => Promise<Response>)[],
  answer: () => void,
): Promise<number[]> {
  const statuses: number[] = [];
  const all = calls.map(async (call) => {
    const response = await call();
    statuses.push(response.status);
    await response.text();
  });
  await until(() => count(statuses, 402) === calls.length - passing && governed.upstream.requests.length === passing);
  answer();
  await Promise.all(all);
  return statuses;
}

describe("calls at once:", () => {
  const waiting = async (): Promise<{ governed: Governed; answer: () => void }> => {
    const gated = gate();
    const governed = await open({ script: (_, usual) => ({ ...usual, beforeHeaders: gated.promise }) });
    return { governed, answer: gated.open };
  };
  const times = (number: number, call: () => Promise<Response>): (() => Promise<Response>)[] => Array.from({ length: number }, () => call);

  test("new-api #5690: fifty calls read the same balance of ten, and all fifty passed", async () => {
    const { governed, answer } = await waiting();
    const { key, plain } = await governed.key();
    const id = await governed.budget({ kind: "key", id: key.id }, "1");
    const calls = times(50, () => governed.house.chat(plain, DIME));
    const statuses = await atOnce(governed, 10, calls, answer);
    expect([count(statuses, 200), count(statuses, 402)]).toEqual([10, 40]);
    await governed.house.settled();
    expect(governed.house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("1"), reserved: usd("0") });
  });

  test("new-api #6609: who had plenty was trusted, and nothing was reserved for his calls", async () => {
    const { governed, answer } = await waiting();
    const { key, plain } = await governed.key();
    const id = await governed.budget({ kind: "key", id: key.id }, "1000");
    const calls = Array.from({ length: 30 }, async () => (await governed.house.chat(plain, DIME)).status);
    await until(() => governed.upstream.requests.length === 30);
    expect(governed.house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("0"), reserved: usd("3") });
    answer();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));
    await governed.house.settled();
    expect(governed.house.ports.budgets.state(id, "live")).toMatchObject({ spent: usd("3"), reserved: usd("0") });
  });

  test("litellm #34732: parallel turns of one session read the same sum and passed its budget together", async () => {
    const { governed, answer } = await waiting();
    const { plain } = await governed.key();
    const headers = { "x-tollway-run": "session-1", "x-tollway-run-budget-usd": "0.25" };
    const calls = times(8, () => governed.house.chat(plain, DIME, { headers }));
    const statuses = await atOnce(governed, 2, calls, answer);
    expect([count(statuses, 200), count(statuses, 402)]).toEqual([2, 6]);
    expect(await spent(governed.house)).toBe(usd("0.2"));
  });

  test("litellm #40095: the first calls of a user nobody had seen passed the user's budget together", async () => {
    const { governed, answer } = await waiting();
    const { plain } = await governed.key();
    const id = await governed.budget({ kind: "user", id: "unknown-customer-1" }, "0.1");
    const calls = times(8, () => governed.house.chat(plain, { ...DIME, user: "unknown-customer-1" }));
    const statuses = await atOnce(governed, 1, calls, answer);
    expect([count(statuses, 200), count(statuses, 402)]).toEqual([1, 7]);
    await governed.house.settled();
    expect(governed.house.ports.budgets.state(id, "live")?.spent).toBe(usd("0.1"));
  });

  test("litellm #40002: five prompts of 300,000 tokens were held at the rate of short ones: $0.60 spent on a $0.45 key", async () => {
    const gated = gate();
    const model = "gpt-5.6-luna";
    const governed = await open({
      names: ["openai"],
      // Above 272,000 tokens all of them cost twice as much: $0.12 each.
      script: () => ({
        ...chatAnswer(model, { prompt_tokens: 300_000, completion_tokens: 10, total_tokens: 300_010 }),
        beforeHeaders: gated.promise,
      }),
    });
    const { key, plain } = await governed.key();
    const id = await governed.budget({ kind: "key", id: key.id }, "0.45");
    const long = { model, max_completion_tokens: 10, messages: [{ role: "user", content: "9 ".repeat(150_000) }] };
    const state = () => governed.house.ports.budgets.state(id, "live");
    const statuses: number[] = [];
    const all = Array.from({ length: 5 }, async () => {
      const { status } = await governed.house.chat(plain, long);
      statuses.push(status);
    });
    await until(() => statuses.length + governed.upstream.requests.length === 5);
    const admitted = governed.upstream.requests.length;
    const held = state()?.reserved ?? 0n;
    expect(held).toBeLessThanOrEqual(usd("0.45"));
    // Each is held at the dearer rate, and so never above what it costs.
    expect(held / BigInt(admitted)).toBeGreaterThanOrEqual(usd("0.12"));
    gated.open();
    await Promise.all(all);
    expect(statuses.every((status) => status === 200 || status === 402)).toBe(true);
    for (let n = 0; n < 5; n++) await governed.house.chat(plain, long);
    await governed.house.settled();
    expect(state()?.spent).toBeGreaterThanOrEqual(usd("0.24"));
    expect(state()?.spent).toBeLessThanOrEqual(usd("0.45"));
  });
});

describe("a way around the budget:", () => {
  /** A call that each door takes. A door that is not here has no proof that it heeds budgets. */
  const BODIES: Readonly<Record<string, object>> = {
    "/v1/chat/completions": ask("gpt-4o", { max_tokens: 100 }),
    "/v1/responses": { model: "gpt-4o", max_output_tokens: 100, input: "Hello" },
    "/v1/messages": ask("gpt-4o", { max_tokens: 100 }),
    "/v1/messages/count_tokens": ask("gpt-4o"),
    "/v1/embeddings": { model: "text-embedding-3-small", input: "Hello" },
  };

  test("bifrost #2873: pass-through routes took a key whose budget was spent", async () => {
    const governed = await open({ names: ["openai"] });
    const { key, plain } = await governed.key();
    await governed.budget({ kind: "key", id: key.id }, "0.000000001");
    const doors = ROUTES.filter(({ access }) => access === "line");
    expect(doors.map(({ path }) => path).filter((path) => BODIES[path] === undefined)).toEqual([]);
    for (const { path } of doors) {
      const response = await post(governed.house, plain, path, BODIES[path], { headers: { "anthropic-version": "2023-06-01" } });
      // A count costs nothing and is made here; whatever costs is refused before anybody is asked.
      expect({ path, status: response.status }).toEqual({ path, status: path.endsWith("count_tokens") ? 200 : 402 });
    }
    for (const path of ["/openai/v1/chat/completions", "/anthropic/v1/messages", "/v1/images/generations", "/v1/batches"]) {
      const response = await post(governed.house, plain, path, DIME);
      expect([402, 404]).toContain(response.status);
    }
    expect(governed.upstream.connections()).toBe(0);
  });

  test("litellm #35524: where no cost could be estimated, nothing was reserved and the call passed", async () => {
    const governed = await open({ names: ["openai"] });
    const { key, plain } = await governed.key();
    await governed.budget({ kind: "key", id: key.id }, "100");
    const response = await governed.house.chat(plain, ask("gpt-of-no-catalogue"));
    expect(response.status).toBe(400);
    expect(((await response.json()) as ErrorBody).error.code).toBe("model_not_priced");
    expect(governed.upstream.connections()).toBe(0);
  });

  test("litellm #11962: a user's budget was not heeded when the key had a team", async () => {
    const governed = await open();
    const { directory } = governed.house.ports;
    await directory.put("team", { id: "team_1", organizationId: "default", name: "t", createdAt: 1 });
    await directory.put("project", { id: "proj_1", organizationId: "default", name: "p", teamId: "team_1", createdAt: 1 });
    const { plain } = await governed.key({ projectId: "proj_1" });
    await governed.budget({ kind: "team", id: "team_1" }, "100");
    await governed.budget({ kind: "user", id: "alice" }, "0.1");
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) statuses.push((await governed.house.chat(plain, { ...DIME, user: "alice" })).status);
    expect(statuses).toEqual([200, 402, 402]);
    expect((await governed.house.chat(plain, { ...DIME, user: "bob" })).status).toBe(200);
  });

  test("Helicone #4492: a call's cost was taken for nothing until its answer came, so that one call could spend it all", async () => {
    const governed = await open();
    const { key, plain } = await governed.key();
    await governed.budget({ kind: "key", id: key.id }, "0.5");
    const response = await governed.house.chat(plain, { ...DIME, max_tokens: 100_000 });
    const { error } = (await response.json()) as ErrorBody;
    expect(response.status).toBe(402);
    expect(error.tollway).toMatchObject({ scope: `key:${key.id}`, limit_usd: 0.5, spent_usd: 0, needed_usd: 10 });
    expect(governed.upstream.connections()).toBe(0);
  });
});

describe("refused for nothing:", () => {
  test("litellm #27509: a call without max_tokens held all that was left, and every other was refused at $0.144 of $2,000", async () => {
    const gated = gate();
    const governed = await open({ script: (_, usual) => ({ ...usual, beforeHeaders: gated.promise }) });
    const { key, plain } = await governed.key();
    await governed.budget({ kind: "key", id: key.id }, "25");
    const { max_tokens: _, ...unlimited } = DIME;
    const calls = Array.from({ length: 40 }, () => governed.house.chat(plain, unlimited));
    await until(() => governed.upstream.requests.length === 40);
    gated.open();
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 200));
    // What was put in for the caller is told.
    expect(Number(answers[0]?.headers.get("x-tollway-max-tokens"))).toBeGreaterThanOrEqual(1_024);
  });

  test("litellm #10973: models that cost nothing were refused when the budget was spent", async () => {
    const governed = await open({
      names: ["byo:acme", "ollama"],
      script: (request) => (request.path.startsWith("/api") ? OLLAMA : undefined),
    });
    const { key, plain } = await governed.key();
    await governed.budget({ kind: "key", id: key.id }, "0.1");
    expect((await governed.house.chat(plain, DIME)).status).toBe(200);
    expect((await governed.house.chat(plain, DIME)).status).toBe(402);
    expect((await governed.house.chat(plain, { model: "byo:ollama/llama3.1", messages: DIME.messages })).status).toBe(200);
  });

  test("litellm #22726: a key without a budget was refused for one", async () => {
    const governed = await open();
    const { key: poor, plain: poorPlain } = await governed.key();
    const { plain } = await governed.key();
    await governed.budget({ kind: "key", id: poor.id }, "0.1");
    for (let n = 0; n < 3; n++) await governed.house.chat(poorPlain, DIME);
    for (let n = 0; n < 3; n++) expect((await governed.house.chat(plain, DIME)).status).toBe(200);
  });

  const OLLAMA = {
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "llama3.1",
      created_at: "2026-11-23T00:00:00Z",
      message: { role: "assistant", content: "Hello" },
      done: true,
      done_reason: "stop",
      prompt_eval_count: 5,
      eval_count: 2,
    }),
  };
});

describe("periods:", () => {
  const DAY = 24 * 3_600_000;

  test("litellm #8364: a team's monthly budget never began anew", async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 31, 12));
    const governed = await open({ clock });
    const { directory } = governed.house.ports;
    await directory.put("team", { id: "team_1", organizationId: "default", name: "t", createdAt: 1 });
    await directory.put("project", { id: "proj_1", organizationId: "default", name: "p", teamId: "team_1", createdAt: 1 });
    const { plain } = await governed.key({ projectId: "proj_1" });
    await governed.budget({ kind: "team", id: "team_1" }, "0.1", { window: { unit: "month", rolling: false, zone: "UTC" } });
    for (const daysToTheNext of [1, 28, 31]) {
      expect((await governed.house.chat(plain, DIME)).status).toBe(200);
      expect((await governed.house.chat(plain, DIME)).status).toBe(402);
      await governed.house.settled();
      clock.jump(daysToTheNext * DAY);
    }
  });

  test("litellm #34896: windows in a zone began anew late by the zone's offset, nine hours in Tokyo", async () => {
    const clock = new ManualClock(Date.parse("2026-07-31T23:59:00+09:00"));
    const governed = await open({ clock });
    const { key, plain } = await governed.key();
    await governed.budget({ kind: "key", id: key.id }, "0.1", { window: { unit: "month", rolling: false, zone: "Asia/Tokyo" } });
    expect((await governed.house.chat(plain, DIME)).status).toBe(200);
    const refused = (await (await governed.house.chat(plain, DIME)).json()) as ErrorBody;
    expect(refused.error.tollway["resets_at"]).toBe("2026-07-31T15:00:00.000Z");
    await governed.house.settled();
    clock.jump(60_000);
    expect((await governed.house.chat(plain, DIME)).status).toBe(200);
  });

  test("litellm #34492: a key's first budget began with all that it had ever spent, and refused at once", async () => {
    const clock = new ManualClock(Date.UTC(2026, 6, 31, 12));
    const governed = await open({ clock });
    const { key, plain } = await governed.key();
    for (let n = 0; n < 5; n++) await governed.house.chat(plain, DIME);
    await governed.house.settled();
    clock.jump(DAY);
    const id = await governed.budget({ kind: "key", id: key.id }, "0.1", { window: { unit: "day", rolling: false, zone: "UTC" } });
    expect(governed.house.ports.budgets.state(id, "live")?.spent).toBe(usd("0"));
    expect((await governed.house.chat(plain, DIME)).status).toBe(200);
    expect((await governed.house.chat(plain, DIME)).status).toBe(402);
  });
});

describe("places of calls at once:", () => {
  test("litellm #20256: a provider's timeouts left the places taken, and the key locked", async () => {
    const clock = new ManualClock();
    let hanging = true;
    const governed = await open({ clock, script: (_, usual) => (hanging ? { ...usual, beforeHeaders: "never" } : undefined) });
    const { plain } = await governed.key({ concurrency: 2 });
    const calls = [governed.house.chat(plain, DIME), governed.house.chat(plain, DIME)];
    await until(() => governed.upstream.requests.length === 2);
    expect((await governed.house.chat(plain, DIME)).status).toBe(429);
    await clock.advance(20_000);
    for (const call of calls) expect((await call).status).toBe(504);
    hanging = false;
    expect((await governed.house.chat(plain, DIME)).status).toBe(200);
    expect((await governed.house.chat(plain, DIME)).status).toBe(200);
  });

  test("litellm #1477: a malformed call kept its place, and every later one was refused", async () => {
    const governed = await open();
    const { plain } = await governed.key({ concurrency: 1 });
    for (const body of [
      "{",
      { ...DIME, messages: [{ role: "user2", content: "x" }] },
      { ...DIME, model: "no-such-model" },
      { ...DIME, n: 0 },
    ]) {
      expect((await governed.house.chat(plain, body)).status).toBeGreaterThanOrEqual(400);
      expect((await governed.house.chat(plain, DIME)).status).toBe(200);
    }
  });

  test("litellm #16011: far more calls than were allowed at once reached the provider", async () => {
    const gated = gate();
    const governed = await open({ script: (_, usual) => ({ ...usual, beforeHeaders: gated.promise }) });
    const { plain } = await governed.key({ concurrency: 5 });
    const statuses: number[] = [];
    const calls = Array.from({ length: 100 }, async () => statuses.push((await governed.house.chat(plain, DIME)).status));
    await until(() => statuses.length === 95 && governed.upstream.requests.length === 5);
    gated.open();
    await Promise.all(calls);
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([5, 95]);
  });
});
