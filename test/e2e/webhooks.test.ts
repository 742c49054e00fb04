// Webhooks from the admin route to the operator's endpoint, over real sockets and under the test's clock.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import type { Budget } from "../../src/core/budget";
import { EVENT_TYPES, type GatewayEvent } from "../../src/core/event";
import { nanoUsd } from "../../src/core/money";
import type { Notify } from "../../src/core/notify";
import { openNotify } from "../../src/net/notify";
import { memoryData } from "../../src/store/memory";
import { ManualClock, turn } from "../contract/manual-clock";
import type { Answer } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { ADMIN_KEY, type HouseOptions, type RunningHouse, startHouse } from "./house";
import { chatAnswer } from "./lessons";

interface Hook {
  id: string;
  secret: string;
  url: string;
}
interface Sent {
  id: string;
  status: string;
  attempts: number;
  event: string;
  last_status: number | null;
  last_error: string | null;
  next_attempt_at: string | null;
  payload: { type: string; timestamp: string; data: Record<string, unknown> };
}

let clock: ManualClock;
let house: RunningHouse;
let endpoint: Upstream;
/** Messages on their way. */
let away = 0;

const watched = (notify: Notify): Notify => ({
  ...notify,
  async post(notice) {
    away++;
    try {
      return await notify.post(notice);
    } finally {
      away--;
    }
  },
});

beforeEach(async () => {
  // The stock library checks a message's age against the machine's own clock.
  clock = new ManualClock(Date.now());
  endpoint = await startUpstream();
  away = 0;
  house = await startHouse({ clock, adapt: (ports) => ({ ...ports, notify: watched(ports.notify) }) });
});
afterEach(async () => {
  await house.close();
  await endpoint.close();
});

