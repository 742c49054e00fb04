// The vault of a real process: what a thief of its files finds, which master key a start needs, and how one is changed for another.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startUpstream } from "../upstream/upstream";
import { ADMIN_KEY, chat, emptyFolder, FROM_SOURCE, filesOf, makeKey, run, serve, type Variables } from "./gateway-process";
import { CHAT_ANSWER } from "./own-answers";

const SECRET = "sk-canary-credential-0123456789";
const NEWER = "sk-canary-newer-0123456789";
const WEBHOOK_SECRET = `whsec_${Buffer.from("canary webhook secret, 32 bytes!").toString("base64")}`;
const ENV: Variables = { TOLLWAY_ADMIN_KEY: ADMIN_KEY, TOLLWAY_ALLOW_PRIVATE_UPSTREAMS: "1" };

let folder: ReturnType<typeof emptyFolder>;
beforeEach(() => {
  folder = emptyFolder();
  writeFileSync(join(folder.path, "secret.txt"), `${SECRET}\n`);
  writeFileSync(join(folder.path, "newer.txt"), `${NEWER}\n`);
});
afterEach(() => folder.remove());

const data = (name = ""): string => join(folder.path, "data", name);
const tollway = (args: readonly string[], env: Variables = {}) => run(FROM_SOURCE, args, folder.path, { ...ENV, ...env });

