// The compiled binary on a remote libSQL database: the plain libSQL entry crashes in a compiled binary, so this is where it would show.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type HranaServer, serveHrana } from "../hrana/server";
import { gate } from "../upstream/script";
import { startUpstream, type Upstream } from "../upstream/upstream";
import { binaryName, lonelyBinary, withoutBinary } from "./binary-file";
import { ADMIN_KEY, chat, connectedTo, emptyFolder, type GatewayProcess, makeKey, run, serve, type Variables } from "./gateway-process";
import { CHAT_ANSWER, CHAT_STREAM } from "./own-answers";

const ASK = { model: "gpt-4o-mini", max_tokens: 50, messages: [{ role: "user", content: "Hello" }] };
const TOKEN = "token-of-the-remote-database";

interface Account {
  key: { spent_usd: number; reserved_usd: number };
}

describe.skipIf(withoutBinary)(`${binaryName} on a remote database`, () => {
  const binary = lonelyBinary();
  const folder = emptyFolder();
  const remote = emptyFolder();
  let hrana: HranaServer;
  let upstream: Upstream;
  let gateway: GatewayProcess;
  let env: Variables;
  let key: string;

  const get = async <T>(path: string): Promise<T> =>
    (await (await fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } })).json()) as T;

  beforeAll(async () => {
    hrana = serveHrana({ path: join(remote.path, "remote.db"), authToken: TOKEN });
    upstream = await startUpstream();
    env = {
      ...connectedTo(upstream.url),
      TOLLWAY_ADMIN_KEY: ADMIN_KEY,
      TOLLWAY_DATABASE_URL: hrana.url,
      TOLLWAY_DATABASE_TOKEN: TOKEN,
    };
    gateway = await serve(binary.command, folder.path, env);
    key = (await makeKey(gateway.url)).key;
  });
  afterAll(async () => {
    gateway.signal("SIGTERM");
    await gateway.ended;
    await hrana.stop();
    await upstream.close();
    for (const one of [binary, folder, remote]) one.remove();
  });

  test("answers, streams, and keeps what it cost there, with no database file of its own", async () => {
    upstream.play(CHAT_ANSWER);
    const whole = await chat(gateway.url, key, ASK);
    expect(whole.status).toBe(200);
    upstream.play(CHAT_STREAM);
    expect(await (await chat(gateway.url, key, { ...ASK, stream: true })).text()).toEndWith("data: [DONE]\n\n");
    let audit = await get<{ data: { request_id: string; cost_usd: number }[] }>("/v1/account/audit");
    while (audit.data.length < 2) audit = await get("/v1/account/audit");
    expect(audit.data.map((entry) => entry.cost_usd)).toEqual([0.00000885, 0.00000885]);
    expect(audit.data.map((entry) => entry.request_id)).toContain(whole.headers.get("x-request-id") as string);
    expect((await get<Account>("/v1/account")).key).toMatchObject({ spent_usd: 0.0000177, reserved_usd: 0 });
    expect(existsSync(join(folder.path, "data/tollway.db"))).toBe(false);
  });

  test("the books are there after a restart", async () => {
    gateway.signal("SIGTERM");
    expect((await gateway.ended).code).toBe(0);
    gateway = await serve(binary.command, folder.path, env);
    expect((await get<Account>("/v1/account")).key).toMatchObject({ spent_usd: 0.0000177, reserved_usd: 0 });
    upstream.play(CHAT_ANSWER);
    expect((await chat(gateway.url, key, ASK)).status).toBe(200);
  });

  test("a database that is away when the gateway stops is said in one line, and the exit is not 0", async () => {
    const { promise, open } = gate();
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: promise }] });
    const text = (await chat(gateway.url, key, { ...ASK, stream: true })).text();
    hrana.away = true;
    open();
    expect(await text).toEndWith("data: [DONE]\n\n");
    gateway.signal("SIGTERM");
    const { code, stderr } = await gateway.ended;
    hrana.away = false;
    expect(code).toBe(1);
    expect(stderr).toContain("tollway: Not every call could be written");
    expect(stderr).not.toContain("    at ");
  });

  test("a wrong token and an address where nobody is are refused in one line, without the token", async () => {
    const other = emptyFolder();
    for (const changed of [{ TOLLWAY_DATABASE_TOKEN: "wrong-canary" }, { TOLLWAY_DATABASE_URL: "http://127.0.0.1:9" }]) {
      const finished = await run(binary.command, ["serve", "--port", "0"], other.path, { ...env, ...changed });
      expect(finished).toMatchObject({ code: 1, stdout: "" });
      expect(finished.stderr).toMatch(/^tollway: The remote database could not be opened/);
      expect(finished.stderr.trim().split("\n")).toHaveLength(1);
      expect(finished.stderr).not.toMatch(/wrong-canary|token-of-the-remote-database/);
    }
    other.remove();
  });
});
