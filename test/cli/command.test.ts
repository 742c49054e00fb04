// The commands over the real admin door, and what is refused before any of them runs.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { runCommand } from "citty";
import { type AdminCall, adminCallOver, CommandFailed } from "../../src/cli/admin-call";
import { checkArguments, commandAsked, tollwayCommand, withDefaultCommand } from "../../src/cli/command";
import { openApp } from "../../src/http/app";
import { type RunningHouse, startHouse } from "../e2e/house";

let house: RunningHouse;
let admin: AdminCall;
let printed: { data: string[]; messages: string[]; served: unknown[]; folders: unknown[] };

beforeAll(async () => {
  house = await startHouse();
  const door = openApp(
    { ports: house.ports, everyProvider: [], version: "test", readiness: () => ({ ready: true }) },
    { adminKey: undefined, trusted: true },
  );
  admin = adminCallOver(door);
});
beforeEach(() => {
  printed = { data: [], messages: [], served: [], folders: [] };
});
afterAll(() => house.close());

const root = () =>
  tollwayCommand({
    files: { download: () => Promise.reject(new Error("nothing is written here")), stdout: async () => undefined, progress: undefined },
    serve: async (flags) => void printed.served.push(flags),
    admin: (flags) => {
      printed.folders.push(flags.data);
      return admin;
    },
    output: { data: (line) => void printed.data.push(line), message: (line) => void printed.messages.push(line) },
    version: "1.2.3",
    secrets: { variable: () => undefined, input: async () => undefined },
  });

/** As main.ts does it. */
async function tollway(...args: string[]): Promise<void> {
  const rawArgs = withDefaultCommand(args);
  await checkArguments(await commandAsked(root(), rawArgs));
  await runCommand(root(), { rawArgs });
}

async function refusal(...args: string[]): Promise<string> {
  try {
    await tollway(...args);
  } catch (thrown) {
    if (thrown instanceof Error) return thrown.message;
    throw thrown;
  }
  throw new Error(`Not refused: ${args.join(" ")}`);
}

const lastKey = (): string => printed.data.at(-1) ?? "";
const idOf = (key: string): string => `key_${key.slice("tw_live_".length, "tw_live_".length + 12)}`;

describe("keys create", () => {
  test("prints the key alone on stdout, and the rest on stderr", async () => {
    await tollway("keys", "create", "--name", "my app");
    expect(printed.data).toHaveLength(1);
    expect(lastKey()).toMatch(/^tw_live_[0-9A-Za-z]{61}$/);
    expect(printed.messages.join("\n")).toContain("my app");
    expect(printed.messages.join("\n")).not.toContain(lastKey().slice(-49));
    expect((await house.get(lastKey(), "/v1/account")).status).toBe(200);
  });

  test("prints exactly id and key as JSON, and nothing on stderr", async () => {
    await tollway("keys", "create", "--name=x", "--mode", "test", "--json");
    const made = JSON.parse(lastKey()) as { id: string; key: string };
    expect(Object.keys(made)).toEqual(["id", "key"]);
    expect(made.key).toStartWith("tw_test_");
    expect(made.id).toBe(idOf(made.key));
    expect(printed.messages).toEqual([]);
  });

  test("takes an end, and the folder of the data", async () => {
    await tollway("keys", "create", "--name", "ends", "--expires", "2999-01-01T00:00:00Z", "--data", "/somewhere");
    expect(printed.folders).toEqual(["/somewhere"]);
    const account = (await (await house.get(lastKey(), "/v1/account")).json()) as { key: { expires_at: string } };
    expect(account.key.expires_at).toBe("2999-01-01T00:00:00.000Z");
  });

  test.each<[string, string[], RegExp]>([
    ["no name", ["keys", "create"], /--name/],
    ["a name without a value", ["keys", "create", "--name"], /^--name needs a value/],
    ["an empty name", ["keys", "create", "--name", ""], /^name takes 1 to 128/],
    ["a mode that is none", ["keys", "create", "--name", "x", "--mode", "dead"], /^mode takes "live" or "test"/],
    ["an end that is none", ["keys", "create", "--name", "soon", "--expires", "soon"], /^expires_at takes a time/],
    ["an end that is over", ["keys", "create", "--name", "over", "--expires", "2001-01-01"], /^expires_at is in the past/],
    ["a misspelled flag", ["keys", "create", "--nmae", "x"], /^tollway keys create has no flag --nmae/],
    ["a misspelled flag beside a good one", ["keys", "create", "--name", "x", "--modus=test"], /has no flag --modus/],
    ["the name of another", ["keys", "create", "--name", "my app"], /^name "my app" is the name of key_\w+ already: rotate or revoke/],
    ["one word too many", ["keys", "create", "--name", "my", "app"], /does not take "app"/],
  ])("is refused with %s", async (_, args, words) => {
    expect(await refusal(...args)).toMatch(words);
    expect(printed.data).toEqual([]);
  });
});

