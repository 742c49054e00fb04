// A reseller's own name on everything that a caller sees: headers, bodies, keys, errors, models.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startUpstream, type Upstream } from "../upstream/upstream";
import {
  ADMIN_KEY,
  chat,
  connectedTo,
  emptyFolder,
  FROM_SOURCE,
  type GatewayProcess,
  makeKey,
  run,
  serve,
  type Variables,
} from "./gateway-process";
import { CHAT_ANSWER, CHAT_STREAM, frames } from "./own-answers";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Say hello, please" }] };

interface Brand {
  env: Variables;
  namespace: string;
  prefix: string;
}

const BRANDS: readonly [string, Brand][] = [
  ["a namespace of its own", { env: { TOLLWAY_NAMESPACE: "acme" }, namespace: "acme", prefix: "acme" }],
  ["a namespace and a key prefix", { env: { TOLLWAY_NAMESPACE: "conduix", TOLLWAY_KEY_PREFIX: "cx" }, namespace: "conduix", prefix: "cx" }],
];

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

/** Everything a caller can see of an answer. */
async function seen(response: Response): Promise<string> {
  return JSON.stringify([...response.headers]) + (await response.text());
}

describe.each(BRANDS)("%s:", (_, { env, namespace, prefix }) => {
  const folder = emptyFolder();
  let gateway: GatewayProcess;
  let key: string;
  beforeAll(async () => {
    gateway = await serve(FROM_SOURCE, folder.path, { ...connectedTo(upstream.url), TOLLWAY_ADMIN_KEY: ADMIN_KEY, ...env });
    key = (await makeKey(gateway.url)).key;
  });
  afterAll(async () => {
    gateway.signal("SIGTERM");
    await gateway.ended;
    folder.remove();
  });

  test("keys begin with it, those of the command line too", async () => {
    expect(key).toStartWith(`${prefix}_live_`);
    expect((await makeKey(gateway.url, "test")).key).toStartWith(`${prefix}_test_`);
    const made = await run(FROM_SOURCE, ["keys", "create", "--name", "cli"], folder.path, env);
    expect(made.stdout).toMatch(new RegExp(`^${prefix}_live_[0-9A-Za-z]{61}\n$`));
    upstream.play(CHAT_ANSWER);
    expect((await chat(gateway.url, made.stdout.trim(), ASK)).status).toBe(200);
  });

  test("headers and the extension of an answer have it, and nothing has ours", async () => {
    upstream.play(CHAT_ANSWER);
    const response = await chat(gateway.url, key, ASK);
    expect(response.headers.get(`x-${namespace}-provider`)).toBe("openai");
    expect(response.headers.get(`x-${namespace}-request-id`)).toBe(response.headers.get("x-request-id") as string);
    const body = (await response.clone().json()) as Record<string, { provider: string }>;
    expect(body[namespace]).toMatchObject({ provider: "openai", cost_usd: 0.00000885 });
    expect(await seen(response)).not.toContain("tollway");
  });

  test("a stream's extension has it", async () => {
    upstream.play(CHAT_STREAM);
    const response = await chat(gateway.url, key, { ...ASK, stream: true });
    const text = await response.clone().text();
    expect(frames(text).at(-1)).toMatchObject({ [namespace]: { cost_usd: 0.00000885 } });
    expect(await seen(response)).not.toContain("tollway");
  });

  test("headers in are read under it, and ours are nobody's", async () => {
    upstream.play(CHAT_ANSWER);
    const tagged = await chat(gateway.url, key, ASK, { [`x-${namespace}-tag`]: "mine", "x-tollway-tag": "not a tag at all" });
    expect(tagged.status).toBe(200);
    const id = tagged.headers.get("x-request-id");
    const path = `${gateway.url}/v1/account/audit/${id}`;
    let entry = await fetch(path, { headers: { authorization: `Bearer ${key}` } });
    while (entry.status === 404) entry = await fetch(path, { headers: { authorization: `Bearer ${key}` } });
    expect(await entry.json()).toMatchObject({ tag: "mine" });
    const refused = await chat(gateway.url, key, ASK, { [`x-${namespace}-tag`]: "not a tag" });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: "invalid_tag", param: `x-${namespace}-tag` } });
  });

  test("the extension of a request under it goes to no provider", async () => {
    upstream.forget();
    upstream.play(CHAT_ANSWER);
    expect((await chat(gateway.url, key, { ...ASK, [namespace]: { mode: "cost" } })).status).toBe(200);
    expect(upstream.requests[0]?.text()).not.toContain(namespace);
  });

  test.each<[string, () => Promise<Response>, number]>([
    ["an unknown model", () => chat(gateway.url, key, { ...ASK, model: "no-such-model" }), 404],
    ["a wrong key", () => chat(gateway.url, `${prefix}_live_wrong`, ASK), 401],
    ["a key of the product's own prefix", () => chat(gateway.url, `tw_live_${"0".repeat(61)}`, ASK), 401],
    ["an unknown address", () => fetch(`${gateway.url}/nowhere`), 404],
    ["a closed door", () => fetch(`${gateway.url}/admin/v1/keys`), 401],
  ])("an error's extension has it: %s", async (_, ask, status) => {
    const response = await ask();
    expect(response.status).toBe(status);
    const { error } = (await response.clone().json()) as { error: Record<string, unknown> };
    expect(error[namespace]).toMatchObject({ request_id: response.headers.get(`x-${namespace}-request-id`) });
    expect(await seen(response)).not.toContain("tollway");
    expect(String(error["message"])).not.toContain("tw_");
  });

  test("models are described under it", async () => {
    const response = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    const { data } = (await response.clone().json()) as { data: Record<string, unknown>[] };
    expect(data[0]).toMatchObject({ id: "auto", owned_by: namespace });
    for (const model of data) expect(model[namespace]).toBeObject();
    expect(await seen(response)).not.toContain('"tollway"');
  });
});