async function connected(env: Variables = {}): Promise<{ id: string; master_key: string }> {
  const done = await tollway(["providers", "connect", "openai", "--key-file", "secret.txt", "--json"], env);
  if (done.code !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as { id: string; master_key: string };
}

async function master(env: Variables = {}): Promise<string> {
  const done = await tollway(["doctor", "--json"], env);
  const report = JSON.parse(done.stdout) as { checks: { name: string; says: string }[] };
  return report.checks.find(({ name }) => name === "master key")?.says ?? JSON.stringify(report);
}

const KEY_A = Buffer.alloc(32, 0xa1).toString("base64");
const KEY_B = Buffer.alloc(32, 0xb2).toString("hex");

describe("a stolen database", () => {
  test("without the master key holds no secret in any byte, nor does anything else that was written or printed", async () => {
    const upstream = await startUpstream();
    upstream.play(CHAT_ANSWER, { times: "always" });
    const gateway = await serve(FROM_SOURCE, folder.path, { ...ENV, TOLLWAY_OPENAI_BASE_URL: `${upstream.url}/v1`, TOLLWAY_LOG: "debug" });
    const { id } = await connected();
    const rotated = await tollway(["providers", "rotate", id, "--key-file", "newer.txt"]);
    expect(rotated.code).toBe(0);
    const webhook = await fetch(`${gateway.url}/admin/v1/webhooks`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ url: `${upstream.url}/hook`, secret: WEBHOOK_SECRET, events: [] }),
    });
    expect(webhook.status).toBe(200);
    const { key } = await makeKey(gateway.url);
    expect((await chat(gateway.url, key, { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hi" }] })).status).toBe(200);
    const asked = upstream.requests.find(({ path }) => path.endsWith("/chat/completions"));
    expect(asked?.headers["authorization"]).toBe(`Bearer ${NEWER}`);
    gateway.signal("SIGKILL");
    const killed = await gateway.ended;
    await upstream.close();
    const canaries = [SECRET, NEWER, WEBHOOK_SECRET, WEBHOOK_SECRET.slice("whsec_".length), key.slice(-49)];
    const forms = canaries.flatMap((one) => [
      one,
      Buffer.from(one).toString("base64").replace(/=+$/, ""),
      Buffer.from(one).toString("hex"),
    ]);
    const files = filesOf(data());
    expect([...files.keys()]).toContain("tollway.db-wal");
    files.set("stdout", Buffer.from(killed.stdout)).set("stderr", Buffer.from(killed.stderr + rotated.stdout + rotated.stderr));
    for (const [name, bytes] of files) {
      for (const form of forms) expect({ name, form, found: Buffer.from(bytes).includes(form) }).toEqual({ name, form, found: false });
    }
    // The key lies apart, for its owner alone, and a thief without it gets no further than the start.
    expect(statSync(data("master.key")).mode & 0o777).toBe(0o600);
    const stolen = join(folder.path, "stolen");
    mkdirSync(stolen);
    for (const name of readdirSync(data()))
      if (name.startsWith("tollway.db") || name === "pepper") copyFileSync(data(name), join(stolen, name));
    const thief = await tollway(["doctor", "--data", "stolen"]);
    expect(thief.code).toBe(1);
    expect(thief.stdout).toMatch(/master\.key is not there/);
    expect(readdirSync(stolen)).not.toContain("master.key");
  }, 30_000);
});

describe("a start", () => {
  test("makes the folder's own master key once, and keeps to it", async () => {
    const { master_key } = await connected();
    const before = readFileSync(data("master.key"), "utf8");
    expect(await master()).toBe(`Secrets that each master key seals: ${master_key} (current): 1.`);
    expect(readFileSync(data("master.key"), "utf8")).toBe(before);
  }, 30_000);

  test("is refused under another master key than the stored secrets', which is named; the right one opens them again", async () => {
    const { master_key } = await connected({ TOLLWAY_MASTER_KEY: KEY_A });
    expect(readdirSync(data())).not.toContain("master.key");
    const wrong = await tollway(["serve", "--port", "0"], { TOLLWAY_MASTER_KEY: KEY_B });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`sealed by the master key ${master_key}`);
    expect(wrong.stderr).not.toContain(KEY_B);
    const none = await tollway(["serve", "--port", "0"]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain(master_key);
    expect(readdirSync(data())).not.toContain("master.key");
    expect(await master({ TOLLWAY_MASTER_KEY: KEY_A })).toContain(`${master_key} (current): 1.`);
  }, 30_000);

  test.each<[string, string, RegExp]>([
    ["is cut short", "c2hvcnQ=", /master\.key is not a master key/],
    ["is empty", "", /master\.key is not a master key/],
  ])("is refused where the file of the master key %s", async (_, text, words) => {
    mkdirSync(data());
    writeFileSync(data("master.key"), text);
    const done = await tollway(["keys", "list"]);
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(words);
  });

  test("takes the master key from a file that is named, and says where that is not", async () => {
    writeFileSync(join(folder.path, "elsewhere.key"), `${KEY_B}\n`);
    const { master_key } = await connected({ TOLLWAY_MASTER_KEY_FILE: "elsewhere.key" });
    expect(await master({ TOLLWAY_MASTER_KEY: KEY_B })).toContain(`${master_key} (current): 1.`);
    rmSync(join(folder.path, "elsewhere.key"));
    const done = await tollway(["keys", "list"], { TOLLWAY_MASTER_KEY_FILE: "elsewhere.key" });
    expect(done.stderr).toContain("elsewhere.key (TOLLWAY_MASTER_KEY_FILE) is not there");
  }, 30_000);
});

describe("a data folder that others may read", () => {
  test("was there already: what the gateway writes into it is for its owner alone", async () => {
    mkdirSync(data());
    chmodSync(data(), 0o755);
    const gateway = await serve(FROM_SOURCE, folder.path, ENV);
    await makeKey(gateway.url);
    const modes = Object.fromEntries(readdirSync(data()).map((name) => [name, (statSync(data(name)).mode & 0o777).toString(8)]));
    gateway.signal("SIGTERM");
    await gateway.ended;
    expect(modes).toMatchObject({ "tollway.db": "600", "tollway.db-wal": "600", "tollway.db-shm": "600" });
    expect(new Set(Object.values(modes))).toEqual(new Set(["600"]));
  }, 30_000);
});

describe("a new master key", () => {
  test("beside the old one opens everything; after the rekey it does so alone, and the old one no more", async () => {
    const { master_key: old } = await connected({ TOLLWAY_MASTER_KEY: KEY_A });
    const both = { TOLLWAY_MASTER_KEY: KEY_B, TOLLWAY_MASTER_KEYS_OLD: KEY_A };
    expect(await master(both)).toContain(`${old}: 1, until tollway providers rekey`);
    const done = await tollway(["providers", "rekey", "--json"], both);
    expect(JSON.parse(done.stdout)).toMatchObject({ resealed: 1, unreadable: [] });
    const alone = await master({ TOLLWAY_MASTER_KEY: KEY_B });
    expect(alone).toMatch(/\(current\): 1\.$/);
    expect(alone).not.toContain(old);
    expect((await tollway(["keys", "list"], { TOLLWAY_MASTER_KEY: KEY_A })).code).toBe(1);
  }, 30_000);
});