const admin = (method: string, path: string, body?: unknown, at = house): Promise<Response> =>
  fetch(`${at.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

async function asked<T>(method: string, path: string, body?: unknown, at = house): Promise<T> {
  const response = await admin(method, path, body, at);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

const hook = (changes: object = {}, at = house): Promise<Hook> =>
  asked<Hook>("POST", "/webhooks", { url: `${endpoint.url}/hook`, ...changes }, at);

const log = async (id: string, at = house): Promise<Sent[]> =>
  (await asked<{ data: Sent[] }>("GET", `/webhooks/${id}/deliveries`, undefined, at)).data;

const event = (changes: Partial<GatewayEvent> = {}): GatewayEvent => ({
  type: "key.created",
  organizationId: "default",
  data: { n: 1 },
  ...changes,
});

/** Lets the sockets have their turns until `met`. */
async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000;
  while (!(await met())) {
    if (performance.now() > end) throw new Error("It did not come to that");
    await turn();
  }
}

const isIn =
  (id: string, status: string, count = 1) =>
  async (): Promise<boolean> =>
    (await log(id)).filter((one) => one.status === status).length === count;

/** Lets time pass until the message that waits is sent again, and no longer: a post that waits for the clock would time out. */
async function untilNext(id: string): Promise<void> {
  const at = Date.parse((await log(id))[0]?.next_attempt_at ?? "");
  await clock.advance(at - clock.now());
}

const answering = (answer: Answer): void => endpoint.play(answer, { times: "always" });

describe("a webhook", () => {
  test("is made with a secret that is shown once and stored sealed", async () => {
    const made = await hook({ events: ["key.created"], description: "to our chat" });
    expect(made).toMatchObject({ object: "webhook", events: ["key.created"], enabled: true, organization: "default" });
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const shown = [await (await admin("GET", "/webhooks")).text(), await (await admin("GET", `/webhooks/${made.id}`)).text()];
    const stored = JSON.stringify(house.ports.directory.get("webhook", made.id)) + JSON.stringify(house.log.lines);
    for (const text of [...shown, stored]) expect(text).not.toContain(made.secret.slice(6));
    expect(JSON.parse(shown[1] ?? "")).toMatchObject({ id: made.id, url: `${endpoint.url}/hook`, description: "to our chat" });
  });

  test("takes a secret of the operator's own", async () => {
    const secret = `whsec_${btoa("a secret that has been here before")}`;
    expect((await hook({ secret })).secret).toBe(secret);
  });

  test("is changed, disabled and removed", async () => {
    const { id } = await hook();
    const changed = await asked("PATCH", `/webhooks/${id}`, { events: ["overrun"], enabled: false, url: `${endpoint.url}/other` });
    expect(changed).toMatchObject({ events: ["overrun"], enabled: false, url: `${endpoint.url}/other` });
    expect(await asked("DELETE", `/webhooks/${id}`)).toEqual({ object: "webhook", id, deleted: true });
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/test"],
      ["GET", "/deliveries"],
    ] as const) {
      expect((await admin(method, `/webhooks/${id}${path}`)).status).toBe(404);
    }
  });

  test("is noted in the organization's events, without its secret and its path", async () => {
    const { id, secret } = await hook({ url: `${endpoint.url}/token-in-the-path` });
    await asked("POST", `/webhooks/${id}/rotate-secret`, {});
    await asked("DELETE", `/webhooks/${id}`);
    const { data } = await house.ports.journal.adminEvents("default", { limit: 10 });
    expect(data.map(({ type }) => type)).toEqual(["webhook.deleted", "webhook.secret_rotated", "webhook.created"]);
    expect(JSON.stringify(data)).not.toContain("token-in-the-path");
    expect(JSON.stringify(data)).not.toContain(secret.slice(6));
  });

  test("is its organization's alone: another one's administrator finds nothing, and it hears nothing of another's", async () => {
    await house.ports.directory.putOrganization({ id: "org_2", name: "second", status: "active", createdAt: 1 });
    answering({ status: 200 });
    const { id } = await hook();
    const other = await hook({ organization: "org_2", url: `${endpoint.url}/second` });
    for (const path of ["", "/deliveries"]) expect((await admin("GET", `/webhooks/${id}${path}?organization=org_2`)).status).toBe(404);
    for (const path of ["/test", "/rotate-secret"]) {
      expect((await admin("POST", `/webhooks/${id}${path}?organization=org_2`, {})).status).toBe(404);
    }
    expect((await admin("DELETE", `/webhooks/${other.id}?organization=default`)).status).toBe(404);
    house.ports.events.emit(event({ organizationId: "org_2" }));
    await until(() => endpoint.requests.length === 1);
    expect(endpoint.requests[0]?.path).toBe("/second");
    expect(await log(id)).toEqual([]);
  });
});

describe("bad input is refused by the name of its field, and nothing is made:", () => {
  const long = `https://hooks.example/${"x".repeat(2_100)}`;
  test.each<[object, string]>([
    [{}, "url"],
    [{ url: 5 }, "url"],
    [{ url: "" }, "url"],
    [{ url: "hooks.example/x" }, "url"],
    [{ url: "ftp://hooks.example/x" }, "url"],
    [{ url: "file:///etc/passwd" }, "url"],
    [{ url: "http://user:password@127.0.0.1/x" }, "url"],
    [{ url: "http://127.0.0.1/x#fragment" }, "url"],
    [{ url: long }, "url"],
    [{ url: "http://no-such-name.invalid/" }, "url"],
    [{ url: "http://127.0.0.1/", events: "key.created" }, "events"],
    [{ url: "http://127.0.0.1/", events: ["key.made"] }, "events[0]"],
    [{ url: "http://127.0.0.1/", events: ["key.created", "key.created"] }, "events[1]"],
    [{ url: "http://127.0.0.1/", secret: "" }, "secret"],
    [{ url: "http://127.0.0.1/", secret: "whsec_" }, "secret"],
    [{ url: "http://127.0.0.1/", secret: "whsec_c2hvcnQ=" }, "secret"],
    [{ url: "http://127.0.0.1/", secret: "whsec_not base64 at all, however long it may be" }, "secret"],
    [{ url: "http://127.0.0.1/", secret: "no prefix" }, "secret"],
    [{ url: "http://127.0.0.1/", enabled: "yes" }, "enabled"],
    [{ url: "http://127.0.0.1/", description: "x".repeat(600) }, "description"],
    [{ url: "http://127.0.0.1/", organization: "org_nobody" }, "organization"],
    [{ url: "http://127.0.0.1/", colour: "red" }, "colour"],
  ])("%j", async (body, param) => {
    const response = await admin("POST", "/webhooks", body);
    expect([400, 404]).toContain(response.status);
    expect(((await response.json()) as { error: { param: string } }).error.param).toBe(param);
    expect(house.ports.directory.list("webhook", "default")).toEqual([]);
  });

  test("an address of this house, where the operator did not allow them", async () => {
    const strict = await startHouse({ adapt: (ports) => ({ ...ports, notify: openNotify({ allowPrivate: false, clock: ports.clock }) }) });
    for (const url of [
      "http://127.0.0.1/",
      "http://169.254.169.254/latest/meta-data",
      "http://[::ffff:10.0.0.1]/",
      "http://localhost:8642/",
    ]) {
      const response = await admin("POST", "/webhooks", { url }, strict);
      expect(response.status).toBe(400);
      expect(((await response.json()) as { error: { message: string } }).error.message).toContain("TOLLWAY_ALLOW_PRIVATE_UPSTREAMS");
    }
    await strict.close();
  });

  test("more webhooks than an organization may have", async () => {
    for (let n = 0; n < 50; n++) await hook();
    expect((await admin("POST", "/webhooks", { url: endpoint.url })).status).toBe(400);
  });

  test("a change of it", async () => {
    const { id } = await hook();
    for (const body of [{ url: "nowhere" }, { events: ["x"] }, { secret: "whsec_" }, { enabled: null }]) {
      expect((await admin("PATCH", `/webhooks/${id}`, body)).status).toBe(400);
    }
    expect(await asked("GET", `/webhooks/${id}`)).toMatchObject({ url: `${endpoint.url}/hook`, events: [], enabled: true });
  });
});

