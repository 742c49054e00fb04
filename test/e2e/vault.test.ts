// Credentials through their routes: who pays for which call, what is shown of them, and how they are changed while calls go on.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { rekey } from "../../src/admin/rekey";
import type { RecordTypes } from "../../src/core/records";
import { credentialPlace } from "../../src/core/vault";
import { openNotify } from "../../src/net/notify";
import { systemClock, systemRandom } from "../../src/net/system";
import { memoryData } from "../../src/store/memory";
import { masterKeyId, openVault } from "../../src/store/vault";
import { ManualClock } from "../contract/manual-clock";
import type { Script } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { ADMIN_KEY, connectionsTo, type RunningHouse, startHouse } from "./house";
import { CHAT_ANSWER } from "./own-answers";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Hello!" }] };
const ENVIRONMENT = "Bearer sk-upstream-openai";
const HOUR_MS = 3_600_000;
const REFUSED: Script = {
  status: 401,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ error: { message: "Incorrect API key provided.", type: "invalid_request_error", code: "invalid_api_key" } }),
};

let upstream: Upstream;
let house: RunningHouse;
let clock: ManualClock;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  upstream.forget();
  upstream.play(CHAT_ANSWER, { times: "always" });
  clock = new ManualClock();
  house = await startHouse({ upstream: upstream.url, connect: ["openai"], clock });
});
afterEach(() => house.close());

type Document = Record<string, unknown>;

