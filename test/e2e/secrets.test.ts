// Canaries: values that may stand in one place only. The process is used in every way it can fail, and then everything it wrote is searched.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import type { Script } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import {
  ADMIN_KEY,
  chat,
  emptyFolder,
  type Finished,
  FROM_SOURCE,
  filesOf,
  type GatewayProcess,
  makeKey,
  run,
  serve,
  type Variables,
} from "./gateway-process";
import { CHAT_ANSWER, CHAT_STREAM } from "./own-answers";

/** None has the shape of a known key: what hides them must not be a pattern. */
const PROVIDER_KEYS = { openai: "canary.openai.credential", anthropic: "canary.anthropic.credential", gemini: "canary.gemini.credential" };
const PEPPER = "canary-pepper-0123456789-0123456789-0123456789";
const PROMPT = "canary prompt: the pelican flies at dawn";
const ANSWER = "canary answer: the heron waits";
const TOOL_ARGUMENT = "canary argument: the stork sleeps";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: PROMPT }] };
const JSON_HEADERS = { "content-type": "application/json" };

const said = (answer: Script): Script => ({ ...answer, body: String(answer.body).replaceAll(/ there| length/g, ` ${ANSWER}`) });
const error = (status: number, message: string): Script => ({
  status,
  headers: {
    ...JSON_HEADERS,
    "x-debug": PROVIDER_KEYS.openai,
    authorization: `Bearer ${PROVIDER_KEYS.openai}`,
    "set-cookie": `session=${PROVIDER_KEYS.openai}`,
  },
  body: JSON.stringify({ error: { message, type: "server_error", code: "x" } }),
});

const folder = emptyFolder();
let upstream: Upstream;
let gateway: GatewayProcess;
let finished: Finished;
let live: { id: string; key: string };
let trial: { id: string; key: string };
/** Whatever reached a caller, by the use that brought it. */
const answers = new Map<string, { whole: boolean; text: string }>();

async function use(name: string, ask: () => Promise<Response>, whole = false): Promise<void> {
  const response = await ask();
  answers.set(name, { whole, text: JSON.stringify([...response.headers]) + (await response.text()) });
}

const own = (path: string, key: string): Promise<Response> => fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } });

