// Agents' runs over real sockets: limits that the first call fixes, steps, what is left, and the end.
import { afterEach, describe, expect, test } from "bun:test";
import { ManualClock } from "../contract/manual-clock";
import { DIME, type ErrorBody, type Governed, MODEL, startGoverned } from "./governed";
import { ADMIN_KEY } from "./house";

let running: Governed | undefined;
afterEach(async () => {
  expect(running?.upstream.problems ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

interface RunBody {
  id: string;
  status: string;
  parent: string | null;
  limits: object;
  used: { usd: number; reserved_usd: number; steps: number };
  left: object;
  steps: { request_id: string; cost_usd: number; decision: unknown; model_served: string }[];
  ended_calls: number;
}
const limits = (more: Record<string, string> = {}) => ({ headers: { "x-tollway-run": "nightly", ...more } });
const runOf = async ({ house }: Governed, plain: string, name = "nightly"): Promise<RunBody> =>
  (await (await house.get(plain, `/v1/runs/${name}`)).json()) as RunBody;
const cancel = ({ house }: Governed, plain: string, name = "nightly"): Promise<Response> =>
  fetch(`${house.url}/v1/runs/${name}/cancel`, { method: "POST", headers: { authorization: `Bearer ${plain}` } });
const refused = async (response: Response): Promise<ErrorBody["error"]> => ((await response.json()) as ErrorBody).error;

describe("a run's first call", () => {
  test("fixes its limits; the run is a record with its steps, cost, what is left and its parent", async () => {
    running = await startGoverned();
    const { house } = running;
    const { plain } = await running.key({ agent: "builder" });
    const first = limits({
      "x-tollway-run-budget-usd": "1.00",
      "x-tollway-run-max-steps": "3",
      "x-tollway-run-max-seconds": "600",
      "x-tollway-run-parent": "week-47",
    });
    const response = await house.chat(plain, DIME, first);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-ignored")).toBeNull();
    await house.settled();
    const run = await runOf(running, plain);
    expect(run).toMatchObject({
      object: "run",
      id: "nightly",
      status: "open",
      agent: "builder",
      parent: "week-47",
      limits: { max_usd: 1, max_steps: 3, max_seconds: 600 },
      used: { usd: 0.1, reserved_usd: 0, steps: 1 },
      left: { usd: 0.9, steps: 2 },
    });
    expect(run.steps).toMatchObject([
      { request_id: response.headers.get("x-request-id"), cost_usd: 0.1, model_requested: MODEL, model_served: "round", decision: null },
    ]);
    const list = (await (await house.get(plain, "/v1/runs")).json()) as { data: RunBody[]; next_cursor: null };
    expect(list).toMatchObject({ object: "list", data: [{ id: "nightly", used: { usd: 0.1 } }], next_cursor: null });
  });

  test("may say all of it in the body", async () => {
    running = await startGoverned();
    const { house } = running;
    const { plain } = await running.key();
    await house.chat(plain, { ...DIME, tollway: { run: "nightly", run_budget_usd: 0.25, "run-max-steps": 7 } });
    expect(await runOf(running, plain)).toMatchObject({ limits: { max_usd: 0.25, max_steps: 7, max_seconds: null } });
    const { upstream } = running;
    expect(upstream.requests[0]?.json()).not.toHaveProperty("tollway");
  });

  test.each([
    [{ "x-tollway-run-budget-usd": "1" }, "missing_required_parameter", "x-tollway-run"],
    [{ "x-tollway-run": "r", "x-tollway-run-budget-usd": "-1" }, "invalid_value", "x-tollway-run-budget-usd"],
    [{ "x-tollway-run": "r", "x-tollway-run-max-steps": "0" }, "invalid_value", "x-tollway-run-max-steps"],
    [{ "x-tollway-run": "r", "x-tollway-run-max-seconds": "1.5" }, "invalid_value", "x-tollway-run-max-seconds"],
    [{ "x-tollway-run": "r", "x-tollway-run-parent": "a b" }, "invalid_tag", "x-tollway-run-parent"],
  ])("with %p is refused by name", async (headers, code, param) => {
    running = await startGoverned();
    const { plain } = await running.key();
    const response = await running.house.chat(plain, DIME, { headers: headers as Record<string, string> });
    expect(response.status).toBe(400);
    expect(await refused(response)).toMatchObject({ code, param });
  });
});

describe("later calls", () => {
  test("may lower the limits and never raise them; what would loosen them is named", async () => {
    running = await startGoverned();
    const { house } = running;
    const { plain } = await running.key();
    await house.chat(plain, DIME, limits({ "x-tollway-run-budget-usd": "1", "x-tollway-run-max-steps": "5" }));
    await house.chat(plain, DIME, limits({ "x-tollway-run-budget-usd": "0.5", "x-tollway-run-max-seconds": "60" }));
    const response = await house.chat(plain, DIME, limits({ "x-tollway-run-budget-usd": "9", "x-tollway-run-max-steps": "9" }));
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-ignored")).toBe("x-tollway-run-budget-usd,x-tollway-run-max-steps");
    expect(await runOf(running, plain)).toMatchObject({ limits: { max_usd: 0.5, max_steps: 5, max_seconds: 60 } });
  });

  test("beyond its money are 402, and the run is named", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    const { plain } = await running.key();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => house.chat(plain, DIME, limits({ "x-tollway-run-budget-usd": "0.35" }))),
    );
    expect(all.filter(({ status }) => status === 200)).toHaveLength(3);
    const late = await house.chat(plain, DIME, limits());
    expect(late.status).toBe(402);
    expect(late.headers.get("x-should-retry")).toBe("false");
    expect(await refused(late)).toMatchObject({
      code: "budget_exceeded",
      tollway: { scope: "run:nightly", limit_usd: 0.35, resets_at: null },
    });
    await house.settled();
    expect(upstream.requests).toHaveLength(3);
    expect(await runOf(running, plain)).toMatchObject({ used: { usd: 0.3, reserved_usd: 0, steps: 3 }, left: { usd: 0.05 } });
    expect((await house.chat(plain, DIME)).status).toBe(200);
  });

  test("beyond its steps are 402, however many come at once; a call that was never made is no step", async () => {
    running = await startGoverned();
    const { house } = running;
    const { plain } = await running.key();
    const asked = limits({ "x-tollway-run-max-steps": "4" });
    expect((await house.chat(plain, { ...DIME, model: "nobody-knows-it" }, asked)).status).toBe(404);
    const all = await Promise.all(Array.from({ length: 12 }, () => house.chat(plain, DIME, asked)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(4);
    const late = await house.chat(plain, DIME, limits());
    expect(late.status).toBe(402);
    expect(await refused(late)).toMatchObject({ code: "budget_exceeded", tollway: { limit: "max_steps", max_steps: 4, steps: 4 } });
  });

  test("beyond its seconds are 402", async () => {
    const clock = new ManualClock();
    running = await startGoverned({ clock });
    const { house } = running;
    const { plain } = await running.key();
    expect((await house.chat(plain, DIME, limits({ "x-tollway-run-max-seconds": "30" }))).status).toBe(200);
    await clock.advance(29_999);
    expect((await house.chat(plain, DIME, limits())).status).toBe(200);
    await clock.advance(1);
    const late = await house.chat(plain, DIME, limits());
    expect(late.status).toBe(402);
    expect((await refused(late)).tollway).toMatchObject({ limit: "max_seconds", max_seconds: 30 });
  });

  test("of test keys are runs of their own", async () => {
    running = await startGoverned();
    const { house } = running;
    const live = await running.key();
    const test = await running.key({}, "test");
    await house.chat(live.plain, DIME, limits({ "x-tollway-run-max-steps": "1" }));
    const ask = { model: "gpt-4o-mini", max_tokens: 10, messages: [{ role: "user", content: "Hello" }] };
    expect((await house.chat(test.plain, ask, limits())).status).toBe(200);
    await house.settled();
    expect(await runOf(running, test.plain)).toMatchObject({ test: true, limits: { max_steps: null }, used: { steps: 1 } });
  });
});

describe("a run that is cancelled", () => {
  const STREAMS: Readonly<Record<string, [path: string, ask: object, told: RegExp]>> = {
    chat: ["/v1/chat/completions", DIME, /"code":"account_inactive"/],
    responses: ["/v1/responses", { model: MODEL, max_output_tokens: 1_000, input: "Hello" }, /"type":"(error|response.failed)"/],
    messages: ["/v1/messages", DIME, /event: error/],
  };

  test.each(Object.keys(STREAMS))(
    "ends its live stream with the error event of %s, without its terminator, and takes no more calls",
    async (door) => {
      const [path, ask, told] = STREAMS[door] as (typeof STREAMS)[string];
      running = await startGoverned({ script: (_, usual) => ({ ...usual, pauses: [{ afterBytes: 700, until: "never" }] }) });
      const { house } = running;
      const { plain } = await running.key();
      const headers = { authorization: `Bearer ${plain}`, "content-type": "application/json", "x-tollway-run": "nightly" };
      const response = await fetch(house.url + path, { method: "POST", headers, body: JSON.stringify({ ...ask, stream: true }) });
      const reader = response.body?.getReader();
      await reader?.read();
      const cancelled = await cancel(running, plain);
      expect(cancelled.status).toBe(200);
      expect((await cancelled.json()) as RunBody).toMatchObject({ id: "nightly", status: "cancelled", ended_calls: 1 });
      let rest = "";
      for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
        rest += new TextDecoder().decode(piece.value);
      expect(rest).toMatch(told);
      expect(rest).toContain("was cancelled");
      expect(rest).not.toMatch(/\[DONE\]|message_stop|response\.completed/);
      await house.settled();
      const late = await fetch(house.url + path, { method: "POST", headers, body: JSON.stringify(ask) });
      expect(late.status).toBe(403);
      expect(await late.text()).toContain("was cancelled");
      expect(await runOf(running, plain)).toMatchObject({ status: "cancelled", used: { steps: 1, reserved_usd: 0 } });
    },
  );

  test("ends its whole answers that are under way", async () => {
    running = await startGoverned({ script: (_, usual) => ({ ...usual, beforeHeaders: "never" }) });
    const { house, upstream } = running;
    const { plain } = await running.key();
    const waiting = house.chat(plain, DIME, limits());
    await upstream.request(1);
    await cancel(running, plain);
    const response = await waiting;
    expect(response.status).toBe(403);
    expect(await refused(response)).toMatchObject({ code: "account_inactive", tollway: { scope: "run:nightly" } });
    await house.settled();
    // The provider may have billed it: charged at what was held.
    expect(await runOf(running, plain)).toMatchObject({ used: { usd: 0.1, reserved_usd: 0 } });
  });

  test("takes the runs below it along", async () => {
    running = await startGoverned();
    const { house } = running;
    const { plain } = await running.key();
    const child = (name: string, parent: string) => ({ headers: { "x-tollway-run": name, "x-tollway-run-parent": parent } });
    await house.chat(plain, DIME, limits());
    await house.chat(plain, DIME, child("part-1", "nightly"));
    await house.chat(plain, DIME, child("part-1-a", "part-1"));
    await cancel(running, plain);
    for (const name of ["nightly", "part-1", "part-1-a"]) expect(await runOf(running, plain, name)).toMatchObject({ status: "cancelled" });
    expect((await house.chat(plain, DIME, child("part-2", "nightly"))).status).toBe(403);
  });

  test("is nobody's but its key's and its organization's readers'", async () => {
    running = await startGoverned();
    const { house } = running;
    const [own, other, reader] = [await running.key(), await running.key(), await running.key({ role: "read" })];
    await house.chat(own.plain, DIME, limits());
    expect((await house.get(other.plain, "/v1/runs/nightly")).status).toBe(404);
    expect((await cancel(running, other.plain)).status).toBe(404);
    expect((await house.get(reader.plain, "/v1/runs/nightly")).status).toBe(200);
    expect((await cancel(running, reader.plain)).status).toBe(403);
    expect((await cancel(running, own.plain, "nothing")).status).toBe(404);
  });
});

test("a revoked key's streams go on, or end at once where that is asked for", async () => {
  running = await startGoverned({ script: (_, usual) => ({ ...usual, pauses: [{ afterBytes: 700, until: { gate: "go on" } }] }) });
  const { house, upstream } = running;
  const admin = { authorization: `Bearer ${ADMIN_KEY}` };
  const streams: [string, Promise<string>][] = [];
  for (const query of ["", "?cut_streams=true"]) {
    const { key, plain } = await running.key();
    const response = await house.chat(plain, { ...DIME, stream: true });
    const text = response.text();
    const revoked = await fetch(`${house.url}/admin/v1/keys/${key.id}${query}`, { method: "DELETE", headers: admin });
    expect(revoked.status).toBe(200);
    expect((await house.chat(plain, DIME)).status).toBe(403);
    streams.push([query, text]);
  }
  const cut = await streams[1]?.[1];
  expect(cut).toContain('"code":"key_disabled"');
  expect(cut).not.toContain("[DONE]");
  upstream.openGate("go on");
  expect(await streams[0]?.[1]).toContain("[DONE]");
});