describe("an event", () => {
  test.each(EVENT_TYPES.map((type) => [type]))("%s comes to those that want it, signed", async (type) => {
    answering({ status: 204 });
    const { id, secret } = await hook({ events: [type] });
    await hook({ events: EVENT_TYPES.filter((other) => other !== type), url: `${endpoint.url}/not-this-one` });
    house.ports.events.emit(event({ type }));
    await until(isIn(id, "delivered"));
    expect(endpoint.requests.map(({ path }) => path)).toEqual(["/hook"]);
    const [request] = endpoint.requests;
    const payload = new Webhook(secret).verify(request?.text() ?? "", request?.headers ?? {});
    expect(payload).toEqual({ type, timestamp: new Date(clock.now()).toISOString(), data: { n: 1 } });
  });

  test("goes to nobody when nobody asked, and to no disabled webhook", async () => {
    const { id } = await hook({ enabled: false });
    house.ports.events.emit(event());
    await turn();
    expect(endpoint.connections()).toBe(0);
    expect(await log(id)).toEqual([]);
  });

  test("that is told once is told once, after a restart too", async () => {
    const data = memoryData();
    const options: HouseOptions = { clock, store: { kind: "memory", data } };
    answering({ status: 200 });
    const first = await startHouse(options);
    const { id } = await hook({}, first);
    for (let n = 0; n < 3; n++) first.ports.events.emit(event({ once: "exceeded_1" }));
    await until(async () => (await log(id, first))[0]?.status === "delivered");
    await first.close();
    const second = await startHouse(options);
    second.ports.events.emit(event({ once: "exceeded_1" }));
    second.ports.events.emit(event({ once: "exceeded_2" }));
    await until(() => endpoint.requests.length === 2);
    await clock.advance(60_000);
    expect(endpoint.requests).toHaveLength(2);
    await second.close();
  });
});