describe("keys list", () => {
  test("prints a line a key, without any secret", async () => {
    await tollway("keys", "create", "--name", "listed");
    const key = lastKey();
    await tollway("keys", "list");
    const line = printed.data.find((one) => one.startsWith(idOf(key)));
    expect(line?.split("\t")).toEqual([idOf(key), "live", "active", expect.stringMatching(/^\d{4}-/) as never, "listed"]);
    expect(printed.data.slice(1).join("\n")).not.toContain(key.slice(-49));
  });

  test("prints JSON, all pages of it", async () => {
    for (let n = 0; n < 3; n++) await tollway("keys", "create", "--name", `page ${n}`, "--json");
    const before = admin;
    admin = (method, path, body) => before(method, path.replace("limit=1000", "limit=2"), body);
    await tollway("keys", "list", "--json");
    admin = before;
    const listed = JSON.parse(lastKey()) as { id: string; name: string }[];
    expect(listed.map((key) => key.name)).toEqual(expect.arrayContaining(["page 0", "page 1", "page 2"]));
    expect(new Set(listed.map((key) => key.id)).size).toBe(listed.length);
    expect(lastKey()).not.toContain("tw_live_");
  });

  test("says how to make one where there is none", async () => {
    const before = admin;
    admin = async () => ({ data: [], next_cursor: null });
    await tollway("keys", "list");
    admin = before;
    expect(printed.data).toEqual([]);
    expect(printed.messages.join("\n")).toContain("keys create");
  });
});

describe("keys revoke", () => {
  test("ends a key at once", async () => {
    await tollway("keys", "create", "--name", "gone");
    const key = lastKey();
    await tollway("keys", "revoke", idOf(key));
    expect(printed.messages.at(-1)).toBe(`Revoked ${idOf(key)}.`);
    expect((await house.get(key, "/v1/account")).status).toBe(403);
    await tollway("keys", "revoke", idOf(key), "--json");
    expect(JSON.parse(lastKey())).toMatchObject({ id: idOf(key), revoked: true });
  });

  test.each<[string, string[], RegExp]>([
    ["no id", ["keys", "revoke"], /ID/],
    ["an id that is not there", ["keys", "revoke", "key_nothing"], /There is no key "key_nothing"/],
    ["two ids", ["keys", "revoke", "key_a", "key_b"], /does not take "key_b"/],
    ["an id that would be another path", ["keys", "revoke", "../../v1/account"], /There is no|not found|Unknown|escape/i],
  ])("is refused with %s", async (_, args, words) => {
    expect(await refusal(...args)).toMatch(words);
  });
});

describe("the command line", () => {
  test("serves where no command is named, with the flags that were given", async () => {
    await tollway();
    await tollway("--port", "9");
    await tollway("serve", "--data", "/d", "--host=::1", "--config", "x.yaml");
    expect(printed.served).toEqual([
      { port: undefined, host: undefined, data: undefined, config: undefined },
      { port: "9", host: undefined, data: undefined, config: undefined },
      { port: undefined, host: "::1", data: "/d", config: "x.yaml" },
    ]);
  });

  test("prints its version", async () => {
    await tollway("version");
    expect(printed.data).toEqual(["1.2.3"]);
  });

  test.each<[string[], RegExp]>([
    [["nonsense"], /^There is no command "tollway nonsense"/],
    [["keys"], /^tollway keys needs a command/],
    [["keys", "nonsense"], /^There is no command "tollway keys nonsense"/],
    [["keys", "--json"], /^tollway keys needs a command/],
    [["constructor"], /^There is no command/],
    [["keys", "toString"], /^There is no command/],
    [["--prot", "9"], /^tollway serve has no flag --prot/],
    [["serve", "-p", "9"], /has no flag -p/],
    [["serve", "--port"], /^--port needs a value/],
    [["serve", "--port", "--data"], /^--port needs a value/],
    [["serve", "extra"], /does not take "extra"/],
    [["version", "--json"], /has no flag --json/],
  ])("refuses %p, and runs nothing", async (args, words) => {
    expect(await refusal(...args)).toMatch(words);
    expect(printed).toEqual({ data: [], messages: [], served: [], folders: [] });
  });

  test("finds the command that help is asked for", async () => {
    const asked = await commandAsked(root(), ["keys", "create", "--help"]);
    expect(asked).toMatchObject({ name: "tollway keys create", rest: ["--help"] });
    expect((await commandAsked(root(), ["--help"])).name).toBe("tollway");
  });
});

describe("adminCallOver()", () => {
  test("throws the gateway's words, with the field where they do not begin with it", async () => {
    const saying = (error: object): AdminCall => adminCallOver(async () => Response.json({ error }, { status: 400 }));
    const words = async (error: object): Promise<unknown> => saying(error)("GET", "/").catch((thrown: unknown) => thrown);
    expect(await words({ message: "name takes a string.", param: "name" })).toEqual(new CommandFailed("name takes a string."));
    expect(await words({ message: "It is wrong.", param: "name" })).toEqual(new CommandFailed("name: It is wrong."));
    expect(await words({ message: "It is wrong.", param: null })).toEqual(new CommandFailed("It is wrong."));
    expect(await words({})).toBeInstanceOf(CommandFailed);
  });
});
