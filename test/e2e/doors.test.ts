// Chat, account and audit end to end, on every store.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HranaServer, serveHrana } from "../hrana/server";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { ADMIN_KEY, type HouseOptions, type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER, CHAT_STREAM, frames } from "./own-answers";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Say hello, please" }] };
/** 11 input tokens at $0.15 and 12 output tokens at $0.60 a million, in nano-USD: 1,650 + 7,200. */
const COST = 0.00000885;

interface Chat {
  model: string;
  choices: { message: { content: string }; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number; cost: number };
  tollway: {
    request_id: string;
    provider: string;
    routed_model: string;
    cost_usd: number;
    saved_usd: number;
    attempts: number;
    fallback: boolean;
    test?: boolean;
  };
}

let upstream: Upstream;
let hrana: HranaServer;
const folder = mkdtempSync(join(tmpdir(), "tollway-doors-"));

beforeAll(async () => {
  upstream = await startUpstream();
  hrana = serveHrana({ path: join(folder, "remote.db") });
});
afterAll(async () => {
  await upstream.close();
  await hrana.stop();
  rmSync(folder, { recursive: true, force: true });
});

const stores: [string, () => NonNullable<HouseOptions["store"]>][] = [
  ["memory", () => ({ kind: "memory" })],
  ["bun:sqlite", () => ({ kind: "file" })],
  ["remote libSQL", () => ({ kind: "remote", url: hrana.url })],
  ...(process.env["LIBSQL_TEST_URL"]
    ? [
        ["a real libSQL server", () => ({ kind: "remote" as const, url: process.env["LIBSQL_TEST_URL"] as string })] as [
          string,
          () => NonNullable<HouseOptions["store"]>,
        ],
      ]
    : []),
];

