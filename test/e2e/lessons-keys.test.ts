// What other gateways' keys, limits and alerts did wrongly, each by its issue's number, and what Tollway does.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Slot } from "../../src/core/governance";
import { isRefusal, RateBook } from "../../src/policy/rate-limit";
import { ManualClock } from "../contract/manual-clock";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { type RunningHouse, startHouse } from "./house";
import { admin, ask, budget, chatAnswer, until } from "./lessons";

const DAY = 24 * 3_600_000;
const USAGE = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };

let upstream: Upstream;
let house: RunningHouse;
let clock: ManualClock;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  upstream.forget();
  upstream.play(chatAnswer("gpt-4o", USAGE), { times: "always" });
  clock = new ManualClock();
  house = await startHouse({ upstream: upstream.url, clock });
});
afterEach(() => house.close());

const made = async (body: object): Promise<{ id: string; key: string }> => {
  const response = await admin(house, "POST", "/keys", { name: `of a test ${crypto.randomUUID()}`, ...body });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as { id: string; key: string };
};
const call = async (key: string): Promise<{ status: number; code: string | undefined; text: string }> => {
  const response = await house.chat(key, ask("gpt-4o"));
  const text = await response.text();
  return { status: response.status, code: (JSON.parse(text) as { error?: { code: string } }).error?.code, text };
};

describe("keys:", () => {
  test("litellm #16005: a key that was given an end never ended", async () => {
    const { key } = await made({ expires_at: new Date(clock.now() + DAY).toISOString() });
    expect((await call(key)).status).toBe(200);
    clock.jump(DAY);
    expect(await call(key)).toMatchObject({ status: 401, code: "key_expired" });
    expect(upstream.requests).toHaveLength(1);
  });

  test("litellm #18731: an expired key was shown in the error that refused it", async () => {
    const { key } = await made({ expires_at: new Date(clock.now() + DAY).toISOString() });
    clock.jump(2 * DAY);
    const { text } = await call(key);
    expect(text).not.toContain(key);
    expect(text).not.toContain(key.slice(20));
    expect(JSON.stringify(house.log.lines)).not.toContain(key.slice(20));
  });

  test("litellm #9820: a blocked key went on working out of a cache", async () => {
    const { id, key } = await made({});
    for (let n = 0; n < 5; n++) expect((await call(key)).status).toBe(200);
    expect((await admin(house, "DELETE", `/keys/${id}`)).status).toBe(200);
    expect(await call(key)).toMatchObject({ status: 403, code: "key_disabled" });
    expect(upstream.requests).toHaveLength(5);
  });

  test("litellm #27193: the old key was refused at once, though its grace was written down", async () => {
    const { id, key: older } = await made({});
    const changed = await house.ports.keys.change("default", id, { rotateUntil: clock.now() + DAY });
    const newer = changed?.plain?.reveal() ?? "";
    expect([(await call(older)).status, (await call(newer)).status]).toEqual([200, 200]);
    clock.jump(DAY);
    expect([(await call(older)).status, (await call(newer)).status]).toEqual([401, 200]);
  });

  test("litellm #18554: a key's budget could be negative, and refused every call", async () => {
    const { id } = await made({});
    const scope = `key:${id}`;
    for (const limit_usd of [-7, "-7", "-0.000000001", -1e-9, "NaN", "1e3", "1,5", null, true]) {
      const response = await admin(house, "POST", "/budgets", { scope, limit_usd, window: "day", hard: true });
      expect({ limit_usd, status: response.status }).toEqual({ limit_usd, status: 400 });
      expect(((await response.json()) as { error: { param: string } }).error.param).toBe("limit_usd");
    }
    expect(house.ports.directory.list("budget", "default")).toEqual([]);
  });

  test("bifrost #5673: a key's budget was taken in the request, and neither kept nor enforced", async () => {
    const budgets = [{ limit_usd: 0.0005, window: "month", hard: true }];
    const { id } = await made({ budgets });
    expect(house.ports.directory.list("budget", "default")).toMatchObject([{ scope: { kind: "key", id }, limit: 500_000n, hard: true }]);
    // And what is not known is refused by name, never passed over.
    const response = await admin(house, "POST", "/keys", { name: "x", budget: { max_limit: 0.0005, reset_duration: "1M" } });
    expect(((await response.json()) as { error: { param: string } }).error.param).toBe("budget");
    expect(response.status).toBe(400);
  });
});

