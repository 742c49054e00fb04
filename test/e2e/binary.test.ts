// The compiled binary, alone, in an empty folder, with an empty environment: first run, keys, stopping, and what it refuses.
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rawConnect } from "../upstream/raw-client";
import { gate } from "../upstream/script";
import { startUpstream } from "../upstream/upstream";
import { binaryName, lonelyBinary, withoutBinary } from "./binary-file";
import {
  ADMIN_KEY,
  chat,
  connectedTo,
  emptyFolder,
  type Finished,
  type GatewayProcess,
  makeKey,
  run,
  serve,
  type Variables,
} from "./gateway-process";
import { CHAT_STREAM, frames } from "./own-answers";

const ASK = { model: "auto", messages: [{ role: "user", content: "Hello! [[simulate: pace=0]]" }] };

const binary = lonelyBinary();
let folder: ReturnType<typeof emptyFolder>;
const running = new Set<GatewayProcess>();

beforeEach(() => {
  folder = emptyFolder();
});
afterEach(async () => {
  for (const gateway of running) gateway.signal("SIGKILL");
  await Promise.all([...running].map((gateway) => gateway.ended));
  running.clear();
  folder.remove();
});
afterAll(() => binary.remove());

async function started(env: Variables = {}, args: readonly string[] = []): Promise<GatewayProcess> {
  const gateway = await serve(binary.command, folder.path, env, args);
  running.add(gateway);
  void gateway.ended.then(() => running.delete(gateway));
  return gateway;
}

async function stopped(gateway: GatewayProcess): Promise<Finished> {
  gateway.signal("SIGTERM");
  return gateway.ended;
}

const tollway = (...args: string[]): Promise<Finished> => run(binary.command, args, folder.path);
const refused = (args: string[], env: Variables = {}): Promise<Finished> => run(binary.command, args, folder.path, env);
const testKeyOf = (gateway: GatewayProcess): string => /^ {2}(tw_test_[0-9A-Za-z]{61})$/m.exec(gateway.stderr())?.[1] ?? "";
const get = (gateway: GatewayProcess, key: string, path: string): Promise<Response> =>
  fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } });
const hashOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