describe("a message that is not taken", () => {
  test("comes again later under the same id with a new signature, until it is taken", async () => {
    const { id, secret } = await hook();
    endpoint.play({ status: 500 });
    endpoint.play({ status: 307, headers: { location: "http://127.0.0.1:1/" } });
    answering({ status: 200 });
    house.ports.events.emit(event());
    await until(async () => (await log(id))[0]?.attempts === 1);
    expect((await log(id))[0]).toMatchObject({ status: "waiting", last_status: 500, last_error: "The endpoint answered 500" });
    await untilNext(id);
    await until(async () => (await log(id))[0]?.attempts === 2);
    await untilNext(id);
    await until(isIn(id, "delivered"));
    expect((await log(id))[0]).toMatchObject({ attempts: 3, last_status: 200, last_error: null, next_attempt_at: null });
    expect(new Set(endpoint.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(endpoint.requests.map(({ headers }) => headers["webhook-timestamp"])).size).toBe(3);
    for (const request of endpoint.requests) new Webhook(secret).verify(request.text(), request.headers);
  });

  test("is given up after eight attempts, and an operator sends it again", async () => {
    answering({ status: 503 });
    const { id } = await hook();
    house.ports.events.emit(event());
    for (let n = 1; n < 8; n++) {
      await until(async () => (await log(id))[0]?.attempts === n);
      await untilNext(id);
    }
    await until(isIn(id, "failed"));
    await clock.advance(48 * 3_600_000);
    expect(endpoint.requests).toHaveLength(8);
    const [failed] = await log(id);
    endpoint.forget();
    answering({ status: 200 });
    expect(await asked<Sent>("POST", `/webhooks/${id}/deliveries/${failed?.id}/retry`)).toMatchObject({ status: "delivered", attempts: 9 });
    expect((await admin("POST", `/webhooks/${id}/deliveries/msg_nothing/retry`)).status).toBe(404);
  });

  test("survives a restart", async () => {
    const data = memoryData();
    const options: HouseOptions = { clock, store: { kind: "memory", data } };
    const first = await startHouse(options);
    endpoint.play({ status: 500 });
    const { id, secret } = await hook({}, first);
    first.ports.events.emit(event());
    await until(async () => (await log(id, first))[0]?.attempts === 1);
    await first.close();
    answering({ status: 200 });
    const second = await startHouse(options);
    expect(endpoint.requests).toHaveLength(1);
    await clock.advance(6_100);
    await until(async () => (await log(id, second))[0]?.status === "delivered");
    const [, request] = endpoint.requests;
    new Webhook(secret).verify(request?.text() ?? "", request?.headers ?? {});
    await second.close();
  });

  test("is no storm: an endpoint that is down is asked by one message at a time, and less and less often", async () => {
    answering({ status: 500 });
    const { id } = await hook();
    for (let n = 0; n < 200; n++) house.ports.events.emit(event());
    await until(() => endpoint.requests.length === 1 && away === 0);
    for (let seconds = 0; seconds < 600; seconds += 5) {
      await clock.advance(5_000);
      await until(() => away === 0);
    }
    expect(endpoint.requests.length).toBeGreaterThan(5);
    // 1 + 2 + 4 + … seconds of rest, then five minutes each: about ten in ten minutes, for 200 messages.
    expect(endpoint.requests.length).toBeLessThan(14);
    expect(await log(id)).toHaveLength(100);
  });

  test("says that the endpoint is gone: it is not enabled any more", async () => {
    answering({ status: 410 });
    const { id } = await hook();
    house.ports.events.emit(event());
    await until(isIn(id, "failed"));
    expect(await asked("GET", `/webhooks/${id}`)).toMatchObject({ enabled: false });
    house.ports.events.emit(event());
    await clock.advance(24 * 3_600_000);
    expect(endpoint.requests).toHaveLength(1);
  });

  test("holds up no other endpoint, and no call", async () => {
    const stuck = await startUpstream();
    stuck.play({ beforeHeaders: "never" }, { times: "always" });
    answering({ status: 200 });
    await hook({ url: `${stuck.url}/` });
    const { id } = await hook();
    const key = await house.key("test");
    house.ports.events.emit(event());
    await until(isIn(id, "delivered"));
    await stuck.request(1);
    const answer = await house.chat(key, { model: "gpt-4.1-nano", messages: [{ role: "user", content: "Hello" }] });
    expect(answer.status).toBe(200);
    await stuck.close();
  });

  test("is dropped with a word in the log when a thousand wait behind it", async () => {
    const { id } = await hook();
    answering({ beforeHeaders: "never" });
    for (let n = 0; n < 1_010; n++) house.ports.events.emit(event());
    await until(() => house.log.lines.some((line) => line.event === "webhook_dropped"));
    await house.ports.ledger.drain();
    expect(await house.ports.outbox.list(id, 2_000)).toHaveLength(1_001);
  });
});

describe("an operator's test", () => {
  test("is answered with what became of it", async () => {
    const { id, secret } = await hook({ events: ["overrun"] });
    endpoint.play({ status: 201 });
    const sent = await asked<Sent>("POST", `/webhooks/${id}/test`);
    expect(sent).toMatchObject({ object: "webhook_delivery", status: "delivered", attempts: 1, last_status: 201 });
    const [request] = endpoint.requests;
    expect(new Webhook(secret).verify(request?.text() ?? "", request?.headers ?? {})).toMatchObject({ type: "webhook.test" });
  });

  test("that fails says why, and is not tried again", async () => {
    const { id } = await hook();
    endpoint.play({ status: 404 });
    expect(await asked<Sent>("POST", `/webhooks/${id}/test`)).toMatchObject({ status: "failed", last_error: "The endpoint answered 404" });
    await clock.advance(48 * 3_600_000);
    expect(endpoint.requests).toHaveLength(1);
    await endpoint.close();
    expect(await asked<Sent>("POST", `/webhooks/${id}/test`)).toMatchObject({
      status: "failed",
      last_error: "127.0.0.1 could not be reached",
    });
  });

  test("of a name that has come to be inside goes nowhere", async () => {
    let addresses = ["93.184.216.34"];
    const strict = await startHouse({
      adapt: (ports) => ({ ...ports, notify: openNotify({ allowPrivate: false, clock: ports.clock, resolve: async () => addresses }) }),
    });
    const { id } = await hook({ url: `http://hooks.example:${endpoint.port}/` }, strict);
    addresses = ["127.0.0.1"];
    expect(await asked<Sent>("POST", `/webhooks/${id}/test`, undefined, strict)).toMatchObject({ status: "failed", last_status: null });
    expect(endpoint.connections()).toBe(0);
    await strict.close();
  });
});

describe("a secret's rotation", () => {
  const signed = async (): Promise<(secret: string) => boolean> => {
    const request = endpoint.requests.at(-1);
    return (secret) => {
      try {
        new Webhook(secret).verify(request?.text() ?? "", request?.headers ?? {});
        return true;
      } catch {
        return false;
      }
    };
  };

  test("signs with both until the grace is over, and then with the new one alone", async () => {
    answering({ status: 200 });
    const { id, secret: older } = await hook();
    const { secret } = await asked<Hook>("POST", `/webhooks/${id}/rotate-secret`, { grace_seconds: 60 });
    expect(secret).not.toBe(older);
    await asked("POST", `/webhooks/${id}/test`);
    let verifies = await signed();
    expect([verifies(older), verifies(secret)]).toEqual([true, true]);
    await clock.advance(60_000);
    await asked("POST", `/webhooks/${id}/test`);
    verifies = await signed();
    expect([verifies(older), verifies(secret)]).toEqual([false, true]);
  });

  test("without grace ends the old one at once", async () => {
    answering({ status: 200 });
    const { id, secret: older } = await hook();
    await asked("POST", `/webhooks/${id}/rotate-secret`, { grace_seconds: 0 });
    await asked("POST", `/webhooks/${id}/test`);
    expect((await signed())(older)).toBe(false);
  });
});

describe("what happens in the gateway", () => {
  const ask = { model: "gpt-4.1-nano", messages: [{ role: "user", content: "Hello" }] };
  const budget = (changes: Partial<Budget> = {}): Budget => ({
    id: "bdg_0123456789ab",
    organizationId: "default",
    scope: { kind: "organization", id: "default" },
    limit: nanoUsd(1_000n),
    window: { unit: "month", rolling: false, zone: "UTC" },
    hard: false,
    thresholds: [{ percent: 50, action: "alert" }],
    createdAt: clock.now(),
    ...changes,
  });
  const told = (): { type: string; data: Record<string, unknown> }[] =>
    endpoint.requests.map((request) => request.json() as { type: string; data: Record<string, unknown> });

  test("budget.threshold: a budget comes to one of its thresholds", async () => {
    answering({ status: 200 });
    await hook({ events: ["budget.threshold"] });
    await house.ports.budgets.put(budget());
    const key = await house.key("test");
    for (let n = 0; n < 3; n++) await (await house.chat(key, ask)).text();
    await house.settled();
    await until(() => endpoint.requests.length === 1);
    const [message] = told();
    expect(message).toMatchObject({
      type: "budget.threshold",
      data: {
        budget_id: "bdg_0123456789ab",
        scope: "organization:default",
        percent: 50,
        action: "alert",
        limit_usd: "0.000001",
        mode: "test",
      },
    });
    expect(message?.data["spent_usd"]).toMatch(/^0\.\d+$/);
  });

  test("overrun: a provider bills more than could be held", async () => {
    const provider = await startUpstream();
    const own = await startHouse({ upstream: provider.url });
    provider.play(chatAnswer(ask.model, { prompt_tokens: 9, completion_tokens: 50_000, total_tokens: 50_009 }));
    answering({ status: 200 });
    await hook({ events: ["overrun"] }, own);
    expect((await own.chat(await own.key(), { ...ask, max_tokens: 10 })).status).toBe(200);
    await until(() => endpoint.requests.length === 1);
    expect(told()[0]).toMatchObject({
      type: "overrun",
      data: { attempt: 1, provider: "openai", model: ask.model, mode: "live", cost_usd: "0.0200009" },
    });
    expect(Number(told()[0]?.data["held_usd"])).toBeLessThan(0.001);
    await own.close();
    await provider.close();
  });

  test("key.created and key.revoked: an administrator makes a key and ends it", async () => {
    answering({ status: 200 });
    await hook();
    const made = await asked<{ id: string; key: string }>("POST", "/keys", { name: "of a customer", mode: "test" });
    await asked("DELETE", `/keys/${made.id}`);
    await until(() => endpoint.requests.length === 2);
    expect(told()[0]).toMatchObject({ type: "key.created", data: { key_id: made.id, name: "of a customer", mode: "test", role: "call" } });
    expect(told()[1]).toMatchObject({ type: "key.revoked", data: { key_id: made.id, revoked_at: new Date(clock.now()).toISOString() } });
    expect(JSON.stringify(told())).not.toContain(made.key);
  });

  test("budget.exceeded: calls are refused, and it is told once", async () => {
    answering({ status: 200 });
    await hook({ events: ["budget.exceeded"] });
    await house.ports.budgets.put(budget({ hard: true }));
    const key = await house.key("test");
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await house.chat(key, ask)).status));
    expect(statuses).toEqual([402, 402, 402, 402, 402]);
    await until(() => endpoint.requests.length > 0);
    await clock.advance(3_600_000);
    expect(told()).toMatchObject([
      { type: "budget.exceeded", data: { refused: true, spent_usd: "0", limit_usd: "0.000001", mode: "test" } },
    ]);
  });

  test("credits.low: a tenth of the last top-up is left, and after the next one again", async () => {
    const provider = await startUpstream();
    const own = await startHouse({ upstream: provider.url });
    answering({ status: 200 });
    await hook({ events: ["credits.low"] }, own);
    provider.play(chatAnswer(ask.model, { prompt_tokens: 9, completion_tokens: 237_500, total_tokens: 237_509 }), { times: "always" });
    const { id } = await asked<{ id: string }>("POST", "/credits/accounts", { scope: "organization", markup_percent: 0 }, own);
    const key = await own.key();
    for (let n = 1; n <= 2; n++) {
      await asked("POST", "/credits", { scope: "organization", amount_usd: "0.10", kind: "top_up", reason: "paid" }, own);
      expect((await own.chat(key, { ...ask, max_tokens: 10 })).status).toBe(200);
      await until(() => endpoint.requests.length === n);
    }
    expect(told()[0]).toMatchObject({
      type: "credits.low",
      data: { account_id: id, available_usd: "0.0049991", credited_usd: "0.1", refused: false },
    });
    await own.close();
    await provider.close();
  });
});
