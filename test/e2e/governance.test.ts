// What keys may ask for, from where, and on whose account: over real sockets.
import { afterEach, describe, expect, test } from "bun:test";
import { nanoUsd } from "../../src/core/money";
import type { CreditEntry } from "../../src/core/records";
import { startUpstream } from "../upstream/upstream";
import { DIME, type ErrorBody, type Governed, MODEL, startGoverned, usd } from "./governed";
import { startHouse } from "./house";
import { CHAT_ANSWER } from "./own-answers";

let running: Governed | undefined;
afterEach(async () => {
  expect(running?.upstream.problems ?? []).toEqual([]);
  await running?.close();
  running = undefined;
});

const refused = async (response: Response): Promise<ErrorBody["error"]> => ((await response.json()) as ErrorBody).error;
const HELLO = [{ role: "user", content: "Hello" }];

describe("an organization", () => {
  test.each(["suspended", "cancelled"] as const)("that is %s makes no calls, and does again when it is active", async (status) => {
    running = await startGoverned();
    const { house, upstream } = running;
    const { plain } = await running.key();
    const organization = house.ports.directory.organizations().find(({ id }) => id === "default");
    if (!organization) throw new Error("There is one from the start");
    await house.ports.directory.putOrganization({ ...organization, status });
    for (const path of ["/v1/chat/completions", "/v1/embeddings"]) {
      const response = await fetch(house.url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${plain}`, "content-type": "application/json" },
        body: JSON.stringify({ ...DIME, input: "Hello" }),
      });
      expect(response.status).toBe(403);
      expect(await refused(response)).toMatchObject({
        code: "account_inactive",
        type: "permission_error",
        message: expect.stringContaining(status),
      });
    }
    expect(upstream.requests).toEqual([]);
    expect((await house.get(plain, "/v1/account")).status).toBe(200);
    await house.ports.directory.putOrganization({ ...organization, status: "active" });
    expect((await house.chat(plain, DIME)).status).toBe(200);
  });
});

describe("a key", () => {
  test("of role read calls nothing", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    const { plain } = await running.key({ role: "read" });
    const response = await house.chat(plain, DIME);
    expect(response.status).toBe(403);
    expect(await refused(response)).toMatchObject({ type: "permission_error", message: expect.stringContaining("role read") });
    expect(upstream.requests).toEqual([]);
  });

  test("may use the models that its globs name", async () => {
    running = await startGoverned();
    const { house, upstream } = running;
    const { plain } = await running.key({ allowedModels: ["gpt-4o*", "byo:acme/round"] });
    expect((await house.chat(plain, DIME)).status).toBe(200);
    for (const model of ["byo:acme/other", "claude-opus-4-5", "GPT-4O", "nobody-knows-it"]) {
      const response = await house.chat(plain, { ...DIME, model });
      expect(response.status).toBe(403);
      expect(await refused(response)).toMatchObject({ code: "model_not_allowed", param: "model", type: "permission_error" });
    }
    expect(upstream.requests).toHaveLength(1);
  });

  test("gets of auto only what it may use, and is refused when that is nothing", async () => {
    const upstream = await startUpstream();
    const house = await startHouse({ upstream: upstream.url, connect: ["openai", "anthropic", "groq"] });
    const auto = { model: "auto", max_tokens: 50, messages: HELLO };
    const make = async (allowedModels: string[]): Promise<string> =>
      (await house.ports.keys.create({ organizationId: "default", name: "k", mode: "live", policy: { allowedModels } })).plain.reveal();
    upstream.play(CHAT_ANSWER, { times: "always" });
    const response = await house.chat(await make(["gpt-*"]), auto);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-tollway-provider")).toBe("openai");
    const none = await house.chat(await make(["command-*"]), auto);
    expect(none.status).toBe(403);
    expect(await refused(none)).toMatchObject({ code: "model_not_allowed" });
    const { data } = (await (await house.get(await make(["gpt-4o*"]), "/v1/models")).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id).filter((id) => !id.startsWith("gpt-4o"))).toEqual(["auto"]);
    await house.close();
    await upstream.close();
  });

  test("may be used from its addresses only, on every route of its own", async () => {
    running = await startGoverned();
    const { house } = running;
    const near = await running.key({ allowedIps: ["10.0.0.0/8", "127.0.0.0/8"] });
    const far = await running.key({ allowedIps: ["192.0.2.0/24", "2001:db8::/32"] });
    expect((await house.chat(near.plain, DIME)).status).toBe(200);
    expect((await house.get(near.plain, "/v1/account")).status).toBe(200);
    for (const response of [
      await house.chat(far.plain, DIME),
      await house.get(far.plain, "/v1/account"),
      await house.get(far.plain, "/v1/models"),
    ]) {
      expect(response.status).toBe(403);
      expect(await refused(response)).toMatchObject({ code: "ip_not_allowed", message: expect.stringContaining("127.0.0.1") });
    }
    const forwarded = await house.chat(far.plain, DIME, { headers: { "x-forwarded-for": "192.0.2.1" } });
    expect(forwarded.status).toBe(403);
  });

  test("is its project's, its team's and its agent's, whatever a header says", async () => {
    running = await startGoverned();
    const { house } = running;
    await house.ports.directory.put("project", { id: "proj_1", organizationId: "default", createdAt: 0, name: "p", teamId: "team_1" });
    const { plain } = await running.key({ projectId: "proj_1", agent: "builder" });
    const [team, agent] = [
      await running.budget({ kind: "team", id: "team_1" }, "1"),
      await running.budget({ kind: "agent", id: "builder" }, "1"),
    ];
    const response = await house.chat(plain, DIME, { headers: { "x-tollway-agent": "somebody-else" } });
    expect(response.headers.get("x-tollway-ignored")).toBe("agent");
    await house.settled();
    for (const id of [team, agent]) expect(house.ports.budgets.state(id, "live")?.spent).toBe(usd("0.1"));
  });
});

describe("a prepaid balance", () => {
  const entry = (amount: bigint, accountId: string): CreditEntry => ({
    organizationId: "default",
    accountId,
    kind: "top_up",
    amount: nanoUsd(amount),
    reason: "bought",
    actor: "admin",
    at: 0,
  });

  test("is charged the cost with its markup, refuses what it cannot bear, and a top-up counts at once", async () => {
    running = await startGoverned();
    const { house } = running;
    const { key, plain } = await running.key();
    const scope = { kind: "key", id: key.id } as const;
    const { directory, journal, budgets } = house.ports;
    await directory.put("credit-account", { id: "crd_1", organizationId: "default", createdAt: 0, scope, markupBasisPoints: 2_000 });
    const empty = await house.chat(plain, DIME);
    expect(empty.status).toBe(402);
    expect(empty.headers.get("x-should-retry")).toBe("false");
    expect(await refused(empty)).toMatchObject({
      code: "insufficient_quota",
      type: "insufficient_quota",
      message: expect.stringContaining("Top it up"),
      tollway: { scope: `key:${key.id}`, account_id: "crd_1", limit_usd: 0, needed_usd: 0.12 },
    });
    await journal.credit(entry(usd("0.25"), "crd_1"));
    const all = await Promise.all(Array.from({ length: 8 }, () => house.chat(plain, DIME)));
    const good = all.filter(({ status }) => status === 200);
    expect(good).toHaveLength(2);
    expect((await good[0]?.json()) as object).toMatchObject({ usage: { cost: 0.1 }, tollway: { cost_usd: 0.1, charged_credits: 0.12 } });
    await house.settled();
    expect(budgets.state("crd_1", "live")).toMatchObject({ spent: usd("0.24"), reserved: 0n });
    await journal.credit(entry(usd("0.11"), "crd_1"));
    expect((await house.chat(plain, DIME)).status).toBe(200);
  });

  test("is one key's alone, and test keys need none", async () => {
    running = await startGoverned();
    const { house } = running;
    const { directory, journal } = house.ports;
    const [poor, other, test] = [await running.key(), await running.key(), await running.key({}, "test")];
    const scope = { kind: "key", id: poor.key.id } as const;
    await directory.put("credit-account", { id: "crd_1", organizationId: "default", createdAt: 0, scope, markupBasisPoints: 0 });
    expect((await house.chat(poor.plain, DIME)).status).toBe(402);
    const response = await house.chat(other.plain, DIME);
    expect(response.status).toBe(200);
    expect(((await response.json()) as { tollway: object }).tollway).not.toHaveProperty("charged_credits");
    const organization = { kind: "organization", id: "default" } as const;
    await directory.put("credit-account", {
      id: "crd_2",
      organizationId: "default",
      createdAt: 0,
      scope: organization,
      markupBasisPoints: 0,
    });
    expect((await house.chat(other.plain, DIME)).status).toBe(402);
    expect((await house.chat(test.plain, { model: "gpt-4o-mini", max_tokens: 10, messages: HELLO })).status).toBe(200);
    await journal.credit(entry(usd("1"), "crd_2"));
    expect((await house.chat(other.plain, DIME)).status).toBe(200);
    expect((await house.chat(poor.plain, DIME)).status).toBe(402);
  });

  test("counts models without a price as what it cannot bear", async () => {
    running = await startGoverned({ names: ["byo:acme", "openai"] });
    const { house } = running;
    const { plain } = await running.key();
    const scope = { kind: "organization", id: "default" } as const;
    await house.ports.directory.put("credit-account", {
      id: "crd_1",
      organizationId: "default",
      createdAt: 0,
      scope,
      markupBasisPoints: 0,
    });
    await house.ports.journal.credit(entry(usd("9"), "crd_1"));
    const response = await house.chat(plain, { model: "gpt-nobody-knows", max_tokens: 10, messages: HELLO });
    expect(response.status).toBe(400);
    expect(await refused(response)).toMatchObject({ code: "model_not_priced" });
    expect((await house.chat(plain, { model: MODEL, messages: HELLO })).headers.get("x-tollway-max-tokens")).toBe("4096");
  });
});
