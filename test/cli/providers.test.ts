// tollway providers over the real admin door: secrets come from a file, a variable or stdin, and never go out again.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecretSource } from "../../src/cli/secret-source";
import { type RunningHouse, startHouse } from "../e2e/house";
import { type CommandLine, commandLine } from "./command-line";

let house: RunningHouse;
let folder: string;
let written: string | undefined;
let tollway: CommandLine;

beforeEach(async () => {
  house = await startHouse();
  folder = mkdtempSync(join(tmpdir(), "tollway-providers-"));
  written = undefined;
  const secrets: SecretSource = {
    variable: (name) => (name === "MY_KEY" ? "sk-from-variable-var1" : undefined),
    input: async () => written,
  };
  tollway = commandLine(house, secrets);
});
afterEach(async () => {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});

const secretOf = (): string | undefined => house.ports.connections.connected("default")[0]?.credential?.reveal();

describe("providers connect", () => {
  test("reads the secret from stdin, a file or a variable, without its line end", async () => {
    written = "sk-from-stdin-0000std1\n";
    const [id] = await tollway.run("providers", "connect", "openai", "--name", "production");
    expect(id).toMatch(/^cred_/);
    expect(tollway.messages()).toBe("Connected openai with …std1, for organization default.");
    expect(secretOf()).toBe("sk-from-stdin-0000std1");
    await tollway.run("providers", "remove", id ?? "");
    expect(secretOf()).toBeUndefined();
    const file = join(folder, "key.txt");
    writeFileSync(file, "sk-from-file-00000fil1\r\n");
    const made = await tollway.json<{ id: string; last_four: string }>("providers", "connect", "openai", "--key-file", file);
    expect(made.last_four).toBe("fil1");
    await tollway.run("providers", "rotate", made.id, "--key-env", "MY_KEY", "--grace-seconds", "60");
    expect(tollway.messages()).toContain("…var1");
    expect(secretOf()).toBe("sk-from-variable-var1");
  });

  test("takes an alias, a project and an address", async () => {
    await tollway.run("projects", "create", "--name", "search");
    written = "gemini-00000000gem1";
    const made = await tollway.json<object>(
      "providers",
      "connect",
      "google",
      "--project",
      "search",
      "--base-url",
      "https://gemini.example.com/v1beta/",
    );
    expect(made).toMatchObject({ provider: "gemini", project: expect.stringMatching(/^proj_/) as never });
    expect(made).toMatchObject({ base_url: "https://gemini.example.com/v1beta" });
  });

  test.each<[string, string[], RegExp]>([
    ["nobody writes to stdin", ["connect", "openai"], /read from stdin/],
    ["the variable is not set", ["connect", "openai", "--key-env", "NO_KEY"], /NO_KEY holds no secret/],
    ["two places are named", ["connect", "openai", "--key-env", "MY_KEY", "--key-file", "x"], /not both/],
    ["the file is not there", ["connect", "openai", "--key-file", "/nowhere/key"], /ENOENT/],
    ["the secret stands in a flag", ["connect", "openai", "--secret", "sk-x"], /has no flag --secret/],
    ["the provider is none", ["connect", "opneai", "--key-env", "MY_KEY"], /provider takes a provider's slug/],
    ["the id is none", ["rotate", "cred_nothing", "--key-env", "MY_KEY"], /There is no credential/],
    ["the grace is none", ["rotate", "cred_nothing", "--key-env", "MY_KEY", "--grace-seconds", "soon"], /whole number/],
    ["what is removed is not there", ["remove", "cred_nothing"], /There is no credential/],
  ])("is refused where %s", async (_, args, words) => {
    expect(await tollway.refusal("providers", ...args)).toMatch(words);
    expect(house.ports.directory.list("credential", "default")).toEqual([]);
  });
});

describe("providers list, credentials and rekey", () => {
  test("show who pays for what, and never a secret", async () => {
    expect(await tollway.run("providers", "credentials")).toEqual([]);
    expect(tollway.messages()).toContain("providers connect");
    await tollway.run("providers", "connect", "openai", "--key-env", "MY_KEY", "--name", "production");
    const lines = await tollway.run("providers", "list");
    expect(lines.find((line) => line.startsWith("openai\t"))).toMatch(/^openai\tconnected\torganization\tcred_\w+\thttp/);
    expect(lines.find((line) => line.startsWith("mistral\t"))).toMatch(/^mistral\tnot_connected\t-\t-\thttp/);
    const shown = await tollway.run("providers", "credentials");
    expect(shown).toHaveLength(1);
    expect(shown[0]).toContain("…var1");
    expect([...lines, ...shown].join("\n")).not.toContain("from-variable");
    await tollway.run("providers", "rekey");
    expect(tollway.messages()).toBe(`Sealed 0 anew under ${house.ports.vault.keyId}.`);
  });

  test("say what a new master key cannot open", async () => {
    await tollway.run("providers", "connect", "openai", "--key-env", "MY_KEY");
    const [record] = house.ports.directory.list("credential", "default");
    if (!record) throw new Error("There is none");
    await house.ports.directory.put("credential", { ...record, masterKeyId: "mk_0000000000000000" });
    expect(await tollway.refusal("providers", "rekey")).toMatch(/^1 could not be opened.*cred_\w+ \(mk_0000000000000000\)/);
    const report = await tollway.refusal("doctor");
    expect(report).toContain("found faults");
  });
});

describe("doctor", () => {
  test("says of every check what it found, in a line, and fails where one found a fault", async () => {
    const lines = await tollway.run("doctor");
    expect(lines.map((line) => line.slice(0, 7).trim())).toEqual(["ok", "skipped", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok"]);
    expect(lines.join("\n")).toContain(house.ports.vault.keyId);
    expect(await tollway.json("doctor")).toMatchObject({ ok: true, version: "test" });
    expect(await tollway.refusal("doctor", "--provider", "openai")).toContain("--invoice");
  });
});