describe.each(stores)("on %s:", (_, store) => {
  let house: RunningHouse;
  let key: string;
  beforeAll(async () => {
    house = await startHouse({ upstream: upstream.url, store: store() });
    key = await house.key();
  });
  afterAll(() => house.close());

  test("a whole answer carries its cost, in the body, the header and the audit", async () => {
    upstream.play(CHAT_ANSWER);
    const response = await house.chat(key, ASK, { headers: { "x-tollway-tag": "whole" } });
    expect(response.status).toBe(200);
    const body = (await response.json()) as Chat;
    expect(body.model).toBe("gpt-4o-mini");
    expect(body.choices[0]?.message.content).toStartWith("Hello there");
    expect(body.usage.cost).toBe(COST);
    expect(body.tollway).toMatchObject({
      provider: "openai",
      routed_model: "gpt-4o-mini",
      cost_usd: COST,
      saved_usd: 0,
      attempts: 1,
      fallback: false,
    });
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "x-tollway-provider": "openai",
      "x-tollway-model-requested": "gpt-4o-mini",
      "x-tollway-model-served": "gpt-4o-mini",
      "x-tollway-route": "governed",
      "x-tollway-source": "upstream",
      "x-tollway-attempts": "1",
      "x-tollway-fallback": "false",
      "x-tollway-cost-usd": "0.00000885",
      "x-tollway-saved-usd": "0",
      "openai-processing-ms": "120",
    });
    expect(headers["x-request-id"]).toBe(body.tollway.request_id);
    expect(headers["x-request-id"]).toBe(headers["x-tollway-request-id"] as string);
    await house.settled();
    const entry = await (await house.get(key, `/v1/account/audit/${body.tollway.request_id}`)).json();
    expect(entry).toMatchObject({ status: "ok", tag: "whole", model_requested: "gpt-4o-mini", provider: "openai", cost_usd: COST });
    expect(entry).toMatchObject({
      attempts: [{ settlement: "exact", usage_source: "provider", tokens: { input: 11, output: 12 }, finish_reason: "stop" }],
    });
  });

  test("what reached the provider is the caller's bytes and the operator's credential", async () => {
    upstream.forget();
    upstream.play(CHAT_ANSWER);
    const sent =
      '{ "model" : "gpt-4o-mini",\n "messages":[{"role":"user","content":"12345678901234567890"}], "seed": 12345678901234567890 }';
    await house.chat(key, sent);
    const [request] = upstream.requests;
    expect(request?.text()).toBe(sent);
    expect(request?.path).toBe("/v1/chat/completions");
    expect(request?.headers["authorization"]).toBe("Bearer sk-upstream-openai");
    expect(JSON.stringify(request?.headers)).not.toContain(key);
  });

  test("a stream carries its cost in its last data frame, asked for usage or not", async () => {
    for (const asked of [true, false]) {
      upstream.play(CHAT_STREAM);
      const response = await house.chat(key, { ...ASK, stream: true, ...(asked ? { stream_options: { include_usage: true } } : {}) });
      expect(response.headers.get("content-type")).toStartWith("text/event-stream");
      const text = await response.text();
      expect(text).toEndWith("data: [DONE]\n\n");
      const all = frames(text) as (Chat & { choices: unknown[] })[];
      expect(all.every((frame) => frame.model === "gpt-4o-mini")).toBe(true);
      expect(all.filter((frame) => frame.tollway).length).toBe(1);
      const last = all.at(-1) as Chat;
      expect(last.choices.length).toBe(asked ? 0 : 1);
      expect(last.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 12, cost: COST });
      expect(last.tollway).toMatchObject({ cost_usd: COST, attempts: 1 });
    }
    upstream.forget();
  });

  test("an unlisted model of a known family goes out, unpriced, and says so", async () => {
    upstream.play(CHAT_ANSWER);
    const response = await house.chat(key, { ...ASK, model: "gpt-99-preview" });
    expect(response.status).toBe(200);
    const body = (await response.json()) as Chat;
    expect(body.model).toBe("gpt-99-preview");
    expect(body.tollway.cost_usd).toBeNull();
    expect(response.headers.has("x-tollway-cost-usd")).toBe(false);
  });

  test("the account's sums are those of its ledger", async () => {
    await house.settled();
    const account = (await (await house.get(key, "/v1/account")).json()) as {
      key: { spent_usd: number; reserved_usd: number; name: string };
    };
    const usage = (await (await house.get(key, "/v1/account/usage?group_by=model")).json()) as {
      data: { model: string; requests: number; unpriced_attempts: number }[];
      total: { cost_usd: number };
    };
    expect(account.key.reserved_usd).toBe(0);
    expect(account.key.spent_usd).toBe(usage.total.cost_usd);
    expect(usage.data.find((group) => group.model === "gpt-99-preview")).toMatchObject({ requests: 1, unpriced_attempts: 1 });
    for (const dimension of ["provider", "key", "tag", "day"]) {
      const grouped = (await (await house.get(key, `/v1/account/usage?group_by=${dimension}`)).json()) as { total: { cost_usd: number } };
      expect(grouped.total.cost_usd).toBe(usage.total.cost_usd);
    }
  });

  test("the audit pages without gaps, refusals included, and one key does not see another's", async () => {
    await house.chat(key, { ...ASK, model: "no-such-model" }, { headers: { "x-tollway-tag": "refused" } });
    await house.settled();
    const seen: { request_id: string; status: string; tag: string | null }[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = (await (
        await house.get(key, `/v1/account/audit?limit=2${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`)
      ).json()) as { data: typeof seen; next_cursor: string | null };
      seen.push(...page.data);
      cursor = page.next_cursor;
    }
    expect(new Set(seen.map((entry) => entry.request_id)).size).toBe(seen.length);
    expect(seen.length).toBe(6);
    expect(seen[0]).toMatchObject({ status: "refused", tag: "refused" });
    const stranger = await house.key();
    expect((await house.get(stranger, `/v1/account/audit/${seen[1]?.request_id}`)).status).toBe(404);
    expect(((await (await house.get(stranger, "/v1/account/audit")).json()) as { data: unknown[] }).data).toEqual([]);
  });

  test("a test key walks the line on the simulator and charges nothing", async () => {
    const testKey = await house.key("test");
    const before = upstream.requests.length;
    for (const model of ["auto", "gpt-4o-mini", "claude-sonnet-4-6"]) {
      const body = (await (await house.chat(testKey, { model, messages: ASK.messages })).json()) as Chat;
      expect(body.tollway).toMatchObject({ provider: "simulator", test: true });
      expect(body.tollway.cost_usd).toBeGreaterThan(0);
      expect(body.choices[0]?.message.content).toContain("simulator");
    }
    expect(upstream.requests.length).toBe(before);
    await house.settled();
    const usage = (await (await house.get(testKey, "/v1/account/usage")).json()) as { total: { requests: number } };
    expect(usage.total.requests).toBe(3);
    const live = house.ports.counters.read("organization:default", "live").spent;
    const own = (await (await house.get(key, "/v1/account")).json()) as { key: { spent_usd: number } };
    // The one live key that has spent anything.
    expect(own.key.spent_usd).toBe(Number(live) / 1e9);
  });

  test("a broken question about the account names its field", async () => {
    for (const [path, param] of [
      ["/v1/account/usage?group_by=colour", "group_by"],
      ["/v1/account/usage?from=yesterday", "from"],
      ["/v1/account/audit?limit=0", "limit"],
      ["/v1/account/audit?cursor=nonsense", "cursor"],
      ["/v1/account/usage?from=2026-02-01&to=2026-01-01", "from"],
    ] as const) {
      const response = await house.get(key, path);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { error: { param: string } }).error.param).toBe(param);
    }
  });
});