describe("rate limits:", () => {
  const taken = (book: RateBook, scopes: Parameters<RateBook["take"]>[0], now: number): Slot => {
    const slot = book.take(scopes, 1, now);
    if (isRefusal(slot)) throw new Error(`refused: ${slot.kind}`);
    return slot;
  };

  test("litellm #39309: a call that was refused for its concurrency used up a request of the minute", () => {
    const book = new RateBook();
    const scopes = [{ name: "key:1", limits: { requestsPerMinute: 2, concurrency: 1 } }];
    const first = taken(book, scopes, 0);
    expect(book.take(scopes, 1, 1)).toMatchObject({ kind: "concurrency" });
    expect(book.take(scopes, 1, 2)).toMatchObject({ kind: "concurrency" });
    first.release(1);
    expect(book.standing(scopes, 3).requests).toMatchObject({ limit: 2, remaining: 1 });
    taken(book, scopes, 3);
  });

  test("litellm #17323: places of concurrent calls were never given back, so that five calls were all that a key had", () => {
    const book = new RateBook();
    const scopes = [{ name: "key:1", limits: { concurrency: 5 } }];
    for (let round = 0; round < 20; round++) {
      const slots = Array.from({ length: 5 }, () => taken(book, scopes, round));
      expect(book.take(scopes, 1, round)).toMatchObject({ kind: "concurrency", limit: 5 });
      for (const slot of slots) slot.release(round % 2 === 0 ? 1 : undefined);
      // Twice is once: a place is nobody's second one.
      for (const slot of slots) slot.release(1);
    }
    expect(book.running("key:1")).toBe(0);
  });
});

describe("alerts:", () => {
  const alerts = async (): Promise<{ hook: Upstream; types(): string[] }> => {
    const hook = await startUpstream();
    hook.play({ status: 200 }, { times: "always" });
    const response = await admin(house, "POST", "/webhooks", { url: hook.url, events: ["budget.threshold"] });
    if (!response.ok) throw new Error(await response.text());
    return { hook, types: () => hook.requests.map((request) => (request.json() as { type: string }).type) };
  };
  const soft = { hard: false, thresholds: [{ percent: 50, action: "alert" as const }] };

  test("litellm #3738: a budget that had come to its threshold was told of with every call", async () => {
    const { hook, types } = await alerts();
    await budget(house, 200_000n, soft);
    const { key } = await made({});
    for (let n = 0; n < 10; n++) await call(key);
    await house.settled();
    await until(() => types().length > 0);
    await clock.advance(3_600_000);
    expect(types()).toEqual(["budget.threshold"]);
    await hook.close();
  });

  test("litellm #16185: a budget was told of in its first period, and never again", async () => {
    const { hook, types } = await alerts();
    await budget(house, 200_000n, { ...soft, window: { unit: "day", rolling: false, zone: "UTC" } });
    const { key } = await made({});
    for (let day = 1; day <= 3; day++) {
      for (let n = 0; n < 3; n++) await call(key);
      await house.settled();
      await until(() => types().length === day);
      clock.jump(DAY);
    }
    expect(types()).toEqual(["budget.threshold", "budget.threshold", "budget.threshold"]);
    await hook.close();
  });

  test("litellm #32011: calls at once that crossed a threshold together were told of once each", async () => {
    const { hook, types } = await alerts();
    await budget(house, 200_000n, soft);
    const { key } = await made({});
    await Promise.all(Array.from({ length: 20 }, () => call(key)));
    await house.settled();
    await until(() => types().length > 0);
    await clock.advance(3_600_000);
    expect(types()).toEqual(["budget.threshold"]);
    await hook.close();
  });
});