/** Good calls, refusals, and every kind of fault, on a live key and a test key. */
async function usage(): Promise<void> {
  const call = (body: object, answer?: Script, headers: Variables = {}): (() => Promise<Response>) => {
    if (answer) upstream.play(answer);
    return () => chat(gateway.url, live.key, body, headers);
  };
  await use("a whole answer", call(ASK, said(CHAT_ANSWER), { "x-tollway-tag": "a-tag" }), true);
  await use("a stream", call({ ...ASK, stream: true }, said(CHAT_STREAM)), true);
  await use("a broken stream", call({ ...ASK, stream: true }, { ...said(CHAT_STREAM), end: { kind: "cut", afterBytes: 1_200 } }), true);
  await use(
    "tools",
    call({ ...ASK, tools: [{ type: "function", function: { name: "f", description: TOOL_ARGUMENT } }] }, said(CHAT_ANSWER)),
    true,
  );
  for (const status of [400, 401, 403, 404, 429, 500, 503]) {
    await use(`a provider's ${status}`, call(ASK, error(status, `It failed with ${status}.`)));
  }
  await use("a provider's 401 that says the key", call(ASK, error(401, `Incorrect API key provided: ${PROVIDER_KEYS.openai}.`)));
  await use("HTML", call(ASK, { status: 200, headers: { "content-type": "text/html" }, body: `<html>${PROVIDER_KEYS.openai}</html>` }));
  await use("broken JSON", call(ASK, { status: 200, headers: JSON_HEADERS, body: `{"id": "${ANSWER}` }));
  await use("a reset", call(ASK, { end: { kind: "reset-before-headers" } }));
  await use("a redirect", call(ASK, { status: 302, headers: { location: `${upstream.url}/?key=${PROVIDER_KEYS.openai}` }, body: "" }));
  await use("an unknown model", call({ ...ASK, model: "no-such-model" }));
  await use("a wrong type", call({ ...ASK, temperature: PROMPT }));
  await use("a role that is none", call({ ...ASK, messages: [{ role: "wizard", content: PROMPT }] }));
  await use("no JSON", () =>
    fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${live.key}` }, body: `{"${PROMPT}` }),
  );
  await use("a wrong secret", () =>
    chat(
      gateway.url,
      live.key.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
      ASK,
    ),
  );
  await use("no key", () => fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", body: JSON.stringify(ASK) }));
  await use("the key where it does not belong", () => fetch(`${gateway.url}/nowhere?key=${live.key}`));
  await use("a wrong admin key", () => own("/admin/v1/keys", `${ADMIN_KEY}x`));
  await use("a simulated answer", () => chat(gateway.url, trial.key, ASK), true);
  await use("a simulated fault", () =>
    chat(gateway.url, trial.key, { ...ASK, messages: [{ role: "user", content: `${PROMPT} [[simulate: status=500]]` }] }),
  );
  for (const path of ["/v1/models", "/v1/account", "/v1/account/usage", "/v1/account/audit"]) await use(path, () => own(path, live.key));
  await use("the list of keys", () => own("/admin/v1/keys", ADMIN_KEY));
}

beforeAll(async () => {
  // A repeat on the same target, where the retry budget has one, fails too.
  upstream = await startUpstream({ answer: () => error(500, "Still down.") });
  const env = {
    TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: "1",
    TOLLWAY_OPENAI_BASE_URL: `${upstream.url}/v1`,
    TOLLWAY_ADMIN_KEY: ADMIN_KEY,
    TOLLWAY_KEY_PEPPER: PEPPER,
    TOLLWAY_LOG: "debug",
    OPENAI_API_KEY: PROVIDER_KEYS.openai,
    ANTHROPIC_API_KEY: PROVIDER_KEYS.anthropic,
    GEMINI_API_KEY: PROVIDER_KEYS.gemini,
  };
  gateway = await serve(FROM_SOURCE, folder.path, env);
  live = await makeKey(gateway.url);
  trial = await makeKey(gateway.url, "test");
  await usage();
  gateway.signal("SIGTERM");
  finished = await gateway.ended;
});
afterAll(async () => {
  await upstream.close();
  folder.remove();
});

const secrets = (): readonly [string, string][] => [
  ...Object.entries(PROVIDER_KEYS).map(([name, value]): [string, string] => [`the credential for ${name}`, value]),
  ["the pepper", PEPPER],
  ["the admin key", ADMIN_KEY],
  ["the live key", live.key],
  ["the secret of the live key", live.key.slice(-49)],
  ["the test key", trial.key],
];
const words = (): readonly [string, string][] => [
  ["the prompt", PROMPT],
  ["the answer", ANSWER],
  ["a tool's text", TOOL_ARGUMENT],
];

function found(where: string, text: string, canaries: readonly [string, string][]): string[] {
  const folded = text.toLowerCase();
  return canaries.filter(([, value]) => folded.includes(value.toLowerCase())).map(([name]) => `${name} in ${where}`);
}

describe("after every kind of use", () => {
  test("the uses were what they are called", () => {
    expect(finished.code).toBe(0);
    expect(upstream.problems).toEqual([]);
    expect(upstream.requests.every((request) => request.headers["authorization"] === `Bearer ${PROVIDER_KEYS.openai}`)).toBe(true);
    expect(upstream.requests.filter((request) => request.text().includes(PROMPT)).length).toBe(upstream.requests.length);
    expect(answers.get("a whole answer")?.text).toContain(ANSWER);
    expect(answers.get("a stream")?.text).toContain(ANSWER);
    expect(answers.size).toBeGreaterThan(25);
  });

  test("no secret came back to a caller, in a header or a body", () => {
    expect([...answers].flatMap(([name, { text }]) => found(name, text, secrets()))).toEqual([]);
  });

  test("no error repeats what was asked or answered", () => {
    const errors = [...answers].filter(([, { whole }]) => !whole);
    expect(errors.flatMap(([name, { text }]) => found(name, text, words()))).toEqual([]);
  });

  test("stdout has the ready line and nothing else", () => {
    expect(finished.stdout).toBe(`ready ${gateway.url}\n`);
  });

  test("the log has lines for the calls, and no secret, prompt or answer in any of them", () => {
    const lines = finished.stderr.split("\n").filter((line) => line.startsWith("{"));
    expect(lines.filter((line) => line.includes('"event":"attempt"')).length).toBeGreaterThan(15);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(found("stderr", finished.stderr, [...secrets(), ...words()])).toEqual([]);
  });

  test("the data folder holds neither secrets nor prompts nor answers, in any byte of any file", () => {
    const files = filesOf(folder.path);
    expect([...files.keys()].some((name) => name.endsWith("tollway.db"))).toBe(true);
    const contents = [...files].map(([name, bytes]): [string, string] => [name, Buffer.from(bytes).toString("latin1")]);
    expect(contents.some(([, text]) => text.includes(live.id) && text.includes("a-tag"))).toBe(true);
    for (const [name, text] of contents) expect(found(name, text, [...secrets(), ...words()])).toEqual([]);
  });
});

test("a key that the command line makes stands on stdout, once, and nowhere else", async () => {
  const made = await run(FROM_SOURCE, ["keys", "create", "--name", "cli"], folder.path, {
    TOLLWAY_KEY_PEPPER: PEPPER,
    TOLLWAY_LOG: "debug",
  });
  expect(made.code).toBe(0);
  const key = made.stdout.trim();
  expect(key).toMatch(/^tw_live_[0-9A-Za-z]{61}$/);
  expect(made.stderr).not.toContain(key.slice(-49));
  for (const bytes of filesOf(folder.path).values()) expect(Buffer.from(bytes).toString("latin1")).not.toContain(key.slice(-49));
});

test("the pepper that a first start makes is its owner's alone, and so is the folder", async () => {
  const fresh = emptyFolder();
  const first = await serve(FROM_SOURCE, fresh.path);
  expect(statSync(`${fresh.path}/data/pepper`).mode & 0o077).toBe(0);
  expect(statSync(`${fresh.path}/data`).mode & 0o077).toBe(0);
  expect(statSync(`${fresh.path}/data/admin.sock`).mode & 0o077).toBe(0);
  first.signal("SIGTERM");
  expect((await first.ended).code).toBe(0);
  fresh.remove();
});