describe("the models door:", () => {
  let house: RunningHouse;
  beforeAll(async () => {
    house = await startHouse({ upstream: upstream.url });
  });
  afterAll(() => house.close());

  test("one document for OpenAI, Anthropic and Codex, with prices", async () => {
    const key = await house.key();
    const list = (await (await house.get(key, "/v1/models")).json()) as {
      object: string;
      data: Record<string, unknown>[];
      has_more: boolean;
      first_id: string;
      models: unknown[];
    };
    expect(list).toMatchObject({ object: "list", has_more: false, first_id: "auto" });
    expect(list.models.length).toBeGreaterThan(50);
    const mini = list.data.find((model) => model["id"] === "gpt-4o-mini");
    expect(mini).toMatchObject({
      object: "model",
      type: "model",
      owned_by: "openai",
      pricing: { prompt: "0.00000015", completion: "0.0000006" },
    });
    expect(mini?.["tollway"]).toMatchObject({
      provider: "openai",
      context_window: 128_000,
      input_price_per_m_usd: 0.15,
      output_price_per_m_credits: 0.6,
    });
    expect(list.data.map((model) => model["owned_by"])).toEqual(
      expect.arrayContaining(["tollway", "openai", "anthropic", "gemini", "mistral", "groq", "xai"]),
    );
    expect(new Set(list.data.map((model) => model["id"])).size).toBe(list.data.length);
    expect((await house.get(key, "/v1/models/gpt-4o-mini")).status).toBe(200);
    const missing = await house.get(key, "/v1/models/vendor%2Fnothing");
    expect(missing.status).toBe(404);
    expect(((await missing.json()) as { error: { code: string } }).error.code).toBe("model_not_found");
  });

  test("a live key sees only what is connected", async () => {
    const lonely = await startHouse();
    const list = (await (await lonely.get(await lonely.key(), "/v1/models")).json()) as { data: { id: string }[] };
    expect(list.data.map((model) => model.id)).toEqual(["auto"]);
    const test = (await (await lonely.get(await lonely.key("test"), "/v1/models")).json()) as { data: { id: string }[] };
    expect(test.data.length).toBeGreaterThan(50);
    await lonely.close();
  });
});

describe("the admin door:", () => {
  test("is closed without the admin key, and refuses what it does not know", async () => {
    const house = await startHouse();
    const ask = (body: unknown, bearer = ADMIN_KEY): Promise<Response> =>
      fetch(`${house.url}/admin/v1/keys`, { method: "POST", headers: { authorization: `Bearer ${bearer}` }, body: JSON.stringify(body) });
    expect((await ask({ name: "x" }, "wrong")).status).toBe(401);
    expect((await ask({ name: "x" }, await house.key())).status).toBe(401);
    for (const [body, param] of [
      [{}, "name"],
      [{ name: "" }, "name"],
      [{ name: 7 }, "name"],
      [{ name: "x", mode: "dead" }, "mode"],
      [{ name: "x", pii_mode: "redact" }, "pii_mode"],
      [{ name: "x", expires_at: "soon" }, "expires_at"],
      [{ name: "x", expires_at: "2001-01-01" }, "expires_at"],
    ] as const) {
      const response = await ask(body);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { error: { param: string } }).error.param).toBe(param);
    }
    const made = (await (await ask({ name: "x" })).json()) as { id: string; key: string; mode: string };
    expect(made.key).toStartWith("tw_live_");
    expect(made.key).toContain(made.id.slice("key_".length));
    const list = await (await fetch(`${house.url}/admin/v1/keys`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).text();
    expect(list).not.toContain(made.key);
    expect(list).toContain(made.id);
    await house.close();
  });
});