describe.skipIf(withoutBinary)(`${binaryName}: the first run`, () => {
  test("needs nothing: it listens, says so in one line, and its test key works at once", async () => {
    const gateway = await started();
    expect(gateway.stdout()).toBe(`ready ${gateway.url}\n`);
    expect(gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const key = testKeyOf(gateway);
    expect(gateway.stderr()).toContain(`curl ${gateway.url}/v1/chat/completions`);
    expect(gateway.stderr()).toContain("no provider is connected");

    const response = await chat(gateway.url, key, ASK);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: expect.stringContaining("simulator") as never }, finish_reason: "stop" }],
      tollway: { provider: "simulator", test: true },
    });
  });

  test("streams", async () => {
    const gateway = await started();
    const response = await chat(gateway.url, testKeyOf(gateway), { ...ASK, stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    const text = await response.text();
    expect(text).toEndWith("data: [DONE]\n\n");
    expect(frames(text).length).toBeGreaterThan(5);
    expect(frames(text).at(-1)).toMatchObject({ usage: { prompt_tokens: expect.any(Number) as never }, tollway: { test: true } });
  });

  test("serves its closed and open doors, and its catalogue", async () => {
    const gateway = await started();
    const key = testKeyOf(gateway);
    for (const path of ["/health", "/livez", "/readyz"]) expect((await fetch(gateway.url + path)).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${gateway.url}/admin/v1/keys`)).status).toBe(401);
    const { data } = (await (await get(gateway, key, "/v1/models")).json()) as { data: unknown[] };
    expect(data.length).toBeGreaterThan(50);
  });

  test("makes one folder, that only its owner may read, and shows the same key at the next start", async () => {
    const first = await started();
    const key = testKeyOf(first);
    await chat(first.url, key, ASK);
    expect((await stopped(first)).code).toBe(0);
    expect(readdirSync(folder.path)).toEqual(["data"]);
    expect(statSync(join(folder.path, "data")).mode & 0o077).toBe(0);
    expect(existsSync(join(folder.path, "data/admin.sock"))).toBe(false);
    const second = await started();
    expect(testKeyOf(second)).toBe(key);
    const audit = (await (await get(second, key, "/v1/account/audit")).json()) as { data: unknown[] };
    expect(audit.data).toHaveLength(1);
  });

  test("is served without a command too, and reads tollway.yaml beside it", async () => {
    writeFileSync(join(folder.path, "tollway.yaml"), "data: elsewhere\nnamespace: acme\n");
    const gateway = await started({}, []);
    expect(existsSync(join(folder.path, "elsewhere/tollway.db"))).toBe(true);
    expect(gateway.stderr()).toMatch(/acme_test_[0-9A-Za-z]{61}/);
  });
});

describe.skipIf(withoutBinary)(`${binaryName}: tollway keys`, () => {
  test("creates, lists and revokes through the socket of the running server, at once", async () => {
    const gateway = await started();
    const made = await tollway("keys", "create", "--name", "my app", "--json");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const { id, key } = JSON.parse(made.stdout) as { id: string; key: string };
    expect(key).toStartWith("tw_live_");
    expect((await get(gateway, key, "/v1/account")).status).toBe(200);
    expect((await tollway("keys", "list")).stdout).toContain(`${id}\tlive\tactive\t`);
    expect((await tollway("keys", "revoke", id)).code).toBe(0);
    expect((await get(gateway, key, "/v1/account")).status).toBe(403);
    expect((await tollway("keys", "list")).stdout).toContain(`${id}\tlive\trevoked\t`);
  });

  test("does the same where no server runs, and the next server knows of it", async () => {
    expect((await stopped(await started())).code).toBe(0);
    const made = await tollway("keys", "create", "--name", "offline", "--mode", "test");
    expect(made.code).toBe(0);
    const key = made.stdout.trim();
    expect(key).toMatch(/^tw_test_[0-9A-Za-z]{61}$/);
    const other = JSON.parse((await tollway("keys", "create", "--name", "revoked", "--json")).stdout) as { id: string; key: string };
    expect((await tollway("keys", "revoke", other.id)).code).toBe(0);
    const gateway = await started();
    expect((await chat(gateway.url, key, ASK)).status).toBe(200);
    expect((await get(gateway, other.key, "/v1/account")).status).toBe(403);
  });

  test("prints a key on stdout and nowhere else", async () => {
    const made = await tollway("keys", "create", "--name", "x");
    expect(made.stdout).toMatch(/^tw_live_[0-9A-Za-z]{61}\n$/);
    expect(made.stderr).not.toContain(made.stdout.trim().slice(-49));
  });

  test("works after a kill left a socket that nobody listens on", async () => {
    const gateway = await started();
    gateway.signal("SIGKILL");
    await gateway.ended;
    expect(existsSync(join(folder.path, "data/admin.sock"))).toBe(true);
    expect((await tollway("keys", "create", "--name", "after")).code).toBe(0);
    const next = await started();
    expect((await chat(next.url, testKeyOf(next), ASK)).status).toBe(200);
  });
});

describe.skipIf(withoutBinary)(`${binaryName}: SIGTERM`, () => {
  test("lets a stream finish, takes nothing new, leaves a settled row, and exits 0", async () => {
    const upstream = await startUpstream();
    const { promise, open } = gate();
    upstream.play({ ...CHAT_STREAM, pauses: [{ afterBytes: 900, until: promise }] });
    const env = { ...connectedTo(upstream.url), TOLLWAY_ADMIN_KEY: ADMIN_KEY };
    const gateway = await started(env);
    const { key } = await makeKey(gateway.url);
    const response = await chat(gateway.url, key, { model: "gpt-4o-mini", stream: true, max_tokens: 50, messages: ASK.messages });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = new TextDecoder().decode((await reader.read()).value);
    gateway.signal("SIGTERM");
    // Until the signal is heard; then nobody new is let in, or is told to go elsewhere.
    let ready = 200;
    while (ready === 200)
      ready = await fetch(`${gateway.url}/readyz`).then(
        (answer) => answer.status,
        () => 0,
      );
    expect([0, 503]).toContain(ready);
    open();
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += new TextDecoder().decode(next.value);
    expect(text).toEndWith("data: [DONE]\n\n");
    expect((await gateway.ended).code).toBe(0);

    const again = await started(env);
    const { data } = (await (await get(again, key, "/v1/account/audit")).json()) as { data: { attempts: object[] }[] };
    expect(data.map((entry) => entry.attempts)).toMatchObject([[{ settlement: "exact", cost_usd: 0.00000885, flags: [] }]]);
    await upstream.close();
  });

  test("does not wait for connections that nothing happens on", async () => {
    const gateway = await started();
    const { port } = new URL(gateway.url);
    const idle = await rawConnect(Number(port));
    const used = await rawConnect(Number(port));
    used.send("GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n");
    await used.until(/"ok"/);
    const half = await rawConnect(Number(port));
    half.send("POST /v1/chat/completions HTTP/1.1\r\nhost: gate");
    expect((await stopped(gateway)).code).toBe(0);
    for (const connection of [idle, used, half]) connection.close();
  }, 5_000);

  test.each(["SIGTERM", "SIGINT"] as const)("%s to an idle gateway is exit 0, without a word on stdout", async (name) => {
    const gateway = await started();
    gateway.signal(name);
    expect(await gateway.ended).toMatchObject({ code: 0, stdout: `ready ${gateway.url}\n` });
  });
});

describe.skipIf(withoutBinary)(`${binaryName} refuses`, () => {
  test("a second server on the same data, which the first does not notice", async () => {
    const gateway = await started();
    const second = await refused(["serve", "--port", "0"]);
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toMatch(/^tollway: Another Tollway process is using .*tollway\.db/);
    expect((await chat(gateway.url, testKeyOf(gateway), ASK)).status).toBe(200);
    expect((await tollway("keys", "list")).code).toBe(0);
  });

  test.each<[string, (path: string) => void]>([
    ["overwritten", (path) => writeFileSync(path, Buffer.alloc(8_192, "not a database "))],
    ["cut short", (path) => writeFileSync(path, readFileSync(path).subarray(0, 5_000))],
    [
      "torn in the middle",
      (path) => {
        const bytes = readFileSync(path);
        bytes.fill(0xff, 4_096, 16_384);
        writeFileSync(path, bytes);
      },
    ],
  ])("a damaged database (%s), says what to do, and leaves it as it is", async (_, damage) => {
    const gateway = await started();
    await chat(gateway.url, testKeyOf(gateway), ASK);
    await stopped(gateway);
    const path = join(folder.path, "data/tollway.db");
    damage(path);
    const before = hashOf(path);
    for (const args of [
      ["serve", "--port", "0"],
      ["keys", "list"],
    ]) {
      const finished = await refused(args);
      expect(finished).toMatchObject({ code: 1, stdout: "" });
      expect(finished.stderr).toMatch(/^tollway: .*tollway\.db is damaged\. Tollway has not changed it\. Restore a backup/);
      expect(finished.stderr).not.toContain("    at ");
    }
    expect(hashOf(path)).toBe(before);
  });

  test("data whose pepper is lost or cut: every key would fail", async () => {
    await stopped(await started());
    const pepper = join(folder.path, "data/pepper");
    const kept = readFileSync(pepper);
    writeFileSync(pepper, "");
    const cut = await refused(["serve", "--port", "0"]);
    expect(cut).toMatchObject({ code: 1, stdout: "" });
    expect(cut.stderr).toMatch(/^tollway: .*pepper is not whole/);
    rmSync(pepper);
    const lost = await refused(["serve", "--port", "0"]);
    expect(lost).toMatchObject({ code: 1, stdout: "" });
    expect(lost.stderr).toMatch(/pepper/i);
    writeFileSync(pepper, kept);
    await started();
  });

  test("a bad configuration, with all its faults, before anything is made", async () => {
    writeFileSync(join(folder.path, "tollway.yaml"), "prot: 1\nadmin_key: 0123456789abcdef\n");
    const finished = await refused(["serve", "--port", "abc"], { TOLLWAY_HOST: "0.0.0.0", TOLLWAY_LOG: "loud", OPENAI_API_KEY: "a b" });
    expect(finished).toMatchObject({ code: 1, stdout: "" });
    expect(finished.stderr).toStartWith("tollway: The configuration has 6 faults:\n");
    for (const name of ['"prot"', '"admin_key"', "TOLLWAY_PORT", "TOLLWAY_HOST", "TOLLWAY_LOG", "OPENAI_API_KEY"]) {
      expect(finished.stderr).toContain(name);
    }
    expect(finished.stderr).not.toContain("0123456789abcdef");
    expect(readdirSync(folder.path)).toEqual(["tollway.yaml"]);
  });

  test("a port that is taken", async () => {
    const gateway = await started();
    const { port } = new URL(gateway.url);
    const finished = await refused(["serve", "--port", port, "--data", "other"]);
    expect(finished).toMatchObject({ code: 1, stdout: "" });
    expect(finished.stderr).toContain(port);
    expect(finished.stderr).not.toContain("    at ");
  });

  test.each<[string[], RegExp]>([
    [["nonsense"], /^tollway: There is no command "tollway nonsense"/],
    [["keys"], /^tollway: tollway keys needs a command/],
    [["keys", "nonsense"], /^tollway: There is no command "tollway keys nonsense"/],
    [["keys", "create"], /^tollway: Missing required argument: --name/],
    [["keys", "revoke"], /^tollway: Missing required positional argument: ID/],
    [["serve", "--prot", "9"], /^tollway: tollway serve has no flag --prot/],
    [["serve", "--port"], /^tollway: --port needs a value/],
    [["serve", "--config", "nowhere.yaml"], /^tollway: .*nowhere\.yaml/],
  ])("%p in one line, with nothing on stdout and nothing made", async (args, words) => {
    const finished = await refused(args);
    expect(finished.code).toBe(1);
    expect(finished.stdout).toBe("");
    expect(finished.stderr).toMatch(words);
    expect(finished.stderr.trim().split("\n")).toHaveLength(1);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("a folder that is a file", async () => {
    writeFileSync(join(folder.path, "file"), "");
    for (const args of [
      ["serve", "--port", "0", "--data", "file"],
      ["keys", "list", "--data", "file/inside"],
    ]) {
      const finished = await refused(args);
      expect(finished).toMatchObject({ code: 1, stdout: "" });
      expect(finished.stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});

describe.skipIf(withoutBinary)(`${binaryName} says`, () => {
  test("its version, and how it is used, command by command", async () => {
    for (const args of [["version"], ["--version"], ["-v"]]) expect((await tollway(...args)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await tollway("--help")).stdout).toMatch(/USAGE tollway serve\|keys\|.*\|doctor\|version\n/);
    expect((await tollway("keys", "create", "--help")).stdout).toContain("--name");
    expect((await tollway("serve", "--help")).stdout).toContain("--port");
    expect((await tollway("--help")).stdout).not.toContain("\u001b");
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