async function admin(method: string, path: string, body?: object, at = house): Promise<{ status: number; body: Document; text: string }> {
  const response = await fetch(`${at.url}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as Document, text };
}

async function made(path: string, body: object): Promise<Document> {
  const answer = await admin("POST", path, body);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

const connect = (body: object): Promise<Document> => made("/credentials", { provider: "openai", secret: "sk-own-00000000aaaa", ...body });
const makeKey = async (body: object = {}): Promise<string> =>
  String((await made("/keys", { name: `of a test ${crypto.randomUUID()}`, ...body }))["key"]);

/** What the provider was asked with. */
async function paidBy(key: string, body: object = ASK): Promise<string | undefined> {
  const before = upstream.requests.length;
  const response = await house.chat(key, body);
  await response.text();
  await house.settled();
  return response.ok ? upstream.requests[before]?.headers["authorization"] : String(response.status);
}

async function refusal(
  body: object,
  path = "/credentials",
): Promise<{ status: number; code: unknown; param: unknown; message: string; text: string }> {
  const answer = await admin("POST", path, body);
  const error = answer.body["error"] as Document;
  return { status: answer.status, code: error["code"], param: error["param"], message: String(error["message"]), text: answer.text };
}

describe("who pays for a call:", () => {
  test("the project's own account before the organization's, that before the environment's", async () => {
    const project = await made("/projects", { name: "search" });
    const outside = await makeKey();
    const inside = await makeKey({ project: project["id"] });
    expect(await paidBy(outside)).toBe(ENVIRONMENT);
    const own = await connect({ secret: "sk-organization-0001" });
    expect(await paidBy(outside)).toBe("Bearer sk-organization-0001");
    expect(await paidBy(inside)).toBe("Bearer sk-organization-0001");
    const projects = await connect({ secret: "sk-project-00000001", project: "search" });
    expect(await paidBy(outside)).toBe("Bearer sk-organization-0001");
    expect(await paidBy(inside)).toBe("Bearer sk-project-00000001");
    await admin("DELETE", `/credentials/${own["id"]}`);
    expect(await paidBy(outside)).toBe(ENVIRONMENT);
    expect(await paidBy(inside)).toBe("Bearer sk-project-00000001");
    await admin("DELETE", `/credentials/${projects["id"]}`);
    expect(await paidBy(inside)).toBe(ENVIRONMENT);
  });

  test("never another organization's account", async () => {
    const other = await made("/organizations", { name: "other" });
    await connect({ secret: "sk-organization-0001" });
    const key = await makeKey({ organization: other["id"] });
    expect(await paidBy(key)).toBe(ENVIRONMENT);
    await connect({ secret: "sk-other-0000000001", organization: other["id"] });
    expect(await paidBy(key)).toBe("Bearer sk-other-0000000001");
    expect(await paidBy(await makeKey())).toBe("Bearer sk-organization-0001");
  });

  test("a provider that the environment does not connect is there for those who connect it, and their models with it", async () => {
    const project = await made("/projects", { name: "mistral only" });
    const inside = await makeKey({ project: project["id"] });
    const ask = { ...ASK, model: "mistral-small-latest" };
    expect(await paidBy(inside, ask)).not.toStartWith("Bearer");
    await connect({ provider: "mistral", secret: "mistral-own-000001", project: project["id"], base_url: `${upstream.url}/v1/` });
    expect(await paidBy(inside, ask)).toBe("Bearer mistral-own-000001");
    expect(await paidBy(await makeKey(), ask)).not.toStartWith("Bearer");
    const models = async (key: string): Promise<string> => (await house.get(key, "/v1/models")).text();
    expect(await models(inside)).toContain("mistral-small-latest");
    expect(await models(await makeKey())).not.toContain("mistral-small-latest");
  });

  test("an endpoint of one's own is connected by its address", async () => {
    await connect({ provider: "byo:gpu-7", secret: "endpoint-0000000001", base_url: `${upstream.url}/v1` });
    expect(await paidBy(await makeKey(), { ...ASK, model: "byo:gpu-7/llama-3" })).toBe("Bearer endpoint-0000000001");
  });

  test("nobody, once the credential is removed while the call waits for its turn: no request goes out without one", async () => {
    const stored = await connect({ provider: "mistral", secret: "mistral-own-000001", base_url: `${upstream.url}/v1` });
    const key = await makeKey();
    upstream.forget();
    upstream.play({ status: 500, headers: { "content-type": "application/json" }, body: "{}" });
    const removed = upstream.request(1).then(() => house.ports.directory.remove("credential", String(stored["id"])));
    const response = await house.chat(key, { ...ASK, model: "mistral-small-latest" });
    await removed;
    expect(response.status).toBeGreaterThanOrEqual(500);
    await house.settled();
    expect(upstream.requests.every((request) => request.headers["authorization"] === "Bearer mistral-own-000001")).toBe(true);
    expect(house.ports.counters.read("organization:default", "live").reserved).toBe(0n as never);
  });
});

describe("a rotation", () => {
  const rotate = (id: unknown, body: object) => made(`/credentials/${id}/rotate`, body);

  test("asks with the new secret at once, and with the older where the new one is refused, until its grace ends", async () => {
    const stored = await connect({ secret: "sk-older-0000000001" });
    const key = await makeKey();
    const shown = await rotate(stored["id"], { secret: "sk-newer-0000000002", grace_seconds: 3_600 });
    expect(shown).toMatchObject({ id: stored["id"], last_four: "0002", older: { last_four: "0001" } });
    expect(await paidBy(key)).toBe("Bearer sk-newer-0000000002");

    upstream.forget();
    upstream.play(REFUSED);
    upstream.play(CHAT_ANSWER);
    const response = await house.chat(key, ASK);
    expect(response.status).toBe(200);
    expect(upstream.requests.map((request) => request.headers["authorization"])).toEqual([
      "Bearer sk-newer-0000000002",
      "Bearer sk-older-0000000001",
    ]);
    await response.text();
    await house.settled();
    expect(house.log.lines.filter((line) => line.event === "older_credential_used")).toHaveLength(1);

    clock.advance(HOUR_MS);
    upstream.forget();
    upstream.play(REFUSED, { times: "always" });
    expect((await house.chat(key, ASK)).status).toBe(502);
    expect(upstream.requests.every((request) => request.headers["authorization"] === "Bearer sk-newer-0000000002")).toBe(true);
    expect((await admin("GET", `/credentials/${stored["id"]}`)).body["older"]).toBeNull();
  });

  test("without grace ends the older at once, and a second one ends the first one's", async () => {
    const stored = await connect({ secret: "sk-first-0000000001" });
    expect(await rotate(stored["id"], { secret: "sk-second-000000002", grace_seconds: 0 })).toMatchObject({ older: null });
    await rotate(stored["id"], { secret: "sk-third-0000000003" });
    const shown = await rotate(stored["id"], { secret: "sk-fourth-000000004" });
    expect(shown["older"]).toMatchObject({ last_four: "0003", retires_at: new Date(clock.now() + 24 * HOUR_MS).toISOString() });
  });

  test("hides both secrets, should the provider tell them", async () => {
    const stored = await connect({ secret: "sk-older-0000000001" });
    await rotate(stored["id"], { secret: "sk-newer-0000000002" });
    upstream.forget();
    const body = JSON.stringify({ error: { message: "Neither sk-newer-0000000002 nor sk-older-0000000001 may.", type: "x" } });
    upstream.play({ ...REFUSED, status: 400, body }, { times: "always" });
    const text = await (await house.chat(await makeKey(), ASK)).text();
    expect(text).toContain("[redacted]");
    expect(text).not.toMatch(/sk-newer|sk-older/);
  });

  test.each<[string, object, string]>([
    ["no secret", {}, "secret"],
    ["the grace of a year", { secret: "sk-newer-0000000002", grace_seconds: 31_536_000 }, "grace_seconds"],
    ["a grace below zero", { secret: "sk-newer-0000000002", grace_seconds: -1 }, "grace_seconds"],
    ["a field that is none", { secret: "sk-newer-0000000002", grace: 1 }, "grace"],
  ])("is refused with %s", async (_, body, param) => {
    const stored = await connect({});
    expect(await refusal(body, `/credentials/${stored["id"]}/rotate`)).toMatchObject({ status: 400, param });
    expect((await admin("GET", `/credentials/${stored["id"]}`)).body).toEqual(stored);
  });
});

describe("what is shown of a credential", () => {
  test("is its last four characters, and never more: in no document, event, log line or record", async () => {
    const secret = "sk-canary-0123456789-wxyz";
    const stored = await connect({ secret, name: "production" });
    expect(stored).toEqual({
      object: "credential",
      id: expect.stringMatching(/^cred_[0-9A-Za-z]{12}$/) as never,
      name: "production",
      provider: "openai",
      organization: "default",
      project: null,
      last_four: "wxyz",
      base_url: null,
      master_key: house.ports.vault.keyId,
      older: null,
      created_at: new Date(clock.now()).toISOString(),
    });
    await admin("POST", `/credentials/${stored["id"]}/rotate`, { secret: `${secret}-2` });
    await paidBy(await makeKey());
    const texts = [
      (await admin("GET", "/credentials")).text,
      (await admin("GET", `/credentials/${stored["id"]}`)).text,
      (await admin("GET", "/providers")).text,
      (await admin("GET", "/events")).text,
      JSON.stringify(house.log.lines),
      JSON.stringify(house.ports.directory.list("credential", "default"), (_, value: unknown) => (typeof value === "bigint" ? "" : value)),
    ];
    for (const text of texts) expect(text).not.toContain("canary");
    expect(texts[3]).toContain("credential.created");
    expect(texts[3]).toContain("credential.rotated");
  });

  test("says of every provider who pays for it", async () => {
    const project = await made("/projects", { name: "p" });
    await connect({ provider: "mistral", secret: "mistral-own-000001" });
    await connect({ provider: "groq", secret: "groq-own-00000001", project: project["id"] });
    const rows = async (query: string): Promise<Document[]> => (await admin("GET", `/providers${query}`)).body["data"] as Document[];
    const row = (all: Document[], name: string) => all.find((one) => one["provider"] === name);
    const whole = await rows("");
    expect(row(whole, "openai")).toMatchObject({
      state: "connected",
      source: "environment",
      credential: null,
      key_variable: "OPENAI_API_KEY",
    });
    expect(row(whole, "mistral")).toMatchObject({ state: "connected", source: "organization" });
    expect(row(whole, "groq")).toMatchObject({ state: "not_connected", source: null });
    expect(row(await rows("?project=p"), "groq")).toMatchObject({ state: "connected", source: "project" });
    expect((await admin("GET", "/providers?project=nothing")).status).toBe(404);
  });
});

describe("a credential is refused", () => {
  const GOOD = { provider: "openai", secret: "sk-canary-000000000" };

  test.each<[string, object, string, string]>([
    ["without a provider", { secret: GOOD.secret }, "missing_required_parameter", "provider"],
    ["without a secret", { provider: "openai" }, "missing_required_parameter", "secret"],
    ["for a provider that is none", { ...GOOD, provider: "opneai" }, "invalid_value", "provider"],
    ["for an endpoint whose name is none", { ...GOOD, provider: "byo:My Machine" }, "invalid_value", "provider"],
    ["for an endpoint without an address", { ...GOOD, provider: "byo:gpu" }, "missing_required_parameter", "base_url"],
    ["with a secret of a few characters", { ...GOOD, secret: "short" }, "invalid_value", "secret"],
    ["with a secret that no header carries", { ...GOOD, secret: "sk-canary two words" }, "invalid_value", "secret"],
    ["with a secret that is no text", { ...GOOD, secret: 12345678 }, "invalid_type", "secret"],
    ["with an address that is none", { ...GOOD, base_url: "api.openai.com" }, "invalid_value", "base_url"],
    ["with an address of another kind", { ...GOOD, base_url: "file:///etc/passwd" }, "invalid_value", "base_url"],
    ["with a user in the address", { ...GOOD, base_url: "https://u:p@api.openai.com/v1" }, "invalid_value", "base_url"],
    ["with a query in the address", { ...GOOD, base_url: "https://api.openai.com/v1?x=1" }, "invalid_value", "base_url"],
    ["for a project that is none", { ...GOOD, project: "proj_nothing" }, "not_found", "project"],
    ["for an organization that is none", { ...GOOD, organization: "org_nothing" }, "not_found", "organization"],
    ["with a name of control characters", { ...GOOD, name: "a\nb" }, "invalid_value", "name"],
    ["with a field that is none", { ...GOOD, key: "x" }, "unsupported_parameter", "key"],
  ])("%s, and nothing is written", async (_, body, code, param) => {
    const told = await refusal(body);
    expect(told).toMatchObject({ code, param });
    expect(told.text).not.toContain("canary");
    expect(house.ports.directory.list("credential", "default")).toEqual([]);
  });

  test("where its provider has one already; in a project beside the organization's it is not", async () => {
    const project = await made("/projects", { name: "p" });
    const first = await connect({});
    const told = await refusal(GOOD);
    expect(told).toMatchObject({ code: "invalid_value", param: "provider" });
    expect(told.message).toContain(String(first["id"]));
    await connect({ project: project["id"] });
    expect(await refusal({ ...GOOD, project: "p" })).toMatchObject({ param: "provider" });
  });

  test("of another organization: it is 404 to read, rotate and delete there", async () => {
    const other = await made("/organizations", { name: "other" });
    const { id } = await connect({});
    const at = `/credentials/${id}`;
    expect((await admin("GET", `${at}?organization=${other["id"]}`)).status).toBe(404);
    expect((await admin("POST", `${at}/rotate?organization=${other["id"]}`, { secret: "sk-newer-0000000002" })).status).toBe(404);
    expect((await admin("DELETE", `${at}?organization=${other["id"]}`)).status).toBe(404);
    expect((await admin("GET", at)).status).toBe(200);
    expect(await refusal({ ...GOOD, organization: other["id"], project: "p" })).toMatchObject({ status: 404, param: "project" });
  });

  test.each([
    "http://127.0.0.1:8080/v1",
    "http://[::1]/v1",
    "http://169.254.169.254/v1",
    "http://10.0.0.7/v1",
    "http://2130706433/v1",
    "http://0x7f.1/v1",
  ])("with the address %s inside the house, where providers do not live there", async (base_url) => {
    const closed = await startHouse({
      clock,
      adapt: (ports) => ({ ...ports, notify: openNotify({ allowPrivate: false, clock: systemClock }) }),
    });
    const answer = await admin("POST", "/credentials", { ...GOOD, base_url }, closed);
    expect(answer.body["error"]).toMatchObject({ code: "invalid_value", param: "base_url" });
    await closed.close();
  });
});

describe("a row that was changed behind the gateway's back", () => {
  /** Puts a changed row in the place of the stored one, as one who can write to the database would. */
  async function tampered(
    change: (record: RecordTypes["credential"]) => RecordTypes["credential"],
    key: string,
  ): Promise<string | undefined> {
    const [record] = house.ports.directory.list("credential", "default");
    if (!record) throw new Error("There is none");
    await house.ports.directory.put("credential", change(record));
    return paidBy(key);
  }

  test("is used by no call, and neither is another account in its place", async () => {
    await connect({ secret: "sk-own-00000000aaaa" });
    const key = await makeKey();
    const flip = (text: string): string => (text.startsWith("A") ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    expect(await tampered((record) => ({ ...record, sealed: flip(record.sealed) }), key)).not.toStartWith("Bearer");
    expect(upstream.requests).toHaveLength(0);
    expect(house.log.lines.some((line) => line.event === "credential_not_opened")).toBe(true);
    const rows = (await admin("GET", "/providers")).body["data"] as Document[];
    expect(rows.find((row) => row["provider"] === "openai")).toMatchObject({ state: "unusable" });
  });

  test("does not bring one organization's secret to another", async () => {
    const other = await made("/organizations", { name: "other" });
    await connect({ secret: "sk-theirs-000000001", organization: other["id"] });
    await connect({ secret: "sk-ours-00000000001" });
    const key = await makeKey();
    const [theirs] = house.ports.directory.list("credential", String(other["id"]));
    expect(await tampered((record) => ({ ...record, sealed: theirs?.sealed ?? "" }), key)).not.toStartWith("Bearer");
  });

  test("is mended by a rotation", async () => {
    const { id } = await connect({});
    const key = await makeKey();
    await tampered((record) => ({ ...record, lastFour: "xxxx", sealed: "AAAA" }), key);
    await made(`/credentials/${id}/rotate`, { secret: "sk-mended-000000001" });
    expect(await paidBy(key)).toBe("Bearer sk-mended-000000001");
  });
});

describe("a new master key", () => {
  test("opens what the old one sealed, and seals everything anew: then the old one may go", async () => {
    const stored = await connect({ secret: "sk-kept-00000000001" });
    await made(`/credentials/${stored["id"]}/rotate`, { secret: "sk-kept-00000000002" });
    const older = new Uint8Array(32).fill(7);
    const current = new Uint8Array(32).fill(8);
    const ports = { ...house.ports, vault: openVault({ current, old: [older], random: systemRandom }) };
    expect(await rekey(ports)).toEqual({ object: "rekey", master_key: masterKeyId(current), resealed: 2, unreadable: [] });
    expect(await rekey(ports)).toMatchObject({ resealed: 0 });
    const [record] = house.ports.directory.list("credential", "default");
    expect([record?.masterKeyId, record?.older?.masterKeyId]).toEqual([masterKeyId(current), masterKeyId(current)]);
    const alone = openVault({ current, random: systemRandom });
    if (!record) throw new Error("There is none");
    expect(alone.open(record, credentialPlace(record)).reveal()).toBe("sk-kept-00000000002");
  });

  test("leaves what does not open as it is, and says what that is", async () => {
    const { id } = await connect({});
    const ports = { ...house.ports, vault: openVault({ current: new Uint8Array(32).fill(9), random: systemRandom }) };
    const before = house.ports.directory.list("credential", "default");
    const row = { table: "credential", row: id, column: "sealed", master_key: house.ports.vault.keyId, reason: "unknown_key" };
    expect(await rekey(ports)).toMatchObject({ resealed: 0, unreadable: [row] });
    expect(house.ports.directory.list("credential", "default")).toEqual(before);
  });

  test("finds nothing to do over the route while there is one key", async () => {
    await connect({});
    expect((await admin("POST", "/vault/rekey")).body).toEqual({
      object: "rekey",
      master_key: house.ports.vault.keyId,
      resealed: 0,
      unreadable: [],
    });
  });
});

describe("after a restart", () => {
  test("stored credentials are connected again", async () => {
    const data = memoryData();
    const first = await startHouse({ endpoints: connectionsTo(upstream.url, ["openai"]), store: { kind: "memory", data }, clock });
    await admin("POST", "/credentials", { provider: "openai", secret: "sk-lasting-00000001" }, first);
    await first.close();
    data.owner = undefined;
    const second = await startHouse({ endpoints: connectionsTo(upstream.url, ["openai"]), store: { kind: "memory", data }, clock });
    expect(second.ports.connections.connected("default")[0]?.credential?.reveal()).toBe("sk-lasting-00000001");
    await second.close();
  });
});
